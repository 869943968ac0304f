//! The rules of key sources, without reading any: which variables and files make which ring.

use crate::{
    error::{Error, ErrorCode, Result},
    ids::{KeyState, KeyUse},
    key::{Key, trim},
    keyring::Keyring,
};
use alloc::{borrow::ToOwned, format, string::String};
use core::fmt;
use zeroize::Zeroizing;

const PRIMARY_KEY: &str = "RESEAL_PRIMARY_KEY";
const INDEX_KEY: &str = "RESEAL_INDEX_KEY";
const DECRYPT_KEYS: &str = "RESEAL_DECRYPT_KEYS";
const INTRODUCED_KEYS: &str = "RESEAL_INTRODUCED_KEYS";
const KEY_DIR: &str = "RESEAL_KEY_DIR";
const PRIMARY: &str = "RESEAL_PRIMARY";
const INDEX_PRIMARY: &str = "RESEAL_INDEX_PRIMARY";
const KEYSET: &str = "RESEAL_KEYSET";

/// The rule for labels of keys.
const MAX_LABEL_CHARS: usize = 64;

/// The environment variables that a ring can come from.
pub const ENV_NAMES: [&str; 8] = [
    PRIMARY_KEY,
    INDEX_KEY,
    DECRYPT_KEYS,
    INTRODUCED_KEYS,
    KEY_DIR,
    PRIMARY,
    INDEX_PRIMARY,
    KEYSET,
];

/// What the environment says about keys.
#[derive(Debug)]
pub enum EnvSource {
    /// The keys themselves.
    Ring(Keyring),
    /// A directory with one key text per file.
    Directory(KeyDirectory),
}

/// A directory of keys, as Kubernetes mounts a secret, and which of its files are primary.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KeyDirectory {
    /// The path of the directory.
    pub path: String,
    /// The name of the file with the primary data key.
    pub primary: String,
    /// The name of the file with the primary index key.
    pub index_primary: Option<String>,
}

impl EnvSource {
    /// What the variables named in [`ENV_NAMES`] say. A variable of white space alone counts as
    /// not set.
    ///
    /// # Example
    /// ```
    /// use reseal::{EnvSource, ErrorCode};
    /// let error = EnvSource::read(|_| None).unwrap_err();
    /// assert_eq!(error.code(), ErrorCode::SourceMissing);
    /// ```
    ///
    /// # Errors
    /// `source-missing`, `source-conflict`, `source-unreadable`; `invalid-key`, `key-wrong-use`
    /// and `duplicate-key`. All name the variables, none shows a value.
    pub fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Self> {
        let read = |name: &str| {
            let value = Zeroizing::new(variable(name)?);
            (!trim(&value).is_empty()).then_some(value)
        };
        let has_keys = [PRIMARY_KEY, INDEX_KEY, DECRYPT_KEYS, INTRODUCED_KEYS]
            .into_iter()
            .any(|name| read(name).is_some());
        match (has_keys, read(KEY_DIR), read(KEYSET)) {
            (true, None, None) => keys(read).map(Self::Ring),
            (false, Some(path), None) => directory(&path, read).map(Self::Directory),
            (false, None, Some(_)) => Err(error(
                ErrorCode::SourceUnreadable,
                "this release does not read keysets yet: set RESEAL_PRIMARY_KEY or RESEAL_KEY_DIR instead of RESEAL_KEYSET",
            )),
            (false, None, None) => Err(error(
                ErrorCode::SourceMissing,
                "no key is configured: set RESEAL_PRIMARY_KEY to a key, or RESEAL_KEY_DIR to a folder and RESEAL_PRIMARY to the name of a file in it (are they empty?)",
            )),
            _ => Err(error(
                ErrorCode::SourceConflict,
                "keys come from one source: set only one of RESEAL_PRIMARY_KEY (with RESEAL_INDEX_KEY, RESEAL_DECRYPT_KEYS and RESEAL_INTRODUCED_KEYS), RESEAL_KEY_DIR and RESEAL_KEYSET",
            )),
        }
    }
}

impl KeyDirectory {
    /// The ring of the directory's files, given as (name, content). Hidden files (`.` or `..data`)
    /// are skipped; every key that is no primary is decrypt-only.
    ///
    /// # Errors
    /// `source-unreadable` when a primary file is not among them, or a name has a control character
    /// or more than 64 characters; `invalid-key`, `key-wrong-use` and `duplicate-key`. All name the
    /// file.
    pub fn ring(&self, files: &[(String, Zeroizing<String>)]) -> Result<Keyring> {
        let mut builder = Keyring::builder();
        for (name, content) in files.iter().filter(|(name, _)| !name.starts_with('.')) {
            check_label(name)?;
            let key = Key::load(content).map_err(|error| named(name, &error))?;
            let state = self.state(name, &key)?;
            builder = builder.with(key, state);
        }
        let ring = builder.build().map_err(|error| named(KEY_DIR, &error))?;
        if ring.primary_id().is_none() {
            return Err(no_file(PRIMARY));
        }
        if self.index_primary.is_some() && ring.index_primary_id().is_none() {
            return Err(no_file(INDEX_PRIMARY));
        }
        Ok(ring)
    }

