//! What may become of a key: one command for each move.

use core::fmt;

use clap::{Args, ValueEnum};
use reseal::{Error, ErrorCode, Key, KeyId, KeyState, KeyUse, KeysetKey, OsEntropy, Promotion};
use serde::Serialize;

use crate::console::{Console, counted, shown};
use crate::database::Database;
use crate::failure::Outcome;
use crate::kek::{key, text_file};

use super::Common;
use super::file::{Loaded, now};

const ROTATE_EXAMPLES: &str = "\
For one process. In a fleet a process that has not looked at the keyset yet meets
values that it cannot open: there, introduce, wait, and promote. A keyset with a
lease therefore refuses this without --early.

Examples:
  reseal keyset rotate --label 2027-q1
";

const INTRODUCE_EXAMPLES: &str = "\
Every process that loads the keyset from now on opens what is sealed under the
key. Once all have, promote it.

Examples:
  reseal keyset introduce --label 2027-q1
  reseal keyset introduce --use index --label terms
  reseal keyset introduce --key-file old.key --label from-the-environment
";

const PROMOTE_EXAMPLES: &str = "\
A keyset with a lease lets a key be promoted when the lease has passed since it
came: by then every live ring knows it, or has stopped sealing. A process without a
live ring reads the keyset once: restart it first.

Examples:
  reseal keyset promote u5xk
  reseal keyset promote u5xk --early           when nobody else has the keyset
  reseal keyset promote wnho --back --yes
";

const DISABLE_EXAMPLES: &str = "\
What is sealed under the key stays where it is, and opens again once the key is
enabled. The key that seals is disabled in an emergency only.

Examples:
  reseal keyset disable wnho
  reseal keyset disable u5xk --emergency --yes
";

const ENABLE_EXAMPLES: &str = "\
The key opens again and does not seal: to seal with it, promote it --back.

Examples:
  reseal keyset enable wnho
";

const DESTROY_EXAMPLES: &str = "\
For good: what is sealed under the key is never opened again, here. Older copies
of the keyset, such as backups, still hold the key; destroy them as well.

Examples:
  reseal keyset disable wnho                   try first whether anybody needs it
  reseal keyset destroy wnho
  reseal keyset destroy wnho --yes             in a script
";

const REVERT_EXAMPLES: &str = "\
Takes the last promotion back. The key that is primary now only opens from then
on, and nothing that it sealed is lost. Where the keyset does not show which key
was primary before, it names those that can be promoted --back.

Examples:
  reseal keyset revert
  reseal keyset revert --use index --yes
";

const LABEL_EXAMPLES: &str = "\
Examples:
  reseal keyset label u5xk 2027-q1
";

const LEASE_EXAMPLES: &str = "\
With a lease, a live ring that cannot look at the keyset for so long refuses to
seal, and still opens. So a key that was introduced a lease ago is safe to promote,
where every process without a live ring was restarted since.

Examples:
  reseal keyset lease 3600
  reseal keyset lease 0                        no lease
";

/// The uses of keys of a keyset.
#[derive(Clone, Copy, Debug, ValueEnum)]
pub(super) enum RingUse {
    /// Seals and opens values
    Data,
    /// Makes blind indexes
    Index,
}

/// Take in a new key, which opens and does not seal yet
#[derive(Args, Debug)]
#[command(after_long_help = INTRODUCE_EXAMPLES)]
pub(super) struct Introduce {
    /// What the key is for
    #[arg(long = "use", value_name = "USE", default_value = "data")]
    key_use: RingUse,

    /// What people call the key, such as 2027-q1
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,

    /// Take the key from this file, and make none
    #[arg(long, value_name = "FILE", conflicts_with = "key_use")]
    key_file: Option<String>,
}

/// Let a key seal; the key that sealed before only opens from now on
#[derive(Args, Debug)]
#[command(after_long_help = PROMOTE_EXAMPLES)]
pub(super) struct Promote {
    /// The key
    id: String,

    /// Also before a lease has passed since the key came
    #[arg(long)]
    early: bool,

    /// Also a key that only opens; asks first
    #[arg(long)]
    back: bool,
}

/// Introduce a new key and promote it in one step
#[derive(Args, Debug)]
#[command(after_long_help = ROTATE_EXAMPLES)]
pub(super) struct Rotate {
    /// What the key is for
    #[arg(long = "use", value_name = "USE", default_value = "data")]
    key_use: RingUse,

