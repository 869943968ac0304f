//! `reseal verify`: does every value open?

use clap::Args;

use crate::job::{DatabaseArgs, Options, RefusedArgs, WalkArgs};

const EXAMPLES: &str = "\
Opens every value of the columns of the manifest, with all codecs and keys that they
may be read with, and writes nothing. Exit code 1 says that some do not open.

Examples:
  reseal verify --db sqlite:///app.db
  reseal verify --refused refused.jsonl --max-refused 1000
  reseal verify --sample 100
";

/// Open every value of a database, and write nothing
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct VerifyArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    walk: WalkArgs,

    #[command(flatten)]
    refused: RefusedArgs,

    /// Open the values of one row of so many
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
}

impl VerifyArgs {
    pub(crate) fn options(&self) -> Options {
        let mut options = self.database.options();
        self.walk.add_to(&mut options);
        self.refused.add_to(&mut options);
        options.sample = self.sample;
        options
    }
}
