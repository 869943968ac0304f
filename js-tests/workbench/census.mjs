// Census: every value of a file is counted once, in pieces, while the page stays awake.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { csv, expected, jsonl, keyIds } from "./exports.mjs";
import { chooseFile, openPage, panel } from "./harness.mjs";

const ROWS = 3000;
/** Of many pieces, and busy for long enough to be stopped. */
const MANY_ROWS = 40_000;

export async function censusCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  await panel(page, "Census");
  const chosen = () => page.locator("#census-columns input:checked").evaluateAll((all) => all.map(({ value }) => value)); // prettier-ignore
  const start = async () => {
    await page.locator("#census-choose:visible").waitFor();
    await page.locator("#census-count").click();
  };
  const reported = async () => {
    const button = page.getByRole("button", { name: "Download as JSON" });
    await button.waitFor();
    const [download] = await Promise.all([page.waitForEvent("download"), button.click()]);
    return JSON.parse(readFileSync(await download.path(), "utf8"));
  };
  const refusal = async (name, text) => {
    await chooseFile(page, name, text);
    await page.locator("#census-error .message").waitFor();
    return page.locator("#census-error").innerText();
  };

  await report.awaited("a CSV file, with its column guessed", async () => {
    await chooseFile(page, "users.csv", csv(ROWS));
    await page.locator("#census-choose:visible").waitFor();
    assert.deepEqual(await chosen(), ["email"]);
    await start();
    const { rows, complete, groups } = await reported();
    assert.deepEqual([rows, complete], [ROWS, true]);
    assert.deepEqual(countsOf(groups), expected(ROWS));
  });
  await report.awaited("the table says what the file says, and no value", async () => {
    const text = await page.locator("#census-result table").innerText();
    for (const word of ["fernet", "rails", "plain", "empty", "padded", keyIds.old.slice(0, 8)]) {
      assert.ok(text.includes(word), word);
    }
    assert.ok(
      !(await page.locator("#census").innerHTML()).includes("@example.com"),
      "a value is shown",
    );
  });
  await report.awaited("a JSONL file with NULL", async () => {
    await chooseFile(page, "users.jsonl", jsonl(400));
    await start();
    const { rows, groups } = await reported();
    assert.equal(rows, 400);
    assert.deepEqual(countsOf(groups), { "null  ": 100, [`reseal deterministic ${keyIds.fresh}`]: 300 }); // prettier-ignore
  });
  await report.awaited("binary columns in hexadecimal, and a TSV", async () => {
    const row = `1\t\\xc15e525301${"00".repeat(20)}01${"00".repeat(40)}`;
    await chooseFile(page, "t.tsv", `id\tblob\n${row}\n${row}\n`);
    await start();
    assert.deepEqual(countsOf((await reported()).groups), {
      [`reseal random ${"a".repeat(32)}`]: 2,
    });
  });
  await report.awaited("a large file leaves the page awake", async () => {
    await page.evaluate(() => (window.beats = 0));
    await page.evaluate(() => void setInterval(() => (window.beats += 1), 5));
    const text = csv(MANY_ROWS);
    await chooseFile(page, "many.csv", text);
    await page.locator("#census-choose:visible").waitFor();
    const before = await page.evaluate(() => window.beats);
    await start();
    await page.locator("#census-progress:visible").waitFor();
    const { rows, groups } = await reported();
    assert.equal(rows, MANY_ROWS);
    assert.deepEqual(countsOf(groups), expected(MANY_ROWS));
    const beats = (await page.evaluate(() => window.beats)) - before;
    assert.ok(beats > 10, `${beats} beats`);
  });
  await report.awaited("a count that is stopped says so", async () => {
    await start();
    await page.locator("#census-stop").click();
    const { rows, complete } = await reported();
    assert.equal(complete, false);
    assert.ok(rows < MANY_ROWS);
    assert.match(await page.locator("#census-status").innerText(), /Stopped after/);
  });
  await report.awaited("another file ends the count of the one before", async () => {
    await start();
    await page.locator("#census-progress:visible").waitFor();
    await chooseFile(page, "users.jsonl", jsonl(40));
    await start();
    const { rows, complete } = await reported();
    assert.deepEqual([rows, complete], [40, true]);
  });
  await report.awaited("a line of many pieces", async () => {
    const long = JSON.stringify({ a: "x".repeat(3_000_000), ssn: null });
    await chooseFile(page, "long.jsonl", `${jsonl(8)}\n${long}\n${jsonl(8)}`);
    await start();
    assert.equal((await reported()).rows, 17);
  });
  await report.awaited("a column of plaintext only is not guessed", async () => {
    assert.match(await refusal("p.csv", "id,name\n1,Ann\n"), /No column stands out/);
    assert.deepEqual(await chosen(), []);
  });
  for (const [what, name, text, words] of [
    ["an empty file", "e.csv", "", /empty/],
    ["a JSON array", "a.json", '[{"a":1}]', /one object on each line/i],
    ["a line that is no JSON", "b.jsonl", '{"a":"secret-1"}\n{"a":"secret', /Line 2 is no JSON/],
    ["a line that is no object", "c.jsonl", '{"a":1}\n7', /Line 2 is no JSON object/],
  ]) {
    await report.awaited(what, async () => {
      const said = await refusal(name, text);
      assert.match(said, words);
      assert.ok(!said.includes("secret"));
    });
  }
  await report.awaited("no complaint", async () => assert.deepEqual(seen.complaints, []));
  await context.close();
}

function countsOf(groups) {
  const counts = groups.map(({ codec, scheme, key = "", values }) => [`${codec} ${scheme} ${key}`, values]); // prettier-ignore
  return Object.fromEntries(counts);
}
