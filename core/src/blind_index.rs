//! Blind indexes: terms of equality for columns that are sealed in mode random.

use crate::{
    context::{Context, check_name},
    error::{ErrorCode, Result, fixed},
    ids::{BASE32, TERM_ID_CHARS, TERM_START},
    key::IndexKey,
    pae::pae,
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

const MIN_BITS: u16 = 8;
const MAX_BITS: u16 = 256;

/// What two values must have in common to count as equal.
///
/// # Spec
/// Section 8.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum Normalizer {
    /// Every byte counts.
    #[default]
    Raw,
    /// White space around the value and the case of A to Z do not count.
    AsciiLowerTrim,
    /// Only the digits 0 to 9 count.
    Digits,
}

impl Normalizer {
    /// `raw`, `ascii-lower-trim` or `digits`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Raw => "raw",
            Self::AsciiLowerTrim => "ascii-lower-trim",
            Self::Digits => "digits",
        }
    }

    /// The normalizer that a word names.
    ///
    /// # Errors
    /// `invalid-argument` for another word.
    pub fn parse(word: &str) -> Result<Self> {
        match word {
            "raw" => Ok(Self::Raw),
            "ascii-lower-trim" => Ok(Self::AsciiLowerTrim),
            "digits" => Ok(Self::Digits),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "a normalizer is one of raw, ascii-lower-trim and digits",
            )),
        }
    }

    fn apply(self, value: &[u8]) -> Zeroizing<Vec<u8>> {
        // With room for all of it from the start: a vector that grows leaves copies behind.
        let mut normal = Zeroizing::new(Vec::with_capacity(value.len()));
        match self {
            Self::Raw => normal.extend_from_slice(value),
            Self::AsciiLowerTrim => {
                normal.extend_from_slice(trim(value));
                normal.make_ascii_lowercase();
            }
            Self::Digits => normal.extend(value.iter().filter(|byte| byte.is_ascii_digit())),
        }
        normal
    }
}

/// A blind index: its name, its normalizer and how many bits of the hash it keeps.
///
/// # Example
/// ```
/// use reseal::{BlindIndex, Context, Key, KeyUse, Keyring, Normalizer, OsEntropy};
/// let ring = Keyring::builder().primary(Key::generate(KeyUse::Index, &mut OsEntropy)?).build()?;
/// let email = BlindIndex::new("email_eq", Normalizer::AsciiLowerTrim, 64)?;
/// let ctx = Context::new().with("table", "users")?.with("column", "email")?;
/// let term = ring.index_term(b"Ann@example.com", &ctx, &email)?; // stored beside the value
/// assert!(ring.index_terms(b"ann@example.com ", &ctx, &email)?.contains(&term)); // the query
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Security
/// A term shows which values are equal. Fewer bits make more false hits, so hits are verified
/// after opening, and an observer learns less.
///
/// # Spec
/// Section 8.
#[derive(Clone, PartialEq, Eq)]
pub struct BlindIndex {
    name: String,
    normalizer: Normalizer,
    bits: u16,
}

impl BlindIndex {
    /// An index with a name as of a context pair, and 8 to 256 bits.
    ///
    /// # Errors
    /// `invalid-argument` for another name or number of bits.
    pub fn new(name: &str, normalizer: Normalizer, bits: u16) -> Result<Self> {
        check_name(name).map_err(|_| {
            fixed(
                ErrorCode::InvalidArgument,
                "an index name is 1 to 32 characters of a-z, 0-9 and _, starts with a letter and not with rs_",
            )
        })?;
        if !(MIN_BITS..=MAX_BITS).contains(&bits) {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a blind index keeps 8 to 256 bits",
            ));
        }
        Ok(Self {
            name: name.into(),
            normalizer,
            bits,
        })
    }

    /// Its name.
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// How many characters each term has.
    #[cfg(feature = "job")]
    pub(crate) fn term_chars(&self) -> usize {
        let tag = BASE32.encode_len(usize::from(self.bits.div_ceil(8)));
        TERM_START.len() + TERM_ID_CHARS + 1 + tag
    }

    /// The term of a value under one key.
    pub(crate) fn term(&self, key: &IndexKey, value: &[u8], context: &Context) -> String {
        let mut term = String::from(TERM_START);
        term.extend(
            key.id
                .encode()
                .iter()
                .take(TERM_ID_CHARS)
                .map(|c| char::from(*c)),
        );
        term.push('.');
        BASE32.encode_append(&self.tag(key, value, context), &mut term);
        term
    }

    fn tag(&self, key: &IndexKey, value: &[u8], context: &Context) -> Vec<u8> {
        let bits = alloc::format!("{}", self.bits);
        let fields: [&[u8]; 4] = [
            context.as_bytes(),
            self.name.as_bytes(),
            self.normalizer.as_str().as_bytes(),
            bits.as_bytes(),
        ];
        let index_key = reseal_primitives::Secret32(key.root.mac(&[b"rs1\0bidx\0", &pae(&fields)]));
        let hash = reseal_primitives::MacKey::new(&index_key).mac(&[&self.normalizer.apply(value)]);
        let mut tag = hash.to_vec();
        tag.truncate(usize::from(self.bits.div_ceil(8)));
        if let Some(last) = tag.last_mut() {
            *last &= 0xFF << ((8 - self.bits % 8) % 8);
        }
        tag
    }
}

impl fmt::Debug for BlindIndex {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            name,
            normalizer,
            bits,
        } = self;
        write!(
            f,
            "BlindIndex({name}, {}, {bits} bits)",
            normalizer.as_str()
        )
    }
}

/// 09 to 0D and 20 at both ends.
fn trim(mut value: &[u8]) -> &[u8] {
    while let [b'\t'..=b'\r' | b' ', rest @ ..] | [rest @ .., b'\t'..=b'\r' | b' '] = value {
        value = rest;
    }
    value
}
