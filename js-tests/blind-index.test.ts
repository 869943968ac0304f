// Blind indexes.
import { expect, test } from "vitest";
import { Key, Keyring, type IndexOptions } from "reseal";
import { newRing, refuses } from "./support.js";

const ring = newRing();
const context = { table: "users", column: "email" };
const email: IndexOptions = { index: "email_eq", normalizer: "ascii-lower-trim", bits: 64 };
const term = (value: string | Uint8Array, options: IndexOptions = email) =>
  ring.indexTerm(value, context, options);

test("equal after normalizing is equal", () => {
  expect(term(" Ann@Example.com\n")).toBe(term("ann@example.com"));
  expect(term("ann@example.com")).not.toBe(term("anna@example.com"));
  expect(term("x", { index: "i" })).not.toBe(term("X", { index: "i" }));
  const digits: IndexOptions = { index: "i", normalizer: "digits" };
  expect(term("078-05-1120", digits)).toBe(term("078 05 1120 ", digits));
  expect(term(new TextEncoder().encode("é"))).toBe(term("é"));
  expect(term("")).toMatch(/^rx1\./);
});

test("a term depends on context, name, normalizer and bits", () => {
  const terms = [
    term("x", { index: "a" }),
    term("x", { index: "b" }),
    term("x", { index: "a", normalizer: "ascii-lower-trim" }),
    term("x", { index: "a", bits: 65 }),
    ring.indexTerm("x", { table: "users" }, { index: "a" }),
  ];
  expect(new Set(terms).size).toBe(terms.length);
  expect(term("x", { index: "a" })).toBe(term("x", { index: "a", normalizer: "raw", bits: 64 }));
});

test("the text names the key and has as many characters as the bits need", () => {
  const id = ring.indexPrimaryId!.slice(0, 8);
  for (const [bits, characters] of [
    [8, 2],
    [9, 4],
    [64, 13],
    [256, 52],
  ] as const) {
    const pattern = new RegExp(`^rx1\\.${id}\\.[a-z2-7]{${characters}}$`);
    expect(term("x", { index: "i", bits })).toMatch(pattern);
  }
});

test("a query asks for the terms of every index key that opens, the primary's first", () => {
  const [primary, old] = [Key.generate("index"), Key.generate("index")];
  const rotated = new Keyring({
    index: primary,
    decryptOnly: [old],
    disabled: [Key.generate("index")],
  });
  const before = new Keyring({ index: old });
  expect(rotated.indexTerms("x", context, email)).toEqual([
    rotated.indexTerm("x", context, email),
    before.indexTerm("x", context, email),
  ]);
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["a name alone", "email_eq"],
  ["no name", {}],
  ["a bad name", { index: "Email" }],
  ["a reserved name", { index: "rs_x" }],
  ["a long name", { index: "a".repeat(33) }],
  ["a very long name", { index: "a".repeat(10_000_000) }],
  ["a name that is no text", { index: 1 }],
  ["7 bits", { index: "i", bits: 7 }],
  ["257 bits", { index: "i", bits: 257 }],
  ["65,544 bits", { index: "i", bits: 65_544 }],
  ["minus 8 bits", { index: "i", bits: -8 }],
  ["a half bit", { index: "i", bits: 8.5 }],
  ["bits as text", { index: "i", bits: "64" }],
  ["an unknown normalizer", { index: "i", normalizer: "lower" }],
  ["an unknown option", { index: "i", normaliser: "raw" }],
])("options: %s is invalid-argument", (_, options) => {
  refuses("invalid-argument", () => ring.indexTerm("x", context, options as IndexOptions));
  refuses("invalid-argument", () => ring.indexTerms("x", context, options as IndexOptions));
});

test("more indexes than are remembered", () => {
  const first = term("x", { index: "i0" });
  for (let i = 0; i < 300; i++) term("x", { index: `i${i}` });
  expect(term("x", { index: "i0" })).toBe(first);
});
