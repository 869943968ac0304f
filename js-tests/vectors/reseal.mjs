// The shape "RS1 vectors": the law of the envelope. Everything that the public face can do is done
// through it; fixed nonces and subkeys come from the testkit.
import {
  contextOf,
  fromHex,
  known,
  modeOf,
  refused,
  Report,
  ringOptions,
  same,
  toHex,
} from "./report.mjs";
import { runKeysets } from "./keyset.mjs";
import { outOf } from "./testkit.mjs";

const GROUPS = ["key_text", "vectors", "negative", "hedged", "blind_index", "keyset"];
const HEADER_BYTES = 26;
const NONCE_BYTES = 24;
const BASE32 = "abcdefghijklmnopqrstuvwxyz234567";

export async function runReseal(file, tools) {
  known(file, ["format", "seed", "producer", "keys", "derived", ...GROUPS], "the file");
  const report = new Report();
  const keys = new Keys(file.keys ?? {}, tools.reseal);
  checkDerived(file.derived ?? {}, keys, tools);
  const texts = file.key_text ?? {};
  known(texts, ["valid", "invalid"], "key_text");
  for (const one of texts.valid ?? []) report.case(one.id, () => validText(one, tools));
  for (const one of texts.invalid ?? []) report.case(one.id, () => invalidText(one, tools));
  for (const one of file.vectors ?? []) report.case(one.id, () => positive(one, keys, tools));
  for (const one of file.negative ?? []) report.case(one.id, () => negative(one, keys, tools));
  for (const one of file.hedged ?? []) report.case(one.id, () => hedged(one, keys, tools));
  for (const [i, one] of (file.blind_index ?? []).entries()) {
    report.case(`blind_index[${i}]`, () => term(one, keys, tools));
  }
  if (file.keyset !== undefined) await runKeysets(file.keyset, keys, report, tools);
  return report;
}

/** The keys of a file and the ring that they make. */
class Keys {
  /** @type {import("reseal").Key[]} */
  all = [];
  #byName = new Map();

  constructor(entries, { Key, Keyring }) {
    const all = Object.entries(entries).map(([name, entry]) => {
      known(entry, ["secret", "use", "state", "kid"], `key ${name}`);
      const key = Key.fromBytes(entry.use, fromHex(entry.secret));
      same(`the id of key ${name}`, key.id, entry.kid);
      this.#byName.set(name, key);
      this.all.push(key);
      return { key, state: entry.state };
    });
    this.ring = new Keyring(ringOptions(all));
  }

  get(name) {
    const key = this.#byName.get(name);
    if (key === undefined) throw new Error(`the file has no key ${name}`);
    return key;
  }
}

function checkDerived(derived, keys, { testkit }) {
  for (const [name, labels] of Object.entries(derived)) {
    for (const [label, expected] of Object.entries(labels)) {
      const request = { op: "derive", key_text: keys.get(name).export(), label };
      same(`${label} of key ${name}`, outOf(testkit(request)), expected);
    }
  }
}

function validText(one, { reseal: { Key } }) {
  known(one, ["id", "text", "use", "secret", "kid", "note"], one.id);
  const key = Key.parse(one.text);
  same("use", key.use, one.use);
  same("key id", key.id, one.kid);
  same("exported text", key.export(), one.text);
  same("text of the bytes", Key.fromBytes(one.use, fromHex(one.secret)).export(), one.text);
}

function invalidText(one, { reseal: { Key, ResealError } }) {
  known(one, ["id", "text", "expect", "note"], one.id);
  refused(ResealError, () => Key.parse(one.text), one.expect);
}

function positive(one, keys, { reseal, testkit }) {
  const members = ["id", "key", "mode", "nonce", "context", "plaintext", "aad", "binary", "text"];
  known(one, [...members, "note"], one.id);
  const mode = modeOf(one.mode);
  const binary = fromHex(one.binary);
  const sealed = testkit({
    op: "seal_fixed",
    key_text: keys.get(one.key).export(),
    mode,
    context: one.context,
    plaintext: one.plaintext,
    random: one.nonce,
  });
  same("sealed text", sealed.text, one.text);
  same("sealed binary", sealed.binary, one.binary);
  if (one.aad !== undefined) checkAad(one);

  same("text of binary", reseal.toText(binary), one.text);
  same("binary of text", toHex(reseal.toBinary(one.text)), one.binary);
  const shown = reseal.inspect(one.text);
  same("version", shown.version, 1);
  same("mode", shown.mode, mode);
  same("key id", shown.keyId, keys.get(one.key).id);
  same("ciphertext bytes", shown.ciphertextBytes, binary.length - 66);
  same("inspection", JSON.stringify(reseal.inspect(binary)), JSON.stringify(shown));
  opens(one, keys.ring, mode, reseal);
  if (one.mode === "d") sealsExactly(one, keys, reseal);
}

/** H || CTX: the core's CTX cannot be asked for, so it is written here from the file's pairs. */
function checkAad(one) {
  const u16 = (number) => number.toString(16).padStart(4, "0");
  const hexOf = (text) => toHex(new TextEncoder().encode(text));
  const pairs = [...one.context]
    .sort(([a], [b]) => (a < b ? -1 : 1))
    .map(([name, value]) => `${u16(name.length)}${hexOf(name)}${u16(value.length / 2)}${value}`);
  const header = one.binary.slice(0, 2 * HEADER_BYTES);
  same("aad", [header, u16(pairs.length), ...pairs].join(""), one.aad);
}

