//! The loop: batch after batch, pass after pass, until a pass finds nothing to do.

use super::{
    Cell, ColumnReport, Discovered, End, Event, Failure, FailureKind, Finding, JobOptions, Length,
    Report, Step, Target, Work,
    catalog::Shape,
    discover,
    halt::Halt,
    length,
    line::Line,
    prefix, prepare,
    progress::Progress,
    rows::{Proof, Taken, Taker, Tally, row_id},
    session,
    swap::Change,
    walk::{Row, Walk},
};
use crate::{
    codec::{Form, Fresh},
    error::{Error, ErrorCode, Result, fixed},
    random::Entropy,
    time::Timestamp,
};
use alloc::{
    boxed::Box, collections::BTreeMap, string::String, string::ToString, sync::Arc, vec::Vec,
};
use core::cell::RefCell;

/// Rows of the first batch: the size of a row is not known yet.
const FIRST_ROWS: usize = 32;
/// How often a batch is tried again.
const MAX_ATTEMPTS: u32 = 5;
/// The first wait before that, which doubles.
const FIRST_WAIT_MS: u64 = 100;
/// How often a row that changed between read and write is taken again at once.
const MAX_RACES: usize = 3;
/// Batches without a change after which a checkpoint is stored all the same.
const QUIET_BATCHES: u32 = 20;

/// A job on its way.
pub(super) struct Run {
    pub(super) line: Line,
    pub(super) id: String,
    pub(super) work: Work,
    pub(super) targets: Vec<Target>,
    pub(super) options: JobOptions,
    pub(super) entropy: Box<dyn Entropy + Send + Sync>,
    pub(super) started: Timestamp,
    pub(super) walks: Vec<Arc<Walk>>,
    pub(super) progress: Progress,
    /// Of the stored checkpoint; nothing where there is none.
    pub(super) version: Option<i64>,
    pub(super) tally: Tallied,
    /// Beside the counts, by target.
    pub(super) lengths: BTreeMap<usize, Length>,
    pub(super) needed: BTreeMap<usize, usize>,
    pub(super) findings: Vec<(usize, Finding)>,
    pub(super) discovered: Vec<Discovered>,
}

/// What a run remembers, and a checkpoint does not.
#[derive(Debug)]
pub(super) struct Tallied {
    pub(super) is_loaded: bool,
    pub(super) is_lost: bool,
    /// The present pass was begun by an earlier run: what happened before it may be out of date.
    pub(super) is_resumed: bool,
    /// Passes that were begun.
    pub(super) passes: usize,
    pub(super) rows: u64,
    pub(super) resealed: u64,
    /// Rows of the next batch.
    pub(super) limit: usize,
    /// Batches since the last checkpoint.
    pub(super) quiet: u32,
    /// Rows that were resealed since one was chosen to be verified.
    pub(super) unverified: u32,
    /// Values that were chosen to be verified: their columns take turns.
    pub(super) proofs: usize,
}

impl Run {
    pub(super) async fn run(mut self) -> Report {
        let mut attempts = 0;
        let mut is_open = false;
        let end = loop {
            let result = if is_open {
                self.step().await
            } else {
                self.open().await.map(|()| None)
            };
            match result {
                Ok(Some(end)) => break end,
                // Only a batch shows that the database works.
                Ok(None) if is_open => attempts = 0,
                Ok(None) => is_open = true,
                Err(Halt::Failure(failure)) if failure.is_passing() && attempts < MAX_ATTEMPTS => {
                    attempts += 1;
                    self.recover(failure, attempts).await;
                    is_open &= !self.tally.is_lost;
                }
                Err(halt) => {
                    let _undone = self.line.run(Step::Rollback).await;
                    break End::Failed(halt.into());
                }
            }
        };
        self.report(end)
    }

    async fn recover(&mut self, failure: Failure, attempts: u32) {
        self.tally.is_lost |= failure.kind == FailureKind::ConnectionLost;
        if !self.tally.is_lost {
            let undone = self.line.run(Step::Rollback).await;
            self.tally.is_lost = undone.is_err();
        }
        let code = failure.code;
        self.line.tell(Event::Retry { code, attempts }).await;
        let milliseconds = FIRST_WAIT_MS << (attempts - 1);
        let _waited = self.line.run(Step::Sleep { milliseconds }).await;
    }

