// Keys.
import { WasmKey } from "../pkg/reseal_wasm.js";
import { ready } from "./engine.js";
import { invalidArgument, KeyringError, type ResealError } from "./errors.js";
import { input, made, succeeded, takeSecretText, writeBytes, writeText } from "./memory.js";
import { byteLength, isBytes } from "./value.js";
import { foreign, proxied, type KeyUse } from "./words.js";

/** Far more than a key text, or a file that holds one. */
const MAX_KEY_TEXT_CHARS = 64 * 1024;
/** The key inside the module. */
export let handleOf: (key: Key) => WasmKey;

/** The key around what the module made. */
let makeKey: (handle: WasmKey | undefined) => Key;

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * One key with its use. The secret stays inside the WebAssembly module: printing, logging, JSON
 * and cloning show the id at most.
 *
 * @example
 * const key = Key.generate("data");
 * const text = key.export(); // for a secret store: rsk1.data.…
 * if (Key.parse(text).id !== key.id) throw new Error("never");
 */
export class Key {
  /** The key id: 32 characters, computed from the key. It is no secret. */
  readonly id: string;
  /** What the key is for. */
  readonly use: KeyUse;
  #handle: WasmKey | undefined;

  static {
    handleOf = (key) => {
      if (#handle in key) return key.#live();
      throw proxied("Key");
    };
    makeKey = (handle) => new this(made(handle));
  }

  private constructor(handle: WasmKey) {
    if (!(handle instanceof WasmKey)) throw invalidArgument("a key is made by Key.generate()");
    this.#handle = handle;
    this.id = handle.id();
    this.use = handle.keyUse() as KeyUse;
  }

  /**
   * A fresh random key.
   *
   * @throws `invalid-argument`, `random-unavailable`
   * @example
   * const index = Key.generate("index");
   */
  static generate(use: KeyUse = "data"): Key {
    ready();
    return makeKey(WasmKey.generate(writeWord(use)));
  }

  /**
   * A key from exactly 32 uniformly random bytes, never from a password.
   *
   * @throws `invalid-key` for another length, `invalid-argument`
   * @example
   * const key = Key.fromBytes("data", crypto.getRandomValues(new Uint8Array(32)));
   */
  static fromBytes(use: KeyUse, bytes: Uint8Array): Key {
    ready();
    if (!isBytes(bytes)) throw invalidArgument("the bytes of a key are a Uint8Array");
    const word = writeWord(use);
    const length = byteLength(bytes);
    if (length > MAX_KEY_TEXT_CHARS) throw tooLong();
    writeBytes(bytes, input(word, word + length) + word);
    return makeKey(WasmKey.from_bytes(word, word + length));
  }

  /**
   * The key that a key text `rsk1.<use>.<48 characters>` holds, without any tolerance.
   *
   * @throws `invalid-key`; the message shows nothing of the text
   * @example
   * const key = Key.parse(Key.generate().export());
   */
  static parse(text: string): Key {
    ready();
    return makeKey(WasmKey.parse(writeKeyText(text)));
  }

  /**
   * The key text, which {@link Key.parse} reads: the secret itself, for a secret store.
   *
   * @example
   * const text = Key.generate().export();
   */
  export(): string {
    succeeded(this.#live().export());
    return takeSecretText();
  }

  /** Wipes the key; rings that were made with it are not affected. */
  dispose(): void {
    this.#handle?.free();
    this.#handle = undefined;
  }

  /** `Key(data, <id>)`. */
  toString(): string {
    return `Key(${this.use}, ${this.id})`;
  }

  /** As {@link Key.toString}: JSON never holds the secret. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #live(): WasmKey {
    if (this.#handle === undefined) throw invalidArgument("this key was disposed");
    return this.#handle;
  }
}

/** `using key = …` wipes it at the end of the block. */
export interface Key {
  [Symbol.dispose](): void;
}
disposable(Key.prototype);

/** Writes a key text, and gives its bytes. */
export function writeKeyText(text: unknown): number {
  if (typeof text !== "string") throw notAKey(text);
  if (text.length > MAX_KEY_TEXT_CHARS) throw tooLong();
  const room = text.length * 3;
  return writeText(text, input(0, room), room);
}

/** The error of what is neither a `Key` nor a key text. */
export function notAKey(value: unknown): ResealError {
  return foreign(value, "Key", "a key is a key text or a Key");
}

function tooLong(): KeyringError {
  return new KeyringError(
    "invalid-key",
    "a key has 32 bytes, as text rsk1.<use>. and 48 characters: this is far longer",
  );
}

/** Makes `dispose` what `using` calls, in engines that know it. */
export function disposable(prototype: { dispose(): void }): void {
  if (typeof Symbol.dispose !== "symbol") return;
  Object.defineProperty(prototype, Symbol.dispose, {
    value: prototype.dispose,
    configurable: true,
    writable: true,
  });
}

function writeWord(use: unknown): number {
  // Anything else than a short word is no use: the core says so.
  const word = typeof use === "string" ? use.slice(0, 8) : "";
  return writeText(word, input(0, 24), 24);
}
