//! What encrypts: keys of the settings, or those of a single field.

use crate::error::{Error, ErrorCode, Result, fixed};
use alloc::vec::Vec;
use core::fmt;
use hmac::EagerHash;
use md5::Md5;
use reseal_primitives::{BLOCK_BYTES, Cbc128, Cbc256};
use sha2::{Sha256, Sha512_256};
use zeroize::Zeroizing;

const ROUNDS: u32 = 30_000;

/// What the values of a field are encrypted under. Their MAC is under `SECRET_KEY` in any case.
///
/// # Example
/// ```
/// use reseal::codec::{DjangoCryptography, DjangoKeys};
/// let keys = DjangoKeys::Field(&[b"a key of 32 bytes, used as it is"]);
/// let codec = DjangoCryptography::new(&["a secret key"], &keys)?;
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy)]
pub enum DjangoKeys<'k> {
    /// What the settings have: keys by 30,000 rounds of PBKDF2.
    Settings {
        /// Those of `CRYPTOGRAPHY_KEY`; where there is none, `SECRET_KEY` takes its place.
        cryptography_keys: &'k [&'k str],
        /// `CRYPTOGRAPHY_SALT`.
        salt: &'k str,
        /// `CRYPTOGRAPHY_DIGEST`.
        digest: DjangoDigest,
    },
    /// What `key=` of `encrypt(…)` has, as it stands: 16 or 32 bytes. The first one seals.
    Field(&'k [&'k [u8]]),
}

/// Settings that say nothing.
impl Default for DjangoKeys<'_> {
    fn default() -> Self {
        Self::Settings {
            cryptography_keys: &[],
            salt: Self::SALT,
            digest: DjangoDigest::default(),
        }
    }
}

/// How many keys there are.
impl fmt::Debug for DjangoKeys<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Settings {
                cryptography_keys,
                digest,
                ..
            } => f
                .debug_struct("Settings")
                .field("cryptography_keys", &cryptography_keys.len())
                .field("digest", digest)
                .finish_non_exhaustive(),
            Self::Field(keys) => f.debug_tuple("Field").field(&keys.len()).finish(),
        }
    }
}

impl DjangoKeys<'_> {
    /// `CRYPTOGRAPHY_SALT` where the settings name none.
    pub const SALT: &'static str = "django-cryptography";

    /// # Errors
    /// `invalid-argument` for a list of no keys; `invalid-key`; `format-unsupported` for AES-192.
    pub(super) fn ciphers(&self, secrets: &[&str]) -> Result<Vec<Cipher>> {
        match *self {
            Self::Field([]) => Err(fixed(
                ErrorCode::InvalidArgument,
                "a field of django-cryptography has at least one key, or none of its own at all",
            )),
            Self::Field(keys) => keys.iter().map(|key| Cipher::of_field(key)).collect(),
            Self::Settings {
                cryptography_keys,
                salt,
                digest,
            } => {
                let encrypting = if cryptography_keys.is_empty() {
                    secrets
                } else {
                    cryptography_keys
                };
                let derived = |secret: &&str| digest.derive(secret, salt);
                encrypting.iter().map(derived).collect()
            }
        }
    }
}

/// `CRYPTOGRAPHY_DIGEST`, whose length is that of the key.
///
/// # Example
/// ```
/// use reseal::{ErrorCode, codec::DjangoDigest};
/// assert_eq!(DjangoDigest::parse("sha256")?, DjangoDigest::default());
/// // The library makes keys of 48 bytes with it, and AES takes none of them.
/// let error = DjangoDigest::parse("sha384").unwrap_err();
/// assert_eq!(error.code(), ErrorCode::InvalidArgument);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum DjangoDigest {
    /// `SHA256()`, the default.
    #[default]
    Sha256,
    /// `SHA512_256()`.
    Sha512_256,
    /// `MD5()`, under which values are those of AES-128.
    Md5,
}

impl DjangoDigest {
    /// Every digest by name.
    pub const ALL: [(&str, Self); 3] = [
        ("sha256", Self::Sha256),
        ("sha512-256", Self::Sha512_256),
        ("md5", Self::Md5),
    ];

    /// The digest of a name: `sha256`, `sha512-256` or `md5`.
    ///
    /// # Errors
    /// `format-unsupported` for one that django-cryptography can use and that is not read here;
    /// `invalid-argument` for all others: their keys have no length of AES, so that there are no values.
    pub fn parse(name: &str) -> Result<Self> {
        if let Some((_, digest)) = Self::ALL.iter().find(|(known, _)| *known == name) {
            return Ok(*digest);
        }
        match name {
            "sha3-256" | "blake2s" | "sm3" => Err(fixed(
                ErrorCode::FormatUnsupported,
                "values of django-cryptography under SHA3-256, BLAKE2s and SM3 are not read",
            )),
            _ => Err(fixed(
                ErrorCode::InvalidArgument,
                "the digest of django-cryptography is sha256, sha512-256 or md5: AES takes no key of the length of others",
            )),
        }
    }

    fn derive(self, secret: &str, salt: &str) -> Result<Cipher> {
        let cipher = match self {
            Self::Sha256 => Cipher::new(&*derived::<Sha256, 32>(secret, salt)),
            Self::Sha512_256 => Cipher::new(&*derived::<Sha512_256, 32>(secret, salt)),
            Self::Md5 => Cipher::new(&*derived::<Md5, 16>(secret, salt)),
        };
        cipher.ok_or_else(no_key)
    }
}

fn derived<D, const N: usize>(secret: &str, salt: &str) -> Zeroizing<[u8; N]>
where
    D: EagerHash,
{
    let mut key = Zeroizing::new([0; N]);
    pbkdf2::pbkdf2_hmac::<D>(secret.as_bytes(), salt.as_bytes(), ROUNDS, &mut *key);
    key
}

/// AES-CBC under a key of one of its lengths.
pub(super) enum Cipher {
    Aes128(Cbc128),
    Aes256(Cbc256),
}

impl Cipher {
    fn new(key: &[u8]) -> Option<Self> {
        let long = Cbc256::new(key).map(Self::Aes256);
        long.or_else(|| Cbc128::new(key).map(Self::Aes128))
    }

    fn of_field(key: &[u8]) -> Result<Self> {
        const AES_192_BYTES: usize = 24;
        if key.len() == AES_192_BYTES {
            return Err(fixed(
                ErrorCode::FormatUnsupported,
                "values of django-cryptography under AES-192, a key of 24 bytes, are not read",
            ));
        }
        Self::new(key).ok_or_else(no_key)
    }

    pub(super) fn encrypt(&self, iv: [u8; BLOCK_BYTES], plaintext: &[u8]) -> Vec<u8> {
        match self {
            Self::Aes128(cipher) => cipher.encrypt(iv, plaintext),
            Self::Aes256(cipher) => cipher.encrypt(iv, plaintext),
        }
    }

    pub(super) fn decrypt(
        &self,
        iv: [u8; BLOCK_BYTES],
        ciphertext: &[u8],
    ) -> Option<Zeroizing<Vec<u8>>> {
        match self {
            Self::Aes128(cipher) => cipher.decrypt(iv, ciphertext),
            Self::Aes256(cipher) => cipher.decrypt(iv, ciphertext),
        }
    }
}

fn no_key() -> Error {
    fixed(
        ErrorCode::InvalidKey,
        "the key of a field of django-cryptography has 16 or 32 bytes, as they stand: was it decoded?",
    )
}
