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
    sorted::SortedMap,
    time::Timestamp,
};
use alloc::{
    borrow::ToOwned,
    format,
    string::{String, ToString},
    vec::Vec,
};

/// What a promotion may do that is asked for explicitly.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Promotion {
    /// Promote a key before a lease has passed since it was introduced. A process that has not
    /// looked at the keyset meanwhile meets values that it cannot open.
    pub early: bool,
    /// Promote a decrypt-only key: it was primary before, or disabled and enabled.
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
            wraps: SortedMap::new(),
            is_new: true,
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
            KeyState::Introduced => self.check_lease_passed(entry, &entry.changed, now, allow)?,
            // Through disabled and enabled a key comes here that was never primary.
            KeyState::DecryptOnly if allow.back => {
                self.check_lease_passed(entry, &entry.created, now, allow)?;
            }
            KeyState::DecryptOnly => {
                return Err(refused(
                    entry,
                    "is promoted again on explicit request only (back)",
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

    /// Takes in a key and makes it the primary of its use, or does neither.
    ///
    /// # Example
    /// ```
    /// # use reseal::{Key, KeyUse, Keyset, NewKek, OsEntropy, Timestamp};
    /// # let kek = Key::generate(KeyUse::Kek, &mut OsEntropy)?;
    /// let now = Timestamp::from_unix(1_795_132_800)?;
    /// let mut keyset = Keyset::create(NewKek::key(kek)?, 0, now, &mut OsEntropy)?;
    /// let key = Key::generate(KeyUse::Data, &mut OsEntropy)?;
    /// let id = keyset.rotate(key, "2026-q4", now, false)?;
    /// assert_eq!(keyset.ring()?.primary_id(), Some(id));
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `keyset-transition` where the keyset has a lease, unless it is `early`, as of
    /// [`Promotion::early`]; those of [`Keyset::introduce`].
    pub fn rotate(&mut self, key: Key, label: &str, now: Timestamp, early: bool) -> Result<KeyId> {
        let lease = self.lease();
        if lease > 0 && !early {
            return Err(Error::new(
                ErrorCode::KeysetTransition,
                format!(
                    "the keyset has a lease of {lease} seconds: introduce a key, save the keyset and wait, or ask for it explicitly (early)"
                ),
            ));
        }
        let id = self.introduce(key, label, now)?;
        let allow = Promotion {
            early: true,
            back: false,
        };
        self.promote(id, now, allow).map(|()| id)
    }

    /// Goes back: the key that the present primary replaced is primary again. That is the
    /// decrypt-only key which changed in the same moment; without a primary, the only decrypt-only
    /// key.
    ///
    /// # Errors
    /// `keyset-transition` where there is none, or more than one: it names those that may be
    /// promoted [back](Promotion::back). Also where the key may never have been primary and is
    /// younger than a lease.
    pub fn revert(&mut self, key_use: KeyUse, now: Timestamp) -> Result<KeyId> {
        let keys = self.document.keys.iter();
        let of_use = keys.filter(|key| key.key_use == key_use);
        let in_state = |state: KeyState| of_use.clone().filter(move |key| key.state == state);
        let primary = in_state(KeyState::Primary).next();
        // Of several that changed in that second, one may have been enabled then.
        let replaced =
            |key: &&KeyEntry| primary.is_none_or(|primary| primary.changed == key.changed);
        let mut found = in_state(KeyState::DecryptOnly).filter(replaced);
        let (Some(KeyEntry { id, .. }), None) = (found.next(), found.next()) else {
            return Err(no_way_back(key_use, in_state(KeyState::DecryptOnly)));
        };
        let allow = Promotion {
            back: true,
            early: primary.is_some(),
        };
        let id = *id;
        self.promote(id, now, allow).map(|()| id)
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
                    "is disabled on explicit request only (emergency)",
                ));
            }
            _ => return Err(refused(entry, "cannot be disabled")),
        }
        self.set(id, KeyState::Disabled, now)
    }

    /// For how many seconds yet a live ring may seal under a key that is no longer primary, since it
    /// did not have to look at the keyset meanwhile; 0 where the keyset has no lease, and where the
    /// key was never primary.
    ///
    /// # Example
    /// ```
    /// # use reseal::{Key, KeyUse, Keyset, NewKek, OsEntropy, Timestamp};
    /// # let kek = Key::generate(KeyUse::Kek, &mut OsEntropy)?;
    /// let now = Timestamp::from_unix(1_795_132_800)?;
    /// let mut keyset = Keyset::create(NewKek::key(kek)?, 3600, now, &mut OsEntropy)?;
    /// let mut rotate =
    ///     || keyset.rotate(Key::generate(KeyUse::Data, &mut OsEntropy)?, "", now, false);
    /// let (old, new) = (rotate()?, rotate()?);
    /// assert_eq!(keyset.seals_for(old, now)?, 3600);
    /// let later = Timestamp::from_unix(1_795_132_800 + 3600)?;
    /// assert_eq!(keyset.seals_for(old, later)?, 0);
    /// # assert_ne!(old, new);
    /// # Ok::<(), reseal::Error>(())
    /// ```
    ///
    /// # Errors
    /// `invalid-argument` for an unknown id; `keyset-transition` for the key that is primary.
    pub fn seals_for(&self, id: KeyId, now: Timestamp) -> Result<u64> {
        let entry = self.entry(id)?;
        match entry.state {
            KeyState::Primary => return Err(refused(entry, "seals until another one is promoted")),
            KeyState::Introduced => return Ok(0),
            KeyState::DecryptOnly | KeyState::Disabled | KeyState::Destroyed => {}
        }
        let lease = u64::from(self.document.lease_seconds.max(self.published_lease));
        // Where the clocks differ, or the date is none, the whole lease has to pass.
        let then = Timestamp::parse(&entry.changed);
        let passed = then.and_then(|then| u64::try_from(now.unix() - then.unix()).ok());
        Ok(lease.saturating_sub(passed.unwrap_or_default()))
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

    /// That every process had the time to learn of a key.
    fn check_lease_passed(
        &self,
        entry: &KeyEntry,
        since: &str,
        now: Timestamp,
        allow: Promotion,
    ) -> Result<()> {
        let lease = self.lease();
        if allow.early || lease == 0 {
            return Ok(());
        }
        if entry.is_new {
            return Err(refused(
                entry,
                &format!(
                    "not saved yet, and a lease of {lease} seconds has to pass before it is promoted: save the keyset and wait, or ask for it explicitly (early)"
                ),
            ));
        }
        match Timestamp::parse(since).map(|then| now.unix() - then.unix()) {
            Some(seconds) if seconds >= lease => Ok(()),
            Some(seconds) => Err(refused(
                entry,
                &format!(
                    "came at {since}, and a lease of {lease} seconds has to pass before it is promoted: wait {} seconds, or ask for it explicitly (early)",
                    lease - seconds
                ),
            )),
            None => Err(refused(
                entry,
                "came at a time that does not exist: promote it on explicit request (early)",
            )),
        }
    }

    /// For how many seconds a process may not know of a change. A keyset that was never saved is
    /// known to none.
    fn lease(&self) -> i64 {
        match self.document.generation {
            0 => 0,
            _ => i64::from(self.document.lease_seconds.max(self.published_lease)),
        }
    }
}

/// That the dates do not say which key was primary before, and which ones are left.
fn no_way_back<'k>(key_use: KeyUse, keys: impl Iterator<Item = &'k KeyEntry>) -> Error {
    let ids: Vec<String> = keys.map(|key| key.id.to_string()).collect();
    let ids = match ids.as_slice() {
        [] => "none".to_owned(),
        ids => ids.join(", "),
    };
    Error::new(
        ErrorCode::KeysetTransition,
        format!(
            "the keyset does not show which {} key was primary before: decrypt_only, and promoted again on explicit request only (back): {ids}",
            key_use.as_str()
        ),
    )
}

fn check_label(label: &str) -> Result<()> {
    if label.contains("rsk1.") {
        return Err(fixed(
            ErrorCode::InvalidArgument,
            "a label is shown to everybody, and this one holds a key: give it a name",
        ));
    }
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
