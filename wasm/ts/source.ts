// Key sources: reads what the core asks for, and leaves the judgement to it.
import {
  envNames,
  WasmSource,
  WasmUnlock,
  type WasmManifest,
  type WasmRing,
} from "../pkg/reseal_wasm.js";
import { deriving } from "./argon2.js";
import { platform, ready, type PathLike } from "./engine.js";
import { invalidArgument, KeyringError } from "./errors.js";
import { handleOf, Key, writeKeyText } from "./key.js";
import { made, wipeInput } from "./memory.js";
import { generationOf } from "./numbers.js";
import { passphraseOf, textOf, writeGroup, writePart, writeRaw, type Part } from "./parts.js";
import { isWellFormed } from "./value.js";
import { checkOptions } from "./words.js";

/**
 * An object with environment variables, such as `process.env`, or the `env` of a Worker beside its bindings: those
 * that are read have to be strings.
 */
export type Environment = object;

/** Which files of a directory of keys are primary. */
export interface DirectoryOptions {
  /** The name of the file with the data key that seals. */
  readonly primary: string;
  /** The name of the file with the index key whose terms are stored. */
  readonly indexPrimary?: string | undefined;
}

/** What the caller knows of a keyset beforehand, so that another one or an old copy is refused. */
export interface Expectation {
  /** The id of the ring, 26 characters. */
  readonly ring?: string | undefined;
  /** The lowest generation that is accepted. */
  readonly minGeneration?: number | undefined;
}

/** What opens a keyset that is a file: one of the first four. */
export interface KeysetSourceOptions extends Expectation {
  /** A key-encrypting key, or its key text. */
  readonly kek?: Key | string | undefined;
  /** A file with the key text. */
  readonly kekFile?: PathLike | undefined;
  /** A passphrase; bytes can be wiped by their owner, text cannot. */
  readonly passphrase?: string | Uint8Array | undefined;
  /** A file with the passphrase; one final line feed is dropped. */
  readonly passphraseFile?: PathLike | undefined;
}

/** What a source gave; no ring where nothing has changed since the last time. */
export interface Loaded {
  readonly ring: WasmRing | undefined;
  readonly leaseSeconds: number;
  readonly generation: number | undefined;
  readonly ringId: string | undefined;
}

interface Want {
  readonly path: string;
  readonly kind: "secret" | "directory" | "keyset";
  readonly namedBy: string;
}

export type SourceKind = "keys" | "directory" | "keyset";

type File = readonly [name: string, content: Uint8Array];

/** More than a list of a thousand keys. */
const MAX_VARIABLE_CHARS = 1024 * 1024;
const UNLOCK_NAMES = ["kek", "kekFile", "passphrase", "passphraseFile"] as const;
export const DIRECTORY_NAMES = ["primary", "indexPrimary"] as const;
export const KEYSET_NAMES = [...UNLOCK_NAMES, "ring", "minGeneration"] as const;

/** A source inside the module, and how its files are read. */
export class Source {
  readonly kind: SourceKind;
  readonly #source: WasmSource;
  readonly #wants: readonly Want[];
  /** Whether variables named the files, and so stand in messages. */
  readonly #named: boolean;
  /** What relative paths count from, wherever the process goes later. */
  readonly #folder: string | undefined;

  private constructor(source: WasmSource | undefined, named: boolean) {
    this.#source = made(source);
    this.#named = named;
    this.#folder = platform().currentFolder();
    this.kind = this.#source.kind() as SourceKind;
    this.#wants = this.#source.wants() as Want[];
  }

  static fromEnv(env: unknown): Source {
    ready();
    const variables = readVariables(envNames(), env);
    for (const [name, text] of variables) checkText(name, text);
    return new Source(WasmSource.fromEnv(writeAll(variables.flat())), true);
  }

  /**
   * The source of a codec of a manifest; `isNamed` says whether its variables name its files, and so
   * stand in messages.
   */
  static ofManifest(
    manifest: WasmManifest,
    codec: string,
    variables: readonly [string, string][],
    isNamed: boolean,
  ): Source {
    for (const [name, text] of variables) checkText(name, text);
    const start = writeRaw(codec, 0);
    const source = manifest.source(start, writeAll(variables.flat(), start));
    return new Source(source, isNamed);
  }

  static fromDirectory(path: PathLike, options: DirectoryOptions): Source {
    ready();
    checkOptions(options, DIRECTORY_NAMES);
    const { primary, indexPrimary } = options;
    const parts = [pathOf(path), textOf(primary, "primary")];
    if (indexPrimary !== undefined) parts.push(textOf(indexPrimary, "indexPrimary"));
    return new Source(WasmSource.directory(writeAll(parts)), false);
  }

