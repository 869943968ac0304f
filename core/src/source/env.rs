//! The environment: which variables make which source, and rings of the keys in them.

use super::{
    Place, Secret, SourceFile, Want,
    directory::{KeyDirectory, Names},
    error,
    keyset::{KeysetFile, Unlock},
    named,
};
use crate::{
    error::{Error, ErrorCode, Result},
    ids::{KeyState, KeyUse},
    key::{Key, trim},
    keyring::Keyring,
    keyset::Expect,
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};
use zeroize::Zeroizing;

const PRIMARY_KEY: &str = "RESEAL_PRIMARY_KEY";
const INDEX_KEY: &str = "RESEAL_INDEX_KEY";
const DECRYPT_KEYS: &str = "RESEAL_DECRYPT_KEYS";
const INTRODUCED_KEYS: &str = "RESEAL_INTRODUCED_KEYS";
pub(super) const KEY_DIR: &str = "RESEAL_KEY_DIR";
pub(super) const PRIMARY: &str = "RESEAL_PRIMARY";
pub(super) const INDEX_PRIMARY: &str = "RESEAL_INDEX_PRIMARY";
pub(super) const KEYSET: &str = "RESEAL_KEYSET";
pub(super) const KEK: &str = "RESEAL_KEK";
pub(super) const PASSPHRASE: &str = "RESEAL_PASSPHRASE";
pub(super) const A_DATA_KEY: &str = "a data key (rsk1.data.)";
pub(super) const AN_INDEX_KEY: &str = "an index key (rsk1.index.)";
pub(super) const A_KEK: &str = "a key-encrypting key (rsk1.kek.)";
const RING: &str = "RESEAL_RING";
const MIN_GENERATION: &str = "RESEAL_MIN_GENERATION";

/// The variables that hold keys, each with the one that names a file instead.
const KEYS: [[&str; 2]; 4] = [
    [PRIMARY_KEY, "RESEAL_PRIMARY_KEY_FILE"],
    [INDEX_KEY, "RESEAL_INDEX_KEY_FILE"],
    [DECRYPT_KEYS, "RESEAL_DECRYPT_KEYS_FILE"],
    [INTRODUCED_KEYS, "RESEAL_INTRODUCED_KEYS_FILE"],
];
pub(super) const KEK_FILE: &str = "RESEAL_KEK_FILE";
pub(super) const PASSPHRASE_FILE: &str = "RESEAL_PASSPHRASE_FILE";

/// What says something of a keyset alone; the last of [`ENV_NAMES`].
const OF_KEYSET: [&str; 6] = [
    KEK,
    KEK_FILE,
    PASSPHRASE,
    PASSPHRASE_FILE,
    RING,
    MIN_GENERATION,
];

/// The environment variables that a ring can come from.
pub const ENV_NAMES: [&str; 18] = [
    PRIMARY_KEY,
    "RESEAL_PRIMARY_KEY_FILE",
    INDEX_KEY,
    "RESEAL_INDEX_KEY_FILE",
    DECRYPT_KEYS,
    "RESEAL_DECRYPT_KEYS_FILE",
    INTRODUCED_KEYS,
    "RESEAL_INTRODUCED_KEYS_FILE",
    KEY_DIR,
    PRIMARY,
    INDEX_PRIMARY,
    KEYSET,
    KEK,
    KEK_FILE,
    PASSPHRASE,
    PASSPHRASE_FILE,
    RING,
    MIN_GENERATION,
];

/// Key texts in variables, or in files that variables name.
#[derive(Debug)]
pub(super) struct EnvKeys {
    /// In the order of [`KEYS`].
    secrets: [Option<Secret>; 4],
}

pub(super) fn read(variable: impl Fn(&str) -> Option<String>) -> Result<Place> {
    let read = |name: &str| {
        let value = Zeroizing::new(variable(name)?);
        (!trim(&value).is_empty()).then_some(value)
    };
    let has_keys = KEYS.iter().flatten().any(|name| read(name).is_some());
    let (directory_path, keyset_path) = (read(KEY_DIR), read(KEYSET));
    let is_emptied = variable(KEYSET).is_some() && keyset_path.is_none();
    if is_emptied && (has_keys || directory_path.is_some()) {
        check_emptied(|name| read(name).is_some())?;
    }
    match (has_keys, directory_path, keyset_path) {
        (true, None, None) => EnvKeys::new(read).map(Place::Keys),
        (false, Some(path), None) => directory(&path, read).map(Place::Directory),
        (false, None, Some(path)) => keyset(&path, read).map(Place::Keyset),
        (false, None, None) => Err(error(
            ErrorCode::SourceMissing,
            "no key is configured: set RESEAL_PRIMARY_KEY to a key, or RESEAL_KEY_DIR to a folder and RESEAL_PRIMARY to the name of a file in it, or RESEAL_KEYSET to a keyset and RESEAL_KEK_FILE to the file that opens it (are they empty?)",
        )),
        _ => Err(error(
            ErrorCode::SourceConflict,
            "keys come from one source: set only one of RESEAL_PRIMARY_KEY (with RESEAL_INDEX_KEY, RESEAL_DECRYPT_KEYS and RESEAL_INTRODUCED_KEYS, or their _FILE variants), RESEAL_KEY_DIR and RESEAL_KEYSET",
        )),
    }
}