    /// What a connection needs; and the checkpoint, which is read again after a connection was lost:
    /// the last commit may have come through.
    async fn open(&mut self) -> Result<(), Halt> {
        if self.tally.is_lost {
            self.line.run(Step::Reconnect).await?;
            self.tally.is_lost = false;
        }
        session::open(&self.line, &self.options).await?;
        if self.work == Work::Discover {
            return Ok(());
        }
        if self.walks.is_empty() {
            let (dialect, sample) = (self.options.dialect, self.options.sample_one_in);
            let finds_all = self.work == Work::Plan;
            let prepared =
                prepare::walks(&self.line, dialect, &self.targets, sample, finds_all).await?;
            self.findings = prepared.findings;
            self.walks = prepared.walks.into_iter().map(Arc::new).collect();
        }
        let text = self.load().await?;
        let is_first = !self.tally.is_loaded;
        self.tally.is_loaded = true;
        let stored = text.and_then(|text| Progress::of_json(&text, self.targets.len()));
        match stored {
            Some(progress) if !(is_first && progress.is_finished) => self.progress = progress,
            _ => return Ok(()),
        }
        if is_first {
            self.tally.is_resumed = true;
            let pass = self.progress.passes.len();
            self.line.tell(Event::Resumed { pass }).await;
        }
        Ok(())
    }

    /// One batch, or what comes after the last one.
    async fn step(&mut self) -> Result<Option<End>, Halt> {
        if self.progress.is_finished {
            return Ok(Some(End::Complete));
        }
        if self.line.is_stopped() {
            return self.pause(End::Stopped).await.map(Some);
        }
        let refused = self.progress.refused();
        if self.options.max_refused.is_some_and(|max| refused > max) {
            return self.pause(End::TooManyRefused).await.map(Some);
        }
        if self.work == Work::Discover {
            let dialect = self.options.dialect;
            self.discovered = discover::run(&self.line, dialect, &self.targets).await?;
            return Ok(Some(End::Complete));
        }
        let Some(walk) = self.walks.get(self.progress.walk).cloned() else {
            return self.end_pass().await;
        };
        if !self.is_wanted(&walk) {
            self.progress.end_walk();
            return Ok(None);
        }
        if self.options.keys_only && walk.has_prefixes(&self.targets) {
            self.count_prefixes(&walk).await?;
            return Ok(None);
        }
        if self.work == Work::Plan && self.progress.after.is_none() {
            self.measure(&walk).await?;
        }
        let limit = self.tally.limit.clamp(1, self.options.batch_rows);
        let page = match self.options.rows.as_slice() {
            [] => walk.page(self.progress.after.as_deref(), limit),
            rows => walk.rows_at(rows),
        };
        let rows = rows_of(&walk, self.line.query(page).await?)?;
        let is_last = self.work.is_repair() || rows.len() < limit;
        self.tally.limit = self.next_limit(&rows);
        let read = u64::try_from(rows.len()).unwrap_or(u64::MAX);
        let mut next = self.progress.clone();
        if let Some(row) = rows.last() {
            next.after = Some(row.key.clone());
        }
        if is_last {
            next.end_walk();
        }
        let missing = self.options.rows.len().saturating_sub(rows.len());
        next.miss(&walk, missing);
        let mut raced = self.batch(&walk, rows, next).await?;
        for _ in 0..MAX_RACES {
            if !raced.is_empty() {
                raced = self.take_again(&walk, raced).await?;
            }
        }
        self.tally.rows += read;
        self.tell_progress(&walk).await;
        self.wait().await;
        Ok(None)
    }

