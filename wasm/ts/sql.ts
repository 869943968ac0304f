// A keyset in a database, which the processes of several languages share. Node only.
import {
  KeyringError,
  Keyset,
  KeysetFile,
  ResealError,
  type At,
  type Keyring,
  type KeysetFileOptions,
} from "reseal";
import { KeyringError as InnerKeyringError, ResealError as InnerError } from "./errors.js";
import type { JobDatabase } from "./jobs-options.js";
import { untilLate } from "./keyset-edit.js";
import { KeysetRow } from "./keyset-rows.js";
import { foreign } from "./words.js";

/** What opens the keyset, as of `KeysetFile`; `ring` names its row. */
export type SqlKeysetOptions = KeysetFileOptions;

const RING = /^[a-z2-7]{26}$/;
/** What a `KeysetFile` does with a document: this file is a bundle of its own. */
const OPEN = Symbol.for("reseal.keyset.open");

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * A keyset in a row of the table `reseal_keysets`, and what opens it: the same row for Node, for Python
 * and for the command.
 *
 * The database is a URL, or an open connection or pool, as `reseal/jobs` takes them. With a URL or a
 * pool every call takes a connection, and gives it back. `ring` names the row by its ring id; it may be
 * left out where the table has one row, and to create one. To load the keyset, one of the key-encrypting
 * keys that it lists is enough; to save it takes all of them, so `kek` and `kekFile` may be lists.
 *
 * Whoever may write the row may take the keys away, or bring an older row back: `minGeneration` tells a
 * process that starts which ones are too old.
 *
 * @example
 * const kek = Key.generate("kek");
 * const store = new SqlKeysetStore("sqlite:///app.db", { kek });
 * await store.create(Keyset.create({ kek }));
 * const id = await store.edit((keyset) => keyset.rotate("data"));
 * const ring = await store.keyring();
 * if (ring.primaryId !== id) throw new Error("never");
 */
export class SqlKeysetStore {
  readonly #row: KeysetRow;
  readonly #opener: KeysetFile;
  readonly #ring: string;

  /**
   * Nothing is connected yet. To create a row, nothing has to open it.
   *
   * @throws `invalid-argument`, `invalid-key`, `key-wrong-use`
   */
  constructor(database: JobDatabase, options: SqlKeysetOptions = {}) {
    const ring = options?.ring ?? "";
    if (ring !== "" && !(typeof ring === "string" && RING.test(ring))) {
      const what =
        "a ring id is 26 characters of a to z and 2 to 7, as reseal keyset show prints it";
      throw new ResealError("invalid-argument", what);
    }
    this.#opener = new KeysetFile(`sql:${ring}`, options);
    this.#row = new KeysetRow(database, ring);
    this.#ring = ring;
  }

  /**
   * The keyset, verified under everything that was given.
   *
   * @throws `source-missing` where nothing was given; `source-unreadable`; `source-conflict` where the
   * table has several rings and none was named; `database-error`, `engine-unsupported`; as `Keyset.load`
   */
  async load(): Promise<Keyset> {
    return this.open(await this.read());
  }

  /**
   * The ring of the keyset as it is now. `LiveKeyring.follow` gives one that follows it.
   *
   * @throws as {@link SqlKeysetStore.load}
   */
  async keyring(): Promise<Keyring> {
    const keyset = await this.load();
    try {
      return keyset.keyring();
    } finally {
      keyset.dispose();
    }
  }

  /**
   * Replaces the keyset that was loaded by its next generation.
   *
   * @throws `keyset-conflict` if somebody else has saved since: load it and try again, or `edit`;
   * `database-error`; as `Keyset.save`. The row is as it was then.
   */
  async save(keyset: Keyset, options: At = {}): Promise<void> {
    const { ringId, generation } = checked(keyset);
    if (generation === 0) {
      const what = "this keyset was never stored: create its row with create";
      throw new ResealError("invalid-argument", what);
    }
    const document = keyset.save(options);
    await translated(this.#row.update(ringId, generation, document));
    keyset.saved(document);
  }

  /**
   * Stores a keyset in a new row, and makes the table where it is missing.
   *
   * @throws `keyset-conflict` if there is a row of this ring; `keyset-wrong-ring` where another one was
   * named; `database-error`; as `Keyset.save`
   */
  async create(keyset: Keyset, options: At = {}): Promise<void> {
    const { ringId, generation } = checked(keyset);
    if (this.#ring !== "" && this.#ring !== ringId) {
      const what = `this store is of the ring ${this.#ring}, and the keyset of ${ringId}`;
      throw new KeyringError("keyset-wrong-ring", what);
    }
    const document = keyset.save(options);
    await translated(this.#row.insert(ringId, generation + 1, document));
    keyset.saved(document);
  }

  /**
   * Loads the keyset, changes it, saves it, and gives what `change` gave, which may be awaited. Where
   * somebody else was quicker it begins anew, for up to 10 seconds, so `change` may be called more than
   * once. If it throws, nothing is saved.
   *
   * @throws as {@link SqlKeysetStore.load} and {@link SqlKeysetStore.save}
   */
  async edit<T>(change: (keyset: Keyset) => T | PromiseLike<T>, options: At = {}): Promise<T> {
    if (typeof change !== "function") {
      throw new ResealError("invalid-argument", "change is a function");
    }
    const pauseAfter = untilLate();
    for (;;) {
      const keyset = await this.load();
      const result = await change(keyset);
      try {
        await this.save(keyset, options);
        return result;
      } catch (error) {
        const ms = pauseAfter(error);
        await new Promise((resume) => setTimeout(resume, ms));
      }
    }
  }

  /** The document as it is stored now, for `LiveKeyring.follow`. Throws as {@link SqlKeysetStore.load}. */
  read(): Promise<string> {
    return translated(this.#row.read());
  }

  /** The keyset of a document, for `LiveKeyring.follow`. Throws as {@link SqlKeysetStore.load}. */
  open(document: string): Keyset {
    return (this.#opener as unknown as { [OPEN](document: string): Keyset })[OPEN](document);
  }

  /** Throws `invalid-argument` for a single connection: what it is at, a look would come in between. */
  checkFollowed(): void {
    const given = this.#row.database;
    if (typeof given === "string" || isPool(given)) return;
    const what = "a live keyring connects by itself: give the store a URL, or a pool";
    throw new ResealError("invalid-argument", what);
  }

  /** `SqlKeysetStore("sql:…")`, with the ring that was named. */
  toString(): string {
    return `SqlKeysetStore(${JSON.stringify(this.#opener.path)})`;
  }

  /** As {@link SqlKeysetStore.toString}. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }
}

function checked(keyset: unknown): Keyset {
  if (keyset instanceof Keyset) return keyset;
  const { message } = foreign(keyset, "Keyset", "a Keyset is stored, and nothing else");
  throw new ResealError("invalid-argument", message);
}

/** A pool of `pg`, or one of `mysql2`, with promises or without. */
function isPool(given: unknown): boolean {
  const members = given as { totalCount?: unknown; getConnection?: unknown } | null;
  return typeof members?.totalCount === "number" || typeof members?.getConnection === "function";
}

/** An error of the public classes: the files inside have others. */
async function translated<T>(work: Promise<T>): Promise<T> {
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof InnerError)) throw error;
    const Ours = error instanceof InnerKeyringError ? KeyringError : ResealError;
    throw new Ours(error.code, error.message);
  }
}
