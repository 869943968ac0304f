//! What the codecs of a manifest need from outside, and what was brought.

use super::secret::SecretRef;
use crate::{
    codec::Rings,
    error::{Error, ErrorCode, Result},
    keyring::Keyring,
    sorted::SortedMap,
    source::SourceFile,
};
use alloc::{format, string::String, sync::Arc, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// Something to read. Nothing is read here.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Want {
    /// What it is.
    pub kind: WantKind,
    /// The variable, the path as it was given, or the table.
    pub name: String,
    /// The member that names it first, such as `codecs.rails_old.primary_keys[0]`.
    pub named_by: String,
}

/// What is to be read, and how.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
#[non_exhaustive]
pub enum WantKind {
    /// A variable of the environment, verbatim.
    Env,
    /// A file, of at most 65,536 bytes.
    File,
    /// A directory of such files. Hidden entries and sub-directories are skipped.
    Directory,
    /// All rows of a table of the database, as a JSON list of objects with these columns. What is
    /// no number is text, and NULL is `null`.
    Table(&'static [&'static str]),
}

impl WantKind {
    /// `env`, `file`, `directory` or `table`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Env => "env",
            Self::File => "file",
            Self::Directory => "directory",
            Self::Table(_) => "table",
        }
    }

    /// The columns to select, where it is a table.
    #[must_use]
    pub const fn columns(self) -> &'static [&'static str] {
        match self {
            Self::Table(columns) => columns,
            _ => &[],
        }
    }
}

/// A need of one codec, without the place.
pub(super) struct Need {
    pub(super) kind: WantKind,
    pub(super) name: String,
    /// The member of the codec that names it.
    pub(super) member: String,
}

impl Need {
    pub(super) fn secret(member: impl Into<String>, secret: &SecretRef) -> Self {
        let (kind, name) = key_of(secret);
        Self {
            kind,
            name: name.into(),
            member: member.into(),
        }
    }

    pub(super) fn secrets<'s>(
        member: &str,
        secrets: impl IntoIterator<Item = &'s SecretRef>,
    ) -> Vec<Self> {
        let secrets = secrets.into_iter().enumerate();
        secrets
            .map(|(index, secret)| Self::secret(format!("{member}[{index}]"), secret))
            .collect()
    }
}

/// What was read for each [`Want`], and the rings of the codecs of kind reseal.
///
/// # Example
/// ```
/// use reseal::manifest::{Manifest, Secrets};
/// let manifest = Manifest::parse(
///     "version = 1
///     [codecs.tokens]
///     kind = 'fernet'
///     keys = ['env:FERNET_KEY']",
/// )?;
/// let mut secrets = Secrets::new();
/// for want in manifest.wants() {
///     assert_eq!((want.kind.as_str(), want.name.as_str()), ("env", "FERNET_KEY"));
///     secrets.give(&want, "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
/// }
/// assert_eq!(manifest.codec("tokens", &secrets)?.name, "tokens");
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Default)]
pub struct Secrets {
    contents: SortedMap<(WantKind, String), Arc<Vec<SourceFile>>>,
    rings: SortedMap<String, Arc<dyn Rings>>,
}

impl Secrets {
    /// Nothing yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The content of a variable, a file or a table. What does not exist is not given.
    pub fn give(&mut self, want: &Want, content: impl Into<Vec<u8>>) {
        let file = SourceFile {
            name: want.name.clone(),
            content: Zeroizing::new(content.into()),
        };
        self.give_files(want, Vec::from([file]));
    }

    /// The files of a directory.
    pub fn give_files(&mut self, want: &Want, files: Vec<SourceFile>) {
        self.contents
            .insert((want.kind, want.name.clone()), Arc::new(files));
    }

    /// The ring of a codec: one that never changes, as `Arc<Keyring>`, or one that follows its
    /// source. It may load its keys when it is used.
    pub fn give_ring(&mut self, codec: impl Into<String>, ring: impl Rings + 'static) {
        self.rings.insert(codec.into(), Arc::new(ring));
    }
}

/// How much there is.
impl fmt::Debug for Secrets {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (contents, rings) = (self.contents.len(), self.rings.len());
        write!(f, "Secrets({contents} contents and {rings} rings, hidden)")
    }
}

/// The secrets of one codec.
pub(super) struct Given<'s> {
    /// The name of the codec.
    pub(super) codec: &'s str,
    pub(super) secrets: &'s Secrets,
}

impl Given<'_> {
    /// # Errors
    /// `source-missing`, `source-unreadable`.
    pub(super) fn text(&self, secret: &SecretRef, member: &str) -> Result<&str> {
        let (kind, name) = key_of(secret);
        let file = self.files(kind, name, member)?.first();
        let file = file.ok_or_else(|| self.missing(kind, name, member))?;
        let text = core::str::from_utf8(&file.content).map_err(|_| {
            let message = format!("{secret} is no text (UTF-8)");
            self.error(member, ErrorCode::SourceUnreadable, &message)
        })?;
        Ok(match secret {
            SecretRef::Env(_) => text,
            SecretRef::File(_) => text.strip_suffix('\n').unwrap_or(text),
        })
    }

    pub(super) fn texts(&self, secrets: &[SecretRef], member: &str) -> Result<Vec<&str>> {
        let named = secrets.iter().enumerate();
        named
            .map(|(index, secret)| self.text(secret, &format!("{member}[{index}]")))
            .collect()
    }

    pub(super) fn files(&self, kind: WantKind, name: &str, member: &str) -> Result<&[SourceFile]> {
        let files = self.secrets.contents.get(&(kind, name.into()));
        files
            .map(|files| files.as_slice())
            .ok_or_else(|| self.missing(kind, name, member))
    }

    pub(super) fn ring(&self) -> Result<SharedRings> {
        let ring = self.secrets.rings.get(self.codec);
        ring.map(|ring| SharedRings(Arc::clone(ring)))
            .ok_or_else(|| self.error("keyring", ErrorCode::SourceMissing, "no ring was given"))
    }

    fn missing(&self, kind: WantKind, name: &str, member: &str) -> Error {
        let message = match kind {
            WantKind::Env => format!("the variable {name} is not set"),
            WantKind::File => format!("the file {name} was not read"),
            WantKind::Directory => format!("the directory {name} was not read"),
            WantKind::Table(_) => format!("the table {name} was not read"),
        };
        self.error(member, ErrorCode::SourceMissing, &message)
    }

    /// An error of a member, or of the codec as a whole where its name is empty.
    pub(super) fn error(&self, member: &str, code: ErrorCode, message: &str) -> Error {
        let codec = self.codec;
        Error::new(
            code,
            match member {
                "" => format!("codecs.{codec}: {message}"),
                _ => format!("codecs.{codec}.{member}: {message}"),
            },
        )
    }

    /// An error of a codec, with its place.
    pub(super) fn explain(&self, member: &str, error: &Error) -> Error {
        self.error(member, error.code(), error.message())
    }
}

/// A ring that several codecs may have.
pub(super) struct SharedRings(Arc<dyn Rings>);

impl Rings for SharedRings {
    fn to_open(&self) -> Result<Arc<Keyring>> {
        self.0.to_open()
    }

    fn to_seal(&self) -> Result<Arc<Keyring>> {
        self.0.to_seal()
    }
}

fn key_of(secret: &SecretRef) -> (WantKind, &str) {
    match secret {
        SecretRef::Env(name) => (WantKind::Env, name),
        SecretRef::File(path) => (WantKind::File, path),
    }
}
