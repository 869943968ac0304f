//! PAE, one byte string from which a list can be read back.

use alloc::vec::Vec;

/// `PAE(list)` of the conventions: `u32(count) || (u32(len) || bytes)*`.
pub(crate) fn pae(fields: &[&[u8]]) -> Vec<u8> {
    let mut encoded = length(fields.len()).to_vec();
    for field in fields {
        encoded.extend_from_slice(&length(field.len()));
        encoded.extend_from_slice(field);
    }
    encoded
}

fn length(len: usize) -> [u8; 4] {
    u32::try_from(len).unwrap_or(u32::MAX).to_be_bytes()
}
