//! The credential profiles of Freeboard: a list of keys, of which the first seals.
//!
//! Format: <https://github.com/CameronBrooks11/freeboard/blob/main/docs/manual/credential-key-rotation.md>.

mod row;

use super::{
    Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue, Trust, base64,
    hedge::Hedge, read_only,
};
use crate::{
    context::Context,
    error::{Error, ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
    random::Entropy,
};
use alloc::{string::ToString, vec::Vec};
use core::fmt;
use reseal_primitives::{Gcm, Secret32};
use row::{Row, Sealed};
use zeroize::Zeroizing;

const SCHEME: &str = "gcm";

/// The key of one `CREDENTIAL_ENCRYPTION_KEY`.
pub struct FreeboardKey {
    gcm: Gcm,
    hedge: Hedge,
}

impl FreeboardKey {
    /// The key of a key text: 32 bytes in base64, trimmed and read as leniently as Freeboard does.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::FreeboardKey;
    /// assert!(FreeboardKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=\n").is_ok());
    /// assert_eq!(FreeboardKey::parse("short").unwrap_err().code().as_str(), "invalid-key");
    /// ```
    ///
    /// # Errors
    /// `invalid-key`.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = base64::node(text.trim_matches(is_space_of_javascript));
        let bytes = Zeroizing::new(bytes.ok_or_else(invalid_key)?);
        let key = Secret32(bytes.as_slice().try_into().map_err(|_| invalid_key())?);
        Ok(Self {
            gcm: Gcm::new(&key),
            hedge: Hedge::new(&key.0),
        })
    }

    fn open(&self, sealed: &Sealed) -> Option<Zeroizing<Vec<u8>>> {
        let mut plaintext = Zeroizing::new(sealed.ciphertext.clone());
        self.gcm
            .open(sealed.iv, &[], &mut plaintext, sealed.tag)
            .ok()?;
        Some(plaintext)
    }

    fn seal(&self, plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<Sealed> {
        let iv = self.hedge.draw(plaintext, entropy)?;
        let mut ciphertext = plaintext.to_vec();
        let tag = self.gcm.seal(iv, &[], &mut ciphertext)?;
        Ok(Sealed {
            iv,
            ciphertext,
            tag,
        })
    }
}

impl fmt::Debug for FreeboardKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("FreeboardKey(hidden)")
    }
}

/// The objects in `credential_profiles.secret`.
///
/// A row names no key (its `keyId` is `v1` for ever), so that each key is tried. Rows that are not
/// encrypted, such as `{}`, are of another format: they are never overwritten. A row that was cut
/// after the name of its algorithm is a damaged one, and no plaintext.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Freeboard, FreeboardKey, Stored}};
/// let key = FreeboardKey::parse("AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=")?;
/// let codec = Freeboard::new(vec![key])?;
/// let row = r#"{"iv": "3NjaH/K38V5r9HZj", "keyId": "v1", "authTag": "XauqsP6q5LgvCyYLk1pOgQ==",
///     "algorithm": "aes-256-gcm", "ciphertext": "r8HBK0K+479FR1sOmno68AuePjhxMReB"}"#;
/// let opened = codec.open(Stored::Text(row), &Context::new())?;
/// assert_eq!(*opened.plaintext, br#"{"token":"secret-token"}"#);
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// Of opening: `format-mismatch`, `format-unsupported` for another algorithm, `malformed`,
/// `too-large`, `auth-failed`. Of sealing: `codec-read-only` for a plaintext that is no JSON, which
/// Freeboard could not read; `too-large`. Of resealing, also `codec-read-only` for a row with members
/// that Freeboard never writes: they would be lost.
#[derive(Debug)]
pub struct Freeboard {
    keys: Vec<FreeboardKey>,
    lenient: bool,
}

impl Freeboard {
    /// The first key seals; all of them open.
    ///
    /// # Errors
    /// `invalid-argument` without any key.
    pub fn new(keys: Vec<FreeboardKey>) -> Result<Self> {
        if keys.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a freeboard codec has at least one key",
            ));
        }
        Ok(Self {
            keys,
            lenient: false,
        })
    }

    /// Reads base64 as Node.js does: both alphabets, with or without padding, junk is skipped. A
    /// tag has 16 bytes all the same.
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    fn find(&self, row: &Row<'_>) -> Result<(usize, Zeroizing<Vec<u8>>)> {
        let sealed = row.sealed(self.lenient)?;
        let mut opened = self.keys.iter().map(|key| key.open(&sealed)).enumerate();
        opened
            .find_map(|(at, opened)| Some((at, opened?)))
            .ok_or_else(auth_failed)
    }

    fn write(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        check_length(plaintext, Mode::Random)?;
        let key = self.keys.first().ok_or_else(auth_failed)?;
        let sealed = key.seal(plaintext, fresh.entropy)?;
        Ok(StoredValue::of_text(sealed.to_json(), place.form))
    }
}

impl Codec for Freeboard {
    fn kind(&self) -> CodecKind {
        CodecKind::Freeboard
    }

    /// Only opening tells which key it was.
    fn is_current(&self, _: Stored<'_>, _: Mode) -> Option<bool> {
        None
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        let (at, plaintext) = self.find(&Row::parse(stored)?)?;
        Ok(Opened {
            plaintext,
            key: Some((at + 1).to_string()),
            scheme: SCHEME,
            encoding: None,
            current: at == 0,
            trust: Trust::Authenticated,
        })
    }

    fn check_leaving(&self, stored: Stored<'_>) -> Result<()> {
        if Row::parse(stored)?.has_more() {
            return Err(read_only(
                "this row has members that freeboard never writes, or another keyId than v1, \
                 which would be lost: remove them, or seal the row with freeboard itself",
            ));
        }
        Ok(())
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: Form) -> Option<usize> {
        base64::encoded_len(plaintext_bytes)?.checked_add(Sealed::EMPTY.to_json().len())
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if !is_json(plaintext) {
            return Err(read_only(
                "freeboard keeps a secret as JSON, and this plaintext is none",
            ));
        }
        self.write(plaintext, place, fresh)
    }

    /// The plaintext is moved as it is: an escape such as `\ud800` has no other form.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let (_, plaintext) = self.find(&Row::parse(stored)?)?;
        self.check_leaving(stored)?;
        self.write(&plaintext, place, fresh)
    }
}

/// The name of the algorithm is the mark, or else the members of a row that lost it.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    let sealed = Row::parse(stored).and_then(|row| row.sealed(true));
    let scheme = match sealed.as_ref().map_err(Error::code) {
        Ok(_) => SCHEME,
        Err(ErrorCode::FormatMismatch) => return None,
        Err(ErrorCode::FormatUnsupported) => "unsupported",
        Err(_) => "damaged",
    };
    Some(Recognized::yes(scheme))
}

/// Escapes are not decoded, so that lone surrogates pass.
fn is_json(plaintext: &[u8]) -> bool {
    core::str::from_utf8(plaintext)
        .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok())
}

/// What `trim` of JavaScript removes.
fn is_space_of_javascript(char: char) -> bool {
    char == '\u{feff}' || (char.is_whitespace() && char != '\u{85}')
}

fn invalid_key() -> crate::Error {
    fixed(
        ErrorCode::InvalidKey,
        "CREDENTIAL_ENCRYPTION_KEY is 32 bytes in base64, 44 characters: was it cut or quoted?",
    )
}
