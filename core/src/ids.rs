//! Identifiers that every room knows: key ids, uses, states and modes.

use crate::error::{ErrorCode, Result, fixed};
use core::fmt;
use data_encoding::Encoding;
use data_encoding_macro::new_encoding;

/// RFC 4648 base32 in lower case without padding, the alphabet of key ids and index terms.
pub(crate) const BASE32: Encoding = new_encoding! { symbols: "abcdefghijklmnopqrstuvwxyz234567", };

/// How a term of a blind index begins.
pub(crate) const TERM_START: &str = "rx1.";
/// Characters of an index key's id that a term shows.
pub(crate) const TERM_ID_CHARS: usize = 8;
/// Bytes of a key id.
pub(crate) const KEY_ID_BYTES: usize = 20;
/// Characters of a key id as text.
pub(crate) const KEY_ID_CHARS: usize = 32;

/// A key's fingerprint: 20 bytes, computed from the key, as text 32 characters of base32.
///
/// # Example
/// ```
/// use reseal::KeyId;
/// let id = KeyId::parse("wnhox5tzdzqv34o4so5ged4ck7arqvma")?;
/// assert_eq!(id.to_string(), "wnhox5tzdzqv34o4so5ged4ck7arqvma");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Spec
/// Section 1.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct KeyId(pub(crate) [u8; KEY_ID_BYTES]);

impl KeyId {
    /// The key id that a text of exactly 32 characters `[a-z2-7]` names.
    ///
    /// # Errors
    /// `invalid-argument` for any other text.
    pub fn parse(text: &str) -> Result<Self> {
        Self::decode(text.as_bytes()).ok_or_else(|| {
            fixed(
                ErrorCode::InvalidArgument,
                "a key id is 32 characters of a to z and 2 to 7, as `inspect` shows it: was it cut?",
            )
        })
    }

    /// The 20 bytes of the id, as they stand in an envelope.
    #[must_use]
    pub const fn as_bytes(&self) -> &[u8; KEY_ID_BYTES] {
        &self.0
    }

    /// The 32 characters of the id, as bytes.
    pub(crate) fn encode(&self) -> [u8; KEY_ID_CHARS] {
        let mut text = [0; KEY_ID_CHARS];
        BASE32.encode_mut(&self.0, &mut text);
        text
    }

    /// Whether the terms of two index keys would name their key alike (section 8).
    pub(crate) fn same_term_prefix(&self, other: Self) -> bool {
        // 8 characters of base32 are 5 bytes.
        self.0.first_chunk::<5>() == other.0.first_chunk::<5>()
    }

    pub(crate) fn decode(text: &[u8]) -> Option<Self> {
        let mut id = [0; KEY_ID_BYTES];
        if text.len() != KEY_ID_CHARS {
            return None;
        }
        BASE32.decode_mut(text, &mut id).ok()?;
        Some(Self(id))
    }
}

impl fmt::Display for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(core::str::from_utf8(&self.encode()).unwrap_or_default())
    }
}

impl fmt::Debug for KeyId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "KeyId({self})")
    }
}

/// What a key is for; it is part of the key and never changes.
///
/// # Spec
/// Section 1.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum KeyUse {
    /// Seals and opens values.
    Data,
    /// Makes blind-index terms.
    Index,
    /// Wraps other keys.
    Kek,
}

impl KeyUse {
    /// `data`, `index` or `kek`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Data => "data",
            Self::Index => "index",
            Self::Kek => "kek",
        }
    }

    /// The use that a word names.
    ///
    /// # Errors
    /// `invalid-argument` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "data" => Ok(Self::Data),
            "index" => Ok(Self::Index),
            "kek" => Ok(Self::Kek),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "a key use is one of data, index and kek",
            )),
        }
    }
}

/// What a key of a ring may do at the moment.
///
/// # Spec
/// Section 10.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum KeyState {
    /// Opens, does not seal yet.
    Introduced,
    /// Seals and opens.
    Primary,
    /// Opens, seals no longer.
    DecryptOnly,
    /// Neither seals nor opens, but could be enabled again.
    Disabled,
    /// Gone for good; only its id is remembered.
    Destroyed,
}

impl KeyState {
    /// `introduced`, `primary`, `decrypt_only`, `disabled` or `destroyed`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Introduced => "introduced",
            Self::Primary => "primary",
            Self::DecryptOnly => "decrypt_only",
            Self::Disabled => "disabled",
            Self::Destroyed => "destroyed",
        }
    }

    /// Whether a key in this state opens values.
    #[must_use]
    pub const fn opens(self) -> bool {
        matches!(self, Self::Introduced | Self::Primary | Self::DecryptOnly)
    }
}

/// How a value is sealed.
///
/// # Spec
/// Section 2.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
pub enum Mode {
    /// A fresh nonce for every value: the default.
    #[default]
    Random,
    /// One envelope for one (key, context, plaintext): equality search and UNIQUE work, and
    /// whoever reads the column sees which values are equal.
    Deterministic,
    /// Random, and the length is hidden up to a bucket of at least 32 bytes.
    Padded,
}

impl Mode {
    /// `random`, `deterministic` or `padded`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Random => "random",
            Self::Deterministic => "deterministic",
            Self::Padded => "padded",
        }
    }

    /// The mode that a word names.
    ///
    /// # Errors
    /// `invalid-argument` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "random" => Ok(Self::Random),
            "deterministic" => Ok(Self::Deterministic),
            "padded" => Ok(Self::Padded),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "a mode is one of random, deterministic and padded",
            )),
        }
    }

    pub(crate) const fn byte(self) -> u8 {
        match self {
            Self::Random => 1,
            Self::Deterministic => 2,
            Self::Padded => 3,
        }
    }

    pub(crate) const fn from_byte(byte: u8) -> Option<Self> {
        match byte {
            1 => Some(Self::Random),
            2 => Some(Self::Deterministic),
            3 => Some(Self::Padded),
            _ => None,
        }
    }
}
