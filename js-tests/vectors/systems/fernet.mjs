// Fernet and MultiFernet.
import { codeOf, equal, fromBase64, opensAgain, runCases, toBase64, toBytes } from "./support.mjs";

/** How every token of this and the next centuries starts. */
const MARK = "gAAAAA";

export function runFernet(file, { reseal }) {
  return runCases(file, (one) => {
    if (one.op === "load_key") return loads(one, reseal);
    if (!["encrypt_fixed", "decrypt", "rotate"].includes(one.op)) throw new Error(`op ${one.op}`);
    if (one.op === "rotate") rotates(one, reseal);
    if (one.op !== "rotate") reads(one, reseal);
    if (one.op === "encrypt_fixed") opensAgain(codecOf(one, reseal), plaintextOf(one));
  });
}

const codecOf = ({ keys }, { codecs }, lenient = false) => codecs.fernet({ keys, lenient });

const plaintextOf = ({ plaintext, plaintext_b64: bytes }) =>
  plaintext === undefined ? fromBase64(bytes) : toBytes(plaintext);

function loads(one, reseal) {
  if (one.expect === "ok") codecOf(one, reseal);
  else {
    const code = codeOf(reseal, () => codecOf(one, reseal), "a key");
    equal(["invalid-key", "invalid-argument"].includes(code), true, "the code");
  }
}

function reads(one, reseal) {
  const [strict, lenient] = [false, true].map((flag) => codecOf(one, reseal, flag));
  const open = (codec) => toBase64(codec.open(one.ciphertext).plaintext);
  // The age of a token does not count here.
  const byAge =
    one.expect_without_ttl === "ok" ||
    (one.ttl !== undefined && one.expect_without_ttl === undefined);
  if (one.expect === "error" && byAge) return open(strict);
  if (one.expect === "error") {
    for (const codec of [strict, lenient]) codeOf(reseal, () => open(codec), "a token");
    return undefined;
  }
  const isMarked = one.ciphertext.startsWith(MARK);
  if (one.expect === "ok_lenient") {
    const expected = isMarked ? "malformed" : "format-mismatch";
    equal(
      codeOf(reseal, () => open(strict), "a loose token"),
      expected,
      "the code",
    );
    return equal(open(lenient), toBase64(plaintextOf(one)), "the plaintext");
  }
  if (one.expect !== "ok") throw new Error(`expect ${one.expect}`);
  equal(open(strict), toBase64(plaintextOf(one)), "the plaintext");
  const isNear = (one.timestamp ?? 0) < 2 ** 36;
  return equal(strict.recognize(one.ciphertext).certainty === "yes", isNear, "the certainty");
}

/** The time is the token's, so only the IV differs. */
function rotates(one, reseal) {
  const codec = codecOf(one, reseal);
  const rotated = codec.rotate(one.before);
  const head = (token) => toBase64(fromBase64(token.replaceAll("-", "+").replaceAll("_", "/")).slice(0, 9)); // prettier-ignore
  equal(head(rotated), head(one.ciphertext), "version and time");
  const opened = codec.open(rotated);
  equal(toBase64(opened.plaintext), toBase64(codec.open(one.ciphertext).plaintext), "the value");
  equal([opened.key, opened.current], ["1", true], "key");
}
