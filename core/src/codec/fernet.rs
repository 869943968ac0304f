//! Fernet and `MultiFernet`: a list of keys, of which the first seals.
//!
//! Format: <https://github.com/fernet/spec/blob/master/Spec.md>; leniency as in pyca/cryptography.
//! Libraries that derive the keys of their tokens are [`CodecKind`]s of their own over the same codec.

#[cfg(feature = "django")]
mod django;

use super::{
    Codec, CodecKind, Fresh, Opened, Place, Recognized, Stored, StoredValue, Trust, base64,
    hedge::Hedge, kind::TOKEN_SCHEME, malformed, mismatch,
};
use crate::{
    context::Context,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
    random::Entropy,
};
use alloc::{string::String, string::ToString, vec::Vec};
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use reseal_primitives::{BLOCK_BYTES, Cbc128};
use sha2::Sha256;
use zeroize::Zeroizing;

const VERSION: u8 = 0x80;
const HEADER_BYTES: usize = 1 + 8 + BLOCK_BYTES;
const TAG_BYTES: usize = 32;
const MIN_TOKEN_BYTES: usize = HEADER_BYTES + BLOCK_BYTES + TAG_BYTES;
/// How every token of this and the next centuries starts: the version and the upper half of the
/// time.
const TEXT_PREFIX: &str = "gAAAAA";
/// Characters of a token of the largest plaintext, and some more for line ends.
const MAX_TOKEN_CHARS: usize = 2 * MAX_PLAINTEXT_BYTES;
const KEY_BYTES: usize = 32;

/// One Fernet key: 32 bytes, half of them for signing and half for encrypting.
#[derive(Clone)]
pub struct FernetKey {
    mac: Hmac<Sha256>,
    cipher: Cbc128,
    hedge: Hedge,
}

impl FernetKey {
    /// The key of a key text: 32 bytes in base64, read as leniently as pyca/cryptography does.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::FernetKey;
    /// assert!(FernetKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").is_ok());
    /// assert_eq!(FernetKey::parse("short").unwrap_err().code().as_str(), "invalid-key");
    /// ```
    ///
    /// # Errors
    /// `invalid-key`.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = Zeroizing::new(base64::python_url(text).ok_or_else(invalid_key)?);
        Self::from_bytes(&bytes)
    }

    pub(super) fn from_bytes(bytes: &[u8]) -> Result<Self> {
        let (signing, encrypting) = bytes
            .split_at_checked(KEY_BYTES / 2)
            .filter(|_| bytes.len() == KEY_BYTES)
            .ok_or_else(invalid_key)?;
        Ok(Self {
            mac: Hmac::new_from_slice(signing).map_err(|_| invalid_key())?,
            cipher: Cbc128::new(encrypting).ok_or_else(invalid_key)?,
            hedge: Hedge::new(bytes),
        })
    }

    /// The plaintext of a token of the right shape, and its time.
    pub(super) fn open(&self, token: &Token) -> Result<Zeroizing<Vec<u8>>> {
        let mut mac = self.mac.clone();
        mac.update(token.signed());
        mac.verify_slice(token.tag()).map_err(|_| auth_failed())?;
        self.cipher
            .decrypt(token.iv(), token.ciphertext())
            .ok_or_else(auth_failed)
    }

    /// The text of a token; `time` is in seconds since 1970.
    pub(super) fn seal(
        &self,
        plaintext: &[u8],
        time: u64,
        entropy: &mut dyn Entropy,
    ) -> Result<String> {
        let iv = self.hedge.draw(plaintext, entropy)?;
        let ciphertext = self.cipher.encrypt(iv, plaintext);
        let mut token = Vec::with_capacity(HEADER_BYTES + ciphertext.len() + TAG_BYTES);
        token.push(VERSION);
        token.extend_from_slice(&time.to_be_bytes());
        token.extend_from_slice(&iv);
        token.extend_from_slice(&ciphertext);
        let mut mac = self.mac.clone();
        mac.update(&token);
        token.extend_from_slice(&mac.finalize().into_bytes());
        Ok(base64::encode_url(&token))
    }
}

