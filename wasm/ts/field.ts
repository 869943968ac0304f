// A field: a ring with a context and a mode that are given once.
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
  attemptedExtra,
  CONTEXT_ROOM,
  encodeContext,
  NO_PAIRS,
  pairsOf,
  readExtra,
  writePairs,
  type Context,
  type Pairs,
} from "./context.js";
import { BINARY, TEXT } from "./envelope.js";
import { invalidArgument, type ResealError } from "./errors.js";
import { input, writeBytes } from "./memory.js";
import * as opening from "./open.js";
import { opened, type Rings } from "./rings.js";
import { extraPairs, type Rows } from "./rows.js";
import * as sealing from "./seal.js";
import type { Bytes, Value } from "./value.js";
import { listOf, type ModeNumber } from "./words.js";

type Outcome<T> = T | ResealError;

/** Makes a field of a ring. */
export let makeField: (rings: Rings, context: unknown, mode: ModeNumber) => Field;

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
  readonly #rings: Rings;
  readonly #pairs: Uint8Array;
  readonly #mode: ModeNumber;

  static {
    makeField = (rings, context, mode) => new this(rings, encodeContext(context), mode);
  }

  private constructor(rings: Rings, pairs: Uint8Array, mode: ModeNumber) {
    if (!(pairs instanceof Uint8Array)) throw invalidArgument("a field is made by ring.field()");
    this.#rings = rings;
    this.#pairs = pairs;
    this.#mode = mode;
  }

  /** As `Keyring.seal`, with further pairs such as the row. */
  seal(value: Value, extra?: Context): string {
    const pairs = readExtra(extra);
    return sealing.seal(this.#rings.toSeal(), this.#write(pairs, 0), value, this.#mode);
  }

  /** As `Keyring.sealBinary`. */
  sealBinary(value: Value, extra?: Context): Bytes {
    const pairs = readExtra(extra);
    return sealing.sealBinary(this.#rings.toSeal(), this.#write(pairs, 0), value, this.#mode);
  }

  /** As `Keyring.open`. */
  open(stored: string, extra?: Context): Bytes {
    const pairs = attemptedExtra(extra);
    return opened(this.#rings, (ring) => {
      return opening.open(ring, this.#contextFor(stored, TEXT, pairs), stored);
    });
  }

  /** As `Keyring.openString`. */
  openString(stored: string, extra?: Context): string {
    const pairs = attemptedExtra(extra);
    return opened(this.#rings, (ring) => {
      return opening.openString(ring, this.#contextFor(stored, TEXT, pairs), stored);
    });
  }

  /** As `Keyring.openBinary`. */
  openBinary(stored: Uint8Array, extra?: Context): Bytes {
    const pairs = attemptedExtra(extra);
    return opened(this.#rings, (ring) => {
      return opening.openBinary(ring, this.#contextFor(stored, BINARY, pairs), stored);
    });
  }

  /** As `Keyring.isCurrent`, in the mode of the field. */
  isCurrent(stored: string): boolean {
    return opening.isCurrent(this.#rings.toOpen(), stored, this.#mode, TEXT);
  }

  /** As `Keyring.isCurrentBinary`, in the mode of the field. */
  isCurrentBinary(stored: Uint8Array): boolean {
    return opening.isCurrent(this.#rings.toOpen(), stored, this.#mode, BINARY);
  }

  /** As `Keyring.reseal`, in the mode of the field. */
  reseal(stored: string, extra?: Context): string {
    const pairs = attemptedExtra(extra);
    return opened(this.#rings, (ring) => {
      this.#rings.checkLease(() => opening.isCurrent(ring, stored, this.#mode, TEXT));
      return opening.reseal(ring, this.#contextFor(stored, TEXT, pairs), stored, this.#mode);
    });
  }

  /** As `Keyring.resealBinary`, in the mode of the field. */
  resealBinary(stored: Uint8Array, extra?: Context): Uint8Array {
    const pairs = attemptedExtra(extra);
    return opened(this.#rings, (ring) => {
      this.#rings.checkLease(() => opening.isCurrent(ring, stored, this.#mode, BINARY));
      return opening.resealBinary(
        ring,
        this.#contextFor(stored, BINARY, pairs),
        stored,
        this.#mode,
      );
    });
  }

  /**
   * As `Keyring.sealMany`; `rows` or `contexts` say what differs from value to value.
   *
   * @example
   * const field = new Keyring({ primary: Key.generate() }).field({ table: "users", column: "ssn" });
   * const stored = field.sealMany(["a", "b"], { rows: [1, 2] });
   */
  sealMany(values: readonly (Value | null)[], rows: Rows = {}): Outcome<string>[] {
    return this.#batch(values, rows, sealTask(this.#mode));
  }

  /** As `Keyring.sealManyBinary`. */
  sealManyBinary(values: readonly (Value | null)[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(values, rows, sealBinaryTask(this.#mode));
  }

  /** As `Keyring.openMany`. */
  openMany(stored: readonly (string | null)[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(stored, rows, openTask);
  }

  /** As `Keyring.openManyString`. */
  openManyString(stored: readonly (string | null)[], rows: Rows = {}): Outcome<string>[] {
    return this.#batch(stored, rows, openStringTask);
  }

  /** As `Keyring.openManyBinary`. */
  openManyBinary(stored: readonly (Uint8Array | null)[], rows: Rows = {}): Outcome<Bytes>[] {
    return this.#batch(stored, rows, openBinaryTask);
  }

  /** As `Keyring.lookupValues`. */
  lookupValues(value: Value, extra?: Context): string[] {
    const pairs = readExtra(extra);
    return sealing.lookupValues(this.#rings.toOpen(), this.#write(pairs, 0), value);
  }

  /** As `Keyring.lookupValuesBinary`. */
  lookupValuesBinary(value: Value, extra?: Context): Bytes[] {
    const pairs = readExtra(extra);
    return sealing.lookupValuesBinary(this.#rings.toOpen(), this.#write(pairs, 0), value);
  }

  /** As `Keyring.indexTerm`. */
  indexTerm(value: Value, options: IndexOptions, extra?: Context): string {
    const pairs = readExtra(extra);
    const index = indexOf(options);
    return sealing.indexTerm(this.#rings.toSeal(), index, this.#write(pairs, 0), value);
  }

  /** As `Keyring.indexTerms`. */
  indexTerms(value: Value, options: IndexOptions, extra?: Context): string[] {
    const pairs = readExtra(extra);
    const index = indexOf(options);
    return sealing.indexTerms(this.#rings.toOpen(), index, this.#write(pairs, 0), value);
  }

  /** Writes the field's pairs and further ones, and gives the offset after them. */
  #write(extra: Pairs, offset: number): number {
    const pairs = this.#pairs;
    writeBytes(pairs, input(offset, offset + CONTEXT_ROOM) + offset);
    return writePairs(extra, offset + pairs.length);
  }

  #contextFor(
    stored: unknown,
    form: typeof TEXT | typeof BINARY,
    extra: Pairs | ResealError,
  ): number {
    try {
      return this.#write(pairsOf(extra), 0);
    } catch (error) {
      throw opening.envelopeErrorOr(error, stored, form);
    }
  }

  #batch<T>(values: unknown, rows: Rows, task: Task<T>): Outcome<T>[] {
    const list = listOf(values, "values");
    return runBatch(this.#rings, list, this.#contexts(rows, list.length), task);
  }

  #contexts(rows: Rows, count: number): Contexts {
    const each = extraPairs(rows, count);
    if (each === undefined)
      return { count: undefined, write: (_, offset) => this.#write(NO_PAIRS, offset) };
    return { count, write: (index, offset) => this.#write(pairsOf(each[index]!), offset) };
  }
}
