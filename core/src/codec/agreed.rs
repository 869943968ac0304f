//! Formats without authentication, where a value may be as expected under more than one key.

use crate::error::{Result, auth_failed};
use alloc::vec::Vec;
use zeroize::Zeroizing;

/// The first of the plaintexts that fit, each with what gave it; nothing where none does. A wrong key gives
/// one now and then, so that all keys are asked.
///
/// # Errors
/// `auth-failed` where two of them differ: nothing tells which is the right one.
pub(super) fn agreed<K>(
    mut fitting: impl Iterator<Item = (K, Zeroizing<Vec<u8>>)>,
) -> Result<Option<(K, Zeroizing<Vec<u8>>)>> {
    let Some((key, plaintext)) = fitting.next() else {
        return Ok(None);
    };
    if fitting.any(|(_, other)| *other != *plaintext) {
        return Err(auth_failed());
    }
    Ok(Some((key, plaintext)))
}
