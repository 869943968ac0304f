//! Base64 as other systems read it: strictly, or as leniently as each of them does.

use alloc::vec::Vec;
#[cfg(any(
    feature = "sentry",
    feature = "rails",
    feature = "metabase",
    feature = "n8n",
    feature = "freeboard",
    feature = "sqlalchemy-utils"
))]
use data_encoding::BASE64;
#[cfg(feature = "fernet")]
use data_encoding::BASE64URL;
use zeroize::Zeroizing;

/// Standard alphabet, padded, canonical; nothing else.
#[cfg(any(
    feature = "sentry",
    feature = "rails",
    feature = "metabase",
    feature = "n8n",
    feature = "freeboard",
    feature = "sqlalchemy-utils"
))]
pub(super) fn strict(text: &str) -> Option<Vec<u8>> {
    decode(&BASE64, text)
}

/// Characters of so many bytes, padded, in either alphabet.
pub(super) fn encoded_len(bytes: usize) -> Option<usize> {
    bytes.div_ceil(3).checked_mul(4)
}

/// URL-safe alphabet, padded, canonical; nothing else.
#[cfg(feature = "fernet")]
pub(super) fn strict_url(text: &str) -> Option<Vec<u8>> {
    decode(&BASE64URL, text)
}

/// The library reads several padded texts one after another as well; no system writes that.
fn decode(encoding: &data_encoding::Encoding, text: &str) -> Option<Vec<u8>> {
    let unpadded = text.trim_end_matches('=');
    if unpadded.contains('=') {
        return None;
    }
    wiped(encoding, text.as_bytes())
}

/// What some digits say. Keys are read here as well: what does not decode is wiped.
fn wiped(encoding: &data_encoding::Encoding, digits: &[u8]) -> Option<Vec<u8>> {
    let length = encoding.decode_len(digits.len()).ok()?;
    let mut bytes = Zeroizing::new(alloc::vec![0; length]);
    let length = encoding.decode_mut(digits, &mut bytes).ok()?;
    bytes.truncate(length);
    Some(core::mem::take(&mut *bytes))
}

/// As Python's `b64decode`: what is not in the alphabet is skipped, what follows the first
/// completed padding is ignored, and padding has to be there.
#[cfg(feature = "fernet")]
pub(super) fn python(text: &str) -> Option<Vec<u8>> {
    let mut kept = Zeroizing::new(Vec::with_capacity(text.len()));
    let mut pads = 0;
    for byte in text.bytes() {
        match byte {
            b'=' => {
                pads += 1;
                let digits = kept.len() % 4;
                if digits >= 2 && digits + pads >= 4 {
                    break;
                }
            }
            b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => {
                kept.push(byte);
                pads = 0;
            }
            _ => {}
        }
    }
    let missing = (4 - kept.len() % 4) % 4;
    if missing == 3 || pads < missing {
        return None;
    }
    loose(&kept)
}

/// As Python's `urlsafe_b64decode`: [`python`], with both alphabets.
#[cfg(feature = "fernet")]
pub(super) fn python_url(text: &str) -> Option<Vec<u8>> {
    let standard = |byte| match byte {
        '-' => '+',
        '_' => '/',
        other => other,
    };
    // Each character takes as many bytes as before: no copy is left behind.
    let mut kept = Zeroizing::new(alloc::string::String::with_capacity(text.len()));
    kept.extend(text.chars().map(standard));
    python(&kept)
}

/// As Node.js: both alphabets, nothing after the first `=`; whatever else is skipped, and so is a
/// digit that is too short for a byte. Only text beyond ASCII is refused, since Node takes some of
/// it for digits.
#[cfg(any(feature = "freeboard", feature = "n8n"))]
pub(super) fn node(text: &str) -> Option<Vec<u8>> {
    if !text.is_ascii() {
        return None;
    }
    let mut kept = Zeroizing::new(Vec::with_capacity(text.len()));
    for byte in text.bytes().take_while(|byte| *byte != b'=') {
        match byte {
            b'-' => kept.push(b'+'),
            b'_' => kept.push(b'/'),
            b'+' | b'/' | b'0'..=b'9' | b'A'..=b'Z' | b'a'..=b'z' => kept.push(byte),
            _ => {}
        }
    }
    if kept.len() % 4 == 1 {
        kept.pop();
    }
    loose(&kept)
}

/// As Java's basic decoder reads a padded text: the bits that no byte uses are ignored.
#[cfg(feature = "metabase")]
pub(super) fn java(text: &str) -> Option<Vec<u8>> {
    let digits = text.trim_end_matches('=');
    let pads = text.len() - digits.len();
    let padded = pads == (4 - digits.len() % 4) % 4;
    padded.then(|| loose(digits.as_bytes()))?
}

/// Digits of the standard alphabet without padding; the bits that no byte uses are ignored.
#[cfg(any(
    feature = "fernet",
    feature = "metabase",
    feature = "n8n",
    feature = "freeboard"
))]
fn loose(digits: &[u8]) -> Option<Vec<u8>> {
    wiped(&LOOSE, digits)
}

#[cfg(any(
    feature = "fernet",
    feature = "metabase",
    feature = "n8n",
    feature = "freeboard"
))]
const LOOSE: data_encoding::Encoding = data_encoding_macro::new_encoding! {
    symbols: "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/",
    check_trailing_bits: false,
};

/// The longest piece that is encoded at once; where `usize` has 32 bits, data-encoding panics above
/// 2^23 bytes.
const AT_ONCE_BYTES: usize = 3 << 20;

/// Standard alphabet, padded.
#[cfg(any(
    feature = "sentry",
    feature = "rails",
    feature = "metabase",
    feature = "n8n",
    feature = "freeboard",
    feature = "sqlalchemy-utils"
))]
pub(super) fn encode(bytes: &[u8]) -> alloc::string::String {
    let mut text = alloc::string::String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(AT_ONCE_BYTES) {
        BASE64.encode_append(part, &mut text);
    }
    text
}

/// URL-safe alphabet, padded.
#[cfg(feature = "fernet")]
pub(super) fn encode_url(bytes: &[u8]) -> alloc::string::String {
    let mut text = alloc::string::String::with_capacity(bytes.len().div_ceil(3) * 4);
    for part in bytes.chunks(AT_ONCE_BYTES) {
        BASE64URL.encode_append(part, &mut text);
    }
    text
}
