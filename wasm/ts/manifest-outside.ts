// What a manifest needs from outside: secrets, rows and rings. All of it is read before a call into
// the module begins, since reading may run code of the caller.
import type { WasmManifest } from "../pkg/reseal_wasm.js";
import { platform } from "./engine.js";
import { invalidArgument, KeyringError, placed } from "./errors.js";
import { Keyring, ringsOf } from "./keyring.js";
import type { CodecFacts, RingSource, Want } from "./manifest-facts.js";
import { isRequired, isRequiredHere, REQUIRE_ENCRYPTION } from "./plaintext.js";
import { textOf, writeGroup, writeRaw, type Part } from "./parts.js";
import { FixedRing, type Rings } from "./rings.js";
import { checkText, readVariables, ringOnce, Source, type Environment } from "./source.js";
import { isBytes } from "./value.js";
import { checkOptions, foreign, isArray, listOf } from "./words.js";

/** What a manifest does not read itself, or reads elsewhere. */
export interface ManifestOptions {
  /** Rings by the names of codecs, which count in place of their `keyring`; live ones are followed. */
  readonly rings?: Readonly<Record<string, Keyring>> | undefined;
  /** The rows of tables that codecs name as `table:NAME`, by these names. */
  readonly tables?: Readonly<Record<string, readonly object[]>> | undefined;
  /** The environment; that of the process where there is one. */
  readonly env?: Environment | undefined;
}

/** The largest integer of 64 bits. */
const MOST = 2n ** 64n - 1n;

/** Names and contents of files, one after the other. */
export type Files = readonly Part[];

export class Outside {
  readonly #env: unknown;
  readonly #rings: Readonly<Record<string, unknown>>;
  readonly #tables: Readonly<Record<string, unknown>>;
  /** The rings that were read, by the numbers of their sources. */
  readonly #read = new Map<number, Rings>();

  constructor(options: ManifestOptions, specOf: (codec: string) => CodecFacts) {
    checkOptions(options, ["rings", "tables", "env"]);
    const { rings = {}, tables = {}, env = globalThis.process?.env ?? {} } = options;
    this.#rings = givenOf(rings, "rings");
    this.#tables = givenOf(tables, "tables");
    for (const [name, rows] of Object.entries(this.#tables)) listOf(rows, rowsOf(name));
    this.#env = env;
    for (const [name, ring] of Object.entries(this.#rings)) {
      const { kind } = specOf(textOf(name, "the name of a codec"));
      if (!(ring instanceof Keyring)) throw foreign(ring, "Keyring", `the ring of ${name} is a Keyring`); // prettier-ignore
      if (kind === "reseal") continue;
      const only = "only one of kind reseal has a ring";
      throw invalidArgument(`rings has "${name}", which is a codec of kind ${kind}: ${only}`);
    }
  }

  /** The environment of the process counts in any case: no other one takes the guard away. */
  isEncryptionRequired(): boolean {
    return isRequired(this.#variable(REQUIRE_ENCRYPTION)) || isRequiredHere();
  }

  /** Reads what a codec wants, one after the other, so that what was read is there to be wiped. */
  read({ wants }: CodecFacts, into: Files[]): void {
    for (const want of wants) into.push(this.#files(want));
  }

  /** The ring of a codec that has one. A source that several codecs name is read once. */
  ring(manifest: WasmManifest, spec: CodecFacts): Rings | undefined {
    const { name, source } = spec;
    if (source === undefined) return undefined;
    const given = ownOf(this.#rings, name) as Keyring | undefined;
    if (given !== undefined) return ringsOf(given);
    const ring = this.#read.get(source.number) ?? this.#load(manifest, spec, source);
    this.#read.set(source.number, ring);
    return ring;
  }

  #load(manifest: WasmManifest, { name }: CodecFacts, source: RingSource): Rings {
    const read = readVariables(source.variables, this.#env);
    return placed(`codecs.${name}.keyring`, () => {
      return new FixedRing(ringOnce(Source.ofManifest(manifest, name, read, source.byEnvironment)));
    });
  }

  /** Nothing for a variable that is not set: the codec says what it lacks. */
  #files({ kind, name, namedBy, columns }: Want): Files {
    switch (kind) {
      case "env": {
        const text = this.#variable(name);
        return text === undefined ? [] : [name, checkedText(text, name, namedBy)];
      }
      case "file":
        return [name, platform().readSecret(name, namedBy)];
      case "directory":
        return platform().readDirectory(name, namedBy).flat();
      case "table":
        return [name, rowsText(ownOf(this.#tables, name), { name, namedBy, columns })];
    }
  }

  #variable(name: string): string | undefined {
    return readVariables([name], this.#env)[0]?.[1];
  }
}

/** Writes the name of a codec and what was read for it: where the name ends, and where all does. */
export function writeFiles(codec: string, read: readonly Files[]): [name: number, used: number] {
  const name = writeRaw(codec, 0);
  return [name, read.reduce((used, files) => writeGroup(files, used), name)];
}

export function wipe(read: readonly Files[]): void {
  for (const part of read.flat()) if (isBytes(part)) part.fill(0);
}

function checkedText(text: string, name: string, namedBy: string): string {
  placed(namedBy, () => checkText(name, text));
  return text;
}

/** Rows as the core takes them: a JSON list, with the columns that it asks for. */
function rowsText(rows: unknown, { name, namedBy, columns }: Omit<Want, "kind">): string {
  if (rows === undefined) {
    const what = `the rows of the table ${name} were not given: give them in tables, each with`;
    throw new KeyringError("source-missing", `${namedBy}: ${what} ${columns.join(", ")}`);
  }
  const picked = listOf(rows, rowsOf(name)).map((row, index) => {
    const place = `row ${index} of ${name} in tables`;
    const from = objectOf(row, place);
    const cells = columns.flatMap((column) => {
      const cell = cellOf(from[column], `${column} of ${place}`);
      return cell === undefined ? [] : [`${JSON.stringify(column)}:${cell}`];
    });
    return `{${cells.join()}}`;
  });
  return `[${picked.join()}]`;
}

function rowsOf(table: string): string {
  return `the rows of ${table} in tables`;
}

/** A cell as JSON, which has integers of any size. */
function cellOf(cell: unknown, place: string): string | undefined {
  if (cell === undefined) return undefined;
  const isNumber = typeof cell === "number" && Number.isSafeInteger(cell);
  if (cell === null || typeof cell === "string" || isNumber) return JSON.stringify(cell);
  if (typeof cell !== "bigint") throw invalidArgument(`${place} is text, an integer or null`);
  if (cell > MOST || cell < -MOST) throw invalidArgument(`${place} has more than 64 bits`);
  return String(cell);
}

/** What an object gives by names, read once; undefined is as if left out. */
function givenOf(object: unknown, name: string): Readonly<Record<string, unknown>> {
  const given = Object.entries(objectOf(object, name)).filter(([, value]) => value !== undefined);
  return Object.fromEntries(given);
}

function objectOf(object: unknown, name: string): Readonly<Record<string, unknown>> {
  const isObject = typeof object === "object" && object !== null && !isArray(object);
  if (isObject) return object as Record<string, unknown>;
  throw invalidArgument(`${name} is an object`);
}

/** What an object has itself: a name may be `constructor`. */
function ownOf(object: Readonly<Record<string, unknown>>, name: string): unknown {
  return Object.hasOwn(object, name) ? object[name] : undefined;
}
