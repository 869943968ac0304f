// Runs vector files in Node: `node vectors/run.mjs FILE…`, one line per file, exit 1 on a failure.
import { readFileSync } from "node:fs";
import * as reseal from "reseal";
import { runDocument } from "./shapes.mjs";
import { testkitOf } from "./testkit.mjs";

const KIT = new URL("../../target/testkit/reseal_testkit.wasm", import.meta.url);
const tools = {
  reseal,
  testkit: testkitOf(new WebAssembly.Module(readFileSync(KIT))),
  iterations: process.env.RESEAL_ASSURE === undefined ? 10_000 : Infinity,
};

let good = true;
for (const file of process.argv.slice(2)) {
  const lines = await runFile(file);
  console.log(lines.join("\n"));
}
process.exitCode = good ? 0 : 1;

async function runFile(file) {
  try {
    const report = await runDocument(JSON.parse(readFileSync(file, "utf8")), tools);
    good &&= report.failed.length === 0;
    return report.lines("node", file);
  } catch (error) {
    good = false;
    return [`node ${file} run=0 passed=0 failed=1`, `  ${error.message}`];
  }
}
