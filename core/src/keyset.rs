//! The keyset: a ring of keys at rest, wrapped and with their states.

mod document;
mod info;
mod kek;
mod moves;
mod provider;
mod rewrap;
mod save;
mod wrap;

pub use document::{MAX_KEKS, MAX_KEYSET_BYTES, MAX_LABEL_CHARS, MAX_LEASE_SECONDS};
pub(crate) use document::{is_label, is_ring};
pub use info::{KekInfo, KekKind, KeysetInfo, KeysetKey};
pub use kek::{Argon2id, ExternalKek, NewKek};
pub use moves::Promotion;
pub use provider::{KekProvider, MemoryProvider};

use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyState},
    key::Key,
    keyring::Keyring,
    sorted::SortedMap,
};
use alloc::{format, string::String, vec::Vec};
use core::fmt;
use document::{Document, KeyEntry};
use kek::Kek;

#[cfg(feature = "hazmat")]
pub(crate) use wrap::wrap_alone;

/// A keyset document that was read, and of which nothing is verified yet.
///
/// # Example
/// ```
/// use reseal::{ErrorCode, KeysetDocument};
/// let error = KeysetDocument::parse(b"{}").unwrap_err();
/// assert_eq!(error.code(), ErrorCode::KeysetMalformed);
/// ```
///
/// # Spec
/// Section 9.
#[derive(Debug)]
pub struct KeysetDocument(Document);

/// What the caller knows of a keyset beforehand, so that another one or an old copy is refused.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Expect {
    /// The id of the ring, 26 characters.
    pub ring: Option<String>,
    /// The lowest generation that is accepted; 0 and 1 accept all.
    pub min_generation: u64,
}

/// A verified keyset: its keys, their states, and the key-encrypting keys that were given.
///
/// Changes are made in memory; [`Keyset::save`] gives the document to store.
///
/// # Example
/// ```
/// use reseal::{Expect, Key, KeyUse, Keyset, KeysetDocument, NewKek, OsEntropy, Promotion, Timestamp};
/// let now = Timestamp::from_unix(1_795_132_800)?;
/// let kek = Key::generate(KeyUse::Kek, &mut OsEntropy)?;
///
/// let mut keyset = Keyset::create(NewKek::key(kek.clone())?, 0, now, &mut OsEntropy)?;
/// let id = keyset.introduce(Key::generate(KeyUse::Data, &mut OsEntropy)?, "2026-q4", now)?;
/// keyset.promote(id, now, Promotion::default())?;
/// let text = keyset.save(now, &mut OsEntropy)?;
///
/// let keyset = KeysetDocument::parse(text.as_bytes())?.unlock(&[kek], &Expect::default())?;
/// assert_eq!(keyset.ring()?.primary_id(), Some(id));
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Security
/// To remove a key-encrypting key takes nothing back: its holder keeps every key that it ever
/// wrapped. `destroyed` shreds data only once every older copy of the document is gone too.
///
/// # Spec
/// Sections 9 and 10.
pub struct Keyset {
    document: Document,
    /// Those of the listed KEKs that were given.
    held: Vec<Kek>,
    /// Every key that has material.
    keys: SortedMap<KeyId, Key>,
    /// The lease that processes know of.
    published_lease: u32,
}

impl KeysetDocument {
    /// The document in these bytes: its shape, and nothing else.
    ///
    /// # Errors
    /// `keyset-malformed`; `unsupported-version`.
    pub fn parse(bytes: &[u8]) -> Result<Self> {
        Document::parse(bytes).map(Self)
    }

    /// What the document says about itself. Nothing of it is verified.
    #[must_use]
    pub fn info(&self) -> KeysetInfo {
        info::of(&self.0, &[])
    }

    /// How the passphrase of this keyset becomes a key, if it has one.
    #[must_use]
    pub fn argon2id(&self) -> Option<&Argon2id> {
        self.0.keks.iter().find_map(|kek| kek.source.argon2id())
    }

    /// The key-encrypting key of a passphrase.
    ///
    /// # Errors
    /// `kek-mismatch` where the keyset has no passphrase; those of [`Argon2id::derive`]. Whether
    /// it was the right passphrase shows in [`KeysetDocument::unlock`].
    #[cfg(feature = "passphrase")]
    pub fn kek_from_passphrase(&self, passphrase: &[u8]) -> Result<Key> {
        self.passphrase_entry()?.derive(passphrase)
    }

