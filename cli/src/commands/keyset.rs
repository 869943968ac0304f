//! `reseal keyset`: the document that a ring is loaded from.

mod export;
pub(crate) mod file;
mod init;
mod moves;
mod place;
mod rewrap;
mod show;
mod verify;

use clap::{Args, Subcommand};

use crate::confirm::confirm;
use crate::console::Console;
use crate::database::Database;
use crate::failure::{Outcome, usage};
use crate::kek::{KekArgs, path_variable};
use crate::keyset_row::Row;
pub(crate) use place::Place;

const EXAMPLES: &str = "\
What opens a keyset is taken from RESEAL_KEK, RESEAL_KEK_FILE, RESEAL_PASSPHRASE,
RESEAL_PASSPHRASE_FILE and the options --kek-file, --passphrase-file and
--passphrase together; only for init the options replace the variables. A keyset
that is wrapped under several is changed with all of them. A key is named by its
id, or the first 4 characters of it or more.

A keyset may also be a row of a database, which processes share: sql:RING with its
ring id, or sql: alone where it is the only one. RESEAL_DATABASE_URL names the
database.

Moves that cannot be taken back, or go back, ask first; --yes answers.

Examples:
  reseal keys new --use kek --out ring.kek
  export RESEAL_KEYSET=ring.json RESEAL_KEK_FILE=ring.kek
  reseal keyset init --lease 3600 --label 2026-q4
  reseal keyset introduce --label 2027-q1      every process learns of the key
  reseal keyset promote u5xk                   and then seals with it
  reseal keyset show
";

/// Create keysets, look at them, and change what their keys may do
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct KeysetArgs {
    #[command(subcommand)]
    command: Command,

    #[command(flatten)]
    common: Common,
}

/// What all commands of the group take.
#[derive(Args, Debug)]
struct Common {
    #[arg(
        long,
        value_name = "FILE",
        global = true,
        help = "Its file, or sql:RING for a row of a database; the default is RESEAL_KEYSET"
    )]
    keyset: Option<String>,

    #[arg(
        long,
        value_name = "URL",
        global = true,
        help = "The database of sql:RING; the default is RESEAL_DATABASE_URL"
    )]
    db: Option<String>,

    #[command(flatten)]
    keks: KekArgs,

    /// Do not ask before a dangerous move
    #[arg(long, short, global = true)]
    yes: bool,
}

#[derive(Debug, Subcommand)]
enum Command {
    Init(init::Init),
    Show(show::Show),
    Introduce(moves::Introduce),
    Promote(moves::Promote),
    Rotate(moves::Rotate),
    Disable(moves::Disable),
    Enable(moves::Enable),
    Destroy(moves::Destroy),
    Revert(moves::Revert),
    Label(moves::Label),
    Lease(moves::Lease),
    RewrapKeys(rewrap::RewrapKeys),
    Verify(verify::Verify),
    ExportKeys(export::ExportKeys),
}

impl KeysetArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let common = &self.common;
        match &self.command {
            Command::Init(args) => args.run(common, database, console).await,
            Command::Show(args) => args.run(common, database, console).await,
            Command::Introduce(args) => args.run(common, database, console).await,
            Command::Promote(args) => args.run(common, database, console).await,
            Command::Rotate(args) => args.run(common, database, console).await,
            Command::Disable(args) => args.run(common, database, console).await,
            Command::Enable(args) => args.run(common, database, console).await,
            Command::Destroy(args) => args.run(common, database, console).await,
            Command::Revert(args) => args.run(common, database, console).await,
            Command::Label(args) => args.run(common, database, console).await,
            Command::Lease(args) => args.run(common, database, console).await,
            Command::RewrapKeys(args) => args.run(common, database, console).await,
            Command::Verify(args) => args.run(common, database, console).await,
            Command::ExportKeys(args) => args.run(common, database, console).await,
        }
    }
}

impl Common {
    /// Where the keyset is.
    async fn place(&self, database: &Database, console: &mut Console<'_>) -> Outcome<Place> {
        let (path, named_by) = match &self.keyset {
            Some(path) => (path.clone(), "--keyset".to_owned()),
            None => match path_variable(console, "RESEAL_KEYSET")? {
                Some(path) => (path, "RESEAL_KEYSET".to_owned()),
                None => {
                    return usage(
                        "no keyset is named: give --keyset FILE, or set RESEAL_KEYSET; reseal keyset init creates one",
                    );
                }
            },
        };
        let row = Row::of(&path, self.db.as_deref(), console, database).await?;
        if row.is_none() && self.db.is_some() {
            return usage("--db is of a keyset in a database, and this one is in a file");
        }
        Ok(Place {
            path,
            named_by,
            row,
        })
    }

    fn confirm(&self, what: &str, console: &mut Console<'_>) -> Outcome {
        confirm(what, self.yes, console)
    }
}

/// A number of seconds on the command line.
fn whole_seconds(text: &str) -> Result<u32, String> {
    let wrong = |_| "whole seconds, such as 3600".to_owned();
    text.parse().map_err(wrong)
}
