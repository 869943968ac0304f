//! What both serializers hold: a payload with headers, and in one of them maybe a message more.

use super::encoding::Encoding;
use crate::{
    codec::malformed,
    error::{ErrorCode, Result, fixed},
};
use alloc::{string::String, vec::Vec};

pub(super) const IV_BYTES: usize = 12;
pub(super) const TAG_BYTES: usize = 16;
/// A message, its headers, the data key and its headers.
pub(super) const MAX_LEVELS: usize = 4;
/// Rails has 6 headers, and takes further ones.
const MAX_MEMBERS: usize = 16;

/// What one call of AES-256-GCM gives.
pub(super) struct Sealed {
    pub(super) payload: Vec<u8>,
    pub(super) iv: [u8; IV_BYTES],
    pub(super) tag: [u8; TAG_BYTES],
}

impl Sealed {
    /// What has the length of one with such a payload.
    pub(super) const fn blank(payload: Vec<u8>) -> Self {
        Self {
            payload,
            iv: [0; IV_BYTES],
            tag: [0; TAG_BYTES],
        }
    }
}

/// A stored value, read. Only its payload and data key are authenticated, not the headers.
pub(super) struct Message {
    pub(super) sealed: Sealed,
    pub(super) encoding: Encoding,
    /// The data key of an envelope, sealed.
    pub(super) data_key: Option<Sealed>,
    pub(super) reference: Option<String>,
    pub(super) compressed: bool,
}

/// A value of a serializer.
pub(super) enum Node {
    Bytes(Vec<u8>),
    Flag(bool),
    Null,
    /// A type that no message uses.
    Other,
    /// Text in JSON that is no base64.
    Damaged,
    Map(Map),
}

/// Names and values, each name once.
#[derive(Default)]
pub(super) struct Map(Vec<(String, Node)>);

impl Map {
    /// Adds a member. Of a name that stands twice only the last one is kept, as Ruby does before Rails looks at
    /// any. Nothing where these are more than a message has.
    pub(super) fn insert(&mut self, name: String, node: Node) -> Option<()> {
        self.0.retain(|(other, _)| *other != name);
        self.0.push((name, node));
        (self.0.len() <= MAX_MEMBERS).then_some(())
    }

    fn get(&self, name: &str) -> Option<&Node> {
        let mut pairs = self.0.iter();
        pairs.find_map(|(other, node)| (other == name).then_some(node))
    }

    fn has(&self, name: &str) -> bool {
        self.get(name).is_some()
    }

    /// Nothing where Ruby has nil.
    fn take(&mut self, name: &str) -> Option<Node> {
        let at = self.0.iter().position(|(other, _)| other == name)?;
        let (_, node) = self.0.remove(at);
        (!matches!(node, Node::Null)).then_some(node)
    }

    fn take_bytes(&mut self, name: &str) -> Result<Vec<u8>> {
        match self.take(name) {
            Some(Node::Bytes(bytes)) => Ok(bytes),
            _ => Err(damaged()),
        }
    }

    fn take_array<const N: usize>(&mut self, name: &str) -> Result<[u8; N]> {
        let bytes = self.take_bytes(name)?;
        <[u8; N]>::try_from(bytes.as_slice()).map_err(|_| {
            malformed("an iv of Rails has 12 bytes and its tag 16: this value was changed or cut")
        })
    }
}

/// How much of the shape of a message is there.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    None,
    /// A payload, and one of the two headers of every message.
    Half,
    Whole,
}

impl Shape {
    pub(super) fn of(message: &Map) -> Self {
        let Some(Node::Map(headers)) = message.get("h") else {
            return Self::None;
        };
        match (message.has("p"), headers.has("iv"), headers.has("at")) {
            (true, true, true) => Self::Whole,
            (true, true, false) | (true, false, true) => Self::Half,
            _ => Self::None,
        }
    }
}

impl Message {
    /// # Errors
    /// `malformed`; `format-unsupported` for an unknown encoding.
    pub(super) fn read(message: Map, lenient: bool) -> Result<Self> {
        let (sealed, mut headers) = split(message)?;
        if !headers.0.iter().all(|(_, node)| is_sound(node)) {
            return Err(damaged());
        }
        Ok(Self {
            sealed,
            encoding: encoding(headers.take("e"))?,
            data_key: match headers.take("k") {
                None => None,
                Some(Node::Map(nested)) => Some(split(nested)?.0),
                Some(_) => return Err(damaged()),
            },
            reference: match headers.take("i") {
                None => None,
                Some(Node::Bytes(id)) => Some(String::from_utf8(id).map_err(|_| damaged())?),
                Some(_) => return Err(damaged()),
            },
            compressed: match headers.take("c") {
                None => false,
                Some(Node::Flag(flag)) => flag,
                // To Ruby, everything else is true.
                Some(_) if lenient => true,
                Some(_) => return Err(damaged()),
            },
        })
    }

    /// The reference, where it looks like one that Rails makes.
    pub(super) fn shown_reference(&self) -> Option<&str> {
        let digits = |byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f');
        self.reference
            .as_deref()
            .filter(|id| id.len() == 4 && id.bytes().all(digits))
    }
}

fn split(mut message: Map) -> Result<(Sealed, Map)> {
    let payload = message.take_bytes("p")?;
    let Some(Node::Map(mut headers)) = message.take("h") else {
        return Err(damaged());
    };
    let (iv, tag) = (headers.take_array("iv")?, headers.take_array("at")?);
    Ok((Sealed { payload, iv, tag }, headers))
}

/// Whether Rails takes it for a header: a map is a message, and holds no further one.
fn is_sound(header: &Node) -> bool {
    let flat = |node: &Node| !matches!(node, Node::Map(_) | Node::Damaged);
    match header {
        Node::Damaged => false,
        Node::Map(nested) => {
            nested.has("p")
                && match nested.get("h") {
                    Some(Node::Map(headers)) => headers.0.iter().all(|(_, node)| flat(node)),
                    _ => true,
                }
        }
        _ => true,
    }
}

fn encoding(header: Option<Node>) -> Result<Encoding> {
    match header {
        None => Ok(Encoding::UTF_8),
        Some(Node::Bytes(name)) => Encoding::parse(&name).ok_or(fixed(
            ErrorCode::FormatUnsupported,
            "the header e of this value names no encoding of Ruby",
        )),
        Some(_) => Err(damaged()),
    }
}

pub(super) fn damaged() -> crate::Error {
    malformed(
        "this looks like an encrypted attribute of Rails, and is cut or damaged: is its column too short?",
    )
}
