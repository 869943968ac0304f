// Rotation: at each step, what becomes of keys, rows and processes that lag behind.
import assert from "node:assert/strict";
import { openPage, panel } from "./harness.mjs";

const YES = "yes";
const FLEET = {
  Before: [[YES, YES, YES], "not yet", "not yet"],
  Introduce: [[YES, YES, YES], [YES, YES, YES], "not yet"],
  Promote: [
    [YES, YES, YES],
    [YES, YES, YES],
    [YES, "no: unknown-key", YES],
  ],
  Reseal: [
    [YES, YES, YES],
    [YES, YES, YES],
    ["no: unknown-key", "no: unknown-key", YES],
  ],
  Retire: [
    [YES, YES, YES],
    [YES, YES, YES],
    [YES, YES, "no: key-disabled"],
  ],
};
const STATES = {
  Before: ["primary"],
  Introduce: ["primary", "introduced"],
  Promote: ["decrypt only", "primary"],
  Reseal: ["decrypt only", "primary"],
  Retire: ["disabled", "primary"],
};

export async function rotationCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  await panel(page, "Rotation");
  const cells = (place) => page.locator(`${place} tbody tr`).evaluateAll((rows) => rows.map((row) => [...row.cells].map((cell) => cell.innerText))); // prettier-ignore
  const next = page.locator("#rotation-next");

  for (const [step, fleet] of Object.entries(FLEET)) {
    await report.awaited(step, async () => {
      assert.equal(await page.locator("[aria-current=step]").innerText(), step);
      const processes = (await cells("#rotation-fleet")).map(([, ...met]) => met);
      assert.deepEqual(processes, fleet.map((met) => (met === "not yet" ? Array(3).fill(met) : met))); // prettier-ignore
      const keys = await cells("#rotation-state .card:first-child");
      assert.deepEqual(keys.map(([, , state]) => state), STATES[step]); // prettier-ignore
      const isDone = step === "Reseal" || step === "Retire";
      const isBefore = step === "Before" || step === "Introduce";
      const [label, state] = [isDone ? "2027" : "2026", isDone || isBefore ? "current" : "not current"]; // prettier-ignore
      for (const row of await cells("#rotation-state .card:last-child")) {
        assert.deepEqual(row.slice(2), [label, state]);
      }
    });
    if (step === "Introduce") {
      await report.awaited("to promote without waiting is refused", async () => {
        await page.locator("#rotation-early").click();
        assert.match(await page.locator("#rotation-message").innerText(), /keyset-transition[^]*lease/); // prettier-ignore
      });
    }
    if (step !== "Retire") await next.click();
  }
  await report.awaited("the end, and the beginning again", async () => {
    assert.equal(await next.isDisabled(), true);
    await page.locator("#rotation-again").click();
    assert.equal(await page.locator("[aria-current=step]").innerText(), "Before");
    assert.equal(await next.isDisabled(), false);
  });
  await report.awaited("no complaint", async () => assert.deepEqual(seen.complaints, []));
  await context.close();
}
