// Text of any length and any bytes: an error of this package, never another one, and no memory
// that grows with what is refused.
import { expect, test } from "vitest";

const { instances } = await import("./fixtures/instances.js");
const { codecs, inspect, Key, Keyring, ResealError, toBinary, toText } = await import("reseal");

const ring = new Keyring({ primary: Key.generate() });
const prefix = `rs1.${ring.primaryId}.`;
const MB = 1_000_000;

const texts: [string, string][] = [
  ["empty", ""],
  ["NUL", "\0"],
  ["NULs in front", `\0${prefix}`],
  ["a lone surrogate", "\ud800"],
  ["an envelope with a lone surrogate", `${prefix}${"A".repeat(80)}\udfff`],
  ["emoji", "🔐".repeat(1000)],
  ["an envelope of emoji", `${prefix}🔐`],
  ["characters that are base64 without their high bits", `${prefix}${"ŁŁŁŁ".repeat(30)}`],
  ["100 MB of one character", "x".repeat(100 * MB)],
  ["100 MB of emoji", "🔐".repeat(25 * MB)],
  ["100 MB that start like an envelope", prefix + "A".repeat(100 * MB)],
  ["100 MB of a later version", prefix.replace("rs1", "rs9") + "A".repeat(100 * MB)],
  ["100 MB that end badly", `${prefix}${"A".repeat(100 * MB)}\n`],
  ["100 MB that begin badly", `${prefix}!${"A".repeat(100 * MB)}`],
];

const CODE: Record<string, string> = {
  "an envelope with a lone surrogate": "malformed",
  "an envelope of emoji": "malformed",
  "characters that are base64 without their high bits": "malformed",
  "100 MB that start like an envelope": "too-large",
  "100 MB of a later version": "unsupported-version",
  "100 MB that end badly": "malformed",
  "100 MB that begin badly": "malformed",
};

test.each(texts)("as stored text: %s", (name, text) => {
  const expected = CODE[name] ?? "not-envelope";
  for (const call of [
    () => inspect(text),
    () => toBinary(text),
    () => ring.open(text, {}),
    () => ring.openString(text, {}),
    () => ring.isCurrent(text),
    () => ring.reseal(text, {}),
    () => ring.field({}).open(text),
  ]) {
    expect(codeOf(call)).toBe(expected);
  }
  expect(ring.openMany([text], {})[0]).toMatchObject({ code: expected });
});

test.each(texts)("as key text: %s", (_, text) => {
  expect(codeOf(() => Key.parse(text))).toBe("invalid-key");
  expect(codeOf(() => new Keyring({ primary: text }))).toBe("invalid-key");
  expect(codeOf(() => Keyring.fromEnv({ RESEAL_PRIMARY_KEY: text }))).toMatch(
    /\p{Surrogate}|\ufffd/u.test(text) ? /^source-unreadable$/ : /^(invalid-key|source-missing)$/,
  );
});

test("as stored bytes", () => {
  const start = toBinary(ring.seal("", {}));
  const long = new Uint8Array(100 * MB);
  long.set(start);
  const bytes: [Uint8Array, string][] = [
    [new Uint8Array(0), "not-envelope"],
    [new Uint8Array(100 * MB), "not-envelope"],
    [new Uint8Array(100 * MB).fill(255), "not-envelope"],
    [long, "too-large"],
    [long.slice().fill(9, 4, 5), "unsupported-version"],
    [long.slice().fill(9, 25, 26), "unsupported-mode"],
    [new TextEncoder().encode(ring.seal("", {})), "not-envelope"],
    [start.slice(0, 40), "malformed"],
  ];
  for (const [stored, expected] of bytes) {
    for (const call of [
      () => inspect(stored),
      () => toText(stored),
      () => ring.openBinary(stored, {}),
      () => ring.isCurrentBinary(stored),
      () => ring.resealBinary(stored, {}),
    ]) {
      expect(codeOf(call)).toBe(expected);
    }
    expect(ring.openManyBinary([stored], {})[0]).toMatchObject({ code: expected });
  }
});

