//! Stored values, and what is told of them, as bytes for JavaScript.

use crate::{error::bad_call, key::text_of};
use alloc::{vec, vec::Vec};
use core::str::from_utf8;
use reseal::{
    Origin, Result,
    codec::{Certainty, CodecKind, Recognized, Stored, StoredValue, Trust},
};

const TEXT: u8 = 0;
const BINARY: u8 = 1;

/// A stored value after a byte for its form.
pub(crate) fn stored_of(item: &[u8]) -> Result<Stored<'_>> {
    match item.split_first() {
        Some((&TEXT, text)) => Ok(Stored::Text(from_utf8(text).map_err(|_| bad_call())?)),
        Some((&BINARY, bytes)) => Ok(Stored::Bytes(bytes)),
        _ => Err(bad_call()),
    }
}

/// The reverse, in two parts.
pub(crate) fn parts_of(value: &StoredValue) -> [&[u8]; 2] {
    match value.as_stored() {
        Stored::Text(text) => [&[TEXT], text.as_bytes()],
        Stored::Bytes(bytes) => [&[BINARY], bytes],
    }
}

/// The longest key id that is told: names and lengths have two bytes for all.
const MAX_KEY_BYTES: usize = 32 * 1024;

/// Codec, key and scheme: the length of all, the lengths of the first two, then the three. A key
/// that is not known, or far longer than any that is meant, has the length 65535.
pub(crate) fn origin(codec: &str, key: Option<&str>, scheme: &str) -> Vec<u8> {
    let key = key.filter(|key| key.len() <= MAX_KEY_BYTES);
    let key_length = key.map_or(u16::MAX, length);
    let key = key.unwrap_or_default();
    let all = codec.len() + key.len() + scheme.len();
    let mut bytes = Vec::with_capacity(6 + all);
    for length in [
        u16::try_from(all).unwrap_or(u16::MAX),
        length(codec),
        key_length,
    ] {
        bytes.extend_from_slice(&length.to_le_bytes());
    }
    for text in [codec, key, scheme] {
        bytes.extend_from_slice(text.as_bytes());
    }
    bytes
}

pub(crate) fn origin_of(origin: &Origin) -> Vec<u8> {
    self::origin(&origin.codec, origin.key.as_deref(), origin.scheme)
}

/// One byte for the certainty, and the rest as an origin.
pub(crate) fn recognized(codec: &str, shown: &Recognized) -> Vec<u8> {
    let mut bytes = vec![certainty(shown.certainty)];
    bytes.extend(origin(codec, shown.key.as_deref(), shown.scheme));
    bytes
}

pub(crate) const fn certainty(certainty: Certainty) -> u8 {
    match certainty {
        Certainty::Maybe => 1,
        Certainty::Yes => 2,
    }
}

/// One byte for what is known of an opened value, and one for the format that it is in once more.
pub(crate) fn flags(
    current: bool,
    trust: Trust,
    earlier: bool,
    doubled: Option<CodecKind>,
) -> [u8; 2] {
    let trust = match trust {
        Trust::Authenticated => 0,
        Trust::Checked => 1,
        Trust::Unchecked => 2,
        Trust::Plain => 3,
    };
    let place = doubled.and_then(|kind| CodecKind::ALL.iter().position(|known| *known == kind));
    let place = place.and_then(|place| u8::try_from(place + 1).ok());
    [
        u8::from(current) | u8::from(earlier) << 1 | trust << 2,
        place.unwrap_or_default(),
    ]
}

fn length(text: &str) -> u16 {
    u16::try_from(text.len()).unwrap_or(u16::MAX)
}

/// Text of the input, at most so long that its length has two bytes.
pub(crate) fn name_of(name: &[u8]) -> Result<&str> {
    if name.is_empty() || name.len() > 64 {
        return Err(reseal::Error::new(
            reseal::ErrorCode::InvalidArgument,
            "the name of a codec has 1 to 64 bytes",
        ));
    }
    Ok(text_of(name))
}
