// Texts and bytes in the input, one after another.
import { invalidArgument, KeyringError } from "./errors.js";
import { input, writeBytes, writeLength, writeText } from "./memory.js";
import { byteLength, isBytes, isWellFormed } from "./value.js";

export type Part = string | Uint8Array;

/** How every key text begins. */
const KEY_TEXT = "rsk1.";
/** More than any name, label, path or reference that is accepted. */
const MAX_TEXT_CHARS = 64 * 1024;

/** Writes text or bytes at an offset of the input, and gives the offset after it. */
export function writeRaw(part: Part, offset: number): number {
  const room = typeof part === "string" ? part.length * 3 : byteLength(part);
  const at = input(offset, offset + room) + offset;
  if (typeof part === "string") return offset + writeText(part, at, room);
  writeBytes(part, at);
  return offset + room;
}

/** As {@link writeRaw}, with its length before it. */
export function writePart(part: Part, offset: number): number {
  const end = writeRaw(part, offset + 4);
  writeLength(offset, end);
  return end;
}

/** Writes a group of parts, with its length before it. */
export function writeGroup(parts: readonly Part[], offset: number): number {
  input(offset, offset + 4);
  let end = offset + 4;
  for (const part of parts) end = writePart(part, end);
  writeLength(offset, end);
  return end;
}

/** A name and what it stands for: text, bytes, or further entries. */
export type Entry = readonly [name: string, value: Part | readonly Entry[]];

/** Writes entries at an offset of the input, and gives the offset after them. */
export function writeEntries(entries: readonly Entry[], offset: number): number {
  let end = offset;
  for (const [name, value] of entries) {
    end = writePart(name, end);
    if (typeof value === "string" || isBytes(value)) {
      end = writePart(value, end);
      continue;
    }
    input(end, end + 4);
    const start = end;
    end = writeEntries(value, start + 4);
    writeLength(start, end);
  }
  return end;
}

/** Text of a caller: no longer than anything that is accepted, and with a UTF-8 form. */
export function textOf(text: unknown, name: string): string {
  if (typeof text !== "string") throw invalidArgument(`${name} is text`);
  if (text.length > MAX_TEXT_CHARS) throw invalidArgument(`${name} is far too long`);
  if (!isWellFormed(text)) throw invalidArgument(`${name} has a lone surrogate`);
  return text;
}

/** A passphrase: text, or bytes that are taken as they are. */
export function passphraseOf(passphrase: unknown): Part {
  if (!isBytes(passphrase)) return textOf(passphrase, "a passphrase");
  if (byteLength(passphrase) <= MAX_TEXT_CHARS) return passphrase;
  throw invalidArgument("a passphrase is far too long");
}

/** A path. Messages show it, so one that holds a key is refused. */
export function checkedPath(path: string, name: string): string {
  if (!path.includes(KEY_TEXT)) return path;
  throw new KeyringError(
    "source-unreadable",
    `${name} holds a key, but is a path: give that of the file that holds it`,
  );
}
