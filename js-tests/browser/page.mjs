import { init, version } from "reseal";

const messages = [];
await init();
if (!/^\d+\.\d+\.\d+$/.test(version)) messages.push(`version: ${version}`);
globalThis.result = { passed: 1 - messages.length, failed: messages.length, messages };
