//! The envelope: parsing and printing of its binary and text forms. Holds no key.

use crate::{
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::{KEY_ID_BYTES, KEY_ID_CHARS, KeyId, Mode},
};
use alloc::{format, string::String, vec::Vec};
use data_encoding::BASE64URL_NOPAD;
use reseal_primitives::{NONCE_BYTES, TAG_BYTES, is_base64url};

/// Bytes of the largest plaintext, or of the largest padded one in mode `padded`.
pub const MAX_PLAINTEXT_BYTES: usize = 1 << 24;
/// Bytes that an envelope is longer than its (padded) plaintext.
pub const OVERHEAD_BYTES: usize = HEADER_BYTES + NONCE_BYTES + TAG_BYTES;
/// Characters of the prefix `rs1.<key id>.` that every text envelope of one key shares.
pub const TEXT_PREFIX_CHARS: usize = 5 + KEY_ID_CHARS;
/// What the text form of every version starts with.
const TEXT_START: &[u8] = b"rs";
/// Characters of the longest text envelope.
pub const MAX_TEXT_CHARS: usize =
    TEXT_PREFIX_CHARS + base64_chars(MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES - PREFIX_BYTES);

/// Bytes of H: magic, version, key id, mode.
pub(crate) const HEADER_BYTES: usize = PREFIX_BYTES + 1;
/// Bytes that the text form carries in its prefix: magic, version, key id.
pub(crate) const PREFIX_BYTES: usize = MAGIC.len() + 1 + KEY_ID_BYTES;

/// Whole groups of three bytes; where `usize` has 32 bits, data-encoding panics above 2^23 bytes.
const ENCODED_AT_ONCE_BYTES: usize = 3 << 20;

const MAGIC: [u8; 4] = [0xC1, 0x5E, 0x52, 0x53];
const VERSION: u8 = 1;

/// What an envelope shows without any key.
///
/// # Spec
/// Sections 2 and 3.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Inspection {
    /// The format version, 1.
    pub version: u8,
    /// The mode that the value was sealed in.
    pub mode: Mode,
    /// The id of the key that sealed it.
    pub key_id: KeyId,
    /// Bytes of ciphertext: those of the plaintext, or of the padded plaintext in mode `padded`.
    pub ciphertext_bytes: usize,
}

/// What a text envelope shows without any key.
///
/// # Example
/// ```
/// let stored = "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AZUR1UnSKud0Ttwc8BrXr2YN9zJiH3juygZQ9AEtlJwnP1XPh0akwl8";
/// let shown = reseal::inspect(stored)?;
/// assert_eq!(shown.mode.as_str(), "random");
/// assert_eq!(shown.ciphertext_bytes, 0);
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// `not-envelope`, `malformed`, `unsupported-version`, `too-large`, `unsupported-mode`.
///
/// # Security
/// Nothing is verified: whoever writes the value chooses what it shows.
///
/// # Spec
/// Section 3; the order of the checks is that of section 5.
pub fn inspect(stored: &str) -> Result<Inspection> {
    let (key_id, tail) = tail_of(stored, None)?;
    let (mode, len) = measure(tail).ok_or_else(damaged)?;
    let (mode, ciphertext_bytes) = Body::check(mode, len)?;
    Ok(Inspection {
        version: VERSION,
        mode,
        key_id,
        ciphertext_bytes,
    })
}

/// What a binary envelope shows without any key.
///
/// # Errors
/// As [`inspect`].
///
/// # Spec
/// Section 2.
pub fn inspect_binary(stored: &[u8]) -> Result<Inspection> {
    let (key_id, body) = parse_binary(stored)?;
    Ok(inspection(key_id, &body))
}

/// The text form of a binary envelope; needs no key.
///
/// # Errors
/// As [`inspect`].
///
/// # Spec
/// Section 3.
pub fn to_text(stored: &[u8]) -> Result<String> {
    let (key_id, _) = parse_binary(stored)?;
    Ok(Prefix::new(key_id).print_text(stored))
}

/// The binary form of a text envelope; needs no key.
///
/// # Errors
/// As [`inspect`].
///
/// # Spec
/// Section 3.
pub fn to_binary(stored: &str) -> Result<Vec<u8>> {
    let (key_id, tail) = decode_text(stored, None)?;
    Body::parse(&tail)?;
    Ok([Prefix::new(key_id).binary.as_slice(), &tail].concat())
}

/// The error for a text that is longer than [`MAX_TEXT_CHARS`], from its first characters and
/// whether all that follow the prefix are base64url: for bindings that must not copy such a text.
///
/// # Spec
/// Sections 3 and 5.
#[must_use]
pub fn oversized_text_error(head: &str, tail_is_base64url: bool) -> Error {
    let Some((version, _, _)) = split_text(head, None) else {
        return not_envelope();
    };
    match version {
        _ if !tail_is_base64url => damaged(),
        VERSION => too_large(),
        _ => unsupported_version(),
    }
}

