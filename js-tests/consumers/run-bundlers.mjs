// The packed package in bundles, which then run in Chromium, on pages with a strict policy.
//   run-bundlers.mjs CONSUMER BUNDLER...
import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { BUNDLERS } from "./bundle.mjs";
import { check, expectGood, finish } from "./checks.mjs";
import { withPages } from "./pages.mjs";
import { project } from "./project.mjs";

const [, , consumer, ...names] = process.argv;
if (names.length === 0) throw new Error("usage: run-bundlers.mjs CONSUMER BUNDLER...");
/** Messages of the parts that a program without keys does not need. */
const MARKS = [
  "a manifest is made by",
  "the id of a data key is",
  "a column reads and writes codecs",
  "a keyset is made by",
  "a data key is made by N8nDataKey",
];
const ENTRIES = ["reseal", "reseal/slim", "reseal/inline", "reseal/slim/inline"];

await withPages(async (titleOf) => {
  for (const name of names) {
    for (const entry of ENTRIES) {
      const folder = project(`${name}-${entry.replaceAll("/", "-")}`, { consumer, entry });
      await check(`${entry} bundled by ${name}, on a page and in a web worker`, async () => {
        const out = await BUNDLERS[name](folder, entry);
        expectGood(await titleOf(join(out, "page.mjs")));
        expectGood(await titleOf(join(out, "starter.mjs")));
      });
    }
    const folder = project(`${name}-unused`, { consumer });
    await check(`${name} leaves out what nobody imports`, async () => {
      const out = await BUNDLERS[name](folder, "reseal", ["only-inspect"]);
      const bundle = textOf(out);
      const whole = textOf(join(consumer, "node_modules/reseal/dist/web"));
      for (const mark of MARKS) {
        if (bundle.includes(mark)) throw new Error(`the bundle holds ${mark}`);
        if (!whole.includes(mark)) throw new Error(`the package does not hold ${mark}`);
      }
    });
  }
});
finish();

function textOf(folder) {
  const names = readdirSync(folder).filter((name) => /\.m?js$/.test(name));
  return names.map((name) => readFileSync(join(folder, name), "utf8")).join("");
}