    /// Reseals rows and stores how far the job is then, in one transaction. The keys of rows that
    /// changed meanwhile come back; they are counted as left.
    async fn batch(
        &mut self,
        walk: &Arc<Walk>,
        rows: Vec<Row>,
        mut next: Progress,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let mut taken = self.take(walk, rows)?;
        self.tell_refused(walk, &taken).await;
        let has_changes = taken.iter().any(|row| row.change.is_some());
        let is_written = has_changes && !self.is_dry();
        let mut raced = Vec::new();
        if is_written {
            self.line.run(Step::Begin).await?;
            raced = self.swap(walk, &taken).await?;
            taken.retain(|row| !raced.contains(&row.key));
            let verified = self.verify(walk, &taken).await?;
            next.race(walk, raced.len());
            next.verify(&verified);
        }
        let mut resealed = 0;
        for (target, tally) in taken.into_iter().flat_map(|row| row.tallies) {
            resealed += u64::from(matches!(tally, Tally::Resealed(_)));
            if let Some(counts) = next.counts(target) {
                counts.add(tally);
            }
        }
        self.tally.quiet += 1;
        let is_due = self.tally.quiet >= QUIET_BATCHES;
        if is_written {
            self.save(&next).await?;
            self.commit().await?;
        } else if is_due {
            self.save_alone(&next).await?;
        }
        self.progress = next;
        if is_written || is_due {
            self.saved().await?;
        }
        self.tally.resealed += resealed;
        Ok(raced)
    }

    /// Takes rows again that changed between read and write.
    async fn take_again(
        &mut self,
        walk: &Arc<Walk>,
        keys: Vec<Vec<Cell>>,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let rows = rows_of(walk, self.line.query(walk.rows_at(&keys)).await?)?;
        let mut next = self.progress.clone();
        next.unleave(walk, keys.len(), keys.len().saturating_sub(rows.len()));
        self.batch(walk, rows, next).await
    }

    fn take(&mut self, walk: &Walk, rows: Vec<Row>) -> Result<Vec<Taken>> {
        let taker = Taker {
            walk,
            targets: &self.targets,
            work: self.work,
            needed: RefCell::default(),
        };
        let now = now(self.started, &self.line)?;
        let every = self.options.verify_one_in;
        let every = if self.is_dry() { 0 } else { every };
        let mut fresh = Fresh {
            entropy: &mut *self.entropy,
            now,
        };
        let mut done = Vec::with_capacity(rows.len());
        for row in rows {
            let is_due = every > 0 && self.tally.unverified + 1 >= every;
            let proof = is_due.then_some(self.tally.proofs);
            let row = taker.take(row, proof, &mut fresh)?;
            self.tally.unverified += u32::from(row.change.is_some());
            if row.proof.is_some() {
                self.tally.unverified = 0;
                self.tally.proofs = self.tally.proofs.wrapping_add(1);
            }
            done.push(row);
        }
        for (target, length) in taker.needed.into_inner() {
            let longest = self.needed.entry(target).or_default();
            *longest = length.max(*longest);
        }
        Ok(done)
    }

    /// Puts the new values in place; gives the keys of rows that were not as they had been read.
    async fn swap(&self, walk: &Walk, taken: &[Taken]) -> Result<Vec<Vec<Cell>>, Halt> {
        let mut groups: BTreeMap<Vec<usize>, Vec<Change>> = BTreeMap::new();
        for change in taken.iter().filter_map(|row| row.change.as_ref()) {
            let columns = change.swaps.iter().map(|swap| swap.column).collect();
            groups.entry(columns).or_default().push(change.clone());
        }
        let mut raced = Vec::new();
        for changes in groups.values() {
            let mut is_short = false;
            for (statement, rows) in walk.swaps(changes) {
                is_short |= self.line.execute(statement).await? != rows;
            }
            if is_short {
                let keys: Vec<Vec<Cell>> = changes.iter().map(|it| it.key.clone()).collect();
                let now = rows_of(walk, self.line.query(walk.rows_at(&keys)).await?)?;
                let failed = changes.iter().filter(|change| !change.is_in(&now));
                raced.extend(failed.map(|change| change.key.clone()));
            }
        }
        Ok(raced)
    }

