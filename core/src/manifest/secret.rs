//! Where a secret is. The secret itself never stands in a manifest.

use super::read::{Table, Value};
use alloc::{
    borrow::ToOwned,
    string::{String, ToString},
    vec::Vec,
};
use core::fmt;

const MAX_NAME_CHARS: usize = 128;
const MAX_PATH_CHARS: usize = 4096;

const NO_SECRET: &str = "a secret is named, as env:NAME or file:PATH, and never written here; what \
                         stands here is not shown";
const NO_PATH: &str = "this is no path of a file or directory";

/// Where a secret is.
///
/// # Example
/// ```
/// use reseal::manifest::SecretRef;
/// let secret = SecretRef::parse("env:AR_SALT").unwrap();
/// assert_eq!(secret, SecretRef::Env("AR_SALT".into()));
/// assert_eq!(secret.to_string(), "env:AR_SALT");
/// assert!(SecretRef::parse("the secret itself").is_none());
/// ```
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum SecretRef {
    /// In a variable of the environment, as it stands there.
    Env(String),
    /// In a file, of which one final line feed is dropped.
    File(String),
}

impl SecretRef {
    /// `env:NAME` or `file:PATH`; nothing for everything else.
    #[must_use]
    pub fn parse(text: &str) -> Option<Self> {
        if let Some(name) = text.strip_prefix("env:") {
            return is_variable(name).then(|| Self::Env(name.to_owned()));
        }
        let path = text.strip_prefix("file:")?;
        is_path(path).then(|| Self::File(path.to_owned()))
    }
}

impl fmt::Display for SecretRef {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Env(name) => write!(f, "env:{name}"),
            Self::File(path) => write!(f, "file:{path}"),
        }
    }
}

/// Where the rows of a table of keys are.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum RowsRef {
    /// A JSON document with the rows.
    Document(SecretRef),
    /// The table itself.
    Table(String),
}

impl Table<'_, '_> {
    pub(super) fn secret(&mut self, name: &'static str) -> Option<SecretRef> {
        self.value(name)?.secret()
    }

    /// A list of secrets; nothing is said where it is missing.
    pub(super) fn secrets(&mut self, name: &'static str) -> Vec<SecretRef> {
        self.value(name)
            .map(|list| list.secrets())
            .unwrap_or_default()
    }

    pub(super) fn required_secrets(&mut self, name: &'static str) -> Vec<SecretRef> {
        let list = self.required(name, "[\"env:NAME\"]");
        list.map(|list| list.secrets()).unwrap_or_default()
    }

    /// `table:NAME`, or a document.
    pub(super) fn rows(&mut self, name: &'static str) -> Option<RowsRef> {
        let value = self.value(name)?;
        let text = value.text()?;
        if let Some(table) = text.strip_prefix("table:") {
            if is_path(table) {
                return Some(RowsRef::Table(table.to_owned()));
            }
            value.wrong("this is no name of a table");
            return None;
        }
        let document = SecretRef::parse(text);
        if document.is_none() {
            value.wrong(
                "rows of keys are named, as table:NAME, file:PATH or env:NAME; what stands here \
                 is not shown",
            );
        }
        document.map(RowsRef::Document)
    }
}

impl Value<'_, '_> {
    pub(super) fn secret(&self) -> Option<SecretRef> {
        let secret = SecretRef::parse(self.text()?);
        if secret.is_none() {
            self.wrong(NO_SECRET);
        }
        secret
    }

    fn secrets(&self) -> Vec<SecretRef> {
        let texts = self.texts().into_iter();
        texts.filter_map(|(item, _)| item.secret()).collect()
    }

    pub(super) fn path(&self, path: &str) -> Option<String> {
        if !is_path(path) {
            self.wrong(NO_PATH);
        }
        is_path(path).then(|| path.to_string())
    }
}

fn is_variable(name: &str) -> bool {
    let starts = name
        .bytes()
        .next()
        .is_some_and(|byte| byte.is_ascii_alphabetic() || byte == b'_');
    let allowed = |byte: u8| byte.is_ascii_alphanumeric() || byte == b'_';
    starts && name.len() <= MAX_NAME_CHARS && name.bytes().all(allowed)
}

/// A path is printed, and a key in its place must not be.
fn is_path(path: &str) -> bool {
    !path.is_empty()
        && path.len() <= MAX_PATH_CHARS
        && !path.contains("rsk1.")
        && !path.chars().any(char::is_control)
}
