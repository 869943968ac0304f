//! What several workers of one job keep in the table of checkpoints: a row of the job, from which ranges of
//! keys are dealt out, and a row of each range that is being worked on.

use super::{
    Cell, Counts, JobOptions, Share, Target,
    progress::{Progress, key_of_value, key_to_value},
    setup::{facts, keys, setup},
    walk::Walk,
};
use crate::{codec::Fresh, error::Result, ids::KeyId, random::Entropy, time::Timestamp};
use alloc::{
    collections::BTreeMap,
    format,
    string::{String, ToString},
    vec::Vec,
};
use data_encoding::HEXLOWER;
use serde_json::{Value, json};

/// Bytes of the name of a worker.
const NAME_BYTES: usize = 16;
/// Runs whose names are remembered.
const MAX_RUNS: usize = 100;

/// The row of a job that is shared: what was dealt out, and what is done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Shared {
    /// The counts of the ranges that are done; `walk` and `after` are how far was dealt.
    pub(super) progress: Progress,
    /// The runs that have joined.
    runs: Vec<String>,
    /// Those whose workers are to end.
    stopped: Vec<String>,
    /// Ranges that were dealt out.
    pub(super) dealt: u64,
    /// Those that are not done.
    pub(super) open: Vec<u64>,
    /// Rows that were read in the ranges that are done.
    pub(super) rows: u64,
    /// Whether a part of the present pass was read by an earlier run, and may be out of date.
    pub(super) is_interrupted: bool,
    /// Passes that have ended since a run joined.
    pub(super) tried: usize,
    /// Whether the job ended although the last pass found something to do.
    pub(super) is_unsettled: bool,
    /// What the workers of the run that joined last seal with: those who have other keys, or another manifest, may
    /// not go on, as they would take for done what is not.
    setup: String,
    /// The ids of the keys that they seal under.
    keys: Vec<String>,
    /// By target, what shows keys that have no ids.
    canaries: Vec<String>,
    /// The document of the job that had ended when this one was begun, for those of its workers who have not heard of
    /// its end.
    ended: Option<String>,
}

/// Rows with neighbouring keys, which one worker at a time works on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Range {
    pub(super) number: u64,
    /// The pass, counted from 1.
    pub(super) pass: usize,
    /// The key of the last row; nothing where the walk ends with it.
    pub(super) until: Option<Vec<Cell>>,
    /// Who works on it; nothing where he has put it back.
    pub(super) worker: Option<String>,
    /// Rows that were read.
    pub(super) rows: u64,
}

/// What one worker knows.
#[derive(Debug)]
pub(super) struct Sharing {
    pub(super) share: Share,
    /// The name of this worker: that of its run, and one of its own.
    pub(super) worker: String,
    pub(super) shared: Shared,
    /// The job has ended, and nobody knows how any more.
    pub(super) is_forgotten: bool,
    /// What this worker seals with.
    pub(super) setup: String,
    /// The ids of the keys that it seals under.
    keys: Vec<String>,
    /// Those of its own, or of others that have the same keys.
    canaries: Vec<String>,
    /// Of the stored row of the job.
    pub(super) version: Option<i64>,
    pub(super) range: Option<Range>,
    /// Whether all rows of the range are read.
    pub(super) is_read: bool,
    /// The versions of the ranges of others, and since when they have not moved.
    pub(super) seen: BTreeMap<u64, (i64, u64)>,
    /// When the row of the range was stored last.
    pub(super) saved_ms: u64,
    /// When the others were looked at last, and the rows and resealed values of all but the own range.
    pub(super) looked_ms: u64,
    pub(super) rows: u64,
    pub(super) resealed: u64,
    /// What was refused in the present pass, but for the own range.
    pub(super) refused: u64,
    /// The version of the row of the job at which rows of ranges were missing.
    pub(super) missing_at: Option<i64>,
    /// Rows that had been read before this run came.
    pub(super) before: u64,
}

