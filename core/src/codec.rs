//! Codecs: the formats that a stored value may be in, each behind one trait.
//!
//! A codec is an instance with keys, so that two of one kind can stand in one column. What needs
//! no key is asked of the kind: [`CodecKind::recognize`].

#[cfg(any(feature = "metabase", feature = "n8n", feature = "sqlalchemy-utils"))]
mod agreed;
#[cfg(feature = "foreign")]
mod base64;
#[cfg(feature = "django")]
mod django_cryptography;
#[cfg(feature = "fernet")]
mod fernet;
#[cfg(feature = "freeboard")]
mod freeboard;
#[cfg(feature = "foreign")]
mod hedge;
mod kind;
#[cfg(feature = "metabase")]
mod metabase;
#[cfg(feature = "n8n")]
mod n8n;
mod opened;
mod plain;
#[cfg(feature = "rails")]
mod rails;
mod recognized;
mod reseal;
#[cfg(feature = "sentry")]
mod sentry;
#[cfg(feature = "sqlalchemy-utils")]
mod sqlalchemy;
mod stored;

#[cfg(feature = "django")]
pub use django_cryptography::{DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys};
#[cfg(feature = "fernet")]
pub use fernet::{Fernet, FernetKey};
#[cfg(feature = "freeboard")]
pub use freeboard::{Freeboard, FreeboardKey};
pub use kind::CodecKind;
pub(crate) use kind::mismatch;
#[cfg(feature = "manifest")]
pub(crate) use metabase::Template as MetabaseTemplate;
#[cfg(feature = "metabase")]
pub use metabase::{Metabase, MetabaseKey};
#[cfg(feature = "n8n")]
pub use n8n::{N8n, N8nBuilder, N8nDataKey, N8nKeyRow, N8nWrite};
pub use opened::{Expect, Opened, Trust};
pub use plain::Plain;
#[cfg(feature = "rails")]
pub use rails::{Rails, RailsBuilder, RailsDigest, RailsSerializer};
pub use recognized::{Certainty, Recognized};
pub use reseal::{Reseal, Rings};
#[cfg(feature = "sentry")]
pub use sentry::{Sentry, SentryField, SentryMethod};
#[cfg(feature = "sqlalchemy-utils")]
pub use sqlalchemy::{SqlalchemyEngine, SqlalchemyPadding, SqlalchemyUtils};
pub use stored::{Form, Stored, StoredValue};

use crate::{
    context::Context,
    error::{Error, ErrorCode, Result},
    ids::Mode,
    random::Entropy,
    time::Timestamp,
};
use alloc::{borrow::Cow, vec::Vec};
use core::fmt;

/// Where a value that is sealed will stand.
#[derive(Clone, Copy, Debug)]
pub struct Place<'p> {
    /// The facts that are bound to it, where the format binds any.
    pub context: &'p Context,
    /// The mode of an envelope; other formats have their own options.
    pub mode: Mode,
    /// Whether the column takes text or bytes.
    pub form: Form,
}

/// What makes each ciphertext another one.
pub struct Fresh<'f> {
    /// For nonces and salts. Bytes of an indirect source are hashed with the plaintext first.
    pub entropy: &'f mut dyn Entropy,
    /// For formats that store the time of sealing.
    pub now: Timestamp,
}

impl fmt::Debug for Fresh<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Fresh")
            .field("now", &self.now)
            .finish_non_exhaustive()
    }
}

/// A format with its keys.
///
/// # Security
/// An implementation never returns ciphertext as plaintext, fails with one `auth-failed` for
/// everything that depends on a secret, and shows no secret in its `Debug`.
pub trait Codec: fmt::Debug + Send + Sync {
    /// The format.
    fn kind(&self) -> CodecKind;

    /// What a stored value shows, without using a key; as [`CodecKind::recognize`], and sharper
    /// where the options of the instance say more.
    fn recognize(&self, stored: Stored<'_>) -> Option<Recognized> {
        self.kind().recognize(stored)
    }

