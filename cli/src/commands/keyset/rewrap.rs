//! `reseal keyset rewrap-keys`

use core::fmt;

use clap::Args;
use reseal::{Error, ErrorCode, Key, KeyId, KeyUse, Keyset, NewKek, OsEntropy};
use serde::Serialize;

use crate::console::Console;
use crate::database::Database;
use crate::failure::{Outcome, usage};
use crate::kek::{Given, NewKekArgs};

use super::Common;
use super::file::{Loaded, Wrap, wraps};

const EXAMPLES: &str = "\
No value is touched, and every key stays what it is. Without --keep or --remove,
the new ones replace all others, which asks first. To change the key-encrypting key
of a fleet that runs, keep both for as long as there are processes with the old one:

Examples:
  reseal keyset rewrap-keys --new-kek-file new.kek --keep
  reseal keyset rewrap-keys --kek-file new.kek --remove u5xk
  reseal keyset rewrap-keys --kek-file new.kek --remove u5xk --yes

Whoever had the old one keeps every key that it wrapped: after a compromise rotate
the keys as well, and reseal.
";

/// Wrap the keys under another key-encrypting key or passphrase
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct RewrapKeys {
    #[command(flatten)]
    new_keks: NewKekArgs,

    /// Keep those that the keyset is wrapped under already
    #[arg(long, conflicts_with = "remove")]
    keep: bool,

    /// Take this one away, and keep the others; may be repeated; asks first
    #[arg(long, value_name = "ID")]
    remove: Vec<String>,
}

#[derive(Serialize)]
struct Rewrapped {
    action: &'static str,
    added: Vec<String>,
    removed: Vec<String>,
    keks: Vec<Wrap>,
    generation: u64,
}

impl RewrapKeys {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let old = loaded.keyset.info().keks;
        let removed = self.removed(&loaded, old.iter().map(|kek| kek.id))?;
        let new = self.new_keks.read(console)?;
        if new.is_empty() && self.remove.is_empty() {
            return usage(
                "nothing to do: give --new-kek-file, --new-passphrase-file, --new-passphrase or --remove",
            );
        }
        // What takes its own place would look replaced.
        let mut ids = new.iter().filter_map(Given::key_id);
        if let Some(id) = ids.find(|id| old.iter().any(|kek| kek.id == *id)) {
            let why = format!("the keyset is wrapped under {id} already");
            return Err(Error::new(ErrorCode::DuplicateKey, why).into());
        }
        let added = rewrap(&mut loaded.keyset, &removed, &new)?;
        let gone: Vec<_> = wraps(&old, &loaded.from)
            .into_iter()
            .filter(|wrap| removed.iter().any(|id| id.to_string() == wrap.id))
            .collect();
        if !gone.is_empty() {
            let question = format!("taken away: {}", described(&gone));
            loaded.confirm(common, &question, console)?;
        }
        let from = new.iter().map(|given| given.from.clone());
        loaded.from.extend(added.iter().copied().zip(from));
        let keks = wraps(&loaded.keyset.info().keks, &loaded.from);
        let generation = loaded.save(console).await?;
        console.report(&Rewrapped {
            action: "rewrapped",
            added: texts(&added),
            removed: texts(&removed),
            keks,
            generation,
        })?;
        if removed.is_empty() {
            return Ok(());
        }
        console.hint(&format!(
            "processes that have only {} cannot read this keyset any more",
            texts(&removed).join(" or ")
        ))
    }

    /// The key-encrypting keys that are to go.
    fn removed(&self, loaded: &Loaded, old: impl Iterator<Item = KeyId>) -> Outcome<Vec<KeyId>> {
        if self.keep {
            return Ok(Vec::new());
        }
        if self.remove.is_empty() {
            return Ok(old.collect());
        }
        let found = self.remove.iter().map(|id| loaded.find_kek(id));
        Ok(found.collect::<reseal::Result<_>>()?)
    }
}

/// Removes, then adds. Where the last one that was given is to go, or the passphrase makes room for
/// another one, a key that is never saved bridges the gap.
fn rewrap(keyset: &mut Keyset, removed: &[KeyId], new: &[Given]) -> reseal::Result<Vec<KeyId>> {
    let mut waiting = Vec::new();
    for id in removed {
        if keyset.remove_kek(*id).is_err() {
            waiting.push(*id);
        }
    }
    let mut bridge = None;
    if !waiting.is_empty() {
        let key = Key::generate(KeyUse::Kek, &mut OsEntropy)?;
        bridge = Some(keyset.add_kek(NewKek::key(key)?)?);
    }
    for id in waiting {
        keyset.remove_kek(id)?;
    }
    let added = new.iter().map(|given| keyset.add_kek(given.to_new()?));
    let added = added.collect::<reseal::Result<_>>()?;
    if let Some(bridge) = bridge {
        keyset.remove_kek(bridge)?;
    }
    Ok(added)
}

fn described(wraps: &[Wrap]) -> String {
    let described: Vec<_> = wraps.iter().map(Wrap::described).collect();
    described.join(", ")
}

fn texts(ids: &[KeyId]) -> Vec<String> {
    ids.iter().map(ToString::to_string).collect()
}

impl fmt::Display for Rewrapped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for id in &self.added {
            writeln!(f, "added {id}")?;
        }
        for id in &self.removed {
            writeln!(f, "removed {id}")?;
        }
        for kek in &self.keks {
            writeln!(f, "{kek}")?;
        }
        write!(f, "generation {}", self.generation)
    }
}
