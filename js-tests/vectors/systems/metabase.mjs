// The encrypted columns of Metabase.
import { codeOf, decoded, equal, fromBase64, opensAgain, runCases, toBase64 } from "./support.mjs";

const SCHEMES = {
  "legacy-cbc-hmac": ["legacy", "maybe", "authenticated"],
  "v2-envelope": ["v2", "yes", "authenticated"],
  "stream-cbc": ["stream", "yes", "checked"],
};
const MIN_CHARS = 16;

export function runMetabase(file, { reseal }) {
  return runCases(file, (one) => {
    const run = { kdf: derives, decrypt: reads, passthrough: passes, decrypt_fail: fails, encrypt_null: refusesEmpty, key_error: refusesKey }[one.kind]; // prettier-ignore
    if (run === undefined) throw new Error(`kind ${one.kind}`);
    run(one, reseal);
  });
}

function codecOf({ keys, settings }, { codecs }, lenient = false, more = {}) {
  const rows = Object.entries(keys.wrapped_deks ?? {});
  return codecs.metabase({
    keys: [keys.secret_key],
    dataKeys: Object.fromEntries(rows.map(([id, row]) => [id, fromBase64(row)])),
    ...(settings.aad == null ? {} : { aad: "setting.{key}" }),
    lenient,
    ...more,
  });
}

const contextOf = ({ settings }) =>
  settings.aad == null ? {} : { key: settings.aad.replace(/^setting\./, "") };

function storedOf({ settings, ciphertext }) {
  if (settings.container === "string-base64") return ciphertext.value;
  return fromBase64(ciphertext.value);
}

/** The derived key itself stays inside; what it seals opens. */
function derives(one, reseal) {
  if (one.keys.secret_key.length < MIN_CHARS) return refusesKey(one, reseal);
  return opensAgain(codecOf(one, reseal), Uint8Array.of(120), { binary: true });
}

function refusesKey({ keys }, reseal) {
  const derive = () => reseal.codecs.metabase({ keys: [keys.secret_key] });
  equal(codeOf(reseal, derive, "a short key"), "invalid-key", "the code");
}

function reads(one, reseal) {
  const [stored, context] = [storedOf(one), contextOf(one)];
  const isStream = one.settings.format === "stream-cbc";
  if (isStream) refusesStreams(one, reseal);
  const more = isStream ? { streams: true, expect: "utf8" } : {};
  const codec = codecOf(one, reseal, false, more);
  const opened = codec.open(stored, context);
  equal(toBase64(opened.plaintext), toBase64(decoded(one.plaintext)), "the plaintext");
  const [scheme, certainty, trust] = SCHEMES[one.settings.format];
  equal([opened.scheme, opened.trust], [scheme, trust], "how it was opened");
  const shown = codec.recognize(stored);
  equal([shown.scheme, shown.certainty], [scheme, certainty], "what it shows");
  equal(opened.current, scheme !== "stream", "that it is current");
  const binary = typeof stored !== "string";
  if (opened.current) opensAgain(codec, opened.plaintext, { context, binary });
}

/** Nothing authenticates a stream: a codec has to be told of it, and of what it holds. */
function refusesStreams(one, reseal) {
  const open = (more) => () => codecOf(one, reseal, false, more).open(storedOf(one));
  equal(codeOf(reseal, open({}), "a stream"), "format-unsupported", "the code");
  equal(codeOf(reseal, open({ streams: true }), "a stream"), "invalid-argument", "the code");
  const wrong = codeOf(reseal, open({ streams: true, expect: "json" }), "a stream");
  equal(wrong, "auth-failed", "the code");
}

/** What is not encrypted is left to other codecs; there is no codec without keys. */
function passes(one, reseal) {
  if (one.keys === null) {
    const make = () => reseal.codecs.metabase({ keys: [] });
    return equal(codeOf(reseal, make, "no key"), "invalid-argument", "the code");
  }
  for (const lenient of [false, true]) {
    const codec = codecOf(one, reseal, lenient);
    equal(codec.recognize(storedOf(one)), undefined, "that it shows something");
    const code = codeOf(reseal, () => codec.open(storedOf(one)), "plaintext");
    equal(code, "format-mismatch", "the code");
  }
}

function fails(one, reseal) {
  for (const lenient of [false, true]) {
    const codec = codecOf(one, reseal, lenient);
    const code = codeOf(reseal, () => codec.open(storedOf(one), contextOf(one)), "a value");
    equal(code, "auth-failed", "the code");
  }
}

/** Metabase stores NULL for it. */
function refusesEmpty(one, reseal) {
  equal(decoded(one.plaintext).length, 0, "the plaintext");
  for (const binary of [false, true]) {
    const seal = () => codecOf(one, reseal).seal("", { binary });
    equal(codeOf(reseal, seal, "nothing"), "codec-read-only", "the code");
  }
}
