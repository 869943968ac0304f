// One value: seal, open, isCurrent, reseal, in text and binary.
import { expect, test } from "vitest";
import { inspect, Key, Keyring, toBinary, toText } from "reseal";
import { context, newRing, refuses } from "./support.js";

const ring = newRing();
const MODES = ["random", "deterministic", "padded"] as const;

test.each(MODES)("text and bytes come back, mode %s", (mode) => {
  for (const value of ["", "x", "hällo 🌍", "\ufeffBOM", "nul\0", "a".repeat(70_000)]) {
    const stored = ring.seal(value, context, mode);
    expect(ring.openString(stored, context)).toBe(value);
    expect(ring.open(stored, context)).toEqual(new TextEncoder().encode(value));
    const binary = ring.sealBinary(value, context, mode);
    expect(ring.openBinary(binary, context)).toEqual(new TextEncoder().encode(value));
  }
  const bytes = Uint8Array.from({ length: 256 }, (_, i) => i);
  expect(ring.open(ring.seal(bytes, context, mode), context)).toEqual(bytes);
});

test("a Buffer is taken, and a plain Uint8Array with memory of its own is given", () => {
  const stored = ring.seal(Buffer.from("x"), context);
  for (const bytes of [
    ring.open(stored, context),
    ring.openBinary(toBinary(stored), context),
    ring.sealBinary("x", context),
    toBinary(stored),
    ...ring.openMany([stored], context),
  ] as Uint8Array[]) {
    expect(Object.getPrototypeOf(bytes)).toBe(Uint8Array.prototype);
    expect(bytes.buffer.byteLength).toBe(bytes.length);
  }
});

test("part of a larger array, a subclass, shared memory", () => {
  class Odd extends Uint8Array {
    override get length(): number {
      return 1;
    }
    override get byteLength(): number {
      return 1;
    }
    override subarray(): never {
      throw new Error("never");
    }
  }
  const part = new Uint8Array([9, 1, 2, 3, 9]).subarray(1, 4);
  expect(ring.open(ring.seal(part, {}), {})).toEqual(Uint8Array.of(1, 2, 3));
  expect(ring.open(ring.seal(Odd.from([1, 2, 3]), {}), {})).toEqual(Uint8Array.of(1, 2, 3));
  const shared = new Uint8Array(new SharedArrayBuffer(3)).fill(7);
  expect(ring.open(ring.seal(shared, {}), {})).toEqual(Uint8Array.of(7, 7, 7));
});

test("null, undefined and other types are refused, and null is named", () => {
  const others = [1, 1n, true, {}, [1], new ArrayBuffer(1), new Uint16Array(1), new Date()];
  const boxed = [new String("x"), new Proxy(new Uint8Array(1), {}), Symbol("x"), () => "x"];
  for (const value of [...others, ...boxed] as never[]) {
    refuses("invalid-argument", () => ring.seal(value, context));
    refuses("invalid-argument", () => ring.indexTerm(value, context, { index: "i" }));
  }
  for (const value of [null, undefined] as never[]) {
    const error = refuses("invalid-argument", () => ring.seal(value, context));
    expect(error.message).toContain("keep NULL as NULL");
    refuses("invalid-argument", () => ring.open(value, context));
    refuses("invalid-argument", () => ring.openBinary(value, context));
    refuses("invalid-argument", () => ring.lookupValues(value, context));
  }
  refuses("invalid-argument", () => ring.open(toBinary(ring.seal("x", {})) as never, {}));
  refuses("invalid-argument", () => ring.openBinary(ring.seal("x", {}) as never, {}));
});

test("lone surrogates are refused, pairs are text", () => {
  for (const text of ["\ud83d", "\ude00", "a\ud83d", "\ude00\ud83d", "é\ud83db".repeat(99)]) {
    refuses("invalid-text", () => ring.seal(text, context));
  }
  expect(ring.openString(ring.seal("\ud83d\ude00", {}), {})).toBe("😀");
});

test("the largest values: 2^24 bytes, as bytes and as text of any width", () => {
  const most = 2 ** 24;
  const bytes = new Uint8Array(most).fill(7);
  expect(Buffer.compare(ring.open(ring.seal(bytes, {}), {}), bytes)).toBe(0);
  const wide = "é".repeat(most / 2);
  expect(ring.openString(ring.seal(wide, {}), {}) === wide).toBe(true);
  refuses("too-large", () => ring.seal(`${wide}a`, {}));
  refuses("too-large", () => ring.seal("a".repeat(most + 1), {}));
  refuses("too-large", () => ring.sealBinary(new Uint8Array(most + 1), {}));
});

