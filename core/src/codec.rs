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
#[cfg(feature = "metabase")]
mod metabase;
#[cfg(feature = "n8n")]
mod n8n;
mod plain;
#[cfg(feature = "rails")]
mod rails;
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
#[cfg(feature = "manifest")]
pub(crate) use metabase::Template as MetabaseTemplate;
#[cfg(feature = "metabase")]
pub use metabase::{Metabase, MetabaseKey};
#[cfg(feature = "n8n")]
pub use n8n::{N8n, N8nBuilder, N8nDataKey, N8nKeyRow, N8nWrite};
pub use plain::Plain;
#[cfg(feature = "rails")]
pub use rails::{Rails, RailsBuilder, RailsDigest, RailsSerializer};
pub use reseal::{Reseal, Rings};
#[cfg(feature = "sentry")]
pub use sentry::{Sentry, SentryField, SentryMethod};
#[cfg(feature = "sqlalchemy-utils")]
pub use sqlalchemy::{SqlalchemyEngine, SqlalchemyPadding, SqlalchemyUtils};
pub use stored::{Form, Stored, StoredValue};

use crate::{
    context::Context,
    error::{Error, ErrorCode, Result, fixed},
    ids::Mode,
    random::Entropy,
    time::Timestamp,
};
use alloc::{borrow::Cow, string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// A format of stored values.
///
/// # Example
/// ```
/// use reseal::codec::{CodecKind, Stored};
/// let stored = Stored::Text("rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg");
/// assert!(CodecKind::Reseal.recognize(stored).is_some());
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum CodecKind {
    /// No encryption at all.
    Plain,
    /// The envelope of this project.
    Reseal,
    /// Fernet and `MultiFernet`.
    #[cfg(feature = "fernet")]
    Fernet,
    /// The tokens of django-fernet-encrypted-fields.
    #[cfg(feature = "django")]
    DjangoFernet,
    /// The tokens of django-fernet-fields, its second version and djfernet.
    #[cfg(feature = "django")]
    FernetFields,
    /// The encrypted fields of django-cryptography.
    #[cfg(feature = "django")]
    DjangoCryptography,
    /// The encrypted types of SQLAlchemy-Utils.
    #[cfg(feature = "sqlalchemy-utils")]
    SqlalchemyUtils,
    /// The encrypted fields of Sentry.
    #[cfg(feature = "sentry")]
    Sentry,
    /// Active Record Encryption of Ruby on Rails.
    #[cfg(feature = "rails")]
    Rails,
    /// The encrypted columns of Metabase.
    #[cfg(feature = "metabase")]
    Metabase,
    /// The credentials of n8n.
    #[cfg(feature = "n8n")]
    N8n,
    /// The credential profiles of Freeboard.
    #[cfg(feature = "freeboard")]
    Freeboard,
}

impl CodecKind {
    /// Every kind of this build; the surest first, `plain` last.
    pub const ALL: &[Self] = &[
        Self::Reseal,
        #[cfg(feature = "fernet")]
        Self::Fernet,
        #[cfg(feature = "django")]
        Self::DjangoFernet,
        #[cfg(feature = "django")]
        Self::FernetFields,
        #[cfg(feature = "django")]
        Self::DjangoCryptography,
        #[cfg(feature = "sentry")]
        Self::Sentry,
        #[cfg(feature = "rails")]
        Self::Rails,
        #[cfg(feature = "freeboard")]
        Self::Freeboard,
        #[cfg(feature = "n8n")]
        Self::N8n,
        #[cfg(feature = "metabase")]
        Self::Metabase,
        #[cfg(feature = "sqlalchemy-utils")]
        Self::SqlalchemyUtils,
        Self::Plain,
    ];

    /// The name, the same in every language and in the manifest.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Plain => "plain",
            Self::Reseal => "reseal",
            #[cfg(feature = "fernet")]
            Self::Fernet => "fernet",
            #[cfg(feature = "django")]
            Self::DjangoFernet => "django-fernet",
            #[cfg(feature = "django")]
            Self::FernetFields => "fernet-fields",
            #[cfg(feature = "django")]
            Self::DjangoCryptography => "django-cryptography",
            #[cfg(feature = "sqlalchemy-utils")]
            Self::SqlalchemyUtils => "sqlalchemy-utils",
            #[cfg(feature = "sentry")]
            Self::Sentry => "sentry",
            #[cfg(feature = "rails")]
            Self::Rails => "rails",
            #[cfg(feature = "metabase")]
            Self::Metabase => "metabase",
            #[cfg(feature = "n8n")]
            Self::N8n => "n8n",
            #[cfg(feature = "freeboard")]
            Self::Freeboard => "freeboard",
        }
    }

    /// The kind of a name.
    ///
    /// # Errors
    /// `invalid-argument`.
    pub fn parse(name: &str) -> Result<Self> {
        let found = Self::ALL.iter().find(|kind| kind.as_str() == name);
        found.copied().ok_or(fixed(
            ErrorCode::InvalidArgument,
            "there is no codec of this kind, or this build leaves it out",
        ))
    }

    /// What a stored value shows of this format, without any key; `None` where it is another.
    /// Everything may be plaintext, and is so only `maybe`.
    #[must_use]
    pub fn recognize(self, stored: Stored<'_>) -> Option<Recognized> {
        match self {
            Self::Plain => Some(Recognized::maybe("plain")),
            Self::Reseal => reseal::recognize(stored),
            #[cfg(feature = "fernet")]
            Self::Fernet => fernet::recognize(stored),
            #[cfg(feature = "django")]
            Self::DjangoFernet | Self::FernetFields => fernet::recognize(stored),
            #[cfg(feature = "django")]
            Self::DjangoCryptography => django_cryptography::recognize(stored),
            #[cfg(feature = "sqlalchemy-utils")]
            Self::SqlalchemyUtils => sqlalchemy::recognize(stored),
            #[cfg(feature = "sentry")]
            Self::Sentry => sentry::recognize(stored),
            #[cfg(feature = "rails")]
            Self::Rails => rails::recognize(stored),
            #[cfg(feature = "metabase")]
            Self::Metabase => metabase::recognize(stored),
            #[cfg(feature = "n8n")]
            Self::N8n => n8n::recognize(stored),
            #[cfg(feature = "freeboard")]
            Self::Freeboard => freeboard::recognize(stored),
        }
    }

    /// As [`CodecKind::recognize`], of a codec that reads leniently.
    #[cfg(feature = "manifest")]
    pub(crate) fn recognize_lenient(self, stored: Stored<'_>) -> Option<Recognized> {
        match self {
            Self::Fernet | Self::DjangoFernet | Self::FernetFields => fernet::shown(stored, true),
            Self::Metabase => metabase::recognize_lenient(stored),
            Self::N8n => n8n::recognize_lenient(stored),
            _ => self.recognize(stored),
        }
    }

    /// Every kind of this build that recognizes a stored value, in the order of [`CodecKind::ALL`].
    ///
    /// A token of Fernet is there once, as `fernet`: which library derived its key, it does not show. What
    /// looks like any base64, as values of SQLAlchemy-Utils do, is there where nothing else is.
    ///
    /// # Example
    /// ```
    /// use reseal::codec::{CodecKind, Stored};
    /// let shown: Vec<_> = CodecKind::recognize_any(Stored::Text("gAAAAABl")).collect();
    /// assert_eq!(shown[0].0.as_str(), "fernet");
    /// assert!(shown[1..].iter().all(|(kind, _)| *kind == CodecKind::Plain));
    /// ```
    pub fn recognize_any(stored: Stored<'_>) -> impl Iterator<Item = (Self, Recognized)> {
        let shown = move |kind: &Self| Some((*kind, kind.recognize(stored)?));
        let is_named = |(kind, shown): &(Self, Recognized)| {
            !kind.borrows_tokens() || shown.scheme != TOKEN_SCHEME
        };
        let mut found: Vec<_> = Self::ALL
            .iter()
            .filter_map(shown)
            .filter(is_named)
            .collect();
        if found.iter().any(|(kind, _)| !kind.is_vague()) {
            found.retain(|(kind, _)| *kind == Self::Plain || !kind.is_vague());
        }
        found.into_iter()
    }

    /// Whether its values look like much else.
    const fn is_vague(self) -> bool {
        match self {
            Self::Plain => true,
            #[cfg(feature = "sqlalchemy-utils")]
            Self::SqlalchemyUtils => true,
            _ => false,
        }
    }

    /// Whether its values may be tokens that are those of another kind to whoever has no key.
    const fn borrows_tokens(self) -> bool {
        match self {
            #[cfg(feature = "django")]
            Self::DjangoFernet | Self::FernetFields => true,
            #[cfg(feature = "sqlalchemy-utils")]
            Self::SqlalchemyUtils => true,
            _ => false,
        }
    }
}

