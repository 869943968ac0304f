//! Data keys, wrapped under an instance key as the column `value` of `deployment_key` holds them.

use super::{
    gcm::{Blob, GcmKey, is_key_text},
    salted::{self, Password, Salted},
    value::SALTED_TEXT,
};
use crate::{
    error::{Error, ErrorCode, Result, auth_failed, fixed},
    random::Entropy,
};
use alloc::{borrow::ToOwned, string::String};
use core::fmt;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

/// How a data key of n8n 2.19 starts, which was wrapped with AES-256-CBC.
const CBC_WRAPPED: &str = "U2FsdGVk";
const MADE_BYTES: usize = 32;

/// A data key of n8n: a text of 64 hexadecimal digits, or any other one for AES-256-CBC.
///
/// # Example
/// ```
/// use reseal::{OsEntropy, codec::N8nDataKey};
/// let key = N8nDataKey::generate(&mut OsEntropy)?;
/// let value = key.wrap("the instance key", &mut OsEntropy)?;
/// let back = N8nDataKey::unwrap_value(&value, &["the instance key"])?;
/// assert_eq!(back.text(), key.text());
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone)]
pub struct N8nDataKey(Zeroizing<String>);

impl N8nDataKey {
    /// A new key for AES-256-GCM: 32 random bytes.
    ///
    /// # Errors
    /// `random-unavailable`.
    pub fn generate(entropy: &mut impl Entropy) -> Result<Self> {
        let mut bytes = Zeroizing::new([0; MADE_BYTES]);
        entropy.fill(&mut *bytes)?;
        Ok(Self(Zeroizing::new(HEXLOWER.encode(&*bytes))))
    }

    /// The key of a text. The row that reads values without a prefix holds an instance key.
    ///
    /// # Errors
    /// `invalid-key` for an empty text.
    pub fn from_text(text: &str) -> Result<Self> {
        if text.is_empty() {
            return Err(fixed(ErrorCode::InvalidKey, "a key of n8n is not empty"));
        }
        Ok(Self(Zeroizing::new(text.to_owned())))
    }

    /// The key in a `value` of type `data_encryption`, wrapped with AES-256-GCM.
    ///
    /// # Errors
    /// `invalid-key` for the shapes that only [`Self::unwrap_value_lenient`] reads; `malformed`,
    /// `format-unsupported` and `too-large` for what is no such value; `auth-failed` where no
    /// instance key unwraps it.
    pub fn unwrap_value(value: &str, instance_keys: &[&str]) -> Result<Self> {
        if is_old(value, instance_keys) {
            return Err(old_shape());
        }
        unwrap_gcm(value, instance_keys).map(Self)
    }

    /// As [`Self::unwrap_value`], in each shape that n8n has written, and that it repairs when it
    /// starts: also wrapped with AES-256-CBC (2.19); as it is (2.18); the instance key itself.
    ///
    /// # Errors
    /// As [`Self::unwrap_value`].
    ///
    /// # Security
    /// Nothing authenticates these shapes: whoever can write to the table may have put the key
    /// there, and then reads what is sealed under it. Only open values with it.
    pub fn unwrap_value_lenient(value: &str, instance_keys: &[&str]) -> Result<Self> {
        if instance_keys.contains(&value) || is_key_text(value) {
            return Self::from_text(value);
        }
        if value.starts_with(CBC_WRAPPED) {
            return unwrap_cbc(value, instance_keys, is_key_text).map(Self);
        }
        unwrap_gcm(value, instance_keys).map(Self)
    }

    /// The private key of an OAuth JWE pair, which n8n has wrapped with either cipher.
    pub(super) fn unwrap_jwk(value: &str, instance_keys: &[&str], lenient: bool) -> Result<Self> {
        if value.starts_with(SALTED_TEXT) {
            if !lenient {
                return Err(old_shape());
            }
            return unwrap_cbc(value, instance_keys, is_json).map(Self);
        }
        unwrap_gcm(value, instance_keys).map(Self)
    }

    /// A secret that n8n has wrapped with AES-256-GCM.
    pub(super) fn unwrap_secret(value: &str, instance_keys: &[&str]) -> Result<Self> {
        unwrap_gcm(value, instance_keys).map(Self)
    }

    /// A `value` for `deployment_key`, as n8n writes it since 2.20.
    ///
    /// # Errors
    /// `invalid-key` for an empty instance key; `random-unavailable`.
    pub fn wrap(&self, instance_key: &str, entropy: &mut impl Entropy) -> Result<String> {
        if instance_key.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidKey,
                "an instance key of n8n is not empty: is N8N_ENCRYPTION_KEY set?",
            ));
        }
        GcmKey::wrapping(instance_key).seal(self.0.as_bytes(), entropy)
    }

    /// The text of the key.
    ///
    /// # Security
    /// Who has it opens every value under it: show it nowhere.
    #[must_use]
    pub fn text(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for N8nDataKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("N8nDataKey(hidden)")
    }
}

/// Whether a value is in a shape of before, which n8n repairs.
fn is_old(value: &str, instance_keys: &[&str]) -> bool {
    instance_keys.contains(&value) || is_key_text(value) || value.starts_with(CBC_WRAPPED)
}

fn old_shape() -> Error {
    fixed(
        ErrorCode::InvalidKey,
        "its value is not wrapped with AES-256-GCM, so that anyone may have put it there: start \
         n8n once, it repairs the row; lenient reads such a row where nothing is written under it",
    )
}

fn unwrap_gcm(value: &str, instance_keys: &[&str]) -> Result<Zeroizing<String>> {
    let blob = Blob::parse(value, false)?;
    let opened = |key: &&str| GcmKey::wrapping(key).open(&blob).ok();
    let bytes = instance_keys.iter().find_map(opened);
    text_of(&bytes.ok_or_else(auth_failed)?)
}

/// This cipher does not authenticate, so that the text has to be as expected.
fn unwrap_cbc(
    value: &str,
    instance_keys: &[&str],
    fits: fn(&str) -> bool,
) -> Result<Zeroizing<String>> {
    let Salted::Whole(blocks) = Salted::parse(value, false)? else {
        return Err(auth_failed());
    };
    let opened = |key: &&str| {
        let password = Password::latin1(key);
        let found = salted::find([&password].into_iter(), &blocks, None).ok()?;
        text_of(&found.plaintext).ok().filter(|text| fits(text))
    };
    let found = instance_keys.iter().find_map(opened);
    found.ok_or_else(auth_failed)
}

fn text_of(bytes: &[u8]) -> Result<Zeroizing<String>> {
    let text = core::str::from_utf8(bytes).map_err(|_| auth_failed())?;
    Ok(Zeroizing::new(text.to_owned()))
}

fn is_json(text: &str) -> bool {
    serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()
}
