//! The credentials of n8n: AES-256-CBC under the instance key, or a key of the table
//! `deployment_key`, whose id stands before the value.
//!
//! Format: <https://github.com/n8n-io/n8n/tree/master/packages/core/src/encryption> and
//! <https://github.com/n8n-io/n8n/blob/master/packages/cli/src/encryption/key-manager.service.ts>.

mod builder;
mod data_key;
mod gcm;
mod keys;
mod rows;
mod salted;
mod value;

pub use builder::{N8nBuilder, N8nWrite};
pub use data_key::N8nDataKey;
pub use rows::N8nKeyRow;
pub(super) use value::recognize;

use super::{
    Codec, CodecKind, Expect, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue, Trust,
    malformed, mismatch, read_only,
};
use crate::{
    Error,
    context::Context,
    error::{ErrorCode, Result, fixed},
    ids::Mode,
    keyring::check_length,
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use gcm::Blob;
use keys::{Keys, RowKey, Writer};
use salted::{Password, Salted};
use value::{SALTED_TEXT, is_gcm_shaped, is_id, recognize_bare, split};
use zeroize::Zeroizing;

/// The credentials of n8n.
///
/// Values without a prefix name no key and are not authenticated: each key is tried, and
/// [`N8nBuilder::expect`] tells which plaintext is the right one. Where it fits two different ones, the
/// value is refused with `auth-failed`.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Expect, N8n, Stored, Trust}};
/// let codec = N8n::builder().instance_key("test_key").expect(Expect::Utf8).build()?;
/// let stored = Stored::Text("U2FsdGVkX194VEoX27o3+y5jUd1JTTmVwkOKjVhB6Jg=");
/// let opened = codec.open(stored, &Context::new())?;
/// assert_eq!(*opened.plaintext, b"random-string");
/// assert_eq!(opened.trust, Trust::Checked);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Debug)]
pub struct N8n {
    keys: Keys,
    expect: Option<Expect>,
    lenient: bool,
}

impl N8n {
    /// A codec for values without a prefix, under one instance key (`N8N_ENCRYPTION_KEY`).
    ///
    /// # Errors
    /// `invalid-key` for an empty key.
    pub fn new(instance_key: &str) -> Result<Self> {
        Self::builder().instance_key(instance_key).build()
    }

    /// A codec with more keys and options.
    #[must_use]
    pub fn builder() -> N8nBuilder {
        N8nBuilder::default()
    }

    /// The id before a value, and its body; an export has no ids.
    fn split<'v>(&self, text: &'v str) -> (Option<&'v str>, &'v str) {
        if self.keys.export {
            return (None, text);
        }
        split(text)
    }

    fn show(&self, text: &str) -> Option<Recognized> {
        let (id, body) = self.split(text);
        let Some(id) = id else {
            return if self.lenient {
                recognize_loose(body)
            } else {
                recognize_bare(body)
            };
        };
        if let Some((_, row)) = self.keys.row(id) {
            return Some(Recognized::yes(row.scheme()).with_key(id));
        }
        recognize(Stored::Text(text))
    }

    fn open_bare(&self, body: &str) -> Result<Opened> {
        let Salted::Whole(blocks) = Salted::parse(body, self.lenient)? else {
            return self.cut("cbc");
        };
        let passwords = self.keys.legacy.iter().map(|key| &key.password);
        let found = salted::find(passwords, &blocks, self.expect)?;
        let key = self.keys.legacy.get(found.at).ok_or_else(no_key)?;
        let legacy = self.keys.writer != Writer::Unreadable && !self.writes_rows();
        Ok(Opened {
            plaintext: found.plaintext,
            key: Some(key.name.clone()),
            scheme: key.scheme,
            encoding: None,
            current: legacy && found.at == 0 && blocks.exact,
            trust: found.trust,
        })
    }

    fn open_prefixed(&self, id: &str, body: &str) -> Result<Opened> {
        if !is_id(id) {
            return Err(malformed(
                "the key id of this value of n8n is none: it has 1 to 36 letters, digits, _ and -",
            ));
        }
        let (at, row) = self.keys.row(id).ok_or_else(|| unknown(id))?;
        let (plaintext, trust, exact) = match &row.key {
            RowKey::Gcm(key) => {
                let blob = Blob::parse(body, self.lenient)?;
                (key.open(&blob)?, Trust::Authenticated, blob.exact)
            }
            RowKey::Cbc(password) => {
                let Salted::Whole(blocks) = Salted::parse(body, self.lenient)? else {
                    return self.cut(row.scheme());
                };
                let found = salted::find([password].into_iter(), &blocks, self.expect)?;
                (found.plaintext, found.trust, blocks.exact)
            }
        };
        Ok(Opened {
            plaintext,
            key: Some(id.to_owned()),
            scheme: row.scheme(),
            encoding: None,
            current: self.keys.writer == Writer::Row(at) && exact,
            trust,
        })
    }

    /// The empty text that n8n reads where a value is cut; nothing can vouch for it.
    fn cut(&self, scheme: &'static str) -> Result<Opened> {
        if self.expect == Some(Expect::Json) {
            return Err(cut_value());
        }
        Ok(Opened {
            plaintext: Zeroizing::new(Vec::new()),
            key: None,
            scheme,
            encoding: None,
            current: false,
            trust: Trust::Unchecked,
        })
    }

    const fn writes_rows(&self) -> bool {
        matches!(self.keys.writer, Writer::Row(_))
    }

    fn write(&self, plaintext: &[u8], fresh: &mut Fresh<'_>) -> Result<String> {
        match self.keys.writer {
            Writer::Legacy => {
                let key = self.keys.legacy.first().ok_or_else(no_key)?;
                self.write_cbc(&key.password, plaintext, fresh)
            }
            Writer::Unreadable => Err(read_only(
                "n8n reads values without a prefix with its aes-256-cbc row, which holds another \
                 key than the first instance key: write with the active row, or let that row hold \
                 the instance key",
            )),
            Writer::Row(at) => {
                let row = self.keys.rows.get(at).ok_or_else(no_key)?;
                let body = match &row.key {
                    RowKey::Gcm(key) => key.seal(plaintext, fresh.entropy),
                    RowKey::Cbc(password) => self.write_cbc(password, plaintext, fresh),
                }?;
                Ok(format!("{}:{body}", row.id))
            }
        }
    }

    fn write_cbc(
        &self,
        password: &Password,
        plaintext: &[u8],
        fresh: &mut Fresh<'_>,
    ) -> Result<String> {
        if let Some(expect) = self.expect {
            expect.check(plaintext).map_err(|_| {
                read_only("this plaintext is not what the codec expects, so it could not open it")
            })?;
        }
        password.seal(plaintext, fresh.entropy)
    }
}

