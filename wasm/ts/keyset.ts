// Keysets: the managed keys of a ring, how they come to be and what may become of them.
import { WasmKeyset, type WasmNewKek } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { invalidArgument } from "./errors.js";
import { disposable, handleOf, Key } from "./key.js";
import { newExternal, unwrapAll, type KekProvider } from "./key-services.js";
import { ringOf, type Keyring } from "./keyring.js";
import {
  expectedOf,
  keyOpener,
  newKek,
  newPassphrase,
  openersOf,
  parseDocument,
  unlock,
  writeDocument,
  type KeysetLoadOptions,
} from "./keyset-document.js";
import { factsOf, primaryOf, type KekInfo, type KeysetKey } from "./keyset-info.js";
import type {
  At,
  DisableOptions,
  IntroduceOptions,
  KeysetOptions,
  NewKey,
  PromoteOptions,
  ProviderKeysetOptions,
  ProviderLoadOptions,
  RotateOptions,
} from "./keyset-options.js";
import { copyInput, made, succeeded, takeItems, takeSecretText, utf8Item } from "./memory.js";
import { leaseOf, unixTime } from "./numbers.js";
import { textOf, writeRaw } from "./parts.js";
import { checkOptions, flagOf, type KeyUse } from "./words.js";

const LOAD_NAMES = ["kek", "passphrase", "ring", "minGeneration"] as const;
const NEW_NAMES = ["leaseSeconds", "now"] as const;

/** The document that a keyset was loaded from or saved as. */
export let documentOf: (keyset: Keyset) => Uint8Array | undefined;

// A class that refers to itself by name gets another name in the bundle.
/** The keyset around what the module made. */
export let makeKeyset: (handle: WasmKeyset, document?: Uint8Array) => Keyset;

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * The managed keys of a ring: wrapped at rest, each with a state, a label and dates. Changes are
 * made in memory; {@link KeysetFile} stores them. A key is named by its id, or by the first 4
 * characters of it or more.
 *
 * To remove a key-encrypting key takes nothing back: its holder keeps every key that it ever
 * wrapped. To destroy a key shreds data only once every older copy of the keyset is gone too.
 *
 * @example
 * const kek = Key.generate("kek");
 * const first = Keyset.create({ kek });
 * first.rotate("data", { label: "2026-q4" });
 * const keyset = Keyset.load(first.save(), { kek });
 * const id = keyset.introduce("data", { label: "2027-q1" });
 * keyset.promote(id);
 * if (keyset.keyring().primaryId !== id) throw new Error("never");
 */
export class Keyset {
  #handle: WasmKeyset | undefined;
  #document: Uint8Array | undefined;

  static {
    documentOf = (keyset) => keyset.#document;
    makeKeyset = (handle, document) => new this(handle, document);
  }

  private constructor(handle: WasmKeyset, document?: Uint8Array) {
    if (!(handle instanceof WasmKeyset)) {
      throw invalidArgument("a keyset is made by Keyset.create() or Keyset.load()");
    }
    this.#handle = handle;
    this.#document = document;
  }

  /**
   * A keyset without keys, of a new ring, wrapped under a key-encrypting key or a passphrase.
   *
   * @throws `invalid-key`, `key-wrong-use`, `invalid-argument`, `random-unavailable`
   * @example
   * const keyset = Keyset.create({ kek: Key.generate("kek"), leaseSeconds: 3600 });
   * if (keyset.generation !== 0) throw new Error("never");
   */
  static create(options: KeysetOptions): Keyset {
    ready();
    checkOptions(options, ["kek", "passphrase", ...NEW_NAMES]);
    const { kek, passphrase, leaseSeconds, now } = options;
    if ((kek === undefined) === (passphrase === undefined)) {
      throw invalidArgument("give kek or passphrase, one of the two");
    }
    const [lease, time] = [leaseOf(leaseSeconds), unixTime(now)];
    const wrapping = kek === undefined ? newPassphrase(passphrase) : newKek(kek);
    return makeKeyset(made(WasmKeyset.create(wrapping, lease, time)));
  }

