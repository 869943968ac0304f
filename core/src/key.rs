//! Keys: typed key text, ids, and the subkeys that a ring works with.

use crate::{
    envelope::Prefix,
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyUse},
    kdf::{derive_id, derive_key},
    random::Entropy,
};
use alloc::{boxed::Box, string::String, vec::Vec};
use base64ct::{Base64UrlUnpadded, Encoding};
use core::fmt;
use reseal_primitives::{MacKey, Secret32, Xaes};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Bytes of a key.
pub const KEY_BYTES: usize = 32;

const PREFIX: &str = "rsk1.";
const CHECK_BYTES: usize = 4;
const BODY_CHARS: usize = 48;

/// One key with its use: 32 secret bytes that are wiped on drop and never printed.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, OsEntropy};
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let text = key.export(); // for a secret store: rsk1.data.…
/// assert_eq!(Key::parse(&text)?.id(), key.id());
/// assert_eq!(format!("{key:?}"), format!("Key(data, {})", key.id()));
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Section 1.
#[derive(Clone)]
pub struct Key {
    usage: KeyUse,
    id: KeyId,
    /// In a place of its own, so that a key that moves leaves no copy behind.
    secret: Box<Secret32>,
}

impl Key {
    /// A fresh random key.
    ///
    /// # Errors
    /// `random-unavailable`.
    pub fn generate(key_use: KeyUse, entropy: &mut impl Entropy) -> Result<Self> {
        let mut secret = Secret32([0; KEY_BYTES]);
        entropy.fill(&mut secret.0)?;
        Ok(Self::new(key_use, secret))
    }

    /// A key from exactly 32 bytes.
    ///
    /// # Errors
    /// `invalid-key` for another length.
    ///
    /// # Security
    /// The bytes must be uniformly random: a password or a name is no key.
    pub fn from_bytes(key_use: KeyUse, bytes: &[u8]) -> Result<Self> {
        let bytes: &[u8; KEY_BYTES] = bytes.try_into().map_err(|_| {
            Error::new(
                ErrorCode::InvalidKey,
                alloc::format!(
                    "a key has {KEY_BYTES} bytes, not {}: is it encoded?",
                    bytes.len()
                ),
            )
        })?;
        Ok(Self::new(key_use, Secret32(*bytes)))
    }

    /// The key that a key text `rsk1.<use>.<48 characters>` holds, without any tolerance.
    ///
    /// # Errors
    /// `invalid-key`: shape, use or checksum are wrong. The message says which, and shows nothing
    /// of the text.
    pub fn parse(text: &str) -> Result<Self> {
        let bytes = text.as_bytes();
        let rest = bytes
            .strip_prefix(PREFIX.as_bytes())
            .ok_or_else(|| wrong_start(bytes))?;
        let dot = rest.iter().position(|byte| *byte == b'.').ok_or_else(cut)?;
        let (word, body) = rest.split_at(dot);
        let key_use = core::str::from_utf8(word)
            .ok()
            .and_then(|word| KeyUse::parse(word).ok());
        let Some(key_use) = key_use else {
            return Err(invalid(
                "a key text is rsk1.data., rsk1.index. or rsk1.kek. and 48 characters: this one has another use",
            ));
        };
        let body = body.get(1..).unwrap_or_default();
        if body.len() != BODY_CHARS {
            return Err(wrong_length(body));
        }
        let mut decoded = Zeroizing::new([0_u8; KEY_BYTES + CHECK_BYTES]);
        Base64UrlUnpadded::decode(body, &mut *decoded).map_err(|_| {
            invalid("a key text has only letters, digits, - and _ after its use: was it mistyped?")
        })?;
        let Some((secret, check)) = decoded.split_first_chunk::<KEY_BYTES>() else {
            return Err(cut());
        };
        let secret = Secret32(*secret);
        if check != checksum(key_use, &secret) {
            return Err(invalid(
                "the checksum of the key text does not match: was it mistyped, or put together from two keys?",
            ));
        }
        Ok(Self::new(key_use, secret))
    }

    /// As [`Key::parse`] for text from an environment variable or a file: spaces, tabs and line
    /// ends around it are ignored.
    ///
    /// # Errors
    /// As [`Key::parse`].
    pub fn load(text: &str) -> Result<Self> {
        Self::parse(trim(text))
    }

    /// The keys of a comma-separated list, each read as by [`Key::load`].
    ///
    /// # Errors
    /// As [`Key::parse`]; an empty item is `invalid-key`.
    pub fn load_list(text: &str) -> Result<Vec<Self>> {
        text.split(',').map(Self::load).collect()
    }

    /// The key id, computed from the key.
    #[must_use]
    pub const fn id(&self) -> KeyId {
        self.id
    }

    /// What the key is for.
    #[must_use]
    pub const fn key_use(&self) -> KeyUse {
        self.usage
    }

