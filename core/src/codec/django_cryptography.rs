//! The encrypted fields of django-cryptography: a list of secrets, of which the first seals.
//!
//! Format: <https://django-cryptography.readthedocs.io/>, and the code of
//! <https://pypi.org/project/django-cryptography-5/>.

mod field;
mod keys;
mod pickle;

pub use field::DjangoField;
pub use keys::{DjangoDigest, DjangoKeys};

use super::{
    Codec, CodecKind, Form, Fresh, Opened, Place, Recognized, Stored, StoredValue, Trust,
    hedge::Hedge, malformed, mismatch, read_only,
};
use crate::{
    context::Context,
    envelope::MAX_PLAINTEXT_BYTES,
    error::{Error, ErrorCode, Result, auth_failed, fixed},
    ids::Mode,
    keyring::check_length,
};
use alloc::{string::ToString, vec::Vec};
use core::fmt;
use hmac::{Hmac, KeyInit, Mac};
use keys::Cipher;
use reseal_primitives::BLOCK_BYTES;
use sha2::Sha256;
use zeroize::Zeroizing;

const VERSION: u8 = 0x80;
const HEADER_BYTES: usize = 1 + 8 + BLOCK_BYTES;
const TAG_BYTES: usize = 32;
/// How every value of this century starts: the version and the upper half of the time.
const MARK: [u8; 5] = [VERSION, 0, 0, 0, 0];
/// Bytes of the largest value: JSON takes at most three times its length as a pickle.
const MAX_BYTES: usize = 4 * MAX_PLAINTEXT_BYTES;

/// Values of `encrypt(…)` in binary columns: pickles of Python in AES-CBC, under an HMAC.
///
/// A pickle is a program. What is read of it are text, numbers, booleans, bytes, and lists and
/// mappings of them: no instruction that names code is followed.
///
/// # Example
/// ```
/// use reseal::{Context, codec::{Codec, DjangoCryptography, DjangoKeys, Stored}};
/// use data_encoding::BASE64;
/// let codec = DjangoCryptography::new(&["django-insecure-t3st$ecret"], &DjangoKeys::default())?;
/// let stored = BASE64.decode(b"gAAAAABrAI3C6f2ryhD/UQze5lY4IjlqXTi4jQcqrsijK9g9CX8V2YqEsLOINYybThSQAPBaZ+QNwVNsIP3XWFgBnjKc7btZVtQ19cz1CySrJ66avbYUy8c=").unwrap();
/// let opened = codec.open(Stored::Bytes(&stored), &Context::new())?;
/// assert_eq!(*opened.plaintext, b"hello");
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Errors
/// Of [`Codec::open`]: `format-mismatch`, `malformed`, `too-large`, `auth-failed`; of what is
/// authentic, `format-unsupported` for a pickle of something else, such as a date, and
/// `value-invalid` for one that is not what [`DjangoCryptography::field`] says. Of [`Codec::seal`]:
/// `codec-read-only` in a text column and for what is no value of the field; `too-large`,
/// `random-unavailable`.
///
/// # Security
/// The key of the HMAC is `SECRET_KEY` itself, whatever else a field has: keep it for as long as there
/// are values.
pub struct DjangoCryptography {
    /// Those of `SECRET_KEY`.
    macs: Vec<Hmac<Sha256>>,
    ciphers: Vec<Cipher>,
    /// That of the first secret.
    hedge: Hedge,
    field: DjangoField,
}

/// How many keys there are.
impl fmt::Debug for DjangoCryptography {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DjangoCryptography")
            .field("keys", &self.macs.len())
            .field("field", &self.field)
            .finish_non_exhaustive()
    }
}

/// The parts of a value of the right shape.
struct Sealed<'v> {
    time: u64,
    signed: &'v [u8],
    tag: &'v [u8],
    iv: [u8; BLOCK_BYTES],
    ciphertext: &'v [u8],
}

impl DjangoCryptography {
    /// The first secret seals, all of them open. They are those of `SECRET_KEY`, as they stand. What
    /// encrypts is said by the keys.
    ///
    /// # Errors
    /// `invalid-argument` without any secret; `invalid-key` for an empty one, and for the key of a field
    /// of another length; `format-unsupported` for AES-192.
    pub fn new(secrets: &[&str], keys: &DjangoKeys<'_>) -> Result<Self> {
        let Some(first) = secrets.first() else {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a codec of django-cryptography has at least one secret: SECRET_KEY",
            ));
        };
        let settings: &[&str] = match keys {
            DjangoKeys::Settings {
                cryptography_keys, ..
            } => cryptography_keys,
            DjangoKeys::Field(_) => &[],
        };
        if secrets.iter().chain(settings).any(|it| it.is_empty()) {
            return Err(invalid_key());
        }
        let mac = |secret: &&str| Hmac::new_from_slice(secret.as_bytes());
        let macs = secrets
            .iter()
            .map(mac)
            .collect::<core::result::Result<_, _>>();
        Ok(Self {
            macs: macs.map_err(|_| invalid_key())?,
            ciphers: keys.ciphers(secrets)?,
            hedge: Hedge::new(first.as_bytes()),
            field: DjangoField::default(),
        })
    }

    /// What the field is declared as: text where nothing is said.
    #[must_use]
    pub const fn field(mut self, field: DjangoField) -> Self {
        self.field = field;
        self
    }

    /// The pickle of a value, and the places of the keys that opened it.
    fn find(&self, sealed: &Sealed<'_>) -> Result<(usize, usize, Zeroizing<Vec<u8>>)> {
        let verifies = |mac: &Hmac<Sha256>| {
            let mut mac = mac.clone();
            mac.update(sealed.signed);
            mac.verify_slice(sealed.tag).is_ok()
        };
        let secret = self
            .macs
            .iter()
            .position(verifies)
            .ok_or_else(auth_failed)?;
        // The MAC does not depend on what encrypts: a wrong key may show by the pickle alone.
        let mut opened = self.ciphers.iter().enumerate().filter_map(|(at, cipher)| {
            let pickle = cipher.decrypt(sealed.iv, sealed.ciphertext)?;
            pickle::is_one(&pickle).then_some((at, pickle))
        });
        let (at, pickle) = opened.next().ok_or_else(auth_failed)?;
        Ok((secret, at, pickle))
    }

    fn write(&self, pickle: &[u8], time: u64, fresh: &mut Fresh<'_>) -> Result<StoredValue> {
        let iv = self.hedge.draw(pickle, fresh.entropy)?;
        let none = auth_failed;
        let mut value = Vec::with_capacity(HEADER_BYTES + pickle.len() + BLOCK_BYTES + TAG_BYTES);
        value.push(VERSION);
        value.extend_from_slice(&time.to_be_bytes());
        value.extend_from_slice(&iv);
        let cipher = self.ciphers.first().ok_or_else(none)?;
        value.extend_from_slice(&cipher.encrypt(iv, pickle));
        let mut mac = self.macs.first().ok_or_else(none)?.clone();
        mac.update(&value);
        value.extend_from_slice(&mac.finalize().into_bytes());
        Ok(StoredValue::Bytes(value))
    }
}

