// Typed values: what JavaScript gives, what is stored, what comes back.
import { runInNewContext } from "node:vm";
import fc from "fast-check";
import { expect, expectTypeOf, test } from "vitest";
import { codecs, Column, Key, Keyring, type ColumnInputs, type ColumnType } from "reseal";
import { refuses } from "./support.js";

const plain = codecs.plain();
const ring = new Keyring({ primary: Key.generate() });
const sealed = codecs.reseal(ring);

/** A column of plaintext, in which the spelling can be seen. */
const shown = <T extends ColumnType>(type: T) => new Column({ write: plain, type });

const GOOD: { [T in ColumnType]: [value: ColumnInputs[T], stored: string, back?: unknown][] } = {
  text: [["", ""], ["é🌍", "é🌍"], [" x ", " x "]], // prettier-ignore
  bytes: [[Buffer.from("x"), "x", Uint8Array.of(120)]],
  integer: [[0n, "0"], [-0, "0", 0n], [42, "42", 42n], [-(10n ** 60n), `-1${"0".repeat(60)}`]], // prettier-ignore
  decimal: [["12.50", "12.5", "12.5"], ["1e3", "1000", "1000"], ["-0", "0", "0"]], // prettier-ignore
  boolean: [[true, "true"], [false, "false"]], // prettier-ignore
  date: [["2024-02-29", "2024-02-29"]],
  time: [["12:30", "12:30:00", "12:30:00"], ["23:59:59.500", "23:59:59.5", "23:59:59.5"]], // prettier-ignore
  timestamp: [
    [new Date(Date.UTC(2024, 1, 29, 12, 30, 0, 250)), "2024-02-29T12:30:00.25Z", "2024-02-29T12:30:00.25Z"], // prettier-ignore
    [runInNewContext("new Date(0)") as Date, "1970-01-01T00:00:00Z", "1970-01-01T00:00:00Z"],
    ["2024-02-29 12:30:00.123456+02", "2024-02-29T10:30:00.123456Z", "2024-02-29T10:30:00.123456Z"],
    ["2024-02-29T12:30:00", "2024-02-29T12:30:00"],
  ],
  uuid: [["00112233445566778899AABBCCDDEEFF", "00112233-4455-6677-8899-aabbccddeeff", "00112233-4455-6677-8899-aabbccddeeff"]], // prettier-ignore
  json: [[{ b: 1, a: [null, "é", 1.5] }, '{"b":1,"a":[null,"é",1.5]}'], ["x", '"x"'], [0, "0"], [new Date(0), '"1970-01-01T00:00:00.000Z"', "1970-01-01T00:00:00.000Z"]], // prettier-ignore
};

const each = Object.entries(GOOD).flatMap(([type, cases]) =>
  cases.map(([value, stored, back = value]) => ({ type: type as ColumnType, value, stored, back })),
);

test.each(each)("$type: $stored", ({ type, value, stored, back }) => {
  const column = shown(type);
  expect(column.seal(value as never)).toBe(stored);
  expect(column.open(stored).value).toEqual(back);
  const other = new Column({ write: sealed, type, binary: true, context: { table: "t" } });
  const bytes = other.seal(value as never, { row: 1 });
  expect(bytes).toBeInstanceOf(Uint8Array);
  expect(other.open(bytes, { row: 1 }).value).toEqual(back);
});

const symbol = Symbol("s");
const WRONG: { [T in ColumnType]: unknown[] } = {
  text: [1, true, Buffer.from("x"), {}, symbol],
  bytes: ["x", 1, new ArrayBuffer(1), [1]],
  integer: ["1", 1.5, NaN, 2 ** 53, true, Infinity],
  decimal: [1.5, 1n, true],
  boolean: [1, "true", 0n],
  date: [new Date(), 0],
  time: [new Date(), 0],
  timestamp: [0, 0n, {}],
  uuid: [1n, Buffer.alloc(16)],
  json: [],
};

test.each(Object.entries(WRONG))("%s: a value of another type is refused", (type, values) => {
  const column = shown(type as ColumnType);
  for (const value of values) refuses("invalid-argument", () => column.seal(value as never));
  if (type !== "json") refuses("invalid-argument", () => column.seal(undefined as never));
});