    /// Reads some of the new values back, inside their transaction: what is wrong is undone with it.
    /// Gives the targets of the values.
    async fn verify(&self, walk: &Walk, taken: &[Taken]) -> Result<Vec<usize>, Halt> {
        let proofs: Vec<(&Change, &Proof)> = taken
            .iter()
            .filter_map(|row| row.change.as_ref().zip(row.proof.as_ref()))
            .collect();
        if proofs.is_empty() {
            return Ok(Vec::new());
        }
        let keys: Vec<Vec<Cell>> = proofs.iter().map(|(it, _)| it.key.clone()).collect();
        let rows = rows_of(walk, self.line.query(walk.rows_at(&keys)).await?)?;
        let verified = proofs.iter().map(|(change, proof)| {
            let row = rows.iter().find(|row| row.key == change.key)?;
            let column = change.swaps.get(proof.swap)?.column;
            let target = walk.values.get(column)?.target;
            let holds = proof.holds(self.targets.get(target)?, row.values.get(column)?);
            holds.then_some(target)
        });
        verified.collect::<Option<_>>().ok_or_else(|| {
            let message = "a value that was read back is not what was sealed: its batch is undone; \
                           does a trigger, or a character set, change what is stored?";
            fixed(ErrorCode::VerificationFailed, message).into()
        })
    }

    /// After the last walk of a pass.
    async fn end_pass(&mut self) -> Result<Option<End>, Halt> {
        let is_settled = !self.tally.is_resumed && !self.progress.has_changed();
        self.tally.passes += 1;
        let is_repaired = self.work.is_repair() && !self.progress.has_left();
        let end = if self.is_dry() || is_settled || is_repaired {
            End::Complete
        } else if self.work.is_repair() || self.tally.passes >= self.options.max_passes {
            // A repair is not made twice: the second time it would be another one.
            End::Unsettled
        } else {
            self.progress.next_pass(self.targets.len());
            self.progress.is_full = self.tally.is_resumed;
            self.tally.is_resumed = false;
            return Ok(None);
        };
        self.progress.is_finished = true;
        self.pause(end).await.map(Some)
    }

    /// Stores how far the job is, and ends.
    async fn pause(&mut self, end: End) -> Result<End, Halt> {
        if !self.is_dry() {
            self.save_alone(&self.progress.clone()).await?;
            self.saved().await?;
        }
        Ok(end)
    }

    /// Whether the present pass takes a walk: the first takes all of them, and so does one that
    /// comes after a pass of which another run did a part.
    fn is_wanted(&self, walk: &Walk) -> bool {
        self.tally.is_resumed || self.progress.wants(walk)
    }

    /// Whether nothing is written.
    pub(super) const fn is_dry(&self) -> bool {
        self.options.dry_run || !self.work.writes()
    }

    async fn tell_refused(&self, walk: &Walk, taken: &[Taken]) {
        for row in taken {
            for (target, tally) in &row.tallies {
                let (Tally::Refused(code), Some(target)) = (tally, self.targets.get(*target))
                else {
                    continue;
                };
                let refused = Event::Refused {
                    pass: self.progress.passes.len(),
                    table: walk.table.clone(),
                    column: target.spec.column.clone(),
                    row_id: row_id(&row.key),
                    code,
                };
                self.line.tell(refused).await;
            }
        }
    }

    async fn tell_progress(&self, walk: &Walk) {
        let progress = Event::Progress {
            pass: self.progress.passes.len(),
            table: walk.table.clone(),
            rows: self.tally.rows,
            resealed: self.tally.resealed,
        };
        self.line.tell(progress).await;
    }

    async fn wait(&self) {
        let paced = self.options.rows_per_second.map_or(0, |rate| {
            let due = self.tally.rows.saturating_mul(1000) / u64::from(rate.max(1));
            due.saturating_sub(self.line.elapsed_ms())
        });
        let milliseconds = paced.max(self.options.pause_ms);
        if milliseconds > 0 {
            let _waited = self.line.run(Step::Sleep { milliseconds }).await;
        }
    }

    /// As many rows as fit into a batch, going by those of the last one.
    fn next_limit(&self, rows: &[Row]) -> usize {
        let cells = rows
            .iter()
            .flat_map(|row| row.key.iter().chain(&row.values));
        let bytes: usize = cells.map(Cell::bytes).sum();
        let per_row = (bytes / rows.len().max(1)).max(1);
        let grown = rows.len().max(FIRST_ROWS).saturating_mul(4);
        grown.min(self.options.batch_bytes / per_row).max(1)
    }