function opens(one, ring, mode, { toBinary }) {
  const context = contextOf(one.context);
  const binary = toBinary(one.text);
  same("plaintext of text", toHex(ring.open(one.text, context)), one.plaintext);
  same("plaintext of binary", toHex(ring.openBinary(binary, context)), one.plaintext);
  const [many] = ring.openMany([one.text], context);
  same("plaintext in a batch", toHex(many), one.plaintext);
  const [manyBinary] = ring.openManyBinary([binary], [context]);
  same("plaintext of binary in a batch", toHex(manyBinary), one.plaintext);

  const current = ring.isCurrent(one.text, mode);
  same("isCurrentBinary", ring.isCurrentBinary(binary, mode), current);
  if (ring.primaryId === undefined) return;
  const resealed = ring.reseal(one.text, context, mode);
  same("reseal of a current value", resealed === one.text, current);
  same("reseal gives a current value", ring.isCurrent(resealed, mode), true);
  same("resealed plaintext", toHex(ring.open(resealed, context)), one.plaintext);
}

/** Mode d has one envelope for one value, so the public face must give it. */
function sealsExactly(one, keys, { Keyring }) {
  const ring = new Keyring({ primary: keys.get(one.key) });
  const context = contextOf(one.context);
  const plaintext = fromHex(one.plaintext);
  same("seal", ring.seal(plaintext, context, "deterministic"), one.text);
  const binary = ring.sealBinary(plaintext, context, "deterministic");
  same("sealBinary", toHex(binary), one.binary);
  same("sealMany", ring.sealMany([plaintext], context, "deterministic")[0], one.text);
  same("lookupValues", ring.lookupValues(plaintext, context)[0], one.text);
}

function negative(one, keys, { reseal: { ResealError } }) {
  known(one, ["id", "expect", "context", "binary", "text", "note"], one.id);
  const { field, extra } = splitContext(keys.ring, one.context);
  const [open, many] = one.text === undefined ? byBytes(one.binary) : byText(one.text);
  refused(ResealError, () => open(field(), extra), one.expect);
  // In a batch the same value has the same error, as its result.
  const outcome = () => many(field(), extra)[0];
  refused(ResealError, () => throwIfError(outcome(), ResealError), one.expect);
}

function byText(text) {
  return [
    (field, extra) => field.open(text, extra),
    (field, extra) => field.openMany([text], { contexts: [extra] }),
  ];
}

function byBytes(hex) {
  const bytes = fromHex(hex);
  return [
    (field, extra) => field.openBinary(bytes, extra),
    (field, extra) => field.openManyBinary([bytes], { contexts: [extra] }),
  ];
}

function throwIfError(outcome, ResealError) {
  if (outcome instanceof ResealError) throw outcome;
}

/** An object cannot have a name twice; a field and its further pairs can. */
function splitContext(ring, pairs) {
  const names = pairs.map(([name]) => name);
  const first = pairs.filter(([name], i) => names.indexOf(name) === i);
  const repeated = pairs.filter(([name], i) => names.indexOf(name) !== i);
  if (repeated.length === 0) return { field: () => ring.field({}), extra: contextOf(first) };
  return { field: () => ring.field(contextOf(first)), extra: contextOf(repeated) };
}

function hedged(one, keys, { reseal, testkit }) {
  const members = ["id", "key", "mode", "salt", "random", "context", "plaintext", "nonce", "text"];
  known(one, [...members, "note"], one.id);
  const mode = modeOf(one.mode);
  const sealed = testkit({
    op: "seal_fixed",
    key_text: keys.get(one.key).export(),
    mode,
    context: one.context,
    plaintext: one.plaintext,
    random: one.random,
    ...(one.salt === undefined ? {} : { salt: one.salt }),
    indirect: true,
  });
  same("text", sealed.text, one.text);
  const nonce = sealed.binary.slice(2 * HEADER_BYTES, 2 * (HEADER_BYTES + NONCE_BYTES));
  same("nonce", nonce, one.nonce);
  const context = contextOf(one.context);
  same("plaintext", toHex(keys.ring.open(one.text, context)), one.plaintext);
  if (one.salt !== undefined) hedgedByPackage(one, keys, mode, reseal);
}

/** A batch draws its bytes in one call, so the package itself can be given the file's. */
function hedgedByPackage(one, keys, mode, { Keyring }) {
  const ring = new Keyring({ primary: keys.get(one.key) });
  const real = crypto.getRandomValues;
  crypto.getRandomValues = (into) => (into.set(fromHex(one.salt + one.random)), into);
  try {
    const [text] = ring.sealMany([fromHex(one.plaintext)], contextOf(one.context), mode);
    same("text of the package", text, one.text);
  } finally {
    crypto.getRandomValues = real;
  }
}

function term(one, keys, { reseal: { Keyring } }) {
  const members = ["id", "key", "context", "index", "normalizer", "bits", "value", "raw", "text"];
  known(one, [...members, "note"], one.id ?? one.text);
  const context = contextOf(one.context);
  const options = { index: one.index, normalizer: one.normalizer, bits: one.bits };
  const value = fromHex(one.value);
  const ring = new Keyring({ index: keys.get(one.key) });
  same("term", ring.indexTerm(value, context, options), one.text);
  const all = keys.ring.indexTerms(value, context, options);
  same("a term of the file's ring", all.includes(one.text), true);
  if (one.raw !== undefined) same("raw tag", rawOf(one.text), one.raw);
}

/** The tag of a term, in hexadecimal. */
function rawOf(text) {
  const bits = [...text.slice(text.lastIndexOf(".") + 1)]
    .map((character) => BASE32.indexOf(character).toString(2).padStart(5, "0"))
    .join("");
  return toHex((bits.match(/.{8}/g) ?? []).map((byte) => Number.parseInt(byte, 2)));
}
