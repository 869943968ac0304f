// Contexts: the caller's facts, read from an object and written as pairs. The core has the rules.
import { checkContext as check } from "../pkg/reseal_wasm.js";
import { ready, type Limits } from "./engine.js";
import { ResealError } from "./errors.js";
import {
  copyInput,
  input,
  succeeded,
  wipeInput,
  writeAscii,
  writeBytes,
  writeText,
  writeU16,
  writeU8,
} from "./memory.js";
import { byteLength, isBytes, isWellFormed } from "./value.js";

/** A fact about a value: text, bytes, or an integer (which is its decimal digits). */
export type ContextValue = string | number | bigint | Uint8Array;

/**
 * Facts about a stored value that must be the same when it is opened as when it was sealed:
 * at most 16 pairs of a name (`[a-z][a-z0-9_]{0,31}`) and a value of at most 4096 bytes. The order
 * of the pairs does not matter, and `42` is the same as `"42"`.
 *
 * @example
 * const context = { table: "users", column: "ssn", row: 42 };
 */
export type Context = Readonly<Record<string, ContextValue>>;

/** A context that has been read from its object: no user code runs any more. */
export interface Pairs {
  readonly names: readonly string[];
  readonly values: readonly unknown[];
}

/** The most that a context can take, with one pair too many. */
export const CONTEXT_ROOM = 80 * 1024;

export const NO_PAIRS: Pairs = { names: [], values: [] };

/** Reads an object. Whatever it does (getters, proxies), the only error is `context-invalid`. */
export function readContext(context: unknown): Pairs {
  let pairs: Pairs | undefined;
  try {
    if (isPlainObject(context)) {
      pairs = { names: Object.keys(context), values: Object.values(context) };
    }
  } catch {
    // A getter or a proxy that throws: refused below.
  }
  if (pairs === undefined || pairs.names.length !== pairs.values.length) {
    throw invalid('a context is a plain object such as { table: "users", column: "ssn" }');
  }
  return pairs;
}

/** As {@link readContext}, for pairs that may be left out. */
export function readExtra(context: unknown): Pairs {
  return context === undefined ? NO_PAIRS : readContext(context);
}

/** As {@link readContext}, with its error as a result: for the contexts of a batch. */
export function attempted(context: unknown): Pairs | ResealError {
  try {
    return readContext(context);
  } catch (error) {
    return error as ResealError;
  }
}

/** As {@link attempted}, for pairs that may be left out. */
export function attemptedExtra(context: unknown): Pairs | ResealError {
  return context === undefined ? NO_PAIRS : attempted(context);
}

/** What was {@link attempted}. */
export function pairsOf(attempt: Pairs | ResealError): Pairs {
  if (attempt instanceof ResealError) throw attempt;
  return attempt;
}

/** Writes pairs at an offset of the input, and gives the offset after them. */
export function writePairs(pairs: Pairs, offset: number): number {
  const limits = ready();
  const base = input(offset, offset + CONTEXT_ROOM);
  const { names, values } = pairs;
  const count = Math.min(names.length, limits.contextPairs + 1);
  let at = base + offset;
  for (let i = 0; i < count; i++) at = writePair(names[i]!, values[i], at, limits);
  return at - base;
}

/** Writes one pair at an address, and gives the address after it. */
export function writePair(name: string, value: unknown, at: number, limits: Limits): number {
  const short =
    name.length > limits.contextNameChars ? name.slice(0, limits.contextNameChars + 1) : name;
  const start = at + 3 + short.length;
  // One byte more than allowed is enough for the core to refuse the value.
  const length = writeValue(name, value, start, limits.contextValueBytes + 1);
  writeU8(short.length, at);
  writeU16(length, at + 1);
  writeAscii(short, at + 3);
  return start + length;
}

/** The pairs of a context as bytes, for use in many calls. */
export function encodeContext(context: unknown): Uint8Array {
  const used = writePairs(readContext(context), 0);
  const pairs = copyInput(used);
  succeeded(check(used));
  return pairs;
}

/** Throws the error of the context in the input, if it has one; then wipes the input. */
export function checkContext(used: number): void {
  try {
    succeeded(check(used));
  } finally {
    wipeInput(used);
  }
}

function writeValue(name: string, value: unknown, at: number, most: number): number {
  switch (typeof value) {
    case "string":
      return writeWellFormed(value, at, most);
    case "number":
      if (Number.isSafeInteger(value)) return writeText(String(value), at, most);
      throw invalid(`${placeOf(name)} is no safe integer: give text, or a bigint`);
    case "bigint":
      return writeBounded(String(value), at, most);
  }
  if (!isBytes(value)) {
    const given = value === null ? "null" : typeof value;
    const wanted = "give text, a Uint8Array, a safe integer or a bigint";
    throw invalid(`${placeOf(name)} is ${given}: ${wanted}`);
  }
  const length = byteLength(value);
  // The core refuses the length; the bytes need not be there.
  if (length > most) return most;
  writeBytes(value, at);
  return length;
}

function writeWellFormed(value: string, at: number, most: number): number {
  if (!isWellFormed(value)) throw invalid("text in a context has a lone surrogate");
  return writeBounded(value, at, most);
}

function writeBounded(value: string, at: number, most: number): number {
  const length = value.length > most ? -1 : writeText(value, at, most);
  return length < 0 ? most : length;
}

/** Which value is meant. What is no name may be anything, also a value in the place of its name. */
function placeOf(name: string): string {
  return /^[a-z][a-z0-9_]{0,31}$/.test(name) ? `the context value of ${name}` : "a context value";
}

function isPlainObject(context: unknown): context is object {
  if (typeof context !== "object" || context === null) return false;
  const prototype: unknown = Object.getPrototypeOf(context);
  // The last case is a plain object of another realm: a frame, a vm context, a test runner.
  return (
    prototype === Object.prototype ||
    prototype === null ||
    (Object.getPrototypeOf(prototype) === null &&
      Object.hasOwn(prototype as object, "hasOwnProperty"))
  );
}

function invalid(message: string): ResealError {
  return new ResealError("context-invalid", message);
}
