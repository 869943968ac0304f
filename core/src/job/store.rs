//! The table of checkpoints.

use super::{Cell, Dialect, Statement, dialect::Phrase};
use alloc::{format, string::String};
use core::fmt::Write as _;

pub(super) const TABLE: &str = "reseal_jobs";

/// Makes the table, where it is missing.
pub(super) fn create(dialect: Dialect) -> Statement {
    let (id, state, version) = match dialect {
        Dialect::Postgres => ("text", "text", "bigint"),
        // A database may have a character set that takes few characters.
        Dialect::Mysql => (
            "varchar(64) CHARACTER SET ascii",
            "longtext CHARACTER SET utf8mb4",
            "bigint",
        ),
        Dialect::Sqlite => ("TEXT", "TEXT", "INTEGER"),
    };
    let table = dialect.quoted(TABLE);
    // A server may be set to one without transactions.
    let engine = match dialect {
        Dialect::Mysql => " ENGINE=InnoDB",
        Dialect::Postgres | Dialect::Sqlite => "",
    };
    let sql = format!(
        "CREATE TABLE IF NOT EXISTS {table} ({} {id} NOT NULL PRIMARY KEY, {} {state} NOT NULL, \
         {} {version} NOT NULL){engine}",
        dialect.quoted("id"),
        dialect.quoted("state"),
        dialect.quoted("version"),
    );
    Phrase::new(dialect, &sql).done()
}

/// Gives the state and the version of a job.
pub(super) fn load(dialect: Dialect, id: &str) -> Statement {
    let mut phrase = Phrase::new(dialect, "SELECT ");
    phrase.push(&dialect.quoted("state")).push(", ");
    phrase.push(&dialect.quoted("version")).push(" FROM ");
    phrase.push(&dialect.quoted(TABLE)).push(" WHERE ");
    phrase.push(&dialect.quoted("id")).push(" = ").value(id);
    phrase.done()
}

/// Gives id, state and version of those of the jobs that are there.
pub(super) fn load_all(dialect: Dialect, ids: &[String]) -> Statement {
    let mut phrase = Phrase::new(dialect, "SELECT ");
    phrase.list(", ", ["id", "state", "version"], |phrase, name| {
        phrase.push(&dialect.quoted(name));
    });
    phrase.push(" FROM ").push(&dialect.quoted(TABLE));
    phrase
        .push(" WHERE ")
        .push(&dialect.quoted("id"))
        .push(" IN (");
    phrase.list(", ", ids, |phrase, id| {
        phrase.value(id.as_str());
    });
    phrase.push(")");
    phrase.done()
}

/// Takes a job away, if nobody stored a state of it since this version. It changes one row or none.
pub(super) fn delete(dialect: Dialect, id: &str, version: i64) -> Statement {
    let mut phrase = Phrase::new(dialect, "DELETE FROM ");
    phrase.push(&dialect.quoted(TABLE)).push(" WHERE ");
    phrase.push(&dialect.quoted("id")).push(" = ").value(id);
    phrase.push(&format!(" AND {} = ", dialect.quoted("version")));
    phrase.value(Cell::Int(version));
    phrase.done()
}

/// Stores the first state of a job, of version 1.
pub(super) fn insert(dialect: Dialect, id: &str, state: &str) -> Statement {
    let mut phrase = Phrase::new(dialect, "INSERT INTO ");
    phrase.push(&dialect.quoted(TABLE)).push(" (");
    phrase.list(", ", ["id", "state", "version"], |phrase, name| {
        phrase.push(&dialect.quoted(name));
    });
    phrase
        .push(") VALUES (")
        .value(id)
        .push(", ")
        .value(in_ascii(state));
    phrase.push(", 1)");
    phrase.done()
}

/// Stores the next state of a job, if nobody else stored one since this version. It changes one row
/// or none.
pub(super) fn update(dialect: Dialect, id: &str, state: &str, version: i64) -> Statement {
    let mut phrase = Phrase::new(dialect, "UPDATE ");
    let number = dialect.quoted("version");
    phrase.push(&dialect.quoted(TABLE)).push(" SET ");
    phrase.push(&dialect.quoted("state")).push(" = ");
    phrase.value(in_ascii(state));
    phrase.push(&format!(", {number} = {number} + 1 WHERE "));
    phrase.push(&dialect.quoted("id")).push(" = ").value(id);
    phrase.push(&format!(" AND {number} = "));
    phrase.value(Cell::Int(version));
    phrase.done()
}

/// JSON without any other character: the table may be of a character set that has none for what a row id holds.
fn in_ascii(json: &str) -> String {
    let mut ascii = String::with_capacity(json.len());
    for char in json.chars() {
        if char.is_ascii() {
            ascii.push(char);
            continue;
        }
        for unit in char.encode_utf16(&mut [0; 2]) {
            // Writing into a string never fails.
            let _written = write!(ascii, "\\u{unit:04x}");
        }
    }
    ascii
}