    /// As [`KeysetDocument::argon2id`], where a passphrase was given.
    ///
    /// # Errors
    /// `kek-mismatch` where the keyset has no passphrase.
    pub fn passphrase_entry(&self) -> Result<&Argon2id> {
        self.argon2id().ok_or_else(|| {
            fixed(
                ErrorCode::KekMismatch,
                "this keyset has no passphrase: give the key-encrypting key instead",
            )
        })
    }

    /// The key-encrypting keys that key services keep, with their ids.
    pub fn external_keks(&self) -> impl Iterator<Item = (KeyId, &ExternalKek)> {
        self.0
            .keks
            .iter()
            .filter_map(|kek| Some((kek.id, kek.source.external()?)))
    }

    #[cfg(feature = "hazmat")]
    pub(crate) fn canon(&self) -> Vec<u8> {
        wrap::canon(&self.0)
    }

    /// The keyset, verified under every given key-encrypting key that it lists; one is enough.
    ///
    /// # Errors
    /// `key-wrong-use` for a key that is no KEK; `kek-mismatch` where none of the keys is listed;
    /// `keyset-tampered`, `keyset-wrong-ring`, `keyset-outdated`, `key-id-mismatch`,
    /// `duplicate-key`, in this order.
    pub fn unlock(self, keks: &[Key], expect: &Expect) -> Result<Keyset> {
        let document = self.0;
        let held = held(&document, keks)?;
        let canon = wrap::canon(&document);
        for kek in &held {
            kek.verify(&document, &canon)?;
        }
        check_expected(&document, expect)?;
        let keyset = Keyset {
            published_lease: document.lease_seconds,
            keys: unwrap_all(&document, &held)?,
            document,
            held,
        };
        keyset.ring()?;
        Ok(keyset)
    }
}

impl Keyset {
    /// The ring of these keys.
    ///
    /// # Errors
    /// `duplicate-key`.
    pub fn ring(&self) -> Result<Keyring> {
        let mut builder = Keyring::builder();
        for entry in &self.document.keys {
            builder = builder.label(entry.id, &entry.label);
            builder = match self.keys.get(&entry.id) {
                Some(key) => builder.with(key.clone(), entry.state),
                None => builder.destroyed(entry.id),
            };
        }
        builder.build()
    }

    /// The audit view: ids, states, dates and labels, never a key.
    #[must_use]
    pub fn info(&self) -> KeysetInfo {
        info::of(&self.document, &self.held)
    }

    /// The id of the ring, 26 characters, which never changes.
    #[must_use]
    pub fn ring_id(&self) -> &str {
        &self.document.ring
    }

    /// How often the keyset was saved; 0 before the first time.
    #[must_use]
    pub const fn generation(&self) -> u64 {
        self.document.generation
    }

    /// How long a process may go on sealing without a look at the keyset; 0 is for ever.
    #[must_use]
    pub const fn lease_seconds(&self) -> u32 {
        self.document.lease_seconds
    }

    /// The key whose id begins with `text`: as people write it, 4 characters or more.
    ///
    /// # Errors
    /// `invalid-argument` where no key, or more than one, begins so.
    pub fn find(&self, text: &str) -> Result<KeyId> {
        let ids = self.document.keys.iter().map(|key| key.id);
        find(text, ids, "key")
    }

    /// The key-encrypting key whose id begins with `text`.
    ///
    /// # Errors
    /// As [`Keyset::find`].
    pub fn find_kek(&self, text: &str) -> Result<KeyId> {
        let ids = self.document.keks.iter().map(|kek| kek.id);
        find(text, ids, "key-encrypting key")
    }

    /// The texts of all keys that have material, for a secret store or another product.
    ///
    /// # Security
    /// These are the secrets themselves. The texts are wiped on drop; copies that you make are not.
    #[must_use]
    pub fn export_keys(&self) -> Vec<(KeyId, zeroize::Zeroizing<String>)> {
        let keys = self.document.keys.iter();
        keys.filter_map(|entry| Some((entry.id, self.keys.get(&entry.id)?.export())))
            .collect()
    }

