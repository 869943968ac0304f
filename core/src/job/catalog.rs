//! What the database says of a table: its columns and its unique keys.

use super::{
    Cell, Dialect, Statement, conflicts,
    dialect::{Phrase, split_table},
};
use crate::error::{Error, ErrorCode};
use alloc::{format, string::String, vec::Vec};
use data_encoding::HEXLOWER;

/// A column of a table, as the database has it.
#[derive(Clone, Debug)]
pub(super) struct Info {
    pub(super) name: String,
    /// The type as it was declared, for a person; in PostgreSQL also what a parameter is cast to.
    pub(super) declared: String,
    /// The type alone, in lower case.
    pub(super) base: String,
    /// The longest text or bytes that it takes, where that is limited.
    pub(super) max_chars: Option<usize>,
    pub(super) is_nullable: bool,
    pub(super) set_by: SetBy,
    /// Of text in MySQL.
    pub(super) charset: Option<(String, String)>,
    /// The schema of its operators, quoted, where PostgreSQL does not find them by their names: it would take
    /// those of another type without a word.
    pub(super) operators: Option<String>,
}

/// What sets a column, where it is not only the application.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum SetBy {
    Application,
    /// MySQL sets it to the present time in every update that does not name it.
    Updates,
    /// The database computes it from other columns.
    Expression,
    /// MariaDB keeps in it until when a row was like this, where the table names it. It is in every unique key,
    /// and is the same in all rows that are still so.
    RowEnd,
}

/// What kind of values a column takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Shape {
    Text,
    Bytes,
    Json,
    /// SQLite: whatever the row has.
    Any,
    Unfit,
}

/// The columns of a unique key, each with the collation of the key where it is another than the
/// column's: quoted by the database.
pub(super) type UniqueKey = Vec<(String, Option<String>)>;

/// [`SetBy`] as a number in the rows of [`columns`].
const FOLLOWS_UPDATES: i64 = 1;
const GENERATED: i64 = 2;
const ROW_END: i64 = 3;

/// What a table is like, beside its columns and keys.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Nature(i64);

/// The bits of its number.
const HISTORY: i64 = 1;
const NO_TRANSACTIONS: i64 = 2;
const HEIRS: i64 = 4;
const REPLACES: i64 = 8;

