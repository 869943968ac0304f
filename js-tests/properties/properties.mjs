// Properties over random values, contexts and modes, in Node and in browsers.
import { equal, refuses } from "./checks.mjs";

const ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=/+ \n\0é";
/** What all engines draw the same values from. */
const SEED = 20_260;
const SAMPLES = 500;

/**
 * Each property by its name, for `fc.assert`.
 *
 * @param {typeof import("fast-check").default} fc
 * @param {typeof import("reseal")} reseal
 * @returns {Record<string, import("fast-check").IProperty<any>>}
 */
export function propertiesOf(fc, reseal) {
  const { inspect, Key, Keyring, ResealError, toBinary, toText } = reseal;
  const ring = new Keyring({ primary: Key.generate(), index: Key.generate("index") });
  const { text, bytes, value, context, mode } = arbitraries(fc);
  const refused = (call) => refuses(ResealError, call);
  const start = fc.constantFrom("", "rs1.", "rs2.", `rs1.${ring.primaryId}.`, ring.seal("x", {}));
  const anything = fc.oneof(fc.anything({ withTypedArray: true }), text, bytes, fc.string());
  return {
    "what is sealed opens, as text, as bytes, in a field, in a batch": fc.property(
      value,
      context,
      mode,
      (value, context, mode) => {
        const expected = encode(value);
        const stored = ring.seal(value, context, mode);
        equal(ring.open(stored, context), expected);
        equal(ring.openBinary(ring.sealBinary(value, context, mode), context), expected);
        const field = ring.field(context, mode);
        equal(field.open(stored), expected);
        equal(ring.open(field.seal(value), context), expected);
        const [many] = ring.sealMany([value], [context], mode);
        equal(ring.openMany([many], context), [expected]);
        if (typeof value === "string") equal(ring.openString(stored, context), value);
      },
    ),
    "text and binary are one envelope": fc.property(value, mode, (value, mode) => {
      const stored = ring.seal(value, {}, mode);
      equal(toText(toBinary(stored)), stored);
      equal(inspect(toBinary(stored)), inspect(stored));
      equal(/^rs1\.[a-z2-7]{32}\.[A-Za-z0-9_-]+$/.test(stored), true);
    }),
    "any flipped bit is refused, in the envelope and in the context": fc.property(
      value,
      context,
      mode,
      fc.nat(),
      fc.nat({ max: 7 }),
      (value, context, mode, at, bit) => {
        const sealed = { ...context, zz: Uint8Array.of(1) };
        const binary = ring.sealBinary(value, sealed, mode);
        const flipped = binary.slice();
        flipped[at % binary.length] ^= 1 << bit;
        refused(() => ring.openBinary(flipped, sealed));
        const other = { ...context, zz: Uint8Array.of(1 ^ (1 << bit)) };
        refused(() => ring.openBinary(binary, other));
      },
    ),
    "any changed character is refused": fc.property(
      value,
      mode,
      fc.nat(),
      fc.constantFrom(...ALPHABET),
      (value, mode, at, character) => {
        const stored = ring.seal(value, {}, mode);
        const place = at % stored.length;
        const changed = stored.slice(0, place) + character + stored.slice(place + 1);
        fc.pre(changed !== stored);
        refused(() => ring.open(changed, {}));
      },
    ),
    "the order of the pairs is irrelevant": fc.property(
      context,
      fc.func(fc.integer()),
      (context, order) => {
        const shuffled = Object.entries(context).sort(([a], [b]) => order(a) - order(b));
        const other = Object.fromEntries(shuffled);
        equal(ring.seal("x", other, "deterministic"), ring.seal("x", context, "deterministic"));
      },
    ),
    "a deterministic envelope is a function of key, context and value, and one-to-one": fc.property(
      value,
      value,
      context,
      context,
      (a, b, c, d) => {
        const one = ring.seal(a, c, "deterministic");
        equal(ring.lookupValues(a, c), [one]);
        const isSame = encode(a).join() === encode(b).join();
        equal(ring.seal(b, c, "deterministic") === one, isSame);
        if (ring.seal(a, d, "deterministic") !== one) refused(() => ring.open(one, d));
      },
    ),
    "padding hides the length within a bucket, and costs at most 12 percent above 32 bytes":
      fc.property(fc.nat({ max: 5000 }), (length) => {
        const { ciphertextBytes } = inspect(ring.seal(new Uint8Array(length), {}, "padded"));
        equal(ciphertextBytes > length, true);
        equal(ciphertextBytes <= Math.max(32, (length + 1) * 1.12), true);
      }),
    "whatever is given as stored text or bytes, the only error is of this package": fc.property(
      start,
      anything,
      anything,
      (start, value, context) => {
        const stored = typeof value === "string" ? start + value : value;
        for (const face of [ring, ring.field({ a: 1 })]) {
          call(() => face.open(stored, context));
          call(() => face.openBinary(stored, context));
          call(() => face.seal(stored, context));
          call(() => face.reseal(stored, context));
        }
        call(() => inspect(stored));
        call(() => Key.parse(stored));
        call(() => new Keyring(value));
        call(() => Keyring.fromEnv(context));
        call(() => ring.sealMany(value, context));
        call(() => ring.openMany([stored], [context]));
        call(() => ring.indexTerm(stored, {}, context));
      },
    ),
  };

  function call(open) {
    try {
      open();
    } catch (error) {
      if (!(error instanceof ResealError)) throw error;
    }
  }
}

/**
 * A digest over what one key makes of values that are the same in every engine.
 *
 * @param {typeof import("fast-check").default} fc
 * @param {typeof import("reseal")} reseal
 * @returns {Promise<string>}
 */
export async function digestOf(fc, { Key, Keyring, toBinary }) {
  const [primary, index] = ["data", "index"].map((use) => {
    return Key.fromBytes(use, new Uint8Array(32).fill(use.length));
  });
  const ring = new Keyring({ primary, index });
  const { value, context } = arbitraries(fc);
  const samples = fc.sample(fc.tuple(value, context), { seed: SEED, numRuns: SAMPLES });
  const made = samples.flatMap(([value, context]) => {
    const stored = ring.seal(value, context, "deterministic");
    const term = ring.indexTerm(value, context, { index: "digest" });
    return [stored, toBinary(stored).join(), term];
  });
  const bytes = new TextEncoder().encode(made.join("\n"));
  const digest = new Uint8Array(await crypto.subtle.digest("SHA-256", bytes));
  return Array.from(digest, (byte) => byte.toString(16).padStart(2, "0")).join("");
}

function arbitraries(fc) {
  const text = fc.string({ unit: "binary", maxLength: 300 });
  const bytes = fc.uint8Array({ maxLength: 300 });
  const name = fc
    .stringMatching(/^[a-z][a-z0-9_]{0,31}$/)
    .filter((name) => !name.startsWith("rs_"));
  const fact = fc.oneof(text, bytes, fc.maxSafeInteger(), fc.bigInt());
  return {
    text,
    bytes,
    value: fc.oneof(text, bytes),
    context: fc.dictionary(name, fact, { maxKeys: 16 }),
    mode: fc.constantFrom("random", "deterministic", "padded"),
  };
}

function encode(value) {
  return typeof value === "string" ? new TextEncoder().encode(value) : value;
}
