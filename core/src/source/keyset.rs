//! A keyset in a file, and what opens it.

use super::{
    Loaded, SourceFile, Want, WantKind,
    env::{A_KEK, KEK_FILE, KEYSET, PASSPHRASE_FILE, check_path, wrong_use},
    file_of, named, text_of,
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    ids::{KeyId, KeyUse},
    key::Key,
    keyset::{Argon2id, Expect, KeysetDocument, is_ring},
};
use alloc::{borrow::ToOwned, format, string::String, vec::Vec};
use core::fmt;
use zeroize::Zeroizing;

/// What opens a keyset.
pub enum Unlock {
    /// A key-encrypting key.
    Kek(Key),
    /// The path of a file with its key text.
    KekFile(String),
    /// A passphrase, taken as it is.
    Passphrase(Zeroizing<Vec<u8>>),
    /// The path of a file with the passphrase, of which one final line feed is dropped.
    PassphraseFile(String),
}

impl fmt::Debug for Unlock {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Unlock(hidden)")
    }
}

#[derive(Debug)]
pub(super) struct KeysetFile {
    path: String,
    unlock: Unlock,
    expect: Expect,
    /// The lease of the document that was loaded last.
    lease_seconds: u32,
    /// What a passphrase gave, so that a reload costs nothing.
    derived: Option<Derived>,
}

struct Derived {
    argon2id: Argon2id,
    passphrase: Zeroizing<Vec<u8>>,
    kek: Key,
}

/// Neither the passphrase nor the id of its key, which would let others guess it.
impl fmt::Debug for Derived {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Derived(hidden)")
    }
}

impl KeysetFile {
    pub(super) fn new(path: &str, unlock: Unlock, expect: Expect) -> Result<Self> {
        if expect.ring.as_ref().is_some_and(|ring| !is_ring(ring)) {
            return Err(fixed(
                ErrorCode::InvalidArgument,
                "a ring id is 26 characters of a to z and 2 to 7, as `reseal keyset show` prints it",
            ));
        }
        check_path(KEYSET, path)?;
        match &unlock {
            Unlock::KekFile(path) => check_path(KEK_FILE, path)?,
            Unlock::PassphraseFile(path) => check_path(PASSPHRASE_FILE, path)?,
            Unlock::Kek(_) | Unlock::Passphrase(_) => {}
        }
        Ok(Self {
            path: path.to_owned(),
            unlock,
            expect,
            lease_seconds: 0,
            derived: None,
        })
    }

    pub(super) fn wants(&self) -> Vec<Want> {
        let mut wants = Vec::from([Want {
            path: self.path.clone(),
            kind: WantKind::Keyset,
            named_by: KEYSET,
        }]);
        let secret = match &self.unlock {
            Unlock::KekFile(path) => Some((path, KEK_FILE)),
            Unlock::PassphraseFile(path) => Some((path, PASSPHRASE_FILE)),
            _ => None,
        };
        wants.extend(secret.map(|(path, named_by)| Want {
            path: path.clone(),
            kind: WantKind::Secret,
            named_by,
        }));
        wants
    }

    pub(super) fn load(
        &mut self,
        contents: &[Vec<SourceFile>],
        unchanged: bool,
        derive: impl FnOnce(&Argon2id, &[u8]) -> Result<Key>,
    ) -> Result<Loaded> {
        if unchanged {
            return Ok(self.loaded(None));
        }
        let mut contents = contents.iter();
        let file = file_of(&mut contents, KEYSET)?;
        let path = self.path.clone();
        let in_file = |error: Error| named(&path, &error);
        let document = KeysetDocument::parse(&file.content).map_err(in_file)?;
        let kek = match &self.unlock {
            Unlock::Kek(key) => key.clone(),
            Unlock::KekFile(_) => kek_of(file_of(&mut contents, KEK_FILE)?)?,
            Unlock::Passphrase(passphrase) => {
                self.derived(&document, passphrase.clone(), derive)?
            }
            Unlock::PassphraseFile(_) => {
                let file = file_of(&mut contents, PASSPHRASE_FILE)?;
                let text = text_of(file, PASSPHRASE_FILE)?;
                let text = text.strip_suffix('\n').unwrap_or(text);
                let passphrase = Zeroizing::new(text.as_bytes().to_vec());
                self.derived(&document, passphrase, derive)?
            }
        };
        let given = match &self.unlock {
            Unlock::Kek(_) | Unlock::KekFile(_) => Some(kek.id()),
            // An id of a passphrase would let others guess it.
            Unlock::Passphrase(_) | Unlock::PassphraseFile(_) => None,
        };
        let keyset = document
            .unlock(&[kek], &self.expect)
            .map_err(|error| in_file(with_given(error, given)))?;
        let ring = keyset.ring()?;
        // From here on an older copy, or another ring, is refused.
        self.expect = Expect {
            ring: Some(keyset.ring_id().to_owned()),
            min_generation: keyset.generation(),
        };
        self.lease_seconds = keyset.lease_seconds();
        Ok(self.loaded(Some(ring)))
    }

    fn loaded(&self, ring: Option<crate::Keyring>) -> Loaded {
        Loaded {
            ring,
            lease_seconds: self.lease_seconds,
            generation: Some(self.expect.min_generation),
            ring_id: self.expect.ring.clone(),
        }
    }

    fn derived(
        &mut self,
        document: &KeysetDocument,
        passphrase: Zeroizing<Vec<u8>>,
        derive: impl FnOnce(&Argon2id, &[u8]) -> Result<Key>,
    ) -> Result<Key> {
        let argon2id = document.passphrase_entry()?;
        if let Some(known) = &self.derived
            && known.argon2id == *argon2id
            && known.passphrase == passphrase
        {
            return Ok(known.kek.clone());
        }
        let kek = derive(argon2id, &passphrase)?;
        self.derived = Some(Derived {
            argon2id: argon2id.clone(),
            passphrase,
            kek: kek.clone(),
        });
        Ok(kek)
    }
}

/// Says which key does not fit.
fn with_given(error: Error, given: Option<KeyId>) -> Error {
    match given {
        Some(id) if error.code() == ErrorCode::KekMismatch => {
            Error::new(error.code(), format!("{error}; given was {id}"))
        }
        _ => error,
    }
}

fn kek_of(file: &SourceFile) -> Result<Key> {
    let key = Key::load(text_of(file, KEK_FILE)?).map_err(|error| named(KEK_FILE, &error))?;
    match key.key_use() {
        KeyUse::Kek => Ok(key),
        key_use => Err(wrong_use(KEK_FILE, key_use, A_KEK)),
    }
}
