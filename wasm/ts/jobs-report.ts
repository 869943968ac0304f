// What a job tells: its report and its events, as `reseal --json` writes them.

/** How a job ended, and what it counted: what the command prints with `--json`. */
export interface JobReport {
  /** What it did; `reopen`, `unwrap` and `keep` are kinds of `apply`. */
  readonly work: "apply" | "reopen" | "unwrap" | "keep" | "verify" | "census" | "plan" | "discover";
  /**
   * `complete`: the last pass found nothing to do. `stopped`: it was asked to stop.
   * `too-many-refused`: more than `maxRefused` values were refused. `unsettled`: somebody keeps
   * writing values of another codec. After all but the first the same call goes on from there.
   * `failed` is the end of a {@link JobError} alone.
   */
  readonly end: "complete" | "stopped" | "too-many-refused" | "unsettled" | "failed";
  /** Whether nothing was written. */
  readonly dry_run: boolean;
  /** One row of so many was read; missing where all were. */
  readonly sample_one_in?: number;
  /** The columns, in the order of the manifest. */
  readonly columns: readonly ColumnReport[];
  /** How long it took. */
  readonly milliseconds: number;
  /** Why it failed, where it did. */
  readonly error?: { readonly code: string; readonly message: string };
}

/** The report of `discover`. */
export interface DiscoverReport extends JobReport {
  /** Columns that are missing in the manifest, and hold what looks encrypted. */
  readonly discovered: readonly Discovered[];
  /** The columns that this user may not read, and that were not looked at: `table.column`. */
  readonly unread: readonly string[];
}

/** What was counted of one column. */
export interface ColumnReport {
  /** The table. */
  readonly table: string;
  /** The column. */
  readonly column: string;
  /** The path into its documents, where it has one. */
  readonly path?: string;
  /** The sum of all passes. */
  readonly total: JobCounts;
  /** A pass reads the rows once; a later one reads again what the one before changed. */
  readonly passes: readonly JobCounts[];
  /** What `census` counted of the terms of its blind indexes; NULL is not counted. */
  readonly terms?: readonly TermCount[];
  /** What `plan` measured. */
  readonly length?: ColumnLength;
  /** What a person should know of the column. */
  readonly findings?: readonly ColumnFinding[];
}

/**
 * Numbers of values. `scanned` is the sum of `null`, `current`, `reindexed`, `gone`, `left` and of the
 * values in `resealed`, `refused` and `found`.
 */
export interface JobCounts {
  /** Values that were read. */
  readonly scanned: number;
  /** NULL. */
  readonly null: number;
  /** As the column writes them. */
  readonly current: number;
  /** Those whose terms of blind indexes alone were written, or are to be. */
  readonly reindexed: number;
  /** Resealed, or to be resealed in a dry run: from what to what. */
  readonly resealed: readonly {
    readonly from: ValueKind;
    readonly to: ValueKind;
    readonly values: number;
  }[];
  /** Left as they are, by the code of the error. */
  readonly refused: Readonly<Record<string, number>>;
  /** Of rows that were deleted, or left the condition, between read and write. */
  readonly gone: number;
  /** Of rows that changed so often between read and write that the next pass takes them. */
  readonly left: number;
  /** How often a row changed between read and write. Nothing was overwritten. */
  readonly raced: number;
  /** Resealed values that were read back. */
  readonly verified: number;
  /** What `verify` opened, and what `census` recognised; `bytes` are as stored. */
  readonly found: readonly {
    readonly in: ValueKind;
    readonly sure: boolean;
    readonly values: number;
    readonly bytes: number;
  }[];
}

/** What a value is in. */
export interface ValueKind {
  /** The name of the codec. */
  readonly codec: string;
  /** The key, where it is known. */
  readonly key: string | null;
  /** The variant of the format. */
  readonly scheme: string;
}

/** How many terms of a blind index are under one key. */
export interface TermCount {
  /** The name of the index. */
  readonly index: string;
  /** The column of the terms. */
  readonly column: string;
  /** The first 8 characters of the id of the index key; `null` for what is no term. */
  readonly key: string | null;
  /** How many. */
  readonly values: number;
}