/// The variant of what is a token of Fernet.
const TOKEN_SCHEME: &str = "fernet";

/// How sure it is that a value is in a format.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Certainty {
    /// The bytes fit, and so do others.
    Maybe,
    /// The bytes carry a mark of the format.
    Yes,
}

/// What a stored value shows of a format.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Recognized {
    /// How sure it is.
    pub certainty: Certainty,
    /// The variant of the format, such as `gcm` or `deterministic`.
    pub scheme: &'static str,
    /// The id or generation of the key, where the bytes show it. Nothing of it is verified, and
    /// whoever wrote the value chose it.
    pub key: Option<String>,
}

impl Recognized {
    pub(crate) const fn maybe(scheme: &'static str) -> Self {
        Self {
            certainty: Certainty::Maybe,
            scheme,
            key: None,
        }
    }

    pub(crate) const fn yes(scheme: &'static str) -> Self {
        Self {
            certainty: Certainty::Yes,
            scheme,
            key: None,
        }
    }

    pub(crate) fn with_key(self, key: impl Into<String>) -> Self {
        Self {
            key: Some(key.into()),
            ..self
        }
    }
}

/// A value that was opened, and how.
#[derive(Clone)]
pub struct Opened {
    /// The plaintext; wiped on drop.
    pub plaintext: Zeroizing<Vec<u8>>,
    /// The key that opened it: its id, or its place in the list of the codec, counted from 1.
    pub key: Option<String>,
    /// The variant of the format.
    pub scheme: &'static str,
    /// The label of the plaintext's encoding, as Ruby names it, where the format has such labels.
    /// It goes to [`Codec::seal_labelled`].
    pub encoding: Option<&'static str>,
    /// Whether the codec would write it under the same key and scheme.
    pub current: bool,
    /// How far the plaintext can be believed.
    pub trust: Trust,
}

