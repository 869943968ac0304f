//! `reseal plan`: what would `apply` do?

use clap::Args;

use crate::job::{DatabaseArgs, Options, WalkArgs};

const EXAMPLES: &str = "\
Says for each column how many values apply would reseal from what to what, and how
many it would refuse; whether the column can hold the new values, with the length
that they need; and what stands in the way. It writes nothing. Exit code 2 says that
a column cannot be worked on, or is too short.

Examples:
  reseal plan --db sqlite:///app.db
  reseal plan --sample 1000 --json    quick, for a large table
";

/// Say what apply would do, and what stands in its way
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct PlanArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    walk: WalkArgs,

    /// Read one row of so many, and count those alone
    #[arg(long, value_name = "N")]
    sample: Option<u32>,
}

impl PlanArgs {
    pub(crate) fn options(&self) -> Options {
        let mut options = self.database.options();
        self.walk.add_to(&mut options);
        options.sample = self.sample;
        options
    }
}
