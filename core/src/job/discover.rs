//! Discovery: the columns of a database that hold what is encrypted, or looks like a key, and that no
//! manifest names.

use super::{
    Cell, Dialect, FailureKind, Kind, Statement, Target, dialect::Phrase, halt::Halt, line::Line,
    report::Discovered, strings::strings,
};
use crate::{
    codec::{Certainty, CodecKind, Stored},
    manifest::JsonPath,
    sorted::SortedMap,
};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// Values that are looked at in each column.
const SAMPLE_ROWS: usize = 200;
/// Longer values are not looked at.
const MAX_BYTES: usize = 16_384;
/// Paths into the documents of a column; further ones are not looked at.
const MAX_PATHS: usize = 200;
/// How keys of this project begin.
const KEY_START: &str = "rsk1.";
/// So many values must all fit a format that has no mark.
const MIN_ALIKE: u64 = 3;

const POSTGRES: &str = "SELECT CASE WHEN pg_table_is_visible(c.oid) THEN '' ELSE n.nspname END, \
c.relname::text, a.attname::text, b.typname::text, n.nspname::text FROM pg_catalog.pg_attribute a \
JOIN pg_catalog.pg_class c ON c.oid = a.attrelid \
JOIN pg_catalog.pg_namespace n ON n.oid = c.relnamespace \
JOIN pg_catalog.pg_type t ON t.oid = a.atttypid \
JOIN pg_catalog.pg_type b ON b.oid = CASE WHEN t.typtype = 'd' THEN t.typbasetype ELSE t.oid END \
WHERE c.relkind IN ('r', 'p') AND NOT c.relispartition AND a.attnum > 0 AND NOT a.attisdropped \
AND n.nspname NOT IN ('pg_catalog', 'information_schema') AND n.nspname NOT LIKE 'pg\\_%' \
AND b.typname IN ('text', 'varchar', 'bpchar', 'citext', 'bytea', 'json', 'jsonb') \
AND has_schema_privilege(n.oid, 'USAGE') AND has_column_privilege(c.oid, a.attnum, 'SELECT') ORDER BY 1, 2, a.attnum";
const MYSQL: &str = "SELECT '', c.TABLE_NAME, c.COLUMN_NAME, LOWER(c.DATA_TYPE), c.TABLE_SCHEMA \
FROM information_schema.COLUMNS c JOIN information_schema.TABLES t \
ON t.TABLE_SCHEMA = c.TABLE_SCHEMA AND t.TABLE_NAME = c.TABLE_NAME \
WHERE c.TABLE_SCHEMA = DATABASE() AND t.TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED') AND LOWER(c.DATA_TYPE) IN \
('char', 'varchar', 'tinytext', 'text', 'mediumtext', 'longtext', 'json', 'binary', 'varbinary', \
'tinyblob', 'blob', 'mediumblob', 'longblob') ORDER BY c.TABLE_NAME, c.ORDINAL_POSITION";
const SQLITE: &str = "SELECT '', m.name, c.name, lower(c.type), 'main' FROM sqlite_master m \
JOIN pragma_table_xinfo(m.name) c WHERE m.type = 'table' AND m.name NOT LIKE 'sqlite\\_%' ESCAPE '\\' \
ORDER BY m.name, c.cid";

/// All columns, and paths into their documents, that hold something and are of no target; and the names of those
/// that this user may see, and not read.
pub(super) async fn run(
    line: &Line,
    dialect: Dialect,
    targets: &[Target],
) -> Result<(Vec<Discovered>, Vec<String>), Halt> {
    let all = match dialect {
        Dialect::Postgres => POSTGRES,
        Dialect::Mysql => MYSQL,
        Dialect::Sqlite => SQLITE,
    };
    let (mut found, mut unread) = (Vec::new(), Vec::new());
    for row in line.query(Phrase::new(dialect, all).done()).await? {
        let [schema, table, column, of, home] = row.as_slice() else {
            continue;
        };
        let text = |cell: &Cell| cell.as_text().map(String::from).unwrap_or_default();
        let (schema, name, column, of) = (text(schema), text(table), text(column), text(of));
        let table = match schema.as_str() {
            "" => name.clone(),
            schema => format!("{schema}.{name}"),
        };
        // Of what is found without its schema a manifest may name it all the same.
        let whole = format!("{}.{name}", text(home));
        let known = targets.iter().map(|target| &target.spec).filter(|spec| {
            let is_table = spec.table == table || spec.table == whole;
            is_table && spec.column == column
        });
        // A target without a path is of all that its column has.
        let paths: Option<Vec<&JsonPath>> = known.map(|spec| spec.path.as_ref()).collect();
        let Some(paths) = paths.filter(|_| table != "reseal_jobs") else {
            continue;
        };
        let from = match schema.as_str() {
            "" => dialect.quoted(&name),
            schema => format!("{}.{}", dialect.quoted(schema), dialect.quoted(&name)),
        };
        let values = match line.query(sample(dialect, &from, &column, &of)).await {
            Err(failure) if failure.kind == FailureKind::PermissionDenied => {
                unread.push(format!("{table}.{column}"));
                continue;
            }
            values => values?,
        };
        let place = Place {
            dialect,
            table,
            column,
            of,
            paths,
        };
        found.extend(place.seen(&values));
    }
    Ok((found, unread))
}