/// The bytes of an envelope after its key id: what its mode byte, nonce and ciphertext are.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Body<'a> {
    pub(crate) mode: Mode,
    pub(crate) nonce: &'a [u8; NONCE_BYTES],
    pub(crate) ciphertext: &'a [u8],
    pub(crate) tag: &'a [u8; TAG_BYTES],
}

impl<'a> Body<'a> {
    /// Parses mode, nonce, ciphertext and tag, with the checks of section 5 from the mode on.
    pub(crate) fn parse(tail: &'a [u8]) -> Result<Self> {
        let (mode, rest) = tail.split_first().ok_or_else(damaged)?;
        let (mode, _) = Self::check(*mode, tail.len())?;
        let (nonce, rest) = rest.split_first_chunk().ok_or_else(damaged)?;
        let (ciphertext, tag) = rest.split_last_chunk().ok_or_else(damaged)?;
        Ok(Self {
            mode,
            nonce,
            ciphertext,
            tag,
        })
    }

    /// The mode and the bytes of ciphertext, from the first byte after the key id and how many there
    /// are.
    fn check(mode: u8, len: usize) -> Result<(Mode, usize)> {
        let mode = Mode::from_byte(mode).ok_or_else(|| {
            fixed(
                ErrorCode::UnsupportedMode,
                "the mode of this envelope is unknown to version 1: was it damaged?",
            )
        })?;
        let ciphertext = len
            .checked_sub(1 + NONCE_BYTES + TAG_BYTES)
            .filter(|bytes| mode != Mode::Padded || *bytes > 0)
            .ok_or_else(damaged)?;
        if ciphertext > MAX_PLAINTEXT_BYTES {
            return Err(too_large());
        }
        Ok((mode, ciphertext))
    }
}

/// Key id and body of a binary envelope.
pub(crate) fn parse_binary(stored: &[u8]) -> Result<(KeyId, Body<'_>)> {
    let rest = stored.strip_prefix(&MAGIC).ok_or_else(not_envelope)?;
    let (version, rest) = rest.split_first().ok_or_else(damaged)?;
    if *version != VERSION {
        return Err(unsupported_version());
    }
    let (key_id, tail) = rest.split_first_chunk().ok_or_else(damaged)?;
    Ok((KeyId(*key_id), Body::parse(tail)?))
}

/// Key id of a text envelope, and the bytes that follow it, decoded. `likely` is tried first.
pub(crate) fn decode_text(stored: &str, likely: Option<&Prefix>) -> Result<(KeyId, Vec<u8>)> {
    let (key_id, tail) = tail_of(stored, likely)?;
    let tail = BASE64URL_NOPAD.decode(tail).map_err(|_| damaged())?;
    if tail.is_empty() {
        return Err(damaged());
    }
    Ok((key_id, tail))
}

/// Key id of a text envelope, and the characters that follow it.
fn tail_of<'t>(stored: &'t str, likely: Option<&Prefix>) -> Result<(KeyId, &'t [u8])> {
    let (version, key_id, tail) = split_text(stored, likely).ok_or_else(not_envelope)?;
    if version != VERSION || tail.len() > MAX_TEXT_CHARS - TEXT_PREFIX_CHARS {
        let shaped = !tail.is_empty() && is_base64url(tail);
        return Err(match version {
            _ if !shaped => damaged(),
            VERSION => too_large(),
            _ => unsupported_version(),
        });
    }
    Ok((key_id, tail))
}

/// The first byte of what characters stand for, and how many bytes there are: all that is to be
/// checked is, and nothing is decoded. Nothing of what is no base64url, or not in canonical form.
fn measure(tail: &[u8]) -> Option<(u8, usize)> {
    if !is_base64url(tail) {
        return None;
    }
    let (groups, rest) = tail.as_chunks::<4>();
    let decoded = |group: &[u8]| {
        let mut bytes = [0; 3];
        let count = BASE64URL_NOPAD.decode_len(group.len()).ok()?;
        BASE64URL_NOPAD
            .decode_mut(group, bytes.get_mut(..count)?)
            .ok()?;
        Some((bytes, count))
    };
    // Only the last group can have bits that stand for nothing.
    let (last, count) = decoded(rest)?;
    let first = match groups.first() {
        Some(group) => decoded(group)?.0,
        None if count > 0 => last,
        None => return None,
    };
    Some((first[0], groups.len() * 3 + count))
}

/// Whether a stored value starts like an envelope of any version, in either form.
///
/// # Spec
/// Section 3.
pub(crate) fn is_envelope(stored: &[u8]) -> bool {
    let text = || core::str::from_utf8(stored.get(..TEXT_PREFIX_CHARS)?).ok();
    stored.starts_with(&MAGIC) || text().is_some_and(|text| split_text(text, None).is_some())
}

/// Whether it is worth while to ask [`is_envelope`].
pub(crate) fn may_be_envelope(stored: &[u8]) -> bool {
    stored.starts_with(TEXT_START) || stored.starts_with(&MAGIC)
}

