//! Errors: one stable code each, and a message that says how to mend it.

use alloc::{borrow::Cow, boxed::Box};
use core::fmt;

/// The result of every fallible call of this crate.
pub type Result<T, E = Error> = core::result::Result<T, E>;

/// What went wrong: a stable [`ErrorCode`] and a sentence for a person.
///
/// The message never holds a secret, a plaintext or the length of a plaintext.
///
/// # Example
/// ```
/// let error = reseal::Key::parse("rsk1.data.oops").unwrap_err();
/// assert_eq!(error.code().as_str(), "invalid-key");
/// ```
///
/// # Spec
/// Section 5, and `spec/errors.md`.
#[derive(Clone, PartialEq, Eq)]
pub struct Error(Box<Told>);

/// In a box of its own, since most functions hand errors on: that they hand on one word, not four, makes
/// the module for JavaScript 4 % smaller.
#[derive(Clone, PartialEq, Eq)]
struct Told {
    code: ErrorCode,
    message: Cow<'static, str>,
}

impl Error {
    /// An error with a code and a message of your own, for entropy sources and adapters.
    ///
    /// # Example
    /// ```
    /// use reseal::{Error, ErrorCode};
    /// let error = Error::new(ErrorCode::RandomUnavailable, "the token was removed");
    /// assert_eq!(error.to_string(), "the token was removed");
    /// ```
    ///
    /// # Security
    /// Messages are logged: put no secret and no plaintext into one.
    pub fn new(code: ErrorCode, message: impl Into<Cow<'static, str>>) -> Self {
        let message = message.into();
        Self(Box::new(Told { code, message }))
    }

    /// The stable code, the same in Rust, JavaScript and Python.
    #[must_use]
    pub const fn code(&self) -> ErrorCode {
        self.0.code
    }

    /// The sentence for a person.
    #[must_use]
    pub fn message(&self) -> &str {
        &self.0.message
    }
}

impl fmt::Display for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.message())
    }
}

impl fmt::Debug for Error {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Error({}: {})", self.code().as_str(), self.message())
    }
}

impl core::error::Error for Error {}

/// The class that a language dresses a code in.
///
/// # Spec
/// `spec/errors.md`.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum ErrorClass {
    /// A value could not be opened with the keys of this ring.
    Decrypt,
    /// A key, a ring or a key source is not as it must be.
    Keyring,
    /// The stored bytes are not an envelope that this version reads.
    Format,
    /// Everything else: a wrong argument, a failing platform.
    Other,
}

macro_rules! codes {
    ($($variant:ident $text:literal $class:ident $doc:literal,)*) => {
        /// The stable codes of all errors; the list only grows.
        ///
        /// # Example
        /// ```
        /// use reseal::ErrorCode;
        /// assert_eq!(ErrorCode::AuthFailed.as_str(), "auth-failed");
        /// ```
        ///
        /// # Spec
        /// Section 5, and `spec/errors.md`.
        #[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
        #[non_exhaustive]
        pub enum ErrorCode {
            $(#[doc = $doc] $variant,)*
        }

        impl ErrorCode {
            /// Every code of this release.
            pub const ALL: &[Self] = &[$(Self::$variant,)*];

            /// The code as kebab-case text, the same in every language.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $text,)* }
            }

            /// The class that a language dresses this code in.
            #[must_use]
            pub const fn class(self) -> ErrorClass {
                match self { $(Self::$variant => ErrorClass::$class,)* }
            }
        }
    };
}

