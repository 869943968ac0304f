//! Key sources: what is to be read, and the ring that it makes. Nothing is read here.

mod directory;
mod env;
mod keyset;

pub use env::{ENV_NAMES, looks_like_path};
pub use keyset::Unlock;

use crate::{
    error::{Error, ErrorCode, Result, fixed},
    key::Key,
    keyring::Keyring,
    keyset::{Argon2id, Expect},
};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use directory::KeyDirectory;
use env::EnvKeys;
use keyset::KeysetFile;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// Where a ring comes from: the environment's variables, a directory of key files, or a keyset.
///
/// The caller reads what [`Source::wants`] names and gives it to [`Source::load`], once or again
/// and again; a source remembers what it has seen, so that an older keyset is refused.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, OsEntropy, Source};
/// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?.export();
/// let variable = |name: &str| (name == "RESEAL_PRIMARY_KEY").then(|| key.to_string());
/// let mut source = Source::from_env(variable)?;
/// assert!(source.wants().is_empty());
/// let ring = source.load(&[], |_, _| unreachable!("there is no passphrase"))?.ring;
/// assert!(ring.is_some());
/// # Ok::<(), reseal::Error>(())
/// ```
pub struct Source {
    place: Place,
    /// A hash of what was loaded last.
    seen: Option<[u8; 32]>,
}

#[derive(Debug)]
enum Place {
    Keys(EnvKeys),
    Directory(KeyDirectory),
    Keyset(KeysetFile),
}

/// The kind of a source.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum SourceKind {
    /// Key texts in variables or files.
    Keys,
    /// A directory with one key text per file.
    Directory,
    /// A keyset.
    Keyset,
}

/// Something to read.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Want {
    /// The path, as it was given.
    pub path: String,
    /// What lies there.
    pub kind: WantKind,
    /// The variable or argument that named it, for messages.
    pub named_by: &'static str,
}

/// What lies at a path.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum WantKind {
    /// A file with a secret, of at most 65,536 bytes.
    Secret,
    /// A directory of such files. Hidden entries and sub-directories are skipped.
    Directory,
    /// A keyset, of at most 1,048,576 bytes.
    Keyset,
}

/// A file that was read.
pub struct SourceFile {
    /// Its name, without directories.
    pub name: String,
    /// Its content.
    pub content: Zeroizing<Vec<u8>>,
}

/// What a source gave.
#[derive(Debug)]
pub struct Loaded {
    /// The ring; `None` where nothing has changed since it was loaded last. A source gives each
    /// ring once: keep it.
    pub ring: Option<Keyring>,
    /// How long a live ring may seal without another look, in seconds; 0 is for ever.
    pub lease_seconds: u32,
    /// The generation of a keyset.
    pub generation: Option<u64>,
    /// The ring id of a keyset.
    pub ring_id: Option<String>,
}

impl Source {
    /// What the variables named in [`ENV_NAMES`] say. A variable of white space alone counts as
    /// not set.
    ///
    /// # Example
    /// ```
    /// use reseal::{ErrorCode, Source};
    /// let error = Source::from_env(|_| None).unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::SourceMissing);
    /// ```
    ///
    /// # Errors
    /// `source-missing`, `source-conflict`, `source-unreadable`, `invalid-argument`;
    /// `invalid-key`, `key-wrong-use`. All name the variables, none shows a value.
    pub fn from_env(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        env::read(variable).map(Self::new)
    }

    /// A directory with one key text per file, as Kubernetes mounts a secret. The file name is the
    /// key's label; `primary` and `index_primary` are file names.
    ///
    /// # Errors
    /// `source-unreadable` for a key text in the place of a path or name.
    pub fn directory(path: &str, primary: &str, index_primary: Option<&str>) -> Result<Self> {
        let names = directory::Names::ARGUMENTS;
        KeyDirectory::new(path, primary, index_primary, names)
            .map(Place::Directory)
            .map(Self::new)
    }

    /// A keyset in a file.
    ///
    /// # Errors
    /// `invalid-argument` where the expected ring is no ring id.
    pub fn keyset(path: &str, unlock: Unlock, expect: Expect) -> Result<Self> {
        KeysetFile::new(path, unlock, expect)
            .map(Place::Keyset)
            .map(Self::new)
    }

    /// The kind of this source.
    #[must_use]
    pub const fn kind(&self) -> SourceKind {
        match &self.place {
            Place::Keys(_) => SourceKind::Keys,
            Place::Directory(_) => SourceKind::Directory,
            Place::Keyset(_) => SourceKind::Keyset,
        }
    }

