// The Node service of the demo: seal, check, reseal. Prints one line of JSON.
import Database from "libsql";
import { Keyring, ResealError } from "reseal";

const MODES = {
  email: "deterministic",
  phone: "random",
  ssn: "random",
  birth_date: "random",
  balance: "random",
  notes: "padded",
  avatar: "random",
};
const ring = Keyring.fromEnv();
const columns = Object.keys(MODES);
const fields = Object.fromEntries(
  columns.map((column) => [column, ring.field({ table: "customers", column }, MODES[column])]),
);
const list = columns.join(", ");

/** What a value is bound to besides table and column: `email` must be found in any row. */
const rowOf = (column, row) => (column === "email" ? {} : { row });

const digits = (number, width) => String(number).padStart(width, "0");

/** The plaintext of one row, made up by a rule that both services know. */
const customer = (row) => ({
  email: `customer${row}@example.com`,
  phone: `+44 20 7946 ${digits(row % 10000, 4)}`,
  ssn: `${digits((row % 900) + 100, 3)}-${digits((row % 89) + 10, 2)}-${digits(row % 10000, 4)}`,
  birth_date: `${1940 + (row % 60)}-${digits((row % 12) + 1, 2)}-${digits((row % 28) + 1, 2)}`,
  balance: `${((row * 7919) % 1000000) - 500000}.${digits(row % 100, 2)}`,
  notes: "prefers letters 📮 ".repeat(row % 5),
  avatar: Uint8Array.from({ length: 64 }, (_, i) => (row * 31 + i) % 256),
});

const phoneTerms = (phone) =>
  fields.phone.indexTerms(phone, { index: "phone_eq", normalizer: "digits", bits: 64 });

function seal(db, first, last) {
  const rows = Array.from({ length: last - first + 1 }, (_, i) => first + i);
  const sealed = columns.map((column) => {
    const many = column === "avatar" ? "sealManyBinary" : "sealMany";
    const values = rows.map((row) => customer(row)[column]);
    const contexts = rows.map((row) => rowOf(column, row));
    return fields[column][many](values, { contexts }).map(throwOr);
  });
  const insert = db.prepare(
    `INSERT INTO customers (id, phone_index, ${list}) VALUES (?, ?${", ?".repeat(columns.length)})`,
  );
  const all = db.transaction(() => {
    rows.forEach((row, i) => {
      const values = sealed.map((column) => toDatabase(column[i]));
      insert.run(row, phoneTerms(customer(row).phone)[0], ...values);
    });
  });
  all();
  return { rows: rows.length, values: rows.length * columns.length };
}

/** A batch gives an error in the place of a bad value; here there must be none. */
function throwOr(item) {
  if (item instanceof ResealError) throw item;
  return item;
}

/** The database driver takes bytes as a Buffer, and gives them as an ArrayBuffer. */
const toDatabase = (value) => (typeof value === "string" ? value : Buffer.from(value));
const fromDatabase = (value) => (typeof value === "string" ? value : new Uint8Array(value));

function openValue(column, value, row) {
  const field = fields[column];
  if (typeof value === "string") return field.openString(value, rowOf(column, row));
  return field.openBinary(value, rowOf(column, row));
}

const same = (a, b) => (typeof a === "string" ? a === b : Buffer.compare(a, b) === 0);

/** Opens every value, compares it, and finds each customer by e-mail and by phone. */
function check(db) {
  const result = { rows: 0, values: 0, wrong: 0, found: 0, sought: 0 };
  for (const { id, ...values } of db.prepare(`SELECT id, ${list} FROM customers`).all()) {
    const expected = customer(id);
    result.rows += 1;
    for (const column of columns) {
      result.values += 1;
      if (!same(openValue(column, fromDatabase(values[column]), id), expected[column]))
        result.wrong += 1;
    }
    if (id % 50 === 0) {
      const emails = fields.email.lookupValues(expected.email);
      const phones = phoneTerms(expected.phone.replaceAll(" ", "-"));
      result.sought += 1;
      if (find(db, "email", emails, id) && find(db, "phone_index", phones, id)) result.found += 1;
    }
  }
  return result;
}

function find(db, column, wanted, row) {
  const marks = wanted.map(() => "?").join(", ");
  const hits = db.prepare(`SELECT id FROM customers WHERE ${column} IN (${marks})`).all(...wanted);
  return hits.some(({ id }) => id === row);
}

/** Reseals every second row; a value that changed meanwhile is not overwritten. */
function resealRows(db, remainder) {
  const result = { resealed: 0, raced: 0 };
  const rows = db.prepare(`SELECT id, ${list} FROM customers WHERE id % 2 = ?`).all(remainder);
  const resealRow = db.transaction(({ id, ...values }) => {
    for (const column of columns) {
      const old = fromDatabase(values[column]);
      const again = column === "avatar" ? "resealBinary" : "reseal";
      const renewed = fields[column][again](old, rowOf(column, id));
      if (same(renewed, old)) continue;
      const { changes } = db
        .prepare(`UPDATE customers SET ${column} = ? WHERE id = ? AND ${column} = ?`)
        .run(toDatabase(renewed), id, toDatabase(old));
      result.resealed += changes;
      result.raced += 1 - changes;
    }
    const [term] = phoneTerms(customer(id).phone);
    db.prepare("UPDATE customers SET phone_index = ? WHERE id = ?").run(term, id);
  });
  rows.forEach((row) => resealRow(row));
  return result;
}

/** Opens the sealed number of row 1 as if it stood in row 2. */
function refuse(db) {
  const { ssn } = db.prepare("SELECT ssn FROM customers WHERE id = 1").get();
  try {
    openValue("ssn", ssn, 2);
  } catch (error) {
    return { code: error.code };
  }
  return { code: "opened" };
}

const [command, path, ...numbers] = process.argv.slice(2);
const db = new Database(path, { timeout: 60 });
db.exec("PRAGMA busy_timeout = 60000");
const commands = { seal, check, reseal: resealRows, refuse };
console.log(JSON.stringify(commands[command](db, ...numbers.map(Number))));
db.close();