codes! {
    NotEnvelope "not-envelope" Format "The value is no Reseal envelope at all.",
    UnsupportedVersion "unsupported-version" Format "An envelope of a version that this release does not know.",
    UnsupportedMode "unsupported-mode" Format "An envelope of version 1 with an unknown mode byte.",
    Malformed "malformed" Format "It starts like an envelope, but is cut or damaged.",
    TooLarge "too-large" Format "The plaintext, or the stored value, is larger than the limit of 2^24 bytes.",
    ContextInvalid "context-invalid" Other "A name, value or type in the context is not allowed.",
    InvalidText "invalid-text" Other "Text with a lone surrogate, or a plaintext that is not UTF-8 read as text.",
    UnknownKey "unknown-key" Decrypt "The ring has no key with the id that the envelope names.",
    KeyDestroyed "key-destroyed" Decrypt "The key that sealed the value was destroyed.",
    KeyDisabled "key-disabled" Decrypt "The key that sealed the value is disabled.",
    KeyWrongUse "key-wrong-use" Decrypt "A key of another use stands where this one is needed.",
    AuthFailed "auth-failed" Decrypt "The value was not sealed with this key and this context, or was changed.",
    NoPrimary "no-primary" Keyring "The ring has no primary key for this use, so nothing can be sealed.",
    RingStale "ring-stale" Keyring "The ring was not reconfirmed within its lease, so nothing is sealed.",
    RandomUnavailable "random-unavailable" Other "The system gave no random bytes.",
    InvalidKey "invalid-key" Keyring "A key text is cut, quoted, mistyped or no key text at all.",
    DuplicateKey "duplicate-key" Keyring "One key was given twice, or two index keys share their first 8 characters.",
    LooksSealed "looks-sealed" Format "A plaintext that starts like an envelope was refused.",
    InvalidArgument "invalid-argument" Other "An argument has the wrong type or an unknown value.",
    NotInitialized "not-initialized" Other "The WebAssembly module was used before `init()`.",
    EngineUnsupported "engine-unsupported" Other "The JavaScript engine lacks something that the package needs.",
    SourceMissing "source-missing" Keyring "No key source is configured.",
    SourceConflict "source-conflict" Keyring "Two key sources are configured at once.",
    SourceUnreadable "source-unreadable" Keyring "The configured key source cannot be read.",
    KeysetMalformed "keyset-malformed" Keyring "The document is no keyset of version 1.",
    KeysetTampered "keyset-tampered" Keyring "A MAC or a wrap of the keyset does not verify.",
    KeysetWrongRing "keyset-wrong-ring" Keyring "The keyset belongs to another ring than the expected one.",
    KeysetOutdated "keyset-outdated" Keyring "The keyset has an older generation than the caller has seen.",
    KeysetTransition "keyset-transition" Keyring "A key cannot go from its state to the wanted one, or not yet.",
    KeysetConflict "keyset-conflict" Keyring "Somebody else changed the keyset since it was loaded.",
    KeysetUnwritable "keyset-unwritable" Keyring "The keyset cannot be written where it is to stand.",
    KekMismatch "kek-mismatch" Keyring "The key-encrypting key is not one of those that wrap the keyset.",
    KeyIdMismatch "key-id-mismatch" Keyring "A wrapped key is not the one that the keyset says.",
    FormatMismatch "format-mismatch" Format "The stored value is in none of the formats that are read here.",
    FormatUnsupported "format-unsupported" Format "A variant of a known format that this release does not read.",
    CodecReadOnly "codec-read-only" Other "The codec cannot write this value so that its system can read it.",
    DoubleEncrypted "double-encrypted" Format "The value was encrypted twice.",
    ValueInvalid "value-invalid" Other "The value is none of the type of its column.",
    ExpectRequired "expect-required" Other "A format without authentication may only be resealed with `expect`.",
    ManifestInvalid "manifest-invalid" Other "The manifest does not describe a database; the message lists what is wrong.",
    EncryptionRequired "encryption-required" Other "A column writes plaintext where encryption is required.",
    ColumnUnsuitable "column-unsuitable" Other "A table or column of the database is missing, or cannot hold what it is to hold.",
    DatabaseError "database-error" Other "The database refused a statement, or the connection was lost.",
    JobConflict "job-conflict" Other "Another run of the same job is at work.",
    VerificationFailed "verification-failed" Other "What was written did not read back as it should.",
    ReaderUnable "reader-unable" Other "Another application could not read what a column writes.",
    DuplicateValue "duplicate-value" Other "A row would have a value that must be unique and is there already.",
    ConstraintViolated "constraint-violated" Other "A constraint or a trigger of the database does not take the value of a row.",
    StillInUse "still-in-use" Other "A key or a codec that is to go is still needed.",
}

/// The one failure for everything that depends on a secret.
pub(crate) fn auth_failed() -> Error {
    fixed(
        ErrorCode::AuthFailed,
        "the value does not open: another context or key sealed it, or it was changed",
    )
}

/// An error with a literal message, which is not copied. Never a part of its callers: there are
/// hundreds of them.
#[cold]
#[inline(never)]
pub(crate) fn fixed(code: ErrorCode, message: &'static str) -> Error {
    let message = Cow::Borrowed(message);
    Error(Box::new(Told { code, message }))
}

impl From<reseal_primitives::Forged> for Error {
    fn from(_: reseal_primitives::Forged) -> Self {
        auth_failed()
    }
}

/// GCM's own limit of 2^36 bytes lies far above ours; it is reported all the same.
impl From<reseal_primitives::TooLong> for Error {
    fn from(_: reseal_primitives::TooLong) -> Self {
        fixed(ErrorCode::TooLarge, "a plaintext has at most 2^24 bytes")
    }
}
