// Keys: shown only on request, copied whole, gone when they are forgotten.
import assert from "node:assert/strict";
import { Key } from "reseal";
import { openPage, panel } from "./harness.mjs";

export async function keysCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  await panel(page, "Keys");
  const items = page.locator("#keys-list > li");
  const make = async (use) => {
    await page.locator("#keys-use").selectOption(use);
    await page.getByRole("button", { name: "Make it" }).click();
  };
  for (const [at, use] of ["data", "index", "kek"].entries()) {
    await report.awaited(`a ${use} key`, async () => {
      await make(use);
      const item = items.nth(at);
      assert.ok(!(await page.content()).includes("rsk1.data.A"), "shown too early");
      assert.equal(await item.locator(".secret").isVisible(), false);
      await item.getByRole("button", { name: /^Show/ }).click();
      const text = await item.locator(".secret").innerText();
      assert.equal(Key.parse(text).use, use);
      assert.equal(await item.locator(".id").innerText(), Key.parse(text).id);
      await item.getByRole("button", { name: /^Copy/ }).click();
      assert.equal(await page.evaluate(() => navigator.clipboard.readText()), text);
      await item.locator("button[aria-expanded]").click();
      assert.ok(!(await page.content()).includes(text), "still there");
    });
  }
  await report.awaited("a key that is shown stays so when another one comes", async () => {
    await items.nth(0).locator("button[aria-expanded]").click();
    await make("data");
    assert.equal(await items.nth(0).locator(".secret").isVisible(), true);
    await items.nth(0).locator("button[aria-expanded]").click();
  });
  await report.awaited("a key is taken in once", async () => {
    const key = Key.generate();
    for (const expected of [0, 1]) {
      await page.locator("#keys-text").fill(` ${key.export()} `);
      await page.locator("#keys-text").press("Enter");
      assert.equal(await page.getByText("This key is here already").count(), expected);
    }
    assert.equal(await items.last().locator(".id").innerText(), key.id);
    assert.equal(await page.locator("#keys-text").inputValue(), "");
  });
  await report.awaited("what is no key is refused by its code", async () => {
    await page.locator("#keys-text").fill("rsk1.data.cut");
    await page.locator("#keys-text").press("Enter");
    assert.match(await page.locator("#keys-error").innerText(), /invalid-key[^]*What to do/);
  });
  await report.awaited("a key is forgotten, and the focus is not lost", async () => {
    const before = await items.count();
    await items
      .last()
      .getByRole("button", { name: /^Forget/ })
      .click();
    assert.equal(await items.count(), before - 1);
    assert.equal(await page.evaluate(() => document.activeElement.id), "keys-make");
  });
  await report.awaited(
    "a page that was left has no key and no value, if it is shown again",
    async () => {
      await items.nth(0).locator("button[aria-expanded]").click();
      const text = await items.nth(0).locator(".secret").innerText();
      assert.match(text, /^rsk1\./);
      await page.locator("#keys-text").fill(text);
      await panel(page, "Values");
      await page.getByRole("button", { name: /^Seal/ }).click();
      assert.match(await page.locator("#values-stored").inputValue(), /^rs1\./);
      await page.evaluate(() => dispatchEvent(new PageTransitionEvent("pagehide", { persisted: true }))); // prettier-ignore
      assert.equal(await items.count(), 0);
      assert.ok(!(await page.content()).includes(text));
      for (const id of ["keys-text", "values-plain", "values-stored", "inspect-value"]) {
        assert.equal(await page.locator(`#${id}`).inputValue(), "", id);
      }
      await page.getByRole("button", { name: /^Open/ }).click();
      assert.match(await page.locator("#values-message").innerText(), /no-primary|Refused/);
    },
  );
  await report.awaited("no complaint", async () => assert.deepEqual(seen.complaints, []));
  await context.close();
}
