// The options of jobs, and the JSON that the command's own module takes.
import { Buffer } from "node:buffer";
import type { FileUrl, Manifest } from "reseal";
import { invalidArgument } from "./errors.js";
import type { JobEvent, StopSignal } from "./jobs-report.js";
import { pathText } from "./node-disk.js";
import { flagOf, isArray, listOf, wordOf } from "./words.js";

/**
 * A URL (`postgresql://…`, `mysql://…`, `sqlite:///file`), or an open connection or pool of `pg`,
 * `mysql2`, `better-sqlite3`, `libsql` or `node:sqlite` that is in no transaction.
 *
 * A single connection belongs to the job until it ends: what others do on it would be part of the job's
 * transactions, and be lost with them. Where an application goes on meanwhile, give a pool or a URL.
 */
export type JobDatabase =
  | string
  | { query(...args: never): unknown }
  | { prepare(sql: string): unknown; exec(sql: string): unknown };

/** What every job takes. */
export interface DiscoverOptions {
  /** The manifest, or the path of its file: `reseal.toml` where nothing is said. */
  readonly manifest?: Manifest | string | FileUrl | undefined;
  /** How long a statement may take, in milliseconds. */
  readonly statementTimeoutMs?: number | undefined;
  /**
   * Is told what happens, as `--json` writes it. What it throws ends the job, and so does what a promise that
   * it gives is rejected with; the job waits for none.
   */
  readonly onEvent?: ((event: JobEvent) => unknown) | undefined;
  /** Ends the job after its batch, with the end `stopped`. */
  readonly stop?: StopSignal | undefined;
}

/** How fast it goes. */
export interface PaceOptions extends DiscoverOptions {
  /** The most rows of a batch, 1 to 5000; 500 where nothing is said. */
  readonly batch?: number | undefined;
  /** Read at most so many rows in a second. */
  readonly rate?: number | undefined;
  /** Wait so many milliseconds after each batch. */
  readonly pauseMs?: number | undefined;
}

/** What is walked, and how fast. */
export interface WalkOptions extends PaceOptions {
  /** Only these columns of the manifest, each as `table.column`. An empty list is refused: it is not all of them. */
  readonly columns?: readonly string[] | undefined;
}

/** Options of `retire`. */
export interface RetireOptions extends PaceOptions {
  /** Do not wait until a lease has passed since the key sealed. */
  readonly early?: boolean | undefined;
}

/** Options of `plan`. */
export interface PlanOptions extends WalkOptions {
  /** Read one row of so many, which the database chooses at random. */
  readonly sample?: number | undefined;
}

/** Options of `census`. */
export interface CensusOptions extends PlanOptions {
  /** Count columns of envelopes by their public start, in the database. */
  readonly keysOnly?: boolean | undefined;
}

/** What becomes of values that cannot be opened. */
export interface RefusedOptions {
  /** Stop when more values than this are refused. */
  readonly maxRefused?: number | undefined;
  /** List them in this file: a line of JSON for each, and nothing of the values. */
  readonly refused?: string | FileUrl | undefined;
}

/** Options of `verify`. */
export interface VerifyOptions extends PlanOptions, RefusedOptions {}

/** A part of a row id. */
export type RowPart = string | number | bigint | Uint8Array;

/** Options of `apply`. */
export interface ApplyOptions extends WalkOptions, RefusedOptions {
  /** Compute everything and write nothing. */
  readonly dryRun?: boolean | undefined;
  /** Reseal also values that are current but were sealed with an earlier context. */
  readonly reopen?: boolean | undefined;
  /** Write the terms of blind indexes also for values that are current. */
  readonly reindex?: boolean | undefined;
  /** Repair the rows in `rows`, and nothing else. */
  readonly repair?: "unwrap" | "keep" | undefined;
  /** The row ids of a repair: the value, or a list of the values of a composite one. */
  readonly rows?: readonly (RowPart | readonly RowPart[])[] | undefined;
  /** Plaintext may be written, where the manifest says so. */
  readonly allowPlaintext?: boolean | undefined;
  /** Where it is kept how far the job is: a file, or `none`; the table `reseal_jobs` otherwise. */
  readonly checkpoint?: string | FileUrl | undefined;
  /** Of so many rows one is read back before it is committed; 100 where nothing is said, 0 for none. */
  readonly verifyOneIn?: number | undefined;
  /** The most passes over the tables; 10 where nothing is said. */
  readonly maxPasses?: number | undefined;
  /**
   * Do the job together with other calls, and commands, that say so: in other processes, and on other
   * machines. Each works on ranges of rows that are leased to it, and reports the whole job.
   */
  readonly share?: boolean | undefined;
  /** With `share`: after so many seconds without a word a worker is taken for dead; 60 where nothing is said. */
  readonly workerLease?: number | undefined;
}

