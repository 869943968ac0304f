// The bulk job as a library: what the commands census, discover, plan, apply, verify and retire do.
// Node only.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { DecryptError, FormatError, KeyringError, ResealError, type ErrorCode } from "reseal";
import { errorClass, initSync, Session } from "../pkg-cli/reseal_cli_wasm.js";
import { runSession } from "./cli-session.js";
import { ResealError as InnerError } from "./errors.js";
import { CallHost, type Told } from "./jobs-host.js";
import {
  inOurWords,
  jsonOf,
  READERS,
  type ApplyOptions,
  type CensusOptions,
  type Command,
  type DiscoverOptions,
  type JobDatabase,
  type PlanOptions,
  type RetireOptions,
  type VerifyOptions,
} from "./jobs-options.js";
import type {
  DiscoverReport,
  JobEvent,
  JobReport,
  RetireReport,
  StopSignal,
} from "./jobs-report.js";
import { checkOptions } from "./words.js";

export type {
  ApplyOptions,
  CensusOptions,
  DiscoverOptions,
  JobDatabase,
  PaceOptions,
  PlanOptions,
  RefusedOptions,
  RetireOptions,
  RowPart,
  VerifyOptions,
  WalkOptions,
} from "./jobs-options.js";
export type {
  ColumnFinding,
  ColumnLength,
  ColumnReport,
  ColumnShare,
  DiscoverReport,
  Discovered,
  JobCounts,
  JobEvent,
  JobReport,
  RetireReport,
  StopSignal,
  TermCount,
  ValueKind,
} from "./jobs-report.js";

/**
 * A job that could not go on. What it did until then is in its report, and the same call goes on from
 * there.
 *
 * @example
 * try {
 *   await apply("sqlite:///app.db", { manifest: "reseal.toml" });
 * } catch (error) {
 *   if (!(error instanceof JobError) || error.report.end !== "failed") throw error;
 * }
 */
export class JobError extends ResealError {
  /** What was done until then. */
  readonly report: JobReport;

  static {
    Object.defineProperty(this.prototype, "name", { value: "JobError", configurable: true });
  }

  /** An error with a code, a message without a secret, and a report. */
  constructor(code: ErrorCode, message: string, report: JobReport) {
    super(code, message);
    this.report = report;
  }
}

/**
 * How many values of each column are in which codec, under which key and mode. It needs no key, and
 * writes nothing.
 *
 * Without a database it takes that of `RESEAL_DATABASE_URL`. A connection that is given is given back
 * in the state that it had.
 *
 * @throws `invalid-argument`; `manifest-invalid`; `column-unsuitable` where the manifest does not fit
 * the database; `database-error`; `engine-unsupported` where the driver is missing
 * @example
 * const report = await census("sqlite:///app.db");
 * for (const { table, column, total } of report.columns) {
 *   for (const { in: kind, values } of total.found) {
 *     if (kind.codec === "plain") console.log(`${table}.${column}: ${values} in plaintext`);
 *   }
 * }
 */
export async function census(
  database?: JobDatabase,
  options: CensusOptions = {},
): Promise<JobReport> {
  return run("census", database, options);
}

/**
 * Columns of the database that hold what looks encrypted, or like a key, and are missing in the
 * manifest. It needs no key, and writes nothing; the manifest may be missing as well.
 *
 * @throws as {@link census}
 * @example
 * const { discovered } = await discover("sqlite:///app.db");
 * if (discovered.some(({ key_like }) => key_like > 0)) throw new Error("a key in the database");
 */
export async function discover(
  database?: JobDatabase,
  options: DiscoverOptions = {},
): Promise<DiscoverReport> {
  return (await run("discover", database, options)) as DiscoverReport;
}

/**
 * What {@link apply} would do, with the lengths of values and what stands in the way of a column, in
 * its `findings`. It writes nothing.
 *
 * @throws as {@link apply}
 * @example
 * const report = await plan("sqlite:///app.db");
 * const wrong = report.columns.flatMap(({ findings = [] }) => findings);
 * if (wrong.some(({ code }) => code === "column-too-short")) throw new Error("widen the column");
 */
export async function plan(database?: JobDatabase, options: PlanOptions = {}): Promise<JobReport> {
  return run("plan", database, options);
}

/**
 * Brings every value to the codec that its column writes, under the primary key: encrypts, rotates,
 * moves to another format. A value that somebody changes meanwhile is never overwritten, and what
 * cannot be opened stays as it is and is counted in `refused`. After `stop` or a crash the same call
 * goes on from there.
 *
 * @throws as {@link census}; those of the keys, such as `source-missing`; `encryption-required`;
 * {@link JobError} where it began and could not go on: `database-error`, `job-conflict`,
 * `verification-failed`
 * @example
 * const stop = AbortSignal.timeout(60_000);
 * const report = await apply("sqlite:///app.db", { batch: 1000, stop });
 * if (report.end !== "complete") console.log("not all is done: call it again");
 */
