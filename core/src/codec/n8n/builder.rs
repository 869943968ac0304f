//! From options to keys that are ready to use.

use super::{
    super::Expect,
    N8n,
    data_key::N8nDataKey,
    gcm::{GcmKey, is_key_text},
    keys::{Keys, Legacy, Row, RowKey, Writer},
    rows::N8nKeyRow,
    salted::Password,
    value::is_id,
};
use crate::{
    Error,
    error::{ErrorCode, Result, fixed},
};
use alloc::{borrow::ToOwned, string::String, string::ToString, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// The algorithm of the row that reads values without a prefix.
const CBC: &str = "aes-256-cbc";

/// What an n8n codec writes.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub enum N8nWrite {
    /// AES-256-CBC under the first instance key, without a prefix: what every n8n reads.
    #[default]
    Legacy,
    /// The id of the active row, and what its algorithm makes of the value: what n8n writes with
    /// its key rotation on.
    Prefixed,
}

/// Builds an [`N8n`].
///
/// # Example
/// Values are written under the active row, and those of before are still opened:
/// ```
/// use reseal::{OsEntropy, codec::{Expect, N8n, N8nDataKey, N8nKeyRow, N8nWrite}};
/// let row = N8nKeyRow {
///     id: "bEc5AmLGiLrtdybl".into(),
///     kind: "data_encryption".into(),
///     value: N8nDataKey::generate(&mut OsEntropy)?.wrap("new", &mut OsEntropy)?.into(),
///     algorithm: Some("aes-256-gcm".into()),
///     status: "active".into(),
/// };
/// let codec = N8n::builder()
///     .instance_key("new")
///     .instance_key("old")
///     .rows([row])
///     .write(N8nWrite::Prefixed)
///     .expect(Expect::Json)
///     .build()?;
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct N8nBuilder {
    instance_keys: Vec<Zeroizing<String>>,
    custom_key: Option<Zeroizing<String>>,
    rows: Vec<N8nKeyRow>,
    write: Option<N8nWrite>,
    expect: Option<Expect>,
    lenient: bool,
}

impl N8nBuilder {
    /// An instance key (`N8N_ENCRYPTION_KEY`), verbatim. The first one writes; all of them open
    /// values, and unwrap rows.
    #[must_use]
    pub fn instance_key(mut self, key: &str) -> Self {
        self.instance_keys.push(Zeroizing::new(key.to_owned()));
        self
    }

    /// The key of an export file, in place of instance keys and rows; an empty one counts.
    #[must_use]
    pub fn custom_key(mut self, key: &str) -> Self {
        self.custom_key = Some(Zeroizing::new(key.to_owned()));
        self
    }

    /// Rows of `deployment_key`; those of another type than `data_encryption` are left out.
    #[must_use]
    pub fn rows(mut self, rows: impl IntoIterator<Item = N8nKeyRow>) -> Self {
        self.rows.extend(rows);
        self
    }

    /// What is written. Without rows it is [`N8nWrite::Legacy`]; where one of them is active, it has
    /// to be said, so that nothing loses its authentication unasked.
    #[must_use]
    pub const fn write(mut self, write: N8nWrite) -> Self {
        self.write = Some(write);
        self
    }

