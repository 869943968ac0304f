//! Tables of keys, which a manifest names: their rows as the manifest takes them.

use super::{
    Cell, Dialect, Statement,
    catalog::{self, Info},
    dialect::Phrase,
    walk::read,
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    manifest::{Want, WantKind},
};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt::Write as _;
use zeroize::Zeroizing;

/// The most rows of a table of keys.
const MAX_ROWS: usize = 10_000;
/// What JSON makes of one byte at most.
const MAX_ESCAPE_BYTES: usize = 6;

/// The statement whose rows go to [`table_rows`]: what a database knows of the columns of a table.
///
/// # Example
/// ```
/// use reseal::job::{Dialect, table_columns};
/// let statement = table_columns(Dialect::Postgres, "deployment_key");
/// assert_eq!(statement.params, ["\"deployment_key\"".into()]);
/// ```
#[must_use]
pub fn table_columns(dialect: Dialect, table: &str) -> Statement {
    catalog::columns(dialect, table)
}

/// How the rows of a table are read that a manifest wants, [`WantKind::Table`]; `columns` are the rows
/// of [`table_columns`]. A column that the table does not have is left out.
///
/// # Example
/// ```
/// use reseal::job::{Cell, Dialect, table_rows};
/// use reseal::manifest::{Manifest, Secrets};
///
/// let manifest = Manifest::parse(
///     "version = 1
///     [codecs.metabase]
///     kind = 'metabase'
///     keys = ['env:MB_ENCRYPTION_SECRET_KEY']
///     data_keys = 'table:data_encryption_key'",
/// )?;
/// let want = manifest.wants().into_iter().find(|want| want.kind.as_str() == "table").unwrap();
/// // What a driver gives for `table_columns`: name, type, its name alone, length, and so on.
/// let column = |name: &str, of: &str| {
///     let rest = [Cell::Null, 0.into(), 0.into(), Cell::Null, Cell::Null];
///     [name.into(), of.into(), of.into()].into_iter().chain(rest).collect()
/// };
/// let columns: Vec<Vec<Cell>> = vec![column("id", "integer"), column("key_material", "text")];
///
/// let table = table_rows(Dialect::Sqlite, &want, &columns)?;
/// assert!(table.statement.sql.starts_with("SELECT \"data_encryption_key\".\"id\", "));
/// let rows = [vec![Cell::Int(1), "c2VjcmV0".into()]];
/// let json = table.to_json(&rows)?;
/// assert_eq!(json.as_str(), r#"[{"id":1,"key_material":"c2VjcmV0"}]"#);
/// Secrets::new().give(&want, json.as_bytes());
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// `source-missing` where there is no such table; `source-unreadable` where it has none of the wanted
/// columns, or one of them holds truth values or floats; `invalid-argument` for a want that is no
/// table. The message names the member of the manifest.
pub fn table_rows(dialect: Dialect, want: &Want, columns: &[Vec<Cell>]) -> Result<TableRows> {
    if !matches!(want.kind, WantKind::Table(_)) {
        let message = "this want of a manifest is no table";
        return Err(fixed(ErrorCode::InvalidArgument, message));
    }
    let place = format!("{}: the table {}", want.named_by, want.name);
    let infos = catalog::columns_of(columns);
    if infos.is_empty() {
        let message = format!("{place} is not there: is it in another schema or database?");
        return Err(Error::new(ErrorCode::SourceMissing, message));
    }
    let wanted = want.kind.columns();
    let found = wanted.iter().filter_map(|name| {
        let info = infos.iter().find(|info| info.name == **name);
        Some((*name, info?))
    });
    let found: Vec<_> = found.collect();
    if found.is_empty() {
        let message = format!("{place} has none of the columns {}", wanted.join(", "));
        return Err(Error::new(ErrorCode::SourceUnreadable, message));
    }
    if let Some((name, info)) = found.iter().find(|(_, info)| !info.is_of_keys()) {
        let message = format!("{place} has {name} of the type {}", info.declared);
        return Err(Error::new(ErrorCode::SourceUnreadable, message));
    }
    let from = dialect.table(&want.name);
    let mut phrase = Phrase::new(dialect, "SELECT ");
    phrase.list(", ", &found, |phrase, (name, info)| {
        let column = format!("{from}.{}", dialect.quoted(name));
        phrase.push(&match (dialect, info.base.as_str()) {
            // What is a number comes as one.
            (Dialect::Postgres, "int2" | "int4" | "int8") => column,
            _ => read(dialect, column, info),
        });
    });
    phrase.push(&format!(" FROM {from} LIMIT {}", MAX_ROWS + 1));
    Ok(TableRows {
        statement: phrase.done(),
        place,
        names: found.into_iter().map(|(name, _)| name).collect(),
    })
}

