//! What may become of a key: section 10 as code.

use super::{
    Keyset,
    document::{KeyEntry, MAX_LABEL_CHARS, is_label},
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyState, KeyUse},
    key::Key,
    keyring::same_term_prefix,
    time::Timestamp,
};
use alloc::{
    borrow::ToOwned,
    collections::BTreeMap,
    format,
    string::{String, ToString},
};

/// What a promotion may do that is asked for explicitly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promotion {
    /// Promote a key before a lease has passed since it was introduced. A process that has not
    /// looked at the keyset meanwhile meets values that it cannot open.
    pub early: bool,
    /// Promote a key that was primary before.
    pub back: bool,
}

impl Keyset {
    /// Takes in a key: it opens, and does not seal yet.
    ///
    /// # Errors
    /// `key-wrong-use` for a KEK; `duplicate-key` for a key that is in the keyset, also where it
    /// is destroyed, and for an index key whose id begins like another's; `invalid-argument` for a
    /// label of more than 64 characters, or with control characters.
    pub fn introduce(&mut self, key: Key, label: &str, now: Timestamp) -> Result<KeyId> {
        check_label(label)?;
        let id = key.id();
        if key.key_use() == KeyUse::Kek {
            return Err(fixed(
                ErrorCode::KeyWrongUse,
                "a keyset holds data and index keys: a key-encrypting key (rsk1.kek.) goes around them",
            ));
        }
        if self.entry(id).is_ok() {
            return Err(Error::new(
                ErrorCode::DuplicateKey,
                format!("the keyset has the key {id} already"),
            ));
        }
        self.check_index_prefix(&key)?;
        self.document.keys.push(KeyEntry {
            id,
            key_use: key.key_use(),
            state: KeyState::Introduced,
            created: now.to_string(),
            changed: now.to_string(),
            label: label.to_owned(),
            wraps: BTreeMap::new(),
        });
        self.keys.insert(id, key);
        Ok(id)
    }

    /// Makes a key the primary of its use; the old primary becomes decrypt-only.
    ///
    /// # Errors
    /// `keyset-transition`, which names what is legal; `invalid-argument` for an unknown id.
    pub fn promote(&mut self, id: KeyId, now: Timestamp, allow: Promotion) -> Result<()> {
        let entry = self.entry(id)?;
        match entry.state {
            KeyState::Introduced => self.check_lease_passed(entry, now, allow)?,
            KeyState::DecryptOnly if allow.back => {}
            KeyState::DecryptOnly => {
                return Err(refused(
                    entry,
                    "was primary before, and becomes so again on explicit request only (back)",
                ));
            }
            _ => return Err(refused(entry, "cannot be promoted")),
        }
        let key_use = entry.key_use;
        if let Some(old) = self.document.primary(key_use) {
            self.set(old, KeyState::DecryptOnly, now)?;
        }
        self.set(id, KeyState::Primary, now)
    }

    /// Goes back: the key that was primary before is primary again.
    ///
    /// # Errors
    /// `keyset-transition` where there is none.
    pub fn revert(&mut self, key_use: KeyUse, now: Timestamp) -> Result<KeyId> {
        let id = self.previous_primary(key_use).ok_or_else(|| {
            Error::new(
                ErrorCode::KeysetTransition,
                format!(
                    "there is no {} key to go back to: none is decrypt_only",
                    key_use.as_str()
                ),
            )
        })?;
        let back = Promotion {
            back: true,
            early: false,
        };
        self.promote(id, now, back).map(|()| id)
    }

    /// Stops a key from opening, for the time being. A primary only in an `emergency`: nothing
    /// seals then until another key is promoted.
    ///
    /// # Errors
    /// `keyset-transition`; `invalid-argument` for an unknown id.
    pub fn disable(&mut self, id: KeyId, now: Timestamp, emergency: bool) -> Result<()> {
        let entry = self.entry(id)?;
        match entry.state {
            KeyState::Introduced | KeyState::DecryptOnly => {}
            KeyState::Primary if emergency => {}
            KeyState::Primary => {
                return Err(refused(
                    entry,
                    "is primary, and is disabled on explicit request only (emergency)",
                ));
            }
            _ => return Err(refused(entry, "cannot be disabled")),
        }
        self.set(id, KeyState::Disabled, now)
    }