impl Sharing {
    /// A worker, where the job is shared.
    pub(super) fn of(
        options: &JobOptions,
        targets: &[Target],
        entropy: &mut dyn Entropy,
        now: Timestamp,
    ) -> Result<Option<Self>> {
        let Some(share) = options.share.clone() else {
            return Ok(None);
        };
        let mut name = [0; NAME_BYTES];
        entropy.fill(&mut name)?;
        let name = HEXLOWER.encode(&name);
        let mut fresh = Fresh { entropy, now };
        let canary = |it: &Target| it.column.canary(&facts(it), &mut fresh);
        Ok(Some(Self {
            worker: format!("{}/{name}", share.run),
            share,
            shared: Shared::new(targets.len()),
            is_forgotten: false,
            setup: setup(options, targets),
            keys: keys(targets),
            canaries: targets.iter().map(canary).collect(),
            version: None,
            range: None,
            is_read: false,
            seen: BTreeMap::new(),
            saved_ms: 0,
            looked_ms: 0,
            rows: 0,
            resealed: 0,
            refused: 0,
            missing_at: None,
            before: 0,
        }))
    }
}

impl Shared {
    /// A job that nobody has begun.
    pub(super) fn new(targets: usize) -> Self {
        Self::of(Progress::new(targets))
    }

    /// One that was begun without other workers.
    pub(super) fn of(progress: Progress) -> Self {
        Self {
            progress,
            runs: Vec::new(),
            stopped: Vec::new(),
            dealt: 0,
            open: Vec::new(),
            rows: 0,
            is_interrupted: false,
            tried: 0,
            is_unsettled: false,
            setup: String::new(),
            keys: Vec::new(),
            canaries: Vec::new(),
            ended: None,
        }
    }

    /// One that begins where another one has ended.
    pub(super) fn after(mut self, targets: usize) -> Self {
        self.ended = None;
        Self {
            ended: Some(self.to_json()),
            ..Self::new(targets)
        }
    }

    /// The job that had ended before, where a run was of that one.
    pub(super) fn ended_of(&self, run: &str, targets: usize) -> Option<Self> {
        let ended = Self::of_json(self.ended.as_deref()?, targets)?;
        Some(ended).filter(|ended| ended.knows(run))
    }

    /// Whether this run has joined.
    pub(super) fn knows(&self, run: &str) -> bool {
        self.runs.iter().any(|known| known == run)
    }

    /// A run joins. What was read of the present pass before may be out of date.
    pub(super) fn join(&mut self, by: &Sharing) {
        self.setup.clone_from(&by.setup);
        self.keys.clone_from(&by.keys);
        self.canaries.clone_from(&by.canaries);
        self.is_interrupted |= self.dealt > 0 || self.progress.after.is_some();
        self.tried = 0;
        remember(&mut self.runs, &by.share.run);
    }

    /// The workers of a run are to end.
    pub(super) fn stop(&mut self, run: &str) {
        remember(&mut self.stopped, run);
    }

    /// Whether they are.
    pub(super) fn has_stopped(&self, run: &str) -> bool {
        self.stopped.iter().any(|known| known == run)
    }

    /// A range is done.
    pub(super) fn close(&mut self, range: &Range, counts: &Progress) {
        self.open.retain(|number| *number != range.number);
        self.add(range, counts);
    }

    /// Adds the counts of a range.
    pub(super) fn add(&mut self, range: &Range, counts: &Progress) {
        self.rows = self.rows.saturating_add(range.rows);
        let pass = self.progress.passes.last_mut().into_iter().flatten();
        let more = counts.passes.last().into_iter().flatten();
        pass.zip(more).for_each(|(pass, more)| pass.merge(more));
    }

    pub(super) fn to_json(&self) -> String {
        let more = json!({
            "runs": self.runs, "stopped": self.stopped, "dealt": self.dealt, "open": self.open, "rows": self.rows,
            "interrupted": self.is_interrupted, "tried": self.tried,
            "unsettled": self.is_unsettled, "setup": self.setup, "keys": self.keys, "canaries": self.canaries,
            "ended": self.ended,
        });
        self.progress.to_json_with("shared", more)
    }

