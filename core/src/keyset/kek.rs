//! Key-encrypting keys: where one comes from, and what it does.

use super::document::{Members, is_plain, malformed, wrong};
use crate::{
    error::{ErrorCode, Result, fixed},
    ids::KeyId,
    kdf::derive_key,
    key::Key,
    pae::pae,
    random::Entropy,
};
use alloc::{borrow::ToOwned, boxed::Box, format, string::String, vec::Vec};
use data_encoding::BASE64URL_NOPAD;
use reseal_primitives::{MacKey, Xaes};
use serde::ser::{Serialize, SerializeMap, Serializer};

/// The version 1.3 of Argon2, as it writes itself.
const ARGON2_VERSION: u32 = 19;
const SALT_BYTES: core::ops::RangeInclusive<usize> = 16..=32;
const BLOB_BYTES: core::ops::RangeInclusive<usize> = 1..=8192;
const MAX_PROVIDER_CHARS: usize = 32;
const MAX_REFERENCE_CHARS: usize = 1024;
/// A passphrase of fewer characters is guessed by whoever has a copy of the keyset.
#[cfg(feature = "passphrase")]
const MIN_PASSPHRASE_CHARS: usize = 12;

/// How a passphrase becomes a key-encrypting key: Argon2id, version 1.3, 32 bytes.
///
/// # Spec
/// Section 9, and RFC 9106.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Argon2id {
    memory_kib: u32,
    passes: u32,
    lanes: u32,
    salt: Vec<u8>,
}

impl Argon2id {
    /// 64 MiB, 3 passes, 1 lane and a fresh salt: the memory of the second recommendation of RFC
    /// 9106, in one lane, since no platform of this library has threads to share.
    ///
    /// # Errors
    /// `random-unavailable`.
    pub fn generate(entropy: &mut impl Entropy) -> Result<Self> {
        let mut salt = [0; 16];
        entropy.fill(&mut salt)?;
        Self::new(65_536, 3, 1, &salt)
    }

    /// Memory in KiB (19456 to 1048576), passes (2 to 10), lanes (1 to 16) and a salt of 16 to 32
    /// bytes.
    ///
    /// # Errors
    /// `invalid-argument` outside these ranges.
    pub fn new(memory_kib: u32, passes: u32, lanes: u32, salt: &[u8]) -> Result<Self> {
        let argon2id = Self {
            memory_kib,
            passes,
            lanes,
            salt: salt.to_owned(),
        };
        if argon2id.is_allowed() {
            return Ok(argon2id);
        }
        Err(fixed(
            ErrorCode::InvalidArgument,
            "argon2id takes 19456 to 1048576 KiB of memory, 2 to 10 passes, 1 to 16 lanes and a salt of 16 to 32 bytes",
        ))
    }

    /// Memory in KiB.
    #[must_use]
    pub const fn memory_kib(&self) -> u32 {
        self.memory_kib
    }

    /// Passes over the memory.
    #[must_use]
    pub const fn passes(&self) -> u32 {
        self.passes
    }

    /// Lanes, which are computed one after another here.
    #[must_use]
    pub const fn lanes(&self) -> u32 {
        self.lanes
    }

    /// The salt, 16 to 32 bytes.
    #[must_use]
    pub fn salt(&self) -> &[u8] {
        &self.salt
    }

    /// The key-encrypting key of a passphrase, taken as it is.
    ///
    /// # Errors
    /// `invalid-key` for an empty passphrase; `source-unreadable` where the memory cannot be had.
    #[cfg(feature = "passphrase")]
    pub fn derive(&self, passphrase: &[u8]) -> Result<Key> {
        use crate::{KEY_BYTES, KeyUse};
        use argon2::{Algorithm, Argon2, Block, Params, Version};
        use reseal_primitives::Secret32;
        if passphrase.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidKey,
                "the passphrase is empty: is the variable or the file empty?",
            ));
        }
        let params = Params::new(self.memory_kib, self.passes, self.lanes, Some(KEY_BYTES));
        let mut derived = Secret32([0; KEY_BYTES]);
        // Memory of our own, since what is left in it leads to the key.
        let mut memory = zeroize::Zeroizing::new(Vec::new());
        let done = params.and_then(|params| {
            let blocks = params.block_count();
            let room = memory.try_reserve_exact(blocks);
            room.map_err(|_| argon2::Error::OutOfMemory)?;
            memory.resize(blocks, Block::default());
            let argon2 = Argon2::new(Algorithm::Argon2id, Version::V0x13, params);
            let (salt, derived) = (&self.salt, &mut derived.0);
            argon2.hash_password_into_with_memory(passphrase, salt, derived, &mut **memory)
        });
        match done {
            Ok(()) => Key::from_bytes(KeyUse::Kek, &derived.0),
            Err(_) => Err(crate::Error::new(
                ErrorCode::SourceUnreadable,
                format!(
                    "the passphrase of this keyset takes {} MiB of memory, which is not to be had",
                    self.memory_kib / 1024
                ),
            )),
        }
    }

    fn is_allowed(&self) -> bool {
        (19_456..=1_048_576).contains(&self.memory_kib)
            && (2..=10).contains(&self.passes)
            && (1..=16).contains(&self.lanes)
            && SALT_BYTES.contains(&self.salt.len())
    }
}

