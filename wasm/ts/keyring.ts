// The keyring: an immutable set of keys with an explicit primary for each use.
import { WasmRing } from "../pkg/reseal_wasm.js";
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
import { buildRing, type KeyringOptions } from "./builder.js";
import {
  attempted,
  checkContext,
  pairsOf,
  readContext,
  writePairs,
  type Context,
  type Pairs,
} from "./context.js";
import { platform, type PathLike } from "./engine.js";
import { BINARY, TEXT } from "./envelope.js";
import { invalidArgument, type ResealError } from "./errors.js";
import { Field, makeField } from "./field.js";
import { disposable } from "./key.js";
import type { KekProvider } from "./key-services.js";
import { Keyset } from "./keyset.js";
import type { KeysetLoadOptions } from "./keyset-document.js";
import * as opening from "./open.js";
import * as sealing from "./seal.js";
import { FixedRing, opened, openedAll, Rings } from "./rings.js";
import {
  ringOnce,
  Source,
  type DirectoryOptions,
  type Environment,
  type KeysetSourceOptions,
} from "./source.js";
import type { Bytes, Value } from "./value.js";
import {
  checkOptions,
  isArray,
  listOf,
  modeNumber,
  otherMode,
  proxied,
  type KeyState,
  type KeyUse,
  type Mode,
} from "./words.js";

/** A key of a ring, as it may be shown. */
export interface KeyInfo {
  /** The key id. */
  readonly id: string;
  /** What the key is for; unknown for a destroyed key. */
  readonly use: KeyUse | undefined;
  /** What it may do at the moment. */
  readonly state: KeyState;
  /** What people call it: the label in a keyset, or the name of a file; empty otherwise. */
  readonly label: string;
}

/** A keyset from anywhere, and what opens it: one of `kek`, `passphrase` and `providers`, or more. */
export interface KeyringLoadOptions extends KeysetLoadOptions {
  /** The document, or a function that gets it. */
  readonly keyset: Document | (() => Document | PromiseLike<Document>);
  /** Key services; those that the keyset names are asked for their keys. */
  readonly providers?: readonly KekProvider[] | undefined;
}

type Document = string | Uint8Array;

/** The result for one value of a batch: test it with `instanceof ResealError`. */
export type Outcome<T> = T | ResealError;

/** What {@link Keyring.check} found. */
export type CanaryCheck =
  "ok" | "unknown-key" | "auth-failed" | "key-disabled" | "key-destroyed" | "key-wrong-use";

/** Where the ring of each call of a keyring comes from. */
export let ringsOf: (ring: Keyring) => Rings;

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * The keys of an application. Its secrets stay inside the WebAssembly module: printing, logging,
 * JSON and cloning show ids and states at most.
 *
 * @example
 * const ring = new Keyring({ primary: Key.generate() });
 * const context = { table: "users", column: "ssn", row: 42 };
 * const stored = ring.seal("078-05-1120", context);
 * if (ring.openString(stored, context) !== "078-05-1120") throw new Error("never");
 */
export class Keyring {
  readonly #rings: Rings;

