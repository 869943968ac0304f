//! The kind reseal: where its ring comes from.

use super::Options;
use crate::{
    codec::Reseal,
    column::NamedCodec,
    error::{Error, ErrorCode, Result},
    ids::KeyUse,
    key::Key,
    keyset::{Expect, is_ring},
    manifest::{
        SecretRef,
        read::{Table, Value},
        want::Given,
    },
    source::{Source, Unlock},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use zeroize::Zeroizing;

/// Where the ring of a codec comes from: the member `keyring`.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum KeyringSource {
    /// The environment: `RESEAL_PRIMARY_KEY` and its like.
    Env,
    /// A directory with one key text per file.
    Directory {
        /// Its path.
        path: String,
        /// The name of the file with the key that seals.
        primary: String,
        /// The name of the file with the index key.
        index_primary: Option<String>,
    },
    /// A keyset in a file, or in the database.
    Keyset {
        /// Its path; `sql:RING` is a row of the database, and `sql:` its only one.
        path: String,
        /// What opens it.
        unlock: KeysetUnlock,
        /// The ring that it must be.
        ring: Option<String>,
        /// The generation that it must have at least.
        min_generation: u64,
    },
}

/// What opens a keyset.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum KeysetUnlock {
    /// A key-encrypting key.
    Kek(SecretRef),
    /// A passphrase.
    Passphrase(SecretRef),
}

/// A ring that a codec needs.
///
/// Two codecs with equal sources may share one ring.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct RingWant {
    /// The name of the codec.
    pub codec: String,
    /// Where the ring comes from.
    pub source: KeyringSource,
}

