//! HMAC-SHA-256 with a key that is set up once, and HKDF-SHA-256.

use crate::Secret32;
use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

/// HKDF-SHA-256 without a salt: fills `out`, of at most 8,160 bytes, from a secret of any length.
///
/// # Panics
/// In debug builds, where more is asked for.
#[inline(never)]
pub fn expand(secret: &[u8], info: &[&[u8]], out: &mut [u8]) {
    let expanded = Hkdf::<Sha256>::new(None, secret).expand_multi_info(info, out);
    debug_assert!(expanded.is_ok());
}

/// HMAC-SHA-256 under one key, whose two first blocks are hashed once.
#[derive(Clone)]
pub struct MacKey(Hmac<Sha256>);

impl MacKey {
    /// A key.
    #[must_use]
    #[inline(never)]
    pub fn new(secret: &Secret32) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(&secret.0) {
            *to = *from;
        }
        let key = Self(<Hmac<Sha256> as KeyInit>::new(&block));
        block.as_mut_slice().zeroize();
        key
    }

    /// The MAC of the parts, one after another.
    #[must_use]
    #[inline(never)]
    pub fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
        let mut mac = self.0.clone();
        for part in parts {
            mac.update(part);
        }
        mac.finalize().into_bytes().into()
    }
}

impl fmt::Debug for MacKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("MacKey(hidden)")
    }
}
