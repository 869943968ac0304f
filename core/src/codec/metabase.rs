//! The encrypted columns of Metabase: a list of keys, of which the first seals.
//!
//! Format: <https://github.com/metabase/metabase/blob/master/src/metabase/util/encryption.clj>.

mod aad;
mod envelope;
mod key;
mod open;
mod shape;

pub(crate) use aad::Template;
pub use key::MetabaseKey;

use super::{
    Codec, CodecKind, Expect, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue, base64,
    read_only,
};
use crate::{
    context::Context,
    error::{ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
};
use alloc::vec::Vec;
use envelope::DataKeys;
use shape::{Shape, Value};

/// Values under `MB_ENCRYPTION_SECRET_KEY`.
///
/// In a text column a value is base64, in a binary one bytes. Three variants are read:
///
/// - `legacy`, AES-CBC with HMAC, which every release reads. It names no key, so that each is
///   tried.
/// - `v2`, under a data key of the table `data_encryption_key`; see [`Metabase::data_keys`].
/// - `stream`, in binary columns of its own, which authenticates nothing; see
///   [`Metabase::streams`].
///
/// `v2` is written where it can be, `legacy` otherwise, and `stream` never.
///
/// A legacy value that was cut shows nothing: it looks like any other text. In a column that reads
/// plaintext as well, such a value is taken for plaintext.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, Metabase, MetabaseKey, Stored}};
/// let key = MetabaseKey::derive("legacy-golden-test-key-0000000000000000000")?;
/// let codec = Metabase::new(vec![key])?;
/// let stored = "ttCPpQ92by4mOXOJBbhRE28T4c9WN02MBnHrnucZZ69tLceopuoUpgAy/eB2fAyqWZaFHPsuEaXGCdFwQKY9rA==";
/// assert_eq!(*codec.open(Stored::Text(stored), &Context::new())?.plaintext, b"legacy golden");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// Of opening: `format-mismatch`, `format-unsupported` for `v2` without data keys or with an aad,
/// and for a stream where [`Metabase::streams`] is not on; `unknown-key` for another generation,
/// `malformed`, `too-large`, `context-invalid`, `auth-failed`. Of sealing: `codec-read-only` for an
/// empty plaintext, for which Metabase stores NULL, for bytes in a text column that are not UTF-8,
/// and for streams; `too-large`, `context-invalid`. Of both: `invalid-argument` for streams without
/// [`Metabase::expect`] or with an aad.
#[derive(Debug)]
pub struct Metabase {
    keys: Vec<MetabaseKey>,
    data_keys: DataKeys,
    aad: Option<Template>,
    expect: Option<Expect>,
    streams: bool,
    lenient: bool,
}

impl Metabase {
    /// The first key seals; all of them open.
    ///
    /// # Errors
    /// `invalid-argument` without any key.
    pub fn new(keys: Vec<MetabaseKey>) -> Result<Self> {
        if keys.is_empty() {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a metabase codec has at least one key",
            ));
        }
        Ok(Self {
            keys,
            data_keys: DataKeys::default(),
            aad: None,
            expect: None,
            streams: false,
            lenient: false,
        })
    }

    /// The rows of the table `data_encryption_key`: `id` and `key_material`, decoded from base64.
    /// The one with the highest id seals, as in Metabase; with an aad none does.
    ///
    /// # Errors
    /// `invalid-key` for a row that no key wrapped, `duplicate-key` for an id given twice.
    pub fn data_keys<'r>(self, rows: impl IntoIterator<Item = (u32, &'r [u8])>) -> Result<Self> {
        let data_keys = DataKeys::from_rows(&self.keys, rows)?;
        Ok(Self { data_keys, ..self })
    }

    /// What each value is bound to, with names of its context in braces: `setting.{key}` for
    /// `setting.value_with_aad`.
    ///
    /// # Example
    /// ```
    /// use reseal::{Context, codec::{Codec, Metabase, MetabaseKey, Stored}};
    /// let key = MetabaseKey::derive("Orw0AAyzkO/kPTLJRxiyKoBHXa/d6ZcO+p+gpZO/wSQ=")?;
    /// let codec = Metabase::new(vec![key])?.aad("setting.{key}")?;
    /// let stored = "EHaCkbGyKFuLgr/mQp43qR6e1RM4pARuiuNj8KiV+KyEV7w8i/4fobpItnebS5QdleTYt8iKF9En5dQbYzfOhD2Wg7lf9irRIoThFjNl5sI=";
    /// let context = Context::new().with("key", "site-url")?;
    /// let opened = codec.open(Stored::Text(stored), &context)?;
    /// assert_eq!(*opened.plaintext, b"https://metabase.example.com");
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` for an empty template, a stray brace and what is no name.
    pub fn aad(self, template: &str) -> Result<Self> {
        let aad = Some(Template::parse(template)?);
        Ok(Self { aad, ..self })
    }

    /// For a column of streams, which this codec then reads, and nothing else: Metabase keeps its
    /// other values in other columns. [`Metabase::expect`] has to be given as well.
    ///
    /// # Example
    /// ```
    /// use reseal::{Context, codec::{Codec, Expect, Metabase, MetabaseKey, Stored}};
    /// let codec = || Metabase::new(vec![MetabaseKey::derive("a secret of some length")?]);
    /// let stored = Stored::Bytes(b"AES/CBC/PKCS5Padding            ...");
    /// let opened = codec()?.open(stored, &Context::new());
    /// assert_eq!(opened.unwrap_err().code().as_str(), "format-unsupported");
    /// let streams = codec()?.streams(true);
    /// let opened = streams.open(stored, &Context::new());
    /// assert_eq!(opened.unwrap_err().code().as_str(), "invalid-argument");
    /// let opened = streams.expect(Expect::Json).open(stored, &Context::new());
    /// assert_eq!(opened.unwrap_err().code().as_str(), "malformed");
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// Opening and sealing fail with `invalid-argument` until [`Metabase::expect`] is given, and
    /// with an aad.
    ///
    /// # Security
    /// Nothing authenticates a stream. Who may write to such a column changes what it holds, and
    /// who also sees whether a value opens can have any value under the same secret decrypted, from
    /// other columns too. Read streams only to move them away.
    #[must_use]
    pub const fn streams(mut self, streams: bool) -> Self {
        self.streams = streams;
        self
    }

    /// What the plaintexts of [`Metabase::streams`] are; a wrong key gives garbage now and then. A
    /// stream that two keys open to different plaintexts of this kind is `auth-failed`.
    #[must_use]
    pub const fn expect(mut self, expect: Expect) -> Self {
        self.expect = Some(expect);
        self
    }

    /// Takes for encrypted what older releases do: base64 whose last digit has spare bits, and
    /// values of 16, 32 or 48 bytes (`legacy-short`). Those fail with `malformed` then, and are not
    /// taken for plaintext, which a digest in hexadecimal digits might be.
    #[must_use]
    pub const fn lenient(mut self, lenient: bool) -> Self {
        self.lenient = lenient;
        self
    }

    fn fill(&self, context: &Context) -> Result<Option<Vec<u8>>> {
        self.aad.as_ref().map(|aad| aad.fill(context)).transpose()
    }

    /// The generation that writes; nothing where `legacy` is written.
    fn generation(&self) -> Option<u32> {
        self.data_keys.newest().filter(|_| self.aad.is_none())
    }

    fn write(&self, plaintext: &[u8], context: &Context, fresh: &mut Fresh<'_>) -> Result<Vec<u8>> {
        self.check_options()?;
        if self.streams {
            return Err(streams_are_read());
        }
        check_length(plaintext, Mode::Random)?;
        if self.generation().is_some() {
            return self.data_keys.seal(plaintext, fresh.entropy);
        }
        let aad = self.fill(context)?;
        let key = self.keys.first().ok_or_else(auth_failed)?;
        key.seal(plaintext, aad.as_deref(), fresh.entropy)
    }
}

