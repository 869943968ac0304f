// Active Record Encryption of Ruby on Rails.
import { codeOf, decoded, equal, opensAgain, runCases, toBase64, toText } from "./support.mjs";

const CODES = { "rails-pub-18": "auth-failed", "rails-pub-19": "auth-failed", "rails-pub-20": "malformed" }; // prettier-ignore
const REFUSALS = ["auth-failed", "malformed", "format-unsupported", "unknown-key"];

export function runRails(file, { reseal }) {
  return runCases(file, (one) => {
    const { kind } = one;
    if (kind === "decrypt" || kind === "decrypt_doubled") return reads(one, reseal);
    if (kind === "encrypt_exact") return writes(one, reseal);
    if (kind === "decrypt_fail") return fails(one, reseal);
    if (kind === "passthrough") return passes(one, reseal);
    throw new Error(`kind ${kind}`);
  });
}

const listed = (keys) => (Array.isArray(keys) ? keys : keys == null ? [] : [keys]);

/** It may be an object with further options. */
const isDeterministic = ({ attribute }) => ![undefined, false].includes(attribute.deterministic);

function codecOf(one, { codecs }, lenient = false) {
  const { keys, settings, attribute } = one;
  const deterministic = isDeterministic(one);
  const digests = [settings.hash_digest_class.toLowerCase()];
  const isOlder = settings.support_sha1_for_non_deterministic_encryption === true;
  if (isOlder && !deterministic && !digests.includes("sha1")) digests.push("sha1");
  return codecs.rails({
    primaryKeys: listed(attribute.key ?? keys.primary_key),
    deterministicKeys: listed(attribute.key ?? keys.deterministic_key),
    previousKeys: (attribute.previous ?? []).map(({ key }) => key),
    keyDerivationSalt: keys.key_derivation_salt,
    digests,
    deterministic,
    envelope: settings.key_provider === "envelope" && !deterministic,
    storeKeyReferences: settings.store_key_references === true,
    serializer: settings.message_serializer,
    compress: attribute.compress !== false,
    lenient,
  });
}

function storedOf({ column, ciphertext }) {
  const bytes = decoded(ciphertext);
  return column === "binary" ? bytes : toText(bytes);
}

function reads(one, reseal) {
  const [codec, stored] = [codecOf(one, reseal), storedOf(one)];
  const opened = codec.open(stored);
  equal(toBase64(opened.plaintext), toBase64(decoded(one.plaintext)), "the plaintext");
  equal(opened.trust, "authenticated", "the trust");
  equal(opened.current, one.written_with === undefined, "that it is current");
  equal(one.derived_keys.some((key) => key.key_id === opened.key), true, "that it is a known key"); // prettier-ignore
  const shown = codec.recognize(stored);
  equal([shown.certainty, shown.scheme], ["yes", opened.scheme.replace("-deterministic", "")], "what it shows"); // prettier-ignore
  const rotated = codec.rotate(stored);
  const again = codec.open(rotated);
  equal([toBase64(again.plaintext), again.current], [toBase64(opened.plaintext), true], "rotated");
}

function writes(one, reseal) {
  reads(one, reseal);
  const codec = codecOf(one, reseal);
  equal(opensAgain(codec, decoded(one.plaintext)), storedOf(one), "a deterministic value");
}

function fails(one, reseal) {
  for (const lenient of [false, true]) {
    const codec = codecOf(one, reseal, lenient);
    const code = codeOf(reseal, () => codec.open(storedOf(one)), "a value");
    const expected = CODES[one.id];
    equal(expected === undefined ? REFUSALS.includes(code) : code === expected, true, code);
  }
}

/** Plaintext is for the plain codec. */
function passes(one, reseal) {
  const stored = storedOf(one);
  for (const lenient of [false, true]) {
    const codec = codecOf(one, reseal, lenient);
    equal(codec.recognize(stored), undefined, "that it shows something");
    equal(
      codeOf(reseal, () => codec.open(stored), "plaintext"),
      "format-mismatch",
      "the code",
    );
  }
}
