// The credential profiles of Freeboard.
import { codeOf, decoded, equal, opensAgain, runCases, toBase64 } from "./support.mjs";

const BROKEN_TAG = "Unsupported state or unable to authenticate data";

export function runFreeboard(file, { reseal }) {
  return runCases(file, (one) => {
    if (!["decrypt", "decrypt_fail"].includes(one.kind)) throw new Error(`kind ${one.kind}`);
    if (one.ciphertext === null) return passes(reseal);
    return one.kind === "decrypt" ? reads(one, reseal) : fails(one, reseal);
  });
}

function codecOf({ keys }, { codecs }, lenient = false) {
  return codecs.freeboard({ keys: [keys.CREDENTIAL_ENCRYPTION_KEY], lenient });
}

/** The API reads null as an empty object, which is no ciphertext. */
function passes(reseal) {
  const shown = reseal.codecs.recognize("null").map(({ kind }) => kind);
  equal(shown, ["plain"], "what it shows");
}

function reads(one, reseal) {
  const [codec, stored] = [codecOf(one, reseal), JSON.stringify(one.ciphertext)];
  const opened = codec.open(stored);
  equal(toBase64(opened.plaintext), toBase64(decoded(one.plaintext)), "the plaintext");
  const expected = ["1", true, "gcm", "authenticated"];
  equal([opened.key, opened.current, opened.scheme, opened.trust], expected, "how it was opened");
  const shown = codec.recognize(stored);
  equal([shown.certainty, shown.scheme], ["yes", "gcm"], "what it shows");
  const sealed = opensAgain(codec, opened.plaintext);
  // Older rows have no key id.
  const members = Object.keys({ keyId: "v1", ...one.ciphertext }).sort();
  equal(Object.keys(JSON.parse(sealed)).sort(), members, "the members of a row");
}

function fails(one, reseal) {
  const stored = JSON.stringify(one.ciphertext);
  const isForeign = one.ciphertext.algorithm !== "aes-256-gcm";
  const payload = isForeign ? ["format-unsupported", "unsupported"] : ["malformed", "damaged"];
  const isBroken = one.expected_error.message === BROKEN_TAG;
  const [expected, scheme] = isBroken ? ["auth-failed", "gcm"] : payload;
  for (const lenient of [false, true]) {
    const codec = codecOf(one, reseal, lenient);
    equal(
      codeOf(reseal, () => codec.open(stored), "a row"),
      expected,
      "the code",
    );
    equal(codec.recognize(stored).scheme, scheme, "what it shows");
  }
}
