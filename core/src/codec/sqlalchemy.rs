//! The encrypted types of SQLAlchemy-Utils: a list of keys, of which the first seals.
//!
//! Format: <https://github.com/kvesteri/sqlalchemy-utils/tree/master/sqlalchemy_utils/types/encrypted>.

mod padding;

pub use padding::SqlalchemyPadding;

use super::{
    Certainty, Codec, CodecKind, Expect, Fernet, FernetKey, Form, Fresh, Opened, Place, Recognized,
    Stored, StoredValue, Trust, agreed::agreed, base64, fernet, hedge::Hedge, mismatch, read_only,
};
use crate::{
    context::Context,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{Error, ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
    random::Entropy,
};
use alloc::{boxed::Box, string::ToString, vec::Vec};
use core::fmt;
use reseal_primitives::{BLOCK_BYTES, Cbc256, Gcm, IV_BYTES, Secret32, TAG_BYTES};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of AES-GCM around a plaintext.
const GCM_BYTES: usize = IV_BYTES + TAG_BYTES;
/// Characters of a value of the largest plaintext, and some more for line ends.
const MAX_CHARS: usize = 2 * MAX_PLAINTEXT_BYTES;

/// How values are encrypted: the class that a type is declared with.
///
/// # Example
/// ```
/// use reseal::codec::{SqlalchemyEngine, SqlalchemyPadding};
/// let engine = SqlalchemyEngine::parse("aes", Some("pkcs5"))?;
/// assert_eq!(engine, SqlalchemyEngine::Aes(SqlalchemyPadding::Pkcs5));
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SqlalchemyEngine {
    /// `AesEngine`, the default: AES-CBC whose IV is part of the key, so that equal texts are equal
    /// values, and which authenticates nothing.
    Aes(SqlalchemyPadding),
    /// `AesGcmEngine`.
    AesGcm,
    /// `FernetEngine`.
    Fernet,
}

impl Default for SqlalchemyEngine {
    fn default() -> Self {
        Self::Aes(SqlalchemyPadding::default())
    }
}

impl SqlalchemyEngine {
    /// The engine of a name, `aes`, `aes-gcm` or `fernet`, and the padding of `aes`: `naive` where
    /// nothing is said, `pkcs5`, `oneandzeroes` or `zeroes`.
    ///
    /// # Errors
    /// `invalid-argument`, also for a padding of another engine.
    pub fn parse(name: &str, padding: Option<&str>) -> Result<Self> {
        match (name, padding) {
            ("aes", padding) => padding
                .map_or(Ok(SqlalchemyPadding::default()), SqlalchemyPadding::parse)
                .map(Self::Aes),
            ("aes-gcm", None) => Ok(Self::AesGcm),
            ("fernet", None) => Ok(Self::Fernet),
            ("aes-gcm" | "fernet", Some(_)) => Err(fixed(
                ErrorCode::InvalidArgument,
                "only the engine aes of SQLAlchemy-Utils has a padding: leave it out",
            )),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "the engine of SQLAlchemy-Utils is aes, aes-gcm or fernet",
            )),
        }
    }

    const fn scheme(self) -> &'static str {
        match self {
            Self::Aes(_) => "aes",
            Self::AesGcm => "aes-gcm",
            Self::Fernet => "fernet",
        }
    }

    /// What a stored value shows of this engine. AES leaves no mark: base64 of the right length may
    /// be a value of it.
    pub(crate) fn recognize(self, stored: Stored<'_>, lenient: bool) -> Option<Recognized> {
        if self == Self::Fernet {
            return fernet::shown(stored, lenient);
        }
        let text = stored.as_text()?;
        let fits = match decode(text, lenient) {
            Ok(bytes) => self.fits(bytes.len()),
            Err(error) => error.code() == ErrorCode::TooLarge,
        };
        fits.then(|| Recognized::maybe(self.scheme()))
    }

    const fn fits(self, bytes: usize) -> bool {
        match self {
            Self::Aes(_) => bytes > 0 && bytes.is_multiple_of(BLOCK_BYTES),
            Self::AesGcm | Self::Fernet => bytes >= GCM_BYTES,
        }
    }
}

/// What a key makes under one engine.
enum Cipher {
    Aes(Box<Cbc>),
    Gcm(Box<GcmKey>),
}

