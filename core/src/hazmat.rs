//! The parts below the public face, for test vectors only: fixed nonces and bare primitives.
//!
//! # Security
//! Nothing here is safe to use for real values, and no package of this project contains it.

use crate::{
    error::{ErrorCode, Result, fixed},
    key::Key,
    random::{Entropy, EntropyKind},
};
use alloc::{string::String, vec, vec::Vec};
use hmac::{KeyInit, Mac};
use reseal_primitives::{Gcm, Secret32, Xaes};

/// `D(K, label, 32)` of section 1.
#[must_use]
pub fn derive(key: &Key, label: &str) -> [u8; 32] {
    crate::kdf::derive_key(key.secret(), label).0
}

/// XAES-256-GCM with a nonce of 24 bytes; the tag follows the ciphertext.
///
/// # Errors
/// `too-large`.
pub fn xaes_seal(key: [u8; 32], nonce: &[u8; 24], aad: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let (salt, iv) = crate::keyring::split_nonce(nonce);
    gcm_seal(&Xaes::new(&Secret32(key)).derive(&salt), iv, aad, message)
}

/// K1 of the XAES specification.
#[must_use]
pub fn xaes_k1(key: [u8; 32]) -> [u8; 16] {
    Xaes::new(&Secret32(key)).k1()
}

/// The plaintext of [`xaes_seal`].
///
/// # Errors
/// `auth-failed`.
pub fn xaes_open(key: [u8; 32], nonce: &[u8; 24], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let (salt, iv) = crate::keyring::split_nonce(nonce);
    gcm_open(&Xaes::new(&Secret32(key)).derive(&salt), iv, aad, sealed)
}

/// AES-256-GCM with a nonce of 12 bytes; the tag follows the ciphertext.
///
/// # Errors
/// `too-large`.
pub fn aes_gcm_seal(key: [u8; 32], iv: [u8; 12], aad: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    gcm_seal(&Gcm::new(&Secret32(key)), iv, aad, message)
}

/// The plaintext of [`aes_gcm_seal`].
///
/// # Errors
/// `auth-failed`.
pub fn aes_gcm_open(key: [u8; 32], iv: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    gcm_open(&Gcm::new(&Secret32(key)), iv, aad, sealed)
}

/// HKDF-SHA-256.
///
/// # Errors
/// `too-large` for more than 8160 bytes.
pub fn hkdf(secret: &[u8], salt: &[u8], info: &[u8], len: usize) -> Result<Vec<u8>> {
    let mut out = vec![0; len];
    let salt = (!salt.is_empty()).then_some(salt);
    let hkdf = hkdf::Hkdf::<sha2::Sha256>::new(salt, secret);
    match hkdf.expand(info, &mut out) {
        Ok(()) => Ok(out),
        Err(_) => Err(fixed(
            ErrorCode::TooLarge,
            "HKDF-SHA-256 gives at most 8160 bytes",
        )),
    }
}

/// HMAC-SHA-256 under a key of any length.
///
/// # Errors
/// None in practice: every key length is legal.
pub fn hmac(key: &[u8], message: &[u8]) -> Result<[u8; 32]> {
    let mac = <hmac::Hmac<sha2::Sha256> as KeyInit>::new_from_slice(key);
    let mut mac = mac.map_err(|_| fixed(ErrorCode::InvalidKey, "HMAC takes any key"))?;
    mac.update(message);
    Ok(mac.finalize().into_bytes().into())
}

/// CANON of section 9: what the MACs of a keyset are over.
///
/// # Errors
/// `keyset-malformed`, `unsupported-version`.
pub fn keyset_canon(document: &[u8]) -> Result<Vec<u8>> {
    crate::keyset::KeysetDocument::parse(document).map(|document| document.canon())
}

/// The wrap of a key under a key-encrypting key, of section 9, in base64url; the ring and the time of
/// the key's making are bound to it.
///
/// # Errors
/// `key-wrong-use`; `random-unavailable`.
pub fn keyset_wrap(
    kek: &Key,
    ring: &str,
    created: &str,
    key: &Key,
    entropy: &mut impl Entropy,
) -> Result<String> {
    crate::keyset::wrap_alone(kek, ring, created, key, entropy)
}

/// Entropy that gives prepared bytes, so that a writer can be checked byte for byte.
#[derive(Clone, Debug)]
pub struct FixedEntropy {
    kind: EntropyKind,
    bytes: Vec<u8>,
}

impl FixedEntropy {
    /// Gives `bytes` from their beginning, once.
    #[must_use]
    pub const fn new(kind: EntropyKind, bytes: Vec<u8>) -> Self {
        Self { kind, bytes }
    }
}

impl Entropy for FixedEntropy {
    fn kind(&self) -> EntropyKind {
        self.kind
    }

    fn fill(&mut self, out: &mut [u8]) -> Result<()> {
        if out.len() > self.bytes.len() {
            return Err(fixed(
                ErrorCode::RandomUnavailable,
                "the prepared bytes are used up",
            ));
        }
        let len = out.len();
        for (to, from) in out.iter_mut().zip(self.bytes.drain(..len)) {
            *to = from;
        }
        Ok(())
    }
}

fn gcm_seal(gcm: &Gcm, iv: [u8; 12], aad: &[u8], message: &[u8]) -> Result<Vec<u8>> {
    let mut sealed = message.to_vec();
    let tag = gcm.seal(iv, aad, &mut sealed)?;
    sealed.extend_from_slice(&tag);
    Ok(sealed)
}

fn gcm_open(gcm: &Gcm, iv: [u8; 12], aad: &[u8], sealed: &[u8]) -> Result<Vec<u8>> {
    let (ciphertext, tag) = sealed
        .split_last_chunk()
        .ok_or_else(crate::error::auth_failed)?;
    let mut message = ciphertext.to_vec();
    gcm.open(iv, aad, &mut message, *tag)?;
    Ok(message)
}
