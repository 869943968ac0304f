//! Stored values of any format: text or bytes, as a database gives them.

use crate::{
    convert::{Bytes, bytes_like, type_name},
    error::{Result, invalid_argument},
};
use pyo3::{
    exceptions::PyUnicodeError,
    prelude::*,
    types::{PyBytes, PyString},
};
use reseal::{
    Error, ErrorCode, MAX_PLAINTEXT_BYTES,
    codec::{Form, Stored, StoredValue},
};

/// Bytes of a buffer that is copied: more than any format makes of the largest plaintext.
const MAX_BUFFER_BYTES: usize = 4 * MAX_PLAINTEXT_BYTES;

/// A stored value, borrowed from Python where it cannot change.
pub(crate) enum StoredArgument<'a> {
    Text(&'a str),
    Bytes(Bytes<'a>),
}

impl<'a> StoredArgument<'a> {
    pub(crate) fn read(value: &'a Bound<'_, PyAny>) -> Result<Self> {
        if let Ok(text) = value.cast::<PyString>() {
            return match text.to_str() {
                Ok(text) => Ok(Self::Text(text)),
                Err(error) if error.is_instance_of::<PyUnicodeError>(value.py()) => {
                    Err(lone_surrogate().into())
                }
                Err(error) => Err(error.into()),
            };
        }
        match bytes_like(value, MAX_BUFFER_BYTES, |_| Err(too_large().into()))? {
            Some(bytes) => Ok(Self::Bytes(bytes)),
            None => Err(invalid_argument(format!(
                "a stored value is text or bytes, not {}",
                type_name(value)
            ))),
        }
    }

    /// As `read`; nothing for NULL.
    pub(crate) fn read_nullable(value: &'a Bound<'_, PyAny>) -> Result<Option<Self>> {
        if value.is_none() {
            return Ok(None);
        }
        Self::read(value).map(Some)
    }

    pub(crate) fn as_stored(&self) -> Stored<'_> {
        match self {
            Self::Text(text) => Stored::Text(text),
            Self::Bytes(bytes) => Stored::Bytes(bytes),
        }
    }
}

/// The form of a column that is declared as binary or not.
pub(crate) const fn form(binary: bool) -> Form {
    if binary { Form::Binary } else { Form::Text }
}

/// A value to store, as Python has it.
pub(crate) fn show<'py>(py: Python<'py>, value: &StoredValue) -> Bound<'py, PyAny> {
    match value {
        StoredValue::Text(text) => PyString::new(py, text).into_any(),
        StoredValue::Bytes(bytes) => PyBytes::new(py, bytes).into_any(),
    }
}

fn lone_surrogate() -> Error {
    Error::new(
        ErrorCode::InvalidText,
        "the stored text has a lone surrogate, which UTF-8 has no bytes for: read the column as bytes",
    )
}

fn too_large() -> Error {
    Error::new(
        ErrorCode::TooLarge,
        "this is larger than any stored value of 2^24 bytes",
    )
}