    /// Counts a walk by keys alone.
    async fn count_prefixes(&mut self, walk: &Walk) -> Result<(), Halt> {
        let mut next = self.progress.clone();
        let mut findings = Vec::new();
        for value in &walk.values {
            let rows = self.line.query(walk.prefixes(value)).await?;
            let target = self.targets.get(value.target);
            let counted = target.zip(next.counts(value.target));
            let counted = counted.and_then(|(target, counts)| prefix::count(target, &rows, counts));
            counted.ok_or_else(of_another_width)?;
            findings.push((value.target, walk.key_index(value)));
        }
        next.end_walk();
        self.findings.extend(findings);
        self.progress = next;
        self.tell_progress(walk).await;
        Ok(())
    }

    /// Measures the values of a walk.
    async fn measure(&mut self, walk: &Walk) -> Result<(), Halt> {
        for value in &walk.values {
            let rows = self.line.query(walk.lengths(value)).await?;
            let Some((longest, bytes)) = length::longest(&rows) else {
                continue;
            };
            let Some(target) = self.targets.get(value.target) else {
                continue;
            };
            let form = match value.shape {
                Shape::Bytes => Form::Binary,
                _ => Form::Text,
            };
            let bound = target.column.sealed_len(bytes, form);
            let length = Length {
                longest,
                needed: 0,
                bound: bound.filter(|_| target.spec.path.is_none()),
                allowed: value.info.max_chars,
                is_sample: self.options.sample_one_in.is_some_and(|one_in| one_in > 1),
            };
            self.lengths.insert(value.target, length);
        }
        Ok(())
    }

    fn report(mut self, end: End) -> Report {
        for (target, length) in &mut self.lengths {
            length.needed = self.needed.get(target).copied().unwrap_or_default();
            let finding = length.finding();
            self.findings
                .extend(finding.map(|finding| (*target, finding)));
        }
        let columns = self.targets.iter().enumerate().map(|(place, target)| {
            let passes = self.progress.passes.iter();
            ColumnReport {
                table: target.spec.table.clone(),
                column: target.spec.column.clone(),
                path: target.spec.path.as_ref().map(ToString::to_string),
                passes: passes.filter_map(|pass| pass.get(place).cloned()).collect(),
                length: self.lengths.get(&place).copied(),
                findings: self
                    .findings
                    .iter()
                    .filter(|(target, _)| *target == place)
                    .map(|(_, finding)| finding.clone())
                    .collect(),
            }
        });
        Report {
            end,
            work: self.work,
            dry_run: self.options.dry_run,
            sample_one_in: self.options.sample_one_in,
            columns: columns.collect(),
            discovered: self.discovered,
        }
    }
}

impl Change {
    /// Whether the new values stand in their row.
    fn is_in(&self, rows: &[Row]) -> bool {
        let row = rows.iter().find(|row| row.key == self.key);
        row.is_some_and(|row| {
            self.swaps.iter().all(|swap| {
                let there = row.values.get(swap.column);
                there.is_some_and(|there| there.is_same(&swap.new))
            })
        })
    }
}

impl Tallied {
    pub(super) const fn new() -> Self {
        Self {
            is_loaded: false,
            is_lost: false,
            is_resumed: false,
            passes: 0,
            rows: 0,
            resealed: 0,
            limit: FIRST_ROWS,
            quiet: 0,
            unverified: 0,
            proofs: 0,
        }
    }
}

fn rows_of(walk: &Walk, rows: Vec<Vec<Cell>>) -> Result<Vec<Row>> {
    let rows = rows.into_iter().map(|cells| walk.row(cells));
    rows.collect::<Option<_>>().ok_or_else(of_another_width)
}

const fn of_another_width() -> Error {
    let message = "the driver gave rows of another width than the statement asks for";
    fixed(ErrorCode::DatabaseError, message)
}

fn now(started: Timestamp, line: &Line) -> Result<Timestamp> {
    let started = u64::try_from(started.unix()).unwrap_or_default();
    Timestamp::from_unix(started.saturating_add(line.elapsed_ms() / 1000))
}