  /**
   * As {@link Keyset.create}, with a fresh key-encrypting key that a key service keeps.
   *
   * @throws as {@link Keyset.create}, and what the service rejects with
   * @example
   * const provider = new MemoryKekProvider();
   * const keyset = await Keyset.createAsync({ provider, reference: "keys/app" });
   * if (keyset.keks()[0]?.provider !== "memory") throw new Error("never");
   */
  static async createAsync(options: ProviderKeysetOptions): Promise<Keyset> {
    checkOptions(options, ["provider", "reference", ...NEW_NAMES]);
    const { provider, reference, leaseSeconds, now } = options;
    const [lease, time] = [leaseOf(leaseSeconds), unixTime(now)];
    const wrapping = await newExternal(provider, reference);
    return makeKeyset(made(WasmKeyset.create(wrapping, lease, time)));
  }

  /**
   * The keyset of a document, verified under everything that was given; one thing is enough.
   *
   * @throws `keyset-malformed`, `unsupported-version`, `invalid-key`, `key-wrong-use`,
   * `kek-mismatch`, `keyset-tampered`, `keyset-wrong-ring`, `keyset-outdated`, `key-id-mismatch`,
   * `duplicate-key`, `invalid-argument`
   * @example
   * const text = Keyset.create({ passphrase: "correct horse battery staple" }).save();
   * const keyset = Keyset.load(text, { passphrase: "correct horse battery staple" });
   * if (keyset.generation !== 1) throw new Error("never");
   */
  static load(document: string | Uint8Array, options: KeysetLoadOptions): Keyset {
    ready();
    checkOptions(options, LOAD_NAMES);
    const given = { ...options };
    const [openers, expected] = [openersOf(given), expectedOf(given)];
    if (openers.length === 0) {
      throw invalidArgument("give what opens the keyset: kek or passphrase");
    }
    const { parsed, bytes } = parseDocument(document);
    return makeKeyset(unlock(parsed, openers, expected), bytes);
  }

  /**
   * As {@link Keyset.load}, with key-encrypting keys that key services keep.
   *
   * @throws as {@link Keyset.load}, and what the services reject with unless another one, or a key
   * that was given, opens the keyset
   * @example
   * const service = new MemoryKekProvider();
   * const made = await Keyset.createAsync({ provider: service, reference: "keys/app" });
   * const keyset = await Keyset.loadAsync(made.save(), { providers: [service] });
   */
  static async loadAsync(
    document: string | Uint8Array,
    options: ProviderLoadOptions,
  ): Promise<Keyset> {
    ready();
    checkOptions(options, [...LOAD_NAMES, "providers"]);
    const given = { ...options };
    const [openers, expected] = [openersOf(given), expectedOf(given)];
    const { parsed, bytes } = parseDocument(document);
    let keys: Key[];
    try {
      keys = await unwrapAll(parsed, given.providers, openers.length > 0);
    } catch (error) {
      parsed.free();
      throw error;
    }
    try {
      return makeKeyset(unlock(parsed, [...openers, ...keys.map(keyOpener)], expected), bytes);
    } finally {
      for (const key of keys) key.dispose();
    }
  }

  /**
   * Takes in a key, which opens and does not seal yet, and gives its id.
   *
   * @throws `key-wrong-use`, `duplicate-key`, `invalid-argument`, `random-unavailable`
   * @example
   * const keyset = Keyset.create({ kek: Key.generate("kek") });
   * keyset.introduce("index");
   * if (keyset.keys()[0]?.state !== "introduced") throw new Error("never");
   */
  introduce(key: NewKey, options: IntroduceOptions = {}): string {
    checkOptions(options, ["label", "now"]);
    return this.#introduce(key, unixTime(options.now), options.label);
  }

