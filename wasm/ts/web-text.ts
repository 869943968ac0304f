// Text in browsers: TextEncoder and TextDecoder.
import type { TextAccess } from "./memory.js";

export function webText(): TextAccess {
  const encoder = new TextEncoder();
  // A byte-order mark at the beginning is part of the text.
  const decoder = new TextDecoder("utf-8", { ignoreBOM: true });
  let memory: Uint8Array = new Uint8Array(0);
  const decode = (start: number, end: number) => decoder.decode(memory.subarray(start, end));
  return {
    attach: (buffer) => void (memory = new Uint8Array(buffer)),
    ascii: decode,
    utf8: decode,
    write: (text, at, room) => {
      const { read, written } = encoder.encodeInto(text, memory.subarray(at, at + room));
      return read < text.length ? -1 : written;
    },
  };
}
