//! Looking at text, many bytes at a time.

/// Whether all bytes are of the alphabet of base64url.
///
/// # Example
/// ```
/// assert!(reseal_primitives::is_base64url(b"AZaz09-_"));
/// assert!(!reseal_primitives::is_base64url(b"AZaz09+/"));
/// ```
#[must_use]
#[inline(never)]
pub fn is_base64url(text: &[u8]) -> bool {
    let is_one = |byte: &u8| byte.is_ascii_alphanumeric() || matches!(byte, b'-' | b'_');
    // Without an early end the compiler takes many of them at once.
    text.iter().fold(true, |are, byte| are & is_one(byte))
}
