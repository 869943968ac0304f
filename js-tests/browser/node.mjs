// The same sections in Node, as JSON lines: what the browsers are compared with. The vectors run with the
// entry of Node, the rest with that of browsers.
import { readFileSync } from "node:fs";
import fc from "fast-check";
import * as node from "reseal";
import * as browser from "reseal/browser";
import { lineOf, runOwn, runVectors } from "./sections.mjs";
import { DIST, TESTKIT, vectorFiles } from "./server.mjs";

await browser.init(readFileSync(`${DIST}/reseal.wasm`));
const testkit = new WebAssembly.Module(readFileSync(TESTKIT));
const files = vectorFiles().map(({ name, path }) => {
  return { name, read: () => JSON.parse(readFileSync(path, "utf8")) };
});
for await (const one of runVectors({ reseal: node, testkit, files })) console.log(lineOf(one));
for await (const one of runOwn({ reseal: browser, fc, runs: 1 })) console.log(lineOf(one));