/** Where a manifest of this package keeps its text for this file: reseal and reseal/jobs are two bundles. */
const MANIFEST_TEXT = Symbol.for("reseal.manifest.text");
/** What the core calls by other names. */
const NAMES: ReadonlyMap<string, string> = new Map([
  ["batch_rows", "batch"],
  ["rows_per_second", "rate"],
  ["sample_one_in", "sample"],
]);

type Read = (value: unknown, name: string) => unknown;

const DISCOVER: Record<string, Read> = { manifest: manifestOf, statementTimeoutMs: wholeNumber };
const PACE: Record<string, Read> = {
  ...DISCOVER,
  batch: wholeNumber,
  rate: wholeNumber,
  pauseMs: wholeNumber,
};
const WALK: Record<string, Read> = { ...PACE, columns: columnsOf };
const PLAN: Record<string, Read> = { ...WALK, sample: wholeNumber };
const REFUSED: Record<string, Read> = { maxRefused: wholeNumber, refused: fileOf };
const APPLY: Record<string, Read> = {
  ...WALK,
  ...REFUSED,
  dryRun: flagOf,
  reopen: flagOf,
  reindex: flagOf,
  repair: (value, name) => wordOf(value, name, ["unwrap", "keep"]),
  rows: rowsOf,
  allowPlaintext: flagOf,
  checkpoint: fileOf,
  verifyOneIn: wholeNumber,
  maxPasses: wholeNumber,
  share: flagOf,
  workerLease: wholeNumber,
};

/** How the options of each command are read. */
export const READERS = {
  census: { ...PLAN, keysOnly: flagOf },
  discover: DISCOVER,
  plan: PLAN,
  apply: APPLY,
  verify: { ...PLAN, ...REFUSED },
  retire: { ...PACE, early: flagOf },
} as const satisfies Record<string, Record<string, Read>>;

export type Command = keyof typeof READERS;

/** The JSON of options that were checked to have no other name. */
export function jsonOf(
  command: Command,
  database: unknown,
  options: object,
  target?: unknown,
): string {
  const given = options as Readonly<Record<string, unknown>>;
  const found: Record<string, unknown> = {};
  if (command === "retire") {
    if (typeof target !== "string") throw invalidArgument("target is text");
    found["target"] = target;
  }
  if (typeof database === "string") found["database"] = database;
  else if (database !== undefined) found["connected"] = true;
  const readers: Record<string, Read> = READERS[command];
  for (const [name, read] of Object.entries(readers)) {
    const value = given[name];
    if (value === undefined) continue;
    const isText = name === "manifest" && hasText(value);
    found[isText ? "manifest_text" : snake(name)] = read(value, name);
  }
  return JSON.stringify(found);
}

/** A message of the command's module, with the names that options have here. */
export function inOurWords(message: string): string {
  const ours = new Map(
    Object.keys({ ...APPLY, ...READERS.census }).map((name) => [snake(name), name]),
  );
  return message.replace(/\b[a-z]+(?:_[a-z]+)+\b/g, (word) => {
    return ours.get(word) ?? NAMES.get(word) ?? word;
  });
}

function snake(name: string): string {
  return name.replaceAll(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`);
}

function wholeNumber(value: unknown, name: string): number {
  if (Number.isSafeInteger(value) && (value as number) >= 0) return value as number;
  throw invalidArgument(`${name} is a whole number, 0 or more`);
}

function fileOf(value: unknown, name: string): string {
  return pathText(value as string | URL, name);
}

function manifestOf(value: unknown): string {
  return hasText(value) ? value[MANIFEST_TEXT]() : pathText(value as string | URL, "manifest");
}

function hasText(value: unknown): value is { [MANIFEST_TEXT](): string } {
  return typeof value === "object" && value !== null && MANIFEST_TEXT in value;
}

/** What a filter left may be nothing, which does not mean all. */
function columnsOf(value: unknown, name: string): string[] {
  const columns = textsOf(value, name);
  if (columns.length > 0) return columns;
  throw invalidArgument(`${name} names none: leave it out for all columns of the manifest`);
}

function textsOf(value: unknown, name: string): string[] {
  return listOf(value, name).map((text) => {
    if (typeof text === "string") return text;
    throw invalidArgument(`${name} are texts`);
  });
}

/** Each a JSON list, so that no text is taken for one. */
function rowsOf(value: unknown, name: string): string[] {
  return listOf(value, name).map((row) => {
    return JSON.stringify((isArray(row) ? row : [row]).map(partOf));
  });
}

function partOf(part: unknown): unknown {
  if (typeof part === "string") return part;
  if (typeof part === "bigint" || Number.isSafeInteger(part)) return String(part);
  if (part instanceof Uint8Array) return { hex: Buffer.from(part).toString("hex") };
  throw invalidArgument("a row id is text, an integer, bytes, or a list of them");
}
