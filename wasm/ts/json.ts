// JSON documents: what JavaScript would change is refused, when it is written and when it is read.
import { ResealError } from "./errors.js";

const QUOTE = 0x22;
const BACKSLASH = 0x5c;
const MINUS = 0x2d;
const [ZERO, NINE] = [0x30, 0x39];
/** Whatever may be more than a number of JavaScript holds; most documents have nothing of it. */
const SUSPECT = /\d{16}|[eE]\+?\d{3}/;
const NUMBER = /-?\d+(\.\d+)?([eE][+-]?\d+)?/y;

/** The text of a value. Whatever it does (getters, `toJSON`), the only error is `value-invalid`. */
export function jsonOf(value: unknown): string {
  let json: string | undefined;
  try {
    json = JSON.stringify(value, checked);
  } catch {
    // A bigint, a cycle, a getter that throws, or a value that JSON would change.
  }
  if (json !== undefined) return json;
  throw noValue(
    "a JSON value has finite numbers, text, booleans, null, arrays and plain objects: convert what " +
      "else there is, such as a Map, bytes or an object of a class without toJSON",
  );
}

/** What JSON stands for, or the error of what JavaScript does not read as it is. */
export function parsedJson(json: string): unknown {
  let value: unknown;
  try {
    value = JSON.parse(json);
  } catch {
    return noValue("JavaScript does not read this JSON");
  }
  if (!SUSPECT.test(json) || !hasLostNumber(json)) return value;
  return noValue("this JSON has a number that JavaScript would round: keep it as text");
}

/** A value after its `toJSON`, unless `JSON.stringify` would make something else of it. */
function checked(this: unknown, key: string, value: unknown): unknown {
  switch (typeof value) {
    case "number":
      return finite(value);
    case "undefined":
      if (Array.isArray(this)) throw lost();
      return value;
    case "function":
    case "symbol":
      throw lost();
    case "object":
      return value === null ? nullOf(this, key) : plain(value);
    default:
      return value;
  }
}

/** Null, unless it is what an object says that stands for nothing, such as an invalid `Date`. */
function nullOf(holder: unknown, key: string): null {
  if ((holder as Record<string, unknown>)[key] !== null) throw lost();
  return null;
}

/** An array or a plain object, of any realm; what a boxed number or text holds. */
function plain(value: object): unknown {
  if (Array.isArray(value)) return value;
  const prototype: unknown = Object.getPrototypeOf(value);
  if (prototype === null || Object.getPrototypeOf(prototype) === null) return value;
  if (value instanceof Number) return finite(Number(value));
  if (value instanceof String) return String(value);
  if (value instanceof Boolean) return Boolean.prototype.valueOf.call(value);
  throw lost();
}

function finite(value: number): number {
  if (!Number.isFinite(value)) throw lost();
  return value;
}

/** Whether a document, which is well-formed, has a number that is another one in JavaScript. */
function hasLostNumber(json: string): boolean {
  for (let at = 0; at < json.length;) {
    const char = json.charCodeAt(at);
    if (char === QUOTE) {
      at = afterText(json, at + 1);
    } else if (char === MINUS || (char >= ZERO && char <= NINE)) {
      NUMBER.lastIndex = at;
      const [number, fraction, exponent] = NUMBER.exec(json)!;
      if (isLost(number, fraction === undefined && exponent === undefined)) return true;
      at += number.length;
    } else {
      at++;
    }
  }
  return false;
}

/** A number with a fraction or an exponent is the nearest double in every language. */
function isLost(number: string, isInteger: boolean): boolean {
  const value = Number(number);
  if (!Number.isFinite(value)) return true;
  if (!isInteger || Number.isSafeInteger(value)) return false;
  return String(value) !== number && BigInt(value) !== BigInt(number);
}

/** The place after a text, of which this is the first character. */
function afterText(json: string, start: number): number {
  let at = start;
  for (;;) {
    const char = json.charCodeAt(at++);
    if (char === QUOTE) return at;
    if (char === BACKSLASH) at++;
  }
}

function lost(): TypeError {
  return new TypeError("JSON would make something else of this");
}

function noValue(message: string): ResealError {
  return new ResealError("value-invalid", message);
}
