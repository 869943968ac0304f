//! Key-encrypting keys: a new one around the same keys. No data is touched.

use super::{
    Keyset,
    document::{KekEntry, MAX_KEKS},
    kek::{Kek, NewKek},
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::KeyId,
};
use alloc::format;

impl Keyset {
    /// Wraps the keys under one more key-encrypting key, of which there may be 8.
    ///
    /// # Errors
    /// `duplicate-key` for one that is listed; `keyset-transition` for a ninth, or for a second
    /// passphrase.
    pub fn add_kek(&mut self, kek: NewKek) -> Result<KeyId> {
        let id = kek.key.id();
        let keks = &mut self.document.keks;
        if keks.iter().any(|there| there.id == id) {
            return Err(Error::new(
                ErrorCode::DuplicateKey,
                format!("the keyset is wrapped under {id} already"),
            ));
        }
        if keks.len() >= MAX_KEKS {
            return Err(fixed(
                ErrorCode::KeysetTransition,
                "a keyset has at most 8 key-encrypting keys: remove one first",
            ));
        }
        let is_passphrase = |kek: &KekEntry| kek.source.argon2id().is_some();
        if kek.source.argon2id().is_some() && keks.iter().any(is_passphrase) {
            return Err(fixed(
                ErrorCode::KeysetTransition,
                "a keyset has one passphrase: remove the old one first, which takes another key-encrypting key for the step between",
            ));
        }
        self.held.push(Kek::new(&kek.key)?);
        keks.push(KekEntry {
            id,
            source: kek.source,
        });
        Ok(id)
    }

    /// Takes away the wraps under one key-encrypting key, which need not be at hand.
    ///
    /// # Errors
    /// `invalid-argument` for one that is not listed; `keyset-transition` for the last one, or for
    /// the last one that is at hand.
    ///
    /// # Security
    /// Its holder keeps every key that it ever wrapped. After a compromise, rotate the keys too.
    pub fn remove_kek(&mut self, id: KeyId) -> Result<()> {
        if !self.document.keks.iter().any(|kek| kek.id == id) {
            return Err(Error::new(
                ErrorCode::InvalidArgument,
                format!("the keyset is not wrapped under {id}"),
            ));
        }
        if !self.held.iter().any(|kek| kek.id != id) {
            return Err(fixed(
                ErrorCode::KeysetTransition,
                "this is the last key-encrypting key, or the last one that was given: add another one first",
            ));
        }
        self.held.retain(|kek| kek.id != id);
        self.document.keks.retain(|kek| kek.id != id);
        for key in &mut self.document.keys {
            key.wraps.remove(&id);
        }
        Ok(())
    }
}
