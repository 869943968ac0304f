//! A keyset file: loaded, changed, saved.

use reseal::{
    Error, ErrorCode, Expect, Key, KeyId, Keyset, KeysetDocument, KeysetKey, OsEntropy, Timestamp,
    Zeroizing,
};

use crate::console::Console;
use crate::failure::Outcome;
use crate::kek::variable;

use super::Common;

/// A keyset that was loaded from a file.
pub(super) struct Loaded {
    pub(super) keyset: Keyset,
    path: String,
    bytes: Zeroizing<Vec<u8>>,
}

impl Loaded {
    /// Reads the keyset and unlocks it with all that was given.
    pub(super) fn open(common: &Common, console: &mut Console<'_>) -> Outcome<Self> {
        let path = common.path(console)?;
        let bytes = Zeroizing::new(console.host.read_keyset(&path, None)?);
        let document = KeysetDocument::parse(&bytes)?;
        let keks = keks(common, &document, console)?;
        let expect = expect(console)?;
        if keks.is_empty() {
            return Err(nothing_opens().into());
        }
        let keyset = document.unlock(&keks, &expect)?;
        Ok(Self {
            keyset,
            path,
            bytes,
        })
    }

    /// A key that people name by the beginning of its id.
    pub(super) fn find(&self, id: &str) -> Outcome<KeysetKey> {
        let id = self.keyset.find(id)?;
        Ok(self.key(id)?)
    }

    /// What may be shown of a key.
    pub(super) fn key(&self, id: KeyId) -> reseal::Result<KeysetKey> {
        let keys = self.keyset.info().keys;
        let found = keys.into_iter().find(|key| key.id == id);
        found.ok_or_else(|| Error::new(ErrorCode::InvalidArgument, "the keyset has no such key"))
    }

    /// Writes the changed keyset, if nobody else did, and gives its generation.
    pub(super) fn save(mut self, console: &mut Console<'_>) -> Outcome<u64> {
        let document = self.keyset.save(now(console)?, &mut OsEntropy)?;
        console
            .host
            .save_keyset(&self.path, Some(&self.bytes), &document)?;
        self.keyset.saved(&document)?;
        Ok(self.keyset.generation())
    }
}

/// The key-encrypting keys that were given, as far as they can concern this keyset.
pub(super) fn keks(
    common: &Common,
    document: &KeysetDocument,
    console: &mut Console<'_>,
) -> Outcome<Vec<Key>> {
    let mut keks = Vec::new();
    let mut passphrase_without_use = false;
    for given in common.keks.read(console)? {
        match given.for_keyset(document)? {
            Some(key) => keks.push(key),
            None => passphrase_without_use = true,
        }
    }
    if keks.is_empty() && passphrase_without_use {
        document.passphrase_entry()?;
    }
    Ok(keks)
}

/// Which keyset the environment expects.
pub(super) fn expect(console: &mut Console<'_>) -> Outcome<Expect> {
    let ring = variable(console, "RESEAL_RING").map(|ring| ring.trim_ascii().to_owned());
    let min_generation = match variable(console, "RESEAL_MIN_GENERATION") {
        None => 0,
        Some(text) => text.trim_ascii().parse().map_err(|_| {
            Error::new(
                ErrorCode::InvalidArgument,
                "RESEAL_MIN_GENERATION is a whole number: the generation that `reseal keyset show` prints",
            )
        })?,
    };
    Ok(Expect {
        ring,
        min_generation,
    })
}

/// The time of the host.
pub(super) fn now(console: &mut Console<'_>) -> Outcome<Timestamp> {
    Ok(Timestamp::from_unix(console.host.now())?)
}

pub(super) fn nothing_opens() -> Error {
    Error::new(
        ErrorCode::SourceMissing,
        "nothing opens the keyset: give --kek-file, --passphrase-file or --passphrase, or set RESEAL_KEK_FILE, RESEAL_KEK, RESEAL_PASSPHRASE_FILE or RESEAL_PASSPHRASE",
    )
}