/// The public start of every envelope of one key, in both forms, made once.
#[derive(Clone, Debug)]
pub(crate) struct Prefix {
    pub(crate) key_id: KeyId,
    binary: [u8; PREFIX_BYTES],
    text: String,
}

impl Prefix {
    pub(crate) fn new(key_id: KeyId) -> Self {
        let mut binary = [0; PREFIX_BYTES];
        let bytes = MAGIC.iter().chain([&VERSION]).chain(key_id.as_bytes());
        for (to, from) in binary.iter_mut().zip(bytes) {
            *to = *from;
        }
        Self {
            key_id,
            binary,
            text: format!("rs{VERSION}.{key_id}."),
        }
    }

    /// H of section 2.
    pub(crate) fn header(&self, mode: Mode) -> [u8; HEADER_BYTES] {
        let mut header = [mode.byte(); HEADER_BYTES];
        header[..PREFIX_BYTES].copy_from_slice(&self.binary);
        header
    }

    /// The text form of a binary envelope of this key.
    pub(crate) fn print_text(&self, binary: &[u8]) -> String {
        let tail_bytes = binary.len().saturating_sub(PREFIX_BYTES);
        let mut text = String::with_capacity(TEXT_PREFIX_CHARS + base64_chars(tail_bytes));
        self.append_text(binary, &mut text);
        text
    }

    /// Appends the text form of a binary envelope of this key.
    pub(crate) fn append_text(&self, binary: &[u8], text: &mut String) {
        let tail = binary.get(PREFIX_BYTES..).unwrap_or_default();
        text.push_str(&self.text);
        for part in tail.chunks(ENCODED_AT_ONCE_BYTES) {
            BASE64URL_NOPAD.encode_append(part, text);
        }
    }

    fn strip<'t>(&self, stored: &'t str) -> Option<&'t [u8]> {
        stored.strip_prefix(self.text.as_str()).map(str::as_bytes)
    }
}

/// AAD of section 2: H, then CTX. On the stack where it fits, as nearly always.
pub(crate) struct Aad {
    inline: [u8; Self::INLINE_BYTES],
    len: usize,
    heap: Vec<u8>,
}

impl Aad {
    const INLINE_BYTES: usize = 192;

    pub(crate) fn new(header: &[u8; HEADER_BYTES], context: &Context) -> Self {
        let context = context.as_bytes();
        let mut aad = Self {
            inline: [0; Self::INLINE_BYTES],
            len: HEADER_BYTES + context.len(),
            heap: Vec::new(),
        };
        if let Some(room) = aad.inline.get_mut(..aad.len) {
            let (head, tail) = room.split_at_mut(HEADER_BYTES);
            head.copy_from_slice(header);
            tail.copy_from_slice(context);
        } else {
            aad.heap = [header.as_slice(), context].concat();
        }
        aad
    }

    pub(crate) fn as_bytes(&self) -> &[u8] {
        self.inline.get(..self.len).unwrap_or(&self.heap)
    }
}

/// Version digit, key id and tail of a text that starts like an envelope of any version.
fn split_text<'t>(stored: &'t str, likely: Option<&Prefix>) -> Option<(u8, KeyId, &'t [u8])> {
    if let Some((prefix, tail)) = likely.and_then(|prefix| Some((prefix, prefix.strip(stored)?))) {
        return Some((VERSION, prefix.key_id, tail));
    }
    let rest = stored.as_bytes().strip_prefix(TEXT_START)?;
    let ([version @ b'1'..=b'9', b'.'], rest) = rest.split_first_chunk()? else {
        return None;
    };
    let (key_id, rest) = rest.split_first_chunk::<KEY_ID_CHARS>()?;
    let tail = rest.strip_prefix(b".")?;
    Some((version - b'0', KeyId::decode(key_id)?, tail))
}

fn inspection(key_id: KeyId, body: &Body<'_>) -> Inspection {
    Inspection {
        version: VERSION,
        mode: body.mode,
        key_id,
        ciphertext_bytes: body.ciphertext.len(),
    }
}

pub(crate) const fn base64_chars(bytes: usize) -> usize {
    (bytes * 4).div_ceil(3)
}

fn not_envelope() -> Error {
    fixed(
        ErrorCode::NotEnvelope,
        "this is no Reseal envelope: plaintext, or the format of another system?",
    )
}

fn damaged() -> Error {
    fixed(
        ErrorCode::Malformed,
        "this starts like an envelope but is cut or damaged: is the column long enough?",
    )
}

fn unsupported_version() -> Error {
    fixed(
        ErrorCode::UnsupportedVersion,
        "this envelope has another format version than 1: a newer release may read it",
    )
}

pub(crate) fn too_large() -> Error {
    fixed(
        ErrorCode::TooLarge,
        "a value may have at most 2^24 bytes, in mode padded after padding: store it in pieces",
    )
}
