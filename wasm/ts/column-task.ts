// What a column does to each value, and how its results are read.
import { codecKinds, type WasmColumn } from "../pkg/reseal_wasm.js";
import type { Task } from "./batch.js";
import type { CodecKind } from "./codec.js";
import { checkContext } from "./context.js";
import { ResealError } from "./errors.js";
import {
  byteAt,
  succeeded,
  takeItems,
  wipeInput,
  writeLength,
  type Read,
  input,
  type Bytes,
} from "./memory.js";
import { unixTime } from "./numbers.js";
import {
  afterOrigin,
  certaintyAt,
  openingAt,
  originAt,
  storedItem,
  writeAny,
  type Certainty,
  type Origin,
  type Trust,
} from "./stored.js";
import type { ColumnType, ColumnValues, Spelling } from "./column-type.js";
import { writeValue } from "./value.js";

/** A value of a column that was opened. */
export interface Opened<T extends ColumnType = "text"> extends Origin {
  /** The value, in the type of the column. */
  readonly value: ColumnValues[T];
  /** Whether its codec would write it under the same key. */
  readonly current: boolean;
  /** How far the value can be believed. */
  readonly trust: Trust;
  /** Whether it took an earlier context of the column. */
  readonly earlier: boolean;
  /**
   * The foreign format of the column that the value itself is in: it was encrypted twice, or
   * somebody submitted a ciphertext as his text.
   */
  readonly doubled: CodecKind | undefined;
}

/** What a stored value shows without any key. */
export type Classified =
  | (Origin & { readonly certainty: Certainty; readonly null: false })
  | {
      readonly codec: undefined;
      readonly key: undefined;
      readonly scheme: undefined;
      readonly certainty: undefined;
      /** Whether it is NULL; otherwise it is in no codec of the column. */
      readonly null: boolean;
    };

/** What became of a stored value; one that is not resealed stays as it is. */
export type Resealing =
  | { readonly outcome: "null" }
  | { readonly outcome: "current" }
  | {
      readonly outcome: "resealed";
      /** The new value, text or bytes as the old one. */
      readonly value: string | Bytes;
      /** What it was. */
      readonly from: Origin;
      /** What it is. */
      readonly to: Origin;
    }
  | {
      readonly outcome: "refused";
      /** The code of the error. */
      readonly code: ResealError["code"];
      /** Why, for a person. It holds no secret. */
      readonly message: string;
    };

/** What is done to stored values, by its number in the module. */
export const RESEAL = 0;
export const REOPEN = 1;
export const UNWRAP_TWICE = 2;
export const KEEP_TWICE = 3;

type ColumnTask<T> = Task<T, WasmColumn>;

const CURRENT = 0;
const IS_CURRENT: Resealing = Object.freeze({ outcome: "current" });
const UNKNOWN: Classified = Object.freeze(nothing(false));
let kinds: readonly CodecKind[] | undefined;

export const sealTask: ColumnTask<string | Bytes> = task(
  writeSpelled,
  (column, shared, used) => column.seal(shared, used, unixTime(undefined)),
  storedItem,
  true,
);

export const openTask = <T extends ColumnType>(spelling: Spelling): ColumnTask<Opened<T>> =>
  task(
    writeAny,
    (column, shared, used) => column.open(shared, used),
    (start, end) => {
      const { origin, current, trust, earlier, doubled, plaintext } = openingAt(start);
      const value = spelling.read(plaintext, end);
      // An item may be an error.
      if (value instanceof ResealError) return value as never;
      return {
        value: value as ColumnValues[T],
        codec: origin.codec,
        key: origin.key,
        scheme: origin.scheme,
        current,
        trust,
        earlier,
        doubled: doubled === 0 ? undefined : kindAt(doubled - 1),
      };
    },
  );

export const classifyTask: ColumnTask<Classified> = task(
  writeAny,
  (column, _, used) => column.classify(used),
  (start) => {
    const certainty = certaintyAt(start);
    if (certainty === undefined) return UNKNOWN;
    return { ...originAt(start + 1), certainty, null: false };
  },
);

export const resealTask = (way: typeof RESEAL | typeof REOPEN): ColumnTask<Resealing> =>
  task(
    writeAny,
    (column, shared, used) => column.rewrite(shared, used, unixTime(undefined), way),
    (start, end) => {
      if (byteAt(start) === CURRENT) return IS_CURRENT;
      const [from, at] = [originAt(start + 1), afterOrigin(start + 1)];
      const value = storedItem(afterOrigin(at), end);
      return { outcome: "resealed", value, from, to: originAt(at) };
    },
  );

export const repairTask = (
  way: typeof UNWRAP_TWICE | typeof KEEP_TWICE,
): ColumnTask<string | Bytes> =>
  task(
    writeAny,
    (column, shared, used) => column.rewrite(shared, used, unixTime(undefined), way),
    storedItem,
  );

/** What there is to say of a value that is in no codec. */
export function nothing(isNull: boolean): Classified {
  const none = undefined;
  return { codec: none, key: none, scheme: none, certainty: none, null: isNull };
}

/** Writes a value to seal that was spelled before, or throws its error. */
export function writeSpelled(value: unknown, offset: number): number {
  if (value instanceof ResealError) throw value;
  return writeValue(value, offset);
}

/**
 * A task whose values are written by one function, alone or with others. Of two errors, that of the
 * context comes first where it seals, and that of the stored value where it opens (section 5).
 */
function task<T>(
  write: Task<T>["write"],
  call: (column: WasmColumn, shared: number, used: number) => number,
  read: Read<T>,
  isSealing = false,
): ColumnTask<T> {
  return {
    write,
    call,
    read,
    ...(isSealing ? {} : { judge: (stored: unknown) => wipeInput(write(stored, 0)) }),
    one: (column, context, value) => {
      let end: number;
      try {
        input(context, context + 4);
        end = write(value, context + 4);
      } catch (error) {
        if (isSealing) checkContext(context);
        throw error;
      }
      writeLength(context, end);
      succeeded(call(column, context, end));
      return takeItems(read)[0]!;
    },
  };
}

function kindAt(place: number): CodecKind {
  kinds ??= codecKinds() as CodecKind[];
  return kinds[place]!;
}
