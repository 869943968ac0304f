// For everybody: axe in both themes, a phone, the keyboard alone, no motion.
import assert from "node:assert/strict";
import { axe, bringAxe, fits } from "../access.mjs";
import { openPage } from "./harness.mjs";
import { SCENES } from "./scenes.mjs";

/** Light on a desk, dark on a phone: each rule of the style meets both. Colours that are on their way say nothing. */
const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1120, height: 900 }, reducedMotion: "reduce" },
  dark: {
    colorScheme: "dark",
    viewport: { width: 360, height: 780 },
    hasTouch: true,
    reducedMotion: "reduce",
  },
};

export async function accessCases(report, { browser, url }) {
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page, context, seen } = await openPage(browser, url, options);
    await bringAxe(page);
    for (const [name, scene] of Object.entries(SCENES)) {
      await report.awaited(`${name} stands, ${look}`, () => scene(page));
      await report.awaited(`axe, ${name}, ${look}`, () => axe(page));
      if (look === "light") await report.awaited(`by the tab key, ${name}`, () => allReached(page));
      else await report.awaited(`narrow, ${name}`, () => fits(page));
    }
    await report.awaited(`no complaint, ${look}`, () => assert.deepEqual(seen.complaints, []));
    await context.close();
  }
  await keyboardCases(report, { browser, url });
}

async function keyboardCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url, { reducedMotion: "reduce" });
  const press = (key) => page.keyboard.press(key);
  const focused = () => page.evaluate(() => document.activeElement.id);
  const title = () => page.title();

  await report.awaited("tabs by the arrow keys", async () => {
    await page.locator("#tab-inspect").focus();
    for (const [key, id] of [
      ["ArrowRight", "tab-keys"],
      ["End", "tab-rotation"],
      ["ArrowRight", "tab-inspect"],
      ["ArrowLeft", "tab-rotation"],
      ["Home", "tab-inspect"],
    ]) {
      await press(key);
      assert.equal(await focused(), id, key);
      assert.equal(await page.locator(`#${id}`).getAttribute("aria-selected"), "true");
      assert.equal(await page.locator("[role=tabpanel]:visible").count(), 1);
    }
    assert.match(await title(), /^Inspect/);
  });
  await report.awaited("the address names the panel, and shows it", async () => {
    await press("End");
    await page.waitForURL(`${url}#rotation`);
    await page.goto(`${url}#census`);
    await page.locator("#census:visible").waitFor();
  });
  await report.awaited("a key and a value, without a pointer", async () => {
    await page.goto("about:blank");
    await page.goto(url);
    await page.locator("#tab-inspect:visible").focus();
    for (const key of ["ArrowRight", "ArrowRight", "Tab", "Enter"]) await press(key);
    assert.match(await focused(), /^role-/);
    await page.locator("#values-seal").focus();
    await press("Enter");
    assert.match(await page.locator("#values-stored").inputValue(), /^rs1\./);
  });
  await report.awaited("the theme, by its button", async () => {
    const paper = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
    await page.locator("#theme").focus();
    await press("Enter");
    const light = await paper();
    await press("Enter");
    assert.notEqual(await paper(), light);
    assert.equal(await page.locator("#theme").getAttribute("aria-label"), "Theme: dark");
  });
  await report.awaited("nothing moves for who wants no motion", async () => {
    const moving = await page.evaluate(() => [...document.querySelectorAll("*")].filter((element) => getComputedStyle(element).transitionDuration !== "0s").length); // prettier-ignore
    assert.equal(moving, 0);
  });
  await report.awaited("no complaint, keyboard", () => assert.deepEqual(seen.complaints, []));
  await context.close();
}

/** Walks once around: everything that can be used has the focus once, and shows it. */
async function allReached(page) {
  const wanted = await page.evaluate(() => {
    const usable = "button, input, select, textarea, [tabindex='0']";
    const list = [...document.querySelectorAll(usable)];
    const stops = list.filter((one) => one.checkVisibility() && !one.disabled && one.tabIndex >= 0);
    window.walk = { reached: new Set(), unseen: [] };
    document.addEventListener("focusin", ({ target }) => {
      const { outlineStyle, boxShadow } = getComputedStyle(target);
      if (outlineStyle === "none" && boxShadow === "none") window.walk.unseen.push(target.outerHTML.slice(0, 99)); // prettier-ignore
      if (stops.includes(target)) window.walk.reached.add(stops.indexOf(target));
    });
    document.activeElement.blur();
    return stops.length;
  });
  for (let stop = 0; stop <= wanted; stop++) await page.keyboard.press("Tab");
  const { reached, unseen } = await page.evaluate(() => ({ reached: window.walk.reached.size, unseen: window.walk.unseen })); // prettier-ignore
  assert.deepEqual(unseen, [], "the focus is not seen");
  assert.equal(reached, wanted, "some are not reached");
}
