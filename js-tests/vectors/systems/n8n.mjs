// The credentials of n8n.
import { codeOf, equal, opensAgain, runCases, toBytes, toText } from "./support.mjs";

const SCHEMES = {
  "n8n-legacy-cbc": "cbc",
  "n8n-prefixed-cbc": "prefixed-cbc",
  "n8n-prefixed-gcm": "prefixed-gcm",
};
const LOOSE = { "cbc-base64url-unpadded": "malformed", "cbc-shorter-than-16-bytes": "malformed", "cbc-whitespace": "format-mismatch", "cbc-header-not-checked": "format-mismatch" }; // prettier-ignore
const CODES = {
  "cbc-header-only-16-bytes": "malformed",
  "cbc-truncated": "malformed",
  "gcm-truncated": "malformed",
  "gcm-invalid-key-id-shape": "malformed",
  "gcm-empty-prefix": "malformed",
  "gcm-key-id-too-long": "malformed",
  "empty-body": "malformed",
  "cbc-wrong-instance-key": "auth-failed",
  "gcm-tampered-salt": "auth-failed",
  "gcm-tampered-tag": "auth-failed",
  "gcm-tampered-ciphertext": "auth-failed",
  "gcm-wrong-key-id": "auth-failed",
  "gcm-mismatched-instance-key": "auth-failed",
  "gcm-bad-version": "format-unsupported",
  "gcm-unknown-key-id": "unknown-key",
  "gcm-body-without-prefix": "format-mismatch",
};

export function runN8n(file, { reseal }) {
  return runCases(file, (one) => {
    const run = { roundtrip: writes, decrypt: reads, unwrap_dek: unwraps, metadata: holdsNothing }[one.op]; // prettier-ignore
    if (run === undefined) throw new Error(`op ${one.op}`);
    run(one, reseal);
  });
}

function codecOf(one, { codecs }, more = {}) {
  if (one.custom_key !== undefined) return codecs.n8n({ customKey: one.custom_key, ...more });
  const isPrefixed = one.op === "roundtrip" && one.feature_flag === true;
  return codecs.n8n({
    instanceKeys: [one.instance_key],
    rows: one.deployment_key_rows ?? [],
    write: isPrefixed ? "prefixed" : "legacy",
    ...more,
  });
}

/** The answer of n8n's interface, which holds no value. */
function holdsNothing(one) {
  equal(one.ciphertext, undefined, "a value");
}

function writes(one, reseal) {
  const codec = codecOf(one, reseal, { expect: "utf8" });
  opensAgain(codec, toBytes(one.plaintext));
  const opened = codec.open(one.ciphertext);
  const isGcm = one.format === "n8n-prefixed-gcm";
  const isLegacy = one.format === "n8n-legacy-cbc";
  const key = isLegacy ? (one.custom_key === undefined ? "1" : "custom") : one.active_key_id;
  const expected = [true, isGcm ? "authenticated" : "checked", key];
  equal([opened.current, opened.trust, opened.key], expected, "how it was opened");
  reads(one, reseal);
}

function reads(one, reseal) {
  const run = { ok: opens, ok_lenient: opensLoosely, error: fails, garbage: givesGarbage }[one.expect]; // prettier-ignore
  if (run === undefined) throw new Error(`expect ${one.expect}`);
  run(one, reseal);
}

function opens(one, reseal) {
  for (const lenient of [false, true]) {
    const opened = codecOf(one, reseal, { lenient }).open(one.ciphertext);
    equal([toText(opened.plaintext), opened.scheme], [one.plaintext, SCHEMES[one.format]], "value");
  }
  const shown = reseal.codecs.recognize(one.ciphertext).find(({ kind }) => kind === "n8n");
  const prefix = one.ciphertext.includes(":") ? one.ciphertext.split(":")[0] : undefined;
  const expected = ["yes", SCHEMES[one.format], prefix];
  equal([shown.certainty, shown.scheme, shown.key], expected, "what it shows");
}

function opensLoosely(one, reseal) {
  const open = (lenient) => codecOf(one, reseal, { lenient }).open(one.ciphertext);
  const code = codeOf(reseal, () => open(false), "a loose value");
  equal(code, LOOSE[one.id] ?? code, "the code");
  const opened = open(true);
  equal([toText(opened.plaintext), opened.current], [one.plaintext, false], "the value");
}

function fails(one, reseal) {
  if (one.recoverable_plaintext !== undefined) return recovers(one, reseal);
  for (const lenient of [false, true]) {
    const open = () => codecOf(one, reseal, { lenient }).open(one.ciphertext);
    const code = codeOf(reseal, open, "a value");
    equal(code, CODES[one.id] ?? code, "the code");
  }
}

/** n8n cannot read it: crypto-js took the key in UTF-8. */
function recovers(one, reseal) {
  const opened = codecOf(one, reseal, { expect: "utf8" }).open(one.ciphertext);
  const expected = [one.recoverable_plaintext, "cbc-utf8", "1", false];
  equal([toText(opened.plaintext), opened.scheme, opened.key, opened.current], expected, "value");
}

function givesGarbage(one, reseal) {
  const codec = codecOf(one, reseal);
  const opened = codec.open(one.ciphertext);
  const text = new TextDecoder("utf-8", { ignoreBOM: true }).decode(opened.plaintext);
  equal([text, opened.trust], [one.n8n_returns, "unchecked"], "the garbage");
  const rotate = () => codec.rotate(one.ciphertext);
  equal(codeOf(reseal, rotate, "garbage"), "expect-required", "the code");
  for (const expect of ["utf8", "json"]) {
    const open = () => codecOf(one, reseal, { expect }).open(one.ciphertext);
    equal(codeOf(reseal, open, "garbage"), "auth-failed", "the code");
  }
}

function unwraps(one, reseal) {
  const { N8nDataKey, rewrapN8nRow } = reseal.codecs;
  const [key, value] = [one.instance_key, one.ciphertext];
  // What older releases wrote nothing authenticates.
  const lenient = one.format === "n8n-dek-legacy";
  if (lenient) {
    const strict = () => N8nDataKey.unwrapValue(value, [key]);
    equal(codeOf(reseal, strict, "an older shape"), "invalid-key", "the code");
  }
  const unwrapped = N8nDataKey.unwrapValue(value, ["another", key], { lenient });
  equal(unwrapped.text(), one.plaintext, "the data key");
  const wrapped = N8nDataKey.unwrapValue(unwrapped.wrap(key), [key]);
  equal(wrapped.text(), one.plaintext, "the data key, wrapped again");
  // As n8n repairs old shapes when it starts.
  const algorithm = one.plaintext === key ? "aes-256-cbc" : "aes-256-gcm";
  const row = { id: "bEc5AmLGiLrtdybl", type: "data_encryption", value, algorithm, status: "inactive" }; // prettier-ignore
  const repaired = rewrapN8nRow(row, [], key, { lenient });
  equal(N8nDataKey.unwrapValue(repaired.value, [key]).text(), one.plaintext, "the repaired row");
  equal(rewrapN8nRow(repaired, [], key), repaired, "a row that is as it should be");
  if (one.repaired_value === undefined) return;
  equal(N8nDataKey.unwrapValue(one.repaired_value, [key]).text(), one.plaintext, "n8n's repair");
}
