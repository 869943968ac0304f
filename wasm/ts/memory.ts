// The buffers that are shared with the module: arguments are written into its input, results are
// read from its output. No user code runs while arguments are written: what may run some (getters,
// proxies) has been read before.
import { grow, release, wipe_stack } from "../pkg/reseal_wasm.js";
import { errorOf, invalidArgument, type ResealError } from "./errors.js";

/** Bytes with memory of their own. */
export type Bytes = ReturnType<(typeof Uint8Array)["of"]>;

/** How a platform turns memory into strings and back. */
export interface TextAccess {
  /** Called with the memory, and again whenever it has grown. */
  attach(memory: ArrayBufferLike): void;
  /** Bytes that are known to be ASCII. */
  ascii(start: number, end: number): string;
  /** Bytes that are known to be UTF-8. */
  utf8(start: number, end: number): string;
  /** Writes text as UTF-8, and gives its length; -1 if it takes more than `room` bytes. */
  write(text: string, at: number, room: number): number;
}

const DONE = 0;
const UNCHANGED = 1;
export const FAILED = 2;
/** Up to here a loop is quicker than a call into the platform. */
const SHORT_CHARS = 20;
/** Larger outputs are given back at once. */
const LARGE_BYTES = 1024 * 1024;

let memory: WebAssembly.Memory;
let text: TextAccess;
let bytes = new Uint8Array(0);
let words = new Uint32Array(0);
/** Where in `words` the four places stand: output address and length, input address and length. */
let places = 0;

/** Called once, when the module runs. */
export function attach(to: WebAssembly.Memory, address: number, access: TextAccess): void {
  memory = to;
  places = address >>> 2;
  text = access;
  refresh();
}

/** The address of the input, with at least `length` bytes; the first `used` are kept. */
export function input(used: number, length: number): number {
  if (bytes.length === 0) refresh();
  if (words[places + 3]! < length) {
    grow(used, length);
    if (bytes.length === 0) refresh();
  }
  return words[places + 2]!;
}

/** Writes bytes at an address. */
export function writeBytes(from: Uint8Array, at: number): void {
  bytes.set(from, at);
}

/** Writes well-formed text at an address, and gives its bytes; -1 if they are more than `room`. */
export function writeText(from: string, at: number, room: number): number {
  const chars = from.length;
  if (chars > SHORT_CHARS || chars > room) return writeLong(from, at, room);
  for (let i = 0; i < chars; i++) {
    const char = from.charCodeAt(i);
    if (char > 127) return writeLong(from, at, room);
    bytes[at + i] = char;
  }
  return chars;
}

/** Writes characters of which each must be ASCII; others become a byte that no UTF-8 has. */
export function writeAscii(from: string, at: number): void {
  for (let i = 0; i < from.length; i++) {
    const char = from.charCodeAt(i);
    bytes[at + i] = char > 127 ? 255 : char;
  }
}

export function writeU8(value: number, at: number): void {
  bytes[at] = value;
}

export function writeU16(value: number, at: number): void {
  bytes[at] = value;
  bytes[at + 1] = value >>> 8;
}

/** Writes, at an offset of the input, the length of the part that follows and ends at `end`. */
export function writeLength(offset: number, end: number): void {
  const at = words[places + 2]! + offset;
  const length = end - offset - 4;
  writeU16(length, at);
  writeU16(length >>> 16, at + 2);
}

/** Wipes what was written and will not be used. */
export function wipeInput(used: number): void {
  // The call before may have made the memory grow.
  if (bytes.length === 0) refresh();
  const at = words[places + 2]!;
  bytes.fill(0, at, at + used);
}

/** A copy of what was written. */
export function copyInput(used: number): Uint8Array {
  const at = words[places + 2]!;
  return copy(at, at + used);
}

/** Throws what a call reports; otherwise gives whether it changed anything. */
export function succeeded(status: number): boolean {
  wipe_stack();
  if (status > UNCHANGED) throw failure(status);
  return status === DONE;
}

/** The error that a failed call reports. */
export function reported(status: number): ResealError {
  wipe_stack();
  return failure(status);
}

