//! What one `MB_ENCRYPTION_SECRET_KEY` encrypts: values with a tag, streams and data keys.

use super::{envelope::DataKey, shape::STREAM_HEADER_BYTES};
use crate::{
    codec::hedge::Hedge,
    error::{Error, ErrorCode, Result, fixed},
    random::Entropy,
};
use alloc::vec::Vec;
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use reseal_primitives::{BLOCK_BYTES, Cbc256, Gcm, Secret32};
use sha2::Sha512;
use zeroize::Zeroizing;

const MIN_CHARS: usize = 16;
const ROUNDS: u32 = 100_000;
const HALF_BYTES: usize = 32;
const TAG_BYTES: usize = 32;

/// The key of one `MB_ENCRYPTION_SECRET_KEY`.
#[derive(Clone)]
pub struct MetabaseKey {
    mac: Hmac<Sha512>,
    cipher: Cbc256,
    /// The half that the MAC uses is also the key that wraps data keys.
    wrapping: Secret32,
    hedge: Hedge,
}

impl MetabaseKey {
    /// The key of a secret: 100 000 rounds of PBKDF2 over the text as it stands. The base64 that
    /// the manual proposes is not decoded, and quotes or a line end would be part of it.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::MetabaseKey;
    /// let error = MetabaseKey::derive("fifteen-chars-x").unwrap_err();
    /// assert_eq!(error.code().as_str(), "invalid-key");
    /// ```
    ///
    /// # Errors
    /// `invalid-key` below 16 characters, as Metabase counts them (in UTF-16).
    pub fn derive(secret: &str) -> Result<Self> {
        if secret.encode_utf16().take(MIN_CHARS).count() < MIN_CHARS {
            return Err(invalid_key());
        }
        let mut derived = Zeroizing::new([0; 2 * HALF_BYTES]);
        pbkdf2::pbkdf2::<Hmac<Sha512>>(secret.as_bytes(), b"", ROUNDS, &mut *derived)
            .map_err(|_| invalid_key())?;
        let (first, second) = derived.split_at(HALF_BYTES);
        let mut wrapping = Secret32([0; HALF_BYTES]);
        wrapping.0.copy_from_slice(first);
        Ok(Self {
            mac: Hmac::new_from_slice(first).map_err(|_| invalid_key())?,
            cipher: Cbc256::new(second).ok_or_else(invalid_key)?,
            wrapping,
            hedge: Hedge::new(&*derived),
        })
    }

    /// Bytes of [`Self::seal`]; the padding of the block cipher is one byte at least.
    pub(super) fn sealed_len(plaintext_bytes: usize) -> Option<usize> {
        let ciphertext = (plaintext_bytes / BLOCK_BYTES + 1).checked_mul(BLOCK_BYTES)?;
        ciphertext.checked_add(BLOCK_BYTES + TAG_BYTES)
    }

    /// IV, ciphertext and tag.
    pub(super) fn seal(
        &self,
        plaintext: &[u8],
        aad: Option<&[u8]>,
        entropy: &mut dyn Entropy,
    ) -> Result<Vec<u8>> {
        let iv = self.hedge.draw(plaintext, entropy)?;
        let ciphertext = self.cipher.encrypt(iv, plaintext);
        let mut sealed = Vec::with_capacity(BLOCK_BYTES + ciphertext.len() + TAG_BYTES);
        sealed.extend_from_slice(&iv);
        sealed.extend_from_slice(&ciphertext);
        let tag = self.authenticate(&sealed, aad).finalize().into_bytes();
        sealed.extend_from_slice(tag.get(..TAG_BYTES).unwrap_or_default());
        Ok(sealed)
    }

    /// The plaintext of [`Self::seal`], once the tag is verified.
    pub(super) fn open(&self, sealed: &[u8], aad: Option<&[u8]>) -> Option<Zeroizing<Vec<u8>>> {
        let (signed, tag) = sealed.split_last_chunk::<TAG_BYTES>()?;
        self.authenticate(signed, aad)
            .verify_truncated_left(tag)
            .ok()?;
        let (iv, ciphertext) = signed.split_first_chunk()?;
        self.cipher.decrypt(*iv, ciphertext)
    }

    /// What a stream decrypts to. Nothing vouches for it: 1 of 256 wrong keys fits.
    pub(super) fn open_stream(&self, stream: &[u8]) -> Option<Zeroizing<Vec<u8>>> {
        let (iv, ciphertext) = stream.get(STREAM_HEADER_BYTES..)?.split_first_chunk()?;
        self.cipher.decrypt(*iv, ciphertext)
    }

    /// A data key of a row, where this key wrapped it.
    pub(super) fn data_key(&self, wrapped: &[u8]) -> Option<DataKey> {
        DataKey::from_wrapped(&Gcm::new(&self.wrapping), wrapped)
    }

    /// The bit length of the associated data is hashed at the end, but only where there is any.
    fn authenticate(&self, signed: &[u8], aad: Option<&[u8]>) -> Hmac<Sha512> {
        let mut mac = self.mac.clone();
        mac.update(aad.unwrap_or_default());
        mac.update(signed);
        if let Some(aad) = aad {
            let bits = u64::try_from(aad.len())
                .unwrap_or(u64::MAX)
                .saturating_mul(8);
            mac.update(&bits.to_be_bytes());
        }
        mac
    }
}

impl fmt::Debug for MetabaseKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MetabaseKey(hidden)")
    }
}

fn invalid_key() -> Error {
    fixed(
        ErrorCode::InvalidKey,
        "MB_ENCRYPTION_SECRET_KEY has at least 16 characters: was it cut, or is it another one?",
    )
}
