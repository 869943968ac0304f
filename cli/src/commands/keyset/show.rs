//! `reseal keyset show`

use core::fmt;

use clap::Args;
use reseal::{KekInfo, KeysetDocument, KeysetInfo, KeysetKey};
use serde::Serialize;

use crate::console::{Console, counted, shown};
use crate::database::Database;
use crate::failure::Outcome;
use crate::table::Table;

use super::Common;
use super::file::{expect, keks};

const EXAMPLES: &str = "\
Without a key-encrypting key the keyset is shown as it stands in the file, and
nothing of it is verified. Keys themselves are never shown.

Examples:
  reseal keyset show --keyset ring.json
  reseal keyset show --kek-file ring.kek --json
";

/// Show ids, states, dates and labels
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Show {}

#[derive(Serialize)]
struct Shown {
    file: String,
    ring: String,
    generation: u64,
    issued: String,
    lease_seconds: u32,
    verified: bool,
    keks: Vec<ShownKek>,
    keys: Vec<ShownKey>,
}

#[derive(Serialize)]
struct ShownKek {
    id: String,
    kind: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    provider: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    reference: Option<String>,
    given: bool,
}

#[derive(Serialize)]
struct ShownKey {
    id: String,
    #[serde(rename = "use")]
    key_use: &'static str,
    state: &'static str,
    created: String,
    changed: String,
    label: String,
}

impl Show {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let place = common.place(database, console).await?;
        let bytes = place.read(console).await?;
        let document = KeysetDocument::parse(&bytes)?;
        let given = common.keks.read(console)?;
        if given.is_empty() {
            console.report(&Shown::of(document.info(), place.path, false))?;
            return console.warning("nothing of this is verified: no key-encrypting key was given");
        }
        let (keks, _) = keks(&given, &document, console)?;
        let keyset = document.unlock(&keks, &expect(console)?)?;
        console.report(&Shown::of(keyset.info(), place.path, true))
    }
}

impl Shown {
    fn of(info: KeysetInfo, file: String, verified: bool) -> Self {
        Self {
            file,
            ring: info.ring,
            generation: info.generation,
            issued: info.issued,
            lease_seconds: info.lease_seconds,
            verified,
            keks: info.keks.into_iter().map(ShownKek::of).collect(),
            keys: info.keys.into_iter().map(ShownKey::of).collect(),
        }
    }
}

impl ShownKek {
    fn of(kek: KekInfo) -> Self {
        let (provider, reference) = match kek.external {
            Some(external) => (Some(external.provider), Some(external.reference)),
            None => (None, None),
        };
        Self {
            id: kek.id.to_string(),
            kind: kek.kind.as_str(),
            provider,
            reference,
            given: kek.held,
        }
    }

    fn where_from(&self) -> String {
        match (&self.provider, &self.reference) {
            (Some(provider), Some(reference)) => {
                format!("{} {}", shown(provider), shown(reference))
            }
            _ => self.kind.to_owned(),
        }
    }
}

impl ShownKey {
    fn of(key: KeysetKey) -> Self {
        Self {
            id: key.id.to_string(),
            key_use: key.key_use.as_str(),
            state: key.state.as_str(),
            created: key.created,
            changed: key.changed,
            label: key.label,
        }
    }
}

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let verified = if self.verified { "" } else { ", not verified" };
        let lease = match self.lease_seconds {
            0 => "no lease".to_owned(),
            seconds => format!("lease {}", counted(seconds, "second")),
        };
        write!(f, "ring {}, generation {}, ", self.ring, self.generation)?;
        writeln!(f, "issued {}, {lease}{verified}", self.issued)?;
        let mut wraps = Table::new(["KEY-ENCRYPTING KEY", "FROM", "GIVEN"]);
        for kek in &self.keks {
            let given = if kek.given { "yes" } else { "no" };
            wraps.row([kek.id.clone(), kek.where_from(), given.to_owned()]);
        }
        write!(f, "\n{wraps}")?;
        if self.keys.is_empty() {
            return write!(f, "\nno keys");
        }
        let mut keys = Table::new(["KEY", "USE", "STATE", "CREATED", "CHANGED", "LABEL"]);
        for key in &self.keys {
            keys.row([
                key.id.clone(),
                key.key_use.to_owned(),
                key.state.to_owned(),
                key.created.clone(),
                key.changed.clone(),
                shown(&key.label),
            ]);
        }
        write!(f, "\n{}", keys.to_string().trim_end())
    }
}
