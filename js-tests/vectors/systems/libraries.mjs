// Libraries of Python: those of Django that derive Fernet keys or pickle, and SQLAlchemy-Utils.
import { codeOf, equal, fromBase64, opensAgain, runCases, toBase64, toBytes, toText } from "./support.mjs"; // prettier-ignore

const KINDS = {
  "django-fernet":
    ({ secrets, salts }, codecs) =>
    (lenient) =>
      codecs.djangoFernet({ secrets, salts, lenient }),
  "fernet-fields":
    ({ secrets, prefix, hkdf }, codecs) =>
    (lenient) =>
      codecs.fernetFields({ secrets, prefix, hkdf, lenient }),
  // There is nothing to be lenient about.
  "django-cryptography": ({ secrets, cryptography_keys: cryptographyKeys, salt, digest, field_keys: keys, field }, codecs) => () =>
    codecs.djangoCryptography({ secrets, cryptographyKeys, salt, digest, fieldKeys: keys?.map(fromBase64), field }), // prettier-ignore
  "sqlalchemy-utils": ({ keys, engine, padding }, codecs) => (lenient) =>
    codecs.sqlalchemyUtils({ keys, engine, padding, lenient, expect: engine === "aes" ? "utf8" : undefined }), // prettier-ignore
};
/** Members that change nothing but what is expected. */
const EXPECTED = ["id", "op", "ciphertext", "ciphertext_b64", "plaintext", "plaintext_b64", "current", "exact", "lossy", "code", "notes", "fernet_keys", "returned"]; // prettier-ignore

export function runLibraries(file, { reseal }) {
  const made = new Map();
  return runCases(file, (one) => {
    const run = { derive: derives, load_fail: refusesKeys, json: leaves, fail: fails, read: reads }[one.op]; // prettier-ignore
    if (run === undefined) throw new Error(`op ${one.op}`);
    // Deriving keys takes long, and few cases have others.
    const options = Object.entries(one).filter(([name]) => !EXPECTED.includes(name));
    const key = JSON.stringify(options);
    const codecOf = (lenient) => {
      const name = `${lenient} ${key}`;
      if (!made.has(name)) made.set(name, KINDS[file.system](one, reseal.codecs)(lenient));
      return made.get(name);
    };
    run(one, codecOf, reseal, file.system);
  });
}

const plaintextOf = ({ plaintext, plaintext_b64: bytes }) =>
  plaintext === undefined ? fromBase64(bytes) : toBytes(plaintext);

function storedOf({ ciphertext, ciphertext_b64: bytes }, system) {
  if (bytes !== undefined) return fromBase64(bytes);
  return system === "fernet-fields" ? toBytes(ciphertext) : ciphertext;
}

/** Each key is the one of its place. */
function derives(one, codecOf, { codecs }) {
  one.fernet_keys.forEach((key, at) => {
    const token = codecs.fernet({ keys: [key] }).seal("x");
    equal(codecOf(false).open(token).key, `${at + 1}`, "the place of the key");
  });
}

function refusesKeys(one, codecOf, reseal) {
  equal(
    codeOf(reseal, () => codecOf(false), "the keys"),
    one.code,
    "the code",
  );
}

function leaves(one, codecOf) {
  const opened = JSON.parse(one.ciphertext, (_, value) =>
    typeof value === "string" ? toText(codecOf(false).open(value).plaintext) : value,
  );
  equal(opened, one.returned, "the leaves");
}

function fails(one, codecOf, reseal, system) {
  for (const lenient of [false, true]) {
    const open = () => codecOf(lenient).open(storedOf(one, system));
    equal(codeOf(reseal, open, "a value"), one.code, "the code");
  }
}

function reads(one, codecOf, reseal, system) {
  const [stored, plaintext] = [storedOf(one, system), toBase64(plaintextOf(one))];
  for (const lenient of [false, true]) {
    const opened = codecOf(lenient).open(stored);
    equal(toBase64(opened.plaintext), plaintext, "the plaintext");
    const trust = opened.scheme === "aes" ? "checked" : "authenticated";
    equal([opened.trust, opened.current], [trust, opened.key === "1"], "how it was opened");
    if (one.current !== undefined) equal(opened.current, one.current, "that it is current");
  }
  const codec = codecOf(false);
  const { certainty, scheme } = codec.recognize(stored);
  equal(certainty, ["fernet", "pickle"].includes(scheme) ? "yes" : "maybe", "the certainty");
  const binary = typeof stored !== "string";
  if (!one.lossy) {
    opensAgain(codec, plaintextOf(one), { binary });
    const rotated = codec.open(codec.rotate(stored));
    equal([toBase64(rotated.plaintext), rotated.current], [plaintext, true], "what was rotated");
    if (scheme === "aes" && one.current) equal(codec.seal(plaintextOf(one), { binary }), stored, "what is written"); // prettier-ignore
  } else if (one.padding !== "naive") {
    const code = codeOf(reseal, () => codec.seal(plaintextOf(one)), "a lossy text");
    equal(code, "codec-read-only", "the code");
  }
}
