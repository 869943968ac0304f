//! AES-256-GCM of n8n, version 1: the version, 32 bytes of salt, the tag, the ciphertext. Key and
//! IV come from the data key and the salt by HKDF-SHA-256.

use super::{
    super::{base64, hedge::Hedge, malformed},
    value::{decode, too_large},
};
use crate::{
    envelope::MAX_PLAINTEXT_BYTES,
    error::{ErrorCode, Result, auth_failed, fixed},
    random::Entropy,
};
use alloc::{string::String, vec::Vec};
use data_encoding::HEXLOWER_PERMISSIVE;
use hkdf::Hkdf;
use reseal_primitives::{Gcm, IV_BYTES, Secret32, TAG_BYTES};
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

const VERSION: u8 = 1;
const SALT_BYTES: usize = 32;
const TAG_AT: usize = 1 + SALT_BYTES;
const HEADER_BYTES: usize = TAG_AT + TAG_BYTES;
const KEY_BYTES: usize = 32;
/// Hexadecimal digits of a key.
const KEY_DIGITS: usize = 2 * KEY_BYTES;
const INFO: &[u8] = b"n8n-encryption-v1";

/// A data key, or the key that wraps data keys.
#[derive(Clone, Debug)]
pub(super) struct GcmKey {
    secret: Secret32,
    hedge: Hedge,
}

impl GcmKey {
    /// The key of 64 hexadecimal digits.
    pub(super) fn from_hex(text: &str) -> Option<Self> {
        if text.len() != KEY_DIGITS {
            return None;
        }
        let mut key = Secret32([0; KEY_BYTES]);
        HEXLOWER_PERMISSIVE
            .decode_mut(text.as_bytes(), &mut key.0)
            .ok()?;
        Some(Self::new(key))
    }

    /// The key that wraps data keys: the hash of an instance key, in UTF-8.
    pub(super) fn wrapping(instance_key: &str) -> Self {
        let mut key = Secret32([0; KEY_BYTES]);
        Sha256::new_with_prefix(instance_key).finalize_into((&mut key.0).into());
        Self::new(key)
    }

    fn new(secret: Secret32) -> Self {
        let hedge = Hedge::new(&secret.0);
        Self { secret, hedge }
    }

    /// The text of a blob.
    pub(super) fn seal(&self, plaintext: &[u8], entropy: &mut dyn Entropy) -> Result<String> {
        let salt = self.hedge.draw(plaintext, entropy)?;
        let (cipher, iv) = self.cipher(&salt)?;
        let mut bytes = Zeroizing::new(Vec::with_capacity(HEADER_BYTES + plaintext.len()));
        bytes.push(VERSION);
        bytes.extend_from_slice(&salt);
        bytes.extend_from_slice(&[0; TAG_BYTES]);
        bytes.extend_from_slice(plaintext);
        let (header, ciphertext) = bytes.split_at_mut(HEADER_BYTES);
        let tag = cipher.seal(iv, b"", ciphertext)?;
        for (to, from) in header.iter_mut().skip(TAG_AT).zip(tag) {
            *to = from;
        }
        Ok(base64::encode(&bytes))
    }

    /// # Errors
    /// `auth-failed`.
    pub(super) fn open(&self, blob: &Blob) -> Result<Zeroizing<Vec<u8>>> {
        let (cipher, iv) = self.cipher(&blob.salt)?;
        let mut buffer = Zeroizing::new(blob.ciphertext().to_vec());
        cipher.open(iv, b"", &mut buffer, blob.tag)?;
        Ok(buffer)
    }

    fn cipher(&self, salt: &[u8; SALT_BYTES]) -> Result<(Gcm, [u8; IV_BYTES])> {
        let mut derived = Zeroizing::new([0; KEY_BYTES + IV_BYTES]);
        Hkdf::<Sha256>::new(Some(salt), &self.secret.0)
            .expand(INFO, &mut *derived)
            .map_err(|_| auth_failed())?;
        let (key, iv) = derived
            .split_first_chunk::<KEY_BYTES>()
            .ok_or_else(auth_failed)?;
        let iv = iv.first_chunk().ok_or_else(auth_failed)?;
        Ok((Gcm::new(&Secret32(*key)), *iv))
    }
}

/// Characters of a blob of so many bytes.
pub(super) fn sealed_len(plaintext_bytes: usize) -> Option<usize> {
    base64::encoded_len(plaintext_bytes.checked_add(HEADER_BYTES)?)
}

/// Whether a text is a data key as n8n makes them.
pub(super) fn is_key_text(text: &str) -> bool {
    text.len() == KEY_DIGITS && text.bytes().all(|byte| byte.is_ascii_hexdigit())
}

/// The bytes of a blob of the right shape.
pub(super) struct Blob {
    bytes: Vec<u8>,
    salt: [u8; SALT_BYTES],
    tag: [u8; TAG_BYTES],
    /// Whether n8n would write it with these characters.
    pub(super) exact: bool,
}

impl Blob {
    /// # Errors
    /// `malformed`, `format-unsupported`, `too-large`.
    pub(super) fn parse(body: &str, lenient: bool) -> Result<Self> {
        let (bytes, exact) = decode(body, lenient)?;
        if bytes.first().is_some_and(|version| *version != VERSION) {
            return Err(fixed(
                ErrorCode::FormatUnsupported,
                "n8n's AES-256-GCM is read in version 1, and this body says another one",
            ));
        }
        let salt = bytes.get(1..).and_then(<[u8]>::first_chunk);
        let tag = bytes.get(TAG_AT..).and_then(<[u8]>::first_chunk);
        let (Some(salt), Some(tag)) = (salt.copied(), tag.copied()) else {
            return Err(malformed("this AES-256-GCM body of n8n is cut"));
        };
        if bytes.len() > HEADER_BYTES + MAX_PLAINTEXT_BYTES {
            return Err(too_large());
        }
        Ok(Self {
            bytes,
            salt,
            tag,
            exact,
        })
    }

    fn ciphertext(&self) -> &[u8] {
        self.bytes.get(HEADER_BYTES..).unwrap_or_default()
    }
}