    /// Lets a disabled key open again.
    ///
    /// # Errors
    /// `keyset-transition`; `invalid-argument` for an unknown id.
    pub fn enable(&mut self, id: KeyId, now: Timestamp) -> Result<()> {
        let entry = self.entry(id)?;
        match entry.state {
            KeyState::Disabled => self.set(id, KeyState::DecryptOnly, now),
            _ => Err(refused(entry, "cannot be enabled")),
        }
    }

    /// Forgets a disabled key for good. Its id stays, so that its values are told from others.
    ///
    /// # Errors
    /// `keyset-transition`; `invalid-argument` for an unknown id.
    ///
    /// # Security
    /// Older copies of the keyset still hold the key.
    pub fn destroy(&mut self, id: KeyId, now: Timestamp) -> Result<()> {
        let entry = self.entry(id)?;
        if entry.state != KeyState::Disabled {
            return Err(refused(entry, "cannot be destroyed"));
        }
        self.set(id, KeyState::Destroyed, now)?;
        self.entry_mut(id)?.wraps.clear();
        self.keys.remove(&id);
        Ok(())
    }

    /// Calls a key by another label.
    ///
    /// # Errors
    /// `invalid-argument` for an unknown id, or a label that is none.
    pub fn relabel(&mut self, id: KeyId, label: &str) -> Result<()> {
        check_label(label)?;
        label.clone_into(&mut self.entry_mut(id)?.label);
        Ok(())
    }

    /// As the ring asks for it (section 1).
    fn check_index_prefix(&self, key: &Key) -> Result<()> {
        let index_keys = self
            .keys
            .values()
            .filter(|there| there.key_use() == KeyUse::Index);
        let same = |there: &Key| there.id().same_term_prefix(key.id());
        if key.key_use() == KeyUse::Index && { index_keys }.any(same) {
            return Err(same_term_prefix());
        }
        Ok(())
    }

    fn set(&mut self, id: KeyId, state: KeyState, now: Timestamp) -> Result<()> {
        let entry = self.entry_mut(id)?;
        entry.state = state;
        entry.changed = now.to_string();
        Ok(())
    }

    /// That every process had the time to learn of an introduced key. A keyset that was never
    /// saved is known to none.
    fn check_lease_passed(&self, entry: &KeyEntry, now: Timestamp, allow: Promotion) -> Result<()> {
        let lease = i64::from(self.document.lease_seconds);
        if allow.early || lease == 0 || self.document.generation == 0 {
            return Ok(());
        }
        let since = Timestamp::parse(&entry.changed).map(|then| now.unix() - then.unix());
        match since {
            Some(seconds) if seconds >= lease => Ok(()),
            Some(seconds) => Err(refused(
                entry,
                &format!(
                    "was introduced at {}, and a lease of {lease} seconds has to pass before it is promoted: wait {} seconds, or ask for it explicitly (early)",
                    entry.changed,
                    lease - seconds
                ),
            )),
            None => Err(refused(
                entry,
                "was introduced at a time that does not exist: promote it on explicit request (early)",
            )),
        }
    }

    /// The decrypt-only key that was demoted last, the one that the present primary replaced first
    /// of all.
    fn previous_primary(&self, key_use: KeyUse) -> Option<KeyId> {
        let primary = self
            .document
            .primary(key_use)
            .and_then(|id| self.entry(id).ok());
        let since = primary.map(|primary| primary.changed.as_str());
        let keys = self.document.keys.iter();
        keys.filter(|key| key.key_use == key_use && key.state == KeyState::DecryptOnly)
            .max_by_key(|key| (Some(key.changed.as_str()) == since, key.changed.as_str()))
            .map(|key| key.id)
    }
}

fn check_label(label: &str) -> Result<()> {
    if is_label(label) {
        return Ok(());
    }
    Err(Error::new(
        ErrorCode::InvalidArgument,
        format!("a label has up to {MAX_LABEL_CHARS} characters, none of them a control character"),
    ))
}

fn refused(entry: &KeyEntry, why: &str) -> Error {
    let legal: String = match entry.state {
        KeyState::Introduced => "it can be promoted or disabled",
        KeyState::Primary => {
            "it becomes decrypt_only when another key is promoted, or disabled in an emergency"
        }
        KeyState::DecryptOnly => "it can be disabled, or promoted back",
        KeyState::Disabled => "it can be enabled (and is decrypt_only then) or destroyed",
        KeyState::Destroyed => "nothing else can become of it",
    }
    .into();
    Error::new(
        ErrorCode::KeysetTransition,
        format!(
            "the {} key {} is {} and {why}; {legal}",
            entry.key_use.as_str(),
            entry.id,
            entry.state.as_str()
        ),
    )
}
