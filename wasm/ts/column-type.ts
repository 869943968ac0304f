// Typed values: how a value of JavaScript is spelled for the module, and read back. The canonical
// spelling is the core's business.
import { invalidArgument, ResealError } from "./errors.js";
import { jsonOf, parsedJson } from "./json.js";
import { bytesItem, utf8Item, type Bytes, type Read } from "./memory.js";
import { isBytes, type Value } from "./value.js";
import { wordOf } from "./words.js";

/** What a column of each type gives. */
export interface ColumnValues {
  text: string;
  bytes: Bytes;
  integer: bigint;
  decimal: string;
  boolean: boolean;
  date: string;
  time: string;
  timestamp: string;
  uuid: string;
  json: unknown;
}

/** What a column of each type takes, where that is more than it gives. */
export interface ColumnInputs extends Omit<ColumnValues, "bytes" | "integer" | "timestamp"> {
  bytes: Uint8Array;
  integer: bigint | number;
  timestamp: string | Date;
}

/**
 * The type of the values of a column. `decimal`, `date`, `time`, `timestamp` and `uuid` are text in
 * JavaScript: a decimal as a number would be rounded, and a timestamp as a `Date` would lose its
 * microseconds. A `timestamp` column takes a `Date` as well, which is a moment in UTC. An `integer`
 * has at most 100,000 digits.
 *
 * What JavaScript would change is refused with `value-invalid`. A `json` value is made of plain
 * objects, arrays, text, finite numbers, booleans and null, and of what has a `toJSON`; members that
 * are `undefined` are left out. A document with an integer that JavaScript would round, such as
 * 9007199254740993, does not open here: keep it as text. It can be resealed, and Python opens it.
 */
export type ColumnType = keyof ColumnValues;

/** The values of a type, to and from their spelling. */
export interface Spelling {
  /**
   * Throws `invalid-argument` for a value of another type, and `value-invalid` for one that has no
   * spelling. May run code of the caller.
   */
  spell(value: unknown): Value;
  /** What stands in the output, or the error of what JavaScript cannot read. */
  readonly read: Read<unknown>;
}

const MAX_DIGITS = 100_000;
/** The least integer of more digits, once it is needed. */
let tooLong: bigint | undefined;

const text = (what: string): Spelling => ({
  spell: (value) => (typeof value === "string" ? value : refuse(what)),
  read: utf8Item,
});

const SPELLINGS: Record<ColumnType, Spelling> = {
  text: text("text is a string"),
  bytes: {
    spell: (value) => (isBytes(value) ? value : refuse("bytes are a Uint8Array")),
    read: bytesItem,
  },
  integer: {
    spell: (value) => {
      if (typeof value === "bigint") return digitsOf(value);
      if (Number.isSafeInteger(value)) return String(value);
      return refuse("an integer is a bigint, or a number that is a safe integer");
    },
    read: (start, end) => integerOf(utf8Item(start, end)),
  },
  decimal: text("a decimal is a string such as 12.50, since a number would be rounded"),
  boolean: {
    spell: (value) => (typeof value === "boolean" ? String(value) : refuse("it is true or false")),
    read: (start, end) => utf8Item(start, end) === "true",
  },
  date: text("a date is a string YYYY-MM-DD"),
  time: text("a time is a string HH:MM:SS"),
  timestamp: {
    spell: (value) => {
      if (typeof value === "string") return value;
      return momentOf(value) ?? refuse("a timestamp is a Date or a string YYYY-MM-DDTHH:MM:SS");
    },
    read: utf8Item,
  },
  uuid: text("a UUID is a string"),
  json: { spell: jsonOf, read: (start, end) => parsedJson(utf8Item(start, end)) },
};

/** A type by its name; `text` where none is given. */
export function typeOf(type: unknown): ColumnType {
  return wordOf(type, "the type of a column", Object.keys(SPELLINGS) as ColumnType[]);
}

export function spellingOf(type: ColumnType): Spelling {
  return SPELLINGS[type];
}

/** A valid `Date` in UTC. */
function momentOf(value: unknown): string | undefined {
  let moment: number;
  try {
    // Also of a Date of another realm, such as a vm or a frame.
    moment = Date.prototype.getTime.call(value);
  } catch {
    return undefined;
  }
  if (Number.isNaN(moment)) throw noValue("this Date is no moment");
  return Date.prototype.toISOString.call(value);
}

/** Digits of an integer. Python has the same limit: more take seconds to convert there. */
function digitsOf(value: bigint): string {
  // To print it would take long as well.
  if (BigInt.asIntN(64, value) !== value && isTooLong(value)) throw tooManyDigits();
  return String(value);
}

function isTooLong(value: bigint): boolean {
  tooLong ??= 10n ** BigInt(MAX_DIGITS);
  return value >= tooLong || value <= -tooLong;
}

function integerOf(digits: string): bigint | ResealError {
  const count = digits.length - (digits.startsWith("-") ? 1 : 0);
  return count > MAX_DIGITS ? tooManyDigits() : BigInt(digits);
}

function tooManyDigits(): ResealError {
  return noValue("an integer has at most 100,000 digits here");
}

function refuse(message: string): never {
  throw invalidArgument(`a value of another type than the column's: ${message}`);
}

function noValue(message: string): ResealError {
  return new ResealError("value-invalid", message);
}
