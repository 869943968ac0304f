//! Keysets in a database: one row for each ring.

use super::{Cell, Dialect, Statement, catalog, dialect::Phrase};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    keyset::is_ring,
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

const TABLE: &str = "reseal_keysets";
const RING: &str = "ring";
const GENERATION: &str = "generation";
const DOCUMENT: &str = "document";
const HOW_TO_BEGIN: &str = "`reseal keyset init --keyset sql:` makes one";

/// The row of a keyset in the table `reseal_keysets`, which has the columns `ring`, `generation` and
/// `document`. These are statements and what their results mean; nothing is run here.
///
/// A path `sql:RING` names a row, and `sql:` alone the row of a table that has one.
///
/// # Example
/// ```
/// use reseal::job::{Dialect, KeysetRow};
/// let ring = KeysetRow::ring_in("sql:").unwrap();
/// let row = KeysetRow::new(Dialect::Sqlite, ring)?;
/// assert!(row.load().params.is_empty());
/// let error = row.document(&[]).unwrap_err();
/// assert_eq!(error.code().as_str(), "source-unreadable");
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct KeysetRow {
    dialect: Dialect,
    /// Empty for the only one that there is.
    ring: String,
}

impl KeysetRow {
    /// What follows `sql:` in a path; nothing for the path of a file.
    ///
    /// # Example
    /// ```
    /// use reseal::job::KeysetRow;
    /// assert_eq!(KeysetRow::ring_in("sql:"), Some(""));
    /// assert_eq!(KeysetRow::ring_in("./sql:"), None);
    /// ```
    #[must_use]
    pub fn ring_in(path: &str) -> Option<&str> {
        path.strip_prefix("sql:")
    }

