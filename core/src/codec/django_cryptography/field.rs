//! What a field is declared as: which pickles are its values, and how they are spelled.

use super::pickle::Value;
use crate::{
    codec::read_only,
    error::{Error, ErrorCode, Result, fixed},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;
use serde::de::{Deserialize, Deserializer, MapAccess, SeqAccess, Visitor};
use zeroize::Zeroizing;

/// The type of an encrypted field, by which its pickles are read and written.
///
/// # Example
/// ```
/// use reseal::codec::DjangoField;
/// assert_eq!(DjangoField::parse("integer")?, DjangoField::Integer);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DjangoField {
    /// `CharField`, `TextField` and those like them.
    #[default]
    Text,
    /// `BinaryField`.
    Bytes,
    /// `IntegerField` and those like it, of at most 64 bits.
    Integer,
    /// `FloatField`.
    Float,
    /// `BooleanField`.
    Boolean,
    /// `JSONField`, and `PickledField` with what JSON has.
    Json,
}

impl DjangoField {
    /// Every type by name.
    pub const ALL: [(&str, Self); 6] = [
        ("text", Self::Text),
        ("bytes", Self::Bytes),
        ("integer", Self::Integer),
        ("float", Self::Float),
        ("boolean", Self::Boolean),
        ("json", Self::Json),
    ];

    /// The type of a name.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|(known, _)| *known == name);
        found.map(|(_, field)| *field).ok_or(fixed(
            ErrorCode::InvalidArgument,
            "a field of django-cryptography is text, bytes, integer, float, boolean or json",
        ))
    }

    /// # Errors
    /// `value-invalid`.
    pub(super) fn plaintext(self, value: &Value) -> Result<Zeroizing<Vec<u8>>> {
        let text = match (self, value) {
            (Self::Text, Value::Str(text)) => text.clone(),
            (Self::Bytes, Value::Bytes(bytes)) => return Ok(bytes.clone()),
            (Self::Integer, Value::Int(number)) => Zeroizing::new(format!("{number}")),
            (Self::Boolean, Value::Bool(is)) => Zeroizing::new(format!("{is}")),
            (Self::Float, Value::Float(number)) if number.is_finite() => {
                Zeroizing::new(format!("{number}"))
            }
            (Self::Json, value) => {
                let mut text = Zeroizing::new(String::with_capacity(json_len(value)));
                put_json(&mut text, value)?;
                text
            }
            _ => return Err(another()),
        };
        // The bytes are those of the text: no copy stays behind.
        let mut text = text;
        Ok(Zeroizing::new(core::mem::take(&mut *text).into_bytes()))
    }

    /// # Errors
    /// `codec-read-only`.
    pub(super) fn value(self, plaintext: &[u8]) -> Result<Value> {
        let none = || {
            read_only(
                "this is no value of the field of django-cryptography: say with field what the \
                 application declares",
            )
        };
        if self == Self::Bytes {
            return Ok(Value::Bytes(Zeroizing::new(plaintext.to_owned())));
        }
        let text = core::str::from_utf8(plaintext).map_err(|_| none())?;
        let value = match self {
            Self::Text | Self::Bytes => Some(Value::Str(Zeroizing::new(text.to_owned()))),
            Self::Integer => text.parse().ok().map(Value::Int),
            Self::Boolean => text.parse().ok().map(Value::Bool),
            Self::Float => {
                let number = text.parse().ok().filter(|number: &f64| number.is_finite());
                number.map(Value::Float)
            }
            Self::Json => serde_json::from_str(text).ok(),
        };
        value.ok_or_else(none)
    }

    /// The most bytes of a pickle of so many bytes of plaintext.
    pub(super) fn pickled_len(self, plaintext_bytes: usize) -> Option<usize> {
        /// Around a single value: the protocol, a frame, the length, a place in the memory, the end.
        const AROUND: usize = 18;
        // `1.5,` becomes nine bytes.
        let factor = if self == Self::Json { 3 } else { 1 };
        plaintext_bytes.checked_mul(factor)?.checked_add(AROUND)
    }
}

/// At least the characters of [`put_json`].
fn json_len(value: &Value) -> usize {
    match value {
        Value::Str(text) => 2 + 6 * text.len(),
        Value::List(list, _) => 2 + list.iter().map(|item| 1 + json_len(item)).sum::<usize>(),
        Value::Dict(pairs, _) => {
            let pairs = pairs.iter();
            2 + pairs
                .map(|(name, value)| 4 + 6 * name.len() + json_len(value))
                .sum::<usize>()
        }
        _ => 25,
    }
}

fn put_json(out: &mut String, value: &Value) -> Result<()> {
    match value {
        Value::None => out.push_str("null"),
        Value::Bool(is) => out.push_str(if *is { "true" } else { "false" }),
        Value::Int(number) => out.push_str(&encoded(number)?),
        Value::Float(number) if number.is_finite() => out.push_str(&encoded(number)?),
        Value::Float(_) | Value::Bytes(_) => return Err(another()),
        Value::Str(text) => out.push_str(&encoded(&**text)?),
        Value::List(list, _) => {
            for (at, item) in list.iter().enumerate() {
                out.push(if at == 0 { '[' } else { ',' });
                put_json(out, item)?;
            }
            out.push_str(if list.is_empty() { "[]" } else { "]" });
        }
        Value::Dict(pairs, _) => {
            for (at, (name, value)) in pairs.iter().enumerate() {
                out.push(if at == 0 { '{' } else { ',' });
                out.push_str(&encoded(&**name)?);
                out.push(':');
                put_json(out, value)?;
            }
            out.push_str(if pairs.is_empty() { "{}" } else { "}" });
        }
    }
    Ok(())
}

fn encoded(value: &(impl serde::Serialize + ?Sized)) -> Result<Zeroizing<String>> {
    let text = serde_json::to_string(value).map_err(|_| another())?;
    Ok(Zeroizing::new(text))
}

impl<'de> Deserialize<'de> for Value {
    fn deserialize<D: Deserializer<'de>>(from: D) -> core::result::Result<Self, D::Error> {
        from.deserialize_any(Reader)
    }
}

struct Reader;

impl<'de> Visitor<'de> for Reader {
    type Value = Value;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> core::result::Result<Value, E> {
        Ok(Value::None)
    }

    fn visit_bool<E>(self, is: bool) -> core::result::Result<Value, E> {
        Ok(Value::Bool(is))
    }

    fn visit_i64<E>(self, number: i64) -> core::result::Result<Value, E> {
        Ok(Value::Int(number))
    }

    fn visit_u64<E: serde::de::Error>(self, number: u64) -> core::result::Result<Value, E> {
        let number = i64::try_from(number).map_err(|_| E::custom("a larger number"))?;
        Ok(Value::Int(number))
    }

    fn visit_f64<E>(self, number: f64) -> core::result::Result<Value, E> {
        Ok(Value::Float(number))
    }

    fn visit_str<E>(self, text: &str) -> core::result::Result<Value, E> {
        Ok(Value::Str(Zeroizing::new(text.to_owned())))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> core::result::Result<Value, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = items.next_element()? {
            list.push(item);
        }
        Ok(Value::List(list, 0))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut items: A) -> core::result::Result<Value, A::Error> {
        let mut pairs = Vec::new();
        while let Some((name, value)) = items.next_entry::<String, Value>()? {
            pairs.push((Zeroizing::new(name), value));
        }
        Ok(Value::Dict(pairs, 0))
    }
}

fn another() -> Error {
    fixed(
        ErrorCode::ValueInvalid,
        "the pickle holds something else than the option field says: compare it with the declaration \
         of the field",
    )
}
