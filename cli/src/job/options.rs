//! What the commands take, from the command line or from a program.

use reseal::job::{Cell, JobOptions, Target, Work};
use serde::Deserialize;

use super::rows;
use crate::failure::{Outcome, usage};

/// In the place of a file: no checkpoint.
pub(super) const NO_CHECKPOINT: &str = "none";

/// The five commands.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Task {
    Census,
    Discover,
    Plan,
    Apply,
    Verify,
}

/// How values that were encrypted twice are repaired.
#[derive(Clone, Copy, Debug, Deserialize, PartialEq, Eq, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub(crate) enum Repair {
    /// Values that were encrypted twice are opened twice and sealed once
    Unwrap,
    /// Values whose plaintext looks sealed are sealed with that plaintext
    Keep,
}

/// All that can be chosen. The command line gives each command those that are of use to it; a program
/// that gives another one is told so.
#[derive(Debug, Default, Deserialize)]
#[serde(default, deny_unknown_fields)]
#[expect(clippy::struct_excessive_bools, reason = "each is a switch of its own")]
pub(crate) struct Options {
    /// A program calls: nobody can be asked.
    #[serde(skip)]
    pub(crate) is_call: bool,
    /// The path of the manifest.
    pub(crate) manifest: Option<String>,
    /// Or the manifest itself.
    pub(crate) manifest_text: Option<String>,
    /// The URL of the database.
    pub(crate) database: Option<String>,
    /// The caller has a connection.
    pub(crate) connected: bool,
    /// Only these columns, as `table.column`.
    pub(crate) columns: Vec<String>,
    pub(crate) batch: Option<usize>,
    pub(crate) rate: Option<u32>,
    pub(crate) pause_ms: Option<u64>,
    pub(crate) statement_timeout_ms: Option<u64>,
    pub(crate) sample: Option<u32>,
    pub(crate) keys_only: bool,
    pub(crate) dry_run: bool,
    pub(crate) reopen: bool,
    pub(crate) reindex: bool,
    pub(crate) repair: Option<Repair>,
    /// Row ids: the value itself, or a JSON list of the values of a composite one.
    pub(crate) rows: Vec<String>,
    /// Plaintext may be written without a question.
    pub(crate) allow_plaintext: bool,
    pub(crate) max_refused: Option<u64>,
    /// The file of the report of refused values.
    pub(crate) refused: Option<String>,
    /// A file, or `none`.
    pub(crate) checkpoint: Option<String>,
    pub(crate) verify_one_in: Option<u32>,
    pub(crate) max_passes: Option<usize>,
}

impl Options {
    /// What a task is to the core.
    pub(super) fn work(&self, task: Task) -> Outcome<Work> {
        let is_apply = task == Task::Apply;
        let of_apply = [
            ("dry_run", self.dry_run),
            ("reopen", self.reopen),
            ("reindex", self.reindex),
            ("repair", self.repair.is_some()),
            ("rows", !self.rows.is_empty()),
            ("allow_plaintext", self.allow_plaintext),
            ("checkpoint", self.checkpoint.is_some()),
            ("verify_one_in", self.verify_one_in.is_some()),
            ("max_passes", self.max_passes.is_some()),
        ];
        if let Some((name, _)) = of_apply.iter().find(|(_, is_given)| *is_given && !is_apply) {
            return usage(format!("{name} is an option of apply alone"));
        }
        if self.repair.is_none() != self.rows.is_empty() {
            return usage("a repair is of rows that are named, and rows are named for a repair");
        }
        if self.repair.is_some() && (self.reopen || self.reindex) {
            return usage("a repair does nothing else: reopen and reindex in a run of their own");
        }
        Ok(match (task, self.repair) {
            (Task::Census, _) => Work::Census,
            (Task::Discover, _) => Work::Discover,
            (Task::Plan, _) => Work::Plan,
            (Task::Verify, _) => Work::Verify,
            (Task::Apply, Some(Repair::Unwrap)) => Work::Unwrap,
            (Task::Apply, Some(Repair::Keep)) => Work::Keep,
            (Task::Apply, None) if self.reopen => Work::Reopen,
            (Task::Apply, None) => Work::Apply,
        })
    }

    pub(super) fn of_job(&self, mut job: JobOptions) -> Outcome<JobOptions> {
        job.batch_rows = self.batch.unwrap_or(job.batch_rows);
        job.rows_per_second = self.rate;
        job.pause_ms = self.pause_ms.unwrap_or_default();
        job.statement_timeout_ms = self.statement_timeout_ms;
        job.sample_one_in = self.sample;
        job.keys_only = self.keys_only;
        job.dry_run = self.dry_run;
        job.reindex = self.reindex;
        job.max_refused = self.max_refused;
        job.verify_one_in = self.verify_one_in.unwrap_or(job.verify_one_in);
        job.max_passes = self.max_passes.unwrap_or(job.max_passes);
        job.rows = self.row_ids()?;
        Ok(job)
    }

    fn row_ids(&self) -> Outcome<Vec<Vec<Cell>>> {
        self.rows.iter().map(|row| rows::parse(row)).collect()
    }

    /// Whether a column is one of the chosen ones.
    pub(super) fn takes(&self, table: &str, column: &str) -> bool {
        let name = format!("{table}.{column}");
        self.columns.is_empty() || self.columns.contains(&name)
    }

    /// The chosen ones.
    pub(super) fn choose(&self, mut targets: Vec<Target>) -> Outcome<Vec<Target>> {
        let is = |name: &String, target: &Target| {
            *name == format!("{}.{}", target.spec.table, target.spec.column)
        };
        let missing = |name: &&String| !targets.iter().any(|target| is(name, target));
        if let Some(name) = self.columns.iter().find(missing) {
            return usage(format!(
                "the manifest has no column {name:?}: name it table.column"
            ));
        }
        targets.retain(|target| self.takes(&target.spec.table, &target.spec.column));
        let Some(first) = targets.first() else {
            return usage("the manifest has no column: add [[columns]]");
        };
        let table = first.spec.table.clone();
        if self.repair.is_some() && targets.iter().any(|target| target.spec.table != table) {
            return usage("a repair is of rows of one table: choose its columns");
        }
        Ok(targets)
    }

    pub(super) fn has_no_checkpoint(&self) -> bool {
        self.checkpoint.as_deref() == Some(NO_CHECKPOINT)
    }

    pub(super) fn checkpoint_file(&self) -> Option<String> {
        self.checkpoint.clone().filter(|path| path != NO_CHECKPOINT)
    }
}
