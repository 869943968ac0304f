//! Typed values: one canonical spelling for each, which is what is sealed.

pub(crate) mod json;
pub(crate) mod number;
mod temporal;

use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
};
use alloc::{
    borrow::{Cow, ToOwned},
    format,
    string::String,
};
use zeroize::Zeroizing;

/// The type of a column. It is a fact of the column and stands nowhere in a value.
///
/// # Example
/// ```
/// use reseal::{Mode, ValueType};
/// let decimal = ValueType::parse("decimal")?;
/// assert_eq!(*decimal.canonical(b"1.50E+1", Mode::Random)?, *b"15");
/// let integer = ValueType::Integer.canonical(b"15.5", Mode::Random).unwrap_err();
/// assert_eq!(integer.code().as_str(), "value-invalid");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// `spec/values.md`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum ValueType {
    /// Text: its UTF-8 bytes.
    #[default]
    Text,
    /// Bytes, as they are.
    Bytes,
    /// An integer of any size.
    Integer,
    /// A decimal number, without an exponent.
    Decimal,
    /// `true` or `false`.
    Boolean,
    /// A day of the years 1 to 9999.
    Date,
    /// An hour of the day, to the microsecond.
    Time,
    /// A day and an hour, in UTC or without a zone, to the microsecond.
    Timestamp,
    /// A UUID.
    Uuid,
    /// A JSON document.
    Json,
}

impl ValueType {
    /// Every type.
    pub const ALL: [Self; 10] = [
        Self::Text,
        Self::Bytes,
        Self::Integer,
        Self::Decimal,
        Self::Boolean,
        Self::Date,
        Self::Time,
        Self::Timestamp,
        Self::Uuid,
        Self::Json,
    ];

    /// The name, the same in every language and in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Text => "text",
            Self::Bytes => "bytes",
            Self::Integer => "integer",
            Self::Decimal => "decimal",
            Self::Boolean => "boolean",
            Self::Date => "date",
            Self::Time => "time",
            Self::Timestamp => "timestamp",
            Self::Uuid => "uuid",
            Self::Json => "json",
        }
    }

    /// The type of a name.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.into_iter().find(|kind| kind.as_str() == name);
        found.ok_or_else(|| {
            let names = Self::ALL.map(Self::as_str).join(", ");
            Error::new(
                ErrorCode::InvalidArgument,
                format!("the type of a column is one of {names}"),
            )
        })
    }

    /// The canonical bytes of a value in any of its usual spellings: what is sealed, and what an
    /// opened value is brought to before it is read.
    ///
    /// # Errors
    /// `value-invalid` where the bytes are no value of this type, or a canonical form would lose
    /// something of it (the nanoseconds of a time, an integer in JSON beyond 2^53 in mode
    /// deterministic); `invalid-text` for text that is not UTF-8.
    ///
    /// # Spec
    /// `spec/values.md`.
    pub fn canonical(self, spelled: &[u8], mode: Mode) -> Result<Cow<'_, [u8]>> {
        if self == Self::Bytes {
            return Ok(Cow::Borrowed(spelled));
        }
        let text = core::str::from_utf8(spelled).map_err(|_| {
            fixed(
                ErrorCode::InvalidText,
                "a value of this type is text, and these bytes are not UTF-8",
            )
        })?;
        let canonical = match self {
            Self::Text | Self::Bytes => return Ok(Cow::Borrowed(spelled)),
            Self::Integer => number::integer(text),
            Self::Decimal => number::decimal(text),
            Self::Boolean => matches!(text, "true" | "false").then(|| text.to_owned()),
            Self::Date => temporal::date(text),
            Self::Time => temporal::time(text),
            Self::Timestamp => temporal::timestamp(text),
            Self::Uuid => uuid(text),
            Self::Json if mode == Mode::Deterministic => json::canonical(text),
            Self::Json => json::is_valid(text).then(|| text.to_owned()),
        };
        let canonical = Zeroizing::new(canonical.ok_or_else(|| self.invalid())?);
        if canonical.as_bytes() == spelled {
            return Ok(Cow::Borrowed(spelled));
        }
        Ok(Cow::Owned(canonical.as_bytes().to_owned()))
    }

    fn invalid(self) -> Error {
        let message = match self {
            Self::Text | Self::Bytes => "this is no text",
            Self::Integer => "an integer is digits, with a sign before them at most",
            Self::Decimal => {
                "a decimal number is digits with a point at most; there is no infinity"
            }
            Self::Boolean => "a boolean is true or false",
            Self::Date => "a date is YYYY-MM-DD, of the years 1 to 9999",
            Self::Time => "a time is HH:MM:SS, with up to six digits of a second",
            Self::Timestamp => {
                "a timestamp is YYYY-MM-DDTHH:MM:SS, with up to six digits of a second, and Z or \
                 an offset where it has a zone"
            }
            Self::Uuid => "a UUID is 32 hexadecimal digits",
            Self::Json => {
                "this is no JSON document, or one that has no canonical form: a member twice, a \
                 number beyond 2^53, a lone surrogate"
            }
        };
        fixed(ErrorCode::ValueInvalid, message)
    }
}

/// 32 digits, with the four hyphens or without any.
fn uuid(text: &str) -> Option<String> {
    const HYPHENS: [usize; 4] = [8, 13, 18, 23];
    let bytes = text.as_bytes();
    let hyphened = bytes.len() == 36 && HYPHENS.iter().all(|at| bytes.get(*at) == Some(&b'-'));
    if !hyphened && bytes.len() != 32 {
        return None;
    }
    let digits = || text.chars().filter(|digit| *digit != '-');
    if digits().count() != 32 || !digits().all(|digit| digit.is_ascii_hexdigit()) {
        return None;
    }
    let mut canonical = String::with_capacity(36);
    for digit in digits() {
        if HYPHENS.contains(&canonical.len()) {
            canonical.push('-');
        }
        canonical.push(digit.to_ascii_lowercase());
    }
    Some(canonical)
}
