// A keyset in a file, which several people and processes may edit.
import { WasmNewKek } from "../pkg/reseal_wasm.js";
import { platform, ready, type PathLike } from "./engine.js";
import { invalidArgument, KeyringError } from "./errors.js";
import { Key, writeKeyText } from "./key.js";
import {
  expectedOf,
  keyOpener,
  parseDocument,
  passphraseOpener,
  unlock,
  type Opener,
} from "./keyset-document.js";
import { untilLate } from "./keyset-edit.js";
import { documentOf, Keyset, makeKeyset } from "./keyset.js";
import type { At } from "./keyset-options.js";
import { made, succeeded } from "./memory.js";
import { passphraseOf, writeRaw } from "./parts.js";
import { pathOf, type Expectation } from "./source.js";
import { isBytes } from "./value.js";
import { checkOptions, foreign, isArray, listOf } from "./words.js";

/** What opens the keyset in a file, one thing of it or more, and what is known of it beforehand. */
export interface KeysetFileOptions extends Expectation {
  /** A key-encrypting key, or several: `Key` objects or key texts. */
  readonly kek?: Key | string | readonly (Key | string)[] | undefined;
  /** A file with a key text, or several. */
  readonly kekFile?: PathLike | readonly PathLike[] | undefined;
  /** A passphrase, or else a file with it; bytes are copied. */
  readonly passphrase?: string | Uint8Array | undefined;
  /** A file with the passphrase; one final line feed is dropped. */
  readonly passphraseFile?: PathLike | undefined;
}

const NAMES = ["kek", "kekFile", "passphrase", "passphraseFile", "ring", "minGeneration"] as const;
const LINE_FEED = 10;

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * A keyset in a file, and what opens it. To load it, one of the key-encrypting keys that it lists is
 * enough; to save it takes all of them, so `kek` and `kekFile` may be lists.
 *
 * Whatever happens while a file is saved, it is the old one or the new one. Of two that edit at
 * once, one gets `keyset-conflict`. Browsers have no files: `source-unreadable`.
 *
 * @example
 * const kek = Key.generate("kek");
 * const file = new KeysetFile("ring.json", { kek });
 * file.create(Keyset.create({ kek }));
 * file.edit((keyset) => keyset.rotate("data", { label: "2026-q4" }));
 * if (file.load().keys()[0]?.label !== "2026-q4") throw new Error("never");
 */
export class KeysetFile {
  /** Where the file is. */
  readonly path: string;
  readonly #openers: readonly Opener[];
  readonly #expected: ReturnType<typeof expectedOf>;

  static {
    // For reseal/sql, which is a bundle of its own: what opens a file opens a row.
    Object.defineProperty(this.prototype, Symbol.for("reseal.keyset.open"), {
      value(this: KeysetFile, document: string): Keyset {
        return this.#open(() => document);
      },
    });
  }

  /**
   * Nothing is read yet. To create a file, nothing has to open it.
   *
   * @throws `invalid-argument`, `invalid-key`, `key-wrong-use`
   */
  constructor(path: PathLike, options: KeysetFileOptions = {}) {
    ready();
    checkOptions(options, NAMES);
    const given = { ...options };
    this.path = pathOf(path);
    this.#openers = openersOf(given);
    this.#expected = expectedOf(given);
  }

  /**
   * The keyset in the file, verified under everything that was given.
   *
   * @throws `source-missing` where nothing was given; `source-unreadable`; as {@link Keyset.load}
   */
  load(): Keyset {
    return this.#open(() => platform().readKeyset(this.path));
  }