    /// What is to be read before each [`Source::load`].
    #[must_use]
    pub fn wants(&self) -> Vec<Want> {
        match &self.place {
            Place::Keys(keys) => keys.wants(),
            Place::Directory(directory) => directory.wants(),
            Place::Keyset(keyset) => keyset.wants(),
        }
    }

    /// The ring. `contents` has the files of each of [`Source::wants`], in their order; `derive`
    /// makes the key of a passphrase, and is called only where there is one and its key is not
    /// known yet.
    ///
    /// # Errors
    /// `source-unreadable` for a file that is not there or no text; `invalid-key`,
    /// `key-wrong-use`, `duplicate-key`; those of [`crate::KeysetDocument::parse`] and
    /// [`crate::KeysetDocument::unlock`]. All name the variable or file.
    pub fn load(
        &mut self,
        contents: &[Vec<SourceFile>],
        derive: impl FnOnce(&Argon2id, &[u8]) -> Result<Key>,
    ) -> Result<Loaded> {
        let now = fingerprint(contents);
        let unchanged = self.seen == Some(now);
        let loaded = match &mut self.place {
            Place::Keys(keys) => simple((!unchanged).then(|| keys.ring(contents)).transpose()?),
            Place::Directory(directory) => {
                let files = contents.first().map(Vec::as_slice).unwrap_or_default();
                simple((!unchanged).then(|| directory.ring(files)).transpose()?)
            }
            Place::Keyset(keyset) => keyset.load(contents, unchanged, derive)?,
        };
        self.seen = Some(now);
        Ok(loaded)
    }

    const fn new(place: Place) -> Self {
        Self { place, seen: None }
    }
}

/// What is read, and not the hash of it: a passphrase is soon guessed that has a plain hash.
impl fmt::Debug for Source {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Source({:?})", self.place)
    }
}

impl SourceKind {
    /// `keys`, `directory` or `keyset`.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Keys => "keys",
            Self::Directory => "directory",
            Self::Keyset => "keyset",
        }
    }
}

impl fmt::Debug for SourceFile {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SourceFile({}, hidden)", self.name)
    }
}

/// A secret: given, or to be read from a file.
enum Secret {
    Given(Zeroizing<String>),
    File(String),
}

impl Secret {
    fn want(&self, named_by: &'static str) -> Option<Want> {
        match self {
            Self::Given(_) => None,
            Self::File(path) => Some(Want {
                path: path.clone(),
                kind: WantKind::Secret,
                named_by,
            }),
        }
    }

    /// The text, with that of a file taken from what was read.
    fn text<'a>(
        &'a self,
        named_by: &str,
        contents: &mut impl Iterator<Item = &'a Vec<SourceFile>>,
    ) -> Result<&'a str> {
        match self {
            Self::Given(text) => Ok(text),
            Self::File(_) => text_of(file_of(contents, named_by)?, named_by),
        }
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(hidden)")
    }
}

fn simple(ring: Option<Keyring>) -> Loaded {
    Loaded {
        ring,
        lease_seconds: 0,
        generation: None,
        ring_id: None,
    }
}

/// What tells one content from another; it never leaves this process.
fn fingerprint(contents: &[Vec<SourceFile>]) -> [u8; 32] {
    let mut hash = Sha256::new();
    let mut add = |bytes: &[u8]| {
        hash.update(u64::try_from(bytes.len()).unwrap_or(u64::MAX).to_be_bytes());
        hash.update(bytes);
    };
    for files in contents {
        add(&u64::try_from(files.len()).unwrap_or(u64::MAX).to_be_bytes());
        for file in files {
            add(file.name.as_bytes());
            add(&file.content);
        }
    }
    hash.finalize().into()
}

fn file_of<'a>(
    contents: &mut impl Iterator<Item = &'a Vec<SourceFile>>,
    named_by: &str,
) -> Result<&'a SourceFile> {
    let file = contents.next().and_then(|files| files.first());
    file.ok_or_else(|| {
        Error::new(
            ErrorCode::SourceUnreadable,
            format!("{named_by}: the file was not read"),
        )
    })
}

fn text_of<'a>(file: &'a SourceFile, named_by: &str) -> Result<&'a str> {
    core::str::from_utf8(&file.content).map_err(|_| {
        Error::new(
            ErrorCode::SourceUnreadable,
            format!("{named_by}: the file is no text (UTF-8)"),
        )
    })
}

fn named(name: impl fmt::Display, error: &Error) -> Error {
    Error::new(error.code(), format!("{name}: {error}"))
}

fn error(code: ErrorCode, message: &'static str) -> Error {
    fixed(code, message)
}