export async function apply(
  database?: JobDatabase,
  options: ApplyOptions = {},
): Promise<JobReport> {
  return run("apply", database, options);
}

/**
 * Opens every value, and writes nothing. What does not open is counted in `refused`.
 *
 * @throws as {@link apply}
 * @example
 * await apply("sqlite:///app.db");
 * const report = await verify("sqlite:///app.db", { refused: "refused.jsonl" });
 * for (const { total } of report.columns) {
 *   if (Object.keys(total.refused).length > 0) throw new Error("see refused.jsonl");
 * }
 */
export async function verify(
  database?: JobDatabase,
  options: VerifyOptions = {},
): Promise<JobReport> {
  return run("verify", database, options);
}

/**
 * Proves that nothing needs a codec or a key any more. `target` is the name of a codec of the manifest,
 * or the id of a key, or its first 4 characters or more.
 *
 * A codec may go when every value opens without it. A key may go when no value and no term of a blind
 * index of any column is under it: one of a keyset is disabled then, and enabled again where a second
 * count finds something. Before that a lease passes since the key sealed. What ends as `in-use` or
 * `stopped` has changed nothing.
 *
 * @throws as {@link apply}; those of the keys, such as `keyset-conflict`; `still-in-use` for a key that
 * seals, and for a codec that a column writes
 * @example
 * await apply("sqlite:///app.db");
 * const { end, left } = await retire("plain", "sqlite:///app.db");
 * if (end === "in-use") console.log(left);
 */
export async function retire(
  target: string,
  database?: JobDatabase,
  options: RetireOptions = {},
): Promise<RetireReport> {
  const report: unknown = await run("retire", database, options, target);
  return report as RetireReport;
}

async function run(
  command: Command,
  database: unknown,
  options: object,
  target?: string,
): Promise<JobReport> {
  let json: string;
  let host: CallHost;
  try {
    checkOptions(options, [...Object.keys(READERS[command]), "onEvent", "stop"]);
    json = jsonOf(command, database, options, target);
    host = hostOf(options);
  } catch (error) {
    throw error instanceof InnerError ? errorOf(error) : error;
  }
  try {
    load();
    await runSession(Session.call(command, json, host), host, database);
  } finally {
    host.close();
  }
  if (host.stopped !== undefined) throw host.stopped;
  const report = host.report() as JobReport | undefined;
  if (host.error !== undefined) throw errorOf(host.error, report);
  return report!;
}

function hostOf(options: DiscoverOptions): CallHost {
  const { onEvent, stop } = options as { onEvent?: unknown; stop?: unknown };
  if (onEvent !== undefined && typeof onEvent !== "function") {
    throw new InnerError("invalid-argument", "onEvent is a function");
  }
  const signal = stop as StopSignal | undefined;
  if (signal !== undefined && typeof signal?.addEventListener !== "function") {
    throw new InnerError("invalid-argument", "stop is an AbortSignal");
  }
  return new CallHost(onEvent as ((event: JobEvent) => unknown) | undefined, signal);
}

/** An error of the public classes: this file is a bundle of its own, and has others inside. */
function errorOf({ code, message }: Told, report?: JobReport): ResealError {
  const known = errorClassOf(code);
  const ours = known === undefined ? "invalid-argument" : (code as ErrorCode);
  const text = ours === "invalid-argument" ? inOurWords(message) : message;
  if (report !== undefined) return new JobError(ours, text, report);
  return new (known ?? ResealError)(ours, text);
}

const CLASSES: Record<string, typeof ResealError> = { DecryptError, KeyringError, FormatError };

/** Nothing for a code of the command line alone, such as that of a wrong call. */
function errorClassOf(code: string): typeof ResealError | undefined {
  load();
  const name = errorClass(code);
  return name === undefined ? undefined : (CLASSES[name] ?? ResealError);
}

let isLoaded = false;

function load(): void {
  if (isLoaded) return;
  try {
    // CommonJS has `__dirname` in its place; but `node --eval` has both.
    const path =
      typeof import.meta.url === "string"
        ? new URL("./reseal-cli.wasm", import.meta.url)
        : join(__dirname, "reseal-cli.wasm");
    initSync({ module: readFileSync(path) });
  } catch (error) {
    const reason = error instanceof Error ? error.message : "unknown reason";
    const message = `reseal-cli.wasm could not be loaded: ${reason}`;
    throw new ResealError("not-initialized", message);
  }
  isLoaded = true;
}
