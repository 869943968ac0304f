// A codec: one format with its keys.
import { recognizeAny, WasmCodec, type WasmCodec as Handle } from "../pkg/reseal_wasm.js";
import { RingSlot, withRings } from "./codec-rings.js";
import { readContext, writePairs, type Context } from "./context.js";
import { ready } from "./engine.js";
import { invalidArgument, ResealError } from "./errors.js";
import { disposable } from "./key.js";
import { byteAt, bytesItem, made, succeeded, takeItem, takeItems } from "./memory.js";
import { unixTime, type Moment } from "./numbers.js";
import { textOf, writeEntries, type Entry } from "./parts.js";
import type { Rings } from "./rings.js";
import {
  certaintyAt,
  openingAt,
  originAt,
  storedItem,
  writeAny,
  type Certainty,
  type Trust,
} from "./stored.js";
import { writeValue, type Bytes, type Value } from "./value.js";
import { checkOptions, flagOf, modeNumber, proxied, type Mode } from "./words.js";

/** The formats that there are codecs for. */
export type CodecKind =
  | "plain"
  | "reseal"
  | "fernet"
  | "django-fernet"
  | "fernet-fields"
  | "django-cryptography"
  | "sqlalchemy-utils"
  | "sentry"
  | "rails"
  | "metabase"
  | "n8n"
  | "freeboard";

/** What a stored value shows of a format. Nothing of it is verified: who wrote the value chose it. */
export interface Recognized {
  /** `yes` where the bytes carry a mark of the format, `maybe` where they only fit. */
  readonly certainty: Certainty;
  /** The variant of the format, such as `gcm` or `deterministic`. */
  readonly scheme: string;
  /** The id or generation of the key, where the bytes show it. */
  readonly key: string | undefined;
}

/** A value that a codec opened. */
export interface OpenedBytes {
  /** The plaintext. */
  readonly plaintext: Bytes;
  /** The key that opened it: its id, or its place in the list of the codec, counted from 1. */
  readonly key: string | undefined;
  /** The variant of the format. */
  readonly scheme: string;
  /** The label of the plaintext's encoding, as Ruby names it, where the format has such labels. */
  readonly encoding: string | undefined;
  /** Whether the codec would write it under the same key and scheme. */
  readonly current: boolean;
  /** How far the plaintext can be believed. */
  readonly trust: Trust;
}

/** How a codec writes a value. */
export interface CodecSealOptions {
  /** The facts that are bound to it, where the format binds any; none by default. */
  readonly context?: Context | undefined;
  /** The mode of an envelope; other formats have options of their own. */
  readonly mode?: Mode | undefined;
  /** Whether the column takes bytes. */
  readonly binary?: boolean | undefined;
  /** The time, for formats that store it; by default now. */
  readonly now?: Moment | undefined;
}

/** The codec inside the module, and where its rings come from. */
export let partsOf: (codec: Codec) => { handle: Handle; slot: RingSlot | undefined };

/** The codec around what the module made. */
export let codecAround: (
  handle: Handle,
  kind: CodecKind,
  name: string,
  rings: Rings | undefined,
) => Codec;

/** A codec of a kind, from what `codecs` gathered. */
export let makeCodec: (
  kind: CodecKind,
  name: unknown,
  entries: readonly Entry[],
  rings?: Rings,
) => Codec;

const inspect = Symbol.for("nodejs.util.inspect.custom");

/**
 * One format of stored values, with its keys. It is made by the functions of `codecs`, or by a
 * manifest. Its secrets stay inside the WebAssembly module: printing, logging and JSON show kind and
 * name.
 *
 * @example
 * const codec = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
 * const token = codec.seal("hello");
 * if (codec.open(token).plaintext.length !== 5) throw new Error("never");
 */
export class Codec {
  /** The format. */
  readonly kind: CodecKind;
  /** The name in columns and reports. */
  readonly name: string;
  #handle: Handle | undefined;
  readonly #slot: RingSlot | undefined;

