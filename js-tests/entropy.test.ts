// Randomness: drawn through a pool, hedged, and never replaced by something weaker.
import { afterEach, expect, test } from "vitest";
import { Key, Keyring, Keyset, codecs, toBinary } from "reseal";
import { refuses, runNode } from "./support.js";

const real = crypto.getRandomValues;
afterEach(() => void (crypto.getRandomValues = real));

const ring = new Keyring({ primary: Key.generate() });
const nonceOf = (stored: string) => Buffer.from(toBinary(stored).subarray(26, 50)).toString("hex");

/** Replaces the source, and gives the sizes that it is asked for. */
function source(fill: (into: Uint8Array) => void): number[] {
  const sizes: number[] = [];
  crypto.getRandomValues = (into) => {
    sizes.push(into!.byteLength);
    fill(into as unknown as Uint8Array);
    return into;
  };
  return sizes;
}

/** Until the pool has just been filled by the replaced source. */
function refillPool(sizes: number[]): void {
  while (!sizes.includes(4096)) ring.seal("x", {});
}

const repeats: [string, (into: Uint8Array) => void][] = [
  ["zeros", (into) => into.fill(0)],
  ["nothing at all", () => {}],
  ["one byte", (into) => into.fill(7)],
  ["the same bytes at every call", (into) => into.forEach((_, i) => (into[i] = (i * 31) % 251))],
];

test.each(repeats)("a source that gives %s: different messages never share a nonce", (_, fill) => {
  refillPool(source(fill));
  const values = Array.from({ length: 2000 }, (_, i) => `message ${i}`);
  const rows = values.map((_, row) => ({ row }));
  const stored = [
    ...values.map((value) => ring.seal(value, {})),
    ...values.map((value) => ring.seal(value, {}, "padded")),
    ...rows.map((row) => ring.seal("the same", row)),
    ...ring.sealMany(values, { batch: 1 }),
    ...ring.sealMany(values, { batch: 2 }, "padded"),
    ...ring.sealMany(new Array<string>(2000).fill("the same in a batch"), rows),
  ] as string[];
  expect(new Set(stored.map(nonceOf)).size).toBe(stored.length);
});

test("clones of a memory snapshot repeat a nonce only for the same message", () => {
  refillPool(source((into) => into.fill(7)));
  expect(ring.seal("a", {})).toBe(ring.seal("a", {}));
  expect(nonceOf(ring.seal("a", {}))).not.toBe(nonceOf(ring.seal("b", {})));
  expect(nonceOf(ring.seal("a", {}))).not.toBe(nonceOf(ring.seal("a", { row: 1 })));
});

test("clones repeat no nonce and no IV of another system's format for different messages", () => {
  refillPool(source((into) => into.fill(7)));
  const rails = codecs.rails({ primaryKeys: ["a key"], keyDerivationSalt: "a salt" });
  const fernet = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
  const headers = (text: string) =>
    (JSON.parse(rails.seal(text) as string) as { h: { iv: string } }).h;
  expect(headers("a").iv).toBe(headers("a").iv);
  expect(headers("a").iv).not.toBe(headers("b").iv);
  const iv = (text: string) =>
    Buffer.from(fernet.seal(text) as string, "base64url")
      .subarray(9, 25)
      .toString("hex");
  expect(iv("a")).toBe(iv("a"));
  expect(iv("a")).not.toBe(iv("b"));
});

test("a good source: 20,000 seals of one message, no nonce twice", () => {
  refillPool(source((into) => real.call(crypto, into)));
  const stored = Array.from({ length: 20_000 }, () => ring.seal("x", {}));
  const many = ring.sealMany(new Array<string>(20_000).fill("x"), {}) as string[];
  expect(new Set([...stored, ...many].map(nonceOf)).size).toBe(40_000);
});

