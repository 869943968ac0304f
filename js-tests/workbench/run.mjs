// Drives a headless Chromium through the workbench as people use it, and prints
// `RESULT passed=N failed=N`. Whatever the page complains of is a failure.
import { accessCases } from "./access.mjs";
import { censusCases } from "./census.mjs";
import { withWorkbench } from "./harness.mjs";
import { inspectCases } from "./inspect.mjs";
import { keysCases } from "./keys.mjs";
import { quietCases } from "./quiet.mjs";
import { rotationCases } from "./rotation.mjs";
import { valuesCases } from "./values.mjs";
import { Report } from "../vectors/report.mjs";

const LIMIT_MS = 180_000;
const PARTS = {
  inspect: inspectCases,
  keys: keysCases,
  values: valuesCases,
  census: censusCases,
  rotation: rotationCases,
  access: accessCases,
  // The last one: it ends the server.
  quiet: quietCases,
};

const timer = setTimeout(() => {
  console.log(`workbench: not done after ${LIMIT_MS / 1000} s\nRESULT passed=0 failed=1`);
  process.exit(1);
}, LIMIT_MS);
const total = { passed: 0, failed: 0 };
try {
  await withWorkbench(async (browser, url, server) => {
    const only = process.argv.slice(2);
    for (const [name, cases] of Object.entries(PARTS)) {
      if (only.length > 0 && !only.includes(name)) continue;
      const report = new Report();
      await report.awaited("the part", () => cases(report, { browser, url, server }));
      console.log(report.lines("workbench", name).join("\n"));
      total.passed += report.passed;
      total.failed += report.failed.length;
    }
  });
} catch (error) {
  console.log(`workbench: ${error.message}`);
  total.failed += 1;
}
clearTimeout(timer);
console.log(`RESULT passed=${total.passed} failed=${total.failed}`);
process.exitCode = total.failed === 0 && total.passed > 0 ? 0 : 1;
