//! A directory of key files, as Kubernetes mounts a secret, and which of them are primary.

use super::{
    SourceFile, Want, WantKind,
    env::{A_DATA_KEY, AN_INDEX_KEY, INDEX_PRIMARY, KEY_DIR, PRIMARY, check_path, wrong_use},
    named, text_of,
};
use crate::{
    error::{Error, ErrorCode, Result},
    ids::{KeyState, KeyUse},
    key::Key,
    keyring::Keyring,
    keyset::is_label,
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};

#[derive(Debug)]
pub(super) struct KeyDirectory {
    path: String,
    primary: String,
    index_primary: Option<String>,
    names: Names,
}

/// What the caller calls the three parts.
#[derive(Clone, Copy, Debug)]
pub(super) struct Names {
    directory: &'static str,
    primary: &'static str,
    index_primary: &'static str,
}

impl Names {
    pub(super) const VARIABLES: Self = Self {
        directory: KEY_DIR,
        primary: PRIMARY,
        index_primary: INDEX_PRIMARY,
    };
    pub(super) const ARGUMENTS: Self = Self {
        directory: "the key directory",
        primary: "primary",
        index_primary: "index_primary",
    };
}

/// The beginning of a name that may hold anything.
fn shown(name: &str) -> String {
    let plain: String = name.chars().take(24).collect();
    format!("{plain:?} and so on")
}

impl KeyDirectory {
    pub(super) fn new(
        path: &str,
        primary: &str,
        index_primary: Option<&str>,
        names: Names,
    ) -> Result<Self> {
        check_path(names.directory, path)?;
        check_path(names.primary, primary)?;
        index_primary.map_or(Ok(()), |name| check_path(names.index_primary, name))?;
        Ok(Self {
            path: path.to_owned(),
            primary: primary.to_owned(),
            index_primary: index_primary.map(str::to_owned),
            names,
        })
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        [Want {
            path: self.path.clone(),
            kind: WantKind::Directory,
            named_by: self.names.directory,
        }]
        .into()
    }

    /// The ring of the directory's files. Hidden files (`.` or `..data`) are skipped; every key
    /// that is no primary is decrypt-only.
    pub(super) fn ring(&self, files: &[SourceFile]) -> Result<Keyring> {
        let mut builder = Keyring::builder();
        for file in files.iter().filter(|file| !file.name.starts_with('.')) {
            self.check_label(&file.name)?;
            let text = text_of(file, &file.name)?;
            let key = Key::load(text).map_err(|error| named(&file.name, &error))?;
            let state = self.state(&file.name, &key)?;
            builder = builder.label(key.id(), &file.name).with(key, state);
        }
        let ring = builder
            .build()
            .map_err(|error| named(self.names.directory, &error))?;
        if ring.primary_id().is_none() {
            return Err(self.no_file(self.names.primary));
        }
        if self.index_primary.is_some() && ring.index_primary_id().is_none() {
            return Err(self.no_file(self.names.index_primary));
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
            (_, _, key_use) => {
                let wanted = match (data_primary, index_primary) {
                    (true, _) => A_DATA_KEY,
                    (false, true) => AN_INDEX_KEY,
                    (false, false) => "a data key or an index key",
                };
                Err(wrong_use(name, key_use, wanted))
            }
        }
    }

    fn check_label(&self, name: &str) -> Result<()> {
        if is_label(name) {
            return Ok(());
        }
        Err(Error::new(
            ErrorCode::SourceUnreadable,
            format!(
                "{} has a file whose name is no label, {}: a label has up to 64 characters, none of them a control character",
                self.names.directory,
                shown(name)
            ),
        ))
    }

    fn no_file(&self, variable: &str) -> Error {
        Error::new(
            ErrorCode::SourceUnreadable,
            format!(
                "{} has no file of the name that {variable} gives: was it renamed, or not mounted?",
                self.names.directory
            ),
        )
    }
}