    /// What people call the key, such as 2027-q1
    #[arg(long, value_name = "TEXT", default_value = "")]
    label: String,

    /// Also where the keyset has a lease
    #[arg(long)]
    early: bool,
}

/// Stop a key from opening, for the time being
#[derive(Args, Debug)]
#[command(after_long_help = DISABLE_EXAMPLES)]
pub(super) struct Disable {
    /// The key
    id: String,

    /// Also the key that seals: nothing is sealed until another one is promoted; asks first
    #[arg(long)]
    emergency: bool,
}

/// Let a disabled key open again; asks first
#[derive(Args, Debug)]
#[command(after_long_help = ENABLE_EXAMPLES)]
pub(super) struct Enable {
    /// The key
    id: String,
}

/// Forget a disabled key for good; asks first
#[derive(Args, Debug)]
#[command(after_long_help = DESTROY_EXAMPLES)]
pub(super) struct Destroy {
    /// The key
    id: String,
}

/// Let the key that sealed before seal again; asks first
#[derive(Args, Debug)]
#[command(after_long_help = REVERT_EXAMPLES)]
pub(super) struct Revert {
    /// Of which use
    #[arg(long = "use", value_name = "USE", default_value = "data")]
    key_use: RingUse,
}

/// Call a key by another label
#[derive(Args, Debug)]
#[command(after_long_help = LABEL_EXAMPLES)]
pub(super) struct Label {
    /// The key
    id: String,
    /// The label, of up to 64 characters
    label: String,
}

/// Set how long a live ring may seal without looking at the keyset again
#[derive(Args, Debug)]
#[command(after_long_help = LEASE_EXAMPLES)]
pub(super) struct Lease {
    /// Seconds; 0 is for ever
    #[arg(value_parser = super::whole_seconds)]
    seconds: u32,
}

/// What was done to a key.
#[derive(Serialize)]
struct Moved {
    action: &'static str,
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    state: &'static str,
    label: String,
    generation: u64,
}

#[derive(Serialize)]
struct LeaseSet {
    action: &'static str,
    lease_seconds: u32,
    generation: u64,
}

impl Introduce {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let key = match &self.key_file {
            Some(path) => key(&text_file(console, path, "--key-file")?, "--key-file")?,
            None => Key::generate(self.key_use.into(), &mut OsEntropy)?,
        };
        let now = now(console)?;
        let id = loaded.keyset.introduce(key, &self.label, now)?;
        let lease = loaded.keyset.lease_seconds();
        save(loaded, "introduced", id, console).await?;
        console.hint(&match lease {
            0 => format!("once every process has loaded the keyset: reseal keyset promote {id}"),
            seconds => format!(
                "restart every process without a live ring, and in {} or later: reseal keyset promote {id}",
                counted(seconds, "second")
            ),
        })
    }
}

impl Promote {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let key = loaded.find(&self.id)?;
        let before = primary(&loaded, key.key_use);
        let (early, back) = (self.early, self.back);
        loaded
            .keyset
            .promote(key.id, now(console)?, Promotion { early, back })?;
        if key.state == KeyState::DecryptOnly {
            let question = format!("{} only opens, and seals from now on", named(&key));
            loaded.confirm(common, &question, console)?;
        }
        let old = before.filter(|old| *old != key.id);
        save(loaded, "promoted", key.id, console).await?;
        after_promotion(key.key_use, old, console)
    }
}

impl Rotate {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let lease = loaded.keyset.lease_seconds();
        if lease > 0 && !self.early {
            return Err(has_lease(lease).into());
        }
        let key_use = self.key_use.into();
        let before = primary(&loaded, key_use);
        let key = Key::generate(key_use, &mut OsEntropy)?;
        let now = now(console)?;
        let id = loaded.keyset.rotate(key, &self.label, now, self.early)?;
        save(loaded, "rotated", id, console).await?;
        after_promotion(key_use, before, console)
    }
}

impl Disable {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let key = loaded.find(&self.id)?;
        loaded
            .keyset
            .disable(key.id, now(console)?, self.emergency)?;
        if key.state == KeyState::Primary {
            let question = format!(
                "{} is the one that seals: nothing is sealed from now on, and none of its values opens",
                named(&key)
            );
            loaded.confirm(common, &question, console)?;
        }
        save(loaded, "disabled", key.id, console).await
    }
}

