//! The shapes of a stored value, as public bytes show them.

use super::super::{Recognized, Stored, base64, malformed};
use crate::{
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, fixed},
};
use alloc::vec::Vec;

/// `Salted__` in base64, as far as its characters hold nothing else.
pub(super) const SALTED_TEXT: &str = "U2FsdGVkX1";
/// Characters of the smallest GCM blob, 49 bytes.
const MIN_GCM_CHARS: usize = 68;
/// Characters of an id in `deployment_key`.
const MAX_ID_CHARS: usize = 36;
/// Characters of the ids that n8n makes.
const MADE_ID_CHARS: usize = 16;
/// Characters of the largest plaintext, and some more for white space.
const MAX_BODY_CHARS: usize = 2 * MAX_PLAINTEXT_BYTES;

/// What stands before the first colon, and what after it; base64 never has a colon.
pub(super) fn split(text: &str) -> (Option<&str>, &str) {
    text.split_once(':')
        .map_or((None, text), |(id, body)| (Some(id), body))
}

/// Whether n8n takes a text for the id of a key.
pub(super) fn is_id(text: &str) -> bool {
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-';
    (1..=MAX_ID_CHARS).contains(&text.len()) && text.bytes().all(allowed)
}

/// A value with a mark of OpenSSL's salted format, or with an id before a body of either cipher.
pub(in crate::codec) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    let text = stored.as_text()?;
    let (id, body) = split(text);
    let Some(id) = id else {
        return recognize_bare(body);
    };
    let (salted, gcm) = (body.starts_with(SALTED_TEXT), is_gcm_shaped(body));
    match (salted, gcm) {
        _ if !is_id(id) => (salted || gcm).then(|| Recognized::maybe("damaged")),
        (true, _) => Some(Recognized::yes("prefixed-cbc").with_key(id)),
        (_, true) if is_made_id(id) => Some(Recognized::yes("prefixed-gcm").with_key(id)),
        (_, true) => Some(Recognized::maybe("prefixed-gcm").with_key(id)),
        _ if is_made_id(id) && starts_gcm(body) => {
            Some(Recognized::maybe("prefixed-gcm").with_key(id))
        }
        _ => None,
    }
}

/// A value without an id.
pub(super) fn recognize_bare(body: &str) -> Option<Recognized> {
    body.starts_with(SALTED_TEXT)
        .then(|| Recognized::yes("cbc"))
}

fn is_made_id(id: &str) -> bool {
    id.len() == MADE_ID_CHARS && id.bytes().all(|byte| byte.is_ascii_alphanumeric())
}

/// Whether a body is base64 whose first byte is 1, and long enough.
pub(super) fn is_gcm_shaped(body: &str) -> bool {
    body.len() >= MIN_GCM_CHARS && body.len().is_multiple_of(4) && starts_gcm(body)
}

/// Whether a body is base64 whose first byte is 1, wherever it was cut.
fn starts_gcm(body: &str) -> bool {
    let digit = |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'=');
    matches!(body.as_bytes(), [b'A', b'Q'..=b'Z' | b'a'..=b'f', ..]) && body.bytes().all(digit)
}

/// The bytes of a body, and whether n8n would write it with these characters.
///
/// # Errors
/// `malformed`, `too-large`.
pub(super) fn decode(body: &str, lenient: bool) -> Result<(Vec<u8>, bool)> {
    if body.len() > MAX_BODY_CHARS {
        return Err(too_large());
    }
    let loose = || lenient.then(|| base64::node(body)).flatten();
    base64::strict(body)
        .map(|bytes| (bytes, true))
        .or_else(|| loose().map(|bytes| (bytes, false)))
        .ok_or_else(|| {
            malformed("the body of this value of n8n is no padded base64: was it cut or wrapped?")
        })
}

pub(super) fn too_large() -> crate::Error {
    fixed(
        ErrorCode::TooLarge,
        "this value of n8n is larger than any of a plaintext of 2^24 bytes",
    )
}
