// Census: every value of a file is counted once, in pieces, while the page stays awake.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { gzipSync } from "node:zlib";
import { Key, Keyring } from "reseal";
import { csv, expected, jsonl, keyIds, stored } from "./exports.mjs";
import { chooseFile, openPage, panel } from "./harness.mjs";

const ROWS = 3000;
/** Of many pieces. */
const MANY_ROWS = 40_000;
/** How many times slower the browser counts where its rests are counted: of a fast one there are few. */
const SLOWER = 8;

export async function censusCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  await panel(page, "Census");
  const chosen = () => page.locator("#census-columns input:checked").evaluateAll((all) => all.map(({ value }) => value)); // prettier-ignore
  const start = async () => {
    await page.locator("#census-choose:visible").waitFor();
    await page.locator("#census-count").click();
  };
  /** Holds the next count behind its first piece, as a disk that gives no more would, until it is let go. */
  const hold = () =>
    page.evaluate(() => {
      const { stream } = Blob.prototype;
      const gate = new Promise((resolve) => (window.letGo = resolve));
      Blob.prototype.stream = function () {
        Blob.prototype.stream = stream;
        const reader = stream.call(this).getReader();
        let reads = 0;
        const read = async () => {
          if (reads++ > 0) await gate;
          return reader.read();
        };
        return { getReader: () => ({ read, cancel: () => reader.cancel() }) };
      };
    });
  const letGo = () => page.evaluate(() => window.letGo());
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
    await chooseFile(page, "many.csv", csv(MANY_ROWS));
    await page.locator("#census-choose:visible").waitFor();
    await beatsWhileCounting(page);
    const devtools = await context.newCDPSession(page);
    await devtools.send("Emulation.setCPUThrottlingRate", { rate: SLOWER });
    await start();
    const { rows, groups } = await reported();
    await devtools.detach();
    assert.equal(rows, MANY_ROWS);
    assert.deepEqual(countsOf(groups), expected(MANY_ROWS));
    const { beats, values } = await page.evaluate(() => window.counted);
    assert.ok(beats > 10, `${beats} beats`);
    assert.ok(values > 1, `${values} values of the progress bar`);
  });
  await report.awaited("a count that is stopped says so", async () => {
    await hold();
    await start();
    await page.locator("#census-progress:visible").waitFor();
    await page.locator("#census-stop").click();
    await letGo();
    const { rows, complete } = await reported();
    assert.equal(complete, false);
    assert.ok(rows < MANY_ROWS);
    assert.match(await page.locator("#census-status").innerText(), /Stopped after/);
  });
  await report.awaited("another file ends the count of the one before", async () => {
    await hold();
    await start();
    await page.locator("#census-progress:visible").waitFor();
    await chooseFile(page, "users.jsonl", jsonl(40));
    await start();
    await letGo();
    const { rows, complete } = await reported();
    assert.deepEqual([rows, complete], [40, true]);
  });
  await report.awaited("the focus goes with the button that it was on", async () => {
    const focused = () => page.evaluate(() => document.activeElement.id);
    await chooseFile(page, "many.csv", csv(MANY_ROWS));
    await page.locator("#census-choose:visible").waitFor();
    await hold();
    await page.locator("#census-count").focus();
    await page.keyboard.press("Enter");
    await page.locator("#census-stop:visible").waitFor();
    assert.equal(await focused(), "census-stop");
    await page.keyboard.press("Enter");
    await letGo();
    await page.locator("#census-count:enabled").waitFor();
    assert.equal(await focused(), "census-count");
  });
  for (const [what, name, content, expected, odd = 0] of dialects()) {
    await report.awaited(what, async () => {
      await chooseFile(page, name, content);
      await page.locator("#census-choose:visible").waitFor();
      for (const box of await page.locator("#census-columns input").all()) await box.check();
      await start();
      const { groups, oddRows } = await reported();
      const found = groups.map(({ column, codec, scheme, values }) => `${column}: ${codec} ${scheme} ${values}`); // prettier-ignore
      assert.deepEqual(found.sort(), expected);
      assert.equal(oddRows, odd);
      const said = await page.locator("#census-result").innerText();
      assert.equal(said.includes("may be read wrongly"), odd > 0);
    });
  }
  await report.awaited("a chart of many keys counts those that it does not show", async () => {
    const lines = Array.from({ length: 40 }, () =>
      stored(1, new Keyring({ primary: Key.generate() })),
    );
    await chooseFile(page, "keys.csv", `value\n${lines.join("\n")}\n`);
    await start();
    const chart = page.locator(".bars", { hasText: "By key" });
    await chart.waitFor();
    const much = await chart.locator(".much").allInnerTexts();
    assert.deepEqual(much, [...Array(12).fill("1 · 2.5 %"), "28 · 70 %"]);
    assert.equal(await chart.locator(".what").last().innerText(), "28 more");
  });
  await report.awaited(
    "columns that come late are not counted unseen, and can be chosen then",
    async () => {
      const late = JSON.stringify({ ssn: stored(1), note: "plain", "*": null });
      await chooseFile(page, "late.jsonl", `${jsonl(200).replaceAll("ssn", "mail")}\n${late}\n`);
      await start();
      const { rows, lateColumns, columns } = await reported();
      assert.deepEqual([rows, lateColumns, columns], [201, ["ssn", "note", "*"], ["mail"]]);
      const said = await page.locator("#census-result").innerText();
      assert.match(said, /3 columns not counted[^]*ssn, note, \*: no row of the first 200/);
      assert.deepEqual(await chosen(), ["mail", "ssn"]);
      await start();
      await page.locator("#census-result").getByText("not counted").waitFor({ state: "detached" });
      const again = await reported();
      assert.deepEqual(again.lateColumns, []);
      assert.equal(countsOf(again.groups.filter(({ column }) => column === "ssn"))["null  "], 200);
    },
  );
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
    ["a packed file", "p.csv.gz", gzipSync(csv(9)), /no text/],
    ["UTF-16 without its mark", "u.csv", Buffer.from("id,a\n1,secret\n", "utf16le"), /no text/],
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