/// The key and the scheme; never the plaintext.
impl fmt::Debug for Opened {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Opened")
            .field("key", &self.key)
            .field("scheme", &self.scheme)
            .field("encoding", &self.encoding)
            .field("current", &self.current)
            .field("trust", &self.trust)
            .finish_non_exhaustive()
    }
}

/// How far a plaintext can be believed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Trust {
    /// The format authenticates it.
    Authenticated,
    /// It was never encrypted: whoever can write to the database can have written it.
    Plain,
    /// The format does not authenticate; the plaintext is what [`Expect`] says.
    Checked,
    /// The format does not authenticate, and nothing was checked: a wrong key gives garbage now
    /// and then. Such a value is not resealed.
    Unchecked,
}

/// What the plaintext of a format without authentication must look like.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Expect {
    /// A JSON document.
    Json,
    /// UTF-8 text.
    Utf8,
}

impl Expect {
    /// Fails with `auth-failed` where the plaintext is something else.
    #[cfg_attr(
        not(any(feature = "metabase", feature = "n8n", feature = "sqlalchemy-utils")),
        expect(dead_code, reason = "only formats without authentication ask")
    )]
    pub(crate) fn check(self, plaintext: &[u8]) -> Result<()> {
        let fits = match self {
            // What is ignored is not checked to be UTF-8.
            Self::Json => core::str::from_utf8(plaintext)
                .is_ok_and(|text| serde_json::from_str::<serde::de::IgnoredAny>(text).is_ok()),
            Self::Utf8 => core::str::from_utf8(plaintext).is_ok(),
        };
        if fits {
            Ok(())
        } else {
            Err(crate::error::auth_failed())
        }
    }
}

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

/// The error for a value of another format.
pub(crate) fn mismatch(kind: CodecKind) -> Error {
    let message = match kind {
        CodecKind::Reseal => "this is no Reseal envelope",
        #[cfg(feature = "fernet")]
        CodecKind::Fernet => "this is no Fernet token",
        #[cfg(feature = "django")]
        CodecKind::DjangoFernet | CodecKind::FernetFields => "this is no Fernet token",
        #[cfg(feature = "django")]
        CodecKind::DjangoCryptography => "this is no value of django-cryptography",
        #[cfg(feature = "sqlalchemy-utils")]
        CodecKind::SqlalchemyUtils => "this is no encrypted value of SQLAlchemy-Utils",
        #[cfg(feature = "sentry")]
        CodecKind::Sentry => "this is no encrypted field of Sentry",
        #[cfg(feature = "rails")]
        CodecKind::Rails => "this is no encrypted attribute of Rails",
        #[cfg(feature = "metabase")]
        CodecKind::Metabase => "this is no encrypted value of Metabase",
        #[cfg(feature = "n8n")]
        CodecKind::N8n => "this is no encrypted value of n8n",
        #[cfg(feature = "freeboard")]
        CodecKind::Freeboard => "this is no encrypted secret of Freeboard",
        CodecKind::Plain => "this is no plaintext",
    };
    fixed(ErrorCode::FormatMismatch, message)
}

/// The error for a damage that public bytes show.
#[cfg(feature = "foreign")]
pub(crate) fn malformed(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::Malformed, message)
}

/// The error for a value that a codec does not write.
pub(crate) fn read_only(message: impl Into<Cow<'static, str>>) -> Error {
    Error::new(ErrorCode::CodecReadOnly, message)
}
