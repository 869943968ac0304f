//! The loop: batch after batch, pass after pass, until a pass finds nothing to do.

use super::{
    Checkpoint, Discovered, End, Event, Failure, FailureKind, Finding, JobOptions, Length, Report,
    Step, Target, TermCount, Work, ahead::Hand, discover, halt::Halt, line::Line, page::Page,
    prepare, progress::Progress, readers, session::Session, share::Sharing, walk::Walk,
};
use crate::{sorted::SortedMap, time::Timestamp};
use alloc::{string::String, sync::Arc, vec::Vec};
use spin::Mutex;

/// Rows of the first batch: the size of a row is not known yet.
pub(super) const FIRST_ROWS: usize = 32;
/// How often a batch is tried again.
const MAX_ATTEMPTS: u32 = 5;
/// The first wait before that, which doubles.
const FIRST_WAIT_MS: u64 = 100;
/// Batches have no fewer bytes than these because a connection was lost.
const MIN_BATCH_BYTES: usize = 1 << 18;
/// How many times fewer rows a batch has since a statement took too long.
const SMALLER: usize = 4;
/// After how many batches that were in time it has twice as many again.
const TIMELY: u32 = 64;
/// How often a row that changed between read and write is taken again at once.
const MAX_RACES: usize = 3;

/// A job on its way.
pub(super) struct Run {
    pub(super) line: Line,
    pub(super) id: String,
    /// The id of its row among the checkpoints; a range of rows has one of its own.
    pub(super) row: String,
    /// Where several workers do the job.
    pub(super) sharing: Option<Sharing>,
    pub(super) work: Work,
    pub(super) targets: Arc<[Target]>,
    pub(super) options: JobOptions,
    pub(super) hand: Arc<Mutex<Hand>>,
    /// Read before its turn.
    pub(super) page: Option<Page>,
    pub(super) started: Timestamp,
    pub(super) session: Session,
    pub(super) walks: Vec<Arc<Walk>>,
    pub(super) progress: Progress,
    /// Of the stored checkpoint; nothing where there is none.
    pub(super) version: Option<i64>,
    pub(super) tally: Tallied,
    /// Beside the counts, by target.
    pub(super) lengths: SortedMap<usize, Length>,
    pub(super) terms: SortedMap<usize, Vec<TermCount>>,
    pub(super) findings: Vec<(usize, Finding)>,
    pub(super) discovered: Vec<Discovered>,
    pub(super) unread: Vec<String>,
}

