// Stored values of any format, and what the module tells of them.
import { ready } from "./engine.js";
import { FormatError, invalidArgument, ResealError } from "./errors.js";
import {
  byteAt,
  bytesItem,
  input,
  standsAt,
  u16At,
  utf8Item,
  writeBytes,
  writeText,
  writeU8,
  type Bytes,
  type Read,
} from "./memory.js";
import { byteLength, isBytes, isWellFormed } from "./value.js";

/** How sure it is that a value is in a format: the bytes carry its mark, or they only fit. */
export type Certainty = "maybe" | "yes";

/**
 * How far a plaintext can be believed. `authenticated`: the format vouches for it. `plain`: it was
 * never encrypted, and whoever can write to the database can have written it. `checked`: the format
 * does not authenticate, and the plaintext is what `expect` says. `unchecked`: nothing vouches for
 * it, and it may be garbage of a wrong key.
 */
export type Trust = "authenticated" | "plain" | "checked" | "unchecked";

/** What a stored value is in: a codec of a column, and what its bytes or its opening told. */
export interface Origin {
  /** The name of the codec. */
  readonly codec: string;
  /** The id of the key, or its place in the list of the codec, where that is known. */
  readonly key: string | undefined;
  /** The variant of the format, such as `gcm` or `deterministic`. */
  readonly scheme: string;
}

/** How many origins are kept: a batch has few of them, again and again. */
const KEPT_ORIGINS = 16;
const TEXT = 0;
const BINARY = 1;
const HEAD_BYTES = 6;
const NO_KEY = 0xffff;

const kept: { bytes: Bytes; origin: Origin }[] = [];
const CERTAINTIES = [undefined, "maybe", "yes"] as const;
const TRUSTS = ["authenticated", "checked", "unchecked", "plain"] as const;

/** Writes a stored value, after its form, at an offset of the input, and gives the offset after it. */
export function writeAny(stored: unknown, offset: number): number {
  const isText = typeof stored === "string";
  if (!isText && !isBytes(stored)) {
    throw invalidArgument("a stored value is a string, a Uint8Array or null");
  }
  // Some formats have several layers of base64.
  const most = ready().plaintextBytes * 4;
  const length = isText ? stored.length : byteLength(stored);
  if (length > most)
    throw new FormatError("too-large", "this value is larger than any of 2^24 bytes");
  const room = isText ? length * 3 : length;
  const at = input(offset, offset + 1 + room) + offset;
  writeU8(isText ? TEXT : BINARY, at);
  if (isText) return offset + 1 + writeText(wellFormed(stored), at + 1, room);
  writeBytes(stored, at + 1);
  return offset + 1 + length;
}

/** A stored value after its form. */
export const storedItem: Read<string | Bytes> = (start, end) =>
  byteAt(start) === TEXT ? utf8Item(start + 1, end) : bytesItem(start + 1, end);

/** The origin at an address. */
export function originAt(at: number): Origin {
  return (kept.find(({ bytes }) => standsAt(bytes, at)) ?? readOrigin(at)).origin;
}

/** The address after an origin. */
export function afterOrigin(at: number): number {
  return at + HEAD_BYTES + u16At(at);
}

/** The certainty at an address; nothing where the value is in no format. */
export function certaintyAt(at: number): Certainty | undefined {
  return CERTAINTIES[byteAt(at)];
}

/** What is known of an opened value: two bytes of flags, and its origin. */
export interface Opening {
  readonly origin: Origin;
  readonly current: boolean;
  readonly trust: Trust;
  readonly earlier: boolean;
  /** The place of a kind of codec, from 1. */
  readonly doubled: number;
  /** Where the plaintext begins. */
  readonly plaintext: number;
}

/** What is known of an opened value, at an address. */
export function openingAt(at: number): Opening {
  const flags = byteAt(at);
  return {
    origin: originAt(at + 2),
    current: (flags & 1) !== 0,
    trust: TRUSTS[flags >> 2]!,
    earlier: (flags & 2) !== 0,
    doubled: byteAt(at + 1),
    plaintext: afterOrigin(at + 2),
  };
}

function readOrigin(at: number): { bytes: Bytes; origin: Origin } {
  const [codecLength, keyLength] = [u16At(at + 2), u16At(at + 4)];
  const codecEnd = at + HEAD_BYTES + codecLength;
  const keyEnd = codecEnd + (keyLength === NO_KEY ? 0 : keyLength);
  const end = afterOrigin(at);
  const origin = Object.freeze({
    codec: utf8Item(at + HEAD_BYTES, codecEnd),
    key: keyLength === NO_KEY ? undefined : utf8Item(codecEnd, keyEnd),
    scheme: utf8Item(keyEnd, end),
  });
  const one = { bytes: bytesItem(at, end), origin };
  kept.unshift(one);
  if (kept.length > KEPT_ORIGINS) kept.pop();
  return one;
}

function wellFormed(text: string): string {
  if (isWellFormed(text)) return text;
  throw new ResealError("invalid-text", "the text has a lone surrogate, which no database stores");
}
