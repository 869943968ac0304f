// What the command asks for besides files: streams, the terminal, ^C. The methods are those of the
// trait `Host` of the crate `cli`; the same stands in python/reseal/_cli.py.
import { Buffer } from "node:buffer";
import { spawn, type ChildProcess } from "node:child_process";
import { fstatSync, readSync, statSync, writeSync } from "node:fs";
import { constants, devNull } from "node:os";
import { isatty } from "node:tty";
import { FileHost, StreamError } from "./cli-files.js";
import { askSecret, PAUSE_MS } from "./cli-terminal.js";
import { pause, POSIX, systemCode } from "./node-disk.js";

const INPUT = 0;
const OUTPUT = 1;
const ERRORS = 2;
const CHUNK_BYTES = 65_536;
const LINE_FEED = 10;
const CARRIAGE_RETURN = 13;
const STOP_SIGNALS = ["SIGINT", "SIGTERM"] as const;
// As a shell reports a program that cannot be run.
const NOT_STARTED = 126;
/** Tells a worker who has started it. */
const PARENT = "_RESEAL_PARENT";
const STREAMS = ["standard input", "standard output", "standard error"];

/** The reader of our output went away, as `head` does. */
export class ReaderGone extends Error {}

export class CliHost extends FileHost {
  #warnings: string[] = [];
  readonly #workers: ChildProcess[] = [];
  readonly #ended: number[] = [];
  #interrupted: boolean | undefined;
  #wake = () => {};

  constructor() {
    super();
    keepWarnings(this.#warnings);
  }

  readInput(): Uint8Array {
    return this.attempt(() => read(INPUT, CHUNK_BYTES));
  }

  isTerminal(stream: number): boolean {
    return isatty(stream);
  }

  askSecret(question: string): string | undefined {
    return this.attempt(() => {
      const line = askSecret(question);
      return line === undefined ? undefined : text(line);
    });
  }

  ask(question: string): string {
    this.write(ERRORS, Buffer.from(question));
    return this.attempt(() => {
      const [line, isEnded] = readLine(INPUT);
      if (!isEnded) this.write(ERRORS, Buffer.from("\n")); // nobody has pressed return
      return text(line);
    });
  }

  /** Writes all to a stream. Nobody could be told that standard error fails. */
  write(stream: number, content: Uint8Array): void {
    this.attempt(() => {
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
    return this.attempt(() => {
      if (!POSIX) return false;
      const stats = fstatSync(OUTPUT);
      return stats.isCharacterDevice() && stats.rdev === statSync(devNull).rdev;
    });
  }

  takeWarnings(): string[] {
    return this.#warnings.splice(0);
  }

  /** Starts another process of this command, which only says what went wrong. */
  startWorker(args: string[], database: string | undefined): void {
    this.attempt(() => {
      const line = [...process.execArgv, ...process.argv.slice(1, 2), ...args];
      try {
        this.#workers.push(startWorker(line, database, this.#ended));
      } catch (error) {
        const code = systemCode(error) ?? "unknown";
        throw new StreamError(`a worker cannot be started (${code})`);
      }
    });
  }

  /** The exit codes of those that ended since this was asked last. */
  endedWorkers(): Uint8Array {
    return Uint8Array.from(this.#ended.splice(0));
  }

  /** Lets those that run end their batches. */
  stopWorkers(): void {
    for (const worker of this.#workers) worker.kill("SIGTERM");
  }

  /**
   * Whether the person pressed ^C since this was asked first. The second time ends the program. To a
   * worker it is the same that who started it has ended: nobody else would stop it.
   */
  interrupted(): boolean {
    if (this.#interrupted === undefined) {
      this.#interrupted = false;
      for (const signal of STOP_SIGNALS) process.on(signal, this.#onSignal);
    }
    return this.#interrupted || isLeftAlone();
  }

  /** Calls `wake` at ^C, instead of what was to be called before. */
  onInterrupt(wake: () => void): void {
    this.#wake = wake;
  }

  #onSignal = (): void => {
    this.#interrupted = true;
    for (const signal of STOP_SIGNALS) process.removeListener(signal, this.#onSignal);
    this.#wake();
  };
}

/** Whether this is a worker whose parent has ended. Elsewhere the parent may be a launcher. */
function isLeftAlone(): boolean {
  const parent = process.env[PARENT];
  return POSIX && parent !== undefined && parent !== String(process.ppid);
}

/** Another Node; its exit code goes to `ended`, as a shell reports it. */
function startWorker(line: string[], database: string | undefined, ended: number[]): ChildProcess {
  const env = database === undefined ? {} : { RESEAL_DATABASE_URL: database };
  const worker = spawn(process.execPath, line, {
    env: { ...process.env, [PARENT]: String(process.pid), ...env },
    stdio: ["ignore", "ignore", "inherit"],
  });
  let hasEnded = false;
  const end = (code: number | null, signal: NodeJS.Signals | null): void => {
    const shown = code ?? 128 + (signal === null ? 0 : constants.signals[signal]);
    if (!hasEnded) ended.push(Math.min(shown, 255));
    hasEnded = true;
  };
  worker.once("exit", end);
  worker.once("error", () => end(NOT_STARTED, null));
  return worker;
}

/** Keeps what would otherwise be printed by itself, in another shape. */
function keepWarnings(kept: string[]): void {
  const emit = process.emitWarning.bind(process) as (...all: unknown[]) => void;
  process.emitWarning = (warning: string | Error, kind?: unknown, ...rest: unknown[]): void => {
    if (kind === "KeyFileWarning") kept.push(String(warning));
    // Of what Node calls experimental, its SQLite is used where there is no other.
    else if (kind !== "ExperimentalWarning") emit(warning, kind, ...rest);
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
      pause(PAUSE_MS);
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
    pause(PAUSE_MS);
    return 0;
  }
}

function streamError(stream: number, done: string, error: unknown): StreamError {
  return new StreamError(`${STREAMS[stream]} cannot be ${done} (${systemCode(error)})`);
}
