//! The wrapper of a JSON field: an object whose one member is the value.

use super::MAX_STORED_BYTES;
use alloc::{borrow::Cow, string::ToString};
use core::fmt;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

pub(super) const NAME: &str = "sentry_encrypted_field_value";

/// What a text is.
pub(super) enum Wrapper<'t> {
    /// Something else.
    None,
    /// The start of one: it was cut.
    Cut,
    /// One with this text.
    Whole(Cow<'t, str>),
}

impl<'t> Wrapper<'t> {
    pub(super) fn of(text: &'t str) -> Self {
        let parsed = (text.len() <= MAX_STORED_BYTES).then(|| parse(text));
        match parsed {
            Some(Ok(Some(inner))) => Self::Whole(inner),
            Some(Ok(None)) => Self::None,
            _ if is_start(text.as_bytes()) => Self::Cut,
            _ => Self::None,
        }
    }
}

/// Whether these bytes start like a wrapper.
pub(super) fn is_start(bytes: &[u8]) -> bool {
    let object = bytes.trim_ascii_start().strip_prefix(b"{");
    let name = object.and_then(|rest| rest.trim_ascii_start().strip_prefix(b"\""));
    let after = name.and_then(|rest| rest.strip_prefix(NAME.as_bytes()));
    after.is_some_and(|rest| rest.starts_with(b"\""))
}

/// The text of a wrapper; nothing of other JSON is kept.
fn parse(text: &str) -> serde_json::Result<Option<Cow<'_, str>>> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let inner = parser.deserialize_map(Members)?;
    parser.end()?;
    Ok(inner)
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// As Python, of two members with one name it takes the last one.
    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        if members.next_key_seed(IsName)? != Some(true) {
            return Err(A::Error::custom("no wrapper"));
        }
        let mut inner = members.next_value_seed(Text)?;
        let mut alone = true;
        while let Some(is_name) = members.next_key_seed(IsName)? {
            if is_name {
                inner = members.next_value_seed(Text)?;
            } else {
                members.next_value::<IgnoredAny>()?;
                alone = false;
            }
        }
        Ok(inner.filter(|_| alone))
    }
}

/// Whether a member has the name of a wrapper's.
struct IsName;

impl<'de> DeserializeSeed<'de> for IsName {
    type Value = bool;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<bool, D::Error> {
        from.deserialize_str(self)
    }
}

impl Visitor<'_> for IsName {
    type Value = bool;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_str<E>(self, name: &str) -> Result<bool, E> {
        Ok(name == NAME)
    }
}

/// Text; of every other type, nothing is kept.
struct Text;

impl<'de> DeserializeSeed<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Self::Value, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Text {
    type Value = Option<Cow<'de, str>>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_borrowed_str<E>(self, text: &'de str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Borrowed(text)))
    }

    fn visit_str<E>(self, text: &str) -> Result<Self::Value, E> {
        Ok(Some(Cow::Owned(text.to_string())))
    }

    fn visit_unit<E>(self) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self::Value, E> {
        Ok(None)
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Self::Value, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(None)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Self::Value, A::Error> {
        while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(None)
    }
}
