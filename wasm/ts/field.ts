// A field: a ring with a context and a mode that are given once.
import type { WasmRing } from "../pkg/reseal_wasm.js";
import {
  openBinaryTask,
  openStringTask,
  openTask,
  runBatch,
  sealBinaryTask,
  sealTask,
  type Contexts,
  type Task,
} from "./batch.js";
import { indexOf, type IndexOptions } from "./blind-index.js";
import {
  attempted,
  CONTEXT_ROOM,
  encodeContext,
  pairsOf,
  readExtra,
  writePairs,
  type Context,
  type ContextValue,
  type Pairs,
} from "./context.js";
import { BINARY, TEXT } from "./envelope.js";
import { invalidArgument, type ResealError } from "./errors.js";
import { input, writeBytes } from "./memory.js";
import * as opening from "./open.js";
import * as sealing from "./seal.js";
import type { Bytes, Value } from "./value.js";
import { checkOptions, listOf } from "./words.js";

/** What differs from value to value of a batch. */
export interface Rows {
  /** The value of `row` for each value. */
  readonly rows?: readonly ContextValue[] | undefined;
  /** The further pairs for each value. */
  readonly contexts?: readonly Context[] | undefined;
}

type ModeNumber = 0 | 1 | 2;
type Outcome<T> = T | ResealError;

/** Makes a field of a ring. */
export let makeField: (ring: () => WasmRing, context: unknown, mode: ModeNumber) => Field;

/**
 * A column of one table: its ring, its context and its mode, checked and encoded once.
 *
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const ssn = ring.field({ table: "users", column: "ssn" });
 * const stored = ssn.seal("078-05-1120", { row: 42 });
 * if (ssn.openString(stored, { row: 42 }) !== "078-05-1120") throw new Error("never");
 */
export class Field {
  readonly #ring: () => WasmRing;
  readonly #pairs: Uint8Array;
  readonly #mode: ModeNumber;

  static {
    makeField = (ring, context, mode) => new this(ring, encodeContext(context), mode);
  }

  private constructor(ring: () => WasmRing, pairs: Uint8Array, mode: ModeNumber) {
    if (!(pairs instanceof Uint8Array)) throw invalidArgument("a field is made by ring.field()");
    this.#ring = ring;
    this.#pairs = pairs;
    this.#mode = mode;
  }