test("single values share a pool of 4096 bytes, which is filled when it is needed", () => {
  const sizes = source((into) => real.call(crypto, into));
  refillPool(sizes);
  sizes.length = 0;
  for (let i = 0; i < 10 * 170; i++) ring.seal("x", {});
  expect(sizes).toEqual(new Array(10).fill(4096));
});

test("keys and batches are drawn directly, in pieces of at most 65,536 bytes", () => {
  const sizes = source((into) => real.call(crypto, into));
  Key.generate();
  expect(sizes).toEqual([32]);
  sizes.length = 0;
  ring.sealMany(["a", "b", "c"], {});
  expect(sizes).toEqual([12 + 3 * 12]);
  sizes.length = 0;
  ring.sealMany(new Array<string>(20_000).fill(""), {});
  expect(Math.max(...sizes)).toBeLessThanOrEqual(65_536);
  const drawn = sizes.reduce((sum, size) => sum + size, 0);
  expect(drawn).toBeGreaterThanOrEqual(12 * 20_000);
});

test("what is deterministic, and what opens, draws nothing", () => {
  const key = Key.generate("index").export();
  const stored = ring.seal("x", {});
  const sizes = source(() => {
    throw new Error("not to be called");
  });
  const other = new Keyring({ primary: Key.fromBytes("data", new Uint8Array(32)), index: key });
  other.seal("x", {}, "deterministic");
  other.sealMany(["x"], {}, "deterministic");
  other.lookupValues("x", {});
  other.indexTerm("x", {}, { index: "i" });
  ring.openString(stored, {});
  ring.openMany([stored], {});
  expect(ring.reseal(stored, {})).toBe(stored);
  expect(sizes).toEqual([]);
});

test("a source that fails is random-unavailable, without a fallback", () => {
  const sizes = source((into) => real.call(crypto, into));
  refillPool(sizes);
  for (let i = 1; i < 170; i++) ring.seal("x", {});
  source(() => {
    throw new Error("the token was removed");
  });
  const old = new Keyring({ primary: Key.fromBytes("data", new Uint8Array(32)) });
  for (const call of [
    () => ring.seal("x", {}),
    () => ring.seal("x", {}, "padded"),
    () => ring.sealBinary("x", {}),
    () => ring.sealMany(["x"], {}),
    () => Key.generate(),
    () => ring.field({}).seal("x"),
    () => ring.reseal(ring.seal("x", {}, "deterministic"), {}, "random"),
    () => old.seal("x", {}),
  ]) {
    refuses("random-unavailable", call);
  }
  crypto.getRandomValues = real;
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
});

test("a source that fills nothing makes no key, which everybody would know", () => {
  const kek = Key.generate("kek");
  source(() => {});
  for (const call of [
    () => Key.generate(),
    () => Key.generate("kek"),
    () => codecs.N8nDataKey.generate(),
    () => Keyset.create({ kek }).rotate("data"),
  ]) {
    refuses("random-unavailable", call);
  }
  const scheme = { primaryKeys: ["a key"], keyDerivationSalt: "a salt", envelope: true };
  const rails = codecs.rails(scheme);
  refuses("random-unavailable", () => {
    // The pool may hold some of the real source.
    for (let i = 0; i < 200; i++) rails.seal("x");
  });
});

test("a runtime without WebCrypto is random-unavailable", () => {
  const program = `
    Object.defineProperty(globalThis, "crypto", { value: undefined });
    const { Key, Keyring } = await import("reseal");
    try { Key.generate() } catch (error) { console.log(error.code) }
    const ring = new Keyring({ primary: Key.fromBytes("data", new Uint8Array(32)) });
    try { ring.seal("x", {}) } catch (error) { console.log(error.code) }
    console.log(ring.openString(ring.seal("x", {}, "deterministic"), {}));`;
  expect(runNode(program)).toBe("random-unavailable\nrandom-unavailable\nx");
});

test("a source that calls back is refused, and nothing breaks", () => {
  source(() => void ring.seal("nested", {}));
  refuses("random-unavailable", () => Key.generate());
  crypto.getRandomValues = real;
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
});