impl Codec for Metabase {
    fn kind(&self) -> CodecKind {
        CodecKind::Metabase
    }

    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        shape::recognize(stored, self.lenient)
    }

    /// The generation of a data key is public; which secret a legacy value is under is not.
    fn is_current(&self, stored: Stored<'_>, _: Mode) -> Option<bool> {
        let value = Value::parse(stored, self.lenient).ok()?;
        match (value.shape, self.generation()) {
            (Shape::Envelope(shown), Some(newest)) => Some(shown == newest),
            (Shape::Tagged | Shape::Envelope(_), None) => None,
            (Shape::Tagged, Some(_)) | (Shape::Stream | Shape::Short | Shape::Cut, _) => {
                Some(false)
            }
        }
    }

    fn open(&self, stored: Stored<'_>, context: &Context) -> Result<Opened> {
        self.open_value(&Value::parse(stored, self.lenient)?, context)
    }

    /// Also in a binary column, where base64 stays base64.
    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, _: Form) -> Option<usize> {
        let bytes = match self.generation() {
            _ if self.streams => return None,
            Some(_) => plaintext_bytes.checked_add(envelope::OVERHEAD_BYTES)?,
            None => MetabaseKey::sealed_len(plaintext_bytes)?,
        };
        base64::encoded_len(bytes)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if plaintext.is_empty() {
            return Err(read_only(
                "metabase stores NULL for an empty value: store NULL here as well",
            ));
        }
        if place.form == Form::Text && core::str::from_utf8(plaintext).is_err() {
            return Err(read_only(
                "a text column of Metabase holds UTF-8 text, and these bytes are none",
            ));
        }
        let sealed = self.write(plaintext, place.context, fresh)?;
        Ok(match place.form {
            Form::Text => StoredValue::Text(base64::encode(&sealed)),
            Form::Binary => StoredValue::Bytes(sealed),
        })
    }

    /// Base64 in a binary column stays base64.
    fn in_place_of(&self, stored: Stored<'_>, sealed: StoredValue) -> Result<StoredValue> {
        let is_armored = || Value::parse(stored, self.lenient).is_ok_and(|value| value.armored);
        Ok(match sealed {
            StoredValue::Bytes(bytes) if is_armored() => {
                StoredValue::of_text(base64::encode(&bytes), Form::Binary)
            }
            sealed => sealed,
        })
    }

    /// As [`Codec::in_place_of`] says. A stream is left alone: where Metabase expects one,
    /// it takes other ciphertexts for plaintext.
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let value = Value::parse(stored, self.lenient)?;
        self.admit(value.shape)?;
        if value.shape == Shape::Stream {
            return Err(streams_are_read());
        }
        let plaintext = self.open_value(&value, place.context)?.plaintext;
        let sealed = self.write(&plaintext, place.context, fresh)?;
        Ok(if value.armored || place.form == Form::Text {
            StoredValue::of_text(base64::encode(&sealed), place.form)
        } else {
            StoredValue::Bytes(sealed)
        })
    }
}

/// A mark is sure; a legacy value has but a length.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    shape::recognize(stored, false)
}

#[cfg(feature = "manifest")]
pub(super) fn recognize_lenient(stored: Stored<'_>) -> Option<Recognized> {
    shape::recognize(stored, true)
}

fn streams_are_read() -> crate::Error {
    read_only("streams of Metabase are only read: nothing authenticates them")
}