/// A key-encrypting key that a key service keeps: the service turns the blob into the key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ExternalKek {
    /// The service: 1 to 32 characters, `[a-z][a-z0-9_-]*`.
    pub provider: String,
    /// Which key of the service: up to 1024 characters.
    pub reference: String,
    /// The wrapped key: 1 to 8192 bytes.
    pub blob: Vec<u8>,
}

impl ExternalKek {
    pub(super) fn is_allowed(&self) -> bool {
        let mut name = self.provider.bytes();
        let inside = |c: u8| matches!(c, b'a'..=b'z' | b'0'..=b'9' | b'_' | b'-');
        self.provider.len() <= MAX_PROVIDER_CHARS
            && name.next().is_some_and(|c| c.is_ascii_lowercase())
            && name.all(inside)
            && is_plain(&self.reference, MAX_REFERENCE_CHARS)
            && BLOB_BYTES.contains(&self.blob.len())
    }
}

/// Where a key-encrypting key comes from.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum KekSource {
    /// A key text.
    Key,
    Passphrase(Argon2id),
    External(ExternalKek),
}

impl KekSource {
    pub(super) const fn argon2id(&self) -> Option<&Argon2id> {
        match self {
            Self::Passphrase(argon2id) => Some(argon2id),
            _ => None,
        }
    }

    pub(super) const fn external(&self) -> Option<&ExternalKek> {
        match self {
            Self::External(external) => Some(external),
            _ => None,
        }
    }

    pub(super) fn read(mut members: Members) -> Result<Self> {
        let source = match members.text("name")?.as_str() {
            "argon2id" => {
                let version = u64::from(ARGON2_VERSION);
                members.integer("version", version..=version)?;
                let argon2id = Argon2id {
                    memory_kib: members.small("memory_kib", 0..=u32::MAX)?,
                    passes: members.small("passes", 0..=u32::MAX)?,
                    lanes: members.small("lanes", 0..=u32::MAX)?,
                    salt: members.bytes("salt", SALT_BYTES)?,
                };
                if !argon2id.is_allowed() {
                    return Err(malformed("its argon2id takes too much, or too little"));
                }
                Self::Passphrase(argon2id)
            }
            "external" => {
                let external = ExternalKek {
                    provider: members.text("provider")?,
                    reference: members.text("ref")?,
                    blob: members.bytes("blob", BLOB_BYTES)?,
                };
                if !external.is_allowed() {
                    return Err(malformed("a provider or a ref has not its shape"));
                }
                Self::External(external)
            }
            _ => return Err(wrong("source")),
        };
        members.end()?;
        Ok(source)
    }

    /// SRC of the MAC.
    pub(super) fn canon(&self) -> Vec<u8> {
        match self {
            Self::Key => Vec::new(),
            Self::Passphrase(argon2id) => {
                let Argon2id {
                    memory_kib,
                    passes,
                    lanes,
                    salt,
                } = argon2id;
                pae(&[
                    b"argon2id",
                    format!("{ARGON2_VERSION}").as_bytes(),
                    format!("{memory_kib}").as_bytes(),
                    format!("{passes}").as_bytes(),
                    format!("{lanes}").as_bytes(),
                    BASE64URL_NOPAD.encode(salt).as_bytes(),
                ])
            }
            Self::External(external) => pae(&[
                b"external",
                external.provider.as_bytes(),
                external.reference.as_bytes(),
                BASE64URL_NOPAD.encode(&external.blob).as_bytes(),
            ]),
        }
    }
}

