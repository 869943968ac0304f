// Asks for a secret at the terminal, whatever the standard streams are. Node reads a terminal
// without echo only in raw mode, so the few keys of a line editor are done here.
import { Buffer } from "node:buffer";
import { openSync, readSync, writeSync } from "node:fs";
import { ReadStream } from "node:tty";
import { pause, POSIX, systemCode } from "./node-disk.js";

const TERMINAL = POSIX ? "/dev/tty" : "\\\\.\\CON";
/** Where a stream is not ready. */
export const PAUSE_MS = 10;

const CTRL_C = 3;
const CTRL_D = 4;
const BACKSPACE = 8;
const CTRL_U = 21;
const CTRL_W = 23;
const DELETE = 127;
const ENDS: readonly number[] = [CTRL_D, 10, 13];

/** Whether a character that begins with this byte is of a word: to Linux a letter, a digit or `_`, to others no blank. */
const IS_OF_WORD =
  process.platform === "linux"
    ? (byte: number): boolean =>
        /\w/.test(String.fromCharCode(byte)) || (byte >= 0xc0 && byte !== 0xd7)
    : (byte: number): boolean => byte !== 32 && byte !== 9;

/** The person pressed ^C. */
export class Interrupted extends Error {}

/** The line that a person types and nobody sees; undefined without a terminal. */
export function askSecret(question: string): Uint8Array | undefined {
  const handle = openTerminal();
  if (handle === undefined) return undefined;
  const terminal = new ReadStream(handle);
  writeSync(handle, question);
  terminal.setRawMode(true);
  try {
    return readLine(handle);
  } finally {
    terminal.setRawMode(false);
    writeSync(handle, "\n");
    terminal.destroy();
  }
}

function openTerminal(): number | undefined {
  try {
    return openSync(TERMINAL, "r+");
  } catch {
    return undefined;
  }
}

function readLine(handle: number): Uint8Array {
  const line: number[] = [];
  for (;;) {
    const key = readKey(handle);
    if (key === CTRL_C) throw new Interrupted();
    if (key === undefined || ENDS.includes(key)) return Uint8Array.from(line);
    if (key === BACKSPACE || key === DELETE) removeLast(line);
    else if (key === CTRL_U) line.length = 0;
    else if (key === CTRL_W) removeWord(line);
    else line.push(key);
  }
}

/** Takes the last character away. */
function removeLast(line: number[]): void {
  line.length = lastStart(line);
}

/** Takes the last word away with what follows it, as the terminal itself does where it keeps the line. */
function removeWord(line: number[]): void {
  for (let seen = false; line.length > 0; removeLast(line)) {
    const isOfWord = IS_OF_WORD(line[lastStart(line)] ?? 0);
    if (seen && !isOfWord) return;
    seen ||= isOfWord;
  }
}

/** Where the last character begins, which may have several bytes. */
function lastStart(line: readonly number[]): number {
  let at = Math.max(line.length - 1, 0);
  while (at > 0 && ((line[at] ?? 0) & 0xc0) === 0x80) at -= 1;
  return at;
}

function readKey(handle: number): number | undefined {
  const key = Buffer.alloc(1);
  for (;;) {
    try {
      return readSync(handle, key, 0, 1, null) === 0 ? undefined : key[0];
    } catch (error) {
      if (systemCode(error) !== "EAGAIN") return undefined;
      pause(PAUSE_MS);
    }
  }
}
