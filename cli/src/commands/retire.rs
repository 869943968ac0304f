//! `reseal retire`: may a key, or a codec, go?

use clap::Args;

use crate::console::Console;
use crate::database::Database;
use crate::failure::Outcome;
use crate::job::{DatabaseArgs, PaceArgs};
use crate::kek::KekArgs;
use crate::retire;

const EXAMPLES: &str = "\
A key goes when nothing is under it any more: no value and no term of a blind index
of any column of the manifest. A key of a keyset is disabled then, and everything is
counted once more; where somebody wrote meanwhile, the key is enabled again. Before
that a lease passes since the key sealed, so that no live ring seals under it. A
process without one goes on until it is restarted: restart it first. Keys of the
environment and of directories are counted, and taken away by a person.

A codec goes when every value of the columns that read it opens without it, to the
same plaintext.

Exit code 1 says that something still needs the key or the codec. What opens a keyset
is what the manifest says; a keyset that is wrapped under several needs all of them,
from the options and variables that reseal keyset takes.

Examples:
  reseal retire wnho                  a key, by its id or the first 4 characters of it
  reseal retire wnho --early          when no process has an older copy of the keyset
  reseal retire rails_old             a codec of the manifest
  reseal retire plain                 is every value encrypted?
";

/// Prove that nothing needs a key or a codec any more, and disable the key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct RetireArgs {
    /// The name of a codec, or the id of a key
    target: String,

    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    pace: PaceArgs,

    #[command(flatten)]
    keks: KekArgs,

    /// Do not wait until a lease has passed since the key sealed, nor for open transactions
    #[arg(long)]
    early: bool,
}

impl RetireArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let mut options = self.database.options();
        self.pace.add_to(&mut options);
        options.target = Some(self.target.clone());
        options.early = self.early;
        retire::run(options, &self.keks, console, database).await
    }
}
