//! What a caller chooses.

use super::{Cell, Dialect, Work};
use crate::{
    error::{ErrorCode, Result, fixed},
    random::Entropy,
};
use alloc::{string::String, vec::Vec};
use data_encoding::HEXLOWER;

/// Bytes of the name of a run.
const NAME_BYTES: usize = 16;

/// What a caller chooses, with the usual values.
///
/// # Example
/// ```
/// use reseal::job::{Dialect, JobOptions};
/// let mut options = JobOptions::new(Dialect::Postgres);
/// options.dry_run = true;
/// assert_eq!(options.batch_rows, 500);
/// ```
#[derive(Clone, Debug)]
#[non_exhaustive]
pub struct JobOptions {
    /// The database.
    pub dialect: Dialect,
    /// The most rows of one batch, 1 to 5,000.
    pub batch_rows: usize,
    /// About the most bytes of one batch: batches of large rows have fewer of them.
    pub batch_bytes: usize,
    /// Compute everything and write nothing.
    pub dry_run: bool,
    /// Stop when more values than this are refused in a pass. Those at which an earlier run of the job has stopped
    /// do not count.
    pub max_refused: Option<u64>,
    /// Rows that are read in a second, at most.
    pub rows_per_second: Option<u32>,
    /// A pause after each batch, in milliseconds.
    pub pause_ms: u64,
    /// How long a statement may take, in milliseconds.
    pub statement_timeout_ms: Option<u64>,
    /// Of so many rows that are resealed, a value of one is read back before it is committed; 0 for
    /// none.
    pub verify_one_in: u32,
    /// The most passes of one run.
    pub max_passes: usize,
    /// Where it is kept how far the job is.
    pub checkpoint: Checkpoint,
    /// Read one row of so many, chosen by the database at random; for work that writes nothing.
    pub sample_one_in: Option<u32>,
    /// For a census: columns with no other codecs than reseal and plain are counted by one statement,
    /// and no value is read. What is damaged behind its start is not seen.
    pub keys_only: bool,
    /// Look at the terms of blind indexes as well, which opens current values: those whose term is not
    /// the one under the primary index key get it, and a term beside NULL goes. For [`Work::Apply`], [`Work::Reopen`] and
    /// [`Work::Plan`].
    pub reindex: bool,
    /// Other workers do the same job, each with ranges of the rows; for [`Work::Apply`] and
    /// [`Work::Reopen`] with a checkpoint in the table.
    pub share: Option<Share>,
    /// For [`Work::Verify`]: the name of a codec. A value that only this codec opens is refused as
    /// `still-in-use`: without it, the value does not open, or to another plaintext.
    pub without: Option<String>,
    /// The row ids of a repair, up to 5,000: a cell for each column of the row id, as
    /// [`super::Event::Refused`] tells them, but bytes of MySQL and SQLite as [`Cell::Bytes`].
    pub rows: Vec<Vec<Cell>>,
}

/// How several workers do one job.
///
/// Each takes ranges of rows, leased in the table `reseal_jobs`. A worker that dies loses its range to another
/// one when its lease has run out.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Share {
    /// What the workers of one run call it, up to 64 characters: new for each run, as what a run has ended
    /// is not done again. A run that joins a job which another one
    /// began has its rows read once more.
    pub run: String,
    /// How long nothing has to be heard of a worker before its range goes to another one, in
    /// milliseconds. Longer than any batch takes.
    pub lease_ms: u64,
    /// Whether the other workers of the run end when this one is asked to stop.
    pub leads: bool,
}

impl Share {
    /// A run with a name of its own, which this worker leads.
    ///
    /// # Errors
    /// `random-unavailable`.
    pub fn new(lease_ms: u64, entropy: &mut (impl Entropy + ?Sized)) -> Result<Self> {
        let mut run = [0; NAME_BYTES];
        entropy.fill(&mut run)?;
        Ok(Self {
            run: HEXLOWER.encode(&run),
            lease_ms,
            leads: true,
        })
    }
}

/// Where it is kept how far a job is.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Checkpoint {
    /// In the table `reseal_jobs`, which is made where it is missing: each batch and its checkpoint
    /// are one transaction.
    Table,
    /// In a file, after each batch. A batch may be counted twice after a crash.
    File {
        /// What the file has, where there is one.
        state: Option<String>,
    },
    /// Nowhere: every run begins anew.
    Nowhere,
}

impl JobOptions {
    /// The usual values for a database.
    #[must_use]
    pub const fn new(dialect: Dialect) -> Self {
        Self {
            dialect,
            batch_rows: 500,
            batch_bytes: 4 << 20,
            dry_run: false,
            max_refused: None,
            rows_per_second: None,
            pause_ms: 0,
            statement_timeout_ms: None,
            verify_one_in: 100,
            max_passes: 10,
            checkpoint: Checkpoint::Table,
            sample_one_in: None,
            keys_only: false,
            reindex: false,
            share: None,
            without: None,
            rows: Vec::new(),
        }
    }

    pub(super) fn check(&self, work: Work) -> Result<()> {
        let wrong = if !(1..=5000).contains(&self.batch_rows) {
            "batch_rows is 1 to 5000"
        } else if self.batch_bytes == 0 {
            "batch_bytes is at least 1"
        } else if self.max_passes == 0 {
            "max_passes is at least 1"
        } else if self.rows_per_second == Some(0) {
            "rows_per_second is at least 1"
        } else if self.sample_one_in.is_some() && (work.writes() || self.sample_one_in == Some(0)) {
            "sample_one_in is at least 1, and for work that writes nothing"
        } else if self.keys_only && work != Work::Census {
            "keys_only is for a census"
        } else if self.reindex && !matches!(work, Work::Apply | Work::Reopen | Work::Plan) {
            "reindex is for apply, reopen and plan"
        } else if self.without.is_some() && work != Work::Verify {
            "without is for verify"
        } else if work.is_repair() != (1..=5000).contains(&self.rows.len()) {
            "rows are for a repair, which has 1 to 5000 of them"
        } else if !self.may_share(work) {
            "share is for apply and reopen that write, with a checkpoint in the table; its run has 1 to \
             64 characters, and its lease is at least 1"
        } else {
            return Ok(());
        };
        Err(fixed(ErrorCode::InvalidArgument, wrong))
    }

    fn may_share(&self, work: Work) -> bool {
        self.share.as_ref().is_none_or(|share| {
            matches!(work, Work::Apply | Work::Reopen)
                && !self.dry_run
                && self.checkpoint == Checkpoint::Table
                && (1..=64).contains(&share.run.chars().count())
                && share.lease_ms > 0
        })
    }
}
