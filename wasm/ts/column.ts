// A column: the codec that it writes, the codecs that it may read, its context and its type.
import { WasmColumn } from "../pkg/reseal_wasm.js";
import { indexOf, type IndexOptions } from "./blind-index.js";
import { runOnce, type Contexts, type Task } from "./batch.js";
import { Codec, partsOf } from "./codec.js";
import { withRings, type RingSlot } from "./codec-rings.js";
import {
  classifyTask,
  nothing,
  openTask,
  KEEP_TWICE,
  REOPEN,
  repairTask,
  RESEAL,
  resealTask,
  sealTask,
  UNWRAP_TWICE,
  writeSpelled,
  type Classified,
  type Opened,
  type Resealing,
} from "./column-task.js";
import { spellingOf, typeOf, type ColumnInputs, type ColumnType, type Spelling } from "./column-type.js"; // prettier-ignore
import {
  attemptedExtra,
  checkContext,
  NO_PAIRS,
  pairsOf,
  readContext,
  writePairs,
  type Context,
  type Pairs,
} from "./context.js";
import { invalidArgument, ResealError } from "./errors.js";
import { disposable } from "./key.js";
import { asciiItem, made, succeeded, takeAscii, takeItems, type Bytes } from "./memory.js";
import { textOf, writeRaw } from "./parts.js";
import { refuseOrWarn } from "./plaintext.js";
import { extraPairs, type Rows } from "./rows.js";
import { storedItem } from "./stored.js";
import { checkOptions, flagOf, foreign, listOf, modeNumber, type Mode } from "./words.js";

/** What a column is made of. */
export interface ColumnOptions<T extends ColumnType = "text", B extends boolean = false> {
  /** The codec that the column writes; it is read as well. */
  readonly write: Codec;
  /** The codecs that the column may read besides. */
  readonly read?: readonly Codec[] | undefined;
  /** What is bound to every value; the rows add their own facts. */
  readonly context?: Context | undefined;
  /** Contexts that older values may have, after a rename. */
  readonly earlierContexts?: readonly Context[] | undefined;
  /** The mode of envelopes; `random` by default. */
  readonly mode?: Mode | undefined;
  /** The type of the values; `text` by default. */
  readonly type?: T | undefined;
  /** Whether the column takes bytes; text by default. */
  readonly binary?: B | undefined;
  /** Blind indexes. The ring of the first codec of envelopes makes their terms. */
  readonly indexes?: readonly IndexOptions[] | undefined;
}

/** What a column stores. */
export type StoredIn<B extends boolean> = B extends true ? Bytes : string;

type StoredValue = string | Uint8Array;
type Result<T> = T | ResealError;

/**
 * A column of a table, whose values may be in several formats: plaintext before Reseal, those of
 * another system, envelopes under old keys. It reads all of them, and writes one.
 *
 * NULL is no value: where a value or a stored value is `null`, so is what comes of it.
 *
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const column = new Column({
 *   write: codecs.reseal(ring),
 *   read: [codecs.plain()],
 *   context: { table: "users", column: "age" },
 *   type: "integer",
 * });
 * const before = column.open("42", { row: 1 });
 * if (before.value !== 42n || before.codec !== "plain") throw new Error("never");
 * const resealed = column.reseal("42", { row: 1 });
 * if (resealed.outcome !== "resealed") throw new Error("never");
 * if (column.open(resealed.value, { row: 1 }).value !== 42n) throw new Error("never");
 */
export class Column<T extends ColumnType = "text", B extends boolean = false> {
  #handle: WasmColumn | undefined;
  readonly #spelling: Spelling;
  readonly #slots: readonly RingSlot[];
  readonly #writer: RingSlot | undefined;

