// Contexts: what is accepted, what means the same, what is refused.
import { runInNewContext } from "node:vm";
import { expect, test } from "vitest";
import { Key, type Context } from "reseal";
import { newRing, refuses } from "./support.js";

const ring = newRing();
const sealed = (context: Context) => ring.seal("x", context, "deterministic");

test.each<[string, Context, Context]>([
  ["number and text", { row: 42 }, { row: "42" }],
  ["bigint and text", { row: 12345678901234567890n }, { row: "12345678901234567890" }],
  ["negative", { row: -7 }, { row: "-7" }],
  ["minus zero", { row: -0 }, { row: "0" }],
  ["bytes and text", { row: new TextEncoder().encode("hé") }, { row: "hé" }],
  ["largest integer", { row: Number.MAX_SAFE_INTEGER }, { row: "9007199254740991" }],
  ["order", { a: 1, b: 2, c: 3 }, { c: 3, a: 1, b: 2 }],
  ["order of long values", { a: "x".repeat(4096), b: "y" }, { b: "y", a: "x".repeat(4096) }],
  ["null prototype", Object.assign(Object.create(null) as Context, { a: 1 }), { a: 1 }],
  ["another realm", runInNewContext("({ a: 1, b: 'ä' })") as Context, { a: 1, b: "ä" }],
  ["bytes of another realm", { a: runInNewContext("Uint8Array.of(65)") as Uint8Array }, { a: "A" }],
  ["getters", Object.defineProperty({}, "a", { get: () => 1, enumerable: true }), { a: 1 }],
  ["a well-behaved proxy", new Proxy({ a: 1 }, {}), { a: 1 }],
  ["hidden and inherited members", Object.defineProperty({ a: 1 }, "b", { value: 2 }), { a: 1 }],
  ["symbols", { a: 1, [Symbol("s")]: 2 } as Context, { a: 1 }],
])("%s means the same", (_, one, other) => {
  expect(sealed(one)).toBe(sealed(other));
});

test("different contexts are different", () => {
  const contexts: Context[] = [
    {},
    { a: "" },
    { a: "1" },
    { a: "01" },
    { b: "1" },
    { a: "1", b: "" },
  ];
  expect(new Set(contexts.map(sealed)).size).toBe(contexts.length);
});

test("the limits themselves are legal", () => {
  const names = Array.from({ length: 16 }, (_, i) => [`n${i}`, "v".repeat(4096)]);
  const full = Object.fromEntries(names) as Context;
  expect(ring.openString(ring.seal("x", full), full)).toBe("x");
  const wide = { a: "é".repeat(2048), ["b".repeat(32)]: new Uint8Array(4096) };
  expect(ring.openString(ring.seal("x", wide), wide)).toBe("x");
});

const revoked = Proxy.revocable({}, {});
revoked.revoke();
const throwing = (trap: string) =>
  new Proxy({ a: 1 }, { [trap]: () => { throw new TypeError("thrown by user code"); } }); // prettier-ignore
const endless: object = {};
Object.defineProperty(endless, "a", {
  enumerable: true,
  get(): unknown {
    return (endless as { a: unknown }).a;
  },
});

