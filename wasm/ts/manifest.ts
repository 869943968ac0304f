// The manifest: which columns of a database are encrypted, and how.
import { WasmManifest } from "../pkg/reseal_wasm.js";
import { codecAround, type Codec } from "./codec.js";
import { Column } from "./column.js";
import type { ColumnType } from "./column-type.js";
import { platform, ready, type PathLike } from "./engine.js";
import { invalidArgument, ResealError } from "./errors.js";
import {
  factsOf,
  type CodecFacts,
  type Facts,
  type ManifestCodec,
  type ManifestColumn,
  type ManifestProblem,
} from "./manifest-facts.js";
import { Outside, wipe, writeFiles, type Files, type ManifestOptions } from "./manifest-outside.js";
import { made, succeeded } from "./memory.js";
import { textOf, writeRaw, type Part } from "./parts.js";
import { warnOfPlaintext, withoutWarning } from "./plaintext.js";
import { pathOf } from "./source.js";
import { isWellFormed } from "./value.js";

/** A column of a manifest. */
type AnyColumn = Column<ColumnType, boolean>;

const DEFAULT_PATH = "reseal.toml";
const MAX_BYTES = 1_048_576;

// A class that refers to itself by name gets another name in the bundle.
/** The manifest of a text or a file. `path` stands in messages, where there is one. */
let manifestOf: (path: string, content: Part) => Manifest;

/**
 * The encrypted columns of a database, as `reseal.toml` describes them. A manifest names its secrets
 * and never holds one: they are read when columns are built.
 *
 * @example
 * const manifest = Manifest.parse(`
 *   version = 1
 *   [codecs.app]
 *   kind = "reseal"
 *   keyring = "env"
 *   [[columns]]
 *   table = "users"
 *   column = "ssn"
 *   row_id = ["id"]
 *   context = { table = "users", column = "ssn" }
 *   write = "app"
 * `);
 * const [column] = manifest.build({ env: { RESEAL_PRIMARY_KEY: Key.generate().export() } });
 * const stored = column.seal("078-05-1120");
 * if (column.open(stored).value !== "078-05-1120") throw new Error("never");
 */
export class Manifest {
  /** The codecs, and `plain`, in the order of their names. */
  readonly codecs: readonly ManifestCodec[];
  /** The columns, in the order of the text. */
  readonly columns: readonly ManifestColumn[];
  /** What is allowed, and its author should know; there are 20 at most. */
  readonly warnings: readonly ManifestProblem[];
  readonly #handle: WasmManifest;
  readonly #facts: Facts;
  readonly #content: Part;

  static {
    manifestOf = (path, content) => {
      const start = writeRaw(path, 0);
      return new this(made(WasmManifest.parse(start, writeRaw(content, start))), content);
    };
    // For reseal/jobs, which is a bundle of its own.
    Object.defineProperty(this.prototype, Symbol.for("reseal.manifest.text"), {
      value(this: Manifest): string {
        return typeof this.#content === "string" ? this.#content : decoded(this.#content);
      },
    });
  }

