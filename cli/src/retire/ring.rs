//! A keyset that a codec of the manifest names: opened, and changed.

use reseal::job::KeysetRow;
use reseal::manifest::{KeyringSource, KeysetUnlock};
use reseal::{Error, ErrorCode, Expect, Keyset, Timestamp};

use super::Retirement;
use crate::commands::keyset::Place;
use crate::commands::keyset::file::{Loaded, Locked, now};
use crate::console::Console;
use crate::database::Database;
use crate::failure::{Failure, Outcome};
use crate::kek::Given;
use crate::keyset_row::Row;

/// Where a keyset is, what opens it, and which one it must be.
#[derive(Clone, Debug)]
pub(super) struct KeysetPlace {
    codec: String,
    pub(super) path: String,
    unlock: KeysetUnlock,
    ring: Option<String>,
    min_generation: u64,
}

/// A keyset that can be opened again and again.
pub(super) struct Opener {
    place: KeysetPlace,
    given: Vec<Given>,
}

impl KeysetPlace {
    /// Nothing where the keys of a codec are in no keyset.
    pub(super) fn of(codec: &str, source: &KeyringSource) -> Option<Self> {
        let KeyringSource::Keyset {
            path,
            unlock,
            ring,
            min_generation,
        } = source
        else {
            return None;
        };
        Some(Self {
            codec: codec.to_owned(),
            path: path.clone(),
            unlock: unlock.clone(),
            ring: ring.clone(),
            min_generation: *min_generation,
        })
    }

    async fn place(&self, console: &mut Console<'_>, database: &Database) -> Outcome<Place> {
        Ok(Place {
            path: self.path.clone(),
            named_by: format!("codecs.{}.keyring", self.codec),
            row: Row::of(&self.path, None, console, database).await?,
        })
    }
}

impl Retirement<'_, '_> {
    /// All that opens a keyset: what the manifest names; and the rest of what it is wrapped under, from
    /// options and variables.
    pub(super) async fn opener(&mut self, place: KeysetPlace) -> Outcome<Opener> {
        let own = Given::of_manifest(&place.unlock, &place.codec, self.console)?;
        let mut given = vec![own];
        let wraps = self.read(&place).await?.document.info();
        if wraps.keks.len() > 1 {
            given.extend(self.keks.read(self.console)?);
        }
        Ok(Opener { place, given })
    }

    pub(super) async fn read(&mut self, place: &KeysetPlace) -> Outcome<Locked> {
        if KeysetRow::ring_in(&place.path).is_some() {
            // It is in the database whose values are counted.
            self.connect().await?;
        }
        let place = place.place(self.console, self.database).await?;
        Locked::read(place, self.console).await
    }

    pub(super) async fn open(&mut self, opener: &Opener) -> Outcome<Loaded> {
        let place = &opener.place;
        let expect = Expect {
            ring: place.ring.clone(),
            min_generation: place.min_generation,
        };
        let locked = self.read(place).await?;
        locked.unlock(&opener.given, &expect, self.console)
    }

    /// Changes the keyset as it is now. Where somebody else changes it at the same time, it is done
    /// once more.
    pub(super) async fn change(
        &mut self,
        opener: &Opener,
        change: impl Fn(&mut Keyset, Timestamp) -> reseal::Result<()>,
    ) -> Outcome {
        let mut is_second = false;
        loop {
            let mut loaded = self.open(opener).await?;
            change(&mut loaded.keyset, now(self.console)?)?;
            match loaded.save(self.console).await {
                Err(Failure::Error(error)) if is_conflict(&error) && !is_second => {
                    is_second = true;
                }
                done => return done.map(|_generation| ()),
            }
        }
    }
}

fn is_conflict(error: &Error) -> bool {
    error.code() == ErrorCode::KeysetConflict
}