/// What a run remembers, and a checkpoint does not.
#[derive(Debug)]
pub(super) struct Tallied {
    pub(super) is_loaded: bool,
    pub(super) is_lost: bool,
    /// The present pass was begun by an earlier run: what happened before it may be out of date.
    pub(super) is_resumed: bool,
    /// How the last pass has ended.
    end: Option<End>,
    /// The pass that an earlier run has begun, and what was refused in it by then.
    pub(super) refused: Option<(usize, u64)>,
    /// Passes that were begun.
    pub(super) passes: usize,
    pub(super) rows: u64,
    pub(super) resealed: u64,
    /// Rows of the next batch.
    pub(super) limit: usize,
    /// How many there was time for, since a statement took too long.
    pub(super) most: usize,
    /// Batches that were in time since then, or since there may be more rows again.
    timely: u32,
    /// Batches since the last checkpoint.
    pub(super) quiet: u32,
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
                Ok(None) if is_open => {
                    attempts = 0;
                    self.tally.had_time();
                }
                Ok(None) => is_open = true,
                Err(Halt::Failure(failure))
                    if attempts < MAX_ATTEMPTS
                        && (failure.is_passing()
                            || is_open && self.is_quicker_in_parts(&failure)) =>
                {
                    attempts += 1;
                    self.recover(failure, attempts).await;
                    is_open &= !self.tally.is_lost;
                }
                Err(halt) => {
                    let _undone = self.line.run(Step::Rollback).await;
                    let end = End::Failed(halt.into());
                    let _freed = self.put_back(&end).await;
                    break end;
                }
            }
        };
        self.gather().await;
        core::mem::take(&mut self.session).close(&self.line).await;
        self.report(end)
    }

    /// Whether a statement that took too long may be quick enough with fewer rows.
    fn is_quicker_in_parts(&self, failure: &Failure) -> bool {
        let is_slow = failure.kind == FailureKind::StatementTimeout;
        let is_in_batches = !self.options.keys_only && !self.work.is_repair();
        is_slow && is_in_batches && self.most_rows() > 1 && self.work != Work::Discover
    }

    /// How many rows a batch may have.
    pub(super) fn most_rows(&self) -> usize {
        self.options.batch_rows.min(self.tally.most)
    }

    async fn recover(&mut self, failure: Failure, attempts: u32) {
        self.line.offer(None);
        self.page = None;
        if failure.kind == FailureKind::StatementTimeout {
            let rows = self.tally.limit.min(self.most_rows());
            self.tally.most = (rows / SMALLER).max(1);
            self.tally.timely = 0;
        }
        if failure.kind == FailureKind::ConnectionLost {
            self.tally.is_lost = true;
            // A server may end it since it was told more at once than it takes.
            let bytes = self.options.batch_bytes;
            self.options.batch_bytes = (bytes / 2).max(MIN_BATCH_BYTES.min(bytes));
            self.tally.limit = (self.tally.limit / 2).max(1);
        }
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
        self.session.open(&self.line, &self.options).await?;
        if self.work == Work::Discover {
            return Ok(());
        }
        if self.walks.is_empty() {
            let (options, targets) = (&self.options, &self.targets);
            let prepared = prepare::walks(&self.line, options, targets, self.work).await?;
            self.findings = prepared.findings;
            if self.work == Work::Plan {
                let blind = targets.iter().enumerate();
                let blind = blind.filter_map(|(at, it)| Some((at, readers::finding(it)?)));
                self.findings.extend(blind);
            }
            let walks: Vec<Arc<Walk>> = prepared.walks.into_iter().map(Arc::new).collect();
            let id = self.id_here().await?;
            self.tell_extents(&walks).await?;
            self.walks = walks;
            self.row.clone_from(&id);
            self.id = id;
        }
        if self.sharing.is_some() {
            return self.join().await;
        }
        let before = self.version;
        let text = self.load().await?;
        let is_first = !self.tally.is_loaded;
        self.tally.is_loaded = true;
        // A table goes back with the values where a failover has lost commits; nothing else does.
        self.tally.is_resumed |= !is_first && self.options.checkpoint != Checkpoint::Table;
        let stored = text.and_then(|text| Progress::of_json(&text, self.targets.len()));
        // One of another width is of no row, whoever has written it.
        let stored = stored.filter(|progress| {
            let walk = self.walks.get(progress.walk);
            let key = progress.after.as_ref();
            key.is_none_or(|key| walk.is_some_and(|walk| walk.keys.len() == key.len()))
        });
        match stored {
            // What an earlier run has finished begins anew.
            Some(progress) if is_first && progress.is_finished => return Ok(()),
            // Nothing was stored since: what this run has done without a change is still done.
            Some(_) if !is_first && self.version == before => return Ok(()),
            Some(progress) => self.progress = progress,
            None => {
                if before.is_some() && self.version.is_none() {
                    // Somebody took it away, and what it counted may be gone with it.
                    self.progress = Progress::begun(&self.targets);
                }
                return Ok(());
            }
        }
        if self.progress.lacks_terms(&self.targets) {
            self.look_at_terms();
        }
        if is_first {
            self.tally.is_resumed = true;
            let pass = self.progress.passes.len();
            self.tally.refused = Some((pass, self.progress.refused(0)));
            let walks = self.walks.iter().map(|walk| &**walk);
            let rows = self.progress.rows(walks, &self.targets);
            self.line.tell(Event::Resumed { pass, rows }).await;
        }
        Ok(())
    }

    /// From now on terms are looked at, as if that was asked for.
    pub(super) fn look_at_terms(&mut self) {
        for walk in &mut self.walks {
            Arc::make_mut(walk).reads_terms = true;
        }
    }

    /// One batch, or what comes after the last one.
    async fn step(&mut self) -> Result<Option<End>, Halt> {
        if self.progress.is_finished {
            // The answer to the commit of this was lost.
            return Ok(Some(self.tally.end.take().unwrap_or(End::Complete)));
        }
        if self.sharing.is_some() {
            return self.worker_step().await;
        }
        if self.line.is_stopped() {
            return self.pause(End::Stopped).await.map(Some);
        }
        if self.has_refused_too_many() {
            return self.pause(End::TooManyRefused).await.map(Some);
        }
        if self.work == Work::Discover {
            let dialect = self.options.dialect;
            (self.discovered, self.unread) =
                discover::run(&self.line, dialect, &self.targets).await?;
            return Ok(Some(End::Complete));
        }
        let Some(walk) = self.walks.get(self.progress.walk).cloned() else {
            return self.end_pass().await;
        };
        if !self.is_wanted(&walk) {
            self.progress.end_walk();
            return Ok(None);
        }
        if self.work == Work::Census && self.progress.after.is_none() {
            self.count_terms(&walk).await?;
        }
        if self.options.keys_only && walk.has_prefixes(&self.targets) {
            self.count_prefixes(&walk).await?;
            return Ok(None);
        }
        if self.work == Work::Plan && self.progress.after.is_none() {
            self.measure(&walk).await?;
        }
        let page = self.turn(&walk).await?;
        let mut next = self.progress.clone();
        if page.last.is_some() {
            next.after.clone_from(&page.last);
        }
        if page.is_last {
            next.end_walk();
        }
        let missing = self.options.rows.len().saturating_sub(page.rows);
        next.miss(&walk, missing);
        self.take(&walk, page, next).await?;
        self.tell_progress(&walk).await;
        self.wait().await?;
        Ok(None)
    }

    /// Works on the rows of a page; `next` is how far the job is then.
    pub(super) async fn take(
        &mut self,
        walk: &Arc<Walk>,
        page: Page,
        next: Progress,
    ) -> Result<(), Halt> {
        let mut raced = self.batch(walk, page.work.finish()?, next, false).await?;
        let mut round = 1;
        while !raced.is_empty() && round <= MAX_RACES {
            let refused = self.progress.refused(0);
            raced = self.take_again(walk, raced, round == MAX_RACES).await?;
            // Where a row was refused, others may have been undone with it.
            round += usize::from(self.progress.refused(0) == refused);
        }
        self.tally.rows += u64::try_from(page.rows).unwrap_or(u64::MAX);
        Ok(())
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
        self.tally.end = Some(end.clone());
        let mut next = self.progress.clone();
        next.is_finished = true;
        self.store_and_end(next, end).await.map(Some)
    }

    /// Stores how far the job is, and ends.
    async fn pause(&mut self, end: End) -> Result<End, Halt> {
        self.store_and_end(self.progress.clone(), end).await
    }

    /// What could not be stored is not so yet: it is tried again, and has the same end.
    async fn store_and_end(&mut self, next: Progress, end: End) -> Result<End, Halt> {
        self.save_alone(&next).await?;
        self.progress = next;
        self.saved().await?;
        Ok(end)
    }

    /// Whether the present pass takes a walk: the first takes all of them, and so does one that
    /// comes after a pass of which another run did a part.
    fn is_wanted(&self, walk: &Walk) -> bool {
        self.tally.is_resumed || self.progress.wants(walk)
    }

    /// Whether more values are refused than may be. Those at which earlier runs have stopped do not count, also when
    /// a later pass comes to them again: otherwise nobody could go on with the same limit.
    pub(super) fn has_refused_too_many(&self) -> bool {
        let sharing = self.sharing.as_ref();
        let all = sharing.map_or(&self.progress, |it| &it.shared.progress);
        let earlier = match self.tally.refused {
            Some((pass, refused)) if pass == self.pass() => refused,
            Some(_) => all.refused(1),
            None => 0,
        };
        let others = sharing.map_or(0, |it| it.refused);
        let refused = (self.progress.refused(0) + others).saturating_sub(earlier);
        self.options.max_refused.is_some_and(|max| refused > max)
    }

    /// Whether nothing is written.
    pub(super) const fn is_dry(&self) -> bool {
        self.options.dry_run || !self.work.writes()
    }
}

impl Tallied {
    /// What made a statement slow may have gone: after a while there are more rows in a batch again.
    fn had_time(&mut self) {
        self.timely = self.timely.saturating_add(1);
        if self.timely == TIMELY {
            self.timely = 0;
            self.most = self.most.saturating_mul(2);
        }
    }

    pub(super) const fn new() -> Self {
        Self {
            is_loaded: false,
            is_lost: false,
            is_resumed: false,
            end: None,
            refused: None,
            passes: 0,
            rows: 0,
            resealed: 0,
            limit: FIRST_ROWS,
            most: usize::MAX,
            timely: 0,
            quiet: 0,
        }
    }
}