  static {
    ringsOf = (ring) => {
      if (#rings in ring) return ring.#rings;
      throw proxied("Keyring");
    };
  }

  /**
   * A ring of keys that are given as `Key` objects or as key texts.
   *
   * @throws `invalid-key`, `key-wrong-use`, `duplicate-key`, `invalid-argument`
   * @example
   * const ring = new Keyring({ primary: Key.generate(), decryptOnly: [Key.generate()] });
   */
  constructor(options: KeyringOptions) {
    this.#rings = options instanceof Rings ? options : new FixedRing(givenRing(options));
  }

  /**
   * The ring that the environment describes: `RESEAL_PRIMARY_KEY` and its companions,
   * `RESEAL_KEY_DIR` with `RESEAL_PRIMARY`, or `RESEAL_KEYSET` with `RESEAL_KEK` or
   * `RESEAL_PASSPHRASE`. Where a variable holds a secret, one with `_FILE` after its name may give
   * the path of a file with it.
   *
   * @throws `source-missing`, `source-conflict`, `source-unreadable`, `invalid-key`,
   * `key-wrong-use`, `duplicate-key`; all name the variable or the file. Those of
   * {@link Keyring.fromKeyset}
   * @example
   * const ring = Keyring.fromEnv({ RESEAL_PRIMARY_KEY: Key.generate().export() });
   */
  static fromEnv(env: Environment = platform().environment()): Keyring {
    return ringOf(ringOnce(Source.fromEnv(env)));
  }

  /**
   * The ring of a directory with one key text per file, as Kubernetes mounts a secret. `primary` and
   * `indexPrimary` are names of files; all other keys only open. The name of a file is the label of
   * its key. Hidden files and sub-directories are skipped.
   *
   * @throws `source-unreadable`, `invalid-key`, `key-wrong-use`, `duplicate-key`; all name the file
   */
  static fromDirectory(path: PathLike, options: DirectoryOptions): Keyring {
    return ringOf(ringOnce(Source.fromDirectory(path, options)));
  }

  /**
   * The ring of a keyset file, opened by one of `kek`, `kekFile`, `passphrase` and `passphraseFile`.
   *
   * @throws `source-unreadable`, `invalid-key`, `invalid-argument`, `keyset-malformed`,
   * `unsupported-version`, `kek-mismatch`, `keyset-tampered`, `keyset-wrong-ring`,
   * `keyset-outdated`, `key-id-mismatch`, `duplicate-key`
   * @example
   * const kek = Key.generate("kek");
   * const keyset = Keyset.create({ kek });
   * const id = keyset.rotate("data");
   * new KeysetFile("ring.json").create(keyset);
   * if (Keyring.fromKeyset("ring.json", { kek }).primaryId !== id) throw new Error("never");
   */
  static fromKeyset(path: PathLike, options: KeysetSourceOptions): Keyring {
    return ringOf(ringOnce(Source.fromKeyset(path, options)));
  }

  /**
   * The ring of a keyset that must be awaited: fetched in a browser, or opened by a key service.
   *
   * @throws as `Keyset.load` and `Keyset.loadAsync`, and whatever getting the keyset throws; always
   * as a rejection
   * @example
   * const kek = Key.generate("kek");
   * const keyset = Keyset.create({ kek });
   * const id = keyset.rotate("data");
   * const ring = await Keyring.load({ keyset: async () => keyset.save(), kek });
   * if (ring.primaryId !== id) throw new Error("never");
   */
  static async load(options: KeyringLoadOptions): Promise<Keyring> {
    checkOptions(options, ["keyset", "kek", "passphrase", "providers", "ring", "minGeneration"]);
    const { keyset, providers, ...others } = options;
    const document = typeof keyset === "function" ? await keyset() : keyset;
    const loaded =
      providers === undefined
        ? Keyset.load(document, others)
        : await Keyset.loadAsync(document, { providers, ...others });
    try {
      return loaded.keyring();
    } finally {
      loaded.dispose();
    }
  }

  /**
   * A text envelope of a value under the primary key.
   *
   * @throws `context-invalid`, `invalid-text`, `too-large`, `no-primary`, `random-unavailable`
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const stored = ring.seal("078-05-1120", { table: "users", column: "ssn", row: 42 });
   */
  seal(value: Value, context: Context, mode: Mode = "random"): string {
    const number = modeNumber(mode);
    const pairs = readContext(context);
    return sealing.seal(this.#rings.toSeal(), writePairs(pairs, 0), value, number);
  }

  /** As {@link Keyring.seal}, for a binary column. */
  sealBinary(value: Value, context: Context, mode: Mode = "random"): Bytes {
    const number = modeNumber(mode);
    const pairs = readContext(context);
    return sealing.sealBinary(this.#rings.toSeal(), writePairs(pairs, 0), value, number);
  }

  /**
   * The plaintext of a text envelope.
   *
   * @throws `not-envelope`, `malformed`, `unsupported-version`, `unsupported-mode`, `too-large`,
   * `context-invalid`, `unknown-key`, `key-destroyed`, `key-disabled`, `key-wrong-use`;
   * `auth-failed` for everything that depends on a secret
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const bytes = ring.open(ring.seal("x", { row: 1 }), { row: 1 });
   */
  open(stored: string, context: Context): Bytes {
    const pairs = attempted(context);
    return opened(this.#rings, (ring) => {
      return opening.open(ring, contextFor(stored, TEXT, pairs), stored);
    });
  }

  /** As {@link Keyring.open}, as text; `invalid-text` where the plaintext is not UTF-8. */
  openString(stored: string, context: Context): string {
    const pairs = attempted(context);
    return opened(this.#rings, (ring) => {
      return opening.openString(ring, contextFor(stored, TEXT, pairs), stored);
    });
  }

  /** As {@link Keyring.open}, for a binary envelope. */
  openBinary(stored: Uint8Array, context: Context): Bytes {
    const pairs = attempted(context);
    return opened(this.#rings, (ring) => {
      return opening.openBinary(ring, contextFor(stored, BINARY, pairs), stored);
    });
  }