    /// The row of a ring; of an empty one, the only row that there is.
    ///
    /// # Errors
    /// `invalid-argument` for what is no ring id.
    pub fn new(dialect: Dialect, ring: &str) -> Result<Self> {
        if !ring.is_empty() && !is_ring(ring) {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a keyset in a database is sql: or sql:RING, with the ring id of 26 characters that `reseal keyset show` prints",
            ));
        }
        let ring = ring.to_owned();
        Ok(Self { dialect, ring })
    }

    /// Gives a row for each column of the table, and none where there is no table.
    #[must_use]
    pub fn table(&self) -> Statement {
        catalog::columns(self.dialect, TABLE)
    }

    /// Makes the table, where it is missing.
    #[must_use]
    pub fn create_table(&self) -> Statement {
        let (ring, generation, document) = match self.dialect {
            Dialect::Postgres => ("text", "bigint", "text"),
            Dialect::Mysql => (
                "varchar(26) CHARACTER SET ascii COLLATE ascii_bin",
                "bigint",
                "longtext CHARACTER SET utf8mb4",
            ),
            Dialect::Sqlite => ("TEXT", "INTEGER", "TEXT"),
        };
        let name = |name| self.dialect.quoted(name);
        let sql = format!(
            "CREATE TABLE IF NOT EXISTS {} ({} {ring} NOT NULL PRIMARY KEY, \
             {} {generation} NOT NULL, {} {document} NOT NULL)",
            name(TABLE),
            name(RING),
            name(GENERATION),
            name(DOCUMENT),
        );
        Phrase::new(self.dialect, &sql).done()
    }

    /// Gives the rows that [`KeysetRow::document`] takes: ring and document.
    #[must_use]
    pub fn load(&self) -> Statement {
        let name = |name| self.dialect.quoted(name);
        let mut phrase = Phrase::new(self.dialect, "SELECT ");
        phrase.push(&format!("{}, {}", name(RING), name(DOCUMENT)));
        phrase.push(" FROM ").push(&name(TABLE));
        if self.ring.is_empty() {
            // A second one is enough to know that there are several.
            phrase.push(" LIMIT 2");
        } else {
            phrase.push(" WHERE ").push(&name(RING)).push(" = ");
            phrase.value(self.ring.as_str());
        }
        phrase.done()
    }

    /// The document, out of the rows of [`KeysetRow::load`].
    ///
    /// # Errors
    /// `source-unreadable` where there is none, or no text; `source-conflict` where several rings are
    /// there and none was named.
    pub fn document<'r>(&self, rows: &'r [Vec<Cell>]) -> Result<&'r str> {
        let unreadable = |what: String| Error::new(ErrorCode::SourceUnreadable, what);
        match rows {
            [] if self.ring.is_empty() => Err(unreadable(format!(
                "the table {TABLE} is empty: {HOW_TO_BEGIN}"
            ))),
            [] => Err(unreadable(format!(
                "the table {TABLE} has no keyset of the ring {}: {HOW_TO_BEGIN}",
                self.ring
            ))),
            [row] => match row.get(1).map(Cell::as_text) {
                Some(Some(document)) => Ok(document),
                _ => Err(unreadable(format!(
                    "a document in the table {TABLE} is no text"
                ))),
            },
            _ => Err(Error::new(
                ErrorCode::SourceConflict,
                format!(
                    "the table {TABLE} has keysets of several rings: name one of them, as ring or as sql:RING"
                ),
            )),
        }
    }

    /// That there is no such table, so that nothing can be read.
    #[must_use]
    pub fn no_table(&self) -> Error {
        let message = format!(
            "this database has no table {TABLE}: `reseal keyset init --keyset sql:` makes it, and a keyset; or is it another database?"
        );
        Error::new(ErrorCode::SourceUnreadable, message)
    }

    /// Stores the keyset of a new ring. Where there is one already, it fails as
    /// [`super::FailureKind::Duplicate`].
    #[must_use]
    pub fn insert(&self, ring: &str, generation: u64, document: &str) -> Statement {
        let name = |name| self.dialect.quoted(name);
        let mut phrase = Phrase::new(self.dialect, "INSERT INTO ");
        let columns = [RING, GENERATION, DOCUMENT].map(name).join(", ");
        phrase.push(&format!("{} ({columns}) VALUES (", name(TABLE)));
        phrase.value(ring).push(", ").value(number(generation));
        phrase.push(", ").value(document).push(")");
        phrase.done()
    }

    /// Stores the next document of a ring, if the row is still of the generation that was loaded. It
    /// changes one row or none.
    #[must_use]
    pub fn update(&self, ring: &str, loaded: u64, document: &str) -> Statement {
        let name = |name| self.dialect.quoted(name);
        let generation = name(GENERATION);
        let mut phrase = Phrase::new(self.dialect, "UPDATE ");
        phrase.push(&format!("{} SET {} = ", name(TABLE), name(DOCUMENT)));
        phrase.value(document);
        phrase.push(&format!(", {generation} = {generation} + 1 WHERE "));
        phrase.push(&name(RING)).push(" = ").value(ring);
        phrase.push(&format!(" AND {generation} = "));
        phrase.value(number(loaded));
        phrase.done()
    }

    /// What an update means that changed no row.
    #[must_use]
    pub fn changed(&self) -> Error {
        fixed(
            ErrorCode::KeysetConflict,
            "the keyset in the database was changed or removed since it was loaded: load it, and try again",
        )
    }

    /// What an insert means that met a row.
    #[must_use]
    pub fn exists(&self, ring: &str) -> Error {
        let message = format!("the table {TABLE} has a keyset of the ring {ring} already: load it");
        Error::new(ErrorCode::KeysetConflict, message)
    }

    /// What it means that the table cannot be made.
    #[must_use]
    pub fn may_not_create(&self, code: &str) -> Error {
        let message = format!(
            "the user may not make the table {TABLE} ({code}): have it made, with the columns {RING}, {GENERATION} and {DOCUMENT}"
        );
        Error::new(ErrorCode::DatabaseError, message)
    }
}

fn number(generation: u64) -> Cell {
    Cell::Int(i64::try_from(generation).unwrap_or(i64::MAX))
}