test("inspect shows version, mode, key id and size of both forms", () => {
  for (const [mode, size] of [
    ["random", 1],
    ["deterministic", 1],
    ["padded", 32],
  ] as const) {
    const stored = ring.seal("x", context, mode);
    const shown = { version: 1, mode, keyId: ring.primaryId, ciphertextBytes: size };
    expect(inspect(stored)).toEqual(shown);
    expect(inspect(toBinary(stored))).toEqual(shown);
    expect(toText(toBinary(stored))).toBe(stored);
    expect(stored.startsWith(`rs1.${ring.primaryId}.`)).toBe(true);
  }
});

test("a deterministic envelope is one for one key, context and value", () => {
  const stored = ring.seal("a@b.c", { column: "email", table: "users" }, "deterministic");
  expect(ring.seal("a@b.c", { table: "users", column: "email" }, "deterministic")).toBe(stored);
  expect(ring.lookupValues("a@b.c", { table: "users", column: "email" })).toEqual([stored]);
  expect(ring.seal("a@b.c", { table: "users", column: "mail" }, "deterministic")).not.toBe(stored);
  expect(ring.seal("x", {})).not.toBe(ring.seal("x", {}));
});

test.each(["random", "deterministic", "padded"] as const)(
  "a value of mode %s keeps it where none is named",
  (mode) => {
    const [first, second] = [Key.generate(), Key.generate()];
    const old = new Keyring({ primary: first });
    const ring = new Keyring({ primary: second, decryptOnly: [first] });
    const stored = old.seal("x", context, mode);
    expect([old.isCurrent(stored), ring.isCurrent(stored)]).toEqual([true, false]);
    expect(old.reseal(stored, context)).toBe(stored);
    const resealed = ring.reseal(stored, context);
    expect(inspect(resealed).mode).toBe(mode);
    expect(ring.isCurrent(resealed)).toBe(true);
    expect(ring.openString(resealed, context)).toBe("x");
    const binary = toBinary(stored);
    expect([old.isCurrentBinary(binary), ring.isCurrentBinary(binary)]).toEqual([true, false]);
    const again = ring.resealBinary(binary, context);
    expect(inspect(again).mode).toBe(mode);
    expect(ring.isCurrentBinary(again)).toBe(true);
    refuses("invalid-argument", () => ring.reseal(stored, context, null as never));
  },
);

test("rotation: both keys open, reseal brings to the primary and leaves what is current", () => {
  const [old, fresh] = [Key.generate(), Key.generate()];
  const before = new Keyring({ primary: old });
  const stored = before.seal("x", context);
  const binary = toBinary(stored);
  for (const options of [
    { primary: fresh, decryptOnly: [old] },
    { primary: fresh, introduced: [old] },
  ]) {
    const both = new Keyring(options);
    expect(both.isCurrent(stored)).toBe(false);
    expect(both.isCurrentBinary(binary)).toBe(false);
    const resealed = both.reseal(stored, context);
    expect(inspect(resealed).keyId).toBe(fresh.id);
    expect(both.openString(resealed, context)).toBe("x");
    expect(both.reseal(resealed, context)).toBe(resealed);
    expect(both.isCurrent(resealed)).toBe(true);
    expect(both.isCurrent(resealed, "padded")).toBe(false);
    const inMode = both.reseal(resealed, context, "padded");
    expect(inspect(inMode)).toMatchObject({ mode: "padded", keyId: fresh.id });
    const resealedBinary = both.resealBinary(binary, context);
    expect(both.resealBinary(resealedBinary, context)).toBe(resealedBinary);
    expect(both.lookupValues("x", {}).map((value) => inspect(value).keyId)).toEqual([
      fresh.id,
      old.id,
    ]);
    expect(both.lookupValuesBinary("x", {}).map(toText)).toEqual(both.lookupValues("x", {}));
  }
  refuses("unknown-key", () => new Keyring({ primary: fresh }).reseal(stored, context));
  refuses("auth-failed", () =>
    new Keyring({ primary: fresh, decryptOnly: [old] }).reseal(stored, { ...context, row: 43 }),
  );
});

test("a ciphertext moved to another row is refused", () => {
  const stored = ring.seal("x", context);
  refuses("auth-failed", () => ring.open(stored, { ...context, row: 43 }));
  refuses("auth-failed", () => ring.open(stored, { table: "users", column: "email" }));
});