impl fmt::Debug for FernetKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FernetKey(hidden)")
    }
}

/// The bytes of a token, whose shape was checked.
pub(super) struct Token(Vec<u8>);

impl Token {
    /// # Errors
    /// `format-mismatch`, which says that it is no Fernet token, and `malformed`.
    pub(super) fn parse(text: &str, lenient: bool) -> Result<Self> {
        if text.len() > MAX_TOKEN_CHARS {
            return Err(fixed(
                ErrorCode::TooLarge,
                "this token is larger than any of a value of 2^24 bytes",
            ));
        }
        let decoded = match base64::strict_url(text) {
            None if lenient => base64::python_url(text),
            decoded => decoded,
        };
        let Some(bytes) = decoded else {
            return Err(if is_marked(text.as_bytes(), lenient) {
                damaged()
            } else {
                mismatch(CodecKind::Fernet)
            });
        };
        if bytes.first() != Some(&VERSION) {
            return Err(mismatch(CodecKind::Fernet));
        }
        let blocks = bytes.len().checked_sub(HEADER_BYTES + TAG_BYTES);
        if bytes.len() < MIN_TOKEN_BYTES || blocks.is_none_or(|bytes| bytes % BLOCK_BYTES != 0) {
            return Err(damaged());
        }
        Ok(Self(bytes))
    }

    /// When it was made, in seconds since 1970; it is authentic once the token was opened.
    pub(super) fn time(&self) -> u64 {
        let time = self.0.get(1..9).and_then(<[u8]>::first_chunk);
        time.map_or(0, |bytes| u64::from_be_bytes(*bytes))
    }

    fn iv(&self) -> [u8; BLOCK_BYTES] {
        let iv = self.0.get(9..HEADER_BYTES).and_then(<[u8]>::first_chunk);
        iv.copied().unwrap_or_default()
    }

    fn ciphertext(&self) -> &[u8] {
        self.signed().get(HEADER_BYTES..).unwrap_or_default()
    }

    fn signed(&self) -> &[u8] {
        let end = self.0.len().saturating_sub(TAG_BYTES);
        self.0.get(..end).unwrap_or_default()
    }

    fn tag(&self) -> &[u8] {
        let end = self.0.len().saturating_sub(TAG_BYTES);
        self.0.get(end..).unwrap_or_default()
    }
}

/// Characters of a token of so many bytes.
pub(super) fn token_len(plaintext_bytes: usize) -> Option<usize> {
    // The padding of the block cipher is one byte at least.
    let ciphertext = (plaintext_bytes / BLOCK_BYTES + 1).checked_mul(BLOCK_BYTES)?;
    base64::encoded_len(ciphertext.checked_add(HEADER_BYTES + TAG_BYTES)?)
}

/// Fernet tokens.
///
/// A token names no key, so that each key is tried; the age of a token does not count.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Fernet, FernetKey, Stored}};
/// let key = FernetKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=")?;
/// let codec = Fernet::new(vec![key])?;
/// let token = "gAAAAAAdwJ6wAAECAwQFBgcICQoLDA0ODy021cpGVWKZ_eEwCGM4BLLF_5CV9dOPmrhuVUPgJobwOz7JcbmrR64jVmpU4IwqDA==";
/// assert_eq!(*codec.open(Stored::Text(token), &Context::new())?.plaintext, b"hello");
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Debug)]
pub struct Fernet {
    /// Whose tokens they are.
    kind: CodecKind,
    keys: Vec<FernetKey>,
    lenient: bool,
}

impl Fernet {
    /// The first key seals; all of them open.
    ///
    /// # Errors
    /// `invalid-argument` without any key.
    pub fn new(keys: Vec<FernetKey>) -> Result<Self> {
        Self::of(CodecKind::Fernet, keys)
    }

