//! Columns that write plaintext: a warning, or an error where encryption is required.

use crate::{
    error::Result,
    source::{self, Variables},
};
use pyo3::prelude::*;
use reseal::{Error, ErrorCode};

/// Set where data is real: nothing writes plaintext there.
const REQUIRE_ENCRYPTION: &str = "RESEAL_REQUIRE_ENCRYPTION";

/// Whether plaintext is refused, as an environment or that of the process says: no other one takes
/// the guard away.
pub(crate) fn is_refused_with(environ: &Bound<'_, PyAny>) -> Result<bool> {
    Ok(is_refused(environ)? || is_refused(&source::environment(environ.py(), None)?)?)
}

/// Only what plainly says no counts as no.
fn is_refused(environ: &Bound<'_, PyAny>) -> Result<bool> {
    let said = Variables::read(environ, [REQUIRE_ENCRYPTION])?.get(REQUIRE_ENCRYPTION);
    Ok(said.is_some_and(|said| !matches!(said.trim(), "" | "0")))
}

/// Warns whoever makes a column.
pub(crate) fn warn(py: Python<'_>, column: &str, codec: &str) -> Result<()> {
    py.import("reseal._plaintext")?
        .call_method1("warn_of_plaintext", (column, codec))?;
    Ok(())
}

/// For a column that nothing describes but its maker.
pub(crate) fn refuse_or_warn(py: Python<'_>, codec: &str) -> Result<()> {
    if is_refused(&source::environment(py, None)?)? {
        let message = format!(
            "encryption is required here ({REQUIRE_ENCRYPTION}), and the codec {codec} writes \
             plaintext: write another one"
        );
        return Err(Error::new(ErrorCode::EncryptionRequired, message).into());
    }
    warn(py, "a column", codec)
}
