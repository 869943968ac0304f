//! JSON: as its producer wrote it, or in the canonical form of RFC 8785.

use super::number::decimal;
use crate::json::in_order;
use alloc::{string::String, vec::Vec};
use core::fmt;
use serde::de::{Deserialize, Deserializer, IgnoredAny, MapAccess, Visitor};
use serde_json::value::RawValue;

/// More doubles than `serde_json` is away from the nearest one: it rounds five times at most.
const STEPS: u64 = 8;
/// As deep as `serde_json` reads by itself.
pub(crate) const MAX_DEPTH: usize = 128;

pub(super) fn is_valid(text: &str) -> bool {
    serde_json::from_str::<IgnoredAny>(text).is_ok()
}

/// The form of RFC 8785; nothing where the document has none, or where it would be another number.
pub(super) fn canonical(text: &str) -> Option<String> {
    let document: &RawValue = serde_json::from_str(text).ok()?;
    let mut canonical = String::with_capacity(text.len());
    write(document.get(), 0, &mut canonical)?;
    Some(canonical)
}

fn write(value: &str, depth: usize, to: &mut String) -> Option<()> {
    if depth > MAX_DEPTH {
        return None;
    }
    match value.bytes().next()? {
        b'{' => write_object(value, depth, to),
        b'[' => write_list(value, depth, to),
        b'"' => write_text(&serde_json::from_str::<String>(value).ok()?, to),
        b'-' | b'0'..=b'9' => write_number(value, to),
        // true, false and null.
        _ => {
            to.push_str(value);
            Some(())
        }
    }
}

/// In the order of the UTF-16 units of the names.
fn write_object(value: &str, depth: usize, to: &mut String) -> Option<()> {
    let Members(members) = serde_json::from_str(value).ok()?;
    to.push('{');
    let order = in_order(members.iter().map(|(name, _)| name))?;
    for (at, (name, value)) in order.iter().filter_map(|at| members.get(*at)).enumerate() {
        if at > 0 {
            to.push(',');
        }
        write_text(name, to)?;
        to.push(':');
        write(value.get(), depth + 1, to)?;
    }
    to.push('}');
    Some(())
}

fn write_list(value: &str, depth: usize, to: &mut String) -> Option<()> {
    let items: Vec<&RawValue> = serde_json::from_str(value).ok()?;
    to.push('[');
    for (at, item) in items.into_iter().enumerate() {
        if at > 0 {
            to.push(',');
        }
        write(item.get(), depth + 1, to)?;
    }
    to.push(']');
    Some(())
}

/// The escapes of `serde_json` are those of RFC 8785.
fn write_text(text: &str, to: &mut String) -> Option<()> {
    to.push_str(&serde_json::to_string(text).ok()?);
    Some(())
}

/// As JavaScript prints it, if that is the same number.
fn write_number(source: &str, to: &mut String) -> Option<()> {
    let number = double(source)?;
    to.push_str(ryu_js::Buffer::new().format_finite(number));
    Some(())
}

/// The double that is printed as this number. It is looked for around what `serde_json` reads in its
/// quick way: the exact way needs tables of ten kilobytes.
pub(crate) fn double(source: &str) -> Option<f64> {
    let wanted = decimal(source)?;
    let negative = source.starts_with('-');
    let near = serde_json::from_str::<f64>(source).map_or(f64::MAX, f64::abs);
    for step in 0..=STEPS {
        for bits in [near.to_bits() + step, near.to_bits().saturating_sub(step)] {
            let number = f64::from_bits(bits);
            if !number.is_finite() {
                continue;
            }
            let number = if negative { -number } else { number };
            let mut buffer = ryu_js::Buffer::new();
            if decimal(buffer.format_finite(number)).as_ref() == Some(&wanted) {
                return Some(number);
            }
        }
    }
    None
}

/// The members of an object.
pub(crate) struct Members<'t>(pub(crate) Vec<(String, &'t RawValue)>);

impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Object).map(Self)
    }
}

struct Object;

impl<'de> Visitor<'de> for Object {
    type Value = Vec<(String, &'de RawValue)>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
        let mut members = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        Ok(members)
    }
}
