// Fields: a ring, a context and a mode that are given once.
import { inspect as show } from "node:util";
import { expect, test } from "vitest";
import { Field, inspect, ResealError, toBinary } from "reseal";
import { newRing, refuses } from "./support.js";

const ring = newRing();
const base = { table: "users", column: "ssn" };
const field = ring.field(base);

test("a field is the ring with its context and the further pairs", () => {
  const whole = { ...base, row: 42 };
  const row = { row: 42 };
  expect(field.openString(ring.seal("x", whole), row)).toBe("x");
  expect(ring.openString(field.seal("x", row), whole)).toBe("x");
  expect(field.open(field.seal("x"))).toEqual(Uint8Array.of(120));
  expect(field.openBinary(field.sealBinary("x", row), row)).toEqual(Uint8Array.of(120));
  const options = { index: "ssn_eq", normalizer: "digits", bits: 32 } as const;
  expect(field.indexTerm("1-2", options)).toBe(ring.indexTerm("12", base, options));
  expect(field.indexTerms("1-2", options, row)).toEqual(ring.indexTerms("12", whole, options));
  expect(field.lookupValues("x", row)).toEqual(ring.lookupValues("x", whole));
  expect(field.lookupValuesBinary("x")).toEqual(ring.lookupValuesBinary("x", base));
  refuses("auth-failed", () => field.open(field.seal("x", row), { row: 43 }));
  refuses("auth-failed", () => field.open(field.seal("x", row)));
});

test("a field seals in its mode and knows what is current in it", () => {
  const email = ring.field({ table: "users", column: "email" }, "deterministic");
  const stored = email.seal("a@b.c");
  expect(inspect(stored).mode).toBe("deterministic");
  expect(email.seal("a@b.c")).toBe(stored);
  expect(email.isCurrent(stored)).toBe(true);
  expect(email.isCurrentBinary(toBinary(stored))).toBe(true);
  const padded = ring.field({ table: "users", column: "email" }, "padded");
  expect(padded.isCurrent(stored)).toBe(false);
  expect(inspect(padded.reseal(stored)).mode).toBe("padded");
  expect(inspect(padded.resealBinary(toBinary(stored))).mode).toBe("padded");
  expect(email.reseal(stored)).toBe(stored);
});

test("batches take rows or contexts", () => {
  const values = ["a", "b", "c"];
  const rows = [1, "2", 3n];
  const contexts = rows.map((row) => ({ row }));
  const stored = field.sealMany(values, { rows }) as string[];
  expect(field.openManyString(stored, { contexts })).toEqual(values);
  expect(field.openMany(stored, { rows })).toEqual(values.map((value) => Buffer.from(value)).map((b) => new Uint8Array(b))); // prettier-ignore
  expect(ring.openString(stored[1]!, { ...base, row: 2 })).toBe("b");
  const binary = field.sealManyBinary(values, { contexts }) as Uint8Array[];
  expect(field.openManyBinary(binary, { rows })).toEqual(field.openMany(stored, { rows }));
  expect(field.openManyString(field.sealMany(values) as string[])).toEqual(values);
  const bad = field.sealMany(values, { rows: [1, null, 1.5] as number[] });
  expect(bad.map((outcome) => outcome instanceof ResealError && outcome.code)).toEqual(
    [false, "context-invalid", "context-invalid"],
  ); // prettier-ignore
});

test("what does not fit is refused", () => {
  refuses("context-invalid", () => field.seal("x", { table: "users" }));
  refuses("context-invalid", () => ring.field({ Table: "users" }));
  refuses("context-invalid", () => ring.field(null as never));
  refuses("invalid-argument", () => ring.field({}, "hidden" as never));
  refuses("invalid-argument", () => field.sealMany(["a"], { rows: [] }));
  refuses("invalid-argument", () => field.sealMany(["a"], { rows: [1], contexts: [{}] }));
  refuses("invalid-argument", () => field.sealMany(["a"], { row: [1] } as never));
  refuses("invalid-argument", () => field.sealMany(["a"], [1] as never));
  refuses("invalid-argument", () => field.sealMany(["a"], { rows: 1 } as never));
  refuses("invalid-argument", () => new (Field as unknown as new () => Field)());
});

test("the stored value's error comes before that of the further pairs", () => {
  refuses("not-envelope", () => field.open("x", { Row: 1 }));
  refuses("not-envelope", () => field.open("x", { row: 1.5 }));
  refuses("not-envelope", () => field.openBinary(new Uint8Array(1), { row: 1.5 }));
  refuses("context-invalid", () => field.open(field.seal("x"), { row: 1.5 }));
});

test("a changed context object does not change the field", () => {
  const changing = { table: "users", column: "ssn" };
  const made = ring.field(changing);
  changing.column = "other";
  expect(field.openString(made.seal("x"))).toBe("x");
});

test("sixteen pairs in all, and the field shows nothing", () => {
  const eight = (prefix: string) =>
    Object.fromEntries(Array.from({ length: 8 }, (_, i) => [`${prefix}${i}`, "v".repeat(4096)]));
  const wide = ring.field(eight("a"));
  expect(wide.openString(wide.seal("x", eight("b")), eight("b"))).toBe("x");
  refuses("context-invalid", () => wide.seal("x", { ...eight("b"), c: 1 }));
  expect(show(field)).toBe("Field {}");
  expect(JSON.stringify(field)).toBe("{}");
});