impl KeyringSource {
    /// The key source, ready to be loaded, once or again and again. `variable` reads the
    /// environment.
    ///
    /// # Example
    /// ```
    /// use reseal::{Key, KeyUse, OsEntropy, manifest::Manifest};
    /// let manifest = Manifest::parse("version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'")?;
    /// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?.export();
    /// let variable = |name: &str| (name == "RESEAL_PRIMARY_KEY").then(|| key.to_string());
    /// let wanted = &manifest.rings()[0];
    /// let mut source = wanted.source.source(variable)?;
    /// assert!(source.load(&[], |_, _| unreachable!())?.ring.is_some());
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// Those of [`Source::from_env`], [`Source::directory`] and [`Source::keyset`];
    /// `source-missing` for a variable that is not set.
    pub fn source(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Source> {
        match self {
            Self::Env => Source::from_env(variable),
            Self::Directory {
                path,
                primary,
                index_primary,
            } => Source::directory(path, primary, index_primary.as_deref()),
            Self::Keyset {
                path,
                unlock,
                ring,
                min_generation,
            } => {
                let expect = Expect {
                    ring: ring.clone(),
                    min_generation: *min_generation,
                };
                Source::keyset(path, unlock.read(variable)?, expect)
            }
        }
    }

    fn parse(table: &mut Table<'_, '_>) -> Option<Self> {
        let mut parts = Parts::read(table);
        let keyring = table.required("keyring", "\"env\"")?;
        let text = keyring.text()?;
        let source = if text == "env" {
            Some(Self::Env)
        } else if let Some(path) = text.strip_prefix("dir:") {
            parts.directory(keyring.path(path), table)
        } else if let Some(path) = text.strip_prefix("keyset:") {
            parts.keyset(keyring.path(path), table)
        } else if let Some(ring) = text.strip_prefix("sql:") {
            if !ring.is_empty() {
                check_ring(ring, &keyring);
            }
            // What reads paths tells it from one.
            parts.keyset(keyring.path(text), table)
        } else {
            keyring
                .wrong("a keyring is env, dir:PATH, keyset:PATH or sql:RING; what stands here is not shown");
            return None;
        };
        parts.refuse_rest(text.split(':').next().unwrap_or_default());
        source
    }
}

impl KeysetUnlock {
    fn read(&self, variable: impl Fn(&str) -> Option<String>) -> Result<Unlock> {
        let read = |name: &str| {
            variable(name).map(Zeroizing::new).ok_or_else(|| {
                let message = format!("the variable {name} is not set");
                Error::new(ErrorCode::SourceMissing, message)
            })
        };
        Ok(match self {
            Self::Kek(SecretRef::Env(name)) => Unlock::Kek(kek(name, &read(name)?)?),
            Self::Kek(SecretRef::File(path)) => Unlock::KekFile(path.clone()),
            Self::Passphrase(SecretRef::Env(name)) => {
                Unlock::Passphrase(Zeroizing::new(read(name)?.as_bytes().to_vec()))
            }
            Self::Passphrase(SecretRef::File(path)) => Unlock::PassphraseFile(path.clone()),
        })
    }
}

fn kek(name: &str, text: &str) -> Result<Key> {
    let key = Key::load(text)
        .map_err(|error| Error::new(error.code(), format!("{name}: {}", error.message())))?;
    if key.key_use() == KeyUse::Kek {
        return Ok(key);
    }
    let message = format!("{name} holds a key for another use than kek");
    Err(Error::new(ErrorCode::KeyWrongUse, message))
}

/// The members beside `keyring`, each taken where it belongs.
struct Parts<'r, 't>(Vec<(&'static str, Value<'r, 't>)>);

impl<'r, 't> Parts<'r, 't> {
    fn read(table: &mut Table<'r, 't>) -> Self {
        let names = [
            "primary",
            "index_primary",
            "kek",
            "passphrase",
            "ring",
            "min_generation",
        ];
        let parts = names.map(|name| table.value(name).map(|value| (name, value)));
        Self(parts.into_iter().flatten().collect())
    }

    fn take(&mut self, name: &str) -> Option<Value<'r, 't>> {
        let at = self.0.iter().position(|(there, _)| *there == name)?;
        Some(self.0.swap_remove(at).1)
    }

    fn directory(&mut self, path: Option<String>, table: &Table<'_, '_>) -> Option<KeyringSource> {
        let primary = self.take("primary");
        if primary.is_none() {
            let message = "it is missing: write the name of the file with the key that seals";
            table.wrong("primary", message);
        }
        let index_primary = self.take("index_primary");
        let file = |value: Option<Value<'_, '_>>| value.and_then(|value| value.path(value.text()?));
        let (primary, index_primary) = (file(primary), file(index_primary));
        Some(KeyringSource::Directory {
            path: path?,
            primary: primary?,
            index_primary,
        })
    }

    fn keyset(&mut self, path: Option<String>, table: &Table<'_, '_>) -> Option<KeyringSource> {
        let (kek, passphrase) = (self.take("kek"), self.take("passphrase"));
        if kek.is_some() == passphrase.is_some() {
            let message = "a keyset is opened by kek = \"env:NAME\" or passphrase = \"env:NAME\", \
                           or file:PATH: write one of them";
            table.wrong("kek", message);
        }
        let kek = kek.and_then(|value| value.secret()).map(KeysetUnlock::Kek);
        let passphrase = passphrase.and_then(|value| value.secret());
        let ring = self.take("ring").and_then(|value| ring_id(&value));
        let min_generation = self.take("min_generation").and_then(|value| value.number());
        Some(KeyringSource::Keyset {
            path: path?,
            unlock: kek.or(passphrase.map(KeysetUnlock::Passphrase))?,
            ring,
            min_generation: min_generation.unwrap_or_default(),
        })
    }

    fn refuse_rest(self, keyring: &str) {
        for (name, value) in self.0 {
            let fits = match name {
                "primary" | "index_primary" => "dir:PATH",
                _ => "keyset:PATH or sql:RING",
            };
            value.wrong(format!(
                "it counts with keyring = \"{fits}\", and this one is {keyring}"
            ));
        }
    }
}

fn ring_id(value: &Value<'_, '_>) -> Option<String> {
    let text = value.text()?;
    check_ring(text, value).then(|| text.to_owned())
}

fn check_ring(text: &str, value: &Value<'_, '_>) -> bool {
    let is_one = is_ring(text);
    if !is_one {
        value.wrong("a ring id is 26 characters of a to z and 2 to 7");
    }
    is_one
}

#[derive(Debug)]
pub(super) struct RingOptions(KeyringSource);

impl RingOptions {
    pub(super) fn parse(table: &mut Table<'_, '_>) -> Option<Self> {
        KeyringSource::parse(table).map(Self)
    }
}

impl Options for RingOptions {
    fn ring(&self) -> Option<&KeyringSource> {
        Some(&self.0)
    }

    fn build(&self, given: &Given<'_>) -> Result<NamedCodec> {
        Ok(NamedCodec::new(given.codec, Reseal::new(given.ring()?)))
    }
}
