//! `reseal census`: what is every value in?

use clap::Args;

use crate::job::{DatabaseArgs, Options, WalkArgs};

const EXAMPLES: &str = "\
Counts the values of each column of the manifest by codec, key and mode, with their
bytes. It needs no key and writes nothing. Formats without a mark of their own are
counted as \"maybe\".

Examples:
  reseal census --db sqlite:///app.db
  reseal census --sample 100          one row of 100, as the database picks them
  reseal census --keys-only --json    one statement for each column, no value is read
";

/// Count the values of a database by codec, key and mode; needs no key
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct CensusArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    walk: WalkArgs,

    /// Read one row of so many, and count those alone
    #[arg(long, value_name = "N")]
    sample: Option<u32>,

    /// Let the database count envelopes by their start; names an index that would help
    #[arg(long)]
    keys_only: bool,
}

impl CensusArgs {
    pub(crate) fn options(&self) -> Options {
        let mut options = self.database.options();
        self.walk.add_to(&mut options);
        options.sample = self.sample;
        options.keys_only = self.keys_only;
        options
    }
}
