// What the command asks for: files, streams, clock. The methods are those of the trait `Host` of
// the crate `cli`; the same stands in python/reseal/_cli.py.
import { Buffer } from "node:buffer";
import { fstatSync, lstatSync, readSync, statSync, writeSync } from "node:fs";
import { devNull } from "node:os";
import { isatty } from "node:tty";
import { askSecret, pause } from "./cli-terminal.js";
import { ResealError } from "./errors.js";
import type { Bytes } from "./memory.js";
import { POSIX, systemCode, unreadable } from "./node-disk.js";
import { readDirectory } from "./node-directory.js";
import { createPrivateFile, readKeyset, readSecret } from "./node-files.js";
import { saveKeyset } from "./node-save.js";

const INPUT = 0;
const OUTPUT = 1;
const ERRORS = 2;
const CHUNK_BYTES = 65_536;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const STREAMS = ["standard input", "standard output", "standard error"];

/** A standard stream failed; the sentence says which and how. */
export class StreamError extends Error {
  constructor(readonly stream: string) {
    super(stream);
  }
}

/** The reader of our output went away, as `head` does. */
export class ReaderGone extends Error {}

export class CliHost {
  /** What ended the command, if it did not end by itself. */
  stopped: unknown;
  #warnings: string[] = [];

  constructor() {
    keepWarnings(this.#warnings);
  }

  variable(name: string): string | undefined {
    return process.env[name];
  }

  variableNames(): string[] {
    return Object.keys(process.env).filter((name) => name.startsWith("RESEAL"));
  }

  readSecret(path: string, namedBy: string | undefined): Bytes {
    return this.#attempt(() => readSecret(path, namedBy, undefined, { pipes: true }));
  }

  readKeyDirectory(path: string, namedBy: string): [name: string, content: Uint8Array][] {
    return this.#attempt(() => readDirectory(path, namedBy));
  }

  /** Kind (0 file, 1 directory, 2 other), link, mode (-1 for none) and time. */
  fileFacts(path: string): Float64Array | undefined {
    return this.#attempt(() => {
      try {
        const stats = statSync(path);
        const kind = stats.isFile() ? 0 : stats.isDirectory() ? 1 : 2;
        const isLink = Number(lstatSync(path).isSymbolicLink());
        const mode = POSIX ? stats.mode & 0o777 : -1;
        return Float64Array.of(kind, isLink, mode, Math.max(0, Math.trunc(stats.mtimeMs / 1000)));
      } catch (error) {
        if (systemCode(error) === "ENOENT") return undefined;
        throw unreadable(path, undefined, error);
      }
    });
  }

  readKeyset(path: string, namedBy: string | undefined): Bytes {
    return this.#attempt(() => readKeyset(path, namedBy));
  }

  saveKeyset(path: string, loaded: Uint8Array | undefined, document: string): void {
    this.#attempt(() => saveKeyset(path, loaded, Buffer.from(document)));
  }

  createPrivateFile(path: string, content: Uint8Array): void {
    this.#attempt(() => createPrivateFile(path, content));
  }

  readInput(): Uint8Array {
    return this.#attempt(() => read(INPUT, CHUNK_BYTES));
  }

  isTerminal(stream: number): boolean {
    return isatty(stream);
  }

  askSecret(question: string): string | undefined {
    return this.#attempt(() => {
      const line = askSecret(question);
      return line === undefined ? undefined : text(line);
    });
  }

  ask(question: string): string {
    this.write(ERRORS, Buffer.from(question));
    return this.#attempt(() => {
      const [line, isEnded] = readLine(INPUT);
      if (!isEnded) this.write(ERRORS, Buffer.from("\n")); // nobody has pressed return
      return text(line);
    });
  }

  /** Writes all to a stream. Nobody could be told that standard error fails. */
  write(stream: number, content: Uint8Array): void {
    this.#attempt(() => {
      try {
        for (let done = 0; done < content.length; done += write(stream, content, done));
      } catch (error) {
        if (stream !== OUTPUT) return;
        throw systemCode(error) === "EPIPE"
          ? new ReaderGone()
          : streamError(stream, "written", error);
      }
    });
  }

  /** Whether standard output is closed, which Node makes the null device, or that device. */
  losesOutput(): boolean {
    return this.#attempt(() => {
      if (!POSIX) return false;
      const stats = fstatSync(OUTPUT);
      return stats.isCharacterDevice() && stats.rdev === statSync(devNull).rdev;
    });
  }

  takeWarnings(): string[] {
    return this.#warnings.splice(0);
  }

  now(): number {
    return Math.trunc(Date.now() / 1000);
  }

  /** Errors of the package and of streams are reported; all else ends the command. */
  #attempt<T>(step: () => T): T {
    try {
      return step();
    } catch (error) {
      if (!(error instanceof ResealError || error instanceof StreamError)) this.stopped = error;
      throw error;
    }
  }
}

/** Keeps what would otherwise be printed by itself, in another shape. */
function keepWarnings(kept: string[]): void {
  const emit = process.emitWarning.bind(process) as (...all: unknown[]) => void;
  process.emitWarning = (warning: string | Error, kind?: unknown, ...rest: unknown[]): void => {
    if (kind === "KeyFileWarning") kept.push(String(warning));
    else emit(warning, kind, ...rest);
  };
}

function read(stream: number, length: number): Uint8Array {
  const chunk = new Uint8Array(length);
  for (;;) {
    try {
      return chunk.subarray(0, readSync(stream, chunk, 0, length, null));
    } catch (error) {
      const code = systemCode(error);
      if (code === "EOF") return chunk.subarray(0, 0);
      if (code !== "EAGAIN") throw streamError(INPUT, "read", error);
      pause();
    }
  }
}

/** A line without its end, and whether it had one; no more than that is read. */
function readLine(stream: number): [line: Uint8Array, isEnded: boolean] {
  const line: number[] = [];
  let byte: number | undefined;
  for (;;) {
    [byte] = read(stream, 1);
    if (byte === undefined || byte === LINE_FEED) break;
    line.push(byte);
  }
  if (line.at(-1) === CARRIAGE_RETURN) line.pop();
  return [Uint8Array.from(line), byte === LINE_FEED];
}

function text(line: Uint8Array): string {
  try {
    return new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(line);
  } catch {
    throw new StreamError("the answer is no text (UTF-8)");
  }
}

function write(stream: number, content: Uint8Array, from: number): number {
  try {
    return writeSync(stream, content, from);
  } catch (error) {
    if (systemCode(error) !== "EAGAIN") throw error;
    pause();
    return 0;
  }
}

function streamError(stream: number, done: string, error: unknown): StreamError {
  return new StreamError(`${STREAMS[stream]} cannot be ${done} (${systemCode(error)})`);
}