const POSTGRES_COLUMNS: &str = "SELECT a.attname::text, \
format_type(a.atttypid, CASE WHEN b.typname = 'bpchar' THEN -1 ELSE NULLIF(a.atttypmod, -1) END), \
b.typname::text, \
CASE WHEN b.typname IN ('varchar', 'bpchar') AND d.typmod > 4 THEN d.typmod - 4 END, \
(NOT a.attnotnull)::int, \
CASE WHEN to_jsonb(a) ->> 'attgenerated' <> '' THEN 2 ELSE 0 END, NULL, NULL, \
(SELECT min(quote_ident(n.nspname)) FROM pg_catalog.pg_opclass c \
JOIN pg_catalog.pg_amop m ON m.amopfamily = c.opcfamily AND m.amoplefttype = b.oid AND m.amoprighttype = b.oid \
JOIN pg_catalog.pg_operator o ON o.oid = m.amopopr JOIN pg_catalog.pg_namespace n ON n.oid = o.oprnamespace \
WHERE c.opcintype = b.oid AND c.opcmethod = 403 AND c.opcdefault AND NOT pg_operator_is_visible(o.oid)) \
FROM pg_catalog.pg_attribute a \
CROSS JOIN LATERAL (WITH RECURSIVE d(oid, typmod) AS (SELECT a.atttypid, a.atttypmod UNION ALL \
SELECT t.typbasetype, t.typtypmod FROM d JOIN pg_catalog.pg_type t ON t.oid = d.oid WHERE t.typtype = 'd') \
SELECT * FROM d) d \
JOIN pg_catalog.pg_type b ON b.oid = d.oid AND b.typtype <> 'd' \
WHERE a.attrelid = to_regclass(";
const POSTGRES_KEYS: &str = "SELECT i.indexrelid::text, a.attname::text, \
CASE WHEN c.oid <> a.attcollation THEN quote_ident(n.nspname) || '.' || quote_ident(c.collname) END \
FROM pg_catalog.pg_index i \
CROSS JOIN LATERAL unnest(i.indkey::int2[], i.indcollation::oid[]) WITH ORDINALITY k(attnum, coll, place) \
LEFT JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum = k.attnum \
LEFT JOIN pg_catalog.pg_collation c ON c.oid = k.coll \
LEFT JOIN pg_catalog.pg_namespace n ON n.oid = c.collnamespace \
WHERE i.indisunique AND i.indisvalid AND i.indpred IS NULL AND k.place <= i.indnkeyatts \
AND i.indrelid = to_regclass(";
const POSTGRES_SCHEMA: &str = "SELECT n.nspname::text FROM pg_catalog.pg_class c \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = to_regclass(";
const MYSQL_COLUMNS: &str = "SELECT COLUMN_NAME, COLUMN_TYPE, ";
/// JSON is text with a check in MariaDB, which alone reads such a comment.
const MARIADB_JSON: &str = "/*M!100400 IF(DATA_TYPE = 'longtext' AND CONCAT('json_valid(`', \
REPLACE(COLUMN_NAME, '`', '``'), '`)') IN (SELECT CHECK_CLAUSE FROM information_schema.CHECK_CONSTRAINTS \
WHERE CONSTRAINT_SCHEMA = ";
const MYSQL_TYPES: &str = "LOWER(DATA_TYPE)/*M!100400 )*/, CHARACTER_MAXIMUM_LENGTH, IS_NULLABLE = 'YES', \
CASE WHEN GENERATION_EXPRESSION = 'ROW END' THEN 3 WHEN GENERATION_EXPRESSION <> '' THEN 2 ELSE LOCATE('on update', LOWER(EXTRA)) > 0 END, \
CHARACTER_SET_NAME, COLLATION_NAME FROM information_schema.COLUMNS WHERE TABLE_SCHEMA = ";
const MYSQL_NATURE: &str = "SELECT (TABLE_TYPE = 'SYSTEM VERSIONED') + 2 * EXISTS (SELECT 1 FROM \
information_schema.ENGINES e WHERE e.ENGINE = t.ENGINE AND e.TRANSACTIONS = 'NO') \
FROM information_schema.TABLES t WHERE TABLE_SCHEMA = ";
const MYSQL_KEYS: &str = "SELECT INDEX_NAME, COLUMN_NAME, NULL \
FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND TABLE_SCHEMA = ";

/// The statement whose rows [`columns_of`] reads.
pub(super) fn columns(dialect: Dialect, table: &str) -> Statement {
    let (schema, name) = split_table(table);
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            phrase = Phrase::new(dialect, POSTGRES_COLUMNS);
            phrase.value(dialect.table(table).as_str());
            phrase.push("::text) AND a.attnum > 0 AND NOT a.attisdropped ORDER BY a.attnum");
        }
        Dialect::Mysql => {
            phrase = Phrase::new(dialect, MYSQL_COLUMNS);
            let hex = |text: &str| {
                let digits = HEXLOWER.encode(text.as_bytes());
                format!("CONVERT(X'{digits}' USING utf8mb4)")
            };
            // No parameters: MySQL would not see them in a comment.
            phrase.push(MARIADB_JSON);
            phrase.push(&schema.map_or_else(|| "DATABASE()".into(), hex));
            phrase.push(&format!(" AND TABLE_NAME = {}), 'json', */", hex(name)));
            phrase.push(MYSQL_TYPES);
            mysql_table(&mut phrase, schema, name);
            phrase.push(" ORDER BY ORDINAL_POSITION");
        }
        Dialect::Sqlite => {
            let what = "SELECT name, type, LOWER(type), NULL, \"notnull\" = 0, \
                CASE WHEN hidden IN (2, 3) THEN 2 ELSE 0 END, NULL, NULL FROM ";
            phrase = Phrase::new(dialect, what);
            pragma(&mut phrase, "pragma_table_xinfo", schema, name);
            phrase.push(" ORDER BY cid");
        }
    }
    phrase.done()
}