test("other types are invalid-argument", () => {
  for (const value of [undefined, null, 1, {}, [], Symbol("s"), () => ""] as never[]) {
    for (const call of [
      () => inspect(value),
      () => toBinary(value),
      () => toText(value),
      () => ring.open(value, {}),
      () => ring.openBinary(value, {}),
      () => ring.isCurrent(value),
      () => Key.parse(value),
    ]) {
      expect(codeOf(call)).toBe("invalid-argument");
    }
  }
});

test("bytes whose buffer was transferred, or has shrunk, fail alone", () => {
  const context = { row: 1 };
  const stored = ring.seal("x", context);
  for (const gone of [transferred(), shrunk()]) {
    for (const call of [
      () => ring.seal(gone, context),
      () => ring.openBinary(gone, context),
      () => inspect(gone),
      () => Key.fromBytes("data", gone),
      () => codecs.plain().open(gone),
    ]) {
      expect(codeOf(call)).toBe("invalid-argument");
    }
    expect(() => ring.seal(gone, context)).toThrow("the buffer of this one was transferred");
    expect(codeOf(() => ring.seal("x", { row: gone }))).toBe("context-invalid");
    const [first, second] = ring.sealMany(["a", gone], context);
    expect(ring.openString(first as string, context)).toBe("a");
    expect(second).toMatchObject({ code: "invalid-argument" });
    const opened = ring.openManyString([stored], [{ row: gone }]);
    expect(opened).toMatchObject([{ code: "context-invalid" }]);
  }
  expect(ring.open(ring.seal(new Uint8Array(0), context), context)).toHaveLength(0);
});

test("the memory of the module did not grow with it, and the module still works", () => {
  expect(instances).toHaveLength(1);
  expect(memoryBytes()).toBeLessThan(8 * MB);
  expect(ring.openString(ring.seal("x", {}), {})).toBe("x");
});

test("after the largest values their memory is used again", () => {
  const most = new Uint8Array(2 ** 24);
  for (let i = 0; i < 3; i++) ring.open(ring.seal(most, {}), {});
  const bytes = memoryBytes();
  for (let i = 0; i < 5; i++) ring.open(ring.seal(most, {}), {});
  expect(memoryBytes()).toBe(bytes);
  expect(bytes).toBeLessThan(150 * MB);
});

/** An array as it is after a worker was sent its memory. */
function transferred(): Uint8Array {
  const bytes = Uint8Array.of(1, 2, 3);
  structuredClone(bytes, { transfer: [bytes.buffer] });
  return bytes;
}

/** An array that its buffer has no room for any more. */
function shrunk(): Uint8Array {
  const buffer = new (ArrayBuffer as unknown as Resizable)(8, { maxByteLength: 16 });
  const bytes = new Uint8Array(buffer, 4, 4);
  buffer.resize(2);
  return bytes;
}

/** Newer than the library that these tests are checked with. */
type Resizable = new (
  length: number,
  options: { maxByteLength: number },
) => ArrayBuffer & { resize(length: number): void };

function memoryBytes(): number {
  return (instances[0]!.exports["memory"] as WebAssembly.Memory).buffer.byteLength;
}

function codeOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    if (error instanceof ResealError) return error.code;
    throw error;
  }
  return "ok";
}

test("NULL is told from a value of another type", () => {
  for (const none of [null, undefined]) {
    expect(messageOf(() => ring.open(none as never, {}))).toBe(
      `a stored value here is text, not ${none}: NULL stays NULL`,
    );
    expect(messageOf(() => ring.openBinary(none as never, {}))).toBe(
      `a stored value here is a Uint8Array, not ${none}: NULL stays NULL`,
    );
  }
  expect(messageOf(() => ring.open(new Uint8Array(1) as never, {}))).toContain("another method");
});

function messageOf(call: () => unknown): string {
  try {
    call();
  } catch (error) {
    expect(error).toMatchObject({ code: "invalid-argument" });
    return (error as Error).message;
  }
  throw new Error("it is not refused");
}