    /// What the plaintexts are: `Json` for the credentials of n8n. AES-256-CBC does not
    /// authenticate, so that nothing else tells a wrong key from the right one.
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
        self
    }

    /// Reads what n8n reads: base64 as Node.js does, AES-256-CBC without `Salted__`, and the
    /// empty text for a value that is cut in its first 16 bytes (which is never resealed). Also
    /// rows in the shapes that n8n repairs when it starts, raw, the instance key itself or wrapped
    /// with AES-256-CBC; but never the row that writes.
    ///
    /// # Security
    /// Nothing authenticates such a row: whoever can write to the table chooses its key.
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    /// The codec; the keys of all rows are unwrapped now.
    ///
    /// # Errors
    /// `invalid-argument` without any key, for a custom key next to others, for rows that n8n
    /// would not have, and for an active row without [`Self::write`]; `invalid-key` for an empty
    /// instance key, for a row whose key does not fit its algorithm, and for one in a shape that
    /// only [`Self::lenient`] reads, or that writes; `duplicate-key`; `no-primary` where no row is active and the active one
    /// is to write; `format-unsupported` for a row of an unknown algorithm; `malformed` and
    /// `auth-failed` for a row that does not unwrap.
    pub fn build(self) -> Result<N8n> {
        let keys = match &self.custom_key {
            Some(key) => self.custom(key)?,
            None => self.keys()?,
        };
        Ok(N8n {
            keys,
            expect: self.expect,
            lenient: self.lenient,
        })
    }

    fn custom(&self, key: &str) -> Result<Keys> {
        if !self.instance_keys.is_empty()
            || !self.rows.is_empty()
            || self.write == Some(N8nWrite::Prefixed)
        {
            return Err(invalid(
                "an export of n8n has its custom key alone: leave out instance keys, rows and \
                 the active row as writer",
            ));
        }
        Ok(Keys {
            legacy: Legacy::all(&[("custom".to_owned(), key)]),
            rows: Vec::new(),
            writer: Writer::Legacy,
            export: true,
        })
    }

    fn keys(&self) -> Result<Keys> {
        let instance_keys: Vec<&str> = self.instance_keys.iter().map(|key| key.as_str()).collect();
        check_instance_keys(&instance_keys)?;
        let places = (1..).map(|place: usize| place.to_string());
        let mut legacy: Vec<(String, &str)> = places.zip(instance_keys.iter().copied()).collect();

        let data_rows = self.data_rows()?;
        let mut rows = Vec::with_capacity(data_rows.len());
        let mut texts = Vec::new();
        for row in &data_rows {
            let key = self.unwrap(row, &instance_keys)?;
            rows.push(Row {
                id: row.id.clone(),
                key: row_key(row, key.text())?,
            });
            if row.algorithm.as_deref() == Some(CBC) {
                texts.push((row.id.clone(), key));
            }
        }
        let writer = self.writer(&data_rows, texts.iter().map(|(_, key)| key.text()))?;
        let others = texts
            .iter()
            .filter(|(_, key)| !instance_keys.contains(&key.text()));
        legacy.extend(others.map(|(id, key)| (id.clone(), key.text())));
        Ok(Keys {
            legacy: Legacy::all(&legacy),
            rows,
            writer,
            export: false,
        })
    }

    /// The key of a row. What writes has to be what n8n itself wrapped for writing.
    fn unwrap(&self, row: &N8nKeyRow, instance_keys: &[&str]) -> Result<N8nDataKey> {
        let writes = self.write == Some(N8nWrite::Prefixed) && row.is_active();
        if !writes && self.lenient {
            return row.data_key_lenient(instance_keys);
        }
        let key = row.data_key(instance_keys)?;
        let turned = row.algorithm.as_deref() == Some(CBC) && is_key_text(key.text());
        if writes && turned {
            return Err(row.explain(&fixed(
                ErrorCode::InvalidKey,
                "its key is one for aes-256-gcm and its algorithm says aes-256-cbc, which \
                 authenticates nothing: was the table changed?",
            )));
        }
        Ok(key)
    }

    /// The rows whose keys are for values.
    fn data_rows(&self) -> Result<Vec<&N8nKeyRow>> {
        let rows: Vec<_> = self.rows.iter().filter(|row| is_data(row)).collect();
        for (at, row) in rows.iter().enumerate() {
            if !is_id(&row.id) {
                return Err(invalid(
                    "the id of a row of deployment_key has 1 to 36 letters, digits, _ and -",
                ));
            }
            if !matches!(row.status.as_str(), "active" | "inactive") {
                return Err(row.explain(&invalid("its status is neither active nor inactive")));
            }
            if rows.iter().take(at).any(|other| other.id == row.id) {
                let twice = fixed(ErrorCode::DuplicateKey, "it was given twice");
                return Err(row.explain(&twice));
            }
        }
        let active = rows.iter().filter(|row| row.is_active()).count();
        if active > 1 {
            return Err(invalid(
                "one row of deployment_key of type data_encryption is active at most",
            ));
        }
        if active == 1 && self.write.is_none() {
            return Err(invalid(
                "with an active row, say what is written: prefixed, under that row, or legacy, \
                 which authenticates nothing",
            ));
        }
        Ok(rows)
    }

    /// `legacy_keys` are the texts of the rows with which n8n reads values without a prefix.
    fn writer<'t>(
        &self,
        rows: &[&N8nKeyRow],
        legacy_keys: impl Iterator<Item = &'t str> + Clone,
    ) -> Result<Writer> {
        if self.write == Some(N8nWrite::Prefixed) {
            let active = rows.iter().position(|row| row.is_active());
            return active.map(Writer::Row).ok_or(fixed(
                ErrorCode::NoPrimary,
                "no row of deployment_key of type data_encryption is active, so nothing can be \
                 written with a prefix",
            ));
        }
        let first = self.instance_keys.first().map_or("", |key| key.as_str());
        let none = legacy_keys.clone().next().is_none();
        if none || legacy_keys.into_iter().any(|key| key == first) {
            Ok(Writer::Legacy)
        } else {
            Ok(Writer::Unreadable)
        }
    }
}

/// How many keys there are; never a key.
impl fmt::Debug for N8nBuilder {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("N8nBuilder")
            .field("instance_keys", &self.instance_keys.len())
            .field("rows", &self.rows)
            .field("write", &self.write)
            .field("expect", &self.expect)
            .field("lenient", &self.lenient)
            .finish_non_exhaustive()
    }
}

fn check_instance_keys(keys: &[&str]) -> Result<()> {
    if keys.is_empty() {
        return Err(invalid(
            "an n8n codec has at least one instance key, or a custom key",
        ));
    }
    for (at, key) in keys.iter().enumerate() {
        if key.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidKey,
                "an instance key of n8n is not empty: is N8N_ENCRYPTION_KEY set?",
            ));
        }
        if keys.iter().take(at).any(|other| other == key) {
            return Err(fixed(
                ErrorCode::DuplicateKey,
                "one instance key of n8n was given twice",
            ));
        }
    }
    Ok(())
}

fn row_key(row: &N8nKeyRow, text: &str) -> Result<RowKey> {
    match row.algorithm.as_deref() {
        Some(CBC) => Ok(RowKey::Cbc(Password::latin1(text))),
        Some("aes-256-gcm") => GcmKey::from_hex(text).map(RowKey::Gcm).ok_or_else(|| {
            row.explain(&fixed(
                ErrorCode::InvalidKey,
                "a key for aes-256-gcm has 64 hexadecimal digits",
            ))
        }),
        _ => Err(row.explain(&fixed(
            ErrorCode::FormatUnsupported,
            "its algorithm is neither aes-256-gcm nor aes-256-cbc",
        ))),
    }
}

fn is_data(row: &N8nKeyRow) -> bool {
    row.kind == "data_encryption"
}

fn invalid(message: &'static str) -> Error {
    fixed(ErrorCode::InvalidArgument, message)
}
