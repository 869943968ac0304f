// What differs from row to row: the pairs that are added to the context of a field or a column.
import { attempted, type Context, type ContextValue, type Pairs } from "./context.js";
import { invalidArgument, type ResealError } from "./errors.js";
import { checkOptions, listOf } from "./words.js";

/** What differs from value to value of a batch. */
export interface Rows {
  /** The value of `row` for each value. */
  readonly rows?: readonly ContextValue[] | undefined;
  /** The further pairs for each value. */
  readonly contexts?: readonly Context[] | undefined;
}

const ROW = ["row"];

/** The further pairs of each of `count` values, where there are any. */
export function extraPairs(options: Rows, count: number): (Pairs | ResealError)[] | undefined {
  const each = readRows(options);
  if (each === undefined || each.length === count) return each;
  throw invalidArgument(`${count} values have ${each.length} rows: give one for each value`);
}

function readRows(options: Rows): (Pairs | ResealError)[] | undefined {
  checkOptions(options, ["rows", "contexts"]);
  const { rows, contexts } = options;
  if (rows !== undefined && contexts !== undefined) {
    throw invalidArgument("give rows or contexts, not both: contexts may hold row");
  }
  if (rows !== undefined) return listOf(rows, "rows").map((row) => ({ names: ROW, values: [row] }));
  return contexts === undefined ? undefined : listOf(contexts, "contexts").map(attempted);
}