impl Serialize for KekSource {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        let mut map = match self {
            Self::Key => return serializer.serialize_unit(),
            _ => serializer.serialize_map(None)?,
        };
        if let Some(argon2id) = self.argon2id() {
            map.serialize_entry("name", "argon2id")?;
            map.serialize_entry("version", &ARGON2_VERSION)?;
            map.serialize_entry("memory_kib", &argon2id.memory_kib)?;
            map.serialize_entry("passes", &argon2id.passes)?;
            map.serialize_entry("lanes", &argon2id.lanes)?;
            map.serialize_entry("salt", &BASE64URL_NOPAD.encode(&argon2id.salt))?;
        }
        if let Some(external) = self.external() {
            map.serialize_entry("name", "external")?;
            map.serialize_entry("provider", &external.provider)?;
            map.serialize_entry("ref", &external.reference)?;
            map.serialize_entry("blob", &BASE64URL_NOPAD.encode(&external.blob))?;
        }
        map.end()
    }
}

/// A key-encrypting key that a keyset is to be wrapped under.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, NewKek, OsEntropy};
/// let kek = NewKek::key(Key::generate(KeyUse::Kek, &mut OsEntropy)?)?;
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Debug)]
pub struct NewKek {
    pub(super) key: Key,
    pub(super) source: KekSource,
}

impl NewKek {
    /// A key that is given as a key text wherever the keyset is loaded.
    ///
    /// # Errors
    /// `key-wrong-use` for a data or index key.
    pub fn key(key: Key) -> Result<Self> {
        Self::new(key, KekSource::Key)
    }

    /// That a passphrase is long enough for a new key: 12 characters. One that opens a keyset already
    /// is taken as it is.
    ///
    /// # Errors
    /// `invalid-argument`.
    #[cfg(feature = "passphrase")]
    pub fn check_passphrase(passphrase: &[u8]) -> Result<()> {
        // Every byte of UTF-8 that does not go on with a character.
        let chars = passphrase.iter().filter(|byte| **byte & 0xC0 != 0x80);
        if chars.count() >= MIN_PASSPHRASE_CHARS {
            return Ok(());
        }
        Err(fixed(
            ErrorCode::InvalidArgument,
            "a new passphrase has at least 12 characters: take several words",
        ))
    }

    /// The key of a passphrase, with a fresh salt.
    ///
    /// # Errors
    /// As [`NewKek::check_passphrase`], [`Argon2id::generate`] and [`Argon2id::derive`].
    #[cfg(feature = "passphrase")]
    pub fn passphrase(passphrase: &[u8], entropy: &mut impl Entropy) -> Result<Self> {
        Self::check_passphrase(passphrase)?;
        let argon2id = Argon2id::generate(entropy)?;
        Self::derived(argon2id.derive(passphrase)?, argon2id)
    }

    /// A key that `Argon2id::derive` gave elsewhere, with the same parameters, for a passphrase that
    /// was checked there.
    ///
    /// # Errors
    /// `key-wrong-use`.
    pub fn derived(key: Key, argon2id: Argon2id) -> Result<Self> {
        Self::new(key, KekSource::Passphrase(argon2id))
    }

    /// A key that a key service unwraps wherever the keyset is loaded.
    ///
    /// # Errors
    /// `key-wrong-use`; `invalid-argument` where a part of `external` has not its shape.
    pub fn external(key: Key, external: ExternalKek) -> Result<Self> {
        if !external.is_allowed() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a provider is 1 to 32 characters of a-z, 0-9, _ and -, beginning with a letter; a reference has up to 1024 characters, none of them a control character; a blob has 1 to 8192 bytes",
            ));
        }
        Self::new(key, KekSource::External(external))
    }

    fn new(key: Key, source: KekSource) -> Result<Self> {
        check_use(&key)?;
        Ok(Self { key, source })
    }
}

pub(super) fn check_use(key: &Key) -> Result<()> {
    if key.key_use() == crate::KeyUse::Kek {
        return Ok(());
    }
    Err(fixed(
        ErrorCode::KeyWrongUse,
        "a keyset is wrapped under a key-encrypting key (rsk1.kek.): this key has another use",
    ))
}

/// A key-encrypting key at work.
#[derive(Debug)]
pub(super) struct Kek {
    pub(super) id: KeyId,
    pub(super) wrap: Box<Xaes>,
    pub(super) mac: Box<MacKey>,
    /// For nonces of indirect entropy, as for values (section 7).
    pub(super) hedge: Box<MacKey>,
}

impl Kek {
    pub(super) fn new(key: &Key) -> Result<Self> {
        check_use(key)?;
        Ok(Self {
            id: key.id(),
            wrap: Box::new(Xaes::new(&derive_key(key.secret(), "kek/wrap"))),
            mac: Box::new(MacKey::new(&derive_key(key.secret(), "kek/mac"))),
            hedge: Box::new(MacKey::new(&derive_key(key.secret(), "kek/hedge"))),
        })
    }
}
