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
const DELETE = 127;
const ENDS: readonly number[] = [CTRL_D, 10, 13];

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
    else line.push(key);
  }
}

/** Takes the last character away, which may have several bytes. */
function removeLast(line: number[]): void {
  while (((line.pop() ?? 0) & 0xc0) === 0x80);
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
