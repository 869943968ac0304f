// Many values: each has its own result.
import { expect, test } from "vitest";
import { inspect, Key, Keyring, ResealError, toBinary, type Context, type Outcome } from "reseal";
import { context, newRing, refuses } from "./support.js";

const ring = newRing();
const MODES = ["random", "deterministic", "padded"] as const;
const codes = (outcomes: Outcome<unknown>[]) =>
  outcomes.map((outcome) => (outcome instanceof ResealError ? outcome.code : "ok"));

test.each(MODES)("what a batch seals opens one by one, and the reverse, mode %s", (mode) => {
  const values = Array.from({ length: 300 }, (_, i) => "é".repeat(i));
  const rows = values.map((_, row) => ({ ...context, row }));
  const stored = ring.sealMany(values, rows, mode) as string[];
  expect(stored.map((text, i) => ring.openString(text, rows[i]!))).toEqual(values);
  expect(ring.openManyString(stored, rows)).toEqual(values);
  const single = values.map((value, i) => ring.seal(value, rows[i]!, mode));
  expect(ring.openManyString(single, rows)).toEqual(values);
  const binary = ring.sealManyBinary(values, context, mode) as Uint8Array[];
  const encoded = values.map((value) => new TextEncoder().encode(value));
  expect(ring.openManyBinary(binary, context)).toEqual(encoded);
  expect(ring.openMany(ring.sealMany(values, context, mode) as string[], context)).toEqual(encoded);
  expect(stored.every((text) => ring.isCurrent(text, mode))).toBe(true);
});

test("a bad value fails alone", () => {
  const values = ["a", null, "b\ud800", "c", 7, new Uint8Array(2 ** 24 + 1), "d"] as string[];
  const outcomes = ring.sealMany(values, context);
  expect(codes(outcomes)).toEqual(
    ["ok", "invalid-argument", "invalid-text", "ok", "invalid-argument", "too-large", "ok"],
  ); // prettier-ignore
  const good = outcomes.filter((outcome) => typeof outcome === "string");
  expect(ring.openManyString(good, context)).toEqual(["a", "c", "d"]);
});

test("a bad stored value fails alone", () => {
  const stored = ring.seal("a", context);
  const foreign = newRing().seal("a", context);
  const cut = stored.slice(0, 50);
  const long = `rs1.${ring.primaryId}.${"A".repeat(2 ** 25)}`;
  const list = [stored, "x", foreign, cut, null, long, `${long}!`, stored] as string[];
  const expected = [
    "ok",
    "not-envelope",
    "unknown-key",
    "malformed",
    "invalid-argument",
    "too-large",
    "malformed",
    "ok",
  ];
  expect(codes(ring.openMany(list, context))).toEqual(expected);
  expect(codes(ring.openManyString(list, context))).toEqual(expected);
  const binary = [toBinary(stored), new Uint8Array(3), stored, null] as Uint8Array[];
  const codesOfBytes = codes(ring.openManyBinary(binary, context));
  expect(codesOfBytes).toEqual(["ok", "not-envelope", "invalid-argument", "invalid-argument"]);
  const bytes = ring.seal(Uint8Array.of(255), context);
  expect(codes(ring.openManyString([bytes], context))).toEqual(["invalid-text"]);
});

test("a bad context of one value fails alone, and its error comes first in sealing", () => {
  const contexts = [{ row: 1 }, { row: 1.5 }, { Row: 1 }, null, { row: 2 }] as Context[];
  const sealed = ring.sealMany(["a", "b", "c", "d", "e"], contexts);
  expect(codes(sealed)).toEqual([
    "ok",
    "context-invalid",
    "context-invalid",
    "context-invalid",
    "ok",
  ]);
  const both = ring.sealMany(["\ud800", "\ud800", "\ud800"], [{ row: 1.5 }, { Row: 1 }, {}]);
  expect(codes(both)).toEqual(["context-invalid", "context-invalid", "invalid-text"]);
  const opened = ring.openMany(
    ["x", "x", ring.seal("x", {})],
    [{ row: 1.5 }, { Row: 1 }, { R: 1 }],
  );
  expect(codes(opened)).toEqual(["not-envelope", "not-envelope", "context-invalid"]);
});

test("what concerns the call fails the call", () => {
  for (const values of [["a"], []]) {
    refuses("context-invalid", () => ring.sealMany(values, { Row: 1 }));
    refuses("context-invalid", () => ring.openMany(values, { Row: 1 }));
    refuses("no-primary", () => new Keyring({}).sealMany(values, {}));
    refuses("context-invalid", () => new Keyring({}).sealMany(values, { Row: 1 }));
    refuses("context-invalid", () => new Keyring({}).sealMany(values, { row: 1.5 }));
    refuses("invalid-argument", () => ring.sealMany(values, [{}, {}]));
    refuses("invalid-argument", () => ring.openMany(values, [{}, {}]));
    refuses("invalid-argument", () => ring.sealMany(values, {}, "x" as never));
  }
  for (const values of [undefined, null, "abc", new Set(["a"]), { length: 1 }] as never[]) {
    refuses("invalid-argument", () => ring.sealMany(values, {}));
    refuses("invalid-argument", () => ring.openMany(values, {}));
  }
});

test("an empty batch, a batch of empties, an array with holes", () => {
  expect(ring.sealMany([], {})).toEqual([]);
  expect(ring.sealMany([], [])).toEqual([]);
  expect(ring.openMany([], {})).toEqual([]);
  expect(ring.openManyString(ring.sealMany(["", ""], {}) as string[], {})).toEqual(["", ""]);
  expect(codes(ring.sealMany([, "a"] as string[], {}))).toEqual(["invalid-argument", "ok"]);
});

test("large batches run in parts: 30,000 values, and values of megabytes among small ones", () => {
  const values = Array.from({ length: 30_000 }, (_, i) => `value ${i}`);
  const rows = values.map((_, row) => ({ row }));
  const stored = ring.sealMany(values, rows) as string[];
  expect(new Set(stored).size).toBe(values.length);
  expect(ring.openManyString(stored, rows)).toEqual(values);
  const sizes = [3, 5_000_000, 7, 2_000_000, 300_000, 1];
  const mixed = sizes.map((size) => new Uint8Array(size).fill(size % 251));
  const opened = ring.openMany(ring.sealMany(mixed, {}) as string[], {}) as Uint8Array[];
  opened.forEach((bytes, i) => expect(Buffer.compare(bytes, mixed[i]!)).toBe(0));
});

test("values of one batch share a salt, and no nonce is used twice", () => {
  const nonces = (ring.sealManyBinary(new Array(500).fill("same"), {}) as Uint8Array[]).map(
    (bytes) => Buffer.from(bytes.subarray(26, 50)).toString("hex"),
  );
  expect(new Set(nonces.map((nonce) => nonce.slice(0, 24))).size).toBe(1);
  expect(new Set(nonces).size).toBe(500);
});

test("keys of a batch may differ when it is opened", () => {
  const old = Key.generate();
  const both = new Keyring({ primary: data(), decryptOnly: [old] });
  const stored = [both.seal("new", {}), new Keyring({ primary: old }).seal("old", {})];
  expect(both.openManyString([...stored, ...stored], {})).toEqual(["new", "old", "new", "old"]);
  expect(stored.map((text) => inspect(text).keyId)).toEqual([both.primaryId, old.id]);
});

function data(): Key {
  return Key.generate("data");
}
