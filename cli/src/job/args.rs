//! The options that several commands share.

use clap::Args;

use super::Options;

/// Where the manifest and the database are.
#[derive(Args, Debug)]
pub(crate) struct DatabaseArgs {
    /// The manifest; the default is reseal.toml
    #[arg(long, value_name = "FILE")]
    manifest: Option<String>,

    #[arg(
        long,
        value_name = "URL",
        help = "postgresql://…, mysql://… or sqlite:///file; the default is RESEAL_DATABASE_URL"
    )]
    db: Option<String>,

    /// How long a statement may take, in milliseconds
    #[arg(long, value_name = "MS")]
    statement_timeout: Option<u64>,
}

/// What is walked, and how fast.
#[derive(Args, Debug)]
pub(crate) struct WalkArgs {
    /// Only this column of the manifest, TABLE.COLUMN; can be given several times
    #[arg(long, value_name = "COLUMN")]
    column: Vec<String>,

    #[command(flatten)]
    pace: PaceArgs,
}

/// How fast it goes.
#[derive(Args, Debug)]
pub(crate) struct PaceArgs {
    /// The most rows of a batch, 1 to 5000 [default: 500]
    #[arg(long, value_name = "ROWS")]
    batch: Option<usize>,

    /// Read at most so many rows in a second
    #[arg(long, value_name = "ROWS")]
    rate: Option<u32>,

    /// Wait so many milliseconds after each batch
    #[arg(long, value_name = "MS")]
    pause: Option<u64>,
}

/// What becomes of values that cannot be opened.
#[derive(Args, Debug)]
pub(crate) struct RefusedArgs {
    /// Stop when more values than this cannot be opened
    #[arg(long, value_name = "N")]
    max_refused: Option<u64>,

    /// List them in this file, as JSON lines with nothing of the values
    #[arg(long, value_name = "FILE")]
    refused: Option<String>,
}

impl DatabaseArgs {
    pub(crate) fn options(&self) -> Options {
        Options {
            manifest: self.manifest.clone(),
            database: self.db.clone(),
            statement_timeout_ms: self.statement_timeout,
            ..Options::default()
        }
    }
}

impl WalkArgs {
    pub(crate) fn add_to(&self, options: &mut Options) {
        options.columns.clone_from(&self.column);
        self.pace.add_to(options);
    }
}

impl PaceArgs {
    pub(crate) fn add_to(&self, options: &mut Options) {
        options.batch = self.batch;
        options.rate = self.rate;
        options.pause_ms = self.pause;
    }
}

impl RefusedArgs {
    pub(crate) fn add_to(&self, options: &mut Options) {
        options.max_refused = self.max_refused;
        options.refused.clone_from(&self.refused);
    }
}