  /**
   * A column that writes plaintext gives a `PlaintextWarning`.
   *
   * @throws `invalid-argument`, also for two codecs of one name; `context-invalid`;
   * `encryption-required` for one that writes plaintext where `RESEAL_REQUIRE_ENCRYPTION` is set
   * @example
   * const column = new Column({ write: codecs.plain() });
   */
  constructor(options: ColumnOptions<T, B>) {
    checkOptions(options, OPTIONS);
    const { write, read = [], context, earlierContexts = [], mode = "random" } = options;
    const { binary, indexes = [] } = options;
    const type = typeOf(options.type);
    const number = modeNumber(mode);
    const contexts = [context ?? {}, ...listOf(earlierContexts, "earlierContexts")].map(
      readContext,
    );
    const form = flagOf(binary, "binary") ? 1 : 0;
    const others = listOf(read, "read").map(codecOf);
    const indexed = listOf(indexes, "indexes").map((index) => indexOf(index as IndexOptions));
    const writer = partsOf(codecOf(write));
    const readers = others.map(partsOf);
    this.#handle = made(WasmColumn.make(writer.handle, writeRaw(type, 0), number, form));
    for (const { handle } of readers) succeeded(this.#handle.read(handle));
    for (const index of indexed) succeeded(this.#handle.index(index));
    contexts.forEach((pairs, at) => {
      succeeded(this.#live().context(writePairs(pairs, 0), at > 0));
    });
    if (this.#live().writesPlaintext()) refuseOrWarn(write.name);
    this.#spelling = spellingOf(type);
    this.#writer = writer.slot;
    this.#slots = [...new Set([writer, ...readers].flatMap(({ slot }) => slot ?? []))];
  }

  /**
   * A value to store, in the codec that the column writes. `facts` are those of the row.
   *
   * @throws `invalid-argument` for a value of another type than the column's, and `value-invalid`
   * for one that has no canonical form; `looks-sealed` for what another codec of the column would
   * take for its own; `codec-read-only`, `context-invalid`, `invalid-text`, `too-large`, `no-primary`, `ring-stale`,
   * `random-unavailable`
   * @example
   * const column = new Column({ write: codecs.plain(), type: "decimal" });
   * if (column.seal("12.50") !== "12.5") throw new Error("never");
   */
  seal(value: ColumnInputs[T], facts?: Context): StoredIn<B>;
  seal(value: ColumnInputs[T] | null, facts?: Context): StoredIn<B> | null;
  seal(value: unknown, facts?: Context): StoredIn<B> | null {
    if (value === null) return null;
    const pairs = attemptedExtra(facts);
    return this.#one(this.#spelled(value), pairs, (values, contexts) => {
      return this.#seal(values, contexts);
    });
  }

  /**
   * The value of a stored value, and what opened it. What carries the mark of a codec of the column
   * is opened by such a codec or not at all: it is never taken for plaintext.
   *
   * @throws `format-mismatch` where no codec of the column has this format; `value-invalid` where
   * the plaintext is no value of the column's type, or has no canonical form in mode deterministic;
   * as `Codec.open`
   * @example
   * const column = new Column({ write: codecs.plain(), type: "json" });
   * const { value, codec } = column.open('{"a":1}');
   */
  open(stored: StoredValue, facts?: Context): Opened<T>;
  open(stored: StoredValue | null, facts?: Context): Opened<T> | null;
  open(stored: StoredValue | null, facts?: Context): Opened<T> | null {
    if (stored === null) return null;
    return this.#one(stored, attemptedExtra(facts), (values, contexts) => {
      return this.#run(values, contexts, openTask<T>(this.#spelling), false);
    });
  }

