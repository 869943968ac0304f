//! The JSON object of a row.

use crate::{
    codec::{CodecKind, Stored, base64, malformed, mismatch},
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, fixed},
};
use alloc::{borrow::Cow, format, string::String, vec::Vec};
use core::fmt;
use reseal_primitives::TAG_BYTES;
use serde::de::{Deserialize, Deserializer, MapAccess, Visitor};
use serde_json::value::RawValue;

pub(super) use reseal_primitives::IV_BYTES;

const ALGORITHM: &str = "aes-256-gcm";
/// What every `keyId` says.
const KEY_ID: &str = "v1";
/// A row of the largest plaintext, and some more for spaces and other members.
const MAX_ROW_CHARS: usize = 2 * MAX_PLAINTEXT_BYTES;

/// The members that count, where they are text.
#[derive(Default)]
pub(super) struct Row<'v> {
    algorithm: Option<Cow<'v, str>>,
    iv: Option<Cow<'v, str>>,
    ciphertext: Option<Cow<'v, str>>,
    tag: Option<Cow<'v, str>>,
    /// Whether it holds something that [`Sealed::to_json`] does not write.
    more: bool,
}

/// What a row says, decoded.
pub(super) struct Sealed {
    pub(super) iv: [u8; IV_BYTES],
    pub(super) ciphertext: Vec<u8>,
    pub(super) tag: [u8; TAG_BYTES],
}

impl<'v> Row<'v> {
    /// A row that carries a mark of the format.
    ///
    /// # Errors
    /// `format-mismatch`, `malformed` for what is no JSON any more, `too-large`.
    pub(super) fn parse(stored: Stored<'v>) -> Result<Self> {
        let other = || mismatch(CodecKind::Freeboard);
        let text = start(stored);
        if !text.trim_ascii_start().starts_with('{') {
            return Err(other());
        }
        if stored.as_bytes().len() > MAX_ROW_CHARS {
            return Err(fixed(
                ErrorCode::TooLarge,
                "this row is larger than any of a plaintext of 2^24 bytes",
            ));
        }
        let whole = text.len() == stored.as_bytes().len();
        let row = whole.then(|| serde_json::from_str::<Self>(text).ok());
        let Some(row) = row.flatten() else {
            return Err(if names_algorithm(text) {
                malformed("this row of Freeboard is no JSON: it was cut or damaged")
            } else {
                other()
            });
        };
        let named = row.algorithm.as_deref() == Some(ALGORITHM);
        let shaped = row.iv.is_some() && row.ciphertext.is_some() && row.tag.is_some();
        if named || shaped {
            Ok(row)
        } else {
            Err(other())
        }
    }

    /// Whether it holds more than a row of Freeboard.
    pub(super) const fn has_more(&self) -> bool {
        self.more
    }

    /// # Errors
    /// `format-unsupported`, `malformed`.
    pub(super) fn sealed(&self, lenient: bool) -> Result<Sealed> {
        match self.algorithm.as_deref() {
            Some(ALGORITHM) => {}
            Some(_) => return Err(unsupported()),
            None => return Err(damaged("algorithm")),
        }
        let decode = |member: &Option<Cow<'v, str>>| {
            let text = member.as_deref()?;
            match base64::strict(text) {
                None if lenient => base64::node(text),
                decoded => decoded,
            }
        };
        let iv = decode(&self.iv).and_then(|iv| iv.try_into().ok());
        let tag = decode(&self.tag).and_then(|tag| tag.try_into().ok());
        Ok(Sealed {
            iv: iv.ok_or_else(|| damaged("iv"))?,
            ciphertext: decode(&self.ciphertext).ok_or_else(|| damaged("ciphertext"))?,
            tag: tag.ok_or_else(|| damaged("authTag"))?,
        })
    }
}

impl Sealed {
    /// What every row has, whatever it holds.
    pub(super) const EMPTY: Self = Self {
        iv: [0; IV_BYTES],
        ciphertext: Vec::new(),
        tag: [0; TAG_BYTES],
    };

    /// The row, with its members as Freeboard orders them.
    pub(super) fn to_json(&self) -> String {
        format!(
            r#"{{"algorithm":"{ALGORITHM}","keyId":"{KEY_ID}","iv":"{}","ciphertext":"{}","authTag":"{}"}}"#,
            base64::encode(&self.iv),
            base64::encode(&self.ciphertext),
            base64::encode(&self.tag),
        )
    }
}

/// The text up to where it is none.
fn start(stored: Stored<'_>) -> &str {
    match stored {
        Stored::Text(text) => text,
        Stored::Bytes(bytes) => {
            let valid =
                core::str::from_utf8(bytes).map_or_else(|error| error.valid_up_to(), str::len);
            let start = bytes.get(..valid).unwrap_or_default();
            core::str::from_utf8(start).unwrap_or_default()
        }
    }
}

/// Whether the mark of the format stands in what is no JSON.
fn names_algorithm(text: &str) -> bool {
    let name = r#""algorithm""#;
    text.match_indices(name).any(|(at, _)| {
        let after = text.get(at + name.len()..).unwrap_or_default();
        let member = after.trim_ascii_start().strip_prefix(':');
        let member = member.and_then(|member| member.trim_ascii_start().strip_prefix('"'));
        member.is_some_and(|member| member.starts_with(ALGORITHM))
    })
}

impl<'de> Deserialize<'de> for Row<'de> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_map(Members)
    }
}

struct Members;

impl<'de> Visitor<'de> for Members {
    type Value = Row<'de>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("an object")
    }

    /// Of a member that stands twice, the last counts, as in JavaScript.
    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Row<'de>, A::Error> {
        let mut row = Row::default();
        while let Some(name) = map.next_key()? {
            let member = map.next_value::<&RawValue>()?.get();
            match name {
                Name::Algorithm => row.algorithm = text(member),
                Name::Iv => row.iv = text(member),
                Name::Ciphertext => row.ciphertext = text(member),
                Name::Tag => row.tag = text(member),
                Name::KeyId => row.more |= text(member).as_deref() != Some(KEY_ID),
                Name::Other => row.more = true,
            }
        }
        Ok(row)
    }
}

/// The text of a member; nothing of another type is kept.
fn text(member: &str) -> Option<Cow<'_, str>> {
    let inner = member.strip_prefix('"')?.strip_suffix('"')?;
    if inner.contains('\\') {
        serde_json::from_str(member).ok().map(Cow::Owned)
    } else {
        Some(Cow::Borrowed(inner))
    }
}

/// The name of a member.
enum Name {
    Algorithm,
    KeyId,
    Iv,
    Ciphertext,
    Tag,
    Other,
}

/// As bytes, so that a name may hold half of a surrogate pair.
impl<'de> Deserialize<'de> for Name {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_bytes(NameVisitor)
    }
}

struct NameVisitor;

impl Visitor<'_> for NameVisitor {
    type Value = Name;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a name")
    }

    fn visit_bytes<E>(self, name: &[u8]) -> Result<Name, E> {
        Ok(match name {
            b"algorithm" => Name::Algorithm,
            b"keyId" => Name::KeyId,
            b"iv" => Name::Iv,
            b"ciphertext" => Name::Ciphertext,
            b"authTag" => Name::Tag,
            _ => Name::Other,
        })
    }
}

fn unsupported() -> crate::Error {
    fixed(
        ErrorCode::FormatUnsupported,
        "this row of Freeboard names another algorithm than aes-256-gcm",
    )
}

fn damaged(member: &str) -> crate::Error {
    malformed(format!(
        "this row of Freeboard is damaged: its {member} is missing, or not what it must be"
    ))
}
