// The rows of a CSV or JSONL file, read in pieces: the file never stands in memory as a whole.

/** @typedef {Record<string, unknown>} Row */
/** @typedef {{ text: string, read: number }} Chunk */

/** What one row may have before the quoting must be wrong. */
const MAX_PENDING = 64 * 1024 * 1024;

/** What is wrong with a file, for a person; it holds nothing of the file. */
export class FileProblem extends Error {}

/**
 * Lists of rows, each row an object by column. `read` counts bytes of the file.
 *
 * @param {File} file
 * @returns {AsyncGenerator<{ rows: Row[], read: number }, void>}
 */
export async function* records(file) {
  const chunks = decoded(file);
  const first = await chunks.next();
  if (first.done) throw new FileProblem("The file is empty.");
  const start = first.value.text.trimStart();
  if (start.startsWith("[")) {
    throw new FileProblem("This is one JSON array. Export one object on each line (JSONL).");
  }
  const all = rejoined(first.value, chunks);
  yield* start.startsWith("{") ? jsonRows(all) : csvRows(all, first.value.text);
}

/**
 * @param {File} file
 * @returns {AsyncGenerator<Chunk, void>}
 */
async function* decoded(file) {
  const decoder = new TextDecoder();
  const reader = file.stream().getReader();
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      read += value?.length ?? 0;
      const text = decoder.decode(value, { stream: !done });
      if (text !== "") yield { text, read };
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * @param {Chunk} first
 * @param {AsyncIterable<Chunk>} chunks
 */
async function* rejoined(first, chunks) {
  yield first;
  yield* chunks;
}

/** @param {AsyncIterable<Chunk>} chunks */
async function* jsonRows(chunks) {
  let [rest, line, read] = ["", 0, 0];
  /** @param {readonly string[]} lines */
  const rowsOf = (lines) => {
    /** @type {Row[]} */
    const rows = [];
    for (const text of lines) {
      line += 1;
      if (text.trim() !== "") rows.push(jsonRow(text, line));
    }
    return rows;
  };
  for await (const { text, read: sofar } of chunks) {
    read = sofar;
    rest += text;
    checkPending(rest);
    // A line of many pieces is looked at when it ends.
    if (!text.includes("\n")) continue;
    const lines = rest.split("\n");
    rest = lines.pop() ?? "";
    yield { rows: rowsOf(lines), read };
  }
  yield { rows: rowsOf([rest]), read };
}

/**
 * @param {string} text
 * @param {number} line
 */
function jsonRow(text, line) {
  /** @type {unknown} */
  let row;
  try {
    row = JSON.parse(text);
  } catch {
    throw new FileProblem(`Line ${line} is no JSON: one object on each line was expected.`);
  }
  if (isRow(row)) return row;
  throw new FileProblem(`Line ${line} is no JSON object with the columns as members.`);
}

/**
 * @param {unknown} value
 * @returns {value is Row}
 */
const isRow = (value) => typeof value === "object" && value !== null && !Array.isArray(value);

/**
 * Papa Parse reads files by itself, and breaks characters that two pieces share; so its parser is
 * given the decoded text here. What it calls the cursor is where the last whole row ends.
 *
 * @param {AsyncIterable<Chunk>} chunks
 * @param {string} sample
 */
async function* csvRows(chunks, sample) {
  const { delimiter, linebreak } = Papa.parse(sample, { preview: 20, skipEmptyLines: true }).meta;
  const parser = new Papa.Parser({ delimiter, newline: linebreak });
  let [rest, wanted, read] = ["", 0, 0];
  /** @type {string[] | undefined} */
  let heads;
  /** @type {(text: string, isEnd: boolean) => Row[]} */
  const rowsOf = (text, isEnd) => {
    const { data, meta } = parser.parse(text, 0, !isEnd);
    rest = isEnd ? "" : text.slice(meta.cursor);
    if (heads === undefined) {
      const first = data.shift();
      if (first === undefined) return [];
      heads = uniqueNames(first);
    }
    return rowsBelow(heads, data);
  };
  for await (const { text, read: sofar } of chunks) {
    rest += text;
    read = sofar;
    checkPending(rest);
    // A row of many pieces is looked at each time that it has doubled: that is linear.
    if (rest.length < wanted) continue;
    const rows = rowsOf(rest, false);
    wanted = rows.length === 0 ? 2 * rest.length : 0;
    yield { rows, read };
  }
  if (rest !== "") yield { rows: rowsOf(rest, true), read };
}

/**
 * @param {readonly string[]} heads
 * @param {readonly string[][]} data
 */
function rowsBelow(heads, data) {
  const whole = data.filter((cells) => cells.length > 1 || cells[0] !== "");
  return whole.map((cells) => Object.fromEntries(heads.map((head, at) => [head, cells[at]])));
}

/** @param {readonly string[]} cells */
function uniqueNames(cells) {
  /** @type {string[]} */
  const names = [];
  for (const cell of cells) {
    const name = cell === "" ? `column ${names.length + 1}` : cell;
    names.push(names.includes(name) ? `${name} (${names.length + 1})` : name);
  }
  return names;
}

/** @param {string} text */
function checkPending(text) {
  if (text.length <= MAX_PENDING) return;
  throw new FileProblem("One row has more than 64 MiB: look for a quote that is not closed.");
}
