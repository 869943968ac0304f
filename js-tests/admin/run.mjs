// Drives a headless Chromium through the page "Encryption keys" of a site of Django, which
// py-tests/test_django_admin.py starts: run.mjs URL PASSWORD VALUES [FOLDER for pictures]
// Whatever the page complains of is a failure.
import assert from "node:assert/strict";
import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { chromium } from "playwright-core";
import { axe, bringAxe, fits } from "../access.mjs";
import { CHROMIUM_FLAGS, findBrowser } from "../browsers.mjs";
import { Report } from "../vectors/report.mjs";
import { smaller } from "../workbench/png.mjs";

const [url, password, values, folder] = process.argv.slice(2);
const LIMIT_MS = 150_000;
const PAGE = `${url}reseal/encryptionkey/`;
const LOOKS = {
  light: { colorScheme: "light", viewport: { width: 1120, height: 900 } },
  dark: { colorScheme: "dark", viewport: { width: 1120, height: 900 } },
  phone: { colorScheme: "dark", viewport: { width: 360, height: 780 }, hasTouch: true },
};
/** The pictures of docs/django.md, by what they show. */
const KEPT = {
  "promote-light": "keys-light",
  "reseal-dark": "keys-dark",
  "after-phone": "keys-phone",
};

const report = new Report();
const timer = setTimeout(() => {
  console.log(report.lines("admin", "rotation").join("\n"));
  console.log(`admin: not done after ${LIMIT_MS / 1000} s`);
  process.exit(1);
}, LIMIT_MS);
const browser = await chromium.launch({ executablePath: findBrowser("chromium"), args: CHROMIUM_FLAGS }); // prettier-ignore
try {
  await rotationCases();
} catch (error) {
  await report.awaited("the run", () => Promise.reject(error));
} finally {
  await browser.close();
  clearTimeout(timer);
}
console.log(report.lines("admin", "rotation").join("\n"));
process.exitCode = report.failed.length === 0 && report.passed > 0 ? 0 : 1;

/** Each step by clicks; between two of them the page is looked at in every look. */
async function rotationCases() {
  const { page, context, complaints } = await opened(LOOKS.light);
  const { storageState } = await loggedIn(page, context);
  const looks = (stage) => allLooks(storageState, stage);

  await report.awaited("from the index", async () => {
    await page.goto(url);
    await page.locator(".model-encryptionkey a", { hasText: "Encryption keys" }).first().click();
    assert.equal(page.url(), PAGE);
    assert.deepEqual(await stateOf(page), { primary: values });
  });
  await looks("before");

  await report.awaited("introduce, by the keyboard alone", async () => {
    await focusByTab(page, "Introduce a key");
    await page.keyboard.press("Enter");
    await page.getByLabel("Label, for people:").focus();
    await page.keyboard.type("2027-q1");
    await page.keyboard.press("Enter");
    await message(page, /^The key \w{8} was introduced\.$/);
    assert.deepEqual(await stateOf(page), { primary: values, introduced: "0" });
    assert.equal(await page.locator("tr.reseal-introduced", { hasText: "2027-q1" }).count(), 1);
  });
  await report.awaited("no is no", async () => {
    await untilOffered(page, /^Promote/);
    await page.getByRole("link", { name: /^Promote/ }).click();
    await page.getByRole("link", { name: "No, take me back" }).click();
    assert.deepEqual(await stateOf(page), { primary: values, introduced: "0" });
  });
  await looks("promote");
  await report.awaited("promote, a lease later", async () => {
    await move(page, /^Promote/, "Yes, promote it", /seals now\.$/);
    assert.deepEqual(await stateOf(page), { primary: "0", decrypt_only: values });
  });
  await looks("reseal");
  await report.awaited("back, and on again", async () => {
    await move(page, /^Go back to \w{8}$/, "Yes, go back", /seals again\.$/);
    assert.deepEqual(await stateOf(page), { primary: values, decrypt_only: "0" });
    await move(page, /^Go back to \w{8}$/, "Yes, go back", /seals again\.$/);
    assert.deepEqual(await stateOf(page), { primary: "0", decrypt_only: values });
  });
  await report.awaited("reseal", async () => {
    await move(page, "Reseal", "Yes, reseal", `${values} values were brought to the key that seals.`); // prettier-ignore
    assert.deepEqual(await stateOf(page), { primary: values, decrypt_only: "0" });
  });
  await report.awaited("disable, and it is asked first", async () => {
    await untilOffered(page, /^Disable/);
    await page.getByRole("link", { name: /^Disable/ }).click();
    await looks(new URL(page.url()));
    await page.getByRole("button", { name: "Yes, disable it" }).click();
    await message(page, /was disabled\.$/);
    assert.deepEqual(await stateOf(page), { primary: values, disabled: "0" });
  });
  await looks("after");
  await report.awaited("the log of the admin", async () => {
    await page.goto(url);
    const entries = await page.locator(".actionlist li").count();
    assert.equal(entries, 6, "introduce, promote, twice back, reseal, disable");
  });
  await report.awaited("no complaint", () => assert.deepEqual(complaints, []));
  await context.close();
}

