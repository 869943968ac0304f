// The encrypted fields of Sentry.
import { codeOf, equal, fromBase64, opensAgain, runCases, toBase64, toBytes, toText } from "./support.mjs"; // prettier-ignore

const CODES = {
  ok_noncanonical: "malformed",
  bad_format: "malformed",
  legacy_plaintext: "format-mismatch",
  unknown_key: "unknown-key",
  invalid_token: "auth-failed",
  unsupported: "format-unsupported",
};
const EMPTY = /^enc:fernet:[^:]*:$/;

export function runSentry(file, { reseal }) {
  return runCases(file, (one) => {
    if (one.op === "load_keys") return loads(one, reseal);
    if (!["roundtrip", "rotate", "read"].includes(one.op)) throw new Error(`op ${one.op}`);
    reads(one, reseal);
    if (one.op !== "read") writes(one, reseal);
  });
}

function codecOf(one, { codecs }, lenient = false) {
  const field = { json: "json", text: "text", char: "text" }[one.field];
  // What Sentry does not know, it writes as plaintext.
  const method = ["fernet", undefined].includes(one.method) ? "fernet" : "plaintext";
  const { keyring: keys, primary_key_id: primary } = one;
  return codecs.sentry({ keys, primary, field, method, lenient });
}

function isPlaintext(one, plaintext) {
  if (one.field === "json") {
    return JSON.stringify(JSON.parse(toText(plaintext))) === JSON.stringify(one.plaintext_json);
  }
  const expected = one.plaintext === undefined ? fromBase64(one.plaintext_b64) : toBytes(one.plaintext); // prettier-ignore
  return toBase64(plaintext) === toBase64(expected);
}

function reads(one, reseal) {
  const [strict, lenient] = [false, true].map((flag) => codecOf(one, reseal, flag));
  const stored = one.ciphertext;
  const isMarked = one.strict_class !== "legacy_plaintext";
  equal(strict.recognize(stored)?.certainty === "yes", isMarked, "that it is marked");
  if (["ok", "ok_bytes"].includes(one.strict_class)) {
    return equal(isPlaintext(one, strict.open(stored).plaintext), true, "the plaintext");
  }
  if (one.strict_class === "double_encrypted") return opensTwice(one, strict, reseal);
  // That nothing is there, everybody sees.
  const expected = EMPTY.test(stored) ? "malformed" : CODES[one.strict_class];
  equal(
    codeOf(reseal, () => strict.open(stored), "a value"),
    expected,
    "the code",
  );
  const isWrapper = one.id === "json-wrapper-holding-unmarked-json";
  if (one.strict_class === "ok_noncanonical" || isWrapper) {
    return equal(
      isPlaintext(one, lenient.open(stored).plaintext),
      true,
      "the plaintext, leniently",
    );
  }
  return equal(
    codeOf(reseal, () => lenient.open(stored), "a value"),
    expected,
    "the code",
  );
}

/** Sentry saved it while its key was missing; a column says so. */
function opensTwice(one, write, { Column }) {
  const opened = new Column({ write }).open(one.ciphertext);
  equal([opened.value, opened.doubled], [one.plaintext, "sentry"], "the inner value");
}

function writes(one, reseal) {
  const [, keyId] = /enc:fernet:([^:]*):/.exec(one.ciphertext) ?? [];
  // Some were written under another primary than the one that they give.
  const written = keyId === undefined ? one : { ...one, primary_key_id: keyId };
  const codec = codecOf(written, reseal);
  equal(codec.isCurrent(one.ciphertext), true, "that it is current");
  const { plaintext } = codec.open(one.ciphertext);
  const sealed = opensAgain(codec, plaintext);
  const head = (stored) => /enc:[a-z]+:([^:]*:)?/.exec(stored)?.[0];
  equal(head(sealed), head(one.ciphertext), "the marker");
  if (one.method === "plaintext") equal(sealed, one.ciphertext, "a value without randomness");
  if (one.before === undefined) return;
  equal(codec.isCurrent(one.before), false, "that the old one is current");
  equal(toBase64(codec.open(one.before).plaintext), toBase64(plaintext), "the old value");
}

/** A source skips hidden files; what is no key is an error that names it. */
function loads({ files, loaded_key_ids: loaded }, reseal) {
  const good = Object.fromEntries(loaded.map((id) => [id, files[id]]));
  reseal.codecs.sentry({ keys: good, primary: loaded[0] });
  for (const [id, text] of Object.entries(files)) {
    if (loaded.includes(id) || id.startsWith(".")) continue;
    const load = () => reseal.codecs.sentry({ keys: { [id]: text }, primary: id });
    equal(codeOf(reseal, load, `the key ${id}`), "invalid-key", "the code");
  }
}
