//! `reseal guide`: the steps of a change, for one manifest.

use clap::Args;

use crate::console::Console;
use crate::failure::Outcome;
use crate::guide;
use crate::kek::variable;
use crate::manifest;

const EXAMPLES: &str = "\
Reads the manifest, and neither keys nor the database. Where a column reads codecs
that it does not write, the steps of that migration come first, and those of a
rotation after them. Which tool makes the backup follows from --db, or from
RESEAL_DATABASE_URL; no password is printed.

The commands are those of a POSIX shell: run them as they stand, one step at a time
and in one session, since they keep ids of keys in its variables. The rehearsal has
a session of its own, and copies of the keys. Where keys are in the environment, run
it with the variables of a process that has them: some name files.

Examples:
  reseal guide
  reseal guide --db sqlite:///app.db >steps.md
  reseal guide --json
";

/// Print the steps of a rotation or a migration, with their commands
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct GuideArgs {
    /// The manifest
    #[arg(long, value_name = "FILE", default_value = manifest::DEFAULT_PATH)]
    manifest: String,

    #[arg(
        long,
        value_name = "URL",
        help = "postgresql://…, mysql://… or sqlite:///file; the default is RESEAL_DATABASE_URL"
    )]
    db: Option<String>,
}

impl GuideArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        let manifest = manifest::load(console, &self.manifest)?;
        let url = match &self.db {
            Some(url) => Some(url.clone()),
            None => variable(console, "RESEAL_DATABASE_URL").map(|url| url.to_string()),
        };
        let mut paths = guide::PATHS.to_vec();
        paths.retain(|name| variable(console, name).is_some());
        let steps = guide::steps(&manifest, &self.manifest, url.as_deref(), &paths);
        console.report(&steps)
    }
}