class Plain {
  field = 1;
}
const without = [
  new Map([[1, 2]]), new Set([1]), /secret/, new Error("secret"), Uint8Array.of(1), new ArrayBuffer(1),
  new WeakMap(), Promise.resolve(1), new Plain(), Object(1n), Object(symbol), new Number(NaN), new Date(NaN),
  { toJSON: () => null }, { toJSON: () => new Map() }, () => 1, symbol,
]; // prettier-ignore

test("JSON refuses what it would change, wherever it stands", () => {
  const column = shown("json");
  for (const value of without) {
    for (const place of [value, [value], { a: value }, { a: [{ b: value }] }]) {
      const { message } = refuses("value-invalid", () => column.seal(place));
      expect(message).not.toContain("secret");
    }
  }
});

test("JSON takes what stands for itself", () => {
  const column = shown("json");
  const elsewhere = runInNewContext('({ a: [1, { b: "x" }] })') as object;
  for (const [value, stored] of [
    [elsewhere, '{"a":[1,{"b":"x"}]}'],
    [Object.create(null), "{}"],
    [{ a: undefined, b: null, c: [null] }, '{"b":null,"c":[null]}'],
    [[new Number(1), new String("x"), new Boolean(false)], '[1,"x",false]'],
    [{ at: new Date(0), url: new URL("https://a.example/") }, '{"at":"1970-01-01T00:00:00.000Z","url":"https://a.example/"}'],
    [{ toJSON: () => ({ a: 1 }) }, '{"a":1}'],
  ] as const) {
    expect(column.seal(value)).toBe(stored);
  }
}); // prettier-ignore

test.each([
  "9007199254740993",
  '{"id":9007199254740993}',
  '{"a":"9007199254740993","b":[0,-9007199254740993]}',
  '["\\"",9007199254740993]',
  '["\\\\",9007199254740993]',
  "1e400",
  "-1E+400",
  `1${"0".repeat(400)}`,
  "123456789012345678901234567890",
])("JSON with a number that JavaScript changes is not opened: %s", (stored) => {
  const column = new Column({ write: sealed, read: [plain], type: "json" });
  const { message } = refuses("value-invalid", () => column.open(stored));
  expect(message).toBe("this JSON has a number that JavaScript would round: keep it as text");
  expect(column.openMany([stored, "1"])).toMatchObject([{ code: "value-invalid" }, { value: 1 }]);
  expect(column.reseal(stored).outcome).toBe("resealed");
});

test.each([
  ["9007199254740991", 9007199254740991],
  ["9007199254740992", 2 ** 53],
  ["-9007199254740992", -(2 ** 53)],
  ["1152921504606847000", 2 ** 60],
  ["1000000000000000000000", 1e21],
  ['["4111111111111111","9007199254740993","\\\\"]', ["4111111111111111", "9007199254740993", "\\"]],
  ['"\\"9007199254740993,"', '"9007199254740993,'],
  ["0.30000000000000004", 0.1 + 0.2],
  ["0.1234567890123456789", 0.12345678901234568],
  ["1e100", 1e100],
  ["1e-400", 0],
  ['{"1e400":1}', { "1e400": 1 }],
])("JSON with a number that JavaScript keeps is opened: %s", (stored, value) => {
  expect(shown("json").open(stored).value).toEqual(value);
}); // prettier-ignore

test("every number that is sealed opens", () => {
  const column = shown("json");
  fc.assert(
    fc.property(fc.double({ noNaN: true, noDefaultInfinity: true }), (number) => {
      expect(column.open(column.seal({ number })).value).toEqual(JSON.parse(JSON.stringify({ number })));
    }),
    { numRuns: 1000, examples: [[2 ** 53], [2 ** 64], [1e21], [Number.MAX_VALUE], [5e-324]] },
  );
}); // prettier-ignore

test("an integer has at most 100,000 digits", () => {
  const column = shown("integer");
  const most = 10n ** 100_000n - 1n;
  for (const value of [most, -most]) {
    expect(column.seal(value)).toBe(String(value));
    expect(column.open(String(value)).value).toBe(value);
  }
  for (const value of [most + 1n, -most - 1n, 1n << 4_000_000n]) {
    refuses("value-invalid", () => column.seal(value));
  }
  for (const stored of [`1${"0".repeat(100_000)}`, `-1${"0".repeat(100_000)}`]) {
    refuses("value-invalid", () => column.open(stored));
    expect(column.openMany([stored, "1"])).toMatchObject([{ code: "value-invalid" }, { value: 1n }]);
  }
}); // prettier-ignore