  private constructor(handle: WasmManifest, content: Part) {
    if (!(handle instanceof WasmManifest)) {
      throw invalidArgument("a manifest is made by Manifest.load() and Manifest.parse()");
    }
    this.#handle = handle;
    this.#content = content;
    this.#facts = factsOf(handle.facts());
    const codecs = this.#facts.codecs.map(({ name, kind, writesPlaintext }) => {
      return Object.freeze({ name, kind, writesPlaintext });
    });
    this.codecs = Object.freeze(codecs);
    this.columns = this.#facts.columns;
    this.warnings = this.#facts.warnings;
  }

  /**
   * The manifest in a file.
   *
   * @throws `manifest-invalid` and `unsupported-version`, whose message has the path and lists up to
   * 20 problems; `source-unreadable`
   */
  static load(path: PathLike = DEFAULT_PATH): Manifest {
    ready();
    const name = pathOf(path);
    return manifestOf(name, readFile(name));
  }

  /**
   * The manifest of a text.
   *
   * @throws `manifest-invalid`, whose message lists up to 20 problems; `unsupported-version` for
   * another version than 1
   * @example
   * const manifest = Manifest.parse("version = 1");
   * if (manifest.codecs[0].name !== "plain") throw new Error("never");
   */
  static parse(text: string): Manifest {
    ready();
    if (typeof text !== "string") throw invalidArgument("a manifest is text");
    // The core refuses what is longer.
    const start = text.slice(0, MAX_BYTES + 1);
    if (!isWellFormed(start)) throw invalidArgument("a manifest has a lone surrogate");
    return manifestOf("", start);
  }

  /**
   * The columns with their keys, in the order of {@link Manifest.columns}. Secrets are read now, and
   * columns share their codecs. A column that writes plaintext gives a `PlaintextWarning`.
   *
   * @throws `encryption-required` where a column writes plaintext and `RESEAL_REQUIRE_ENCRYPTION` is
   * set, in `env` or in the environment of the process; `source-missing` and `source-unreadable` for what is to be read; those of codecs and rings,
   * such as `invalid-key`; `invalid-argument`
   */
  build(options: ManifestOptions = {}): AnyColumn[] {
    const outside = this.#outside(options);
    if (outside.isEncryptionRequired()) succeeded(this.#handle.requireEncryption());
    const columns = this.#columns(this.#codecs(this.#used(), outside));
    for (const { table, column, write } of this.columns) {
      const { writesPlaintext } = this.#spec(write);
      if (writesPlaintext) warnOfPlaintext(`the column ${table}.${column}`, write);
    }
    return columns;
  }

  /**
   * One codec with its keys. What it needs is read for it alone. A column may read plaintext
   * wherever it may not write it, so that `plain` is given in any case.
   *
   * @throws `invalid-argument` where there is no codec of this name; as {@link Manifest.build}
   * @example
   * const manifest = Manifest.parse(`
   *   version = 1
   *   [codecs.tokens]
   *   kind = "fernet"
   *   keys = ["env:FERNET_KEY"]
   * `);
   * const env = { FERNET_KEY: "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=" };
   * const codec = manifest.codec("tokens", { env });
   * if (codec.name !== "tokens") throw new Error("never");
   */
  codec(name: string, options: ManifestOptions = {}): Codec {
    const outside = this.#outside(options);
    const spec = this.#spec(textOf(name, "the name of a codec"));
    return this.#codecs([spec], outside).get(name)!;
  }

  /**
   * The columns without any key: enough for `classify`, the census. Nothing opens.
   *
   * @throws nothing
   * @example
   * const manifest = Manifest.parse(`
   *   version = 1
   *   [codecs.tokens]
   *   kind = "fernet"
   *   keys = ["env:FERNET_KEY"]
   *   [[columns]]
   *   table = "users"
   *   column = "token"
   *   row_id = ["id"]
   *   write = "tokens"
   * `);
   * if (manifest.keyless()[0].classify("gAAAAABl").codec !== "tokens") throw new Error("never");
   */
  keyless(): AnyColumn[] {
    const codecs = this.#used().map(({ name, kind }): [string, Codec] => {
      const handle = made(this.#handle.keyless(writeRaw(name, 0)));
      return [name, codecAround(handle, kind, name, undefined)];
    });
    return this.#columns(new Map(codecs));
  }

  #outside(options: ManifestOptions): Outside {
    return new Outside(options, (name) => this.#spec(name));
  }

  #spec(name: string): CodecFacts {
    const spec = this.#facts.codecs.find((codec) => codec.name === name);
    if (spec !== undefined) return spec;
    // This is refused: the module says which names there are.
    throw made(this.#handle.codec(...writeFiles(name, [])));
  }

  /** The codecs of columns, or all of them where there is no column. */
  #used(): readonly CodecFacts[] {
    const { codecs, columns } = this.#facts;
    const names = new Set(columns.flatMap(({ write, read }) => [write, ...read]));
    return columns.length === 0 ? codecs : codecs.filter(({ name }) => names.has(name));
  }

  #codecs(specs: readonly CodecFacts[], outside: Outside): ReadonlyMap<string, Codec> {
    const read = specs.map((): Files[] => []);
    try {
      specs.forEach((spec, at) => outside.read(spec, read[at]!));
      const rings = specs.map((spec) => outside.ring(this.#handle, spec));
      const codecs = specs.map(({ name, kind }, at): [string, Codec] => {
        const handle = made(this.#handle.codec(...writeFiles(name, read[at]!)));
        return [name, codecAround(handle, kind, name, rings[at])];
      });
      return new Map(codecs);
    } finally {
      wipe(read.flat());
    }
  }

  #columns(codecs: ReadonlyMap<string, Codec>): AnyColumn[] {
    return withoutWarning(() => this.columns.map((column) => columnOf(column, codecs)));
  }
}

function columnOf(spec: ManifestColumn, codecs: ReadonlyMap<string, Codec>): AnyColumn {
  const { write, read, context, earlierContexts, mode, indexes } = spec;
  // A path leads to members of the document, which are text.
  const type = spec.path === undefined ? spec.type : "text";
  const fixed = Object.entries(context).filter(([, fact]) => typeof fact === "string");
  return new Column<ColumnType, boolean>({
    write: codecs.get(write)!,
    read: read.map((name) => codecs.get(name)!),
    context: Object.fromEntries(fixed) as Record<string, string>,
    earlierContexts,
    mode,
    type,
    indexes: indexes.map(({ name, normalizer, bits }) => ({ index: name, normalizer, bits })),
  });
}

function decoded(content: Uint8Array): string {
  return new TextDecoder("utf-8", { ignoreBOM: true }).decode(content);
}

function readFile(name: string): Uint8Array {
  try {
    return platform().readKeyset(name);
  } catch (error) {
    // It is the size that makes a file no keyset.
    if (!(error instanceof ResealError) || error.code !== "keyset-malformed") throw error;
    const why = `a manifest has at most ${MAX_BYTES} bytes, and ${JSON.stringify(name)} has more`;
    throw new ResealError("manifest-invalid", why);
  }
}
