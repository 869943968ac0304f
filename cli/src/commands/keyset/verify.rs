//! `reseal keyset verify`

use core::fmt;

use clap::Args;
use serde::Serialize;

use crate::console::{Console, counted};
use crate::database::Database;
use crate::failure::Outcome;

use super::Common;
use super::file::Loaded;

const EXAMPLES: &str = "\
Needs every key-encrypting key that the keyset is wrapped under, and unwraps every
key under each of them. To try one of them only, use reseal keyset show.

Examples:
  reseal keyset verify --keyset ring.json --kek-file ring.kek
  reseal keyset verify --kek-file old.kek --kek-file new.kek
";

/// Verify the keyset under every key-encrypting key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(super) struct Verify {}

#[derive(Serialize)]
struct Verified {
    ok: bool,
    ring: String,
    generation: u64,
    keks: usize,
    keys: usize,
}

impl Verify {
    pub(super) async fn run(
        &self,
        common: &Common,
        database: &Database,
        console: &mut Console<'_>,
    ) -> Outcome {
        let loaded = Loaded::open(common, database, console).await?;
        loaded.check_complete()?;
        let keyset = loaded.keyset;
        keyset.verify()?;
        let info = keyset.info();
        console.report(&Verified {
            ok: true,
            ring: info.ring,
            generation: info.generation,
            keks: info.keks.len(),
            keys: info.keys.len(),
        })
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self {
            ring,
            generation,
            keks,
            keys,
            ..
        } = self;
        write!(
            f,
            "ok: ring {ring}, generation {generation}, {} under {}",
            counted(*keys, "key"),
            counted(*keks, "key-encrypting key")
        )
    }
}
