//! The bulk job: every stored value of a database brought to the codec that its column writes.
//!
//! A job runs no statement itself. [`Job::next`] says what is to be done, and takes what came of it:
//! a driver of a language is a loop around it. It never holds more than two batches of rows, and never
//! overwrites a value that changed after it was read.

mod ahead;
mod apply;
mod batch;
mod catalog;
mod cell;
mod closing;
mod conflicts;
mod dialect;
mod discover;
mod document;
mod extent;
mod facts;
mod failure;
mod halt;
mod keep;
mod keeps;
mod keyset_row;
mod length;
mod line;
mod options;
mod page;
mod parts;
mod pool;
mod prefix;
mod prepare;
mod progress;
mod proof;
mod readers;
mod references;
mod report;
mod rows;
mod session;
mod setup;
mod share;
mod shown;
mod step;
mod store;
mod strings;
mod swap;
mod table;
mod tally;
mod tell;
mod terms;
mod total;
mod unique;
mod walk;
mod whole;
mod worker;

pub use ahead::Ahead;
pub use cell::{Cell, Statement};
pub use dialect::Dialect;
pub use failure::{Failure, FailureKind};
pub use keyset_row::KeysetRow;
pub use options::{Checkpoint, JobOptions, Share};
pub use report::{
    Amount, ColumnReport, Counts, Discovered, End, Finding, Kind, Length, Move, Report, TermCount,
    Work,
};
pub use step::{Event, Extent, Reply, Step};
pub use table::{TableRows, table_columns, table_rows};

use crate::{
    column::Column,
    error::{ErrorCode, Result, fixed},
    manifest::{ColumnSpec, Manifest, Secrets},
    random::Entropy,
    sorted::SortedMap,
    time::Timestamp,
};
use ahead::Hand;
use alloc::{boxed::Box, format, string::String, sync::Arc, vec::Vec};
use apply::{Run, Tallied};
use core::{
    fmt,
    future::Future,
    pin::Pin,
    task::{Context, Poll, Waker},
};
use line::Line;
use progress::Progress;
use serde_json::json;
use session::Session;
use sha2::{Digest, Sha256};
use share::Sharing;
use spin::Mutex;

/// Characters of a job's id.
const ID_CHARS: usize = 32;

/// A column of a manifest, with its keys.
#[derive(Clone, Debug)]
pub struct Target {
    /// Where it is.
    pub spec: ColumnSpec,
    /// What opens and seals its values.
    pub column: Column,
}

impl Target {
    /// The columns of a manifest, in its order.
    ///
    /// # Errors
    /// Those of [`Manifest::build`].
    pub fn of(manifest: &Manifest, secrets: &Secrets) -> Result<Vec<Self>> {
        Ok(Self::zip(manifest, manifest.build(secrets)?))
    }

    /// The columns of a manifest without any key, for a census.
    ///
    /// # Errors
    /// None in practice.
    pub fn keyless(manifest: &Manifest) -> Result<Vec<Self>> {
        Ok(Self::zip(manifest, manifest.keyless()?))
    }

    fn zip(manifest: &Manifest, columns: Vec<Column>) -> Vec<Self> {
        let specs = manifest.columns().iter().cloned().zip(columns);
        specs.map(|(spec, column)| Self { spec, column }).collect()
    }
}

/// A job: what is to be done comes out of it, and what came of that goes into it.
///
/// # Example
/// A driver that has no database, and says so:
/// ```
/// use reseal::job::{Dialect, End, Failure, Job, JobOptions, Reply, Step, Target, Work};
/// use reseal::manifest::{Manifest, Secrets};
/// use reseal::{OsEntropy, Timestamp};
///
/// let column = "table = 'users'\ncolumn = 'ssn'\nrow_id = ['id']\nwrite = 'plain'";
/// let manifest = Manifest::parse(&format!("version = 1\n[[columns]]\n{column}"))?;
/// let targets = Target::of(&manifest, &Secrets::new())?;
///
/// let options = JobOptions::new(Dialect::Sqlite);
/// let now = Timestamp::from_unix(1_800_000_000)?;
/// let mut job = Job::new(Work::Apply, targets, options, Box::new(OsEntropy), now)?;
/// let (mut reply, elapsed_ms) = (Reply::Start, 0);
/// let report = loop {
///     reply = match job.next(reply, elapsed_ms) {
///         Step::Finished(report) => break report,
///         Step::Query(_) | Step::Execute(_) => Reply::Failed(Failure::of(Dialect::Sqlite, "14")),
///         _ => Reply::Done,
///     };
/// };
/// assert!(matches!(report.end, End::Failed(error) if error.code().as_str() == "database-error"));
/// # Ok::<(), reseal::Error>(())
/// ```
///
/// # Security
/// Rows and parameters may be plaintext: a driver neither logs them nor keeps them.
pub struct Job {
    id: String,
    line: Line,
    /// The loop of the job, which stands still at each step.
    work: Pin<Box<dyn Future<Output = Report> + Send>>,
    report: Option<Report>,
}

