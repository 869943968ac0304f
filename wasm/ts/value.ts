// Values: what may be sealed, and stored values that may be opened.
import { inspection, oversizedText } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { FormatError, invalidArgument, ResealError } from "./errors.js";
import { FAILED, input, reported, writeBytes, writeText, type Bytes } from "./memory.js";

/** What is sealed: text (as UTF-8) or bytes. A Node `Buffer` is a `Uint8Array`. */
export type Value = string | Uint8Array;

export type { Bytes };

const typedArray = Object.getPrototypeOf(Uint8Array.prototype) as object;
const tagOf = getter(typedArray, Symbol.toStringTag);
const lengthOf = getter(typedArray, "byteLength");
const NOTHING = new Uint8Array(0);

/**
 * Whether this is a `Uint8Array`, of whatever realm or subclass, and no proxy of one, whose buffer was
 * not transferred away.
 */
export function isBytes(value: unknown): value is Uint8Array {
  return isByteArray(value) && (byteLength(value) > 0 || hasBuffer(value));
}

/** The length, which a subclass cannot overrule. */
export function byteLength(bytes: Uint8Array): number {
  return lengthOf.call(bytes) as number;
}

/** Whether text has no lone surrogate. */
export function isWellFormed(text: string): boolean {
  const native = (text as { isWellFormed?: () => boolean }).isWellFormed;
  return native === undefined ? !/\p{Surrogate}/u.test(text) : native.call(text);
}

/** Writes a plaintext at an offset of the input, and gives the offset after it. */
export function writeValue(value: unknown, offset: number): number {
  const most = ready().plaintextBytes;
  if (typeof value === "string") return writeString(value, offset, most);
  if (!isBytes(value)) throw notAValue(value);
  const length = byteLength(value);
  if (length > most) throw tooLarge();
  writeBytes(value, input(offset, offset + length) + offset);
  return offset + length;
}

/** Writes a text envelope at an offset of the input, and gives the offset after it. */
export function writeStored(stored: unknown, offset: number): number {
  if (!isStored(stored)) throw notStored(stored);
  const room = stored.length * 3;
  return offset + writeText(stored, input(offset, offset + room) + offset, room);
}

/** Whether this is text that may be copied: the longest envelope is not longer. */
export function isStored(stored: unknown): stored is string {
  return typeof stored === "string" && stored.length <= ready().textChars;
}

/** Writes a binary envelope at an offset of the input, and gives the offset after it. */
export function writeStoredBinary(stored: unknown, offset: number): number {
  if (!isStoredBinary(stored)) throw notStoredBinary(stored);
  const length = byteLength(stored);
  writeBytes(stored, input(offset, offset + length) + offset);
  return offset + length;
}

/** Whether these are bytes that may be copied: the longest envelope is not longer. */
export function isStoredBinary(stored: unknown): stored is Uint8Array {
  const { plaintextBytes, overheadBytes } = ready();
  return isBytes(stored) && byteLength(stored) <= plaintextBytes + overheadBytes;
}

function writeString(value: string, offset: number, most: number): number {
  if (!isWellFormed(value)) throw invalidText();
  if (value.length > most) throw tooLarge();
  const room = Math.min(value.length * 3, most);
  const length = writeText(value, input(offset, offset + room) + offset, room);
  if (length < 0) throw tooLarge();
  return offset + length;
}

/** The error of what is no text, or text that is too long to be copied. */
function notStored(stored: unknown): ResealError {
  if (typeof stored !== "string") {
    return invalidArgument(`a stored value here is text${notThis(stored, "bytes")}`);
  }
  const { textPrefixChars } = ready();
  const head = stored.slice(0, textPrefixChars);
  const base64url = /[^A-Za-z0-9_-]/g;
  base64url.lastIndex = textPrefixChars;
  const room = head.length * 3;
  const used = writeText(head, input(0, room), room);
  return reported(oversizedText(used, head.startsWith("rs") && !base64url.test(stored)));
}

/** The error of what are no bytes, or bytes that are too long: then that of their beginning. */
function notStoredBinary(stored: unknown): ResealError {
  if (!isBytes(stored)) {
    return invalidArgument(`a stored value here is a Uint8Array${notThis(stored, "text")}`);
  }
  const length = ready().overheadBytes + 1;
  writeBytes(new Uint8Array(stored.buffer, stored.byteOffset, length), input(0, length));
  const shown: unknown = inspection(length, 1);
  return shown === undefined ? reported(FAILED) : tooLarge();
}

function notThis(stored: unknown, other: string): string {
  const none = stored === null || stored === undefined;
  return none
    ? `, not ${String(stored)}: NULL stays NULL`
    : `: for ${other} there is another method`;
}

function invalidText(): ResealError {
  return new ResealError(
    "invalid-text",
    "the text has a lone surrogate and no UTF-8 form: seal bytes instead",
  );
}

function tooLarge(): ResealError {
  return new FormatError(
    "too-large",
    "a value may have at most 2^24 bytes, in mode padded after padding: store it in pieces",
  );
}

function notAValue(value: unknown): ResealError {
  const none = value === null || value === undefined;
  const hint = none
    ? `${String(value)} is never sealed: keep NULL as NULL`
    : isByteArray(value)
      ? "the buffer of this one was transferred, or has become too small"
      : "convert it first";
  return invalidArgument(`a value to seal is a string or a Uint8Array: ${hint}`);
}

function isByteArray(value: unknown): value is Uint8Array {
  return tagOf.call(value) === "Uint8Array";
}

/** Whether an array without bytes is a whole one: what has lost its buffer cannot be copied. */
function hasBuffer(empty: Uint8Array): boolean {
  try {
    NOTHING.set(empty);
    return true;
  } catch {
    return false;
  }
}

function getter(of: object, name: PropertyKey): () => unknown {
  // Every engine has both: typed arrays are older than WebAssembly.
  return Object.getOwnPropertyDescriptor(of, name)!.get!;
}