  /** As `Keyring.seal`, with further pairs such as the row. */
  seal(value: Value, extra?: Context): string {
    const ring = this.#ring();
    return sealing.seal(ring, this.#write(readExtra(extra), 0), value, this.#mode);
  }

  /** As `Keyring.sealBinary`. */
  sealBinary(value: Value, extra?: Context): Bytes {
    const ring = this.#ring();
    return sealing.sealBinary(ring, this.#write(readExtra(extra), 0), value, this.#mode);
  }

  /** As `Keyring.open`. */
  open(stored: string, extra?: Context): Bytes {
    return opening.open(this.#ring(), this.#contextFor(stored, TEXT, extra), stored);
  }

  /** As `Keyring.openString`. */
  openString(stored: string, extra?: Context): string {
    return opening.openString(this.#ring(), this.#contextFor(stored, TEXT, extra), stored);
  }

  /** As `Keyring.openBinary`. */
  openBinary(stored: Uint8Array, extra?: Context): Bytes {
    return opening.openBinary(this.#ring(), this.#contextFor(stored, BINARY, extra), stored);
  }

  /** As `Keyring.isCurrent`, in the mode of the field. */
  isCurrent(stored: string): boolean {
    return opening.isCurrent(this.#ring(), stored, this.#mode, TEXT);
  }

  /** As `Keyring.isCurrentBinary`, in the mode of the field. */
  isCurrentBinary(stored: Uint8Array): boolean {
    return opening.isCurrent(this.#ring(), stored, this.#mode, BINARY);
  }

  /** As `Keyring.reseal`, in the mode of the field. */
  reseal(stored: string, extra?: Context): string {
    const context = this.#contextFor(stored, TEXT, extra);
    return opening.reseal(this.#ring(), context, stored, this.#mode);
  }

  /** As `Keyring.resealBinary`, in the mode of the field. */
  resealBinary(stored: Uint8Array, extra?: Context): Uint8Array {
    const context = this.#contextFor(stored, BINARY, extra);
    return opening.resealBinary(this.#ring(), context, stored, this.#mode);
  }

  /**
   * As `Keyring.sealMany`; `rows` or `contexts` say what differs from value to value.
   *
   * @example
   * const field = new Keyring({ primary: Key.generate() }).field({ table: "users", column: "ssn" });
   * const stored = field.sealMany(["a", "b"], { rows: [1, 2] });
   */
  sealMany(values: readonly Value[], rows: Rows = {}): Outcome<string>[] {
    return this.#batch(values, rows, sealTask(this.#mode));
  }

  /** As `Keyring.sealManyBinary`. */
  sealManyBinary(values: readonly Value[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(values, rows, sealBinaryTask(this.#mode));
  }

  /** As `Keyring.openMany`. */
  openMany(stored: readonly string[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(stored, rows, openTask);
  }

  /** As `Keyring.openManyString`. */
  openManyString(stored: readonly string[], rows: Rows = {}): Outcome<string>[] {
    return this.#batch(stored, rows, openStringTask);
  }

  /** As `Keyring.openManyBinary`. */
  openManyBinary(stored: readonly Uint8Array[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(stored, rows, openBinaryTask);
  }

  /** As `Keyring.lookupValues`. */
  lookupValues(value: Value, extra?: Context): string[] {
    return sealing.lookupValues(this.#ring(), this.#write(readExtra(extra), 0), value);
  }

  /** As `Keyring.lookupValuesBinary`. */
  lookupValuesBinary(value: Value, extra?: Context): Bytes[] {
    return sealing.lookupValuesBinary(this.#ring(), this.#write(readExtra(extra), 0), value);
  }

  /** As `Keyring.indexTerm`. */
  indexTerm(value: Value, options: IndexOptions, extra?: Context): string {
    const ring = this.#ring();
    const pairs = readExtra(extra);
    const index = indexOf(options);
    return sealing.indexTerm(ring, index, this.#write(pairs, 0), value);
  }

  /** As `Keyring.indexTerms`. */
  indexTerms(value: Value, options: IndexOptions, extra?: Context): string[] {
    const ring = this.#ring();
    const pairs = readExtra(extra);
    const index = indexOf(options);
    return sealing.indexTerms(ring, index, this.#write(pairs, 0), value);
  }

  /** Writes the field's pairs and further ones, and gives the offset after them. */
  #write(extra: Pairs, offset: number): number {
    const pairs = this.#pairs;
    writeBytes(pairs, input(offset, offset + CONTEXT_ROOM) + offset);
    return writePairs(extra, offset + pairs.length);
  }

  #contextFor(stored: unknown, form: typeof TEXT | typeof BINARY, extra: unknown): number {
    this.#ring();
    try {
      return this.#write(readExtra(extra), 0);
    } catch (error) {
      throw opening.envelopeErrorOr(error, stored, form);
    }
  }

  #batch<T>(values: unknown, rows: Rows, task: Task<T>): Outcome<T>[] {
    const list = listOf(values, "values");
    return runBatch(this.#ring(), list, this.#contexts(rows, list.length), task);
  }

  #contexts(rows: Rows, count: number): Contexts {
    const each = extraPairs(rows);
    if (each === undefined)
      return { count: undefined, write: (_, offset) => this.#write(NONE, offset) };
    if (each.length !== count) {
      throw invalidArgument(`${count} values have ${each.length} rows: give one for each value`);
    }
    return { count, write: (index, offset) => this.#write(pairsOf(each[index]!), offset) };
  }
}

const NONE: Pairs = { names: [], values: [] };
const ROW = ["row"];

/** The further pairs of each value. */
function extraPairs(options: Rows): (Pairs | ResealError)[] | undefined {
  checkOptions(options, ["rows", "contexts"]);
  const { rows, contexts } = options;
  if (rows !== undefined && contexts !== undefined) {
    throw invalidArgument("give rows or contexts, not both: contexts may hold row");
  }
  if (rows !== undefined) return listOf(rows, "rows").map((row) => ({ names: ROW, values: [row] }));
  return contexts === undefined ? undefined : listOf(contexts, "contexts").map(attempted);
}