impl Job {
    /// A job over columns. Columns without keys, [`Target::keyless`], are enough for a census and for
    /// [`Work::Discover`], which needs no target at all.
    ///
    /// # Errors
    /// `invalid-argument` for no target, and for an option outside its range; `reader-unable` for work that
    /// writes what a reader of the manifest cannot read.
    pub fn new(
        work: Work,
        targets: Vec<Target>,
        mut options: JobOptions,
        mut entropy: Box<dyn Entropy + Send + Sync>,
        started: Timestamp,
    ) -> Result<Self> {
        options.check(work)?;
        if work.is_repair() {
            // It is asked for once.
            options.checkpoint = Checkpoint::Nowhere;
            page::once(&mut options.rows, usize::MAX);
        }
        if targets.is_empty() && work != Work::Discover {
            let message = "a job needs a column of the manifest";
            return Err(fixed(ErrorCode::InvalidArgument, message));
        }
        readers::check(work, &targets)?;
        let id = id(work, &targets, &[]);
        let line = Line::default();
        let run = Run {
            line: line.clone(),
            row: id.clone(),
            id: id.clone(),
            sharing: Sharing::of(&options, &targets, &mut *entropy, started)?,
            work,
            progress: Progress::begun(&targets),
            targets: targets.into(),
            options,
            hand: Arc::new(Mutex::new(Hand::new(entropy))),
            page: None,
            started,
            session: Session::default(),
            walks: Vec::new(),
            version: None,
            tally: Tallied::new(),
            lengths: SortedMap::new(),
            terms: SortedMap::new(),
            findings: Vec::new(),
            discovered: Vec::new(),
            unread: Vec::new(),
        };
        Ok(Self {
            id,
            line,
            work: Box::pin(run.run()),
            report: None,
        })
    }

    /// What is to be done next. `reply` is what came of the step before, [`Reply::Start`] at first;
    /// `elapsed_ms` are the milliseconds since the job was made.
    pub fn next(&mut self, reply: Reply, elapsed_ms: u64) -> Step {
        if let Some(report) = &self.report {
            return Step::Finished(report.clone());
        }
        self.line.give(reply, elapsed_ms);
        // Nothing is ever woken: the caller comes back with a reply.
        let work = self.work.as_mut();
        match work.poll(&mut Context::from_waker(Waker::noop())) {
            Poll::Ready(report) => Step::Finished(self.report.insert(report).clone()),
            // A loop that waits has asked for something.
            Poll::Pending => self.line.take().unwrap_or(Step::Rollback),
        }
    }

    /// What can be done while a [`Step::Query`] or a [`Step::Execute`] runs. It is offered once.
    #[must_use]
    pub fn ahead(&self) -> Option<Ahead> {
        self.line.ahead()
    }

    /// Asks it to finish its batch, to save how far it is, and to end.
    pub fn stop(&self) {
        self.line.stop();
    }

    /// What its checkpoint is stored under: the same for every run that does the same. Only where PostgreSQL finds a
    /// table of the job in another schema than the table of checkpoints, it is another one there.
    #[must_use]
    pub fn id(&self) -> &str {
        &self.id
    }
}

impl fmt::Debug for Job {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Job")
            .field("id", &self.id)
            .field("report", &self.report)
            .finish_non_exhaustive()
    }
}

/// Made of what a job does to which values. `schemas` has those of tables, by target, where the names of the tables
/// do not tell.
fn id(work: Work, targets: &[Target], schemas: &[Option<String>]) -> String {
    let targets = targets.iter().enumerate().map(|(place, target)| {
        let spec = &target.spec;
        let path = spec.path.as_ref().map(|path| format!("{path}"));
        let schema = schemas.get(place).and_then(Option::as_ref);
        json!([
            schema.map_or_else(|| json!(spec.table), |schema| json!([schema, spec.table])),
            spec.column,
            spec.row_id,
            spec.filter,
            path,
            spec.write
        ])
    });
    let targets = json!(targets.collect::<Vec<_>>());
    let digest = Sha256::digest(format!("{targets}").as_bytes());
    let mut id = data_encoding::HEXLOWER.encode(&digest);
    id.truncate(ID_CHARS);
    format!("{}-{id}", work.as_str())
}