  /**
   * Makes a key the primary of its use; the old primary becomes `decrypt_only`.
   *
   * @throws `keyset-transition`, which says what is legal; `invalid-argument` for an unknown id
   * @example
   * const keyset = Keyset.create({ kek: Key.generate("kek") });
   * keyset.promote(keyset.introduce("data"));
   */
  promote(id: string, options: PromoteOptions = {}): void {
    checkOptions(options, ["early", "back", "now"]);
    const { early, back, now } = options;
    const flags = [flagOf(early, "early"), flagOf(back, "back")] as const;
    const time = unixTime(now);
    succeeded(this.#live().promote(writeId(id), time, ...flags));
  }

  /**
   * Introduces a key and promotes it in one step, and gives its id: for one process, or for many
   * that follow the keyset and may miss new values for a moment (`early`).
   *
   * @throws as {@link Keyset.introduce}; `keyset-transition` where the keyset has a lease, and it is not
   * `early`. The keyset stays as it was then.
   */
  rotate(key: NewKey, options: RotateOptions = {}): string {
    checkOptions(options, ["label", "early", "now"]);
    const { label, early, now } = options;
    const [flag, time] = [flagOf(early, "early"), unixTime(now)];
    return this.#introduce(key, time, label, flag);
  }

  /**
   * Goes back: the key that the present primary replaced is primary again; without a primary, the
   * only key that is `decrypt_only`. Gives its id.
   *
   * @throws `keyset-transition` where the dates of the keys do not say which one it is;
   * `invalid-argument`
   */
  revert(use: "data" | "index" = "data", options: At = {}): string {
    const time = timeOf(options);
    return made(this.#live().revert(writeRaw(textOf(use, "a key use"), 0), time));
  }

  /**
   * Stops a key from opening, for the time being. The primary only in an `emergency`.
   *
   * @throws `keyset-transition`, `invalid-argument` for an unknown id
   */
  disable(id: string, options: DisableOptions = {}): void {
    checkOptions(options, ["emergency", "now"]);
    const [flag, time] = [flagOf(options.emergency, "emergency"), unixTime(options.now)];
    succeeded(this.#live().disable(writeId(id), time, flag));
  }

  /** Lets a disabled key open again. Throws as {@link Keyset.disable}. */
  enable(id: string, options: At = {}): void {
    const time = timeOf(options);
    succeeded(this.#live().enable(writeId(id), time));
  }

  /**
   * Forgets a disabled key for good; older copies of the keyset still hold it. Its id stays, so
   * that its values are told from others. Throws as {@link Keyset.disable}.
   */
  destroy(id: string, options: At = {}): void {
    const time = timeOf(options);
    succeeded(this.#live().destroy(writeId(id), time));
  }

  /** Calls a key by another label. Throws `invalid-argument`. */
  relabel(id: string, label: string): void {
    const text = textOf(label, "label");
    const place = writeId(id);
    succeeded(this.#live().relabel(place, writeRaw(text, place)));
  }

  /** Sets the lease, at most a year; 0 is for ever. Throws `invalid-argument`. */
  setLeaseSeconds(seconds: number): void {
    if (seconds === undefined)
      throw invalidArgument("give the seconds of the lease; 0 is no lease");
    succeeded(this.#live().setLeaseSeconds(leaseOf(seconds)));
  }

  /**
   * Wraps the keys under one more key-encrypting key, and gives its id.
   *
   * @throws `invalid-key`, `key-wrong-use`, `duplicate-key`; `keyset-transition` for a ninth one
   * @example
   * const [old, fresh] = [Key.generate("kek"), Key.generate("kek")];
   * const keyset = Keyset.create({ kek: old });
   * keyset.addKek(fresh);
   * keyset.removeKek(old.id);
   */
  addKek(kek: Key | string): string {
    return this.#add(newKek(kek));
  }

  /**
   * Wraps the keys under a passphrase as well, and gives the id of the key that it makes.
   *
   * @throws `invalid-argument` for fewer than 12 characters; `keyset-transition` for a second passphrase
   */
  addPassphrase(passphrase: string | Uint8Array): string {
    this.#live();
    return this.#add(newPassphrase(passphrase));
  }

  /**
   * Wraps the keys under a fresh key-encrypting key that a key service keeps, and gives its id.
   *
   * @throws as {@link Keyset.addKek}, and what the service rejects with
   */
  async addProviderKek(provider: KekProvider, reference: string): Promise<string> {
    this.#live();
    return this.#add(await newExternal(provider, reference));
  }

  /**
   * Takes away the wraps under one key-encrypting key, which need not be at hand. After a leak,
   * rotate the keys too.
   *
   * @throws `invalid-argument` for an unknown id; `keyset-transition` for the last one
   */
  removeKek(id: string): void {
    succeeded(this.#live().removeKek(writeId(id)));
  }

  /** Throws `kek-mismatch` unless every key-encrypting key of the keyset was given. */
  verify(): void {
    succeeded(this.#live().verify());
  }

  /** The key texts of all keys that are not destroyed, by their ids: the secrets themselves. */
  exportKeys(): Record<string, string> {
    succeeded(this.#live().exportKeys());
    const parts = takeItems(utf8Item);
    const texts: Record<string, string> = {};
    for (let i = 0; i < parts.length; i += 2) texts[parts[i]!] = parts[i + 1]!;
    return texts;
  }

  /** The ring of these keys, as they are now. Throws `duplicate-key`. */
  keyring(): Keyring {
    return ringOf(made(this.#live().ring()));
  }

  /** Every key, in the order in which they came. */
  keys(): KeysetKey[] {
    return factsOf(this.#live()).keys;
  }

  /** The key-encrypting keys, with where they come from and whether they were given. */
  keks(): KekInfo[] {
    return factsOf(this.#live()).keks;
  }

  /**
   * The document to store, with the next generation. The keyset stays as it is until
   * {@link Keyset.saved} says that the document was stored.
   *
   * @throws `kek-mismatch` where a key-encrypting key was not given; `random-unavailable`;
   * `invalid-argument` where the document would be too large
   */
  save(options: At = {}): string {
    const time = timeOf(options);
    succeeded(this.#live().save(time));
    return takeSecretText();
  }

  /**
   * Goes on from a document that {@link Keyset.save} gave and that was stored.
   *
   * @throws `keyset-conflict` for another document; `keyset-malformed`, `keyset-tampered`
   */
  saved(document: string | Uint8Array): void {
    const keyset = this.#live();
    const used = writeDocument(document);
    const bytes = copyInput(used);
    succeeded(keyset.saved(used));
    this.#document = bytes;
  }

  /** The id of the ring, which never changes: 26 characters. */
  get ringId(): string {
    return factsOf(this.#live()).ringId;
  }

  /** How often the keyset was saved; 0 before the first time. */
  get generation(): number {
    return factsOf(this.#live()).generation;
  }

  /** When it was saved last, YYYY-MM-DDTHH:MM:SSZ. */
  get issued(): string {
    return factsOf(this.#live()).issued;
  }

  /** How many seconds a process may go on sealing without a look at it; 0 is for ever. */
  get leaseSeconds(): number {
    return factsOf(this.#live()).leaseSeconds;
  }

  /** The id of the data key that seals, if there is one. */
  get primaryId(): string | undefined {
    return primaryOf(factsOf(this.#live()), "data");
  }

  /** The id of the index key whose terms are stored, if there is one. */
  get indexPrimaryId(): string | undefined {
    return primaryOf(factsOf(this.#live()), "index");
  }

  /** Wipes the keys. Rings that were made of it are not affected. */
  dispose(): void {
    this.#handle?.free();
    this.#handle = undefined;
  }

  /** Ring id and generation; ids, uses and states of the keys. */
  toString(): string {
    if (this.#handle === undefined) return "Keyset(disposed)";
    const { ringId, generation, keys } = factsOf(this.#handle);
    const shown = keys.map(({ id, use, state }) => `${use} ${id} ${state}`);
    return `Keyset(${[ringId, `generation ${generation}`, ...shown].join(", ")})`;
  }

  /** As {@link Keyset.toString}: JSON never holds a secret. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  /** Takes in a key that was given, or a fresh one; `early` is that of a rotation. */
  #introduce(key: NewKey, time: bigint, label: unknown = "", early?: boolean): string {
    const keyset = this.#live();
    const text = textOf(label, "label");
    const taken = key instanceof Key ? key : freshKey(key);
    try {
      return made(keyset.introduce(handleOf(taken), writeRaw(text, 0), time, early));
    } finally {
      if (taken !== key) taken.dispose();
    }
  }

  #add(kek: WasmNewKek): string {
    return made(this.#live().addKek(kek));
  }

  #live(): WasmKeyset {
    if (this.#handle === undefined) throw invalidArgument("this keyset was disposed");
    return this.#handle;
  }
}

/** `using keyset = …` wipes it at the end of the block. */
export interface Keyset {
  [Symbol.dispose](): void;
}
disposable(Keyset.prototype);

/** A key of the use that is named. */
function freshKey(use: unknown): Key {
  if (typeof use !== "string") {
    throw invalidArgument("give a Key, or the use of a fresh one: data or index");
  }
  if (use.startsWith("rsk1.")) {
    throw invalidArgument("a key is taken in as a Key: Key.parse makes one of a key text");
  }
  return Key.generate(use as KeyUse);
}

/** Writes a key id, or the beginning of one. */
function writeId(id: unknown): number {
  if (id instanceof Key) throw invalidArgument("a key of a keyset is named by its id: give key.id");
  return writeRaw(textOf(id, "a key id"), 0);
}

function timeOf(options: At): bigint {
  checkOptions(options, ["now"]);
  return unixTime(options.now);
}