struct GcmKey {
    gcm: Gcm,
    hedge: Hedge,
}

struct Cbc {
    cipher: Cbc256,
    /// Half of the key.
    iv: Zeroizing<[u8; BLOCK_BYTES]>,
    padding: SqlalchemyPadding,
}

impl fmt::Debug for Cipher {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Cipher(hidden)")
    }
}

#[derive(Debug)]
enum Keys {
    Own(Vec<Cipher>),
    Tokens(Fernet),
}

/// Values of `StringEncryptedType` and `EncryptedType`, in text columns or as the same characters in
/// binary ones. A value names no key, so that each is tried.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Expect, SqlalchemyUtils, SqlalchemyEngine, Stored}};
/// let engine = SqlalchemyEngine::parse("aes", Some("pkcs5"))?;
/// let codec = SqlalchemyUtils::new(&["secretkey1234"], engine)?.expect(Expect::Utf8);
/// let stored = Stored::Text("TK6BdvqZbLgCdkBS0tg9eQ==");
/// assert_eq!(*codec.open(stored, &Context::new())?.plaintext, b"hello");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// Of [`Codec::open`]: `format-mismatch`, `malformed` for a damaged token, `too-large`, `auth-failed`.
/// Of [`Codec::seal`]: `codec-read-only` for what is not UTF-8, and for what its padding would lose;
/// `too-large`, `random-unavailable`. Of [`Codec::rotate`] also `expect-required`.
///
/// # Security
/// The engine `aes` authenticates nothing, and equal beginnings of 16 bytes are equal there. A wrong
/// key shows but by its padding, and with [`SqlalchemyPadding::Naive`] hardly by that: values are
/// resealed only with [`SqlalchemyUtils::expect`]. What two keys open to different texts is
/// `auth-failed`.
#[derive(Debug)]
pub struct SqlalchemyUtils {
    engine: SqlalchemyEngine,
    keys: Keys,
    expect: Option<Expect>,
    lenient: bool,
}

impl SqlalchemyUtils {
    /// The first key seals; all of them open. Each is text, of which the engine takes the SHA-256.
    ///
    /// # Errors
    /// `invalid-argument` without any key; `invalid-key` for an empty one.
    pub fn new(keys: &[impl AsRef<str>], engine: SqlalchemyEngine) -> Result<Self> {
        if keys.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a codec of SQLAlchemy-Utils has at least one key",
            ));
        }
        let keys = keys.iter().map(|key| digest(key.as_ref()));
        let keys = match engine {
            SqlalchemyEngine::Fernet => {
                let keys = keys.map(|key| FernetKey::from_bytes(&key?.0));
                let keys = keys.collect::<Result<_>>()?;
                Keys::Tokens(Fernet::of(CodecKind::SqlalchemyUtils, keys)?)
            }
            SqlalchemyEngine::AesGcm => {
                let keys = keys.map(|key| Ok(Cipher::gcm(&key?)));
                Keys::Own(keys.collect::<Result<_>>()?)
            }
            SqlalchemyEngine::Aes(padding) => {
                let keys = keys.map(|key| Cipher::aes(&key?, padding));
                Keys::Own(keys.collect::<Result<_>>()?)
            }
        };
        Ok(Self {
            engine,
            keys,
            expect: None,
            lenient: false,
        })
    }

    /// What the plaintexts of the engine `aes` are: nothing else tells a wrong key from the right one.
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
        self
    }

    /// Reads base64 as Python does: junk is skipped.
    #[must_use]
    pub fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        if let Keys::Tokens(tokens) = self.keys {
            self.keys = Keys::Tokens(tokens.lenient(lenient));
        }
        self
    }

    fn bytes_of(&self, stored: Stored<'_>) -> Result<Vec<u8>> {
        let none = || mismatch(CodecKind::SqlalchemyUtils);
        let bytes = decode(stored.as_text().ok_or_else(none)?, self.lenient)?;
        if self.engine.fits(bytes.len()) {
            Ok(bytes)
        } else {
            Err(none())
        }
    }

    fn opened(&self, at: usize, plaintext: Zeroizing<Vec<u8>>, trust: Trust) -> Opened {
        Opened {
            plaintext,
            key: Some((at + 1).to_string()),
            scheme: self.engine.scheme(),
            encoding: None,
            current: at == 0,
            trust,
        }
    }

    /// The plaintext under the first key that gives one. Of the engine `aes` it is as expected, and text
    /// anyhow: the library has nothing else.
    fn find(&self, keys: &[Cipher], bytes: &[u8]) -> Result<Opened> {
        let opened = |(at, key): (usize, &Cipher)| Some((at, key.open(bytes)?));
        let mut opened = keys.iter().enumerate().filter_map(opened);
        if self.engine == SqlalchemyEngine::AesGcm {
            let (at, plaintext) = opened.next().ok_or_else(auth_failed)?;
            return Ok(self.opened(at, plaintext, Trust::Authenticated));
        }
        let expect = self.expect.unwrap_or(Expect::Utf8);
        let fitting = opened.filter(|(_, plaintext)| expect.check(plaintext).is_ok());
        let (at, plaintext) = agreed(fitting)?.ok_or_else(auth_failed)?;
        let trust = self.expect.map_or(Trust::Unchecked, |_| Trust::Checked);
        Ok(self.opened(at, plaintext, trust))
    }

    fn check(&self, plaintext: &[u8]) -> Result<()> {
        check_length(plaintext, Mode::Random)?;
        core::str::from_utf8(plaintext).map(drop).map_err(|_| {
            read_only("a value of SQLAlchemy-Utils is UTF-8 text, and these bytes are none")
        })?;
        let is_bare = matches!(self.engine, SqlalchemyEngine::Aes(_));
        match self.expect.filter(|_| is_bare) {
            Some(expect) => expect.check(plaintext).map_err(|_| {
                read_only("this plaintext is not what the codec expects, so it could not open it")
            }),
            None => Ok(()),
        }
    }
}

