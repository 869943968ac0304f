//! The rows of the table `deployment_key`.

use super::data_key::N8nDataKey;
use crate::{
    Error,
    error::{ErrorCode, Result},
    random::Entropy,
};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// A row of the table `deployment_key`, with the names of its columns.
#[derive(Clone, PartialEq, Eq)]
pub struct N8nKeyRow {
    /// `id`: what stands before the colon of a value.
    pub id: String,
    /// `type`: `data_encryption` for the keys of values.
    pub kind: String,
    /// `value`: a wrapped key. Old shapes hold the key itself, so that it is wiped on drop.
    pub value: Zeroizing<String>,
    /// `algorithm`: `aes-256-gcm` or `aes-256-cbc` for the keys of values.
    pub algorithm: Option<String>,
    /// `status`: `active` or `inactive`.
    pub status: String,
}

impl N8nKeyRow {
    /// The key of a row of type `data_encryption`, unwrapped with one of the instance keys.
    ///
    /// # Errors
    /// As [`N8nDataKey::unwrap_value`], with the id of the row.
    pub fn data_key(&self, instance_keys: &[&str]) -> Result<N8nDataKey> {
        N8nDataKey::unwrap_value(&self.value, instance_keys).map_err(|error| self.explain(&error))
    }

    /// As [`Self::data_key`], also in the shapes of before.
    ///
    /// # Errors
    /// As [`N8nDataKey::unwrap_value_lenient`], with the id of the row.
    ///
    /// # Security
    /// As [`N8nDataKey::unwrap_value_lenient`].
    pub fn data_key_lenient(&self, instance_keys: &[&str]) -> Result<N8nDataKey> {
        N8nDataKey::unwrap_value_lenient(&self.value, instance_keys)
            .map_err(|error| self.explain(&error))
    }

    /// The row with its secret wrapped under another instance key; the secret stays as it is, and
    /// so does every value under it. A row that is wrapped under that key already, or that n8n
    /// never wraps, comes back unchanged.
    ///
    /// Pass every row of the table, of whatever type.
    ///
    /// # Example
    /// ```
    /// use reseal::{OsEntropy, codec::{N8nDataKey, N8nKeyRow}};
    /// let key = N8nDataKey::generate(&mut OsEntropy)?;
    /// let row = N8nKeyRow {
    ///     id: "bEc5AmLGiLrtdybl".into(),
    ///     kind: "data_encryption".into(),
    ///     value: key.wrap("old", &mut OsEntropy)?.into(),
    ///     algorithm: Some("aes-256-gcm".into()),
    ///     status: "active".into(),
    /// };
    /// let row = row.rewrap(&["old"], "new", &mut OsEntropy)?;
    /// assert_eq!(row.data_key(&["new"])?.text(), key.text());
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// As [`N8nDataKey::unwrap_value`], with the id of the row: `invalid-key` for the shapes that
    /// only [`Self::rewrap_lenient`] takes, also for a private key wrapped with AES-256-CBC;
    /// `format-unsupported` for a row of a type that this release does not know; `invalid-key` for
    /// an empty new key; `random-unavailable`.
    ///
    /// # Security
    /// The row with `aes-256-cbc` holds the old instance key, and n8n reads values without a prefix
    /// with what it holds. While n8n writes such values, under the new instance key, it cannot read
    /// them: turn its key rotation on, or bring all such values to the new key and let this row
    /// hold the new one ([`N8nDataKey::from_text`]).
    pub fn rewrap(&self, from: &[&str], to: &str, entropy: &mut impl Entropy) -> Result<Self> {
        self.rewrap_as(from, to, entropy, false)
    }

    /// As [`Self::rewrap`], also from the shapes of before, which nothing authenticates: raw, the
    /// instance key itself, wrapped with AES-256-CBC.
    ///
    /// # Errors
    /// As [`Self::rewrap`]. The active row of type `data_encryption` has to be wrapped with
    /// AES-256-GCM here as well, or it is `invalid-key`: n8n writes under it.
    ///
    /// # Security
    /// Such a row looks afterwards as if the instance key had vouched for it. Pass only rows of a
    /// table that nobody else could write to, and never make one active.
    pub fn rewrap_lenient(
        &self,
        from: &[&str],
        to: &str,
        entropy: &mut impl Entropy,
    ) -> Result<Self> {
        self.rewrap_as(from, to, entropy, true)
    }

    fn rewrap_as(
        &self,
        from: &[&str],
        to: &str,
        entropy: &mut impl Entropy,
        lenient: bool,
    ) -> Result<Self> {
        if self.opens_current(to) {
            return Ok(self.clone());
        }
        let keys: Vec<&str> = core::iter::once(to).chain(from.iter().copied()).collect();
        let secret = self.secret(&keys, lenient);
        let Some(secret) = secret.map_err(|error| self.explain(&error))? else {
            return Ok(self.clone());
        };
        Ok(Self {
            value: Zeroizing::new(secret.wrap(to, entropy)?),
            ..self.clone()
        })
    }

    /// Whether the value is wrapped under a key as n8n does now.
    fn opens_current(&self, instance_key: &str) -> bool {
        N8nDataKey::unwrap_secret(&self.value, &[instance_key]).is_ok()
    }

    /// What the row wraps; nothing where n8n keeps the value of such a row as it is.
    fn secret(&self, keys: &[&str], lenient: bool) -> Result<Option<N8nDataKey>> {
        let algorithm = self.algorithm.as_deref();
        match (self.kind.as_str(), algorithm) {
            ("data_encryption", _) if lenient && !self.is_active() => {
                N8nDataKey::unwrap_value_lenient(&self.value, keys).map(Some)
            }
            ("data_encryption", _) => N8nDataKey::unwrap_value(&self.value, keys).map(Some),
            ("jwe.private-key", _) => N8nDataKey::unwrap_jwk(&self.value, keys, lenient).map(Some),
            ("instance.id", None) => Ok(None),
            (kind, None) if kind.starts_with("signing.") => Ok(None),
            (kind, Some("aes-256-gcm")) if kind.starts_with("signing.") => {
                N8nDataKey::unwrap_secret(&self.value, keys).map(Some)
            }
            _ => Err(crate::error::fixed(
                ErrorCode::FormatUnsupported,
                "this release does not know how n8n wraps rows of this type and algorithm",
            )),
        }
    }

    pub(super) fn is_active(&self) -> bool {
        self.status == "active"
    }

    /// An error with the id of the row in its message.
    pub(super) fn explain(&self, error: &Error) -> Error {
        let message = match error.code() {
            ErrorCode::AuthFailed => {
                "no instance key unwraps it: another one wrapped it, or it was changed"
            }
            _ => error.message(),
        };
        Error::new(
            error.code(),
            format!("row {} of deployment_key: {message}", Shown(&self.id)),
        )
    }
}

/// Everything but the value.
impl fmt::Debug for N8nKeyRow {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("N8nKeyRow")
            .field("id", &self.id)
            .field("kind", &self.kind)
            .field("algorithm", &self.algorithm)
            .field("status", &self.status)
            .finish_non_exhaustive()
    }
}

/// An id in a message; a text that is none may be anything.
struct Shown<'i>(&'i str);

impl fmt::Display for Shown<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(if super::value::is_id(self.0) {
            self.0
        } else {
            "with an invalid id"
        })
    }
}
