// Keys.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Key, Keyring } from "reseal";
import { refuses } from "./support.js";

const TEXT = "rsk1.data.hZnH-eF6cZPcgmAJtABViNZOfVtc1Vz_SAOIhuYQ5ftKk--s";

test("a key has an id, a use and a text", () => {
  const key = Key.parse(TEXT);
  expect([key.id, key.use, key.export()]).toEqual([
    "wnhox5tzdzqv34o4so5ged4ck7arqvma",
    "data",
    TEXT,
  ]);
});

test("generate makes different keys of every use; data by default", () => {
  const keys = [Key.generate(), Key.generate("data"), Key.generate("index"), Key.generate("kek")];
  expect(keys.map(({ use }) => use)).toEqual(["data", "data", "index", "kek"]);
  expect(new Set(keys.map(({ id }) => id)).size).toBe(4);
  expect(keys.map((key) => Key.parse(key.export()).id)).toEqual(keys.map(({ id }) => id));
});

test("fromBytes takes 32 bytes", () => {
  const bytes = new Uint8Array(32).fill(1);
  expect(Key.fromBytes("data", bytes).id).toBe(Key.fromBytes("data", Buffer.from(bytes)).id);
  expect(Key.fromBytes("index", bytes).id).not.toBe(Key.fromBytes("data", bytes).id);
  for (const length of [0, 31, 33, 64, 10_000_000]) {
    refuses("invalid-key", () => Key.fromBytes("data", new Uint8Array(length)));
  }
  refuses("invalid-argument", () => Key.fromBytes("data", "x".repeat(32) as never));
  refuses("invalid-argument", () => Key.fromBytes("data", new Array(32).fill(1) as never));
});

test("an unknown use is refused", () => {
  for (const use of ["", "Data", "data ", "data\0", "d".repeat(1000), 1, null, {}] as never[]) {
    refuses("invalid-argument", () => Key.generate(use));
    refuses("invalid-argument", () => Key.fromBytes(use, new Uint8Array(32)));
  }
});

test("parse tolerates nothing and helps", () => {
  for (const [text, help] of [
    ["", /empty/],
    [`"${TEXT}"`, /quotation mark/],
    [`${TEXT}"`, /quotation mark/],
    [` ${TEXT}`, /white space/],
    [`${TEXT}\n`, /white space|line feed/],
    [TEXT.slice(0, -1), /cut/],
    [`${TEXT}A`, /longer/],
    [TEXT.replace("hZnH", "hZnI"), /checksum/],
    [TEXT.replace("data", "date"), /use/],
    ["password", /Key\.generate|starts with rsk1/],
    ["rsk2.data.", /version/],
    [`${TEXT}\0`, /longer/],
    ["\ud800", /rsk1/],
    ["é".repeat(60), /rsk1/],
  ] as const) {
    const error = refuses("invalid-key", () => Key.parse(text));
    expect(error.message).toMatch(help);
    expect(error.message).not.toContain("hZn");
  }
  refuses("invalid-key", () => Key.parse("x".repeat(100_000_000)));
  for (const other of [undefined, null, 1, Buffer.from(TEXT), Key.parse(TEXT)] as never[]) {
    refuses("invalid-argument", () => Key.parse(other));
  }
});

test("printing and copying show no secret", () => {
  const key = Key.parse(TEXT);
  const shown = `Key(data, ${key.id})`;
  expect(String(key)).toBe(shown);
  expect(`${key}`).toBe(shown);
  expect(inspect(key)).toBe(shown);
  expect(inspect({ key }, { depth: 9, showHidden: true })).toContain(shown);
  expect(JSON.stringify({ key })).toBe(JSON.stringify({ key: shown }));
  expect(structuredClone(key)).toEqual({ id: key.id, use: "data" });
  const all = [inspect(key, { depth: 9, showHidden: true, showProxy: true }), ...deepValues(key)];
  expect(all.join()).not.toContain(TEXT.slice(10, 30));
});

test("a disposed key is gone, the ring that has it is not", () => {
  const key = Key.generate();
  const ring = new Keyring({ primary: key });
  key.dispose();
  key.dispose();
  refuses("invalid-argument", () => key.export());
  refuses("invalid-argument", () => new Keyring({ primary: key }));
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
  expect(String(key)).toBe(`Key(data, ${key.id})`);
  expect(key[Symbol.dispose]).toBe(key.dispose);
});

test("the constructor is not for users", () => {
  refuses("invalid-argument", () => new (Key as unknown as new () => Key)());
});

/** Everything that can be reached from an object by name or symbol. */
function deepValues(object: object): string[] {
  return Reflect.ownKeys(object).map((key) =>
    String((object as Record<PropertyKey, unknown>)[key]),
  );
}
