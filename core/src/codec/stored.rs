//! A stored value, as a database gives it.

use alloc::{string::String, vec::Vec};
use core::fmt;

/// Whether a column holds text or bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Form {
    /// Characters.
    Text,
    /// Bytes.
    Binary,
}

/// A value of a text or binary column.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Stored<'v> {
    /// Of a text column.
    Text(&'v str),
    /// Of a binary column.
    Bytes(&'v [u8]),
}

impl<'v> Stored<'v> {
    /// Whether it is text or bytes.
    #[must_use]
    pub const fn form(self) -> Form {
        match self {
            Self::Text(_) => Form::Text,
            Self::Bytes(_) => Form::Binary,
        }
    }

    /// Its bytes; of text the UTF-8 ones.
    #[must_use]
    pub const fn as_bytes(self) -> &'v [u8] {
        match self {
            Self::Text(text) => text.as_bytes(),
            Self::Bytes(bytes) => bytes,
        }
    }

    /// It as text: many systems keep text formats in binary columns as well.
    #[must_use]
    pub fn as_text(self) -> Option<&'v str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => core::str::from_utf8(bytes).ok(),
        }
    }
}

/// A stored value may be plaintext: only its form is shown.
impl fmt::Debug for Stored<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Stored({:?}, hidden)", self.form())
    }
}

/// A value to store.
#[derive(Clone, PartialEq, Eq)]
pub enum StoredValue {
    /// For a text column.
    Text(String),
    /// For a binary column.
    Bytes(Vec<u8>),
}

impl StoredValue {
    /// The value of a text format: text, or its bytes for a binary column.
    pub(crate) fn of_text(text: String, form: Form) -> Self {
        match form {
            Form::Text => Self::Text(text),
            Form::Binary => Self::Bytes(text.into_bytes()),
        }
    }

    /// The value, borrowed.
    #[must_use]
    pub fn as_stored(&self) -> Stored<'_> {
        match self {
            Self::Text(text) => Stored::Text(text),
            Self::Bytes(bytes) => Stored::Bytes(bytes),
        }
    }
}

/// As [`Stored`].
impl fmt::Debug for StoredValue {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.as_stored().fmt(f)
    }
}
