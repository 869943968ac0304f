//! Cells as stored values, and back.

use super::Cell;
use crate::{
    codec::{Stored, StoredValue},
    error::{ErrorCode, Result, fixed},
};
use alloc::{borrow::Cow, string::ToString};

/// A cell as a stored value. SQLite may have an integer where others have its digits.
pub(super) enum Shown<'c> {
    Text(Cow<'c, str>),
    Bytes(&'c [u8]),
}

impl<'c> Shown<'c> {
    pub(super) fn of(cell: &'c Cell) -> Result<Option<Self>> {
        Ok(Some(match cell {
            Cell::Null => return Ok(None),
            Cell::Text(text) => Self::Text(Cow::Borrowed(text)),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::Int(number) => Self::Text(Cow::Owned(number.to_string())),
            Cell::Other => {
                return Err(fixed(
                    ErrorCode::ValueInvalid,
                    "the column holds neither text nor bytes here",
                ));
            }
        }))
    }

    /// Its text, which a path leads into.
    pub(super) fn document(&self) -> Result<&str> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bytes(_) => Err(fixed(
                ErrorCode::ValueInvalid,
                "the column holds bytes here, and a path leads into text",
            )),
        }
    }

    pub(super) fn stored(&self) -> Stored<'_> {
        match self {
            Self::Text(text) => Stored::Text(text),
            Self::Bytes(bytes) => Stored::Bytes(bytes),
        }
    }
}

impl Cell {
    /// Whether a database that stored the one would show the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(number), Self::Text(text)) | (Self::Text(text), Self::Int(number)) => {
                **text == number.to_string()
            }
            _ => self == other,
        }
    }
}

impl From<StoredValue> for Cell {
    fn from(value: StoredValue) -> Self {
        match value {
            StoredValue::Text(text) => text.into(),
            StoredValue::Bytes(bytes) => bytes.into(),
        }
    }
}