/// How the rows of a table of keys are read, and what becomes of them.
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct TableRows {
    /// The statement whose rows go to [`TableRows::to_json`].
    pub statement: Statement,
    /// For messages.
    place: String,
    names: Vec<&'static str>,
}

impl TableRows {
    /// The rows as [`crate::manifest::Secrets::give`] takes them: a JSON list of objects, in which
    /// integers are numbers, NULL is `null`, and all else is text.
    ///
    /// # Errors
    /// `source-unreadable` for more than 10,000 rows, for bytes that are not UTF-8, and for rows of
    /// another width; no message shows what the rows hold.
    ///
    /// # Security
    /// The rows are secrets. What this gives is wiped on drop, and what the driver keeps is not.
    pub fn to_json(&self, rows: &[Vec<Cell>]) -> Result<Zeroizing<String>> {
        if rows.len() > MAX_ROWS {
            return Err(self.unreadable("has more than 10000 rows: it is no table of keys"));
        }
        let names: usize = self.names.iter().map(|name| name.len() + 4).sum();
        let cells = rows.iter().flatten().map(|cell| cell.bytes().max(20));
        let all: usize = cells.map(|bytes| MAX_ESCAPE_BYTES * bytes + 4).sum();
        // What grows leaves a copy behind.
        let mut json = Zeroizing::new(String::with_capacity(rows.len() * (names + 4) + all + 2));
        json.push('[');
        for (place, row) in rows.iter().enumerate() {
            json.push_str(if place > 0 { ",{" } else { "{" });
            self.push_row(&mut json, row)?;
            json.push('}');
        }
        json.push(']');
        Ok(json)
    }

    fn push_row(&self, json: &mut String, row: &[Cell]) -> Result<()> {
        if row.len() != self.names.len() {
            return Err(self.unreadable("came with rows of another width than asked for"));
        }
        for (place, (name, cell)) in self.names.iter().zip(row).enumerate() {
            json.push_str(if place > 0 { "," } else { "" });
            push_quoted(json, name);
            json.push(':');
            match cell {
                Cell::Null => json.push_str("null"),
                Cell::Int(number) => json.push_str(&number.to_string()),
                cell => {
                    let text = cell.as_text().ok_or_else(|| {
                        self.unreadable("holds what is neither text nor an integer")
                    })?;
                    push_quoted(json, text);
                }
            }
        }
        Ok(())
    }

    fn unreadable(&self, what: &str) -> Error {
        let message = format!("{} {what}", self.place);
        Error::new(ErrorCode::SourceUnreadable, message)
    }
}

impl Info {
    /// Whether a column of keys may be of its type: a manifest takes neither floats nor truth values.
    fn is_of_keys(&self) -> bool {
        const OTHERS: [&str; 6] = ["bool", "float4", "float8", "float", "double", "bit"];
        !OTHERS.contains(&self.base.as_str())
    }
}

/// Text of JSON, without a copy that nobody wipes.
fn push_quoted(json: &mut String, text: &str) {
    json.push('"');
    for char in text.chars() {
        match char {
            '"' | '\\' => json.extend(['\\', char]),
            '\0'..='\u{1f}' => {
                // Writing into a string never fails.
                let _written = write!(json, "\\u{:04x}", u32::from(char));
            }
            _ => json.push(char),
        }
    }
    json.push('"');
}
