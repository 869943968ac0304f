// Counts values by column, codec, mode and key, without keeping one.
import { codecs, ResealError } from "../reseal/browser.mjs";
import { fromHex } from "./bytes.mjs";

/** Whoever writes values chooses the key ids in them: more groups than this are one. */
const MAX_GROUPS = 2000;
const NONE = { codec: "null", certainty: "yes", scheme: "", key: undefined };
const EMPTY = { codec: "empty", certainty: "yes", scheme: "", key: undefined };

export class Tally {
  #groups = new Map();
  rows = 0;

  /** Counts the chosen columns of some rows. */
  add(rows, columns) {
    this.rows += rows.length;
    for (const row of rows) {
      for (const column of columns) this.#count(column, kindOf(row[column]));
    }
  }

  /** The groups, the largest first within each column. */
  groups() {
    const inOrder = [...this.#groups.values()];
    return inOrder.sort((a, b) => (a.column === b.column ? b.values - a.values : 0));
  }

  /** How many values there are by one fact of them, the most first. */
  by(fact) {
    const sums = new Map();
    for (const group of this.#groups.values()) {
      const name = fact(group);
      if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + group.values);
    }
    return [...sums].sort(([, a], [, b]) => b - a);
  }

  #count(column, kind) {
    const isFull = this.#groups.size >= MAX_GROUPS;
    let name = JSON.stringify([column, kind.codec, kind.certainty, kind.scheme, kind.key]);
    if (isFull && !this.#groups.has(name)) {
      kind = { ...kind, scheme: "others", key: "others" };
      name = JSON.stringify([column, kind.codec, "others"]);
    }
    const group = this.#groups.get(name);
    if (group === undefined) this.#groups.set(name, { column, ...kind, values: 1 });
    else group.values += 1;
  }
}

/** How many values of a column carry the mark of a format. */
export function marked(rows, column) {
  return rows.filter((row) => {
    const { codec, certainty } = kindOf(row[column]);
    return certainty === "yes" && codec !== "null" && codec !== "empty";
  }).length;
}

function kindOf(value) {
  if (value === null || value === undefined) return NONE;
  if (value === "") return EMPTY;
  try {
    const [{ kind, certainty, scheme, key }] = codecs.recognize(storedOf(value));
    return { codec: kind, certainty, scheme, key };
  } catch (error) {
    if (!(error instanceof ResealError)) throw error;
    return { codec: error.code, certainty: "yes", scheme: "", key: undefined };
  }
}

/** A binary column is exported as hexadecimal, a JSON column perhaps as JSON. */
function storedOf(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  return value.startsWith("\\x") ? (fromHex(value) ?? value) : value;
}