impl Codec for SqlalchemyUtils {
    fn kind(&self) -> CodecKind {
        CodecKind::SqlalchemyUtils
    }

    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        self.engine.recognize(stored, self.lenient)
    }

    /// Only opening tells which key it was.
    fn is_current(&self, _: Stored<'_>, _: Mode) -> Option<bool> {
        None
    }

    fn open(&self, stored: Stored<'_>, context: &Context) -> Result<Opened> {
        match &self.keys {
            Keys::Tokens(tokens) => tokens.open(stored, context),
            Keys::Own(keys) => self.find(keys, &self.bytes_of(stored)?),
        }
    }

    fn sealed_len(&self, plaintext_bytes: usize, mode: Mode, form: Form) -> Option<usize> {
        let bytes = match (&self.keys, self.engine) {
            (Keys::Tokens(tokens), _) => return tokens.sealed_len(plaintext_bytes, mode, form),
            (_, SqlalchemyEngine::Aes(_)) => {
                (plaintext_bytes / BLOCK_BYTES + 1).checked_mul(BLOCK_BYTES)?
            }
            _ => plaintext_bytes.checked_add(GCM_BYTES)?,
        };
        base64::encoded_len(bytes)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        self.check(plaintext)?;
        match &self.keys {
            Keys::Tokens(tokens) => tokens.seal(plaintext, place, fresh),
            Keys::Own(keys) => {
                let key = keys.first().ok_or_else(auth_failed)?;
                let sealed = match key {
                    Cipher::Gcm(key) => key.seal(plaintext, fresh.entropy)?,
                    Cipher::Aes(cbc) => cbc.seal(plaintext)?,
                };
                Ok(StoredValue::of_text(base64::encode(&sealed), place.form))
            }
        }
    }

    /// Those of the engine `aes` under every key.
    fn lookup_values(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
    ) -> Result<Option<Vec<StoredValue>>> {
        let Keys::Own(keys) = &self.keys else {
            return Ok(None);
        };
        if self.engine == SqlalchemyEngine::AesGcm {
            return Ok(None);
        }
        self.check(plaintext)?;
        let values = keys.iter().filter_map(|key| match key {
            Cipher::Aes(cbc) => Some(cbc.seal(plaintext)),
            Cipher::Gcm(_) => None,
        });
        let values =
            values.map(|bytes| Ok(StoredValue::of_text(base64::encode(&bytes?), place.form)));
        values.collect::<Result<_>>().map(Some)
    }

    /// The time of a token stays. A plaintext that nothing vouches for is not sealed again.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if let Keys::Tokens(tokens) = &self.keys {
            return tokens.rotate(stored, place, fresh);
        }
        let opened = self.open(stored, place.context)?;
        if opened.trust == Trust::Unchecked {
            return Err(fixed(
                ErrorCode::ExpectRequired,
                "the engine aes of SQLAlchemy-Utils does not authenticate: say what its plaintexts are, \
                 with expect",
            ));
        }
        self.seal(&opened.plaintext, place, fresh)
    }
}