/** Leaves in `window.counted` how often the page woke while it counted, and how many values the bar took. */
function beatsWhileCounting(page) {
  return page.evaluate(() => {
    const progress = document.getElementById("census-progress");
    const values = new Set();
    let beats = 0;
    const timer = setInterval(() => {
      if (progress.hidden) return;
      beats += 1;
      values.add(progress.value);
    }, 5);
    new MutationObserver((_, observer) => {
      if (!progress.hidden) return;
      window.counted = { beats, values: values.size };
      clearInterval(timer);
      observer.disconnect();
    }).observe(progress, { attributeFilter: ["hidden"] });
  });
}

/** Files as programs write them: what is counted in each column, and how many rows may be read wrongly. */
function dialects() {
  const [one, two, three] = [1, 2, 3].map((row) => stored(row));
  const wide = `\ufeffid,value\r\n1,${one}\r\n`;
  const sealed = (column, number) => `${column}: reseal random ${number}`;
  const plain = (column, number) => `${column}: plain plain ${number}`;
  return [
    ["UTF-16 as Windows writes it", "u.csv", Buffer.from(wide, "utf16le"), [plain("id", 1), sealed("value", 1)]], // prettier-ignore
    ["UTF-16, the other way round", "b.csv", Buffer.from(wide, "utf16le").swap16(), [plain("id", 1), sealed("value", 1)]], // prettier-ignore
    ["a column with the name of what every object has", "c.jsonl", `{"constructor":"${one}","__proto__":"${two}"}\n{"id":7}\n`, ["__proto__: null  1", sealed("__proto__", 1), "constructor: null  1", sealed("constructor", 1), "id: null  1", plain("id", 1)]], // prettier-ignore
    ["lines that end in CR LF below one that ends in LF", "l.csv", `id,value\n1,${one}\r\n2,"${two}"\r\n`, [plain("id", 2), sealed("value", 2)]], // prettier-ignore
    ["lines that end in LF below one that ends in CR LF", "r.csv", `id,value\r\n1,${one}\n2,${two}\n`, [plain("id", 2), sealed("value", 2)]], // prettier-ignore
    ["lines that end in CR", "m.csv", `id,value\r1,${one}\r2,${two}\r`, [plain("id", 2), sealed("value", 2)]], // prettier-ignore
    ["empty cells of one column", "o.csv", `value\n${one}\n\n${two}\n\n`, ["value: empty  2", sealed("value", 2)]], // prettier-ignore
    ["empty lines above the first", "e.csv", `\n\r\nid,value\n1,${one}\n`, [plain("id", 1), sealed("value", 1)]], // prettier-ignore
    ["a delimiter at the end of each row", "d.csv", `id,value\n1,${one},\n`, [plain("id", 1), sealed("value", 1)]], // prettier-ignore
    ["rows of other lengths", "n.csv", `id,value\n1,${one},${two}\n2\n3,${three}\n`, [plain("id", 3), "value: null  1", sealed("value", 2)], 2], // prettier-ignore
    ["NULL and bytes as PostgreSQL copies them", "t.tsv", `id\tblob\n1\t\\N\n2\t\\\\xc15e525301${"00".repeat(20)}01${"00".repeat(40)}\n3\t\\\\No\n`, ["blob: null  1", plain("blob", 1), sealed("blob", 1), plain("id", 3)]], // prettier-ignore
    ["a backslash in a CSV is one", "n.csv", `id,value\n1,\\N\n`, [plain("id", 1), plain("value", 1)]], // prettier-ignore
    ["a quote that is not closed", "q.csv", `id,value\n1,${one}\n2,"a\n3,${three}\n`, [plain("id", 2), plain("value", 1), sealed("value", 1)], 1], // prettier-ignore
    ["quotes behind a backslash", "s.csv", `id,value\n1,"{\\"p\\":\\"a\\"}"\n2,${two}\n`, [plain("id", 2), plain("value", 1), sealed("value", 1)], 1], // prettier-ignore
  ];
}

function countsOf(groups) {
  const counts = groups.map(({ codec, scheme, key = "", values }) => [`${codec} ${scheme} ${key}`, values]); // prettier-ignore
  return Object.fromEntries(counts);
}
