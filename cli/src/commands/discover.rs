//! `reseal discover`: what does the manifest not name?

use clap::Args;

use crate::job::{DatabaseArgs, Options};

const EXAMPLES: &str = "\
Looks at 200 values of every column of the database that the manifest does not name,
and lists the columns that hold what an encrypting system writes, or what looks like
a key. It needs no key, and no manifest: without one it looks at all columns.

Examples:
  reseal discover --db sqlite:///app.db
  RESEAL_DATABASE_URL=postgresql://app@db.internal/app reseal discover --json
";

/// List columns that hold encrypted values and are missing in the manifest
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DiscoverArgs {
    #[command(flatten)]
    database: DatabaseArgs,
}

impl DiscoverArgs {
    pub(crate) fn options(&self) -> Options {
        self.database.options()
    }
}
