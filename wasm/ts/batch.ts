// Many values in one call, with a result for each: a bad value does not fail the rest.
import type { WasmRing } from "../pkg/reseal_wasm.js";
import { BINARY, TEXT } from "./envelope.js";
import { ResealError } from "./errors.js";
import {
  asciiItem,
  bytesItem,
  input,
  succeeded,
  takeItemsOrErrors,
  utf8Item,
  writeLength,
  type Read,
} from "./memory.js";
import { seal, sealBinary } from "./seal.js";
import { envelopeErrorOr, open, openBinary, openString } from "./open.js";
import { lacksKey, openedAll, type Rings } from "./rings.js";
import {
  isStored,
  isStoredBinary,
  writeStored,
  writeStoredBinary,
  writeValue,
  type Bytes,
} from "./value.js";
import type { ModeNumber } from "./words.js";

/** The contexts of a batch; no user code runs when they are written. */
export interface Contexts {
  /** How many there are, where each value has its own. */
  readonly count: number | undefined;
  /** Writes the context of one value at an offset of the input, and gives the offset after it. */
  write(index: number, offset: number): number;
}

/** What is done to each value by a ring, or by another object of the module. */
export interface Task<T, On = WasmRing> {
  /** Writes a value at an offset of the input; throws for what only {@link one} can refuse. */
  write(value: unknown, offset: number): number;
  call(on: On, shared: number, used: number, count: number): number;
  readonly read: Read<T>;
  /** The same for one value, whose context has been written. */
  one(on: On, context: number, value: unknown): T;
  /** Throws what a stored value is refused for by itself: that comes before an error of its context. */
  readonly judge?: (stored: unknown) => void;
  /** The form of what is opened, by a task that opens: its error comes before one of the context. */
  readonly form?: typeof TEXT | typeof BINARY;
}

export const sealTask = (mode: ModeNumber): Task<string> => ({
  write: writeValue,
  call: (ring, shared, used, count) => ring.sealMany(shared, used, count, mode, TEXT),
  read: asciiItem,
  one: (ring, context, value) => seal(ring, context, value, mode),
});

export const sealBinaryTask = (mode: ModeNumber): Task<Bytes> => ({
  write: writeValue,
  call: (ring, shared, used, count) => ring.sealMany(shared, used, count, mode, BINARY),
  read: bytesItem,
  one: (ring, context, value) => sealBinary(ring, context, value, mode),
});

export const openTask: Task<Bytes> = {
  write: packStored,
  call: (ring, shared, used) => ring.openMany(shared, used, false),
  read: bytesItem,
  one: open,
  form: TEXT,
};

export const openStringTask: Task<string> = {
  write: packStored,
  call: (ring, shared, used) => ring.openMany(shared, used, true),
  read: utf8Item,
  one: openString,
  form: TEXT,
};

export const openBinaryTask: Task<Bytes> = {
  write: packStoredBinary,
  call: (ring, shared, used) => ring.openManyBinary(shared, used),
  read: bytesItem,
  one: openBinary,
  form: BINARY,
};

/** Stands for the length of the common context where each value has its own. */
const EACH = 0xffffffff;
/** One call takes about this many bytes. */
const CALL_BYTES = 256 * 1024;

/**
 * Runs a task over values that have been read from their array; once more where it opens, the ring
 * lacks a key, and its source has a newer ring.
 */
export function runBatch<T>(
  rings: Rings,
  values: readonly unknown[],
  contexts: Contexts,
  task: Task<T>,
): (T | ResealError)[] {
  const run = (ring: WasmRing) => runOnce(ring, values, contexts, task);
  if (task.form === undefined) return run(rings.toSeal());
  return openedAll(rings, run, (results) => results.some(lacksKey));
}

/** Runs a task over values, and gives a result or an error for each. */
export function runOnce<T, On>(
  on: On,
  values: readonly unknown[],
  contexts: Contexts,
  task: Task<T, On>,
): (T | ResealError)[] {
  const batch = new Batch(on, contexts, task, values.length);
  batch.begin();
  values.forEach((value, index) => batch.add(value, index));
  batch.finish();
  return batch.results;
}

class Batch<T, On> {
  readonly results: (T | ResealError)[];
  #used = 0;
  #shared = EACH;
  #waiting: number[] = [];
  #called = false;

  constructor(
    readonly on: On,
    readonly contexts: Contexts,
    readonly task: Task<T, On>,
    count: number,
  ) {
    this.results = new Array<T | ResealError>(count);
  }

  /** Writes the common context. */
  begin(): void {
    this.#waiting = [];
    this.#used = 0;
    if (this.contexts.count !== undefined) return;
    this.#used = this.#shared = this.contexts.write(0, 0);
  }

  add(value: unknown, index: number): void {
    try {
      this.#used = this.#pack(value, index, this.#used);
    } catch {
      this.#alone(value, index);
      return;
    }
    this.#waiting.push(index);
    if (this.#used > CALL_BYTES) this.#call();
  }

  /** Also without values the call is made, so that a wrong ring or context shows. */
  finish(): void {
    if (this.#waiting.length > 0 || !this.#called) this.#call();
  }

  #pack(value: unknown, index: number, offset: number): number {
    let at = offset;
    if (this.#shared === EACH) {
      input(at, at + 4);
      const end = this.contexts.write(index, at + 4);
      writeLength(at, end);
      at = end;
    }
    const end = this.task.write(value, at + 4);
    writeLength(at, end);
    return end;
  }

  #call(): void {
    const waiting = this.#waiting;
    succeeded(this.task.call(this.on, this.#shared, this.#used, waiting.length));
    this.#called = true;
    let next = 0;
    takeItemsOrErrors(this.task.read, (item) => (this.results[waiting[next++]!] = item));
    this.begin();
  }

  /** A value that cannot be packed: its error is that of a call for it alone. */
  #alone(value: unknown, index: number): void {
    this.finish();
    try {
      this.results[index] = this.task.one(this.on, this.#context(value, index), value);
    } catch (error) {
      if (!(error instanceof ResealError)) throw error;
      this.results[index] = error;
    }
    this.begin();
  }

  #context(value: unknown, index: number): number {
    try {
      return this.contexts.write(index, 0);
    } catch (error) {
      const { form, judge } = this.task;
      judge?.(value);
      throw form === undefined ? error : envelopeErrorOr(error, value, form);
    }
  }
}

/** A value that has to be judged by itself. */
const NOT_PACKED = new Error("not packed");

function packStored(stored: unknown, offset: number): number {
  if (!isStored(stored)) throw NOT_PACKED;
  return writeStored(stored, offset);
}

function packStoredBinary(stored: unknown, offset: number): number {
  if (!isStoredBinary(stored)) throw NOT_PACKED;
  return writeStoredBinary(stored, offset);
}