impl EnvKeys {
    fn new(read: impl Fn(&str) -> Option<Value>) -> Result<Self> {
        let mut secrets = [const { None }; 4];
        for (secret, [value, file]) in secrets.iter_mut().zip(KEYS) {
            *secret = one_of(value, file, &read)?;
        }
        match &secrets {
            [Some(_), ..] => Ok(Self { secrets }),
            _ => Err(error(
                ErrorCode::SourceMissing,
                "RESEAL_PRIMARY_KEY is not set or empty, but other keys are: set it (or RESEAL_PRIMARY_KEY_FILE) to the data key that seals",
            )),
        }
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let secrets = self.secrets.iter().zip(KEYS);
        secrets
            .filter_map(|(secret, [_, file])| secret.as_ref()?.want(file))
            .collect()
    }

    pub(super) fn ring(&self, contents: &[Vec<SourceFile>]) -> Result<Keyring> {
        let mut contents = contents.iter();
        let mut builder = Keyring::builder();
        let states = [
            (KeyState::Primary, Some(KeyUse::Data)),
            (KeyState::Primary, Some(KeyUse::Index)),
            (KeyState::DecryptOnly, None),
            (KeyState::Introduced, None),
        ];
        for ((secret, [value, file]), (state, expected)) in
            self.secrets.iter().zip(KEYS).zip(states)
        {
            let Some(secret) = secret else { continue };
            let name = match secret {
                Secret::Given(_) => value,
                Secret::File(_) => file,
            };
            let text = secret.text(name, &mut contents)?;
            let keys = match expected {
                Some(_) => Key::load(text).map(|key| [key].into()),
                None => Key::load_list(text),
            };
            let is_given = matches!(secret, Secret::Given(_));
            let in_place = |error| {
                if is_given && looks_like_path(text) {
                    is_path(name, file)
                } else {
                    named(name, &error)
                }
            };
            for key in keys.map_err(in_place)? {
                if expected.is_some_and(|expected| expected != key.key_use()) {
                    let wanted = match expected {
                        Some(KeyUse::Index) => AN_INDEX_KEY,
                        _ => A_DATA_KEY,
                    };
                    return Err(wrong_use(name, key.key_use(), wanted));
                }
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
}

type Value = Zeroizing<String>;

/// A secret in a variable or in the file that another variable names.
fn one_of(
    value: &'static str,
    file: &'static str,
    read: impl Fn(&str) -> Option<Value>,
) -> Result<Option<Secret>> {
    match (read(value), read(file)) {
        (Some(_), Some(_)) => Err(Error::new(
            ErrorCode::SourceConflict,
            format!("{value} and {file} are both set: take one of them away"),
        )),
        (Some(secret), None) => Ok(Some(Secret::Given(secret))),
        (None, Some(path)) => Ok(Some(Secret::File(path_of(file, &path)?))),
        (None, None) => Ok(None),
    }
}

/// A start with the keys of before would be silent: nothing of a keyset is looked at without it.
fn check_emptied(is_set: impl Fn(&str) -> bool) -> Result<()> {
    let mut set = ENV_NAMES.iter().filter(|name| is_set(name));
    match (set.next(), set.next_back()) {
        (Some(other), Some(left)) if OF_KEYSET.contains(left) => Err(Error::new(
            ErrorCode::SourceConflict,
            format!(
                "{KEYSET} is set but empty, while {left} and {other} are set: set it, or unset it and {left}"
            ),
        )),
        _ => Ok(()),
    }
}

fn directory(path: &str, read: impl Fn(&str) -> Option<Value>) -> Result<KeyDirectory> {
    let path = path_of(KEY_DIR, path)?;
    let Some(primary) = read(PRIMARY) else {
        return Err(error(
            ErrorCode::SourceMissing,
            "RESEAL_KEY_DIR is set but RESEAL_PRIMARY is not: set it to the name of the file with the key that seals",
        ));
    };
    let primary = path_of(PRIMARY, &primary)?;
    let index_primary = read(INDEX_PRIMARY);
    let index_primary = index_primary
        .map(|name| path_of(INDEX_PRIMARY, &name))
        .transpose()?;
    KeyDirectory::new(&path, &primary, index_primary.as_deref(), Names::VARIABLES)
}

fn keyset(path: &str, read: impl Fn(&str) -> Option<Value>) -> Result<KeysetFile> {
    let path = path_of(KEYSET, path)?;
    // A passphrase is not trimmed; the others are, or do not care.
    let kek = one_of(KEK, KEK_FILE, &read)?;
    let passphrase = one_of(PASSPHRASE, PASSPHRASE_FILE, &read)?;
    let unlock = match (kek, passphrase) {
        (Some(Secret::Given(text)), None) => Unlock::Kek(load_kek(&text)?),
        (Some(Secret::File(path)), None) => Unlock::KekFile(path),
        (None, Some(Secret::Given(text))) => {
            Unlock::Passphrase(Zeroizing::new(text.as_bytes().to_vec()))
        }
        (None, Some(Secret::File(path))) => Unlock::PassphraseFile(path),
        (None, None) => {
            return Err(error(
                ErrorCode::SourceMissing,
                "RESEAL_KEYSET is set, but nothing that opens it: set RESEAL_KEK, RESEAL_KEK_FILE, RESEAL_PASSPHRASE or RESEAL_PASSPHRASE_FILE",
            ));
        }
        (Some(_), Some(_)) => {
            return Err(error(
                ErrorCode::SourceConflict,
                "a keyset is opened by a key-encrypting key or by a passphrase: set only one of RESEAL_KEK, RESEAL_KEK_FILE, RESEAL_PASSPHRASE and RESEAL_PASSPHRASE_FILE",
            ));
        }
    };
    let min_generation = match read(MIN_GENERATION) {
        None => 0,
        Some(text) => trim(&text).parse().map_err(|_| {
            error(
                ErrorCode::InvalidArgument,
                "RESEAL_MIN_GENERATION is a whole number: the generation that `reseal keyset show` prints",
            )
        })?,
    };
    let ring = read(RING).map(|ring| trim(&ring).to_owned());
    let expect = Expect {
        ring,
        min_generation,
    };
    KeysetFile::new(&path, unlock, expect).map_err(|error| named(RING, &error))
}

fn load_kek(text: &str) -> Result<Key> {
    let key = Key::load(text).map_err(|error| {
        if looks_like_path(text) {
            is_path(KEK, KEK_FILE)
        } else {
            named(KEK, &error)
        }
    })?;
    match key.key_use() {
        KeyUse::Kek => Ok(key),
        key_use => Err(wrong_use(KEK, key_use, A_KEK)),
    }
}

fn path_of(variable: &str, value: &str) -> Result<String> {
    check_path(variable, value)?;
    Ok(trim(value).to_string())
}

/// A path or name is printed, and a key in its place must not be.
pub(super) fn check_path(name: &str, value: &str) -> Result<()> {
    if !value.contains("rsk1.") {
        return Ok(());
    }
    let meant = match name.strip_suffix("_FILE") {
        Some(twin) => format!("did you mean {twin}?"),
        None if name.starts_with("RESEAL_") => {
            format!("did you mean {PRIMARY_KEY}, {INDEX_KEY} or {KEK}?")
        }
        None => "give the path of the file that holds it".to_string(),
    };
    Err(Error::new(
        ErrorCode::SourceUnreadable,
        format!("{name} holds a key, but is a path or a name: {meant}"),
    ))
}

/// Whether this was meant as the path of a file, and stands in the place of a key text.
#[doc(hidden)]
#[must_use]
pub fn looks_like_path(text: &str) -> bool {
    let text = trim(text);
    let has_folder = text.contains('/') && !text.contains(|c: char| c.is_ascii_uppercase());
    let has_ending = text.contains('.') && !text.contains("rsk");
    let is_one_word = !text.contains(|c: char| c.is_whitespace() || matches!(c, '=' | ',' | '"'));
    is_one_word && (text.starts_with(['/', '~']) || has_folder || has_ending)
}

fn is_path(name: &str, file: &str) -> Error {
    Error::new(
        ErrorCode::InvalidKey,
        format!("{name} holds what looks like a path: did you mean {file}?"),
    )
}

pub(super) fn wrong_use(name: &str, key_use: KeyUse, wanted: &str) -> Error {
    Error::new(
        ErrorCode::KeyWrongUse,
        format!(
            "{name} holds a key for another use (rsk1.{}.): {} is wanted",
            key_use.as_str(),
            wanted
        ),
    )
}