async function opened(options) {
  const context = await browser.newContext(options);
  const page = await context.newPage();
  page.setDefaultTimeout(20_000);
  const complaints = [];
  page.on("pageerror", (error) => complaints.push(`page error: ${error.message}`));
  page.on("console", (line) => complaints.push(`console: ${line.text()}`));
  page.on("response", (answer) => {
    if (answer.status() >= 400) complaints.push(`${answer.status()} ${answer.url()}`);
  });
  return { page, context, complaints };
}

async function loggedIn(page, context) {
  await page.goto(url);
  await page.getByLabel("Username:").fill("rotator");
  await page.getByLabel("Password:").fill(password);
  await page.getByRole("button", { name: "Log in" }).click();
  await page.waitForURL(url);
  return { storageState: await context.storageState() };
}

/** Clicks a move and confirms it. */
async function move(page, name, button, said) {
  await page.locator("#content").getByRole("link", { name, exact: true }).click();
  await page.getByRole("button", { name: button }).click();
  await message(page, said);
}

async function message(page, said) {
  const text = await page.locator(".messagelist li").innerText();
  if (said instanceof RegExp) assert.match(text, said);
  else assert.equal(text, said);
}

/** Loads the page again until a lease has passed. */
async function untilOffered(page, name) {
  while ((await page.getByRole("link", { name }).count()) === 0) {
    await page.waitForTimeout(300);
    await page.goto(PAGE);
  }
}

/** The keys of values: how many values are under each, by its state. */
async function stateOf(page) {
  const rows = page.locator("table.reseal-keys tbody tr");
  const found = await rows.evaluateAll((all) =>
    all
      .filter((row) => row.querySelector('[data-label="For"]').innerText.trim() === "values")
      .map((row) => [
        row.className.replace("reseal-", ""),
        row.querySelector('[data-label="Values"]').innerText.trim(),
      ]),
  );
  return Object.fromEntries(found);
}

/** The page is for everybody: axe, and on a phone it never scrolls sideways. */
async function allLooks(storageState, stage) {
  const address = stage instanceof URL ? stage.href : PAGE;
  const name = stage instanceof URL ? "confirm" : stage;
  for (const [look, options] of Object.entries(LOOKS)) {
    const { page, context, complaints } = await opened({ ...options, storageState });
    await report.awaited(`axe, ${name}, ${look}`, async () => {
      await page.goto(address);
      await page.locator("#content-main.reseal").waitFor();
      await picture(page, KEPT[`${name}-${look}`]);
      await bringAxe(page);
      // What is ours of the page: the rest is Django's.
      await axe(page, "#content");
      if (look === "phone") await fits(page);
      assert.deepEqual(complaints, []);
    });
    await context.close();
  }
}

/** Presses Tab until a link has the focus, and looks whether that is seen. */
async function focusByTab(page, name) {
  const focused = () => page.evaluate(() => document.activeElement.innerText?.trim() ?? "");
  for (let stop = 0; (await focused()) !== name; stop++) {
    assert.ok(stop < 100, `${name} is not reached`);
    await page.keyboard.press("Tab");
  }
  const outline = await page.evaluate(() => getComputedStyle(document.activeElement).outlineStyle);
  assert.notEqual(outline, "none", "the focus is not seen");
}

async function picture(page, name) {
  if (folder === undefined || name === undefined) return;
  mkdirSync(folder, { recursive: true });
  writeFileSync(join(folder, `${name}.png`), smaller(await page.screenshot({ fullPage: true })));
}