const cycle: unknown[] = [];
cycle.push(cycle);
const thrower = {
  toJSON() {
    throw new Error("user code");
  },
};

test.each<[ColumnType, unknown[]]>([
  ["json", [NaN, [Infinity], { a: -Infinity }, 1n, [undefined], [symbol], cycle, thrower, undefined, symbol, () => 1]], // prettier-ignore
  [
    "timestamp",
    [
      new Date(NaN),
      runInNewContext("new Date(NaN)") as Date,
      new Date(8.64e15),
      "yesterday",
      "2024-02-30T00:00:00",
    ],
  ],
  ["decimal", ["NaN", "Infinity", "", "1,5", "secret"]],
  ["date", ["2023-02-29", "2024-1-1", "0000-01-01"]],
  ["time", ["24:00:00", "12:00:60"]],
  ["uuid", ["00112233", "g".repeat(32)]],
])("%s: what has no canonical form is refused, and not repeated", (type, values) => {
  const column = shown(type);
  for (const value of values) {
    const error = refuses("value-invalid", () => column.seal(value as never));
    if (typeof value === "string" && value !== "") expect(error.message).not.toContain(value);
  }
});

test("a stored value that is none of the type is refused when it is opened", () => {
  const stored = { integer: "x1", decimal: "x", boolean: "yes", date: "x", time: "x", timestamp: "x", uuid: "x", json: "{" }; // prettier-ignore
  for (const [type, value] of Object.entries(stored)) {
    refuses("value-invalid", () => shown(type as ColumnType).open(value));
  }
  refuses("invalid-text", () => shown("text").open(Uint8Array.of(255)));
  expect(shown("bytes").open(Uint8Array.of(255)).value).toEqual(Uint8Array.of(255));
});

test("in mode deterministic equal JSON is one value", () => {
  const column = new Column({ write: sealed, type: "json", mode: "deterministic" });
  expect(column.seal({ b: 1, a: 2 })).toBe(column.seal({ a: 2, b: 1.0 }));
  refuses("value-invalid", () => column.open(ring.seal('{"a":1,"a":2}', {})));
  const number = new Column({ write: sealed, type: "decimal", mode: "deterministic" });
  expect(number.seal("1.10")).toBe(number.seal("+1.1e0"));
});

test("null is no value", () => {
  for (const type of Object.keys(GOOD) as ColumnType[]) {
    expect(shown(type).seal(null)).toBeNull();
    expect(shown(type).open(null)).toBeNull();
  }
});

test("any integer, text and JSON comes back", () => {
  const run = (
    type: ColumnType,
    values: fc.Arbitrary<unknown>,
    same = (value: unknown) => value,
  ) => {
    const column = new Column({ write: sealed, type });
    fc.assert(
      fc.property(values, (value) => {
        expect(column.open(column.seal(value as never)!).value).toEqual(same(value));
      }),
      { numRuns: 200 },
    );
  };
  run("integer", fc.bigInt());
  run("text", fc.string({ unit: "binary" }));
  run("bytes", fc.uint8Array());
  run("json", fc.jsonValue().filter((value) => value !== null), (value) => JSON.parse(JSON.stringify(value))); // prettier-ignore
});

test("the types say what goes in and what comes out", () => {
  const integer = new Column({ write: plain, type: "integer" });
  expectTypeOf(integer.open("1").value).toEqualTypeOf<bigint>();
  expectTypeOf(integer.seal(1n)).toEqualTypeOf<string>();
  expectTypeOf(integer.seal).toBeCallableWith(null);
  expectTypeOf(new Column({ write: plain }).open("1").value).toEqualTypeOf<string>();
  const binary = new Column({ write: plain, type: "json", binary: true });
  expectTypeOf(binary.seal({})).toMatchTypeOf<Uint8Array>();
  expectTypeOf(binary.open("1").value).toEqualTypeOf<unknown>();
  // @ts-expect-error a float is no decimal
  refuses("invalid-argument", () => new Column({ write: plain, type: "decimal" }).seal(1.5));
});
