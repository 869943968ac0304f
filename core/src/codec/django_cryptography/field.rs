//! What a field is declared as: which pickles are its values, and how they are spelled.

use super::pickle::Value;
use crate::{
    codec::read_only,
    error::{Error, ErrorCode, Result, fixed},
    json::Members,
    value::{
        json::{MAX_DEPTH, double},
        number::decimal,
    },
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use serde_json::value::RawValue;
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
            (Self::Float, Value::Float(number)) if number.is_finite() => spelled(*number)?,
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
            Self::Float => double(text).map(Value::Float),
            Self::Json => value_of(text, 0),
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

/// Without an exponent.
fn spelled(number: f64) -> Result<Zeroizing<String>> {
    if number == 0.0 && number.is_sign_negative() {
        return Ok(Zeroizing::new("-0".to_owned()));
    }
    let text = decimal(ryu_js::Buffer::new().format_finite(number));
    text.map(Zeroizing::new).ok_or_else(another)
}

/// What JSON says. Each number is read exactly, or not at all.
pub(super) fn value_of(json: &str, depth: usize) -> Option<Value> {
    let json = json.trim_matches([' ', '\t', '\n', '\r']);
    let value = match json.bytes().next()? {
        b'{' | b'[' if depth + 1 >= MAX_DEPTH => return None,
        b'{' => {
            let Members(members) = serde_json::from_str(json).ok()?;
            let pairs = members.into_iter().map(|(name, value)| {
                Some((Zeroizing::new(name), value_of(value.get(), depth + 1)?))
            });
            Value::Dict(pairs.collect::<Option<_>>()?, 0)
        }
        b'[' => {
            let items: Vec<&RawValue> = serde_json::from_str(json).ok()?;
            let list = items.iter().map(|item| value_of(item.get(), depth + 1));
            Value::List(list.collect::<Option<_>>()?, 0)
        }
        b'"' => Value::Str(Zeroizing::new(serde_json::from_str(json).ok()?)),
        b'n' => serde_json::from_str::<()>(json)
            .ok()
            .map(|()| Value::None)?,
        b't' | b'f' => Value::Bool(serde_json::from_str(json).ok()?),
        _ => number_of(json)?,
    };
    Some(value)
}

/// An integer, or with a point or an exponent a double.
fn number_of(json: &str) -> Option<Value> {
    // It knows which texts are numbers in JSON.
    serde_json::from_str::<&RawValue>(json).ok()?;
    if json.contains(['.', 'e', 'E']) {
        return double(json).map(Value::Float);
    }
    json.parse().ok().map(Value::Int)
}

fn another() -> Error {
    fixed(
        ErrorCode::ValueInvalid,
        "the pickle holds something else than the option field says: compare it with the declaration \
         of the field",
    )
}

#[cfg(test)]
mod tests {
    use super::{DjangoField, Value};

    #[test]
    fn numbers_are_read_exactly_and_spelled_without_an_exponent() {
        for (text, spelled) in [
            ("0.30000000000000004", "0.30000000000000004"),
            (
                "9.1093837015e-31",
                "0.00000000000000000000000000000091093837015",
            ),
            ("1.5", "1.5"),
            ("-0", "-0"),
            ("1e3", "1000"),
        ] {
            let value = DjangoField::Float.value(text.as_bytes()).unwrap();
            let expected: f64 = text.parse().unwrap();
            let Value::Float(number) = value else {
                panic!("{text} is no float");
            };
            assert_eq!(number.to_bits(), expected.to_bits(), "{text}");
            let again = DjangoField::Float.plaintext(&value).unwrap();
            assert_eq!(*again, spelled.as_bytes());
        }
        let json = br#"{"a":[1,-2,0.30000000000000004,1.0,5e-324,true,null,"x"]}"#;
        let value = DjangoField::Json.value(json).unwrap();
        assert_eq!(*DjangoField::Json.plaintext(&value).unwrap(), json);
        for text in [
            "0.1000000000000000055",
            "1e400",
            "inf",
            "NaN",
            "",
            "0x1",
            ".",
        ] {
            assert!(DjangoField::Float.value(text.as_bytes()).is_err(), "{text}");
        }
        for text in [
            "[1,]",
            "01",
            "[1e400]",
            "18446744073709551616",
            "nul",
            "{1:2}",
            "[1]2",
        ] {
            assert!(DjangoField::Json.value(text.as_bytes()).is_err(), "{text}");
        }
    }
}
