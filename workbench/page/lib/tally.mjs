// Counts values by column, codec, mode and key, without keeping one.
import { codecs, ResealError } from "../reseal/browser.mjs";
import { fromHex } from "./bytes.mjs";

/** @import { Certainty } from "../reseal/browser.mjs" */
/** @import { Row } from "./records.mjs" */
/** @typedef {{ codec: string, certainty: Certainty, scheme: string, key: string | undefined }} Kind */
/** @typedef {Kind & { column: string, values: number }} Group */

/** Whoever writes values chooses the key ids in them: more groups than this are one. */
const MAX_GROUPS = 2000;
/** Whoever writes a file chooses the names in it: of those that come late no more are told. */
const MAX_LATE = 100;
/** @type {Kind} */
const NONE = { codec: "null", certainty: "yes", scheme: "", key: undefined };
/** @type {Kind} */
const EMPTY = { codec: "empty", certainty: "yes", scheme: "", key: undefined };
/** @type {Kind} */
const PLAIN = { codec: "plain", certainty: "maybe", scheme: "plain", key: undefined };

export class Tally {
  /** @type {Map<string, Group>} */
  #groups = new Map();
  rows = 0;
  /** Rows whose cells may be in the wrong columns. */
  odd = 0;
  /**
   * Columns that nobody could choose, and whether a value of them carries the mark of a format.
   *
   * @type {Map<string, boolean>}
   */
  late = new Map();
  #offered;

  /** @param {readonly string[]} offered the columns that could be chosen */
  constructor(offered) {
    this.#offered = new Set(offered);
  }

  /**
   * Counts the chosen columns of some rows.
   *
   * @param {readonly Row[]} rows
   * @param {readonly string[]} columns
   */
  add(rows, columns) {
    this.rows += rows.length;
    for (const row of rows) {
      for (const column of columns) this.#count(column, kindOf(cellOf(row, column)));
      for (const name of Object.keys(row)) if (!this.#offered.has(name)) this.#noteLate(name, row);
    }
  }

  /** The groups, the largest first within each column. */
  groups() {
    const inOrder = [...this.#groups.values()];
    return inOrder.sort((a, b) => (a.column === b.column ? b.values - a.values : 0));
  }

  /**
   * How many values there are by one fact of them, the most first.
   *
   * @param {(group: Group) => string | undefined} fact
   */
  by(fact) {
    /** @type {Map<string, number>} */
    const sums = new Map();
    for (const group of this.#groups.values()) {
      const name = fact(group);
      if (name !== undefined) sums.set(name, (sums.get(name) ?? 0) + group.values);
    }
    return [...sums].sort(([, a], [, b]) => b - a);
  }

  /**
   * @param {string} name
   * @param {Row} row
   */
  #noteLate(name, row) {
    const isMarked = this.late.get(name);
    if (isMarked === true || (isMarked === undefined && this.late.size >= MAX_LATE)) return;
    this.late.set(name, marked([row], name) > 0);
  }

  /**
   * @param {string} column
   * @param {Kind} kind
   */
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

/**
 * How many values of a column carry the mark of a format.
 *
 * @param {readonly Row[]} rows
 * @param {string} column
 */
export function marked(rows, column) {
  return rows.filter((row) => {
    const { codec, certainty } = kindOf(cellOf(row, column));
    return certainty === "yes" && codec !== "null" && codec !== "empty";
  }).length;
}

/**
 * A row may lack a column, also one with the name of what every object has.
 *
 * @param {Row} row
 * @param {string} column
 */
const cellOf = (row, column) => (Object.hasOwn(row, column) ? row[column] : undefined);

/**
 * @param {unknown} value
 * @returns {Kind}
 */
function kindOf(value) {
  if (value === null || value === undefined) return NONE;
  if (value === "") return EMPTY;
  try {
    const [first] = codecs.recognize(storedOf(value));
    if (first === undefined) return PLAIN;
    const { kind, certainty, scheme, key } = first;
    return { codec: kind, certainty, scheme, key };
  } catch (error) {
    if (!(error instanceof ResealError)) throw error;
    return { codec: error.code, certainty: "yes", scheme: "", key: undefined };
  }
}

/**
 * A binary column is exported as hexadecimal, a JSON column perhaps as JSON.
 *
 * @param {unknown} value
 */
function storedOf(value) {
  if (typeof value !== "string") return JSON.stringify(value);
  return value.startsWith("\\x") ? (fromHex(value) ?? value) : value;
}
