//! Opening: nothing is released before the tag is verified.

use super::{
    Keyring,
    seal::{deterministic_nonce, split_nonce},
};
use crate::{
    context::Context,
    envelope::{Aad, Body, decode_text, parse_binary},
    error::{ErrorCode, Result, auth_failed, fixed},
    ids::{KeyId, Mode},
    padding,
};
use alloc::{string::String, vec::Vec};
use core::fmt;
use reseal_primitives::{Gcm, SALT_BYTES};
use subtle::ConstantTimeEq;
use zeroize::Zeroizing;

/// Opens many values; those that were sealed in one batch share one key derivation.
///
/// # Spec
/// Section 6.
pub struct OpenBatch<'r> {
    ring: &'r Keyring,
    /// The key that the last salt selected.
    last: Option<(KeyId, [u8; SALT_BYTES], Gcm)>,
}

/// A plaintext, and the key and the mode that it was sealed with.
type Shown = (Zeroizing<Vec<u8>>, KeyId, Mode);

impl<'r> OpenBatch<'r> {
    /// A batch that opens with the keys of `ring`.
    #[must_use]
    pub const fn new(ring: &'r Keyring) -> Self {
        Self { ring, last: None }
    }

    /// The plaintext of the next text envelope; the bytes are wiped on drop.
    ///
    /// # Errors
    /// As [`Keyring::open`]; the batch goes on with the next value.
    pub fn open(&mut self, stored: &str, context: &Context) -> Result<Zeroizing<Vec<u8>>> {
        Ok(self.open_shown(stored, context)?.0)
    }

    /// As [`OpenBatch::open`], with the key and the mode.
    pub(crate) fn open_shown(&mut self, stored: &str, context: &Context) -> Result<Shown> {
        let likely = self.ring.likely_key().map(|key| &key.prefix);
        let (key_id, tail) = decode_text(stored, likely)?;
        let body = Body::parse(&tail)?;
        let plaintext = self.open_body(key_id, &body, context)?;
        Ok((plaintext, key_id, body.mode))
    }

    /// The plaintext of the next binary envelope; the bytes are wiped on drop.
    ///
    /// # Errors
    /// As [`Keyring::open`]; the batch goes on with the next value.
    pub fn open_binary(&mut self, stored: &[u8], context: &Context) -> Result<Zeroizing<Vec<u8>>> {
        Ok(self.open_binary_shown(stored, context)?.0)
    }

    /// As [`OpenBatch::open_binary`], with the key and the mode.
    pub(crate) fn open_binary_shown(&mut self, stored: &[u8], context: &Context) -> Result<Shown> {
        let (key_id, body) = parse_binary(stored)?;
        let plaintext = self.open_body(key_id, &body, context)?;
        Ok((plaintext, key_id, body.mode))
    }

    /// The plaintext of the next text envelope as text.
    ///
    /// # Errors
    /// As [`Keyring::open_string`]; the batch goes on with the next value.
    pub fn open_string(&mut self, stored: &str, context: &Context) -> Result<Zeroizing<String>> {
        into_string(self.open(stored, context)?)
    }

    fn open_body(
        &mut self,
        key_id: KeyId,
        body: &Body<'_>,
        context: &Context,
    ) -> Result<Zeroizing<Vec<u8>>> {
        let key = self.ring.opener(key_id)?;
        let aad = Aad::new(&key.prefix.header(body.mode), context);
        let aad = aad.as_bytes();
        let (salt, iv) = split_nonce(body.nonce);
        let mut plaintext = Zeroizing::new(body.ciphertext.to_vec());
        let gcm = match &mut self.last {
            Some((id, last, gcm)) if *id == key_id && *last == salt => gcm,
            last => &mut last.insert((key_id, salt, key.xaes.derive(&salt))).2,
        };
        gcm.open(iv, aad, &mut plaintext, *body.tag)?;
        match body.mode {
            Mode::Random => {}
            Mode::Deterministic => {
                let expected = deterministic_nonce(key, aad, &plaintext);
                if !bool::from(expected.ct_eq(body.nonce)) {
                    return Err(auth_failed());
                }
            }
            Mode::Padded => {
                let len = padding::unpadded_bytes(&plaintext).ok_or_else(auth_failed)?;
                plaintext.truncate(len);
            }
        }
        Ok(plaintext)
    }
}

impl fmt::Debug for OpenBatch<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("OpenBatch(hidden)")
    }
}

/// Authentic bytes as text.
pub(super) fn into_string(mut plaintext: Zeroizing<Vec<u8>>) -> Result<Zeroizing<String>> {
    match String::from_utf8(core::mem::take(&mut *plaintext)) {
        Ok(text) => Ok(Zeroizing::new(text)),
        Err(error) => {
            drop(Zeroizing::new(error.into_bytes()));
            Err(fixed(
                ErrorCode::InvalidText,
                "the value is authentic but is not UTF-8 text: open it as bytes",
            ))
        }
    }
}
