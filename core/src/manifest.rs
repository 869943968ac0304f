//! The manifest, `reseal.toml`: which columns of a database are encrypted, and how.
//!
//! A manifest names its secrets and never holds them. The core reads nothing: [`Manifest::wants`]
//! and [`Manifest::rings`] say what is needed, the caller brings it as [`Secrets`], and
//! [`Manifest::build`] gives the columns. `docs/manifest.md` has every member.

mod build;
mod codecs;
mod columns;
mod keyless;
mod path;
mod problem;
mod read;
mod secret;
mod want;

pub use codecs::{CodecSpec, KeyringSource, KeysetUnlock, NamedKey, RingWant};
pub use columns::{ColumnSpec, Fact, IndexSpec};
pub use path::{JsonPath, JsonStep};
pub use problem::{Problem, Problems};
pub use secret::SecretRef;
pub use want::{Secrets, Want, WantKind};

use crate::{
    error::{Error, ErrorCode, Result},
    sorted::SortedMap,
};
use alloc::{format, string::String, vec::Vec};
use problem::Log;
use read::Table;
use toml::de::DeTable;

/// Bytes of a manifest.
pub const MAX_MANIFEST_BYTES: usize = 1_048_576;

const VERSION: u64 = 1;

/// The encrypted columns of a database.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, Keyring, OsEntropy, manifest::{Manifest, Secrets}};
/// use std::sync::Arc;
///
/// let manifest = Manifest::parse(
///     r#"
///     version = 1
///
///     [codecs.app]
///     kind = "reseal"
///     keyring = "env"
///
///     [[columns]]
///     table = "users"
///     column = "ssn"
///     row_id = ["id"]
///     context = { table = "users", column = "ssn" }
///     write = "app"
///     read = ["app", "plain"]
///     "#,
/// )?;
/// assert_eq!(manifest.columns()[0].table, "users");
///
/// let mut secrets = Secrets::new();
/// for ring in manifest.rings() {
///     // In earnest, `ring.source` is loaded.
///     let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
///     let keys = Arc::new(Keyring::builder().primary(key).build()?);
///     secrets.give_ring(ring.codec, keys);
/// }
/// let columns = manifest.build(&secrets)?;
/// assert_eq!(columns.len(), 1);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Clone, Debug)]
pub struct Manifest {
    codecs: SortedMap<String, CodecSpec>,
    columns: Vec<ColumnSpec>,
    warnings: Vec<Problem>,
}

impl Manifest {
    /// The manifest of a text. The error's message lists up to 20 problems.
    ///
    /// # Errors
    /// `manifest-invalid`; `unsupported-version` for another version than 1.
    pub fn parse(text: &str) -> Result<Self> {
        Ok(Self::check(text)?)
    }

    /// The manifest of a text, or all that is wrong with it.
    ///
    /// # Errors
    /// As [`Manifest::parse`]. Where the text is no TOML, the first problem alone.
    ///
    /// # Security
    /// What stands in the place of a secret's name is in no problem.
    pub fn check(text: &str) -> Result<Self, Problems> {
        if text.len() > MAX_MANIFEST_BYTES {
            let message = format!("a manifest has at most {MAX_MANIFEST_BYTES} bytes");
            return Err(Problems::one(ErrorCode::ManifestInvalid, message));
        }
        let log = Log::new(text);
        let document = DeTable::parse(text);
        let mut found = None;
        match &document {
            Ok(document) => found = Self::read(Table::root(document.get_ref(), &log)),
            Err(error) => {
                let at = error.span().map_or(0, |span| span.start);
                log.wrong("", at, format!("this is no TOML: {}", error.message()));
            }
        }
        let warnings = log.finish()?;
        let unsaid = || Problems::one(ErrorCode::ManifestInvalid, "it cannot be read");
        let manifest: Self = found.ok_or_else(unsaid)?;
        Ok(Self {
            warnings,
            ..manifest
        })
    }

    /// Nothing where there are problems.
    fn read(mut root: Table<'_, '_>) -> Option<Self> {
        let version = root.required("version", "1");
        let version = version.and_then(|version| version.number());
        if version.is_some_and(|version| version != VERSION) {
            root.log.code(ErrorCode::UnsupportedVersion);
            root.wrong(
                "version",
                "this release reads manifests of version 1: update it, or write version = 1",
            );
            return None;
        }
        let codecs = codecs::parse(root.value("codecs").as_ref());
        let columns = columns::parse(root.value("columns").as_ref(), &codecs);
        let log = root.log;
        warn_unused(&codecs, &columns, log);
        root.finish();
        let codecs = codecs.into_iter();
        log.is_clean().then(|| Self {
            codecs: codecs
                .filter_map(|(name, codec)| Some((name, codec?)))
                .collect(),
            columns,
            warnings: Vec::new(),
        })
    }

    /// The codecs, and `plain`, in the order of their names.
    pub fn codecs(&self) -> impl Iterator<Item = &CodecSpec> {
        self.codecs.values()
    }

    /// The columns, in the order of the text.
    #[must_use]
    pub fn columns(&self) -> &[ColumnSpec] {
        &self.columns
    }

    /// What is allowed, and what its author should know: columns that write plaintext, readers that
    /// cannot read what is written, codecs that nothing uses. There are 20 at most.
    #[must_use]
    pub fn warnings(&self) -> &[Problem] {
        &self.warnings
    }

    /// The columns that write plaintext, each as a problem with its place.
    pub fn plaintext_columns(&self) -> impl Iterator<Item = &Problem> {
        self.columns.iter().filter_map(|it| it.plaintext.as_ref())
    }

    /// Refuses columns that write plaintext, where `required` says so: the doors give it from
    /// `RESEAL_REQUIRE_ENCRYPTION`.
    ///
    /// # Example
    /// ```
    /// use reseal::{ErrorCode, manifest::Manifest};
    /// let column = "table = 'users'\ncolumn = 'ssn'\nrow_id = ['id']\nwrite = 'plain'";
    /// let manifest = Manifest::parse(&format!("version = 1\n[[columns]]\n{column}"))?;
    /// assert!(manifest.check_encryption(false).is_ok());
    /// let error = manifest.check_encryption(true).unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::EncryptionRequired);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `encryption-required` names the columns.
    pub fn check_encryption(&self, required: bool) -> Result<()> {
        let plain = self.plaintext_columns();
        let places: Vec<String> = plain.map(|problem| format!("{problem}")).collect();
        if !required || places.is_empty() {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::EncryptionRequired,
            format!(
                "encryption is required here (RESEAL_REQUIRE_ENCRYPTION): {}",
                places.join("; ")
            ),
        ))
    }
}

fn warn_unused(codecs: &codecs::Codecs, columns: &[ColumnSpec], log: &Log<'_>) {
    let used = build::names_of(columns);
    let named = codecs.values().flatten();
    for codec in named.filter(|codec| codec.name() != codecs::PLAIN) {
        if !used.contains_key(codec.name()) {
            codec.warn_unused(log);
        }
    }
}
