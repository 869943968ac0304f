//! `reseal keyset init`

use core::fmt;

use clap::Args;
use reseal::{Error, ErrorCode, Key, KeyUse, Keyset, OsEntropy, Promotion, Timestamp};
use serde::Serialize;

use crate::console::{Console, shown};
use crate::failure::{Failure, Outcome};
use crate::kek::NewKekArgs;

use super::Common;
use super::file::{nothing_opens, now};

const EXAMPLES: &str = "\
The keyset gets a primary data key at once. What opens it is all that is given:
in the environment, with --kek-file and the like, or with the --new options.

Examples:
  reseal keys new --use kek --out ring.kek
  reseal keyset init --keyset ring.json --kek-file ring.kek
  reseal keyset init --keyset ring.json --new-passphrase --index
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

    /// How long a process may seal without looking at the keyset again; 0 is for ever
    #[arg(long, value_name = "SECONDS", default_value_t = 0)]
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
    keks: Vec<String>,
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
    pub(super) fn run(&self, common: &Common, console: &mut Console<'_>) -> Outcome {
        let path = common.path(console)?;
        if console.host.file_facts(&path)?.is_some() {
            let why = format!("{path:?} exists already: a keyset is never written over");
            return Err(Error::new(ErrorCode::KeysetConflict, why).into());
        }
        let now = now(console)?;
        let mut keyset = self.create(common, now, console)?;
        let document = keyset.save(now, &mut OsEntropy)?;
        console.host.save_keyset(&path, None, &document)?;
        keyset.saved(&document)?;
        console.report(&Created::of(&keyset, path))?;
        console.hint("keep what opens it in another place than the keyset and its backups: without it all is lost")
    }

    fn create(
        &self,
        common: &Common,
        now: Timestamp,
        console: &mut Console<'_>,
    ) -> Outcome<Keyset> {
        let mut given = common.keks.read(console)?;
        given.extend(self.new_keks.read(console)?);
        let mut given = given.into_iter();
        let first = given
            .next()
            .ok_or_else(|| Failure::Error(nothing_opens()))?;
        let mut keyset = Keyset::create(first.into_new()?, self.lease, now, &mut OsEntropy)?;
        for more in given {
            keyset.add_kek(more.into_new()?)?;
        }
        let uses: &[KeyUse] = match (self.empty, self.index) {
            (true, _) => &[],
            (false, false) => &[KeyUse::Data],
            (false, true) => &[KeyUse::Data, KeyUse::Index],
        };
        for key_use in uses {
            let key = Key::generate(*key_use, &mut OsEntropy)?;
            let id = keyset.introduce(key, &self.label, now)?;
            keyset.promote(id, now, Promotion::default())?;
        }
        Ok(keyset)
    }
}

impl Created {
    fn of(keyset: &Keyset, file: String) -> Self {
        let info = keyset.info();
        Self {
            action: "created",
            file,
            ring: info.ring,
            generation: info.generation,
            keks: info.keks.iter().map(|kek| kek.id.to_string()).collect(),
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
            write!(f, "\nwrapped under {kek}")?;
        }
        for key in &self.keys {
            write!(f, "\n{} {} key {}", key.state, key.key_use, key.id)?;
        }
        Ok(())
    }
}