    /// That every key-encrypting key that the keyset lists was given, as a writer needs it, so
    /// that the keyset is verified under each ([`KeysetDocument::unlock`] verified those given).
    ///
    /// # Errors
    /// `kek-mismatch` names one that was not given.
    pub fn verify(&self) -> Result<()> {
        let holds = |id: KeyId| self.held.iter().any(|kek| kek.id == id);
        match self.document.keks.iter().find(|kek| !holds(kek.id)) {
            None => Ok(()),
            Some(missing) => Err(Error::new(
                ErrorCode::KekMismatch,
                format!(
                    "the keyset is also wrapped under {}: give that key-encrypting key as well, or remove it first",
                    missing.id
                ),
            )),
        }
    }

    fn entry(&self, id: KeyId) -> Result<&KeyEntry> {
        let found = self.document.keys.iter().find(|key| key.id == id);
        found.ok_or_else(|| no_key(id))
    }

    fn entry_mut(&mut self, id: KeyId) -> Result<&mut KeyEntry> {
        let found = self.document.keys.iter_mut().find(|key| key.id == id);
        found.ok_or_else(|| no_key(id))
    }
}

/// Ids and states only.
impl fmt::Debug for Keyset {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Document {
            ring, generation, ..
        } = &self.document;
        write!(f, "Keyset({ring}, generation {generation}) ")?;
        let shown = self.document.keys.iter().map(|key| {
            let key_use = key.key_use.as_str();
            format!("{key_use} {} {}", key.id, key.state.as_str())
        });
        f.debug_list().entries(shown).finish()
    }
}

/// The given keys that the document lists.
fn held(document: &Document, keks: &[Key]) -> Result<Vec<Kek>> {
    for key in keks {
        kek::check_use(key)?;
    }
    let given = |id: KeyId| keks.iter().find(|key| key.id() == id);
    let listed = document.keks.iter().filter_map(|entry| given(entry.id));
    let held: Vec<Kek> = listed.map(Kek::new).collect::<Result<_>>()?;
    if held.is_empty() {
        let listed: Vec<String> = document
            .keks
            .iter()
            .map(|kek| format!("{} ({})", kek.id, info::kind(&kek.source).as_str()))
            .collect();
        return Err(Error::new(
            ErrorCode::KekMismatch,
            format!(
                "the key-encrypting key or passphrase is none of this keyset, which is wrapped under {}",
                listed.join(", ")
            ),
        ));
    }
    Ok(held)
}

fn check_expected(document: &Document, expect: &Expect) -> Result<()> {
    if expect
        .ring
        .as_ref()
        .is_some_and(|ring| *ring != document.ring)
    {
        return Err(Error::new(
            ErrorCode::KeysetWrongRing,
            format!(
                "this is the keyset of the ring {}, and another one is expected: is it the file of another environment?",
                document.ring
            ),
        ));
    }
    if document.generation < expect.min_generation {
        return Err(Error::new(
            ErrorCode::KeysetOutdated,
            format!(
                "this keyset has generation {}, and {} was seen before: is it an old copy?",
                document.generation, expect.min_generation
            ),
        ));
    }
    Ok(())
}

/// Every key that has material, the same under each of the KEKs.
fn unwrap_all(document: &Document, held: &[Kek]) -> Result<SortedMap<KeyId, Key>> {
    let mut keys = SortedMap::new();
    let with_material = |key: &&KeyEntry| key.state != KeyState::Destroyed;
    for entry in document.keys.iter().filter(with_material) {
        for kek in held {
            // The id commits to the key: under each KEK it is the same one.
            keys.insert(entry.id, kek.unwrap(&document.ring, entry)?);
        }
    }
    Ok(keys)
}

fn find(text: &str, ids: impl Iterator<Item = KeyId>, what: &str) -> Result<KeyId> {
    let bad = |why: String| Err(Error::new(ErrorCode::InvalidArgument, why));
    let of_id = |c: char| matches!(c, 'a'..='z' | '2'..='7');
    // What is no id may be a secret in the wrong place, and is not repeated.
    if !(4..=32).contains(&text.len()) || !text.chars().all(of_id) {
        return bad(format!(
            "a {what} is named by its id, or the first 4 characters of it or more: a to z and 2 to 7"
        ));
    }
    let mut found = ids.filter(|id| id.encode().starts_with(text.as_bytes()));
    match (found.next(), found.next()) {
        (Some(id), None) => Ok(id),
        (None, _) => bad(format!("the keyset has no {what} {text}")),
        (Some(_), Some(_)) => bad(format!(
            "more than one {what} begins with {text}: give more of it"
        )),
    }
}

fn no_key(id: KeyId) -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        format!("the keyset has no key {id}"),
    )
}