impl Enable {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let key = loaded.find(&self.id)?;
        loaded.keyset.enable(key.id, now(console)?)?;
        let question = format!("{}, which is disabled, opens again", named(&key));
        loaded.confirm(common, &question, console)?;
        save(loaded, "enabled", key.id, console).await
    }
}

impl Destroy {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let key = loaded.find(&self.id)?;
        loaded.keyset.destroy(key.id, now(console)?)?;
        let question = format!(
            "{} is gone for good, and all that is sealed under it",
            named(&key)
        );
        loaded.confirm(common, &question, console)?;
        save(loaded, "destroyed", key.id, console).await?;
        console.hint("older copies of the keyset still hold the key: backups, and files of others")
    }
}

impl Revert {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let id = loaded.keyset.revert(self.key_use.into(), now(console)?)?;
        let question = format!(
            "{} only opens, and seals from now on",
            named(&loaded.key(id)?)
        );
        loaded.confirm(common, &question, console)?;
        save(loaded, "reverted", id, console).await
    }
}

impl Label {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        let id = loaded.find(&self.id)?.id;
        loaded.keyset.relabel(id, &self.label)?;
        save(loaded, "labelled", id, console).await
    }
}

impl Lease {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let mut loaded = Loaded::open(common, database, console).await?;
        loaded.keyset.set_lease_seconds(self.seconds)?;
        let generation = loaded.save(console).await?;
        console.report(&LeaseSet {
            action: "lease set",
            lease_seconds: self.seconds,
            generation,
        })
    }
}

/// The key that seals, or whose terms are written.
fn primary(loaded: &Loaded, key_use: KeyUse) -> Option<KeyId> {
    let keys = loaded.keyset.info().keys;
    let is_primary = |key: &&KeysetKey| key.key_use == key_use && key.state == KeyState::Primary;
    keys.iter().find(is_primary).map(|key| key.id)
}

/// A key, as a person knows it.
fn named(key: &KeysetKey) -> String {
    let (key_use, id) = (key.key_use.as_str(), key.id);
    match key.label.as_str() {
        "" => format!("the {key_use} key {id}"),
        label => format!("the {key_use} key {id} ({})", shown(label)),
    }
}

fn has_lease(lease: u32) -> Error {
    Error::new(
        ErrorCode::KeysetTransition,
        format!(
            "this keyset has a lease: reseal keyset introduce, wait {}, reseal keyset promote; or rotate --early, where no other process has the keyset",
            counted(lease, "second")
        ),
    )
}

/// What is left to do for a key that is to be retired.
fn after_promotion(key_use: KeyUse, old: Option<KeyId>, console: &mut Console<'_>) -> Outcome {
    let Some(old) = old else {
        return Ok(());
    };
    console.hint(&match key_use {
        KeyUse::Data => format!(
            "next: reseal canary make, reseal the stored values, and then reseal retire {old}, or reseal keyset disable {old} where no manifest describes them"
        ),
        _ => format!(
            "next: reseal apply --reindex, and then reseal retire {old}; where no manifest describes the terms, compute them anew, and then reseal keyset disable {old}"
        ),
    })
}

/// Saves, and says what was done.
async fn save(
    loaded: Loaded,
    action: &'static str,
    id: KeyId,
    console: &mut Console<'_>,
) -> Outcome {
    let key = loaded.key(id)?;
    let generation = loaded.save(console).await?;
    console.report(&Moved {
        action,
        id: id.to_string(),
        key_use: key.key_use.as_str(),
        state: key.state.as_str(),
        label: key.label,
        generation,
    })
}

impl fmt::Display for Moved {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            action,
            id,
            key_use,
            state,
            label,
            generation,
        } = self;
        write!(f, "{action} {key_use} key {id}")?;
        if !label.is_empty() {
            write!(f, " ({})", shown(label))?;
        }
        write!(f, ", now {state}; generation {generation}")
    }
}

impl fmt::Display for LeaseSet {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.lease_seconds {
            0 => write!(f, "no lease")?,
            seconds => write!(f, "lease of {}", counted(seconds, "second"))?,
        }
        write!(f, "; generation {}", self.generation)
    }
}

impl From<RingUse> for KeyUse {
    fn from(key_use: RingUse) -> Self {
        match key_use {
            RingUse::Data => Self::Data,
            RingUse::Index => Self::Index,
        }
    }
}
