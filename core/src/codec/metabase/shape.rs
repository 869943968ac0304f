//! What a stored value looks like, before any key.

use super::envelope;
use crate::{
    codec::{CodecKind, Recognized, Stored, base64, mismatch},
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, fixed},
};
use alloc::{borrow::Cow, string::ToString};
use reseal_primitives::BLOCK_BYTES;

/// The mark of an envelope, in base64.
const MARK_TEXT: &str = "TUIC";
/// How the name of the cipher stands before a stream.
const STREAM_HEADER: &[u8; STREAM_HEADER_BYTES] = b"AES/CBC/PKCS5Padding            ";
pub(super) const STREAM_HEADER_BYTES: usize = 32;
/// IV, one block and the tag.
const MIN_TAGGED_BYTES: usize = 64;
/// What the largest plaintext takes in any of the formats.
const MAX_BYTES: usize = MAX_PLAINTEXT_BYTES + 2 * MIN_TAGGED_BYTES;
const MAX_CHARS: usize = MAX_BYTES.div_ceil(3) * 4;

/// A variant of the format.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Shape {
    /// AES-CBC with HMAC; what else has such a length looks the same.
    Tagged,
    /// Under the data key of a generation.
    Envelope(u32),
    /// Without authentication.
    Stream,
    /// So short that only older releases take it for encrypted; nothing so short is.
    Short,
    /// The start of an envelope.
    Cut,
}

/// A stored value and its shape.
pub(super) struct Value<'v> {
    pub(super) bytes: Cow<'v, [u8]>,
    pub(super) shape: Shape,
    /// Whether it stands there as base64.
    pub(super) armored: bool,
}

impl<'v> Value<'v> {
    /// # Errors
    /// `format-mismatch`, `too-large`.
    pub(super) fn parse(stored: Stored<'v>, lenient: bool) -> Result<Self> {
        if stored.as_bytes().len() > MAX_CHARS {
            return Err(if is_overlong(stored) {
                too_large()
            } else {
                mismatch(CodecKind::Metabase)
            });
        }
        let armored = stored.as_text().and_then(|text| armored(text, lenient));
        let value = match (armored, stored) {
            (Some(value), _) => Some(value),
            (None, Stored::Bytes(bytes)) => raw(bytes, lenient),
            (None, Stored::Text(_)) => None,
        };
        let value = value
            .or_else(|| cut(stored))
            .ok_or_else(|| mismatch(CodecKind::Metabase))?;
        if value.bytes.len() > MAX_BYTES {
            return Err(too_large());
        }
        Ok(value)
    }

    /// Whether it has the length of a value with a tag; one in 2^24 of them starts like an
    /// envelope.
    pub(super) fn may_be_tagged(&self) -> bool {
        is_tagged(&self.bytes)
    }

    pub(super) fn recognized(&self) -> Recognized {
        match self.shape {
            Shape::Tagged => Recognized::maybe("legacy"),
            Shape::Short => Recognized::maybe("legacy-short"),
            Shape::Stream => Recognized::yes("stream"),
            Shape::Cut => Recognized::maybe("damaged"),
            Shape::Envelope(generation) => {
                let shown = if self.bytes.len() < envelope::OVERHEAD_BYTES {
                    Recognized::maybe("v2")
                } else {
                    Recognized::yes("v2")
                };
                shown.with_key(generation.to_string())
            }
        }
    }
}

/// What a stored value shows. A legacy value that was cut has no length of one, and no mark: it
/// looks like any text.
pub(super) fn recognize(stored: Stored<'_>, lenient: bool) -> Option<Recognized> {
    match Value::parse(stored, lenient) {
        Ok(value) => Some(value.recognized()),
        Err(error) if error.code() == ErrorCode::TooLarge => Some(Recognized::yes("damaged")),
        Err(_) => None,
    }
}

fn armored<'v>(text: &str, lenient: bool) -> Option<Value<'v>> {
    let decoded = match base64::strict(text) {
        None if lenient => base64::java(text),
        decoded => decoded,
    };
    let bytes = decoded?;
    Some(Value {
        shape: shape(&bytes, lenient)?,
        bytes: Cow::Owned(bytes),
        armored: true,
    })
}

fn raw(bytes: &[u8], lenient: bool) -> Option<Value<'_>> {
    let shape = if bytes.starts_with(STREAM_HEADER) {
        Shape::Stream
    } else {
        shape(bytes, lenient)?
    };
    Some(Value {
        bytes: Cow::Borrowed(bytes),
        shape,
        armored: false,
    })
}

/// The start of an envelope, as text or as bytes.
fn cut(stored: Stored<'_>) -> Option<Value<'_>> {
    let armored = stored
        .as_text()
        .is_some_and(|text| text.starts_with(MARK_TEXT) && is_base64(text));
    let raw = matches!(stored, Stored::Bytes(_)) && stored.as_bytes().starts_with(envelope::MARK);
    (armored || raw).then_some(Value {
        bytes: Cow::Borrowed(stored.as_bytes()),
        shape: Shape::Cut,
        armored,
    })
}

/// Whether what is too long for any value might be one but for that.
fn is_overlong(stored: Stored<'_>) -> bool {
    let raw = match stored {
        Stored::Text(_) => false,
        Stored::Bytes(bytes) => {
            bytes.starts_with(STREAM_HEADER)
                || bytes.starts_with(envelope::MARK)
                || is_tagged(bytes)
        }
    };
    raw || stored.as_text().is_some_and(is_base64)
}

fn is_base64(text: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    text.bytes().all(digit)
}

fn shape(bytes: &[u8], lenient: bool) -> Option<Shape> {
    let generation = bytes.strip_prefix(envelope::MARK);
    if let Some((generation, _)) = generation.and_then(<[u8]>::split_first_chunk) {
        return Some(Shape::Envelope(u32::from_be_bytes(*generation)));
    }
    if is_tagged(bytes) {
        return Some(Shape::Tagged);
    }
    let short = lenient && !bytes.is_empty() && bytes.len().is_multiple_of(BLOCK_BYTES);
    short.then_some(Shape::Short)
}

/// Whether a stream has an IV and whole blocks after its header.
pub(super) const fn is_whole_stream(stream: &[u8]) -> bool {
    stream.len() >= STREAM_HEADER_BYTES + 2 * BLOCK_BYTES
        && stream.len().is_multiple_of(BLOCK_BYTES)
}

const fn is_tagged(bytes: &[u8]) -> bool {
    bytes.len() >= MIN_TAGGED_BYTES && bytes.len().is_multiple_of(BLOCK_BYTES)
}

fn too_large() -> crate::Error {
    fixed(
        ErrorCode::TooLarge,
        "this value is larger than any of a plaintext of 2^24 bytes",
    )
}
