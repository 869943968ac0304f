//! `reseal keyset init`

use core::fmt;

use clap::Args;
use reseal::{Error, ErrorCode, Key, KeyId, KeyUse, Keyset, OsEntropy, Timestamp};
use serde::Serialize;

use crate::console::{Console, shown};
use crate::database::Database;
use crate::failure::{Outcome, usage};
use crate::kek::NewKekArgs;

use super::Common;
use super::file::{GivenBy, Wrap, nothing_opens, now, wraps};
use super::place::Place;

const EXAMPLES: &str = "\
The keyset gets a primary data key at once. What opens it is what the options
give, such as --kek-file; without any of them, what the variables give.

Examples:
  reseal keys new --use kek --out ring.kek
  reseal keyset init --keyset ring.json --kek-file ring.kek
  reseal keyset init --keyset ring.json --new-passphrase --index
  reseal keyset init --keyset sql: --kek-file ring.kek
";

/// Create a keyset with a first key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Init {
    /// What people call the first keys
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,

    /// Make a primary index key as well
    #[arg(long)]
    index: bool,

    /// Make no key at all
    #[arg(long, conflicts_with_all = ["index", "label"])]
    empty: bool,

    /// How long a live ring may seal without looking at the keyset again; 0 is for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0, value_parser = super::whole_seconds)]
    lease: u32,

    #[command(flatten)]
    new_keks: NewKekArgs,
}

#[derive(Serialize)]
struct Created {
    action: &'static str,
    file: String,
    ring: String,
    generation: u64,
    keks: Vec<Wrap>,
    keys: Vec<CreatedKey>,
}

#[derive(Serialize)]
struct CreatedKey {
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    state: &'static str,
    label: String,
}

impl Init {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let place = common.place(database, console).await?;
        check_free(&place, common, console).await?;
        let now = now(console)?;
        let (mut keyset, from) = self.create(common, now, console)?;
        let document = keyset.save(now, &mut OsEntropy)?;
        let path = place.begin(&keyset, &document, console).await?;
        keyset.saved(&document)?;
        console.report(&Created::of(&keyset, &from, path))?;
        console.hint("keep what opens it in another place than the keyset and its backups: without it all is lost")
    }

    fn create(
        &self,
        common: &Common,
        now: Timestamp,
        console: &mut Console<'_>,
    ) -> Outcome<(Keyset, GivenBy)> {
        let given = common.keks.read_for_new(&self.new_keks, console)?;
        let [first, more @ ..] = given.as_slice() else {
            return Err(nothing_opens().into());
        };
        let mut keyset = Keyset::create(first.to_new()?, self.lease, now, &mut OsEntropy)?;
        let keks = keyset.info().keks.into_iter();
        let mut from: Vec<_> = keks.map(|kek| (kek.id, first.from.clone())).collect();
        for more in more {
            from.push((keyset.add_kek(more.to_new()?)?, more.from.clone()));
        }
        let uses: &[KeyUse] = match (self.empty, self.index) {
            (true, _) => &[],
            (false, false) => &[KeyUse::Data],
            (false, true) => &[KeyUse::Data, KeyUse::Index],
        };
        for key_use in uses {
            let key = Key::generate(*key_use, &mut OsEntropy)?;
            keyset.rotate(key, &self.label, now, false)?;
        }
        Ok((keyset, from))
    }
}

/// That nothing is lost, and nobody led astray, by a new keyset there.
async fn check_free(place: &Place, common: &Common, console: &mut Console<'_>) -> Outcome {
    let path = &place.path;
    let Some(row) = &place.row else {
        if console.host.file_facts(path)?.is_none() {
            return Ok(());
        }
        let why = format!("{path:?} exists already: a keyset is never written over");
        return Err(Error::new(ErrorCode::KeysetConflict, why).into());
    };
    if path != "sql:" {
        return usage("a new keyset gets a ring id of its own: say --keyset sql: alone");
    }
    if row.has_any().await? {
        let what = "the database has a keyset already: with a second one, whoever says sql: without a ring id cannot read his any more";
        return common.confirm(what, console);
    }
    Ok(())
}

impl Created {
    fn of(keyset: &Keyset, from: &[(KeyId, String)], file: String) -> Self {
        let info = keyset.info();
        Self {
            action: "created",
            file,
            ring: info.ring,
            generation: info.generation,
            keks: wraps(&info.keks, from),
            keys: info
                .keys
                .into_iter()
                .map(|key| CreatedKey {
                    id: key.id.to_string(),
                    key_use: key.key_use.as_str(),
                    state: key.state.as_str(),
                    label: key.label,
                })
                .collect(),
        }
    }
}

impl fmt::Display for Created {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "created {} of the ring {}", shown(&self.file), self.ring)?;
        for kek in &self.keks {
            write!(f, "\n{kek}")?;
        }
        for key in &self.keys {
            write!(f, "\n{} {} key {}", key.state, key.key_use, key.id)?;
        }
        Ok(())
    }
}
