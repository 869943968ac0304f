//! What a database driver gives and takes.

use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// One value of a row, or one parameter of a statement. It may be plaintext: it is wiped on drop, and
/// never shown.
///
/// # Example
/// ```
/// use reseal::job::Cell;
/// assert_eq!(Cell::from("078-05-1120").as_text(), Some("078-05-1120"));
/// assert_eq!(format!("{:?}", Cell::from("078-05-1120")), "Text(hidden)");
/// ```
#[derive(Clone, Default, PartialEq, Eq)]
pub enum Cell {
    /// NULL.
    #[default]
    Null,
    /// An integer.
    Int(i64),
    /// Characters.
    Text(Zeroizing<String>),
    /// Bytes.
    Bytes(Zeroizing<Vec<u8>>),
    /// Anything else that a driver may give, such as a float; no sealed column has it.
    Other,
}

impl Cell {
    /// Its characters. Some drivers give names of the catalogue as bytes.
    #[must_use]
    pub fn as_text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Bytes(bytes) => core::str::from_utf8(bytes).ok(),
            _ => None,
        }
    }

    /// Its number, which some drivers give as text.
    pub(super) fn as_int(&self) -> Option<i64> {
        match self {
            Self::Int(number) => Some(*number),
            _ => self.as_text()?.parse().ok(),
        }
    }

    /// About the bytes that it takes.
    pub(super) fn bytes(&self) -> usize {
        match self {
            Self::Text(text) => text.len(),
            Self::Bytes(bytes) => bytes.len(),
            _ => size_of::<Self>(),
        }
    }
}

impl fmt::Debug for Cell {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Null => "Null",
            Self::Int(_) => "Int(hidden)",
            Self::Text(_) => "Text(hidden)",
            Self::Bytes(_) => "Bytes(hidden)",
            Self::Other => "Other",
        })
    }
}

impl From<i64> for Cell {
    fn from(number: i64) -> Self {
        Self::Int(number)
    }
}

impl From<&str> for Cell {
    fn from(text: &str) -> Self {
        Self::Text(Zeroizing::new(text.into()))
    }
}

impl From<String> for Cell {
    fn from(text: String) -> Self {
        Self::Text(Zeroizing::new(text))
    }
}

impl From<Vec<u8>> for Cell {
    fn from(bytes: Vec<u8>) -> Self {
        Self::Bytes(Zeroizing::new(bytes))
    }
}

/// A statement of SQL for the driver to run.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Statement {
    /// Names are quoted in it; the parameters are `$1`, `$2`, … in PostgreSQL, elsewhere `?`.
    pub sql: String,
    /// What the parameters stand for.
    pub params: Vec<Cell>,
}
