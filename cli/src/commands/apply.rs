//! `reseal apply`: every value to the codec that its column writes.

use clap::Args;

use crate::job::{DatabaseArgs, Options, RefusedArgs, Repair, WalkArgs};

const EXAMPLES: &str = "\
Encrypting, rotating a key, moving to another format, going back and switching off
are all this: every value is brought to the codec that its column writes, under the
primary key. Values that are so already stay as they are, and so does what cannot be
opened.

A value that somebody changes meanwhile is never overwritten. How far the job is
stands in the table reseal_jobs, together with what was written: after ^C or a crash
the same command goes on from there. With --checkpoint FILE it stands in a file, and
a crash may have values counted twice. The job repeats until a pass finds nothing to do.
With --jobs and --share ranges of rows are leased to workers, on this machine and others,
and those of a worker that dies go to another. Triggers of the table fire as for any
other update. A URL with a password belongs into RESEAL_DATABASE_URL: everybody on the
machine sees arguments.

Examples:
  reseal plan                         look first
  reseal apply --dry-run
  reseal apply --rate 2000            slowly, beside the users
  reseal apply --jobs 4               four processes; the same elsewhere joins them
  reseal apply --refused refused.jsonl --max-refused 100
  reseal apply --repair unwrap --column users.ssn --row 42 --row 43
";

/// Reseal every value to the codec that its column writes
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct ApplyArgs {
    #[command(flatten)]
    database: DatabaseArgs,

    #[command(flatten)]
    walk: WalkArgs,

    #[command(flatten)]
    refused: RefusedArgs,

    /// Compute everything and write nothing
    #[arg(long)]
    dry_run: bool,

    /// Reseal also values that are current but were sealed with an earlier context
    #[arg(long)]
    reopen: bool,

    /// Write the terms of blind indexes also for values that are current
    #[arg(long)]
    reindex: bool,

    /// Repair the named rows, and nothing else
    #[arg(long, value_name = "HOW", requires = "row")]
    repair: Option<Repair>,

    /// A row to repair: its row id, or a JSON list of a composite one
    #[arg(long, value_name = "ID", requires = "repair")]
    row: Vec<String>,

    /// So many processes on this machine do the job together, 1 to 64
    #[arg(
        long,
        value_name = "N",
        value_parser = clap::value_parser!(u8).range(1..=64),
        conflicts_with_all = ["dry_run", "checkpoint", "repair"],
    )]
    jobs: Option<u8>,

    /// Do the job together with others who say so, here or on other machines
    #[arg(long, conflicts_with_all = ["dry_run", "checkpoint", "repair"])]
    share: bool,

    /// After so many seconds without a word a worker is taken for dead [default: 60]
    #[arg(long, value_name = "SECONDS", value_parser = clap::value_parser!(u32).range(1..))]
    worker_lease: Option<u32>,

    /// Work for a run of another process
    #[arg(long, hide = true, value_name = "RUN", conflicts_with = "jobs")]
    worker: Option<String>,

    #[arg(
        long,
        value_name = "FILE|none",
        conflicts_with = "dry_run",
        help = "Keep how far the job is in a file, not in the table reseal_jobs; or nowhere"
    )]
    checkpoint: Option<String>,

    /// Read back one of so many resealed values before it is committed, 0 for none [default: 100]
    #[arg(long, value_name = "N", conflicts_with = "dry_run")]
    verify_one_in: Option<u32>,

    /// The most passes over the tables [default: 10]
    #[arg(long, value_name = "N")]
    max_passes: Option<usize>,

    /// Do not ask before plaintext is written
    #[arg(long, short)]
    yes: bool,
}

impl ApplyArgs {
    pub(crate) fn options(&self) -> Options {
        let mut options = self.database.options();
        self.walk.add_to(&mut options);
        self.refused.add_to(&mut options);
        options.dry_run = self.dry_run;
        options.reopen = self.reopen;
        options.reindex = self.reindex;
        options.repair = self.repair;
        options.rows.clone_from(&self.row);
        options.checkpoint.clone_from(&self.checkpoint);
        options.verify_one_in = self.verify_one_in;
        options.max_passes = self.max_passes;
        options.allow_plaintext = self.yes;
        options.jobs = self.jobs.map(usize::from);
        options.share = self.share;
        options.worker_lease = self.worker_lease;
        options.worker.clone_from(&self.worker);
        options
    }
}
