// Inspect: real values of every format, byte by byte where the bytes are explained.
import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { inspect, Key, Keyring, Keyset, toBinary } from "reseal";
import { openPage, ROOT } from "./harness.mjs";
import { valueOf } from "./exports.mjs";

const SYSTEMS = {
  fernet: "Fernet token",
  sentry: "Sentry field",
  rails: "Rails attribute",
  n8n: "n8n credential",
  metabase: "Metabase value",
  freeboard: "Freeboard profile",
};

export async function inspectCases(report, { browser, url }) {
  const { page, context, seen } = await openPage(browser, url);
  const result = page.locator("#inspect-result");
  const paste = async (text, form = "auto") => {
    await page.locator("#inspect-form").selectOption(form);
    await page.locator("#inspect-value").fill(text);
  };
  const bytesShown = () =>
    page.locator(".chunk").evaluateAll(
      (chunks) =>
      chunks.map((chunk) => chunk.querySelector(".hex").textContent.replaceAll(" ", "")).join(""), // prettier-ignore
    );
  const shows = async (...words) => {
    const text = await result.innerText();
    for (const word of words) assert.ok(text.includes(word), `no ${word}`);
  };

  for (const { id, text } of envelopes()) {
    await report.awaited(`envelope ${id}`, async () => {
      const { keyId, mode } = inspect(text);
      const bytes = Buffer.from(toBinary(text));
      await paste(text);
      await shows("Reseal envelope", keyId, mode, `${bytes.length} as bytes`);
      assert.equal(await bytesShown(), bytes.toString("hex"));
      for (const [form, pasted] of binaryForms(bytes)) {
        await paste(pasted, form);
        await shows("Reseal envelope", keyId);
        assert.equal(await bytesShown(), bytes.toString("hex"), form);
      }
    });
  }
  for (const [system, title] of Object.entries(SYSTEMS)) {
    await report.awaited(`a value of ${system}`, async () => {
      await paste(valueOf(system));
      await shows(title, system);
    });
  }
  await report.awaited("a Fernet token, byte by byte", async () => {
    const token = valueOf("fernet");
    await paste(token);
    await shows("hmac", "1985-10-26T08:20:00Z");
    assert.equal(await bytesShown(), Buffer.from(token, "base64url").toString("hex"));
  });
  await report.awaited("a Fernet token of a time that is in no calendar", async () => {
    for (const [seconds, words] of [
      [0x7fffffffffffffffn, "can read: out of range."],
      [253_402_300_800n, "can read: +010000-01-01T00:00:00Z."],
    ]) {
      const token = Buffer.from(valueOf("fernet"), "base64url");
      token.writeBigUInt64BE(seconds, 1);
      await paste(`${token.toString("base64url")}==`, "text");
      await shows(words);
    }
  });
  await report.awaited("an empty value has no ciphertext", async () => {
    const key = Key.generate();
    await paste(new Keyring({ primary: key }).seal("", {}));
    assert.equal(await page.locator(".chunk").count(), 7);
  });
  await report.awaited("plaintext", async () => {
    await paste("deadbeef");
    await shows("It is not encrypted");
  });
  await report.awaited("a damaged envelope says what to do", async () => {
    await paste(envelopes()[0].text.slice(0, 60));
    await shows("malformed", "What to do");
  });
  await report.awaited("what is no hexadecimal", async () => {
    await paste("xyz", "hex");
    await shows("This is no hexadecimal");
  });
  await report.awaited("a term of a blind index", async () => {
    await paste("rx1.zdc5dnkc.iym2owsx2lmdazsn5eunj4fkm4");
    await shows("Term of a blind index", "zdc5dnkc");
  });
  await report.awaited("a keyset, without what opens it", async () => {
    const keyset = Keyset.create({ kek: Key.generate("kek"), leaseSeconds: 60 });
    keyset.rotate("data", { label: "2027-q1" });
    await paste(keyset.save());
    await shows("Keyset", keyset.ringId, "2027-q1", "primary");
  });
  await report.awaited("markup in a value stays text", async () => {
    await paste('enc:fernet:<img src=x onerror="alert(1)">:gAAAAA');
    assert.equal(await result.locator("img").count(), 0);
  });
  await report.awaited("a key text is taken out and never shown", async () => {
    const text = Key.generate().export();
    await paste(`RESEAL_PRIMARY_KEY=${text}`);
    await shows("That is a key, not a stored value");
    assert.equal(await page.locator("#inspect-value").inputValue(), "");
    assert.ok(!(await page.content()).includes(text.slice(10)));
  });
  await report.awaited("a range and its explanation point at each other", async () => {
    await paste(envelopes()[0].text);
    await page.locator(".chunk").nth(2).focus();
    assert.match(await page.locator("tr.on").innerText(), /key id/);
    await page.keyboard.press("Enter");
    assert.match(await page.locator("button.term:focus").innerText(), /key id/);
    await page.keyboard.press("Enter");
    assert.equal(await page.locator(".chunk:focus").getAttribute("data-range"), "2");
  });
  await report.awaited("no complaint", async () => assert.deepEqual(seen.complaints, []));
  await context.close();
}

/** A value of each mode, from the vectors. */
function envelopes() {
  const path = join(ROOT, "spec/vectors/reseal/v1.json");
  const text = readFileSync(path, "utf8");
  const found = [...new Set(text.match(/rs1\.[a-z2-7]{32}\.[A-Za-z0-9_-]{60,400}(?=")/g))];
  const good = found.filter((value) => isEnvelope(value));
  return ["random", "deterministic", "padded"].map((mode) => {
    return { id: mode, text: good.find((value) => inspect(value).mode === mode) };
  });
}

function isEnvelope(value) {
  try {
    return inspect(value).ciphertextBytes > 0;
  } catch {
    return false;
  }
}

function binaryForms(bytes) {
  const hex = bytes.toString("hex");
  return [
    ["auto", `\\x${hex}`],
    ["auto", bytes.toString("base64")],
    ["hex", hex.toUpperCase()],
    ["base64", bytes.toString("base64url")],
  ];
}