/// The statement whose rows [`keys_of`] reads.
pub(super) fn keys(dialect: Dialect, table: &str) -> Statement {
    let (schema, name) = split_table(table);
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            phrase = Phrase::new(dialect, POSTGRES_KEYS);
            phrase.value(dialect.table(table).as_str());
            phrase.push("::text) ORDER BY i.indisprimary DESC, i.indexrelid, k.place");
        }
        Dialect::Mysql => {
            phrase = Phrase::new(dialect, MYSQL_KEYS);
            mysql_table(&mut phrase, schema, name);
            phrase.push(" ORDER BY INDEX_NAME <> 'PRIMARY', INDEX_NAME, SEQ_IN_INDEX");
        }
        Dialect::Sqlite => {
            // The key that is the rowid has no index.
            phrase = Phrase::new(dialect, "SELECT '', name, NULL FROM ");
            pragma(&mut phrase, "pragma_table_xinfo", schema, name);
            phrase.push(" WHERE pk > 0 AND NOT EXISTS (SELECT 1 FROM ");
            pragma(&mut phrase, "pragma_index_list", schema, name);
            phrase.push(" WHERE origin = 'pk') UNION ALL SELECT i.name, c.name, ");
            // The pragmas do not tell the collation of a column: it is BINARY where the table says
            // nothing. A name that says nothing new keeps a composite key from its index.
            phrase.push("CASE WHEN c.coll <> 'BINARY' OR EXISTS (SELECT 1 FROM ");
            sqlite_table(&mut phrase, "collate", schema, name);
            phrase.push(") THEN ");
            phrase.push("'\"' || replace(c.coll, '\"', '\"\"') || '\"' END FROM ");
            pragma(&mut phrase, "pragma_index_list", schema, name);
            phrase.push(" i JOIN pragma_index_xinfo(i.name");
            if let Some(schema) = schema {
                phrase.push(", ").value(schema);
            }
            phrase.push(") c WHERE i.\"unique\" = 1 AND i.partial = 0 AND c.\"key\" = 1");
        }
    }
    phrase.done()
}

/// The statement whose one cell is the schema in which PostgreSQL finds a table.
pub(super) fn schema(dialect: Dialect, table: &str) -> Statement {
    let mut phrase = Phrase::new(dialect, POSTGRES_SCHEMA);
    phrase.value(dialect.table(table).as_str()).push("::text)");
    phrase.done()
}

/// The statement whose row [`nature_of`] reads.
pub(super) fn nature(dialect: Dialect, table: &str) -> Statement {
    let (schema, name) = split_table(table);
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            let what = "SELECT 4 FROM pg_catalog.pg_class c WHERE c.relkind = 'r' AND EXISTS (SELECT 1 FROM \
                pg_catalog.pg_inherits i WHERE i.inhparent = c.oid) AND c.oid = to_regclass(";
            phrase = Phrase::new(dialect, what);
            phrase.value(dialect.table(table).as_str()).push("::text)");
        }
        Dialect::Mysql => {
            phrase = Phrase::new(dialect, MYSQL_NATURE);
            mysql_table(&mut phrase, schema, name);
        }
        Dialect::Sqlite => {
            phrase = Phrase::new(dialect, "SELECT sql FROM ");
            sqlite_table(&mut phrase, "conflict", schema, name);
        }
    }
    phrase.done()
}

/// Of its number, or in SQLite of the text that made a table.
pub(super) fn nature_of(rows: &[Vec<Cell>]) -> Nature {
    let Some(cell) = rows.first().and_then(|row| row.first()) else {
        return Nature::default();
    };
    // Of text that is no UTF-8 nobody knows.
    let replaces = || cell.as_text().is_none_or(conflicts::replaces);
    let of_text = || if replaces() { REPLACES } else { 0 };
    Nature(cell.as_int().unwrap_or_else(of_text))
}

/// The table, where a word stands in what made it.
fn sqlite_table(phrase: &mut Phrase, word: &str, schema: Option<&str>, name: &str) {
    let schema = schema.map(|it| format!("{}.", Dialect::Sqlite.quoted(it)));
    phrase.push(&schema.unwrap_or_default());
    phrase.push(&format!(
        "sqlite_master WHERE type = 'table' AND sql LIKE '%{word}%' AND name = "
    ));
    phrase.value(name).push(" COLLATE NOCASE");
}

pub(super) fn mysql_table(phrase: &mut Phrase, schema: Option<&str>, name: &str) {
    match schema {
        Some(schema) => phrase.value(schema),
        None => phrase.push("DATABASE()"),
    };
    phrase.push(" AND TABLE_NAME = ").value(name);
}

fn pragma(phrase: &mut Phrase, function: &str, schema: Option<&str>, name: &str) {
    phrase.push(function).push("(").value(name);
    if let Some(schema) = schema {
        phrase.push(", ").value(schema);
    }
    phrase.push(")");
}