/** An object that the module made, or its error. */
export function made<T>(object: T | undefined): T {
  wipe_stack();
  if (object === undefined) throw failure(FAILED);
  return object;
}

/** The output as text: an envelope, a term. */
export function takeAscii(): string {
  const at = output();
  const value = text.ascii(at, at + words[places + 1]!);
  if (value.length > LARGE_BYTES) release();
  return value;
}

/** The output as bytes that are no secret. */
export function takeBytes(): Bytes {
  const at = output();
  const value = copy(at, at + words[places + 1]!);
  if (value.length > LARGE_BYTES) release();
  return value;
}

/** The output as secret bytes; it is wiped. */
export function takeSecretBytes(): Bytes {
  const at = output();
  const end = at + words[places + 1]!;
  const value = copy(at, end);
  wipeOutput(at, end);
  return value;
}

/** The output as secret text; it is wiped. */
export function takeSecretText(): string {
  const at = output();
  const end = at + words[places + 1]!;
  const value = text.utf8(at, end);
  wipeOutput(at, end);
  return value;
}

/** One byte of an output. */
export function byteAt(at: number): number {
  return bytes[at]!;
}

/** A number of two bytes of an output. */
export function u16At(at: number): number {
  return bytes[at]! | (bytes[at + 1]! << 8);
}

/** Whether these bytes stand at an address of an output. */
export function standsAt(expected: Uint8Array, at: number): boolean {
  for (let i = 0; i < expected.length; i++) if (bytes[at + i] !== expected[i]) return false;
  return true;
}

/** The output as one item; it is wiped. */
export function takeItem<T>(read: Read<T>): T {
  const start = output();
  const end = start + words[places + 1]!;
  try {
    return read(start, end);
  } finally {
    wipeOutput(start, end);
  }
}

/** How the items of an output are read. */
export type Read<T> = (start: number, end: number) => T;
export const asciiItem: Read<string> = (start, end) => text.ascii(start, end);
export const utf8Item: Read<string> = (start, end) => text.utf8(start, end);
export const bytesItem: Read<Bytes> = (start, end) => copy(start, end);

/** The items of an output, none of which is an error. */
export function takeItems<T>(read: Read<T>): T[] {
  const items: T[] = [];
  takeItemsOrErrors(read, (item) => items.push(item as T));
  return items;
}

/** The items of an output, or their errors; the output is wiped. */
export function takeItemsOrErrors<T>(read: Read<T>, each: (item: T | ResealError) => void): void {
  const start = output();
  const end = start + words[places + 1]!;
  try {
    for (let at = start; at < end;) {
      const next = at + 5 + readU32(at);
      each(bytes[at + 4] === DONE ? read(at + 5, next) : errorOf(text.utf8(at + 5, next)));
      at = next;
    }
  } finally {
    wipeOutput(start, end);
  }
}

function refresh(): void {
  bytes = new Uint8Array(memory.buffer);
  words = new Uint32Array(memory.buffer);
  text.attach(memory.buffer);
}

/** The address of the output; the call that wrote it may have made the memory grow. */
function output(): number {
  if (bytes.length === 0) refresh();
  return words[places]!;
}

function copy(start: number, end: number): Bytes {
  return bytes.slice(start, end);
}

function wipeOutput(start: number, end: number): void {
  if (end - start > LARGE_BYTES) release();
  else bytes.fill(0, start, end);
}

function writeLong(from: string, at: number, room: number): number {
  const length = text.write(from, at, room);
  if (length < 0) bytes.fill(0, at, at + room);
  return length;
}

function readU32(at: number): number {
  const low = bytes[at]! | (bytes[at + 1]! << 8) | (bytes[at + 2]! << 16);
  return (low | (bytes[at + 3]! << 24)) >>> 0;
}

function failure(status: number): ResealError {
  if (status !== FAILED) {
    return invalidArgument(
      "an earlier call did not end: it ran out of memory, or this is inside crypto.getRandomValues",
    );
  }
  const at = output();
  return errorOf(text.utf8(at, at + words[places + 1]!));
}