impl Cipher {
    fn gcm(key: &Secret32) -> Self {
        Self::Gcm(Box::new(GcmKey {
            gcm: Gcm::new(key),
            hedge: Hedge::new(&key.0),
        }))
    }

    fn aes(key: &Secret32, padding: SqlalchemyPadding) -> Result<Self> {
        let mut iv = Zeroizing::new([0; BLOCK_BYTES]);
        for (to, from) in iv.iter_mut().zip(&key.0) {
            *to = *from;
        }
        let cipher = Cbc256::new(&key.0).ok_or_else(auth_failed)?;
        Ok(Self::Aes(Box::new(Cbc {
            cipher,
            iv,
            padding,
        })))
    }

    fn open(&self, bytes: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes(cbc) => {
                let mut plaintext = cbc.cipher.decrypt_blocks(*cbc.iv, bytes)?;
                let kept = cbc.padding.kept(&plaintext)?;
                plaintext.truncate(kept);
                Some(plaintext)
            }
            Self::Gcm(key) => {
                let (iv, rest) = bytes.split_first_chunk()?;
                let (tag, ciphertext) = rest.split_first_chunk()?;
                let mut buffer = Zeroizing::new(ciphertext.to_vec());
                key.gcm.open(*iv, b"", &mut buffer, *tag).ok()?;
                Some(buffer)
            }
        }
    }
}

impl GcmKey {
    /// IV, tag and ciphertext.
    fn seal(&self, plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<Vec<u8>> {
        let iv: [u8; IV_BYTES] = self.hedge.draw(plaintext, entropy)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(GCM_BYTES + plaintext.len()));
        bytes.extend_from_slice(&iv);
        bytes.extend_from_slice(&[0; TAG_BYTES]);
        bytes.extend_from_slice(plaintext);
        let (header, buffer) = bytes.split_at_mut(GCM_BYTES);
        let tag = self.gcm.seal(iv, b"", buffer)?;
        for (to, from) in header.iter_mut().skip(IV_BYTES).zip(tag) {
            *to = from;
        }
        Ok(core::mem::take(&mut *bytes))
    }
}

impl Cbc {
    fn seal(&self, plaintext: &[u8]) -> Result<Vec<u8>> {
        let padded = self.padding.pad(plaintext)?;
        self.cipher
            .encrypt_blocks(*self.iv, padded)
            .ok_or_else(auth_failed)
    }
}

/// What everybody sees: a token, or base64 in blocks that is no digest in hexadecimal digits. A value
/// of AES-GCM looks like any base64, and is seen by a codec of that engine alone.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    if let Some(token) = SqlalchemyEngine::Fernet.recognize(stored, false) {
        return Some(token);
    }
    let is_hex = stored.as_bytes().iter().all(u8::is_ascii_hexdigit);
    let shown = SqlalchemyEngine::default().recognize(stored, false)?;
    (!is_hex && shown.certainty == Certainty::Maybe).then_some(shown)
}

/// # Errors
/// `format-mismatch`, `too-large`.
fn decode(text: &str, lenient: bool) -> Result<Vec<u8>> {
    if text.len() > MAX_CHARS {
        return Err(fixed(
            ErrorCode::TooLarge,
            "this value is larger than any of 2^24 bytes",
        ));
    }
    let decoded = match base64::strict(text) {
        None if lenient => base64::python(text),
        decoded => decoded,
    };
    decoded.ok_or_else(|| mismatch(CodecKind::SqlalchemyUtils))
}

fn digest(key: &str) -> Result<Secret32> {
    if key.is_empty() {
        return Err(invalid_key());
    }
    let mut secret = Secret32([0; 32]);
    Sha256::new_with_prefix(key).finalize_into((&mut secret.0).into());
    Ok(secret)
}

fn invalid_key() -> Error {
    fixed(
        ErrorCode::InvalidKey,
        "a key of SQLAlchemy-Utils is text that is not empty: is its variable set?",
    )
}