    /// The key text, which [`Key::parse`] reads.
    ///
    /// # Security
    /// This is the secret itself, for a secret store. The returned text is wiped on drop; copies
    /// that you make are not.
    #[must_use]
    pub fn export(&self) -> Zeroizing<String> {
        let mut bytes = Zeroizing::new([0_u8; KEY_BYTES + CHECK_BYTES]);
        let check = checksum(self.usage, &self.secret);
        for (to, from) in bytes.iter_mut().zip(self.secret.0.iter().chain(&check)) {
            *to = *from;
        }
        let mut body = Zeroizing::new([0_u8; BODY_CHARS]);
        let body = Base64UrlUnpadded::encode(&*bytes, &mut *body).unwrap_or_default();
        let word = self.usage.as_str();
        let mut text = String::with_capacity(PREFIX.len() + word.len() + 1 + BODY_CHARS);
        for part in [PREFIX, word, ".", body] {
            text.push_str(part);
        }
        Zeroizing::new(text)
    }

    /// The subkeys of a data key.
    pub(crate) fn data(&self) -> DataKey {
        DataKey {
            prefix: Prefix::new(self.id),
            xaes: Xaes::new(&derive_key(&self.secret, "data/rnd")),
            deterministic: MacKey::new(&derive_key(&self.secret, "data/det")),
            hedge: MacKey::new(&derive_key(&self.secret, "data/hedge")),
        }
    }

    /// The subkey of an index key.
    pub(crate) fn index(&self) -> IndexKey {
        IndexKey {
            id: self.id,
            root: MacKey::new(&derive_key(&self.secret, "index/mac")),
        }
    }

    /// The 32 bytes.
    pub(crate) fn secret(&self) -> &Secret32 {
        &self.secret
    }

    fn new(key_use: KeyUse, secret: Secret32) -> Self {
        let label = match key_use {
            KeyUse::Data => "data/kid",
            KeyUse::Index => "index/kid",
            KeyUse::Kek => "kek/kid",
        };
        let id = KeyId(derive_id(&secret, label));
        Self {
            usage: key_use,
            id,
            secret: Box::new(secret),
        }
    }
}

impl fmt::Debug for Key {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Key({}, {})", self.usage.as_str(), self.id)
    }
}

/// A data key at work.
#[derive(Debug)]
pub(crate) struct DataKey {
    pub(crate) prefix: Prefix,
    pub(crate) xaes: Xaes,
    pub(crate) deterministic: MacKey,
    pub(crate) hedge: MacKey,
}

/// An index key at work.
#[derive(Debug)]
pub(crate) struct IndexKey {
    pub(crate) id: KeyId,
    pub(crate) root: MacKey,
}

fn checksum(key_use: KeyUse, secret: &Secret32) -> [u8; CHECK_BYTES] {
    let hash = Sha256::new()
        .chain_update(PREFIX)
        .chain_update(key_use.as_str())
        .chain_update(".")
        .chain_update(secret.0.as_slice())
        .finalize();
    let mut check = [0; CHECK_BYTES];
    for (to, from) in check.iter_mut().zip(hash) {
        *to = from;
    }
    check
}

/// 09 to 0D and 20 at both ends, as section 1 says.
pub(crate) fn trim(text: &str) -> &str {
    text.trim_matches(|c: char| matches!(c, '\t'..='\r' | ' '))
}

fn invalid(message: &'static str) -> Error {
    fixed(ErrorCode::InvalidKey, message)
}

fn cut() -> Error {
    invalid("a key text is rsk1.<use>. and 48 characters: was it cut?")
}

fn wrong_start(text: &[u8]) -> Error {
    let first = text.first().copied().unwrap_or_default();
    invalid(match first {
        0 if text.is_empty() => {
            "the key text is empty: is the variable or the file empty, or is there a comma too many?"
        }
        b'"' | b'\'' | b'`' => {
            "the key text starts with a quotation mark: take the quotation marks away"
        }
        b'\t'..=b'\r' | b' ' => "the key text starts with white space: take it away",
        0xEF if text.starts_with(b"\xEF\xBB\xBF") => {
            "the key text starts with a byte order mark: save the file as UTF-8 without one"
        }
        b'r' if text.starts_with(b"rsk") => {
            "the key text has another version than rsk1: a newer release may read it"
        }
        _ => "a key text starts with rsk1.: this is something else, make a key with Key.generate",
    })
}

fn wrong_length(body: &[u8]) -> Error {
    match body.last() {
        Some(b'"' | b'\'' | b'`') => {
            invalid("the key text ends in a quotation mark: take the quotation marks away")
        }
        Some(b'\t'..=b'\r' | b' ') => {
            invalid("the key text ends in white space or a line feed: take it away")
        }
        _ if body.len() < BODY_CHARS => cut(),
        _ => invalid(
            "the key text is longer than rsk1.<use>. and 48 characters: was something added?",
        ),
    }
}
