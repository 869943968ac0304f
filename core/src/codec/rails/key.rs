//! Derived keys: one computation per key text and digest, then kept.

use super::message::{IV_BYTES, Sealed};
use crate::{
    codec::hedge::Hedge,
    error::{Result, auth_failed},
    random::Entropy,
};
use alloc::{format, string::String, vec::Vec};
use reseal_primitives::{Gcm, MacKey, Secret32};
use sha1::{Digest, Sha1};
use sha2::Sha256;
use zeroize::Zeroizing;

/// What `ActiveSupport::KeyGenerator` takes when nobody says otherwise.
const ITERATIONS: u32 = 1 << 16;

/// The digest that derives keys from key texts: `hash_digest_class` of Rails.
///
/// # Example
/// ```
/// use reseal::codec::RailsDigest;
/// assert_eq!(RailsDigest::parse("SHA1")?, RailsDigest::Sha1);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum RailsDigest {
    /// The default up to `load_defaults 7.0`; there only for what is not deterministic.
    Sha1,
    /// The default from `load_defaults 7.1` on.
    Sha256,
}

impl RailsDigest {
    /// The digest of a name: `sha1` or `sha256`, in capital or small letters.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        match name {
            "sha1" | "SHA1" => Ok(Self::Sha1),
            "sha256" | "SHA256" => Ok(Self::Sha256),
            _ => Err(super::bad_option("the digest of Rails is sha1 or sha256")),
        }
    }

    fn derive(self, text: &str, salt: &str) -> Secret32 {
        let (text, salt) = (text.as_bytes(), salt.as_bytes());
        let mut key = Secret32([0; 32]);
        match self {
            Self::Sha1 => pbkdf2::pbkdf2_hmac::<Sha1>(text, salt, ITERATIONS, &mut key.0),
            Self::Sha256 => pbkdf2::pbkdf2_hmac::<Sha256>(text, salt, ITERATIONS, &mut key.0),
        }
        key
    }
}

/// A key as Rails uses it.
#[derive(Debug)]
pub(super) struct DerivedKey {
    reference: String,
    gcm: Gcm,
    mac: MacKey,
    hedge: Hedge,
}

impl DerivedKey {
    /// The key of a key text, which is taken as it is.
    pub(super) fn new(text: &str, salt: &str, digest: RailsDigest) -> Self {
        let key = digest.derive(text, salt);
        let [first, second, ..]: [u8; 20] = Sha1::digest(key.0).into();
        Self {
            reference: format!("{first:02x}{second:02x}"),
            gcm: Gcm::new(&key),
            mac: MacKey::new(&key),
            hedge: Hedge::new(&key.0),
        }
    }

    /// How Rails names the key: 4 digits, which two keys may share.
    pub(super) fn reference(&self) -> &str {
        &self.reference
    }

    /// The IV of a deterministic value with this body.
    pub(super) fn iv_of(&self, body: &[u8]) -> [u8; IV_BYTES] {
        let mac = self.mac.mac(&[body]);
        mac.first_chunk().copied().unwrap_or_default()
    }

    /// The IV of any other value with this body, or of a data key.
    pub(super) fn draw_iv(&self, body: &[u8], entropy: &mut dyn Entropy) -> Result<[u8; IV_BYTES]> {
        self.hedge.draw(body, entropy)
    }

    /// Decrypts `buffer` in place; it stays as it is where this is not its key.
    pub(super) fn open(&self, sealed: &Sealed, buffer: &mut [u8]) -> Result<()> {
        Ok(self.gcm.open(sealed.iv, &[], buffer, sealed.tag)?)
    }

    /// The data key of an envelope.
    pub(super) fn open_data_key(&self, sealed: &Sealed) -> Result<Gcm> {
        let mut buffer = Zeroizing::new(sealed.payload.clone());
        self.open(sealed, &mut buffer)?;
        let mut key = Secret32([0; 32]);
        if buffer.len() != key.0.len() {
            return Err(auth_failed());
        }
        key.0.copy_from_slice(&buffer);
        Ok(Gcm::new(&key))
    }

    pub(super) fn seal(&self, iv: [u8; IV_BYTES], body: Zeroizing<Vec<u8>>) -> Result<Sealed> {
        seal(&self.gcm, iv, body)
    }
}

/// Encrypts a body in place.
pub(super) fn seal(gcm: &Gcm, iv: [u8; IV_BYTES], mut body: Zeroizing<Vec<u8>>) -> Result<Sealed> {
    let tag = gcm.seal(iv, &[], &mut body)?;
    let payload = core::mem::take(&mut *body);
    Ok(Sealed { payload, iv, tag })
}
