// The rows of a CSV or JSONL file, read in pieces: the file never stands in memory as a whole.

/** @typedef {Record<string, unknown>} Row */
/** @typedef {{ text: string, read: number }} Chunk */

/** What one row may have before the quoting must be wrong. */
const MAX_PENDING = 64 * 1024 * 1024;

/** What is wrong with a file, for a person; it holds nothing of the file. */
export class FileProblem extends Error {}

/**
 * Lists of rows, each row an object by column. `read` counts bytes of the file, and `odd` the rows among these
 * whose cells may be in the wrong columns.
 *
 * @param {File} file
 * @returns {AsyncGenerator<{ rows: Row[], odd: number, read: number }, void>}
 */
export async function* records(file) {
  const chunks = decoded(file);
  const first = await chunks.next();
  if (first.done) throw new FileProblem("The file is empty.");
  if (first.value.text.includes("\0")) {
    throw new FileProblem("This is no text. Unpack it, or export it as CSV or JSONL in UTF-8.");
  }
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
  /** @type {TextDecoder | undefined} */
  let decoder;
  const reader = file.stream().getReader();
  let read = 0;
  try {
    for (;;) {
      const { done, value } = await reader.read();
      read += value?.length ?? 0;
      decoder ??= decoderOf(value);
      const text = decoder.decode(value, { stream: !done });
      if (text !== "") yield { text, read };
      if (done) return;
    }
  } finally {
    await reader.cancel();
  }
}

/**
 * UTF-8, unless the mark at the beginning says that it is UTF-16, as shells and spreadsheets of Windows write it.
 *
 * @param {Uint8Array | undefined} start
 */
function decoderOf(start) {
  const [first, second] = start ?? [];
  if (first === 0xff && second === 0xfe) return new TextDecoder("utf-16le");
  return new TextDecoder(first === 0xfe && second === 0xff ? "utf-16be" : "utf-8");
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
    yield { rows: rowsOf(lines), odd: 0, read };
  }
  yield { rows: rowsOf([rest]), odd: 0, read };
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
  // A line may end in LF and the next in CR LF, where a program wrote the rows and another the first line.
  const newline = linebreak === "\r" ? "\r" : "\n";
  const parser = new Papa.Parser({ delimiter, newline });
  let [rest, wanted, read] = ["", 0, 0];
  /** @type {string[] | undefined} */
  let heads;
  /** @type {(text: string, isEnd: boolean) => { rows: Row[], odd: number }} */
  const rowsOf = (text, isEnd) => {
    // The end of the last line begins no other.
    const lines = isEnd && text.endsWith(newline) ? text.slice(0, -1) : text;
    const { data, errors, meta } = parser.parse(lines, 0, !isEnd);
    rest = isEnd ? "" : text.slice(meta.cursor);
    const misquoted = new Set(errors.map(({ row }) => data[row ?? -1]));
    data.forEach(withoutReturn);
    if (heads === undefined) {
      const start = data.findIndex((cells) => !isBlank(cells));
      if (start < 0) return { rows: [], odd: 0 };
      heads = uniqueNames(data.splice(0, start + 1)[start] ?? []);
    }
    if (delimiter === "\t") data.forEach(withoutEscapes);
    return rowsBelow(heads, data, misquoted);
  };
  for await (const { text, read: sofar } of chunks) {
    rest += text;
    read = sofar;
    checkPending(rest);
    // A row of many pieces is looked at each time that it has doubled: that is linear.
    if (rest.length < wanted) continue;
    const found = rowsOf(rest, false);
    wanted = found.rows.length === 0 ? 2 * rest.length : 0;
    yield { ...found, read };
  }
  if (rest !== "") yield { ...rowsOf(rest, true), read };
}

/**
 * @param {readonly string[]} heads
 * @param {readonly string[][]} data
 * @param {ReadonlySet<readonly string[] | undefined>} misquoted
 */
function rowsBelow(heads, data, misquoted) {
  // Of one column, an empty line is a row with an empty cell.
  const whole = heads.length === 1 ? data : data.filter((cells) => !isBlank(cells));
  const odd = whole.filter((cells) => misquoted.has(cells) || !fits(cells, heads.length)).length;
  const rows = whole.map((cells) => Object.fromEntries(heads.map((head, at) => [head, cells[at]])));
  return { rows, odd };
}

/** @param {readonly string[]} cells */
const isBlank = (cells) => cells.length === 1 && cells[0]?.trim() === "";

/**
 * Empty cells at the end are of a delimiter that closes each row.
 *
 * @param {readonly string[]} cells
 * @param {number} columns
 */
const fits = (cells, columns) =>
  cells.length >= columns && cells.slice(columns).every((cell) => cell === "");

/**
 * Without the CR of a line that ends in CR LF.
 *
 * @param {string[]} cells
 */
function withoutReturn(cells) {
  const last = cells.at(-1);
  if (last?.endsWith("\r")) cells[cells.length - 1] = last.slice(0, -1);
}

/**
 * What the text format of databases escapes and an envelope may have: NULL, and the bytes of a binary column.
 *
 * @param {(string | null)[]} cells
 */
function withoutEscapes(cells) {
  for (const [at, cell] of cells.entries()) {
    if (cell === "\\N") cells[at] = null;
    else if (cell?.startsWith("\\\\x")) cells[at] = cell.slice(1);
  }
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
