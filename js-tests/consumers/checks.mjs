// Counts the checks of a runner, and prints what scripts/suite.sh reads.
const counts = { passed: 0, failed: 0, skipped: 0 };

/** Runs a check; one that fails does not stop the others. */
export async function check(name, body) {
  try {
    await body();
    counts.passed += 1;
    console.log(`passed: ${name}`);
  } catch (error) {
    counts.failed += 1;
    console.log(`FAILED: ${name}\n${error.stdout ?? ""}${error.stderr ?? ""}${error.message}`);
  }
}

export function skip(name, reason) {
  counts.skipped += 1;
  console.log(`skipped: ${name} (${reason})`);
}

export function finish() {
  console.log(`RESULT passed=${counts.passed} failed=${counts.failed} skipped=${counts.skipped}`);
  process.exitCode = counts.failed === 0 ? 0 : 1;
}

/** Every program says this at its end, wherever it runs. */
export function expectGood(output) {
  if (!String(output).includes("all good")) throw new Error(String(output));
}