  /**
   * The term of a value in a blind index of the column, which is stored beside it. `facts` must be
   * those that a query knows as well: with the row id among them no two terms would be equal.
   *
   * @throws `invalid-argument` where there is no such index, or no codec of envelopes in the column;
   * `no-primary` without an index key; `ring-stale`; for the value as {@link Column.seal}
   * @example
   * const ring = new Keyring({ primary: Key.generate(), index: Key.generate("index") });
   * const column = new Column({
   *   write: codecs.reseal(ring),
   *   indexes: [{ index: "ssn_eq", normalizer: "digits" }],
   * });
   * const term = column.indexTerm("078-05-1120", "ssn_eq", { tenant: 7 });
   * const asked = column.indexTerms("078 05 1120", "ssn_eq", { tenant: 7 });
   * if (!asked.includes(term)) throw new Error("never");
   */
  indexTerm(value: ColumnInputs[T], index: string, facts?: Context): string;
  indexTerm(value: ColumnInputs[T] | null, index: string, facts?: Context): string | null;
  indexTerm(value: unknown, index: string, facts?: Context): string | null {
    return this.#indexed(value, index, facts, true, (column, name, context, used) => {
      succeeded(column.indexTerm(name, context, used));
      return takeAscii();
    });
  }

  /**
   * The terms of a value under every index key that opens, the primary's first, and with each of the
   * earlier contexts: what a query asks for. Verify the hits after opening.
   *
   * @throws as {@link Column.indexTerm}, but for `ring-stale`
   */
  indexTerms(value: ColumnInputs[T], index: string, facts?: Context): string[];
  indexTerms(value: ColumnInputs[T] | null, index: string, facts?: Context): string[] | null;
  indexTerms(value: unknown, index: string, facts?: Context): string[] | null {
    return this.#indexed(value, index, facts, false, (column, name, context, used) => {
      succeeded(column.indexTerms(name, context, used));
      return takeItems(asciiItem);
    });
  }

  /**
   * Everything that a value may be stored as, what is written today first: what a query asks for. Verify
   * the hits after opening. `facts` must be those that a query knows as well.
   *
   * It is over the codec that is written and all that are read, under every key that opens and with the
   * earlier contexts. Envelopes are so in mode `deterministic`, `plain` is, Rails with `deterministic`,
   * and SQLAlchemy-Utils with its engine `aes`. A binary column may hold the text of an envelope as
   * well: there it is over both forms. Who sees such a column sees which rows are equal.
   *
   * @throws `invalid-argument` where a codec of the column, which it names, stores equal values
   * differently; for the value as {@link Column.seal}
   * @example
   * const write = codecs.reseal(new Keyring({ primary: Key.generate() }));
   * const column = new Column({ write, read: [codecs.plain()], mode: "deterministic" });
   * const [sealed, plain] = column.lookupValues("a@b.example");
   * if (sealed !== column.seal("a@b.example") || plain !== "a@b.example") throw new Error("never");
   */
  lookupValues(value: ColumnInputs[T], facts?: Context): StoredIn<B>[];
  lookupValues(value: ColumnInputs[T] | null, facts?: Context): StoredIn<B>[] | null;
  lookupValues(value: unknown, facts?: Context): StoredIn<B>[] | null {
    if (value === null) return null;
    const spelled = this.#spelled(value);
    const pairs = attemptedExtra(facts);
    return this.#one(undefined, pairs, () => {
      return withRings(this.#slots, false, () => {
        const context = writePairs(pairsOf(pairs), 0);
        succeeded(this.#live().lookupValues(context, writeAfter(pairsOf(pairs), spelled, context)));
        return [takeItems(storedItem) as StoredIn<B>[]];
      });
    });
  }

  /**
   * Which codec a stored value is in, and under which key, judged without any key.
   *
   * @throws `invalid-argument`, `too-large`
   * @example
   * const column = new Column({ write: codecs.plain() });
   * if (column.classify("x").codec !== "plain" || !column.classify(null).null) {
   *   throw new Error("never");
   * }
   */
  classify(stored: StoredValue | null): Classified {
    const [result] = this.classifyMany([stored]);
    if (result instanceof ResealError) throw result;
    return result!;
  }

  /**
   * The value in the codec that the column writes, under the key that seals and in the column's
   * mode. Whatever is wrong with a value is an outcome, and leaves it as it is.
   *
   * @throws nothing for a value
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const column = new Column({ write: codecs.reseal(ring), read: [codecs.plain()] });
   * const resealed = column.reseal("hello");
   * if (resealed.outcome !== "resealed" || resealed.from.codec !== "plain") {
   *   throw new Error("never");
   * }
   * if (column.reseal(resealed.value).outcome !== "current") throw new Error("never");
   */
  reseal(stored: StoredValue | null, facts?: Context): Resealing {
    return this.#rewriteOne(stored, facts, RESEAL);
  }

  /**
   * As {@link Column.reseal}, and a value that is current is opened as well: where it has an
   * earlier context, it is sealed with the present one.
   */
  reopen(stored: StoredValue | null, facts?: Context): Resealing {
    return this.#rewriteOne(stored, facts, REOPEN);
  }

  /**
   * The value of a row that was encrypted twice, sealed once: a repair for one row, that a person
   * asks for. Never make it a rule, since whoever submits a foreign ciphertext as his own text
   * would read it opened.
   *
   * @throws `format-mismatch` where the plaintext is in no foreign codec of the column; as
   * {@link Column.open} and {@link Column.seal}; `expect-required`
   */
  unwrapTwice(stored: StoredValue, facts?: Context): string | Bytes {
    return this.#repair(stored, facts, UNWRAP_TWICE);
  }

  /**
   * The value of a row in the codec that is written, whatever its plaintext looks like: for a row
   * that is refused as `double-encrypted`, and in which somebody just wrote what looks like a
   * ciphertext. A person asks for it, for one row.
   *
   * @throws as {@link Column.open} and {@link Column.seal}; `expect-required`
   */
  keepTwice(stored: StoredValue, facts?: Context): string | Bytes {
    return this.#repair(stored, facts, KEEP_TWICE);
  }

  /**
   * As {@link Column.seal}, for many values; `rows` or `contexts` say what differs from row to row.
   * The result for a bad value is its error.
   *
   * @throws `no-primary`, `ring-stale`; `invalid-argument` when there are not as many rows as values
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const column = new Column({ write: codecs.reseal(ring) });
   * const stored = column.sealMany(["a", null, "c"], { rows: [1, 2, 3] });
   * if (stored[1] !== null) throw new Error("never");
   */
  sealMany(
    values: readonly (ColumnInputs[T] | null)[],
    rows: Rows = {},
  ): Result<StoredIn<B> | null>[] {
    const list = listOf(values, "values");
    const facts = extraPairs(rows, list.length);
    const spelled = list.map((value) => (value === null ? null : this.#spelled(value)));
    return this.#many(spelled, facts, null, (some, contexts) => this.#seal(some, contexts));
  }

  /**
   * As {@link Column.open}, for many values. The result for a bad value is its error.
   *
   * @throws `invalid-argument` when there are not as many rows as values
   * @example
   * const column = new Column({ write: codecs.plain(), type: "integer" });
   * const [first, none] = column.openMany(["7", null]);
   */
  openMany(stored: readonly (StoredValue | null)[], rows: Rows = {}): Result<Opened<T> | null>[] {
    const list = listOf(stored, "stored");
    const facts = extraPairs(rows, list.length);
    return this.#many(list, facts, null, (some, contexts) => {
      return this.#run(some, contexts, openTask<T>(this.#spelling), false);
    });
  }

  /** As {@link Column.classify}, for many values. */
  classifyMany(stored: readonly (StoredValue | null)[]): Result<Classified>[] {
    const list = listOf(stored, "stored");
    const column = this.#live();
    return this.#many(list, undefined, nothing(true), (some, contexts) => {
      return runOnce(column, some, contexts, classifyTask);
    });
  }

  /**
   * As {@link Column.reseal}, for many values.
   *
   * @throws `invalid-argument` when there are not as many rows as values
   */
  resealMany(stored: readonly (StoredValue | null)[], rows: Rows = {}): Resealing[] {
    const list = listOf(stored, "stored");
    return this.#rewrite(list, extraPairs(rows, list.length), RESEAL);
  }

  /** As {@link Column.reopen}, for many values. */
  reopenMany(stored: readonly (StoredValue | null)[], rows: Rows = {}): Resealing[] {
    const list = listOf(stored, "stored");
    return this.#rewrite(list, extraPairs(rows, list.length), REOPEN);
  }

  /** Lets go of the codecs; the column cannot be used any more. */
  dispose(): void {
    this.#handle?.free();
    this.#handle = undefined;
  }

  #live(): WasmColumn {
    if (this.#handle === undefined) throw invalidArgument("this column was disposed");
    return this.#handle;
  }

  /** The spelling of a value, or what is wrong with it: code of the caller runs now or never. */
  #spelled(value: unknown): unknown {
    try {
      return this.#spelling.spell(value);
    } catch (error) {
      if (error instanceof ResealError) return error;
      throw error;
    }
  }

  #indexed<R>(
    value: unknown,
    index: unknown,
    facts: unknown,
    isStored: boolean,
    terms: (column: WasmColumn, name: number, context: number, used: number) => R,
  ): R | null {
    if (value === null) return null;
    const spelled = this.#spelled(value);
    const [word, pairs] = [textOf(index, "the name of an index"), attemptedExtra(facts)];
    return this.#one(undefined, pairs, () => {
      return withRings(this.#slots, isStored, () => {
        const name = writeRaw(word, 0);
        const context = writePairs(pairsOf(pairs), name);
        const used = writeAfter(pairsOf(pairs), spelled, context);
        return [terms(this.#live(), name, context, used)];
      });
    });
  }

  #seal(values: readonly unknown[], contexts: Contexts): Result<StoredIn<B>>[] {
    this.#writer?.askToSeal();
    this.#writer?.settle();
    return runOnce(this.#live(), values, contexts, sealTask) as Result<StoredIn<B>>[];
  }

  #run<R>(
    values: readonly unknown[],
    contexts: Contexts,
    task: Task<R, WasmColumn>,
    willSeal: boolean,
  ): Result<R>[] {
    return withRings(this.#slots, willSeal, () => runOnce(this.#live(), values, contexts, task));
  }

  #repair(
    stored: unknown,
    facts: unknown,
    way: typeof UNWRAP_TWICE | typeof KEEP_TWICE,
  ): string | Bytes {
    return this.#one(stored, attemptedExtra(facts), (values, contexts) => {
      return this.#run(values, contexts, repairTask(way), true);
    });
  }

  #rewriteOne(stored: unknown, facts: unknown, way: typeof RESEAL | typeof REOPEN): Resealing {
    return this.#rewrite([stored], [attemptedExtra(facts)], way)[0]!;
  }

  #rewrite(
    stored: readonly unknown[],
    facts: readonly (Pairs | ResealError)[] | undefined,
    way: typeof RESEAL | typeof REOPEN,
  ): Resealing[] {
    const results = this.#many(stored, facts, NULL, (some, contexts) => {
      return this.#run(some, contexts, resealTask(way), true);
    });
    return results.map((result) => {
      if (!(result instanceof ResealError)) return result;
      return { outcome: "refused", code: result.code, message: result.message };
    });
  }

  /** One value: what comes of it, or its error is thrown. */
  #one<R>(
    value: unknown,
    facts: Pairs | ResealError,
    run: (values: readonly unknown[], contexts: Contexts) => Result<R>[],
  ): R {
    const [result] = run([value], contextsOf([facts]));
    if (result instanceof ResealError) throw result;
    return result as R;
  }

  /** Values of which some are null. */
  #many<R, N>(
    values: readonly unknown[],
    facts: readonly (Pairs | ResealError)[] | undefined,
    ofNull: N,
    run: (values: readonly unknown[], contexts: Contexts) => Result<R>[],
  ): (Result<R> | N)[] {
    if (!values.includes(null)) return run(values, contextsOf(facts));
    const isValue = (_: unknown, at: number) => values[at] !== null;
    const some = run(values.filter(isValue), contextsOf(facts?.filter(isValue)));
    let next = 0;
    return values.map((value) => (value === null ? ofNull : some[next++]!));
  }
}

