//! What stored values show without a key.

use crate::{
    convert::{ModeArgument, stored_binary, stored_text},
    error::Result,
};
use pyo3::{
    prelude::*,
    types::{PyBytes, PyString, PyType},
};

/// What an envelope shows without any key. Nothing of it is verified.
///
/// Spec: sections 2 and 3.
#[pyclass(frozen, eq, hash, get_all, module = "reseal")]
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) struct Inspection {
    /// The format version, 1.
    version: u8,
    /// The mode that the value was sealed in: "random", "deterministic" or "padded".
    mode: &'static str,
    /// The id of the key that sealed it.
    key_id: String,
    /// Bytes of ciphertext: those of the plaintext, or of the padded plaintext in mode padded.
    ciphertext_bytes: usize,
}

#[pymethods]
impl Inspection {
    #[new]
    fn new(
        version: u8,
        mode: ModeArgument,
        key_id: String,
        ciphertext_bytes: usize,
    ) -> Result<Self> {
        Ok(Self {
            version,
            mode: mode.0?.as_str(),
            key_id,
            ciphertext_bytes,
        })
    }

    /// To copy and pickle it is to make it anew: nothing in it is secret.
    fn __reduce__<'py>(
        slf: &Bound<'py, Self>,
    ) -> (Bound<'py, PyType>, (u8, &'static str, String, usize)) {
        let shown = slf.get();
        let parts = (
            shown.version,
            shown.mode,
            shown.key_id.clone(),
            shown.ciphertext_bytes,
        );
        (slf.get_type(), parts)
    }

    fn __repr__(&self) -> String {
        let Self {
            version,
            mode,
            key_id,
            ciphertext_bytes,
        } = self;
        format!(
            "Inspection(version={version}, mode='{mode}', key_id='{key_id}', ciphertext_bytes={ciphertext_bytes})"
        )
    }
}

/// What a stored value shows without any key: text if it is text, otherwise the binary form.
///
/// Example:
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> shown = reseal.inspect(ring.seal("four", {}))
///     >>> shown.mode, shown.ciphertext_bytes
///     ('random', 4)
///     >>> shown.key_id == ring.primary_id
///     True
///
/// Errors: not-envelope, malformed, unsupported-version, too-large, unsupported-mode.
///
/// Security: nothing is verified: whoever writes the value chooses what it shows.
///
/// Spec: section 3.
#[pyfunction]
#[pyo3(signature = (stored, /))]
pub(crate) fn inspect(stored: &Bound<'_, PyAny>) -> Result<Inspection> {
    let shown = if stored.is_instance_of::<PyString>() {
        reseal::inspect(&stored_text(stored)?)?
    } else {
        reseal::inspect_binary(&stored_binary(stored)?)?
    };
    Ok(Inspection {
        version: shown.version,
        mode: shown.mode.as_str(),
        key_id: shown.key_id.to_string(),
        ciphertext_bytes: shown.ciphertext_bytes,
    })
}

/// The text form of a binary envelope; needs no key.
///
/// Example:
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> binary = ring.seal_binary("x", {})
///     >>> ring.open_str(reseal.to_text(binary), {})
///     'x'
///
/// Errors: as of inspect.
///
/// Spec: section 3.
#[pyfunction]
#[pyo3(signature = (stored, /))]
pub(crate) fn to_text<'py>(stored: &Bound<'py, PyAny>) -> Result<Bound<'py, PyString>> {
    let text = reseal::to_text(&stored_binary(stored)?)?;
    Ok(PyString::new(stored.py(), &text))
}

/// The binary form of a text envelope; needs no key.
///
/// Example:
///     >>> ring = reseal.Keyring(primary=reseal.Key.generate("data"))
///     >>> stored = ring.seal("x", {})
///     >>> reseal.to_text(reseal.to_binary(stored)) == stored
///     True
///
/// Errors: as of inspect.
///
/// Spec: section 3.
#[pyfunction]
#[pyo3(signature = (stored, /))]
pub(crate) fn to_binary<'py>(stored: &Bound<'py, PyAny>) -> Result<Bound<'py, PyBytes>> {
    let binary = reseal::to_binary(&stored_text(stored)?)?;
    Ok(PyBytes::new(stored.py(), &binary))
}
