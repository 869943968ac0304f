//! The transactions that write to a database, over a driver of `reseal/_database.py`.

use crate::{
    error::Result,
    turns::{dialect_of, failure},
};
use pyo3::{intern, prelude::*};
use reseal::{Error, ErrorCode, job::FailureKind};

/// _writing_transactions(database)
/// --
///
/// The transactions that have written and not ended, by their names; none where the user may not ask.
///
/// Errors: database-error, also for a server that takes no writes.
#[pyfunction(name = "_writing_transactions")]
#[pyo3(signature = (database, /))]
pub(crate) fn writing_transactions(database: &Bound<'_, PyAny>) -> Result<Vec<String>> {
    let dialect = dialect_of(database)?;
    let mut names = Vec::new();
    for sql in reseal_cli::writing_transactions(dialect) {
        match database.call_method1(intern!(database.py(), "query"), (*sql,)) {
            Ok(rows) => names.extend(rows.extract::<Vec<(Option<String>,)>>()?),
            Err(raised) => {
                let failure = failure(raised, database, dialect)?;
                if failure.kind != FailureKind::PermissionDenied {
                    return Err(Error::from(failure).into());
                }
            }
        }
    }
    let names: Option<Vec<String>> = names.into_iter().map(|(name,)| name).collect();
    Ok(names.ok_or_else(|| {
        let why = "this server takes no writes, as a copy of another one does, and may lack what that one has";
        Error::new(ErrorCode::DatabaseError, why)
    })?)
}