  static fromKeyset(path: PathLike, options: KeysetSourceOptions): Source {
    ready();
    checkOptions(options, KEYSET_NAMES);
    const { ring, minGeneration } = options;
    const name = pathOf(path);
    const expected = expectedRing(ring);
    const generation = generationOf(minGeneration);
    const unlock = unlockOf(options);
    const place = writeRaw(name, 0);
    const used = writeRaw(expected, place);
    return new Source(WasmSource.keyset(unlock, place, used, generation), false);
  }

  /** Reads everything that the source wants. */
  load(): Loaded {
    const used = this.#read();
    const loaded = deriving((derivation) => made(this.#source.load(used, derivation)));
    const facts = loaded.facts() as Omit<Loaded, "ring">;
    return { ...facts, ring: loaded.ring() };
  }

  dispose(): void {
    this.#source.free();
  }

  /** Writes names and contents, and gives the bytes written in all. */
  #read(): number {
    const read: File[][] = [];
    try {
      for (const want of this.#wants) read.push(this.#files(want));
      let used = 0;
      for (const files of read) used = writeGroup(files.flat(), used);
      return used;
    } finally {
      for (const [, content] of read.flat()) content.fill(0);
    }
  }

  #files({ path, kind, namedBy }: Want): File[] {
    const variable = this.#named ? namedBy : undefined;
    switch (kind) {
      case "directory":
        return platform().readDirectory(path, variable, this.#folder);
      case "secret":
        return [[path, platform().readSecret(path, variable, this.#folder)]];
      case "keyset":
        if (path.startsWith("sql:")) throw inDatabase(path, variable);
        return [[path, platform().readKeyset(path, variable, this.#folder)]];
    }
  }
}

/** The ring of a source that is read once. */
export function ringOnce(source: Source): WasmRing {
  try {
    return made(source.load().ring);
  } finally {
    source.dispose();
  }
}

/** A database must be awaited, and a source is read at once. */
function inDatabase(path: string, variable: string | undefined): KeyringError {
  const named = variable === undefined ? path : `${variable}: ${path}`;
  const how =
    "make a SqlKeysetStore of reseal/sql, and await its keyring() or LiveKeyring.follow()";
  const what = `${named} is a keyset in a database, which must be awaited: ${how}`;
  return new KeyringError("source-unreadable", what);
}

/** The ring that is expected; empty where any is. A variable that is not set must not stand for that. */
export function expectedRing(ring: unknown): string {
  if (ring === undefined) return "";
  const expected = textOf(ring, "ring");
  if (expected !== "") return expected;
  throw invalidArgument("ring is empty: give the ring id, or leave it out to accept any ring");
}

/** The path as text: the module remembers it, and messages show it. */
export function pathOf(path: unknown, name = "a path"): string {
  return textOf(platform().pathText(path as PathLike, name), name);
}

function unlockOf(options: KeysetSourceOptions): WasmUnlock {
  const given = UNLOCK_NAMES.filter((name) => options[name] !== undefined);
  const [name] = given;
  if (name === undefined || given.length > 1) {
    throw invalidArgument(`give one of ${UNLOCK_NAMES.join(", ")}`);
  }
  const value: unknown = options[name];
  switch (name) {
    case "kek":
      if (value instanceof Key) return made(WasmUnlock.kek(handleOf(value)));
      return made(WasmUnlock.kekText(writeKeyText(value)));
    case "kekFile":
      return made(WasmUnlock.kekFile(writeRaw(pathOf(value, name), 0)));
    case "passphrase":
      return made(WasmUnlock.passphrase(writeRaw(passphraseOf(value), 0)));
    case "passphraseFile":
      return made(WasmUnlock.passphraseFile(writeRaw(pathOf(value, name), 0)));
  }
}

/** The variables of these names that there are, each read once. */
export function readVariables(names: readonly string[], env: unknown): [string, string][] {
  if (typeof env !== "object" || env === null) {
    throw invalidArgument("the environment is an object of strings, such as process.env");
  }
  return names.flatMap((name) => {
    const value: unknown = (env as Record<string, unknown>)[name];
    return value === undefined ? [] : [[name, checked(name, value)]];
  });
}

function checked(name: string, value: unknown): string {
  if (typeof value !== "string") throw invalidArgument(`the variable ${name} is no string`);
  if (value.length > MAX_VARIABLE_CHARS) {
    throw new KeyringError("invalid-key", `${name} is far longer than any list of keys`);
  }
  return value;
}

/**
 * Refuses a variable that is no text: Node reads any byte that is no UTF-8 as a replacement character,
 * so that other secrets would be the same.
 */
export function checkText(name: string, text: string): void {
  if (isWellFormed(text) && !text.includes("\ufffd")) return;
  throw new KeyringError("source-unreadable", `the variable ${name} is no text (UTF-8)`);
}

/** Writes parts at an offset of the input, and gives the bytes written in all. */
function writeAll(parts: readonly Part[], offset = 0): number {
  let used = offset;
  try {
    for (const part of parts) used = writePart(part, used);
  } catch (error) {
    wipeInput(used);
    throw error;
  }
  return used;
}