  /**
   * Whether a text envelope is under the primary key and in `mode`, without one in whatever mode it
   * has; nothing is verified.
   *
   * @throws as {@link inspect}
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * if (!ring.isCurrent(ring.seal("x", {}))) throw new Error("never");
   */
  isCurrent(stored: string, mode?: Mode): boolean {
    return opening.isCurrent(this.#rings.toOpen(), stored, otherMode(mode), TEXT);
  }

  /** As {@link Keyring.isCurrent}, for a binary envelope. */
  isCurrentBinary(stored: Uint8Array, mode?: Mode): boolean {
    return opening.isCurrent(this.#rings.toOpen(), stored, otherMode(mode), BINARY);
  }

  /**
   * The value under the primary key and in `mode`; the same string where it already is so. Without a
   * mode the value keeps the one that it has.
   *
   * @throws as {@link Keyring.open} and {@link Keyring.seal}; leave the stored value as it is then
   * @example
   * const [old, fresh] = [Key.generate(), Key.generate()];
   * const stored = new Keyring({ primary: old }).seal("x", { row: 1 });
   * const ring = new Keyring({ primary: fresh, decryptOnly: [old] });
   * const resealed = ring.reseal(stored, { row: 1 });
   */
  reseal(stored: string, context: Context, mode?: Mode): string {
    const rings = this.#rings;
    const number = otherMode(mode);
    const pairs = attempted(context);
    return opened(rings, (ring) => {
      rings.checkLease(() => opening.isCurrent(ring, stored, number, TEXT));
      return opening.reseal(ring, contextFor(stored, TEXT, pairs), stored, number);
    });
  }

  /** As {@link Keyring.reseal}, for a binary envelope; the same array where it is current. */
  resealBinary(stored: Uint8Array, context: Context, mode?: Mode): Uint8Array {
    const rings = this.#rings;
    const number = otherMode(mode);
    const pairs = attempted(context);
    return opened(rings, (ring) => {
      rings.checkLease(() => opening.isCurrent(ring, stored, number, BINARY));
      return opening.resealBinary(ring, contextFor(stored, BINARY, pairs), stored, number);
    });
  }

  /**
   * Text envelopes of many values, under one context or one for each. The result for a bad value
   * is its error; the others are sealed all the same.
   *
   * @throws `context-invalid` for a common context, `no-primary`, `random-unavailable`,
   * `invalid-argument` when there are not as many contexts as values
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const stored = ring.sealMany(["a", "b"], [{ row: 1 }, { row: 2 }]);
   */
  sealMany(
    values: readonly (Value | null)[],
    context: Context | readonly Context[],
    mode: Mode = "random",
  ): Outcome<string>[] {
    return this.#batch(values, context, sealTask(modeNumber(mode)));
  }

  /** As {@link Keyring.sealMany}, for a binary column. */
  sealManyBinary(
    values: readonly (Value | null)[],
    context: Context | readonly Context[],
    mode: Mode = "random",
  ): Outcome<Bytes>[] {
    return this.#batch(values, context, sealBinaryTask(modeNumber(mode)));
  }

  /**
   * The plaintexts of many text envelopes; the result for a bad one is its error.
   *
   * @throws `context-invalid` for a common context, `invalid-argument`
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const [bytes] = ring.openMany([ring.seal("x", {})], {});
   */
  openMany(
    stored: readonly (string | null)[],
    context: Context | readonly Context[],
  ): Outcome<Bytes>[] {
    return this.#batch(stored, context, openTask);
  }

  /** As {@link Keyring.openMany}, as text. */
  openManyString(
    stored: readonly (string | null)[],
    context: Context | readonly Context[],
  ): Outcome<string>[] {
    return this.#batch(stored, context, openStringTask);
  }

  /** As {@link Keyring.openMany}, for binary envelopes. */
  openManyBinary(
    stored: readonly (Uint8Array | null)[],
    context: Context | readonly Context[],
  ): Outcome<Bytes>[] {
    return this.#batch(stored, context, openBinaryTask);
  }

  /**
   * The deterministic envelopes of a value under every key that opens, the primary's first: what
   * a query on a deterministic column asks for, `IN (…)`.
   *
   * @throws as {@link Keyring.seal}, but for `ring-stale` and `random-unavailable`
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const wanted = ring.lookupValues("a@b.c", { table: "users", column: "email" });
   */
  lookupValues(value: Value, context: Context): string[] {
    const pairs = readContext(context);
    return sealing.lookupValues(this.#rings.toOpen(), writePairs(pairs, 0), value);
  }

  /** As {@link Keyring.lookupValues}, for a binary column. */
  lookupValuesBinary(value: Value, context: Context): Bytes[] {
    const pairs = readContext(context);
    return sealing.lookupValuesBinary(this.#rings.toOpen(), writePairs(pairs, 0), value);
  }

  /**
   * The blind-index term of a value under the primary index key: what is stored.
   *
   * @throws `context-invalid`, `invalid-argument`, `no-primary` without an index key, `ring-stale`
   * @example
   * const ring = new Keyring({ primary: Key.generate(), index: Key.generate("index") });
   * const term = ring.indexTerm("a@b.c", { table: "users" }, { index: "email_eq" });
   */
  indexTerm(value: Value, context: Context, options: IndexOptions): string {
    const pairs = readContext(context);
    const index = indexOf(options);
    return sealing.indexTerm(this.#rings.toSeal(), index, writePairs(pairs, 0), value);
  }

  /** The terms under every index key that opens, the primary's first: what a query asks for. */
  indexTerms(value: Value, context: Context, options: IndexOptions): string[] {
    const pairs = readContext(context);
    const index = indexOf(options);
    return sealing.indexTerms(this.#rings.toOpen(), index, writePairs(pairs, 0), value);
  }

  /**
   * A field: this ring with a context and a mode that are checked and encoded once.
   *
   * @throws `context-invalid`, `invalid-argument`
   * @example
   * const field = new Keyring({ primary: Key.generate() }).field({ table: "users", column: "ssn" });
   * const stored = field.seal("078-05-1120", { row: 42 });
   */
  field(context: Context, mode: Mode = "random"): Field {
    this.#rings.checkUse();
    return makeField(this.#rings, context, modeNumber(mode));
  }

  /**
   * A canary: a value to store beside the data, which {@link Keyring.check} opens at every start.
   *
   * @throws `no-primary`, `random-unavailable`
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const canary = ring.canary();
   * if (ring.check(canary) !== "ok") throw new Error("never");
   */
  canary(): string {
    return sealing.canary(this.#rings.toSeal());
  }

  /**
   * Whether this ring has the key of a canary: `ok`, or the code of what is wrong with its keys. So
   * a process with the wrong keys stops when it starts, and not when a user asks it for something.
   *
   * @throws `not-envelope`, `malformed`, `unsupported-version`, `unsupported-mode`, `too-large`:
   * this is no canary, whatever the keys
   * @example
   * const canary = new Keyring({ primary: Key.generate() }).canary();
   * const other = new Keyring({ primary: Key.generate() });
   * if (other.check(canary) !== "unknown-key") throw new Error("never");
   */
  check(canary: string): CanaryCheck {
    const check = (ring: WasmRing) => opening.check(ring, canary) as CanaryCheck;
    return openedAll(this.#rings, check, (found) => found === "unknown-key");
  }

  /** Every key of the ring, in the order of their ids. */
  keys(): KeyInfo[] {
    return this.#rings.toOpen().keys() as KeyInfo[];
  }

  /** The id of the data key that seals, if there is one. */
  get primaryId(): string | undefined {
    return this.#rings.toOpen().primaryId();
  }

  /** The id of the index key whose terms are stored, if there is one. */
  get indexPrimaryId(): string | undefined {
    return this.#rings.toOpen().indexPrimaryId();
  }

  /** Wipes the keys. The ring and its fields cannot be used any more. */
  dispose(): void {
    this.#rings.dispose();
  }

  /** Ids, uses and states. */
  toString(): string {
    return this.#rings.shown();
  }

  /** As {@link Keyring.toString}: JSON never holds a secret. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #batch<T>(values: unknown, context: unknown, task: Task<T>): Outcome<T>[] {
    const list = listOf(values, "values");
    return runBatch(this.#rings, list, contextsOf(context, list.length), task);
  }
}

/** `using ring = …` wipes it at the end of the block. */
export interface Keyring {
  [Symbol.dispose](): void;
}
disposable(Keyring.prototype);

/** The keyring around what the module made. */
export function ringOf(ring: WasmRing): Keyring {
  return new Keyring(ring as KeyringOptions);
}

function givenRing(options: KeyringOptions): WasmRing {
  return options instanceof WasmRing ? options : buildRing(options);
}

/** Writes a context; where that fails, the error of the stored value comes first (section 5). */
function contextFor(
  stored: unknown,
  form: typeof TEXT | typeof BINARY,
  context: Pairs | ResealError,
): number {
  try {
    return writePairs(pairsOf(context), 0);
  } catch (error) {
    throw opening.envelopeErrorOr(error, stored, form);
  }
}

/** One context for all values, or one for each. */
function contextsOf(context: unknown, count: number): Contexts {
  if (!isArray(context)) {
    const pairs = readContext(context);
    // Its error comes before that of a ring which cannot seal (section 5).
    checkContext(writePairs(pairs, 0));
    return { count: undefined, write: (_, offset) => writePairs(pairs, offset) };
  }
  const list = listOf(context, "contexts").map(attempted);
  if (list.length !== count) {
    throw invalidArgument(
      `${count} values have ${list.length} contexts: give one for each value, or one for all`,
    );
  }
  return { count, write: (index, offset) => writePairs(pairsOf(list[index]!), offset) };
}
