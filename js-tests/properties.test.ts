// Properties over random values, contexts and modes.
import fc from "fast-check";
import { expect, test } from "vitest";
import { inspect, Key, Keyring, ResealError, toBinary, toText, type Context } from "reseal";

fc.configureGlobal({ numRuns: process.env["RESEAL_ASSURE"] === undefined ? 1000 : 50_000 });

const ring = new Keyring({ primary: Key.generate(), index: Key.generate("index") });

const mode = fc.constantFrom("random" as const, "deterministic" as const, "padded" as const);
const text = fc.string({ unit: "binary", maxLength: 300 });
const bytes = fc.uint8Array({ maxLength: 300 });
const value = fc.oneof(text, bytes);
const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,31}$/).filter((name) => !name.startsWith("rs_"));
const fact = fc.oneof(text, bytes, fc.maxSafeInteger(), fc.bigInt());
const context = fc.dictionary(name, fact, { maxKeys: 16 }) as fc.Arbitrary<Context>;
const encode = (value: string | Uint8Array) =>
  typeof value === "string" ? new TextEncoder().encode(value) : value;

test("what is sealed opens, as text, as bytes, in a field, in a batch", () => {
  fc.assert(
    fc.property(value, context, mode, (value, context, mode) => {
      const expected = encode(value);
      const stored = ring.seal(value, context, mode);
      expect(ring.open(stored, context)).toEqual(expected);
      expect(ring.openBinary(ring.sealBinary(value, context, mode), context)).toEqual(expected);
      const field = ring.field(context, mode);
      expect(field.open(stored)).toEqual(expected);
      expect(ring.open(field.seal(value), context)).toEqual(expected);
      const [many] = ring.sealMany([value], [context], mode) as string[];
      expect(ring.openMany([many!], context)).toEqual([expected]);
      if (typeof value === "string") expect(ring.openString(stored, context)).toBe(value);
    }),
  );
});

test("text and binary are one envelope", () => {
  fc.assert(
    fc.property(value, mode, (value, mode) => {
      const stored = ring.seal(value, {}, mode);
      expect(toText(toBinary(stored))).toBe(stored);
      expect(inspect(toBinary(stored))).toEqual(inspect(stored));
      expect(stored).toMatch(/^rs1\.[a-z2-7]{32}\.[A-Za-z0-9_-]+$/);
    }),
  );
});

test("any flipped bit is refused, in the envelope and in the context", () => {
  const places = fc.tuple(fc.nat(), fc.nat({ max: 7 }));
  fc.assert(
    fc.property(value, context, mode, places, (value, context, mode, [at, bit]) => {
      const binary = ring.sealBinary(value, { ...context, zz: Uint8Array.of(1) }, mode);
      const flipped = binary.slice();
      flipped[at % binary.length]! ^= 1 << bit;
      expect(() => ring.openBinary(flipped, { ...context, zz: Uint8Array.of(1) })).toThrow(ResealError);
      expect(() => ring.openBinary(binary, { ...context, zz: Uint8Array.of(1 ^ (1 << bit)) })).toThrow(ResealError);
    }),
  ); // prettier-ignore
});

test("any changed character is refused", () => {
  const alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_.=/+ \n\0é";
  const change = fc.tuple(fc.nat(), fc.constantFrom(...alphabet));
  fc.assert(
    fc.property(value, mode, change, (value, mode, [at, character]) => {
      const stored = ring.seal(value, {}, mode);
      const place = at % stored.length;
      const changed = stored.slice(0, place) + character + stored.slice(place + 1);
      fc.pre(changed !== stored);
      expect(() => ring.open(changed, {})).toThrow(ResealError);
    }),
  );
});

test("the order of the pairs is irrelevant", () => {
  fc.assert(
    fc.property(context, fc.func(fc.integer()), (context, order) => {
      const shuffled = Object.entries(context).sort(([a], [b]) => order(a) - order(b));
      const other = Object.fromEntries(shuffled) as Context;
      expect(ring.seal("x", other, "deterministic")).toBe(ring.seal("x", context, "deterministic"));
    }),
  );
});

test("a deterministic envelope is a function of key, context and value, and one-to-one", () => {
  fc.assert(
    fc.property(value, value, context, context, (a, b, c, d) => {
      const one = ring.seal(a, c, "deterministic");
      expect(ring.lookupValues(a, c)).toEqual([one]);
      const same = Buffer.compare(encode(a), encode(b)) === 0;
      expect(ring.seal(b, c, "deterministic") === one).toBe(same);
      if (ring.seal(a, d, "deterministic") !== one) {
        expect(() => ring.open(one, d)).toThrow(ResealError);
      }
    }),
  );
});

test("padding hides the length within a bucket, and costs at most 12 percent above 32 bytes", () => {
  fc.assert(
    fc.property(fc.nat({ max: 5000 }), (length) => {
      const { ciphertextBytes } = inspect(ring.seal(new Uint8Array(length), {}, "padded"));
      expect(ciphertextBytes).toBeGreaterThan(length);
      expect(ciphertextBytes).toBeLessThanOrEqual(Math.max(32, (length + 1) * 1.12));
    }),
  );
});

test("whatever is given as stored text or bytes, the only error is of this package", () => {
  const start = fc.constantFrom("", "rs1.", "rs2.", `rs1.${ring.primaryId}.`, ring.seal("x", {}));
  const anything = fc.oneof(fc.anything({ withTypedArray: true }), text, bytes, fc.string());
  const call = (open: () => unknown) => {
    try {
      open();
    } catch (error) {
      if (!(error instanceof ResealError)) throw error;
    }
  };
  fc.assert(
    fc.property(start, anything, anything, (start, value, context) => {
      const stored = (typeof value === "string" ? start + value : value) as never;
      for (const face of [ring, ring.field({ a: 1 })]) {
        call(() => face.open(stored, context as never));
        call(() => face.openBinary(stored, context as never));
        call(() => face.seal(stored, context as never));
        call(() => face.reseal(stored, context as never));
      }
      call(() => inspect(stored));
      call(() => Key.parse(stored));
      call(() => new Keyring(value as never));
      call(() => Keyring.fromEnv(context as never));
      call(() => ring.sealMany(value as never, context as never));
      call(() => ring.openMany([stored], [context] as never));
      call(() => ring.indexTerm(stored, {}, context as never));
    }),
  );
});
