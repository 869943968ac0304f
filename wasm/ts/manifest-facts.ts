// What a manifest says of its codecs and columns, as the module tells it.
import type { CodecKind } from "./codec.js";
import type { ColumnType } from "./column-type.js";
import type { Mode, Normalizer } from "./words.js";

/** A codec of a manifest, without its secrets. */
export interface ManifestCodec {
  /** Its name in the manifest. */
  readonly name: string;
  /** Its format. */
  readonly kind: CodecKind;
  /** Whether what it writes can be read by whoever sees it. */
  readonly writesPlaintext: boolean;
}

/** What is bound to a value: fixed text, or what the row has in a column. */
export type ManifestFact = string | { readonly column: string };

/** A blind index of a column. */
export interface ManifestIndex {
  /** Its name, which is part of every term. */
  readonly name: string;
  /** The column that holds the terms. */
  readonly column: string;
  /** What counts as equal. */
  readonly normalizer: Normalizer;
  /** How many bits of the hash it keeps. */
  readonly bits: number;
}

/** A column of a manifest: where it is, what is bound to its values, and their formats. */
export interface ManifestColumn {
  /** The table, as the database calls it. */
  readonly table: string;
  /** The column. */
  readonly column: string;
  /** The columns of a unique key. */
  readonly rowId: readonly string[];
  /** A condition in SQL, where only some rows are meant. */
  readonly where: string | undefined;
  /** The members of a JSON column that are sealed. */
  readonly path: string | undefined;
  /** What is bound to every value, by name. */
  readonly context: Readonly<Record<string, ManifestFact>>;
  /** Whether the row id is bound as `row`. */
  readonly bindRow: boolean;
  /** What older values may have in the place of the fixed texts of `context`. */
  readonly earlierContexts: readonly Readonly<Record<string, string>>[];
  /** The type of the values. */
  readonly type: ColumnType;
  /** The mode of envelopes. */
  readonly mode: Mode;
  /** The name of the codec that is written. */
  readonly write: string;
  /** The names of the codecs that are read, without the one that is written. */
  readonly read: readonly string[];
  /** Other applications, and the kinds that they can read. */
  readonly readers: Readonly<Record<string, readonly CodecKind[]>>;
  /** Blind indexes. */
  readonly indexes: readonly ManifestIndex[];
}

/** What is allowed in a manifest, and its author should know. */
export interface ManifestProblem {
  /** The member, such as `columns[1].write`; lists count from 0. */
  readonly place: string;
  /** The line, from 1. */
  readonly line: number;
  /** What may be wrong. */
  readonly message: string;
  /** All of it, as the command prints it. */
  readonly text: string;
}

/** Something to read before a codec can be made. */
export interface Want {
  readonly kind: "env" | "file" | "directory" | "table";
  readonly name: string;
  readonly namedBy: string;
  /** The columns of a table. */
  readonly columns: readonly string[];
}

/** A codec, and what it takes to make it. */
export interface CodecFacts extends ManifestCodec {
  readonly wants: readonly Want[];
  /** Where the ring comes from; undefined where the codec has none. */
  readonly source: RingSource | undefined;
}

/** Where the ring of a codec comes from. */
export interface RingSource {
  /** Codecs with one number have one source. */
  readonly number: number;
  /** The variables that it needs. */
  readonly variables: readonly string[];
  /** Whether these variables name the files of the ring. */
  readonly byEnvironment: boolean;
}

/** A manifest as the module tells it. */
export interface Facts {
  readonly codecs: readonly CodecFacts[];
  readonly columns: readonly ManifestColumn[];
  readonly warnings: readonly ManifestProblem[];
}

type Pairs<T> = readonly (readonly [name: string, value: T])[];

interface Told extends Omit<Facts, "columns"> {
  readonly columns: readonly (Omit<ManifestColumn, "context" | "earlierContexts" | "readers"> & {
    readonly context: Pairs<ManifestFact>;
    readonly earlierContexts: readonly Pairs<string>[];
    readonly readers: Pairs<readonly CodecKind[]>;
  })[];
}

/** The facts, which nothing changes any more; pairs become objects. */
export function factsOf(told: unknown): Facts {
  const { columns, ...facts } = told as Told;
  return frozen({
    ...facts,
    columns: columns.map(({ context, earlierContexts, readers, ...column }) => ({
      ...column,
      context: Object.fromEntries(context),
      earlierContexts: earlierContexts.map((pairs) => Object.fromEntries(pairs)),
      readers: Object.fromEntries(readers),
    })),
  });
}

function frozen<T>(value: T): T {
  if (typeof value === "object" && value !== null) Object.values(value).forEach(frozen);
  return Object.freeze(value);
}