/** What came of a retirement. */
export interface RetireReport {
  readonly work: "retire";
  /**
   * `complete`: nothing needs it. `in-use`: something does, and nothing is changed. `stopped`: it was
   * asked to stop, and nothing is changed.
   */
  readonly end: "complete" | "in-use" | "stopped";
  /** The name of the codec, or the whole id of the key. */
  readonly target: string;
  readonly kind: "codec" | "key";
  /** What was done to a key of a keyset: it is enabled again where somebody wrote meanwhile. */
  readonly action?: "disabled" | "enabled-again";
  /** The state of the key, where it is known. */
  readonly state?: "introduced" | "decrypt_only" | "disabled" | "destroyed";
  /** The URL of the database in which it was counted, without the password. */
  readonly database?: string;
  /** The path of the keyset in which the key is disabled. */
  readonly keyset?: string;
  /** What still needs it. */
  readonly left: readonly ColumnShare[];
  /** What shows no key, so that this one opens none of it. */
  readonly unrecognized: readonly ColumnShare[];
  /** The columns that read `plain`, and of which no value is plaintext. */
  readonly plain_unused: readonly ColumnShare[];
  /** What is to be done next. */
  readonly next: readonly string[];
  /** What was counted last. */
  readonly columns: readonly ColumnReport[];
  /** How long it took. */
  readonly milliseconds: number;
}

/** Values of a column, or terms of one of its blind indexes. */
export interface ColumnShare {
  readonly table: string;
  readonly column: string;
  /** The path into its documents, where it has one. */
  readonly path?: string;
  /** The index, where these are terms. */
  readonly index?: string;
  /** Why the values do not open, or are not recognised. */
  readonly code?: string;
  readonly values: number;
}

/** How long values are and become: characters, and bytes in a column of bytes. */
export interface ColumnLength {
  /** That of the longest value. */
  readonly longest: number;
  /** That of the longest new value among those that were read. */
  readonly needed: number;
  /** What a new value of the longest one takes at most, where the codec can tell. */
  readonly bound: number | null;
  /** What the column takes, where that is limited. */
  readonly allowed: number | null;
}

/** Something that a person should know of a column. */
export interface ColumnFinding {
  /** Such as `column-unsuitable`, `column-too-short`, `key-index`. */
  readonly code: string;
  /** A sentence, without a value. */
  readonly message: string;
}

/** A column that the manifest has not. */
export interface Discovered {
  /** The table, with its schema where it is not the usual one. */
  readonly table: string;
  /** The column. */
  readonly column: string;
  /** Where in its JSON documents. */
  readonly path?: string;
  /** Values that were looked at. */
  readonly values: number;
  /** Those that start like a key of this project. */
  readonly key_like: number;
  /** How many look like which format. */
  readonly found: readonly { readonly in: ValueKind; readonly values: number }[];
}

/** What happens while a job is on its way. There may be more kinds in a later release. */
export type JobEvent =
  | {
      /** The tables were looked at, and the first batch comes next. */
      readonly event: "began";
      /** With about their rows, where the database knows them. */
      readonly tables: readonly { readonly table: string; readonly rows: number | null }[];
    }
  | {
      /** Told about once in a second. */
      readonly event: "progress";
      readonly pass: number;
      readonly table: string;
      readonly rows: number;
      readonly total: number | null;
      readonly resealed: number;
      readonly rows_per_second: number;
      readonly seconds_left: number | null;
    }
  | {
      /** It goes on from where an earlier run stopped. */
      readonly event: "resumed";
      readonly pass: number;
      /** Rows that earlier runs have read in this pass, where that is known. */
      readonly rows: number | null;
    }
  | {
      /** A batch is tried again. */
      readonly event: "retry";
      readonly database_code: string;
      readonly attempts: number;
    }
  | {
      /** A value that stays as it is. */
      readonly event: "refused";
      readonly pass: number;
      readonly table: string;
      readonly column: string;
      /** Where it stands in a JSON document. */
      readonly path?: string;
      readonly row_id: readonly string[];
      readonly code: string;
    }
  | {
      /** A retirement waits until a lease has passed; told each second. */
      readonly event: "waiting";
      readonly seconds_left: number;
    }
  | {
      /** A retirement has disabled a key, or enabled it again. */
      readonly event: "disabled" | "enabled";
      readonly key: string;
    };

/** An `AbortSignal`, of whichever library declares it. */
export interface StopSignal {
  readonly aborted: boolean;
  addEventListener(type: "abort", listener: () => void): void;
  removeEventListener(type: "abort", listener: () => void): void;
}