  #open(read: () => unknown): Keyset {
    if (this.#openers.length === 0) {
      throw new KeyringError(
        "source-missing",
        "give what opens the keyset: kek, kekFile, passphrase or passphraseFile",
      );
    }
    const { parsed, bytes } = parseDocument(read());
    return makeKeyset(unlock(parsed, this.#openers, this.#expected), bytes);
  }

  /**
   * Replaces the keyset that was loaded by its next generation.
   *
   * @throws `keyset-conflict` if somebody else has saved since: load it and try again, or `edit`;
   * `keyset-unwritable`; as {@link Keyset.save}. The file is as it was then.
   */
  save(keyset: Keyset, options: At = {}): void {
    const loaded = documentOf(checked(keyset));
    if (loaded === undefined) {
      throw invalidArgument("this keyset was never stored: create its file with create");
    }
    this.#store(keyset, loaded, options);
  }

  /**
   * Stores a keyset in a new file, which only its owner may read.
   *
   * @throws `keyset-conflict` if the file exists; `keyset-unwritable`; as {@link Keyset.save}
   */
  create(keyset: Keyset, options: At = {}): void {
    this.#store(checked(keyset), undefined, options);
  }

  /**
   * Loads the keyset, changes it, saves it, and gives what `change` gave. Where somebody else was
   * quicker it begins anew, for up to 10 seconds, so `change` may be called more than once. If it
   * throws, nothing is saved. What has to be awaited does not go into an edit: load the keyset,
   * await it, and save.
   *
   * @throws as {@link KeysetFile.load} and {@link KeysetFile.save}
   */
  edit<T>(change: (keyset: Keyset) => T, options: At = {}): T {
    if (typeof change !== "function") throw invalidArgument("change is a function");
    const pauseAfter = untilLate();
    for (;;) {
      const keyset = this.load();
      const result = change(keyset);
      if (isPromise(result)) {
        throw invalidArgument(
          "change is a function that waits: load the keyset, await the change, and save",
        );
      }
      try {
        this.save(keyset, options);
        return result;
      } catch (error) {
        pause(pauseAfter(error));
      }
    }
  }

  /** `KeysetFile("…")`, with its path. */
  toString(): string {
    return `KeysetFile(${JSON.stringify(this.path)})`;
  }

  /** As {@link KeysetFile.toString}. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #store(keyset: Keyset, loaded: Uint8Array | undefined, options: At): void {
    const document = keyset.save(options);
    platform().saveKeyset(this.path, loaded, new TextEncoder().encode(document));
    keyset.saved(document);
  }
}

/** What opens the keyset. Files are read whenever it is opened. */
function openersOf(options: KeysetFileOptions): Opener[] {
  const { kek, kekFile, passphrase, passphraseFile } = options;
  if (passphrase !== undefined && passphraseFile !== undefined) {
    throw invalidArgument("give passphrase or passphraseFile, one of the two");
  }
  const openers = several(kek, "kek").map(checkedOpener);
  for (const path of several(kekFile, "kekFile")) openers.push(fileOpener(pathOf(path, "kekFile")));
  if (passphrase !== undefined) {
    const given = passphraseOf(passphrase);
    openers.push(passphraseOpener(isBytes(given) ? new Uint8Array(given) : given));
  }
  if (passphraseFile !== undefined) {
    openers.push(passphraseFileOpener(pathOf(passphraseFile, "passphraseFile")));
  }
  return openers;
}

function several(given: unknown, name: string): unknown[] {
  if (given === undefined) return [];
  return isArray(given) ? listOf(given, name) : [given];
}

/** A key text is checked at once. */
function checkedOpener(kek: unknown): Opener {
  if (!(kek instanceof Key)) made(WasmNewKek.text(writeKeyText(kek))).free();
  return keyOpener(kek);
}

function fileOpener(path: string): Opener {
  return (document) => {
    const content = readSecret(path, "kekFile");
    try {
      succeeded(document.addText(writeRaw(content, 0)));
    } catch (error) {
      throw named("kekFile", error);
    } finally {
      content.fill(0);
    }
  };
}

function passphraseFileOpener(path: string): Opener {
  return (document) => {
    const content = readSecret(path, "passphraseFile");
    const end = content.at(-1) === LINE_FEED ? -1 : content.length;
    try {
      passphraseOpener(content.subarray(0, end))(document);
    } finally {
      content.fill(0);
    }
  };
}

/** The content of a file with a secret, which is text. */
function readSecret(path: string, option: string): Uint8Array {
  const content = platform().readSecret(path, option);
  try {
    // A string cannot be wiped, and what is ASCII needs no look at it.
    if (content.some((byte) => byte > 127))
      new TextDecoder("utf-8", { fatal: true }).decode(content);
    return content;
  } catch {
    content.fill(0);
    throw new KeyringError("source-unreadable", `${option}: the file is no text (UTF-8)`);
  }
}

/** The error of a key in a file, which its option names. */
function named(option: string, error: unknown): unknown {
  if (!(error instanceof KeyringError)) return error;
  return new KeyringError(error.code, `${option}: ${error.message}`);
}

function checked(keyset: unknown): Keyset {
  if (keyset instanceof Keyset) return keyset;
  throw foreign(keyset, "Keyset", "a Keyset is stored, and nothing else");
}

function isPromise(result: unknown): boolean {
  return typeof (result as { then?: unknown } | null | undefined)?.then === "function";
}

function pause(ms: number): void {
  Atomics.wait(new Int32Array(new SharedArrayBuffer(4)), 0, 0, ms);
}