fn sample(dialect: Dialect, from: &str, column: &str, of: &str) -> Statement {
    let name = format!("{from}.{}", dialect.quoted(column));
    let (read, bytes) = match (dialect, of) {
        (Dialect::Postgres, "bytea") => (name.clone(), format!("octet_length({name})")),
        (Dialect::Postgres, _) => (
            format!("{name}::text"),
            format!("octet_length({name}::text)"),
        ),
        (Dialect::Mysql, "json") => (format!("CAST({name} AS CHAR)"), format!("LENGTH({name})")),
        (Dialect::Mysql, _) => (name.clone(), format!("LENGTH({name})")),
        (Dialect::Sqlite, _) => (name.clone(), format!("length({name})")),
    };
    let sql = format!(
        "SELECT {read} FROM {from} WHERE {name} IS NOT NULL AND {bytes} BETWEEN 1 AND {MAX_BYTES} \
         LIMIT {SAMPLE_ROWS}"
    );
    Phrase::new(dialect, &sql).done()
}

/// A column of the database, and what of it is known.
struct Place<'t> {
    dialect: Dialect,
    table: String,
    column: String,
    /// The name of its type.
    of: String,
    /// Those of the targets.
    paths: Vec<&'t JsonPath>,
}

impl Place<'_> {
    /// What the values of a column are in, and those that stand in their documents.
    fn seen(&self, rows: &[Vec<Cell>]) -> Vec<Discovered> {
        let mut whole = Seen::default();
        let mut members: SortedMap<String, Seen> = SortedMap::new();
        for cell in rows.iter().filter_map(|row| row.first()) {
            let stored = match cell {
                Cell::Text(text) => Stored::Text(text),
                Cell::Bytes(bytes) => Stored::Bytes(bytes),
                _ => continue,
            };
            if whole.look(stored) {
                continue;
            }
            for (steps, text) in self.document(cell).map(strings).unwrap_or_default() {
                if self.paths.iter().any(|path| path.names(&steps)) {
                    continue;
                }
                let path = JsonPath::over(&steps).to_string();
                if members.len() < MAX_PATHS || members.contains_key(&path) {
                    members.change(path, |seen| {
                        seen.look(Stored::Text(&text));
                    });
                }
            }
        }
        let members = members.into_iter().map(|(path, seen)| (Some(path), seen));
        let all = core::iter::once((None, whole)).chain(members);
        all.filter_map(|(path, seen)| {
            Some(Discovered {
                table: self.table.clone(),
                column: self.column.clone(),
                path,
                values: seen.values,
                key_like: seen.key_like,
                found: seen.found()?,
            })
        })
        .collect()
    }

    /// The document that a cell may be; a path never leads into a column of bytes.
    fn document<'c>(&self, cell: &'c Cell) -> Option<&'c str> {
        let is_bytes = match (self.dialect, cell) {
            (Dialect::Sqlite, cell) => matches!(cell, Cell::Bytes(_)),
            _ => self.of == "bytea" || self.of.ends_with("binary") || self.of.ends_with("blob"),
        };
        let text = cell.as_text().filter(|_| !is_bytes)?;
        let is_json = matches!(self.of.as_str(), "json" | "jsonb");
        let is_document = text.trim_ascii_start().starts_with(['{', '[']);
        (is_json || is_document).then_some(text)
    }
}

/// What was seen of values.
#[derive(Default)]
struct Seen {
    values: u64,
    key_like: u64,
    /// In formats that leave no doubt.
    sure: BTreeMap<Kind, u64>,
    maybe: BTreeMap<Kind, u64>,
}

impl Seen {
    /// Looks at a value; whether there is no doubt what it is.
    fn look(&mut self, stored: Stored<'_>) -> bool {
        self.values += 1;
        let mut text = stored.as_text().into_iter();
        if text.any(|text| text.trim_start().starts_with(KEY_START)) {
            self.key_like += 1;
            return true;
        }
        let shown = CodecKind::recognize_any(stored).filter(|(it, _)| *it != CodecKind::Plain);
        for (kind, shown) in shown {
            let is_sure = shown.certainty == Certainty::Yes;
            let kind = Kind {
                codec: kind.as_str().into(),
                key: shown.key,
                scheme: shown.scheme.into(),
            };
            let counts = if is_sure {
                &mut self.sure
            } else {
                &mut self.maybe
            };
            *counts.entry(kind).or_default() += 1;
            if is_sure {
                return true;
            }
        }
        false
    }

    /// In which formats how many are; nothing where none of them is in anything.
    fn found(self) -> Option<BTreeMap<Kind, u64>> {
        let mut found = self.sure;
        if found.is_empty() {
            let all = self.values;
            let alike = |count: u64| count == all && all >= MIN_ALIKE;
            let maybe = self.maybe.into_iter();
            found = maybe.filter(|(_, count)| alike(*count)).collect();
        }
        (self.key_like > 0 || !found.is_empty()).then_some(found)
    }
}
