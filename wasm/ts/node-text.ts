// Text in Node: methods of Buffer, which work on the module's memory itself.
import { Buffer } from "node:buffer";
import type { TextAccess } from "./memory.js";

/** Documented only by their users, and in every Node: what `buffer.toString` and `write` call. */
interface RawText {
  latin1Slice(start: number, end: number): string;
  utf8Slice(start: number, end: number): string;
  utf8Write(text: string, at: number, room: number): number;
}

export function nodeText(): TextAccess {
  let memory = Buffer.alloc(0) as Buffer & RawText;
  return {
    attach: (buffer) => void (memory = Buffer.from(buffer) as Buffer & RawText),
    ascii: (start, end) => memory.latin1Slice(start, end),
    utf8: (start, end) => memory.utf8Slice(start, end),
    write: (text, at, room) =>
      text.length * 3 > room && Buffer.byteLength(text) > room
        ? -1
        : memory.utf8Write(text, at, room),
  };
}
