//! JSON as a tree, with no member twice; and the members of one object as they stand.

use alloc::{borrow::ToOwned, string::String, vec::Vec};
use core::fmt;
use serde::de::{Deserialize, Deserializer, Error as _, MapAccess, SeqAccess, Visitor};
#[cfg(feature = "django")]
use serde_json::value::RawValue;

pub(crate) enum Json {
    Text(String),
    /// Digits alone; what has a sign, a fraction or an exponent is [`Json::Other`].
    Integer(u64),
    Null,
    List(Vec<Self>),
    Object(Vec<(String, Self)>),
    /// What no document of ours holds: true, false and other numbers.
    Other,
}

impl Json {
    /// The document, or `None` where the syntax is not that of JSON or a member stands twice.
    pub(crate) fn parse(bytes: &[u8]) -> Option<Self> {
        serde_json::from_slice(bytes).ok()
    }
}

impl<'de> Deserialize<'de> for Json {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Tree)
    }
}

struct Tree;

impl<'de> Visitor<'de> for Tree {
    type Value = Json;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Json, E> {
        Ok(Json::Null)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_u64<E>(self, integer: u64) -> Result<Json, E> {
        Ok(Json::Integer(integer))
    }

    fn visit_i64<E>(self, _: i64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Json, E> {
        Ok(Json::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Json, E> {
        Ok(Json::Text(text.to_owned()))
    }

    fn visit_string<E>(self, text: String) -> Result<Json, E> {
        Ok(Json::Text(text))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut seq: A) -> Result<Json, A::Error> {
        let mut list = Vec::new();
        while let Some(item) = seq.next_element()? {
            list.push(item);
        }
        Ok(Json::List(list))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Json, A::Error> {
        let mut members: Vec<(String, Json)> = Vec::new();
        while let Some(member) = map.next_entry()? {
            members.push(member);
        }
        if in_order(members.iter().map(|(name, _)| name.as_str())).is_none() {
            return Err(A::Error::custom("a member stands twice"));
        }
        Ok(Json::Object(members))
    }
}

/// The members of an object as they stand, also those of one name.
#[cfg(feature = "django")]
pub(crate) struct Members<'t>(pub(crate) Vec<(String, &'t RawValue)>);

#[cfg(feature = "django")]
impl<'de> Deserialize<'de> for Members<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        struct Object;

        impl<'de> Visitor<'de> for Object {
            type Value = Members<'de>;

            fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                f.write_str("an object")
            }

            fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self::Value, A::Error> {
                let mut members = Vec::new();
                while let Some(member) = map.next_entry()? {
                    members.push(member);
                }
                Ok(Members(members))
            }
        }

        deserializer.deserialize_map(Object)
    }
}

/// The places of the names, in the order of their UTF-16 units; nothing where one stands twice.
pub(crate) fn in_order<'n>(names: impl Iterator<Item = &'n str>) -> Option<Vec<usize>> {
    let mut placed: Vec<(usize, &str)> = names.enumerate().collect();
    placed.sort_unstable_by(|(_, one), (_, other)| one.encode_utf16().cmp(other.encode_utf16()));
    let twice = |pair: &[(usize, &str)]| matches!(pair, [(_, one), (_, other)] if one == other);
    if placed.windows(2).any(twice) {
        return None;
    }
    Some(placed.into_iter().map(|(place, _)| place).collect())
}