    /// The tokens of a library, under the keys that it derives.
    pub(super) fn of(kind: CodecKind, keys: Vec<FernetKey>) -> Result<Self> {
        if keys.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a fernet codec has at least one key",
            ));
        }
        Ok(Self {
            kind,
            keys,
            lenient: false,
        })
    }

    /// Reads base64 as pyca/cryptography does: junk is skipped, and both alphabets are read.
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    fn parse(&self, stored: Stored<'_>) -> Result<Token> {
        match stored.as_text() {
            Some(text) => Token::parse(text, self.lenient),
            None if is_marked(stored.as_bytes(), self.lenient) => Err(damaged()),
            None => Err(mismatch(CodecKind::Fernet)),
        }
    }

    /// The place of the key that opens a token, and the plaintext.
    fn find(&self, token: &Token) -> Result<(usize, Zeroizing<Vec<u8>>)> {
        let mut opened = self.keys.iter().map(|key| key.open(token)).enumerate();
        opened
            .find_map(|(at, opened)| Some((at, opened.ok()?)))
            .ok_or_else(auth_failed)
    }

    fn write(
        &self,
        plaintext: &[u8],
        time: u64,
        form: super::Form,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        check_length(plaintext, Mode::Random)?;
        let key = self.keys.first().ok_or_else(auth_failed)?;
        let token = key.seal(plaintext, time, fresh.entropy)?;
        Ok(StoredValue::of_text(token, form))
    }
}

impl Codec for Fernet {
    fn kind(&self) -> CodecKind {
        self.kind
    }

    /// Where it is lenient, also what stands after junk, or has some in it.
    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        shown(stored, self.lenient)
    }

    /// Only opening tells which key it was.
    fn is_current(&self, _: Stored<'_>, _: Mode) -> Option<bool> {
        None
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        let (at, plaintext) = self.find(&self.parse(stored)?)?;
        Ok(Opened {
            plaintext,
            key: Some((at + 1).to_string()),
            scheme: TOKEN_SCHEME,
            encoding: None,
            current: at == 0,
            trust: Trust::Authenticated,
        })
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: super::Form) -> Option<usize> {
        token_len(plaintext_bytes)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let time = u64::try_from(fresh.now.unix()).unwrap_or_default();
        self.write(plaintext, time, place.form, fresh)
    }

    /// As `MultiFernet.rotate`: the time of the token stays.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let token = self.parse(stored)?;
        let (_, plaintext) = self.find(&token)?;
        self.write(&plaintext, token.time(), place.form, fresh)
    }
}

/// A token of present days starts with `gAAAAA`; one of another time has the shape alone.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    shown(stored, false)
}

pub(super) fn shown(stored: Stored<'_>, lenient: bool) -> Option<Recognized> {
    if is_marked(stored.as_bytes(), lenient) {
        return Some(Recognized::yes(TOKEN_SCHEME));
    }
    let text = stored.as_text()?;
    // The version byte alone makes the first character g, and the second one of 16.
    let version = digits(text.as_bytes(), lenient).next() == Some(b'g');
    let shaped = version && Token::parse(text, lenient).is_ok();
    shaped.then(|| Recognized::maybe(TOKEN_SCHEME))
}

/// Whether it starts as every token does.
fn is_marked(bytes: &[u8], lenient: bool) -> bool {
    let start = digits(bytes, lenient).take(TEXT_PREFIX.len());
    start.eq(TEXT_PREFIX.bytes())
}

/// The characters, without the junk that Python skips where it is read leniently.
fn digits(bytes: &[u8], lenient: bool) -> impl Iterator<Item = u8> {
    let digit =
        |byte: u8| byte.is_ascii_alphanumeric() || matches!(byte, b'+' | b'/' | b'-' | b'_');
    let bytes = bytes.iter().copied();
    bytes.filter(move |byte| !lenient || digit(*byte))
}

fn invalid_key() -> crate::Error {
    fixed(
        ErrorCode::InvalidKey,
        "a Fernet key is 32 bytes in base64, 44 characters with the padding: was it cut or quoted?",
    )
}

fn damaged() -> crate::Error {
    malformed("this looks like a Fernet token, and is cut or damaged")
}
