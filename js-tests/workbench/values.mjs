// Values: what the page seals Node opens, and the reverse; refusals say what to do.
import assert from "node:assert/strict";
import { inspect, Key, Keyring } from "reseal";
import { openPage, panel } from "./harness.mjs";

const CONTEXT = { table: "users", column: "email", row: 42 };
const VALUE = "hällo 🌍";

export async function valuesCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  const [key, other] = [Key.generate(), Key.generate()];
  const ring = new Keyring({ primary: key, decryptOnly: [other] });
  const [plain, stored, said] = ["plain", "stored", "message"].map((id) => page.locator(`#values-${id}`)); // prettier-ignore
  const press = (name) => page.locator(`#values-${name}`).click();
  const role = (of, name) => page.locator(`#role-${of.id}`).selectOption(name);

  await report.awaited("without a key nothing seals", async () => {
    await panel(page, "Values");
    await press("seal");
    assert.match(await said.innerText(), /no-primary[^]*What to do/);
  });
  await panel(page, "Keys");
  for (const one of [key, other]) {
    await page.locator("#keys-text").fill(one.export());
    await page.locator("#keys-text").press("Enter");
  }
  await panel(page, "Values");
  for (const mode of ["random", "deterministic", "padded"]) {
    await report.awaited(`${mode}: Node opens what the page seals, and the reverse`, async () => {
      await page.locator("#values-mode").selectOption(mode);
      await plain.fill(VALUE);
      await press("seal");
      const sealed = await stored.inputValue();
      assert.equal(inspect(sealed).mode, mode);
      assert.equal(ring.openString(sealed, CONTEXT), VALUE);
      await stored.fill(ring.seal(`${VALUE} of Node`, CONTEXT, mode));
      await press("open");
      assert.equal(await plain.inputValue(), `${VALUE} of Node`);
    });
  }
  await report.awaited("another row", async () => {
    await stored.fill(ring.seal("x", { ...CONTEXT, row: 43 }));
    await press("open");
    assert.match(await said.innerText(), /auth-failed[^]*compare the context/);
  });
  await report.awaited("bytes in a context", async () => {
    await page.locator("#values-pair").click();
    const pair = page.locator(".pair").last();
    await pair.locator("input.name").fill("blob");
    await pair.locator("select").selectOption("bytes");
    await pair.locator("input.value").fill("00ff");
    await plain.fill("bound");
    await press("seal");
    const blob = Uint8Array.of(0, 255);
    assert.equal(ring.openString(await stored.inputValue(), { ...CONTEXT, blob }), "bound");
    await pair.locator("input.value").fill("00f");
    await press("seal");
    assert.match(await said.innerText(), /context-invalid[^]*no hexadecimal/);
    await pair.locator("input.value").fill("00ff");
    await pair.locator("input.name").fill("row");
    await press("seal");
    assert.match(await said.innerText(), /context-invalid/);
    await pair.getByRole("button").click();
  });
  await report.awaited("reseal under another primary, and once only", async () => {
    await page.locator("#values-mode").selectOption("random");
    await stored.fill(ring.seal(VALUE, CONTEXT));
    await role(other, "primary");
    await press("reseal");
    const sealed = await stored.inputValue();
    assert.equal(inspect(sealed).keyId, other.id);
    assert.equal(ring.openString(sealed, CONTEXT), VALUE);
    await press("reseal");
    assert.match(await said.innerText(), /Current already/);
    assert.equal(await stored.inputValue(), sealed);
  });
  await report.awaited("a key that is disabled opens nothing", async () => {
    await stored.fill(ring.seal(VALUE, CONTEXT));
    await role(key, "disabled");
    await press("open");
    assert.match(await said.innerText(), /key-disabled/);
  });
  await report.awaited("a stored value goes to Inspect", async () => {
    await page.locator("#values-inspect").click();
    assert.match(await page.locator("#inspect-result").innerText(), new RegExp(key.id));
  });
  await report.awaited("no complaint", async () => assert.deepEqual(seen.complaints, []));
  await context.close();
}
