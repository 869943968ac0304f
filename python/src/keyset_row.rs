//! Keysets in a database, over a driver of `reseal/_database.py`.

use crate::{
    error::Result,
    turns::{call, cells_of, dialect_of, failure},
};
use pyo3::{prelude::*, types::PyString};
use reseal::{
    Error,
    job::{Cell, Failure, FailureKind, KeysetRow, Statement},
};

/// _read_keyset_row(database, ring)
/// --
///
/// The document of a ring; of an empty one, the only document that there is.
///
/// Errors: source-unreadable, source-conflict; database-error; invalid-argument.
#[pyfunction(name = "_read_keyset_row")]
#[pyo3(signature = (database, ring, /))]
pub(crate) fn read_keyset_row<'py>(
    database: &Bound<'py, PyAny>,
    ring: &str,
) -> Result<Bound<'py, PyString>> {
    let line = Line(database);
    let row = KeysetRow::new(dialect_of(database)?, ring)?;
    let rows = match line.query(&row.load())? {
        Ok(rows) => rows,
        Err(failure) if failure.kind == FailureKind::NoSuchTable => {
            return Err(row.no_table().into());
        }
        // SQLite has no code of its own for a table that is missing.
        Err(failure) => match line.query(&row.table())? {
            Ok(columns) if columns.is_empty() => return Err(row.no_table().into()),
            _ => return Err(Error::from(failure).into()),
        },
    };
    Ok(PyString::new(database.py(), row.document(&rows)?))
}

/// _insert_keyset_row(database, ring, generation, document)
/// --
///
/// Stores the keyset of a new ring, and makes the table where it is missing.
///
/// Errors: keyset-conflict; database-error.
#[pyfunction(name = "_insert_keyset_row")]
#[pyo3(signature = (database, ring, generation, document, /))]
pub(crate) fn insert_keyset_row(
    database: &Bound<'_, PyAny>,
    ring: &str,
    generation: u64,
    document: &str,
) -> Result<()> {
    let line = Line(database);
    let row = KeysetRow::new(dialect_of(database)?, ring)?;
    let columns = line.query(&row.table())?.map_err(Error::from)?;
    if columns.is_empty() {
        match line.execute(&row.create_table())? {
            Err(failure) if failure.kind == FailureKind::PermissionDenied => {
                return Err(row.may_not_create(&failure.code).into());
            }
            // PostgreSQL says so where another one makes it at the same time.
            Err(failure) if failure.kind == FailureKind::Duplicate => {}
            made => drop(made.map_err(Error::from)?),
        }
    }
    match line.execute(&row.insert(ring, generation, document))? {
        Err(failure) if failure.kind == FailureKind::Duplicate => Err(row.exists(ring).into()),
        stored => Ok(stored.map(drop).map_err(Error::from)?),
    }
}

/// _update_keyset_row(database, ring, loaded, document)
/// --
///
/// Replaces the document of a ring, if the row is of the generation that was loaded.
///
/// Errors: keyset-conflict; database-error.
#[pyfunction(name = "_update_keyset_row")]
#[pyo3(signature = (database, ring, loaded, document, /))]
pub(crate) fn update_keyset_row(
    database: &Bound<'_, PyAny>,
    ring: &str,
    loaded: u64,
    document: &str,
) -> Result<()> {
    let row = KeysetRow::new(dialect_of(database)?, ring)?;
    let stored = Line(database).execute(&row.update(ring, loaded, document))?;
    match stored.map_err(Error::from)? {
        1 => Ok(()),
        _ => Err(row.changed().into()),
    }
}

/// A driver, whose failures are results.
struct Line<'a, 'py>(&'a Bound<'py, PyAny>);

impl Line<'_, '_> {
    fn query(&self, statement: &Statement) -> PyResult<Result<Vec<Vec<Cell>>, Failure>> {
        match call(self.0, &PyString::intern(self.0.py(), "query"), statement) {
            Ok(rows) => Ok(Ok(cells_of(&rows)?)),
            Err(raised) => Ok(Err(self.failure(raised)?)),
        }
    }

    fn execute(&self, statement: &Statement) -> PyResult<Result<u64, Failure>> {
        match call(self.0, &PyString::intern(self.0.py(), "execute"), statement) {
            Ok(count) => Ok(Ok(count.extract()?)),
            Err(raised) => Ok(Err(self.failure(raised)?)),
        }
    }

    fn failure(&self, raised: PyErr) -> PyResult<Failure> {
        failure(raised, self.0, dialect_of(self.0)?)
    }
}