    /// Whether the codec would write a value as it stands, judged by public bytes; `None` where
    /// only [`Codec::open`] can tell.
    fn is_current(&self, stored: Stored<'_>, mode: Mode) -> Option<bool>;

    /// As [`Codec::is_current`], of a value that was recognized.
    fn is_current_shown(
        &self,
        stored: Stored<'_>,
        _shown: &Recognized,
        mode: Mode,
    ) -> Option<bool> {
        self.is_current(stored, mode)
    }

    /// Whether what it writes can be read by whoever sees it.
    fn writes_plaintext(&self) -> bool {
        false
    }

    /// The most characters, or bytes in binary form, of a value that holds a plaintext of so many
    /// bytes; nothing where the format cannot tell.
    fn sealed_len(&self, _: usize, _: Mode, _: Form) -> Option<usize> {
        None
    }

    /// Where its keyring comes from, if it is a codec of envelopes.
    fn rings(&self) -> Option<&dyn Rings> {
        None
    }

    /// The plaintext, and what opened it.
    ///
    /// # Errors
    /// `format-mismatch` for a value of another format; `format-unsupported` and `malformed` for a
    /// variant or damage that public bytes show; `unknown-key` where they name a key that is not
    /// there; `auth-failed` for everything that depends on a secret.
    fn open(&self, stored: Stored<'_>, context: &Context) -> Result<Opened>;

    /// A value that holds the plaintext.
    ///
    /// # Errors
    /// `codec-read-only` for what the format cannot hold or this codec does not write;
    /// `no-primary`, `random-unavailable`, `too-large`.
    fn seal(
        &self,
        plaintext: &[u8],
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue>;

    /// A value that holds a plaintext of another codec, with the label that it had there:
    /// [`Opened::encoding`].
    ///
    /// # Errors
    /// As [`Codec::seal`]; `codec-read-only` for a label that the format would lose, where the
    /// bytes alone do not tell what they mean.
    fn seal_labelled(
        &self,
        plaintext: &[u8],
        encoding: Option<&str>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        if encoding.is_some_and(|label| !UNLABELLED.contains(&label)) {
            return Err(read_only(
                "the plaintext is labelled with an encoding, and this format would lose the label: \
                 let Rails write it in UTF-8 first",
            ));
        }
        self.seal(plaintext, place, fresh)
    }

    /// Every value that a plaintext is stored as, under every key that opens, the one that seals first;
    /// nothing where each value of a plaintext is another one.
    ///
    /// # Errors
    /// As [`Codec::seal`].
    fn lookup_values(&self, _: &[u8], _: &Place<'_>) -> Result<Option<Vec<StoredValue>>> {
        Ok(None)
    }

    /// Whether rows may hold a plaintext in bytes that are not known here, so that who asks for
    /// [`Codec::lookup_values`] would miss them.
    fn may_hide(&self, _plaintext: &[u8], _form: Form) -> bool {
        false
    }

    /// Whether nothing of a stored value of this codec is lost where its plaintext alone is sealed anew, by
    /// whichever codec.
    ///
    /// # Errors
    /// `codec-read-only` for a value that says more than its plaintext.
    fn check_leaving(&self, _stored: Stored<'_>) -> Result<()> {
        Ok(())
    }

    /// What this codec sealed for the column of a stored value of its format, as it takes the place of that
    /// one: a text where a binary column holds a text.
    ///
    /// # Errors
    /// `malformed` for what this codec did not seal.
    fn in_place_of(&self, _stored: Stored<'_>, sealed: StoredValue) -> Result<StoredValue> {
        Ok(sealed)
    }

    /// Whether [`Codec::rotate`] does no more than open a value and seal its plaintext, with
    /// [`Codec::in_place_of`], so that whoever has the plaintext can seal it.
    fn rotates_by_sealing(&self, _stored: Stored<'_>) -> bool {
        false
    }

    /// A value of this codec, sealed anew under the key that seals; what of the value belongs to
    /// the format (the time of a token) stays.
    ///
    /// # Errors
    /// As [`Codec::open`] and [`Codec::seal`].
    fn rotate(
        &self,
        stored: Stored<'_>,
        place: &Place<'_>,
        fresh: &mut Fresh<'_>,
    ) -> Result<StoredValue> {
        let opened = self.open(stored, place.context)?;
        self.seal(&opened.plaintext, place, fresh)
    }
}

/// The encodings that need no label: the bytes tell which of them it is.
const UNLABELLED: [&str; 3] = ["UTF-8", "US-ASCII", "ASCII-8BIT"];

/// The error for a damage that public bytes show.
#[cfg(feature = "foreign")]
pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::Malformed, message)
}

/// The error for a value that a codec does not write.
pub(crate) fn read_only(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::CodecReadOnly, message)
}
