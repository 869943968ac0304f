// Blind indexes of columns, and types that reach what is resealed.
import { describe, expect, test } from "vitest";
import { codecs, Column, Key, Keyring, type Codec, type ColumnOptions, type IndexOptions } from "reseal"; // prettier-ignore
import { refuses } from "./support.js";

const primary = Key.generate();
const [first, second] = [Key.generate("index"), Key.generate("index")];
const context = { table: "users", column: "phone" };
const index: IndexOptions = { index: "phone_eq", normalizer: "digits", bits: 64 };
const ring = new Keyring({ primary, index: first });

const column = (keys = ring, options: Partial<ColumnOptions> = {}) =>
  new Column({ write: codecs.reseal(keys), context, indexes: [index], ...options });

describe("terms", () => {
  test("are those of the ring", () => {
    const term = column().indexTerm("555 010", "phone_eq", { tenant: 7 });
    expect(term).toBe(ring.indexTerm("555010", { ...context, tenant: 7 }, index));
    expect(column().indexTerms("555-010", "phone_eq", { tenant: 7 })).toEqual([term]);
    expect(column().indexTerms("555-010", "phone_eq")).not.toEqual([term]);
  });

  test("are asked for under every key", () => {
    const after = column(new Keyring({ primary, index: second, decryptOnly: [first] }));
    expect(after.indexTerms("555010", "phone_eq")).toEqual([
      after.indexTerm("555010", "phone_eq"),
      column().indexTerm("555010", "phone_eq"),
    ]);
  });

  test("are asked for with every context", () => {
    const [people, earlierContexts] = [{ ...context, table: "people" }, [context]];
    const keys = new Keyring({ primary, index: second, decryptOnly: [first] });
    const after = column(keys, { context: people, earlierContexts });
    const terms = after.indexTerms("555010", "phone_eq", { tenant: 7 });
    expect(new Set(terms).size).toBe(4);
    expect(terms[0]).toBe(after.indexTerm("555010", "phone_eq", { tenant: 7 }));
    expect(terms).toContain(column().indexTerm("555010", "phone_eq", { tenant: 7 }));
  });

  test("are the same for equal values", () => {
    const documents = new Column({
      write: codecs.reseal(ring),
      type: "json",
      indexes: [{ index: "doc" }],
    });
    const one = documents.indexTerm({ b: 1, a: [true] }, "doc");
    expect(documents.indexTerm({ a: [true], b: 1 }, "doc")).toBe(one);
    expect(documents.indexTerm({ a: [true], b: 2 }, "doc")).not.toBe(one);
  });

  test("are null for null", () => {
    expect(column().indexTerm(null, "phone_eq")).toBeNull();
    expect(column().indexTerms(null, "phone_eq")).toBeNull();
  });

  test("come from the ring that is read where a foreign codec is written", () => {
    const write = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
    const back = column(ring, { write, read: [codecs.reseal(ring)] });
    expect(back.indexTerm("555010", "phone_eq")).toBe(column().indexTerm("555010", "phone_eq"));
    const without = new Column({ write, indexes: [index] });
    refuses("invalid-argument", () => without.indexTerm("555010", "phone_eq"));
  });

  test("are refused for what is wrong", () => {
    refuses("invalid-argument", () => column().indexTerm("x", "other"));
    refuses("invalid-argument", () => column().indexTerm(7 as never, "phone_eq"));
    refuses("invalid-argument", () => column().indexTerm("x", 7 as never));
    refuses("context-invalid", () => column().indexTerm("x", "phone_eq", { Bad: 1 }));
    refuses("no-primary", () => column(new Keyring({ primary })).indexTerm("x", "phone_eq"));
  });
});

test.each([
  [7],
  [[7]],
  [["phone_eq"]],
  [[{}]],
  [[{ index: "phone_eq", hash: "md5" }]],
  [[{ index: "Phone" }]],
  [[{ index: "phone_eq", bits: 7 }]],
  [[{ index: "phone_eq", bits: "64" }]],
  [[{ index: "phone_eq", normalizer: "soundex" }]],
  [[index, index]],
])("indexes that are wrong: %j", (indexes) => {
  refuses("invalid-argument", () => column(ring, { indexes: indexes as never }));
});

test("a column of foreign spellings becomes canonical", () => {
  const numbers = new Column({
    write: codecs.reseal(ring),
    read: [codecs.plain()],
    type: "decimal",
    mode: "deterministic",
  });
  const values = ["1.50", "1.5", "15E-1"].map((spelling) => numbers.reseal(spelling));
  const sealed = values.map((found) => (found.outcome === "resealed" ? found.value : found));
  expect(new Set(sealed).size).toBe(1);
  expect(numbers.reseal("one and a half")).toMatchObject({ outcome: "refused", code: "value-invalid" }); // prettier-ignore
});

describe("lookupValues", () => {
  const [older, newer] = [Key.generate(), Key.generate()];
  const ring = new Keyring({ primary: newer, decryptOnly: [older] });
  const context = { table: "users", column: "mail" };
  const alchemy = (keys: string[]) => codecs.sqlalchemyUtils({ keys, padding: "pkcs5" });
  const mail = (write: Codec, read: Codec[] = []) =>
    new Column({ write, read, context, mode: "deterministic" });

  test("it asks for all that a value may be stored as", () => {
    const read = [alchemy(["new", "old"]), codecs.plain()];
    const column = mail(codecs.reseal(ring), read);
    const before = mail(codecs.reseal(new Keyring({ primary: older })));
    const asked = column.lookupValues("a@b.example", { tenant: 7 });
    expect(asked).toEqual([
      column.seal("a@b.example", { tenant: 7 }),
      before.seal("a@b.example", { tenant: 7 }),
      ...["new", "old"].map((key) => mail(alchemy([key])).seal("a@b.example")),
      "a@b.example",
    ]);
    for (const stored of asked) {
      expect(column.open(stored, { tenant: 7 }).value).toBe("a@b.example");
    }
    expect(column.lookupValues(null)).toBeNull();
  });

  test("bytes of a binary column, in the spelling of its type", () => {
    const column = new Column({ write: codecs.plain(), type: "integer", binary: true });
    expect(column.lookupValues(42n)).toEqual([new TextEncoder().encode("42")]);
  });

  test("envelopes of a binary column in both forms", () => {
    const envelopes = (keys: Keyring) =>
      new Column({ write: codecs.reseal(keys), mode: "deterministic", binary: true });
    const [text] = new Keyring({ primary: older }).lookupValues("x", {});
    const stored = new TextEncoder().encode(text);
    const before = new Keyring({ primary: older });
    expect(envelopes(before).lookupValues("x")).toEqual([
      ...before.lookupValuesBinary("x", {}),
      stored,
    ]);
    // Resealing leaves a row its text.
    const moved = envelopes(ring).reseal(stored);
    if (moved.outcome !== "resealed") throw new Error(moved.outcome);
    expect(envelopes(ring).lookupValues("x")).toContainEqual(moved.value);
  });

  test("a codec whose values vary is named", () => {
    const write = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
    for (const column of [mail(write), mail(codecs.plain(), [write])]) {
      const { message } = refuses("invalid-argument", () => column.lookupValues("x"));
      expect(message).toMatch(/^the codec fernet, of kind fernet, stores equal values differently/);
    }
    refuses("invalid-argument", () => new Column({ write: codecs.reseal(ring) }).lookupValues("x"));
    refuses("context-invalid", () => mail(codecs.reseal(ring)).lookupValues("x", { Row: 1 }));
  });
});
