// The same of CommonJS.
import reseal = require("reseal");

declare const console: { log(text: string): void };

const ring: reseal.Keyring = new reseal.Keyring({ primary: reseal.Key.generate() });
const stored: string = ring.seal("x", { row: 1 });
const text: string = ring.openString(stored, { row: 1 });
if (text === "x") console.log("all good");