test.each<[string, unknown]>([
  ["undefined", undefined],
  ["null", null],
  ["a string", "table=users"],
  ["a number", 1],
  ["an array", [["table", "users"]]],
  ["a Map", new Map([["table", "users"]])],
  ["a Date", new Date()],
  ["a class instance", new (class { a = 1; })()], // prettier-ignore
  ["a function", () => ({})],
  ["a revoked proxy", revoked.proxy],
  ["a proxy that throws: ownKeys", throwing("ownKeys")],
  ["a proxy that throws: get", throwing("get")],
  ["a proxy that throws: getPrototypeOf", throwing("getPrototypeOf")],
  ["a proxy that throws: descriptors", throwing("getOwnPropertyDescriptor")],
  ["a getter that throws", { get a() { throw new Error("user code"); } }], // prettier-ignore
  ["a getter without end", endless],
  ["a float", { a: 1.5 }],
  ["NaN", { a: NaN }],
  ["infinity", { a: Infinity }],
  ["an unsafe integer", { a: 2 ** 53 }],
  ["a boolean", { a: true }],
  ["a null value", { a: null }],
  ["an undefined value", { a: undefined }],
  ["a Date value", { a: new Date() }],
  ["a String object", { a: new String("x") }],
  ["a nested object", { a: {} }],
  ["a nested array", { a: [1] }],
  ["a symbol value", { a: Symbol("x") }],
  ["a function value", { a: () => 1 }],
  ["an ArrayBuffer value", { a: new ArrayBuffer(1) }],
  ["another typed array", { a: new Uint16Array(1) }],
  ["a proxy of bytes", { a: new Proxy(new Uint8Array(1), {}) }],
  ["a lone surrogate", { a: "x\ud800" }],
  ["a lone surrogate in a name", { "a\ud800": 1 }],
  ["an empty name", { "": 1 }],
  ["an upper-case name", { Table: 1 }],
  ["a name with a digit first", { "1a": 1 }],
  ["a name that is not ASCII", { tÿpe: 1 }],
  ["a name that would be ASCII without its high bits", { ŴŷŹ: 1 }],
  ["a name of 33 characters", { ["a".repeat(33)]: 1 }],
  ["a very long name", { ["a".repeat(100_000)]: 1 }],
  ["a reserved name", { rs_x: 1 }],
  ["17 pairs", Object.fromEntries(Array.from({ length: 17 }, (_, i) => [`n${i}`, i]))],
  ["100,000 pairs", Object.fromEntries(Array.from({ length: 100_000 }, (_, i) => [`n${i}`, i]))],
  ["4097 bytes", { a: new Uint8Array(4097) }],
  ["4097 characters", { a: "a".repeat(4097) }],
  ["4097 bytes of fewer characters", { a: `a${"é".repeat(2048)}` }],
  ["100 MB", { a: "a".repeat(100_000_000) }],
  ["100 MB of bytes", { a: new Uint8Array(100_000_000) }],
  ["an integer of 5,000 digits", { a: 10n ** 5000n }],
])("%s is context-invalid everywhere", (_, bad) => {
  const context = bad as Context;
  const stored = ring.seal("x", {});
  const field = ring.field({ table: "users" });
  for (const call of [
    () => ring.seal("x", context),
    () => ring.sealBinary("x", context),
    () => ring.open(stored, context),
    () => ring.openString(stored, context),
    () => ring.reseal(stored, context),
    () => ring.lookupValues("x", context),
    () => ring.indexTerm("x", context, { index: "i" }),
    () => ring.field(context),
    ...(bad === undefined
      ? []
      : [() => field.seal("x", context), () => field.open(stored, context)]),
    ...(isList(bad) ? [] : [() => ring.sealMany(["x"], context)]),
    ...(isList(bad) ? [] : [() => ring.openMany([stored], context)]),
  ]) {
    refuses("context-invalid", call);
  }
  const outcomes = [
    ...ring.sealMany(["x", "y"], [context, { row: 1 }]),
    ...ring.openMany([stored, stored], [context, {}]),
  ];
  expect(outcomes[0]).toMatchObject({ code: "context-invalid" });
  expect(outcomes[1]).toBeTypeOf("string");
  expect(outcomes[2]).toMatchObject({ code: "context-invalid" });
  expect(outcomes[3]).toEqual(new TextEncoder().encode("x"));
});

function isList(value: unknown): boolean {
  return value !== revoked.proxy && Array.isArray(value);
}

test("a context that seals while it is read disturbs nothing", () => {
  const other = newRing();
  const nosy = () =>
    Object.defineProperty({ table: "users" }, "row", {
      enumerable: true,
      get: () => (other.seal("another value", { table: "other" }), 42),
    }) as unknown as Context;
  const plain = { table: "users", row: 42 };
  expect(ring.openString(ring.seal("x", nosy()), plain)).toBe("x");
  const many = ring.sealMany(["x", "y", "z"], [nosy(), plain, nosy()]);
  expect(ring.openManyString(many as string[], plain)).toEqual(["x", "y", "z"]);
  const field = ring.field({ column: "c" });
  const stored = field.sealMany(["x", "y"], { contexts: [nosy(), nosy()] });
  expect(field.openManyString(stored as string[], { contexts: [plain, nosy()] })).toEqual([
    "x",
    "y",
  ]);
});

test("a value is refused as what it is also where its context made the memory grow", () => {
  const pairs = Array.from({ length: 16 }, (_, i) => [`name${i}`, "x".repeat(4000)]);
  const context = Object.fromEntries(pairs) as Record<string, string>;
  const kept = [];
  for (let i = 0; i < 6000; i++) {
    kept.push(Key.generate());
    if (i % 3 === 0) refuses("invalid-argument", () => ring.seal(7 as never, context));
  }
  expect(kept).toHaveLength(6000);
});

test("an error says which value is meant, and never repeats what is no name", () => {
  const message = (context: unknown) => {
    return refuses("context-invalid", () => ring.seal("x", context as Context)).message;
  };
  const rest = "give text, a Uint8Array, a safe integer or a bigint";
  expect(message({ table: "users", row: undefined })).toBe(
    `the context value of row is undefined: ${rest}`,
  );
  expect(message({ tenant: null })).toBe(`the context value of tenant is null: ${rest}`);
  expect(message({ flag: true })).toBe(`the context value of flag is boolean: ${rest}`);
  expect(message({ row: 1.5 })).toContain("the context value of row is no safe integer");
  for (const bad of [null, 1.5]) {
    expect(message({ "078-05-1120": bad })).toMatch(/^a context value is /);
  }
});