    /// Primary where the variable for this use names the file.
    fn state(&self, name: &str, key: &Key) -> Result<KeyState> {
        let data_primary = self.primary == name;
        let index_primary = self.index_primary.as_deref() == Some(name);
        match (data_primary, index_primary, key.key_use()) {
            (true, false, KeyUse::Data) | (false, true, KeyUse::Index) => Ok(KeyState::Primary),
            (false, false, KeyUse::Data | KeyUse::Index) => Ok(KeyState::DecryptOnly),
            (_, _, key_use) => Err(wrong_use(name, key_use)),
        }
    }
}

/// The rule for labels of keys: up to 64 characters, none of them a control character.
fn check_label(name: &str) -> Result<()> {
    if name.chars().count() > MAX_LABEL_CHARS || name.chars().any(|c| c < ' ' || c == '\x7F') {
        return Err(error(
            ErrorCode::SourceUnreadable,
            "RESEAL_KEY_DIR has a file whose name is no label: up to 64 characters, none of them a control character",
        ));
    }
    Ok(())
}

fn no_file(variable: &str) -> Error {
    Error::new(
        ErrorCode::SourceUnreadable,
        format!(
            "{KEY_DIR} has no file of the name that {variable} gives: was it renamed, or not mounted?"
        ),
    )
}

type Value = Zeroizing<String>;

fn keys(read: impl Fn(&str) -> Option<Value>) -> Result<Keyring> {
    let Some(primary) = read(PRIMARY_KEY) else {
        return Err(error(
            ErrorCode::SourceMissing,
            "RESEAL_PRIMARY_KEY is not set or empty, but other keys are: set it to the data key that seals",
        ));
    };
    let mut builder = Keyring::builder().primary(load(PRIMARY_KEY, &primary, KeyUse::Data)?);
    if let Some(index) = read(INDEX_KEY) {
        builder = builder.primary(load(INDEX_KEY, &index, KeyUse::Index)?);
    }
    for (name, state) in [
        (DECRYPT_KEYS, KeyState::DecryptOnly),
        (INTRODUCED_KEYS, KeyState::Introduced),
    ] {
        let Some(list) = read(name) else { continue };
        for key in Key::load_list(&list).map_err(|error| named(name, &error))? {
            builder = builder.with(key, state);
        }
    }
    builder.build().map_err(|error| {
        named(
            "RESEAL_PRIMARY_KEY, RESEAL_INDEX_KEY, RESEAL_DECRYPT_KEYS, RESEAL_INTRODUCED_KEYS",
            &error,
        )
    })
}

fn directory(path: &str, read: impl Fn(&str) -> Option<Value>) -> Result<KeyDirectory> {
    let Some(primary) = read(PRIMARY) else {
        return Err(error(
            ErrorCode::SourceMissing,
            "RESEAL_KEY_DIR is set but RESEAL_PRIMARY is not: set it to the name of the file with the key that seals",
        ));
    };
    let index_primary = read(INDEX_PRIMARY);
    let index_name = index_primary.as_deref().map(|name| trim(name));
    let names = [
        (KEY_DIR, Some(path)),
        (PRIMARY, Some(primary.as_str())),
        (INDEX_PRIMARY, index_name),
    ];
    for (variable, value) in names {
        // Names are printed, and a key in the wrong variable must not be.
        if value.is_some_and(|value| value.contains("rsk1.")) {
            return Err(Error::new(
                ErrorCode::SourceUnreadable,
                format!(
                    "{variable} holds a key, but is a name: did you mean {PRIMARY_KEY} or {INDEX_KEY}?"
                ),
            ));
        }
    }
    Ok(KeyDirectory {
        path: trim(path).to_owned(),
        primary: trim(&primary).to_owned(),
        index_primary: index_name.map(str::to_owned),
    })
}

fn load(name: &str, text: &str, expected: KeyUse) -> Result<Key> {
    let key = Key::load(text).map_err(|error| named(name, &error))?;
    if key.key_use() != expected {
        return Err(wrong_use(name, key.key_use()));
    }
    Ok(key)
}

fn wrong_use(name: &str, key_use: KeyUse) -> Error {
    Error::new(
        ErrorCode::KeyWrongUse,
        format!(
            "{name} holds a key for another use (rsk1.{}.)",
            key_use.as_str()
        ),
    )
}

fn named(name: impl fmt::Display, error: &Error) -> Error {
    Error::new(error.code(), format!("{name}: {error}"))
}

fn error(code: ErrorCode, message: &'static str) -> Error {
    Error::new(code, message)
}
