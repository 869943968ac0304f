//! How a ring is put together, and the rules that it must keep.

use super::{Keyring, Slot, Working};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyState, KeyUse},
    key::Key,
    sorted::SortedMap,
};
use alloc::{boxed::Box, format, string::String, vec::Vec};

/// Collects the keys of a [`Keyring`]. Data and index keys are told apart by their use.
///
/// # Example
/// ```
/// use reseal::{Key, KeyUse, Keyring, OsEntropy};
/// let new = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let old = Key::generate(KeyUse::Data, &mut OsEntropy)?;
/// let index = Key::generate(KeyUse::Index, &mut OsEntropy)?;
/// let ring = Keyring::builder().primary(new).primary(index).decrypt_only(old).build()?;
/// assert_eq!(ring.keys().count(), 3);
/// # Ok::<(), reseal::Error>(())
/// ```
#[derive(Debug, Default)]
pub struct KeyringBuilder {
    keys: Vec<(Key, KeyState)>,
    destroyed: Vec<KeyId>,
    labels: SortedMap<KeyId, String>,
}

/// Where one key was given.
#[derive(Default)]
struct Mentions<'k> {
    key: Option<&'k Key>,
    states: Vec<KeyState>,
}

impl KeyringBuilder {
    /// The key that seals (a data key) or whose terms are stored (an index key).
    #[must_use]
    pub fn primary(self, key: Key) -> Self {
        self.with(key, KeyState::Primary)
    }

    /// A key that opens and is to become primary once every process has it.
    #[must_use]
    pub fn introduced(self, key: Key) -> Self {
        self.with(key, KeyState::Introduced)
    }

    /// A key that still opens, but seals no longer.
    #[must_use]
    pub fn decrypt_only(self, key: Key) -> Self {
        self.with(key, KeyState::DecryptOnly)
    }

    /// A key that opens nothing for the time being.
    #[must_use]
    pub fn disabled(self, key: Key) -> Self {
        self.with(key, KeyState::Disabled)
    }

    /// The id of a key that is gone for good.
    #[must_use]
    pub fn destroyed(mut self, id: KeyId) -> Self {
        self.destroyed.push(id);
        self
    }

    /// A key in any state but destroyed.
    #[must_use]
    pub fn with(mut self, key: Key, state: KeyState) -> Self {
        self.keys.push((key, state));
        self
    }

    /// What people call a key.
    #[must_use]
    pub fn label(mut self, id: KeyId, label: &str) -> Self {
        self.labels.insert(id, label.into());
        self
    }

    /// The ring.
    ///
    /// # Errors
    /// `key-wrong-use` for a KEK; `duplicate-key` for a key that is given twice (except as
    /// primary and as introduced or decrypt-only, which is one primary), for two primaries of one
    /// use, and for two index keys whose ids share their first 8 characters; `invalid-argument`
    /// for a key in state destroyed, which has only an id.
    ///
    /// # Spec
    /// Section 1.
    pub fn build(self) -> Result<Keyring> {
        let mut mentions: SortedMap<KeyId, Mentions<'_>> = SortedMap::new();
        let mut mention = |id, key: Option<_>, state| {
            let mut mentioned = mentions.remove(&id).unwrap_or_default();
            mentioned.key = key.or(mentioned.key);
            mentioned.states.push(state);
            mentions.insert(id, mentioned);
        };
        for (key, state) in &self.keys {
            check(key, *state)?;
            mention(key.id(), Some(key), *state);
        }
        for id in &self.destroyed {
            mention(*id, None, KeyState::Destroyed);
        }
        let mut ring = Keyring {
            slots: SortedMap::new(),
            data_primary: None,
            index_primary: None,
        };
        let mut labels = self.labels;
        for (id, mentioned) in mentions {
            let state = merged(id, &mentioned.states)?;
            let label = labels.remove(&id).unwrap_or_default();
            ring.add(id, mentioned.key, state, label)?;
        }
        Ok(ring)
    }
}

impl Keyring {
    fn add(&mut self, id: KeyId, key: Option<&Key>, state: KeyState, label: String) -> Result<()> {
        if let Some(key) = key {
            self.check_index_prefix(key)?;
            if state == KeyState::Primary {
                self.set_primary(key)?;
            }
        }
        let working = match key {
            None => Working::Destroyed,
            Some(key) if !state.opens() => Working::Disabled(key.key_use()),
            Some(key) if key.key_use() == KeyUse::Index => Working::Index(Box::new(key.index())),
            Some(key) => Working::Data(Box::new(key.data())),
        };
        self.slots.insert(
            id,
            Slot {
                state,
                label,
                working,
            },
        );
        Ok(())
    }

    fn set_primary(&mut self, key: &Key) -> Result<()> {
        let primary = match key.key_use() {
            KeyUse::Index => &mut self.index_primary,
            _ => &mut self.data_primary,
        };
        if primary.replace(key.id()).is_some() {
            return Err(fixed(
                ErrorCode::DuplicateKey,
                "a ring has one primary of each use: give the other key as introduced or decrypt_only",
            ));
        }
        Ok(())
    }

    /// Terms name their key by 8 characters only, so these must differ.
    fn check_index_prefix(&self, key: &Key) -> Result<()> {
        let same = |(id, slot): (&KeyId, &Slot)| {
            slot.key_use() == Some(KeyUse::Index) && id.same_term_prefix(key.id())
        };
        if key.key_use() == KeyUse::Index && self.slots.iter().any(same) {
            return Err(same_term_prefix());
        }
        Ok(())
    }
}

fn check(key: &Key, state: KeyState) -> Result<()> {
    if key.key_use() == KeyUse::Kek {
        return Err(fixed(
            ErrorCode::KeyWrongUse,
            "a ring holds data and index keys: this is a key-encrypting key (rsk1.kek.)",
        ));
    }
    if state == KeyState::Destroyed {
        return Err(fixed(
            ErrorCode::InvalidArgument,
            "a destroyed key is given by its id",
        ));
    }
    Ok(())
}

/// The state of a key from all its mentions: of section 1, a primary may be mentioned once more as
/// introduced or decrypt-only, and nothing else twice.
fn merged(id: KeyId, mentions: &[KeyState]) -> Result<KeyState> {
    use KeyState::{DecryptOnly, Introduced, Primary};
    match mentions {
        [state] => Ok(*state),
        [Primary, Introduced | DecryptOnly] | [Introduced | DecryptOnly, Primary] => Ok(Primary),
        _ => Err(duplicate(id)),
    }
}

pub(crate) fn same_term_prefix() -> Error {
    fixed(
        ErrorCode::DuplicateKey,
        "the ids of two index keys begin with the same 8 characters: generate another key",
    )
}

fn duplicate(id: KeyId) -> Error {
    Error::new(
        ErrorCode::DuplicateKey,
        format!("the key {id} is given twice: take one of the two away"),
    )
}