    /// What a document says; nothing where it is of another release, or of another job.
    pub(super) fn of_json(text: &str, targets: usize) -> Option<Self> {
        let document: Value = serde_json::from_str(text).ok()?;
        let progress = Progress::of_value(&document, targets)?;
        let Some(shared) = document.get("shared") else {
            // Another run did it alone; what it does from now on is refused.
            let is_interrupted = !progress.is_finished;
            let pass = progress.passes.last().into_iter().flatten();
            let rows = pass.map(|counts| counts.scanned).max().unwrap_or_default();
            return Some(Self {
                rows,
                is_interrupted,
                ..Self::of(progress)
            });
        };
        let number = |name: &str| shared.get(name)?.as_u64();
        let flag = |name: &str| shared.get(name)?.as_bool();
        let list = |name: &str| shared.get(name)?.as_array();
        let names = |name: &str| -> Option<Vec<String>> {
            let names = list(name)?.iter();
            names.map(|it| it.as_str().map(String::from)).collect()
        };
        let open = list("open")?.iter();
        // An earlier release kept neither keys nor canaries.
        let mut canaries = names("canaries").unwrap_or_default();
        canaries.resize(targets, String::new());
        Some(Self {
            progress,
            runs: names("runs")?,
            stopped: names("stopped")?,
            dealt: number("dealt")?,
            open: open.map(Value::as_u64).collect::<Option<_>>()?,
            rows: number("rows")?,
            is_interrupted: flag("interrupted")?,
            tried: usize::try_from(number("tried")?).ok()?,
            is_unsettled: flag("unsettled")?,
            setup: shared.get("setup")?.as_str()?.into(),
            keys: names("keys").unwrap_or_default(),
            canaries,
            ended: shared
                .get("ended")
                .and_then(Value::as_str)
                .map(String::from),
        })
    }
}

impl Range {
    /// Whether its keys are of a walk.
    pub(super) fn is_of(&self, walk: &Walk, progress: &Progress) -> bool {
        let mut keys = self.until.iter().chain(&progress.after);
        keys.all(|key| key.len() == walk.keys.len())
    }

    /// The id of its row.
    pub(super) fn row(&self, job: &str) -> String {
        row(job, self.number)
    }

    /// Its row, with what is counted in it.
    pub(super) fn to_json(&self, progress: &Progress) -> String {
        let more = json!({
            "number": self.number, "pass": self.pass, "worker": self.worker, "rows": self.rows,
            "until": self.until.as_deref().map(key_to_value),
        });
        progress.to_json_with("range", more)
    }

    /// What a row says, and what is counted in it.
    pub(super) fn of_json(text: &str, targets: usize) -> Option<(Self, Progress)> {
        let document: Value = serde_json::from_str(text).ok()?;
        let progress = Progress::of_value(&document, targets)?;
        if progress.is_finished || progress.passes.len() != 1 {
            return None;
        }
        let range = document.get("range")?;
        let number = |name: &str| range.get(name)?.as_u64();
        let range = Self {
            number: number("number")?,
            pass: usize::try_from(number("pass")?).ok()?,
            until: match range.get("until")? {
                Value::Null => None,
                key => Some(key_of_value(key)?),
            },
            worker: range.get("worker")?.as_str().map(String::from),
            rows: number("rows")?,
        };
        Some((range, progress))
    }
}

impl Sharing {
    /// Whether a run has joined that seals with something else.
    pub(super) fn is_outdated(&mut self, targets: &[Target]) -> bool {
        let shared = &self.shared;
        if !shared.knows(&self.share.run) {
            return false;
        }
        let mut all = targets.iter().zip(&shared.canaries).zip(&self.canaries);
        let is_same = all.all(|((target, canary), own)| {
            canary == own || target.column.knows(canary, &facts(target), true)
        });
        if is_same {
            self.canaries.clone_from(&shared.canaries);
        }
        !is_same || shared.setup != self.setup
    }

    /// Whether the workers of the job seal under a key that has never sealed here: it was promoted elsewhere, and
    /// what this worker seals under is older.
    pub(super) fn is_behind(&self, targets: &[Target]) -> bool {
        let has_sealed = |key: &String| {
            let id = KeyId::parse(key);
            id.is_ok_and(|id| targets.iter().any(|it| it.column.has_sealed(id)))
        };
        let mut canaries = targets.iter().zip(&self.shared.canaries);
        let knows = |(it, canary): (&Target, &String)| {
            canary.is_empty() || it.column.knows(canary, &facts(it), false)
        };
        !self.shared.keys.iter().all(has_sealed) || !canaries.all(knows)
    }
}

fn remember(names: &mut Vec<String>, name: &str) {
    names.push(name.to_string());
    if names.len() > MAX_RUNS {
        names.remove(0);
    }
}

/// The id of the row of a range.
pub(super) fn row(job: &str, number: u64) -> String {
    format!("{job}#{number}")
}

/// All that was resealed.
pub(super) fn resealed(progress: &Progress) -> u64 {
    let counts = progress.passes.iter().flatten();
    counts.map(Counts::resealed).sum()
}
