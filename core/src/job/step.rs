//! What a job asks for, and what it gets.

use super::{Cell, Failure, Report, Statement};
use alloc::{string::String, vec::Vec};

/// What a job asks for. Outside of [`Step::Begin`] and [`Step::Commit`] every statement stands alone,
/// as it does with autocommit.
#[derive(Clone, Debug)]
pub enum Step {
    /// Run a statement that gives rows: [`Reply::Rows`].
    Query(Statement),
    /// Run a statement that changes rows: [`Reply::Count`].
    Execute(Statement),
    /// Begin a transaction; `BEGIN IMMEDIATE` in SQLite. [`Reply::Done`].
    Begin,
    /// Commit it: [`Reply::Done`].
    Commit,
    /// Undo it: [`Reply::Done`], also where there is none.
    Rollback,
    /// The connection was lost: open another, [`Reply::Done`], or fail.
    Reconnect,
    /// Wait: [`Reply::Done`].
    Sleep {
        /// For how long.
        milliseconds: u64,
    },
    /// Tell whoever watches: [`Reply::Done`].
    Tell(Event),
    /// Put this into the file of the checkpoint, all or nothing: [`Reply::Done`].
    Save(String),
    /// It is over; what is asked from now on gets the same again.
    Finished(Report),
}

/// What came of a step.
#[derive(Debug)]
pub enum Reply {
    /// There was no step yet: the first call of [`super::Job::next`].
    Start,
    /// The rows of a query, each with its cells in the order of the statement.
    Rows(Vec<Vec<Cell>>),
    /// How many rows a statement changed.
    Count(u64),
    /// It is done.
    Done,
    /// The database refused.
    Failed(Failure),
}

/// How much there is of a table: enough for a progress bar.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub struct Extent {
    /// The table.
    pub table: String,
    /// About how many rows there are, whether or not they meet a condition; nothing where the database
    /// does not know. PostgreSQL and MySQL estimate; SQLite counts, but not for a census by keys alone. Of
    /// a sample and of a repair these are the rows that are to be read.
    pub rows: Option<u64>,
}

/// What whoever watches may want to know.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// The tables were looked at. It is told once in a run, before its first batch; a discovery has
    /// none.
    Began {
        /// What each pass reads, in its order: a table stands here once for each row id and condition
        /// that it is read with.
        tables: Vec<Extent>,
    },
    /// The walk over a table goes on from where an earlier run stopped.
    Resumed {
        /// The pass, counted from 1.
        pass: usize,
        /// Rows that earlier runs have read in this pass; nothing where they counted members of
        /// documents alone.
        rows: Option<u64>,
    },
    /// A batch is done.
    Progress {
        /// The pass, counted from 1.
        pass: usize,
        /// The table that is walked.
        table: String,
        /// Rows that this run has read, in all passes.
        rows: u64,
        /// Values that it has resealed.
        resealed: u64,
    },
    /// A value that stays as it is. What was told before a crash may be told again.
    Refused {
        /// The pass, counted from 1.
        pass: usize,
        /// The table.
        table: String,
        /// The column.
        column: String,
        /// Where it stands in a JSON document, such as `$.mfaRecoveryCodes[3]`; nothing where the
        /// value is all of its column, or no document could be read there.
        path: Option<String>,
        /// The row id, a text for each of its columns; bytes in hexadecimal.
        row_id: Vec<String>,
        /// Why.
        code: &'static str,
    },
    /// A batch is tried again.
    Retry {
        /// The code of the database.
        code: String,
        /// How often it was tried.
        attempts: u32,
    },
}
