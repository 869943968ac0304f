//! Every HKDF label of the product.

use crate::ids::KEY_ID_BYTES;
use reseal_primitives::{Secret32, expand};

/// `D(K, label, n)` of section 1 with n = 32.
pub(crate) fn derive_key(secret: &Secret32, label: &str) -> Secret32 {
    let mut derived = Secret32([0; 32]);
    derive(&secret.0, label, &mut derived.0);
    derived
}

/// The key of hedged nonces of another system's format (section 7), from a key of any length.
#[cfg(feature = "foreign")]
pub(crate) fn derive_foreign_hedge(secret: &[u8]) -> Secret32 {
    let mut derived = Secret32([0; 32]);
    derive(secret, "foreign/hedge", &mut derived.0);
    derived
}

/// `D(K, "<use>/kid", 20)` of section 1.
pub(crate) fn derive_id(secret: &Secret32, label: &str) -> [u8; KEY_ID_BYTES] {
    let mut id = [0; KEY_ID_BYTES];
    derive(&secret.0, label, &mut id);
    id
}

fn derive(secret: &[u8], label: &str, out: &mut [u8]) {
    let length = u16::try_from(out.len()).unwrap_or(u16::MAX).to_be_bytes();
    let info: [&[u8]; 5] = [b"rs1", b"\0", label.as_bytes(), b"\0", &length];
    expand(secret, &info, out);
}
