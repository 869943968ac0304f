// Keyrings: how they are built, what they show, how they end.
import { inspect } from "node:util";
import { expect, test } from "vitest";
import { Key, Keyring, type ErrorCode, type KeyringOptions } from "reseal";
import { context, newRing, refuses } from "./support.js";

const data = Key.generate();
const other = Key.generate();
const index = Key.generate("index");
const kek = Key.generate("kek");

test("keys are given as objects or texts, in every state", () => {
  const third = Key.generate();
  const gone = Key.generate();
  const oldIndex = Key.generate("index");
  const ring = new Keyring({
    primary: data.export(),
    index,
    decryptOnly: [other, oldIndex.export()],
    introduced: [],
    disabled: [third],
    destroyed: [gone.id],
  });
  const states = Object.fromEntries(ring.keys().map(({ id, use, state }) => [id, [use, state]]));
  expect(states).toEqual({
    [data.id]: ["data", "primary"],
    [index.id]: ["index", "primary"],
    [other.id]: ["data", "decrypt_only"],
    [oldIndex.id]: ["index", "decrypt_only"],
    [third.id]: ["data", "disabled"],
    [gone.id]: [undefined, "destroyed"],
  });
  expect([ring.primaryId, ring.indexPrimaryId]).toEqual([data.id, index.id]);
  const none = new Keyring({ introduced: [data] });
  expect([none.primaryId, none.indexPrimaryId]).toEqual([undefined, undefined]);
});

test("key texts of a variable or a file may have white space around them", () => {
  const ring = new Keyring({ primary: `\n\t ${data.export()}\r\n` });
  expect(ring.primaryId).toBe(data.id);
  refuses("invalid-key", () => new Keyring({ primary: `\u00a0${data.export()}` }));
  refuses("invalid-key", () => new Keyring({ primary: `"${data.export()}"` }));
  refuses("invalid-key", () => new Keyring({ primary: "" }));
  refuses("invalid-key", () => new Keyring({ primary: "x".repeat(100_000_000) }));
});

test("a key of the wrong use is refused", () => {
  refuses("key-wrong-use", () => new Keyring({ primary: index }));
  refuses("key-wrong-use", () => new Keyring({ primary: index.export() }));
  refuses("key-wrong-use", () => new Keyring({ index: data }));
  refuses("key-wrong-use", () => new Keyring({ primary: kek }));
  refuses("key-wrong-use", () => new Keyring({ decryptOnly: [kek] }));
});

test("one key twice is refused, except as the primary and in a list that opens", () => {
  expect(new Keyring({ primary: data, decryptOnly: [data] }).keys()).toHaveLength(1);
  expect(new Keyring({ primary: data, introduced: [data.export()] }).primaryId).toBe(data.id);
  refuses("duplicate-key", () => new Keyring({ primary: data, disabled: [data] }));
  refuses("duplicate-key", () => new Keyring({ primary: data, destroyed: [data.id] }));
  refuses("duplicate-key", () => new Keyring({ decryptOnly: [data, data] }));
  refuses("duplicate-key", () => new Keyring({ decryptOnly: [data], introduced: [data] }));
});

test.each<[string, unknown]>([
  ["nothing", undefined],
  ["null", null],
  ["a key", data],
  ["a text", data.export()],
  ["a list", [data]],
  ["an unknown name", { primary: data, decrypt_only: [] }],
  ["a list without brackets", { primary: data, decryptOnly: other }],
  ["a text as list", { primary: data, decryptOnly: other.export() }],
  ["null as key", { primary: null }],
  ["a number as key", { primary: 1 }],
  ["bytes as key", { primary: new Uint8Array(32) }],
  ["null in a list", { decryptOnly: [null] }],
  ["a hole in a list", { decryptOnly: [, data] }], // prettier-ignore
  ["a short id", { destroyed: [data.id.slice(0, 8)] }],
  ["a long id", { destroyed: [data.id + data.id] }],
  ["a very long id", { destroyed: ["a".repeat(10_000_000)] }],
  ["an id in upper case", { destroyed: [data.id.toUpperCase()] }],
  ["a key as id", { destroyed: [other] }],
])("options: %s is invalid-argument", (_, options) => {
  const error = refuses("invalid-argument", () => new Keyring(options as KeyringOptions));
  expect(error.message).not.toContain(data.export().slice(10, 20));
});

test.each<[string, KeyringOptions, ErrorCode]>([
  ["primary", { primary: "" }, "invalid-key"],
  ["primary", { primary: 5 as never }, "invalid-argument"],
  ["index", { index: `${data.export()}x` }, "invalid-key"],
  ["decryptOnly", { primary: data, decryptOnly: [other, ""] }, "invalid-key"],
  ["introduced", { introduced: [null as never] }, "invalid-argument"],
  ["disabled", { disabled: ["x"] }, "invalid-key"],
  ["destroyed", { destroyed: ["x"] }, "invalid-argument"],
])("the message of a bad key names the option %s", (name, options, code) => {
  const { message } = refuses(code, () => new Keyring(options));
  expect(message.startsWith(`${name}: `), message).toBe(true);
});

test("options are read once, and undefined is as if left out", () => {
  let reads = 0;
  const options = { get primary() { return (reads += 1), data; }, index: undefined, disabled: undefined }; // prettier-ignore
  expect(new Keyring(options).primaryId).toBe(data.id);
  expect(reads).toBe(1);
});

test("printing and copying show ids and states only", () => {
  const ring = new Keyring({ primary: data, index, decryptOnly: [other] });
  const shown = ring.toString();
  expect(shown).toMatch(/^Keyring\(.*data \w{32} primary/);
  expect(inspect(ring)).toBe(shown);
  expect(JSON.stringify({ ring })).toBe(JSON.stringify({ ring: shown }));
  expect(structuredClone(ring)).toEqual({});
  expect(Reflect.ownKeys(ring)).toEqual([]);
  for (const key of [data, index, other]) {
    const secret = key.export().split(".")[2]!;
    expect(inspect(ring, { depth: 9, showHidden: true })).not.toContain(secret.slice(0, 10));
  }
});

test("a disposed ring and its fields are gone", () => {
  const ring = newRing();
  const field = ring.field({ table: "users" });
  const stored = ring.seal("x", context);
  ring.dispose();
  ring.dispose();
  for (const call of [
    () => ring.seal("x", context),
    () => ring.open(stored, context),
    () => ring.sealMany(["x"], context),
    () => ring.openMany([stored], context),
    () => ring.isCurrent(stored),
    () => ring.keys(),
    () => ring.primaryId,
    () => ring.field({}),
    () => ring.indexTerm("x", {}, { index: "i" }),
    () => field.seal("x"),
    () => field.open(stored),
    () => field.sealMany(["x"]),
    () => field.reseal(stored),
  ]) {
    expect(refuses("invalid-argument", call).message).toContain("disposed");
  }
  expect(ring.toString()).toBe("Keyring(disposed)");
  expect(ring[Symbol.dispose]).toBe(ring.dispose);
});

test("forgotten rings and keys are freed", async () => {
  // With more rings than memory would hold: 100,000 of about 3 KiB each.
  for (let round = 0; round < 100; round++) {
    for (let i = 0; i < 200; i++) new Keyring({ primary: data, decryptOnly: [other] });
    await new Promise((resolve) => setImmediate(resolve));
  }
  expect(newRing().seal("x", {})).toContain("rs1.");
});