/** `using column = …` disposes of it at the end of the block. */
export interface Column<T extends ColumnType = "text", B extends boolean = false> {
  [Symbol.dispose](): void;
}
disposable(Column.prototype);

const OPTIONS = ["write", "read", "context", "earlierContexts", "mode", "type", "binary", "indexes"]; // prettier-ignore
const NULL: Resealing = Object.freeze({ outcome: "null" });

/** The facts of each value, or none for all. */
function contextsOf(facts: readonly (Pairs | ResealError)[] | undefined): Contexts {
  if (facts === undefined || facts.every((pairs) => pairs === NO_PAIRS)) {
    return { count: undefined, write: (_, offset) => offset };
  }
  const write = (index: number, offset: number) => writePairs(pairsOf(facts[index]!), offset);
  return { count: facts.length, write };
}

/** Writes a value to seal after its facts; where they are wrong as well, their error comes first (section 5). */
function writeAfter(facts: Pairs, value: unknown, offset: number): number {
  try {
    return writeSpelled(value, offset);
  } catch (error) {
    checkContext(writePairs(facts, 0));
    throw error;
  }
}

function codecOf(codec: unknown): Codec {
  if (codec instanceof Codec) return codec;
  throw foreign(codec, "Codec", "a column reads and writes codecs, such as codecs.plain()");
}
