//! What the commands take, from the command line or from a program.

use reseal::OsEntropy;
use reseal::job::{Cell, JobOptions, Share, Target, Work};
use serde::Deserialize;

use super::rows;
use crate::failure::{Outcome, usage};

/// Seconds after which a worker is taken for dead that says nothing. `InnoDB` waits 50 for a lock.
pub(crate) const WORKER_LEASE: u32 = 60;

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
    /// Other runs, on this machine or another one, do the same job.
    pub(crate) share: bool,
    /// Seconds after which a worker is taken for dead.
    pub(crate) worker_lease: Option<u32>,
    /// Processes on this machine.
    #[serde(skip)]
    pub(crate) jobs: Option<usize>,
    /// The run that this process was started for.
    #[serde(skip)]
    pub(crate) worker: Option<String>,
    /// Of retire: the codec or the key.
    pub(crate) target: Option<String>,
    /// Of retire: without a wait.
    pub(crate) early: bool,
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
            ("share", self.share),
            ("worker_lease", self.worker_lease.is_some()),
        ];
        if let Some((name, _)) = of_apply.iter().find(|(_, is_given)| *is_given && !is_apply) {
            return usage(format!("{name} is an option of apply alone"));
        }
        if self.target.is_some() || self.early {
            return usage("target and early are options of retire alone");
        }
        if self.repair.is_none() != self.rows.is_empty() {
            return usage("a repair is of rows that are named, and rows are named for a repair");
        }
        if self.repair.is_some() && (self.reopen || self.reindex) {
            return usage("a repair does nothing else: reopen and reindex in a run of their own");
        }
        let is_shared = self.share || self.jobs.is_some() || self.worker.is_some();
        if self.worker_lease.is_some() && !is_shared {
            let how = if self.is_call {
                "add share"
            } else {
                "give --share or --jobs"
            };
            return usage(format!(
                "a worker lease is of a job that several share: {how}"
            ));
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

    /// What retire is to retire. It looks at all that is there.
    pub(crate) fn take_target(&mut self) -> Outcome<(String, bool)> {
        let (target, early) = (self.target.take(), core::mem::take(&mut self.early));
        self.work(Task::Verify)?;
        let of_others = [
            ("columns", !self.columns.is_empty()),
            ("sample", self.sample.is_some()),
            ("keys_only", self.keys_only),
            ("max_refused", self.max_refused.is_some()),
            ("refused", self.refused.is_some()),
        ];
        if let Some((name, _)) = of_others.iter().find(|(_, is_given)| *is_given) {
            return usage(format!(
                "{name} is no option of retire, which looks at all that is there"
            ));
        }
        match target {
            Some(target) => Ok((target, early)),
            None => usage("retire takes the name of a codec, or the id of a key"),
        }
    }

    pub(crate) fn of_job(&self, mut job: JobOptions) -> Outcome<JobOptions> {
        job.batch_rows = self.batch.unwrap_or(job.batch_rows);
        job.rows_per_second = self.rate_of_one();
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
        job.share = self.shared()?;
        Ok(job)
    }

    /// How the job is shared, if it is.
    fn shared(&self) -> Outcome<Option<Share>> {
        let lease_ms = u64::from(self.worker_lease.unwrap_or(WORKER_LEASE)).saturating_mul(1000);
        Ok(match &self.worker {
            Some(run) => Some(Share {
                run: run.clone(),
                lease_ms,
                leads: false,
            }),
            None if self.share || self.jobs.is_some() => {
                Some(Share::new(lease_ms, &mut OsEntropy)?)
            }
            None => None,
        })
    }

    /// The part of one process of the rows in a second.
    fn rate_of_one(&self) -> Option<u32> {
        let rate = self.rate?;
        let jobs = u32::try_from(self.jobs.unwrap_or(1)).unwrap_or(u32::MAX);
        // None at all is refused later.
        Some(rate.div_ceil(jobs.max(1)))
    }

    /// The command line of another process that joins a run of this job. What writes plaintext was
    /// allowed before.
    pub(super) fn of_worker(&self, run: &str, is_json: bool) -> Vec<String> {
        let mut line = vec!["apply".to_owned(), "--yes".to_owned()];
        line.extend(is_json.then(|| "--json".to_owned()));
        let mut add = |name: &str, value: Option<String>| {
            line.extend(value.map(|value| format!("--{name}={value}")));
        };
        add("worker", Some(run.to_owned()));
        add("manifest", self.manifest.clone());
        for column in &self.columns {
            add("column", Some(column.clone()));
        }
        add("batch", text(self.batch));
        add("rate", text(self.rate_of_one()));
        add("pause", text(self.pause_ms));
        add("statement-timeout", text(self.statement_timeout_ms));
        add("max-refused", text(self.max_refused));
        add("refused", self.refused.clone());
        add("verify-one-in", text(self.verify_one_in));
        add("max-passes", text(self.max_passes));
        add("worker-lease", text(self.worker_lease));
        for (name, is_given) in [("--reopen", self.reopen), ("--reindex", self.reindex)] {
            line.extend(is_given.then(|| name.to_owned()));
        }
        line
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

fn text(value: Option<impl ToString>) -> Option<String> {
    value.map(|value| value.to_string())
}