pub(super) fn columns_of(rows: &[Vec<Cell>]) -> Vec<Info> {
    rows.iter().filter_map(|row| info(row)).collect()
}

fn info(row: &[Cell]) -> Option<Info> {
    let [
        name,
        declared,
        base,
        max_chars,
        nullable,
        set_by,
        charset,
        collation,
        operators @ ..,
    ] = row
    else {
        return None;
    };
    let text = |cell: &Cell| cell.as_text().map(String::from);
    Some(Info {
        name: text(name)?,
        declared: text(declared).unwrap_or_default(),
        base: text(base).unwrap_or_default(),
        max_chars: max_chars.as_int().and_then(|it| usize::try_from(it).ok()),
        is_nullable: nullable.as_int() != Some(0),
        set_by: match set_by.as_int() {
            Some(FOLLOWS_UPDATES) => SetBy::Updates,
            Some(GENERATED) => SetBy::Expression,
            Some(ROW_END) => SetBy::RowEnd,
            _ => SetBy::Application,
        },
        charset: text(charset).zip(text(collation)),
        operators: operators.first().and_then(text),
    })
}

/// The unique keys of columns; one with an expression is none.
pub(super) fn keys_of(rows: &[Vec<Cell>], columns: &[Info]) -> Vec<UniqueKey> {
    let is_row_end = |name: &str| {
        let mut ends = columns.iter().filter(|it| it.set_by == SetBy::RowEnd);
        ends.any(|it| it.name == name)
    };
    let mut keys: Vec<(&str, Option<UniqueKey>)> = Vec::new();
    for row in rows {
        let [index, column, collation] = row.as_slice() else {
            continue;
        };
        let index = index.as_text().unwrap_or_default();
        if !keys.iter().any(|(name, _)| *name == index) {
            keys.push((index, Some(Vec::new())));
        }
        let key = keys.iter_mut().find(|(name, _)| *name == index);
        let Some((_, key)) = key else { continue };
        match (key.as_mut(), column.as_text()) {
            (Some(_), Some(column)) if is_row_end(column) => {}
            (Some(key), Some(column)) => {
                key.push((column.into(), collation.as_text().map(String::from)));
            }
            _ => *key = None,
        }
    }
    let keys = keys.into_iter().filter_map(|(_, key)| key);
    keys.filter(|key| !key.is_empty()).collect()
}

impl Nature {
    /// MariaDB keeps the former versions of its rows, in the table itself.
    pub(super) const fn keeps_history(self) -> bool {
        self.0 & HISTORY != 0
    }

    /// MySQL: what is written there is not undone with its transaction.
    pub(super) const fn lacks_transactions(self) -> bool {
        self.0 & NO_TRANSACTIONS != 0
    }

    /// PostgreSQL: others inherit from it, whose rows belong to it, and are in none of its indexes.
    pub(super) const fn has_heirs(self) -> bool {
        self.0 & HEIRS != 0
    }

    /// SQLite: rows with which a new value conflicts are deleted.
    pub(super) const fn replaces(self) -> bool {
        self.0 & REPLACES != 0
    }
}

impl Info {
    pub(super) const fn is_generated(&self) -> bool {
        matches!(self.set_by, SetBy::Expression | SetBy::RowEnd)
    }

    /// What it takes.
    pub(super) fn shape(&self, dialect: Dialect) -> Shape {
        match (dialect, self.base.as_str()) {
            (Dialect::Sqlite, _) => Shape::Any,
            (Dialect::Postgres, "text" | "varchar" | "bpchar" | "citext")
            | (
                Dialect::Mysql,
                "char" | "varchar" | "tinytext" | "text" | "mediumtext" | "longtext",
            ) => Shape::Text,
            (Dialect::Postgres, "bytea")
            | (
                Dialect::Mysql,
                "binary" | "varbinary" | "tinyblob" | "blob" | "mediumblob" | "longblob",
            ) => Shape::Bytes,
            (Dialect::Postgres, "json" | "jsonb") | (Dialect::Mysql, "json") => Shape::Json,
            _ => Shape::Unfit,
        }
    }
}

/// The error for a table or column that the job cannot work on.
pub(super) fn unsuitable(table: &str, what: &str) -> Error {
    Error::new(
        ErrorCode::ColumnUnsuitable,
        format!("the table {table}: {what}"),
    )
}
