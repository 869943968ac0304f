// The data keys of n8n, and the rows of `deployment_key` that hold them.
import { rewrapN8nRow as rewrap, WasmN8nKey } from "../pkg/reseal_wasm.js";
import { flag, rowEntries, texts, type N8nRow } from "./codec-options.js";
import { ready } from "./engine.js";
import { invalidArgument } from "./errors.js";
import { disposable } from "./key.js";
import { made, succeeded, takeSecretText } from "./memory.js";
import { textOf, writeEntries, writeRaw, type Entry } from "./parts.js";
import { checkOptions } from "./words.js";

const inspect = Symbol.for("nodejs.util.inspect.custom");

/** How a wrapped key of n8n is read. */
export interface N8nUnwrapOptions {
  /**
   * Reads also the shapes of older releases, which nothing authenticates: whoever can write to the
   * table may have put such a key there. Only open values with it.
   */
  readonly lenient?: boolean | undefined;
}

let makeKey: (handle: WasmN8nKey | undefined) => N8nDataKey;

/**
 * A data key of n8n: a text of 64 hexadecimal digits, or any other one for AES-256-CBC. It stays
 * inside the WebAssembly module.
 *
 * @example
 * const key = codecs.N8nDataKey.generate();
 * const value = key.wrap("the instance key");
 * const back = codecs.N8nDataKey.unwrapValue(value, ["the instance key"]);
 * if (back.text() !== key.text()) throw new Error("never");
 */
export class N8nDataKey {
  #handle: WasmN8nKey | undefined;

  static {
    makeKey = (handle) => new this(made(handle));
  }

  private constructor(handle: WasmN8nKey) {
    if (!(handle instanceof WasmN8nKey)) {
      throw invalidArgument("a data key is made by N8nDataKey.generate()");
    }
    this.#handle = handle;
  }

  /**
   * A new key for AES-256-GCM: 32 random bytes.
   *
   * @throws `random-unavailable`
   */
  static generate(): N8nDataKey {
    ready();
    return makeKey(WasmN8nKey.generate());
  }

  /**
   * The key of a text. The row that reads values without a prefix holds an instance key.
   *
   * @throws `invalid-key` for an empty text, `invalid-argument`
   */
  static fromText(text: string): N8nDataKey {
    ready();
    return makeKey(WasmN8nKey.fromText(writeRaw(textOf(text, "a key"), 0)));
  }

  /**
   * The key in a `value` of type `data_encryption`, wrapped with AES-256-GCM; with `lenient` in each
   * shape that n8n has written.
   *
   * @throws `invalid-key` for a shape that only `lenient` reads; `malformed`, `format-unsupported`, `too-large`; `auth-failed` where no instance key
   * unwraps it; `invalid-argument`
   */
  static unwrapValue(
    value: string,
    instanceKeys: readonly string[],
    options: N8nUnwrapOptions = {},
  ): N8nDataKey {
    ready();
    const entries = [
      ["value", textOf(value, "a value")] as const,
      ...texts(instanceKeys, "instanceKeys"),
      ...leniency(options),
    ];
    return makeKey(WasmN8nKey.unwrapValue(writeEntries(entries, 0)));
  }

  /**
   * A `value` for `deployment_key`, as n8n writes it.
   *
   * @throws `invalid-key` for an empty instance key, `random-unavailable`
   */
  wrap(instanceKey: string): string {
    succeeded(this.#live().wrap(writeRaw(textOf(instanceKey, "an instance key"), 0)));
    return takeSecretText();
  }

  /** The text of the key: the secret itself. */
  text(): string {
    succeeded(this.#live().text());
    return takeSecretText();
  }

  /** `using key = …` wipes it at the end of the block. */
  declare readonly [Symbol.dispose]: () => void;

  /** Wipes the key. */
  dispose(): void {
    this.#handle?.free();
    this.#handle = undefined;
  }

  /** `N8nDataKey(hidden)`. */
  toString(): string {
    return "N8nDataKey(hidden)";
  }

  /** As {@link N8nDataKey.toString}: JSON never holds the secret. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #live(): WasmN8nKey {
    if (this.#handle === undefined) throw invalidArgument("this data key was disposed");
    return this.#handle;
  }
}

disposable(N8nDataKey.prototype);

/**
 * A row of `deployment_key` with its secret wrapped under another instance key; the secret stays as
 * it is, and so does every value under it. A row that is wrapped under that key already, or that
 * n8n never wraps, comes back with the same value. Pass every row of the table, of whatever type.
 *
 * The row with `aes-256-cbc` holds the old instance key, and n8n reads values without a prefix with
 * what it holds: bring all such values to the new key and let this row hold it, or turn n8n's key
 * rotation on.
 *
 * @throws as {@link N8nDataKey.unwrapValue}, with the id of the row; `format-unsupported` for a row
 * of an unknown type; `invalid-key` for an empty new key; `random-unavailable`
 * @example
 * const row = {
 *   id: "bEc5AmLGiLrtdybl",
 *   type: "data_encryption",
 *   value: codecs.N8nDataKey.generate().wrap("old"),
 *   algorithm: "aes-256-gcm",
 *   status: "active",
 * };
 * const { value } = codecs.rewrapN8nRow(row, ["old"], "new");
 * const key = codecs.N8nDataKey.unwrapValue(value, ["new"]);
 */
export function rewrapN8nRow<R extends N8nRow>(
  row: R,
  from: readonly string[],
  to: string,
  options: N8nUnwrapOptions = {},
): R {
  ready();
  const entries = [
    ...rowEntries(row),
    ...texts(from, "from"),
    ["to", textOf(to, "an instance key")] as const,
    ...leniency(options),
  ];
  succeeded(rewrap(writeEntries(entries, 0)));
  return { ...row, value: takeSecretText() };
}

function leniency(options: N8nUnwrapOptions): Entry[] {
  checkOptions(options, ["lenient"]);
  return flag(options.lenient, "lenient");
}
