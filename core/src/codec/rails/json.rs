//! `MessageSerializer`: JSON in which every text is base64.

use super::{
    encoding::Encoding,
    message::{MAX_LEVELS, Map, Message, Node, Sealed},
};
use crate::codec::base64;
use alloc::string::String;
use core::fmt;
use serde::de::{
    DeserializeSeed, Deserializer, Error as _, IgnoredAny, MapAccess, SeqAccess, Visitor,
};

/// The object of a text; nothing where it is no JSON, another type or far from any message.
pub(super) fn read(text: &str) -> Option<Map> {
    let mut parser = serde_json::Deserializer::from_str(text);
    let node = Level(0).deserialize(&mut parser).ok()?;
    parser.end().ok()?;
    match node {
        Node::Map(map) => Some(map),
        _ => None,
    }
}

/// Reads a value so many objects deep, and keeps no more of it than a message may have.
struct Level(usize);

impl<'de> DeserializeSeed<'de> for Level {
    type Value = Node;

    fn deserialize<D: Deserializer<'de>>(self, from: D) -> Result<Node, D::Error> {
        from.deserialize_any(self)
    }
}

impl<'de> Visitor<'de> for Level {
    type Value = Node;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("JSON")
    }

    fn visit_unit<E>(self) -> Result<Node, E> {
        Ok(Node::Null)
    }

    fn visit_bool<E>(self, flag: bool) -> Result<Node, E> {
        Ok(Node::Flag(flag))
    }

    fn visit_u64<E>(self, _: u64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Node, E> {
        Ok(Node::Other)
    }

    fn visit_str<E>(self, text: &str) -> Result<Node, E> {
        Ok(base64::strict(text).map_or(Node::Damaged, Node::Bytes))
    }

    fn visit_seq<A: SeqAccess<'de>>(self, mut items: A) -> Result<Node, A::Error> {
        while items.next_element::<IgnoredAny>()?.is_some() {}
        Ok(Node::Other)
    }

    fn visit_map<A: MapAccess<'de>>(self, mut members: A) -> Result<Node, A::Error> {
        let mut map = Map::default();
        if self.0 == MAX_LEVELS {
            while members.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
            return Ok(Node::Map(map));
        }
        while let Some(name) = members.next_key()? {
            let node = members.next_value_seed(Level(self.0 + 1))?;
            map.insert(name, node)
                .ok_or_else(|| A::Error::custom("more members than a message has"))?;
        }
        Ok(Node::Map(map))
    }
}

/// The text that Rails writes: its order of headers, and no spaces.
pub(super) fn write(message: &Message) -> String {
    let mut text = String::new();
    push_start(&mut text, &message.sealed, message.encoding);
    if let Some(data_key) = &message.data_key {
        text.push_str(r#","k":"#);
        push_start(&mut text, data_key, Encoding::BINARY);
        text.push_str("}}");
    }
    if let Some(reference) = &message.reference {
        push_text(&mut text, r#","i":"#, reference.as_bytes());
    }
    if message.compressed {
        text.push_str(r#","c":true"#);
    }
    text.push_str("}}");
    text
}

/// A message without its end.
fn push_start(text: &mut String, sealed: &Sealed, encoding: Encoding) {
    push_text(text, r#"{"p":"#, &sealed.payload);
    push_text(text, r#","h":{"iv":"#, &sealed.iv);
    push_text(text, r#","at":"#, &sealed.tag);
    if encoding != Encoding::UTF_8 {
        push_text(text, r#","e":"#, encoding.name().as_bytes());
    }
}

fn push_text(text: &mut String, before: &str, bytes: &[u8]) {
    text.push_str(before);
    text.push('"');
    text.push_str(&base64::encode(bytes));
    text.push('"');
}