/// As [`recognize`], of a codec that reads leniently.
#[cfg(feature = "manifest")]
pub(super) fn recognize_lenient(stored: Stored<'_>) -> Option<Recognized> {
    match split(stored.as_text()?) {
        (None, body) => recognize_loose(body),
        (Some(_), _) => recognize(stored),
    }
}

/// A value without an id, also one that n8n decrypts although it would not write it.
fn recognize_loose(body: &str) -> Option<Recognized> {
    let loose = || {
        Some(if salted::is_shaped(body)? {
            Recognized::yes("cbc")
        } else {
            Recognized::maybe("cbc")
        })
    };
    recognize_bare(body).or_else(loose)
}

impl Codec for N8n {
    fn kind(&self) -> CodecKind {
        CodecKind::N8n
    }

    /// The ids of the rows are known here, and so is how lenient one reads.
    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        self.show(stored.as_text()?)
    }

    /// A value without a prefix does not show its key.
    fn is_current(&self, stored: Stored<'_>, _: Mode) -> Option<bool> {
        let shown = self.recognize(stored)?;
        let Writer::Row(at) = self.keys.writer else {
            return shown.key.is_some().then_some(false);
        };
        let row = self.keys.rows.get(at)?;
        let (_, body) = split(stored.as_text()?);
        let whole = match row.key {
            RowKey::Gcm(_) => is_gcm_shaped(body),
            RowKey::Cbc(_) => body.starts_with(SALTED_TEXT),
        };
        Some(shown.key.as_ref() == Some(&row.id) && whole)
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        let text = stored
            .as_text()
            .filter(|text| self.show(text).is_some())
            .ok_or_else(|| mismatch(CodecKind::N8n))?;
        match self.split(text) {
            (None, body) => self.open_bare(body),
            (Some(id), body) => self.open_prefixed(id, body),
        }
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: Form) -> Option<usize> {
        match self.keys.writer {
            Writer::Legacy => salted::sealed_len(plaintext_bytes),
            Writer::Unreadable => None,
            Writer::Row(at) => {
                let row = self.keys.rows.get(at)?;
                let body = match row.key {
                    RowKey::Gcm(_) => gcm::sealed_len(plaintext_bytes),
                    RowKey::Cbc(_) => salted::sealed_len(plaintext_bytes),
                };
                body?.checked_add(row.id.len() + 1)
            }
        }
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        check_length(plaintext, Mode::Random)?;
        if core::str::from_utf8(plaintext).is_err() {
            return Err(read_only("n8n holds text: it has to be UTF-8"));
        }
        Ok(StoredValue::of_text(
            self.write(plaintext, fresh)?,
            place.form,
        ))
    }

    /// A plaintext that nothing vouches for is not sealed again.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let opened = self.open(stored, place.context)?;
        match (opened.trust, self.expect) {
            (Trust::Unchecked, None) => Err(fixed(
                ErrorCode::ExpectRequired,
                "n8n's AES-256-CBC does not authenticate: say what its plaintexts are, with expect",
            )),
            (Trust::Unchecked, Some(_)) => Err(cut_value()),
            _ => self.seal(&opened.plaintext, place, fresh),
        }
    }
}

fn unknown(id: &str) -> Error {
    Error::new(
        ErrorCode::UnknownKey,
        format!("no row of deployment_key with the id {id} was given: export the table again?"),
    )
}

fn cut_value() -> Error {
    malformed("this value of n8n is cut: n8n reads the empty text, and nothing is left of it")
}

/// The builder gives every codec a key.
fn no_key() -> Error {
    fixed(ErrorCode::NoPrimary, "this n8n codec has no key")
}