impl Codec for DjangoCryptography {
    fn kind(&self) -> CodecKind {
        CodecKind::DjangoCryptography
    }

    /// Only opening tells which key it was.
    fn is_current(&self, _: Stored<'_>, _: Mode) -> Option<bool> {
        None
    }

    fn open(&self, stored: Stored<'_>, _: &Context) -> Result<Opened> {
        let (secret, cipher, pickle) = self.find(&Sealed::parse(stored)?)?;
        let plaintext = self.field.plaintext(&pickle::read(&pickle)?)?;
        check_length(&plaintext, Mode::Random)?;
        Ok(Opened {
            plaintext,
            key: Some((secret.max(cipher) + 1).to_string()),
            scheme: SCHEME,
            encoding: None,
            current: secret == 0 && cipher == 0,
            trust: Trust::Authenticated,
        })
    }

    fn sealed_len(&self, plaintext_bytes: usize, _: Mode, form: Form) -> Option<usize> {
        let pickle = self.field.pickled_len(plaintext_bytes)?;
        let ciphertext = (pickle / BLOCK_BYTES + 1).checked_mul(BLOCK_BYTES)?;
        let bytes = ciphertext.checked_add(HEADER_BYTES + TAG_BYTES)?;
        (form == Form::Binary).then_some(bytes)
    }

    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if place.form == Form::Text {
            return Err(not_text());
        }
        check_length(plaintext, Mode::Random)?;
        let pickle = pickle::write(&self.field.value(plaintext)?);
        if self.field == DjangoField::Json {
            // A document may have more values than are read.
            pickle::read(&pickle)?;
        }
        let time = u64::try_from(fresh.now.unix()).unwrap_or_default();
        self.write(&pickle, time, fresh)
    }

    /// The pickle and the time stay as they are.
    fn rotate(
        &self,
        stored: Stored<'_>,
        _: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let sealed = Sealed::parse(stored)?;
        let (_, _, pickle) = self.find(&sealed)?;
        self.write(&pickle, sealed.time, fresh)
    }
}

const SCHEME: &str = "pickle";

impl<'v> Sealed<'v> {
    /// # Errors
    /// `format-mismatch`, `malformed`, `too-large`.
    fn parse(stored: Stored<'v>) -> Result<Self> {
        if recognize(stored).is_none() {
            return Err(mismatch(CodecKind::DjangoCryptography));
        }
        let bytes = stored.as_bytes();
        if bytes.len() > MAX_BYTES {
            return Err(fixed(
                ErrorCode::TooLarge,
                "this value is larger than any of 2^24 bytes",
            ));
        }
        let parts = || {
            let (signed, tag) = bytes.split_at_checked(bytes.len().checked_sub(TAG_BYTES)?)?;
            let (header, ciphertext) = signed.split_at_checked(HEADER_BYTES)?;
            let (time, iv) = header.get(1..)?.split_first_chunk()?;
            let whole = !ciphertext.is_empty() && ciphertext.len().is_multiple_of(BLOCK_BYTES);
            whole.then_some(Self {
                time: u64::from_be_bytes(*time),
                signed,
                tag,
                iv: *iv.first_chunk()?,
                ciphertext,
            })
        };
        parts().ok_or_else(|| {
            malformed("this looks like a value of django-cryptography, and is cut or damaged")
        })
    }
}

/// The version and the time of present days, in bytes.
pub(super) fn recognize(stored: Stored<'_>) -> Option<Recognized> {
    let is_marked = stored.form() == Form::Binary && stored.as_bytes().starts_with(&MARK);
    is_marked.then(|| Recognized::yes(SCHEME))
}

fn not_text() -> Error {
    read_only("django-cryptography keeps its values in binary columns, and this one takes text")
}

fn invalid_key() -> Error {
    fixed(
        ErrorCode::InvalidKey,
        "a secret of Django is text that is not empty: is its variable set?",
    )
}
