// Exports of tables for the census: real values of every format, from the vectors and fresh.
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Key, Keyring } from "reseal";
import { ROOT } from "./harness.mjs";

const [old, fresh] = [Key.generate(), Key.generate()];
const before = new Keyring({ primary: old });
const ring = new Keyring({ primary: fresh, decryptOnly: [old] });
export const keyIds = { old: old.id, fresh: fresh.id };

/** The first value of the vectors of a system, as a text column holds it. */
export function valueOf(system) {
  const path = join(ROOT, `spec/vectors/${system}/public.json`);
  const { vectors } = JSON.parse(readFileSync(path, "utf8"));
  const texts = vectors.map(({ ciphertext }) => {
    if (typeof ciphertext !== "object" || ciphertext === null) return ciphertext;
    return ciphertext.value ?? JSON.stringify(ciphertext);
  });
  return texts.find((text) => typeof text === "string" && text !== "");
}

const fernet = valueOf("fernet");
const rails = valueOf("rails");
/** A value of a row. */
export const stored = (row, of = ring, mode = "random") =>
  of.seal(`user${row}@example.com`, { row }, mode);

/** The values of row after row: mostly envelopes, with a rest of what was there before. */
function email(row) {
  if (row % 10 === 3) return fernet;
  if (row % 10 === 6) return rails;
  if (row % 25 === 4) return `user${row}@example.com`;
  if (row % 20 === 9) return "";
  return row % 3 === 0
    ? stored(row, before)
    : stored(row, ring, row % 7 === 0 ? "padded" : "random");
}

/** How many values of each kind the first rows have, as the census names them. */
export function expected(rows) {
  const counts = {};
  for (let row = 1; row <= rows; row++) {
    const name = nameOf(email(row));
    counts[name] = (counts[name] ?? 0) + 1;
  }
  return counts;
}

function nameOf(value) {
  if (value === fernet) return "fernet fernet ";
  if (value === rails) return "rails json ";
  if (value === "") return "empty  ";
  if (!value.startsWith("rs1.")) return "plain plain ";
  // The mode stands in character 39.
  const mode = /^.{38}[A-Zabcdef]/.test(value) ? "random" : "padded";
  return `reseal ${mode} ${value.slice(4, 36)}`;
}

const quoted = (text) => (/[",\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text);

/** A CSV file of so many rows. */
export function csv(rows) {
  const lines = Array.from({ length: rows }, (_, at) => {
    return [at + 1, `Müller, "${at}"\nof two lines`, email(at + 1)]
      .map(String)
      .map(quoted)
      .join(",");
  });
  return `id,name,email\r\n${lines.join("\r\n")}\r\n`;
}

/** A JSONL file of so many rows, in which NULL is told from the empty text. */
export function jsonl(rows) {
  const lines = Array.from({ length: rows }, (_, at) => {
    const row = at + 1;
    return JSON.stringify({
      id: row,
      ssn: row % 4 === 0 ? null : stored(row, ring, "deterministic"),
    });
  });
  return lines.join("\n");
}