  static {
    partsOf = (codec) => {
      if (#slot in codec) return { handle: codec.#live(), slot: codec.#slot };
      throw proxied("Codec");
    };
    codecAround = (handle, kind, name, rings) => new this(handle, kind, name, rings);
    makeCodec = (kind, name, entries, rings) => {
      ready();
      const label = textOf(name, "the name of a codec");
      const used = writeEntries([["kind", kind], ["name", label], ...entries], 0);
      return new this(made(WasmCodec.make(used)), kind, label, rings);
    };
  }

  private constructor(handle: Handle, kind: CodecKind, name: string, rings: Rings | undefined) {
    if (!(handle instanceof WasmCodec)) throw invalidArgument("a codec is made by codecs.plain()");
    this.#handle = handle;
    this.#slot = rings === undefined ? undefined : new RingSlot(made(handle.slot()), rings);
    this.kind = kind;
    this.name = name;
  }

  /**
   * What a stored value shows, without using a key; nothing where it is in another format.
   *
   * @throws `invalid-argument`, `too-large`
   * @example
   * const codec = codecs.n8n({ instanceKeys: ["test_key"] });
   * const shown = codec.recognize("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=");
   * if (shown?.scheme !== "cbc" || shown.certainty !== "yes") throw new Error("never");
   */
  recognize(stored: string | Uint8Array): Recognized | undefined {
    succeeded(this.#live().recognize(writeAny(stored, 0)));
    return takeItem((start, end) => (start === end ? undefined : recognizedAt(start)));
  }

  /**
   * The plaintext of a stored value, and what opened it.
   *
   * @throws `format-mismatch` for a value of another format; `format-unsupported`, `malformed` and
   * `too-large` for what its bytes show; `unknown-key`; `context-invalid`; `auth-failed` for
   * everything that depends on a secret
   * @example
   * const { plaintext, trust } = codecs.plain().open("hello");
   */
  open(stored: string | Uint8Array, context: Context = {}): OpenedBytes {
    const pairs = readContext(context);
    this.#live();
    const results = withRings(this.#slots(), false, () =>
      attempt(() => {
        const handle = this.#live();
        const start = writePairs(pairs, 0);
        succeeded(handle.open(start, writeAny(stored, start)));
        return takeItems(openedItem)[0]!;
      }),
    );
    return resultOf(results);
  }

  /**
   * A value that holds the plaintext: text, or bytes for a binary column.
   *
   * @throws `codec-read-only` for what the format cannot hold or this codec does not write;
   * `looks-sealed`, `invalid-text`, `too-large`, `context-invalid`, `no-primary`, `ring-stale`,
   * `random-unavailable`
   * @example
   * const ring = new Keyring({ primary: Key.generate() });
   * const stored = codecs.reseal(ring).seal("x", { context: { row: 1 }, mode: "padded" });
   */
  seal(plaintext: Value, options: CodecSealOptions = {}): string | Bytes {
    const { pairs, mode, form, now } = placeOf(options);
    this.#live();
    this.#slot?.askToSeal();
    this.#slot?.settle();
    const handle = this.#live();
    const start = writePairs(pairs, 0);
    succeeded(handle.seal(start, writeValue(plaintext, start), mode, form, now));
    return takeItem(storedItem);
  }

  /**
   * A value of this codec, sealed anew under the key that seals, as text or bytes as it was; what of
   * the value belongs to the format (the time of a token) stays.
   *
   * @throws as {@link Codec.open} and {@link Codec.seal}; `expect-required`
   * @example
   * const codec = codecs.fernet({ keys: ["cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4="] });
   * const rotated = codec.rotate(codec.seal("hello"));
   */
  rotate(
    stored: string | Uint8Array,
    options: Omit<CodecSealOptions, "binary"> = {},
  ): string | Bytes {
    const { pairs, mode, now } = placeOf(options, ["context", "mode", "now"]);
    const form = typeof stored === "string" ? 0 : 1;
    this.#live();
    const results = withRings(this.#slots(), true, () =>
      attempt(() => {
        const handle = this.#live();
        const start = writePairs(pairs, 0);
        succeeded(handle.rotate(start, writeAny(stored, start), mode, form, now));
        return takeItem(storedItem);
      }),
    );
    return resultOf(results);
  }

  /**
   * Whether the codec would write a value as it stands, judged by public bytes; undefined where
   * only {@link Codec.open} can tell.
   *
   * @throws `invalid-argument`, `too-large`
   */
  isCurrent(stored: string | Uint8Array, mode: Mode = "random"): boolean | undefined {
    const number = modeNumber(mode);
    this.#live();
    for (const slot of this.#slots()) {
      slot.ask(false);
      slot.settle();
    }
    succeeded(this.#live().isCurrent(writeAny(stored, 0), number));
    return takeItem((start, end) => (start === end ? undefined : byteAt(start) === 1));
  }

  /** `using codec = …` disposes of it at the end of the block. */
  declare readonly [Symbol.dispose]: () => void;

  /**
   * Wipes the keys, once the columns that have this codec are disposed as well: these go on working,
   * also where they follow a `LiveKeyring`.
   */
  dispose(): void {
    this.#handle?.free();
    this.#handle = undefined;
  }

  /** Kind and name. */
  toString(): string {
    return `Codec(${this.kind}, ${this.name})`;
  }

  /** As {@link Codec.toString}: JSON never holds a secret. */
  toJSON(): string {
    return this.toString();
  }

  /** @internal */
  [inspect](): string {
    return this.toString();
  }

  #live(): Handle {
    if (this.#handle === undefined) throw invalidArgument("this codec was disposed");
    return this.#handle;
  }

  #slots(): RingSlot[] {
    return this.#slot === undefined ? [] : [this.#slot];
  }
}

disposable(Codec.prototype);

/** What a kind of codec sees in a value. */
export interface RecognizedKind extends Recognized {
  /** The kind. */
  readonly kind: CodecKind;
}

/**
 * What each kind of codec sees in a stored value, without any key, the surest first. Everything may
 * be plaintext, and is so only `maybe`.
 *
 * @throws `invalid-argument`, `too-large`
 * @example
 * const [first] = codecs.recognize("enc:plaintext:aGVsbG8=");
 * if (first?.kind !== "sentry" || first.certainty !== "yes") throw new Error("never");
 */
export function recognize(stored: string | Uint8Array): RecognizedKind[] {
  ready();
  succeeded(recognizeAny(writeAny(stored, 0)));
  return takeItems((start) => {
    const { codec, key, scheme } = originAt(start + 1);
    return { kind: codec as CodecKind, certainty: certaintyAt(start)!, scheme, key };
  });
}

function recognizedAt(at: number): Recognized {
  const { key, scheme } = originAt(at + 1);
  return { certainty: certaintyAt(at)!, scheme, key };
}

function openedItem(start: number, end: number): OpenedBytes {
  const { origin, current, trust, plaintext } = openingAt(start);
  // The place of a codec's name holds the label of the encoding.
  const { key, scheme, codec } = origin;
  const encoding = codec === "" ? undefined : codec;
  return { plaintext: bytesItem(plaintext, end), key, scheme, encoding, current, trust };
}

function placeOf(options: CodecSealOptions, names = ["context", "mode", "binary", "now"]) {
  checkOptions(options, names);
  const { context = {}, mode = "random", binary, now } = options;
  return {
    pairs: readContext(context),
    mode: modeNumber(mode),
    form: (flagOf(binary, "binary") ? 1 : 0) as 0 | 1,
    now: unixTime(now),
  };
}

function attempt<T>(work: () => T): [T | ResealError] {
  try {
    return [work()];
  } catch (error) {
    if (error instanceof ResealError) return [error];
    throw error;
  }
}

function resultOf<T>([result]: (T | ResealError)[]): T {
  if (result instanceof ResealError) throw result;
  return result as T;
}
