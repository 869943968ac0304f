//! The kinds of codecs, and what is asked of one without a key.

#[cfg(feature = "django")]
use super::django_cryptography;
#[cfg(feature = "fernet")]
use super::fernet;
#[cfg(feature = "freeboard")]
use super::freeboard;
#[cfg(feature = "metabase")]
use super::metabase;
#[cfg(feature = "n8n")]
use super::n8n;
#[cfg(feature = "rails")]
use super::rails;
use super::reseal;
#[cfg(feature = "sentry")]
use super::sentry;
#[cfg(feature = "sqlalchemy-utils")]
use super::sqlalchemy;
use super::{Recognized, Stored};
use crate::error::{Error, ErrorCode, Result, fixed};
use alloc::vec::Vec;

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
pub(super) const TOKEN_SCHEME: &str = "fernet";

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
