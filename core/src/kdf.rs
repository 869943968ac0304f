//! Every HKDF label of the product, and HMAC with a key that is set up once.

use crate::{ids::KEY_ID_BYTES, secret::Secret32};
use core::fmt;
use hkdf::Hkdf;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;
use zeroize::Zeroize;

/// `D(K, label, n)` of section 1 with n = 32.
pub(crate) fn derive_key(secret: &Secret32, label: &str) -> Secret32 {
    let mut derived = Secret32([0; 32]);
    derive(secret, label, &mut derived.0);
    derived
}

/// `D(K, "<use>/kid", 20)` of section 1.
pub(crate) fn derive_id(secret: &Secret32, label: &str) -> [u8; KEY_ID_BYTES] {
    let mut id = [0; KEY_ID_BYTES];
    derive(secret, label, &mut id);
    id
}

fn derive(secret: &Secret32, label: &str, out: &mut [u8]) {
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    let info: [&[u8]; 5] = [b"rs1", b"\0", label.as_bytes(), b"\0", &length];
    let expanded = Hkdf::<Sha256>::new(None, &secret.0).expand_multi_info(&info, out);
    // HKDF-SHA-256 refuses more than 255 * 32 bytes; this crate asks for 20 and 32.
    debug_assert!(expanded.is_ok());
}

/// HMAC-SHA-256 under one key, whose two first blocks are hashed once.
#[derive(Clone)]
pub(crate) struct MacKey(Hmac<Sha256>);

impl MacKey {
    pub(crate) fn new(secret: &Secret32) -> Self {
        let mut block = hmac::digest::Key::<Hmac<Sha256>>::default();
        for (to, from) in block.iter_mut().zip(&secret.0) {
            *to = *from;
        }
        let key = Self(<Hmac<Sha256> as KeyInit>::new(&block));
        block.as_mut_slice().zeroize();
        key
    }

    /// The MAC of the parts, one after another.
    pub(crate) fn mac(&self, parts: &[&[u8]]) -> [u8; 32] {
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
