//! One of several workers of a job: it leases a range of rows, works on it as a job does on all of them, and
//! takes the next.
//!
//! The row of a range is stored with each of its batches, by compare-and-swap: who lost his lease meanwhile
//! writes nothing. Nobody compares clocks: a lease has run out when its row did not move for so long before
//! the eyes of another worker.

use super::{
    End, Event, FailureKind, Step,
    apply::Run,
    batch::check_key,
    halt::Halt,
    keep::conflict,
    progress::Progress,
    share::{self, Range, Shared, Sharing},
    store,
    walk::Walk,
};
use crate::error::{Error, ErrorCode, Result, fixed};
use alloc::{format, string::String, sync::Arc, vec::Vec};

/// Batches of a range, if they are as large as they may be.
const RANGE_BATCHES: usize = 8;
/// How long a worker waits that has nothing to do, and how often the others are looked at.
const WAIT_MS: u64 = 200;
/// How often the counts of a job are looked at that changes meanwhile.
const MAX_LOOKS: usize = 5;
pub(super) const LOOK_MS: u64 = 1_000;

/// A range that is not done, with what is counted in it and the version of its row.
type Found = (Range, Progress, i64);

impl Run {
    /// A connection is there: the job is looked at, and the range that this worker has.
    pub(super) async fn join(&mut self) -> Result<(), Halt> {
        self.have_table().await?;
        if !self.tally.is_loaded {
            return self.enter().await;
        }
        let ranges = self.look().await?;
        let Some(sharing) = &self.sharing else {
            return Ok(());
        };
        if let Some(range) = &sharing.range {
            // The last commit may have come through, and the lease may be gone.
            let number = range.number;
            let is_mine = |found: &&Found| {
                let (range, ..) = found;
                range.number == number && range.worker.as_ref() == Some(&sharing.worker)
            };
            match ranges.iter().find(is_mine).cloned() {
                Some(found) => self.hold(found),
                None => self.leave_range(),
            }
        }
        Ok(())
    }

    /// Stores that this run has come, where another worker of it did not.
    async fn enter(&mut self) -> Result<(), Halt> {
        loop {
            self.look().await?;
            let Some(sharing) = &mut self.sharing else {
                return Ok(());
            };
            sharing.before = sharing.rows;
            let (run, mut next) = (&sharing.share.run, sharing.shared.clone());
            if next.knows(run) {
                break;
            }
            if sharing.is_behind(&self.targets) {
                return Err(behind(&self.id).into());
            }
            next.join(sharing);
            let _are_looked_at = next.progress.lacks_terms(&self.targets);
            self.line.run(Step::Begin).await?;
            if !self.put(&next).await? {
                self.line.run(Step::Rollback).await?;
                continue;
            }
            let pass = next.progress.passes.len();
            let rows = (pass == 1).then_some(next.rows);
            let is_begun = next.is_interrupted || pass > 1;
            self.commit_shared(next).await?;
            if is_begun {
                self.line.tell(Event::Resumed { pass, rows }).await;
            }
            break;
        }
        self.tally.is_loaded = true;
        let sharing = self.sharing.as_mut();
        if sharing.is_some_and(|it| it.shared.progress.lacks_terms(&self.targets)) {
            self.look_at_terms();
        }
        let pass = self.pass();
        let sharing = self.sharing.as_ref();
        let begun = sharing.filter(|it| it.shared.is_interrupted || pass > 1);
        self.tally.refused = begun.map(|it| (pass, it.refused));
        Ok(())
    }

    /// One batch of a range, or what comes between two of them.
    pub(super) async fn worker_step(&mut self) -> Result<Option<End>, Halt> {
        let end = if self.is_outdated() {
            Some(End::Failed(outdated()))
        } else {
            self.ends_early()
        };
        if let Some(end) = end {
            self.put_back(&end).await?;
            return Ok(Some(end));
        }
        let range = self.sharing.as_ref().map(|it| (&it.range, it.is_read));
        let done = match range {
            Some((Some(_), true)) => self.close_range().await.map(|()| None),
            Some((Some(_), false)) => self.read_range().await.map(|()| None),
            _ => self.next_range().await,
        };
        match done {
            Err(Halt::Error(error)) if error.code() == ErrorCode::JobConflict => {
                // Another worker was quicker, or has the range now.
                self.line.run(Step::Rollback).await?;
                self.leave_range();
                Ok(None)
            }
            done => done,
        }
    }

    fn is_outdated(&mut self) -> bool {
        let sharing = self.sharing.as_mut();
        sharing.is_some_and(|it| it.is_outdated(&self.targets))
    }

    pub(super) fn ends_early(&self) -> Option<End> {
        if self.line.is_stopped() {
            return Some(End::Stopped);
        }
        let sharing = self.sharing.as_ref()?;
        if sharing.shared.has_stopped(&sharing.share.run) {
            return Some(End::Stopped);
        }
        self.has_refused_too_many().then_some(End::TooManyRefused)
    }

    /// One batch.
    async fn read_range(&mut self) -> Result<(), Halt> {
        let Some(walk) = self.walks.get(self.progress.walk).cloned() else {
            // Another configuration dealt it: no column of this job is there.
            return Err(conflict().into());
        };
        let page = self.turn(&walk).await?;
        let mut next = self.progress.clone();
        if page.last.is_some() {
            next.after.clone_from(&page.last);
        }
        let is_last = page.is_last;
        let rows = u64::try_from(page.rows).unwrap_or(u64::MAX);
        self.take(&walk, page, next).await?;
        if let Some(sharing) = &mut self.sharing {
            sharing.is_read = is_last;
            if let Some(range) = &mut sharing.range {
                range.rows = range.rows.saturating_add(rows);
            }
        }
        self.glance().await?;
        self.tell_progress(&walk).await;
        self.wait().await
    }

    /// The range is done: its counts go to the job.
    async fn close_range(&mut self) -> Result<(), Halt> {
        self.look().await?;
        let Some(sharing) = &self.sharing else {
            return Ok(());
        };
        let (Some(range), Some(version)) = (&sharing.range, self.version) else {
            return Ok(());
        };
        let mut next = sharing.shared.clone();
        if next.progress.is_finished || !next.open.contains(&range.number) {
            return Err(conflict().into());
        }
        next.close(range, &self.progress);
        self.line.run(Step::Begin).await?;
        if !self.put(&next).await? {
            // Another range was dealt or done at the same time: once more.
            return Ok(self.line.run(Step::Rollback).await?);
        }
        let row = range.row(&self.id);
        let gone = store::delete(self.options.dialect, &row, version);
        match self.line.execute(gone).await {
            Ok(1) => {}
            Ok(_) => return Err(conflict().into()),
            Err(failure) if failure.kind == FailureKind::PermissionDenied => {
                return Err(may_not_delete(&failure.code).into());
            }
            Err(failure) => return Err(failure.into()),
        }
        self.commit_shared(next).await?;
        self.leave_range();
        Ok(())
    }

    /// A range that nobody has, the next one that is dealt out, or the next pass.
    async fn next_range(&mut self) -> Result<Option<End>, Halt> {
        let ranges = self.look().await?;
        if self.is_outdated() {
            return Ok(None);
        }
        let Some(sharing) = &self.sharing else {
            return Ok(None);
        };
        let shared = &sharing.shared;
        if shared.progress.is_finished {
            let end = if sharing.is_forgotten {
                End::Failed(forgotten())
            } else if shared.is_unsettled {
                End::Unsettled
            } else {
                End::Complete
            };
            return Ok(Some(end));
        }
        let missing = shared.open.len().saturating_sub(ranges.len());
        let now = self.line.elapsed_ms();
        if let Some(free) = ranges.into_iter().find(|found| sharing.is_free(found, now)) {
            return self.take_over(free).await.map(|()| None);
        }
        let mut next = shared.clone();
        let is_interrupted = next.is_interrupted;
        while let Some(walk) = self.walks.get(next.progress.walk) {
            if is_interrupted || next.progress.wants(walk) {
                let walk = Arc::clone(walk);
                return self.deal(&walk, next).await.map(|()| None);
            }
            next.progress.end_walk();
        }
        if next.open.is_empty() {
            return self.end_shared_pass(next).await.map(|()| None);
        }
        // A range that was done between two statements is gone a moment later.
        let are_missing = missing > 0;
        if are_missing && sharing.missing_at == sharing.version {
            return Err(damaged(&self.id).into());
        }
        let missing_at = sharing.version.filter(|_| are_missing);
        if let Some(sharing) = &mut self.sharing {
            sharing.missing_at = missing_at;
        }
        // Others work on the last ranges of the pass.
        if let Some(walk) = self.walks.first().cloned() {
            self.tell_progress(&walk).await;
        }
        let milliseconds = WAIT_MS;
        self.line.run(Step::Sleep { milliseconds }).await?;
        Ok(None)
    }

    async fn take_over(&mut self, (mut range, progress, version): Found) -> Result<(), Halt> {
        range.worker = self.sharing.as_ref().map(|it| it.worker.clone());
        let (dialect, row) = (self.options.dialect, range.row(&self.id));
        let state = range.to_json(&progress);
        let taken = store::update(dialect, &row, &state, version);
        if self.line.execute(taken).await? == 1 {
            self.hold((range, progress, version + 1));
            // What is counted in it is no longer of others.
            self.look().await?;
        }
        Ok(())
    }

    /// Deals out the next rows of a walk, to this worker.
    async fn deal(&mut self, walk: &Walk, mut next: Shared) -> Result<(), Halt> {
        let size = self.options.batch_rows.saturating_mul(RANGE_BATCHES);
        let after = next.progress.after.take();
        let end = self.line.query(walk.end_of(after.as_deref(), size)).await?;
        let until = end.into_iter().next().map(|key| walk.with_texts(key));
        if let Some(key) = &until {
            check_key(walk, key)?;
        }
        let mut progress = Progress::new(self.targets.len());
        progress.walk = next.progress.walk;
        progress.after = after;
        let number = self.number()?;
        next.dealt = next.dealt.saturating_add(1);
        next.open.push(number);
        match &until {
            Some(key) => next.progress.after = Some(key.clone()),
            None => next.progress.end_walk(),
        }
        let range = Range {
            number,
            pass: next.progress.passes.len(),
            until,
            worker: self.sharing.as_ref().map(|it| it.worker.clone()),
            rows: 0,
        };
        self.line.run(Step::Begin).await?;
        self.must_put(&next).await?;
        let (dialect, row) = (self.options.dialect, range.row(&self.id));
        let insert = store::insert(dialect, &row, &range.to_json(&progress));
        self.line.execute(insert).await?;
        self.commit_shared(next).await?;
        self.hold((range, progress, 1));
        Ok(())
    }

    /// The name of a range, which no other one ever has: who held one of an earlier job finds it gone.
    fn number(&self) -> Result<u64> {
        let mut bytes = [0; 8];
        // Programs that show the document may read numbers as floats.
        let (_, low) = bytes.split_at_mut(2);
        self.hand.lock().entropy.fill(low)?;
        Ok(u64::from_be_bytes(bytes))
    }

    async fn end_shared_pass(&mut self, mut next: Shared) -> Result<(), Halt> {
        let is_settled = !next.is_interrupted && !next.progress.has_changed();
        next.tried = next.tried.saturating_add(1);
        if is_settled || next.tried >= self.options.max_passes {
            next.is_unsettled = !is_settled;
            next.progress.is_finished = true;
        } else {
            next.progress.next_pass(self.targets.len());
            next.progress.is_full = next.is_interrupted;
            next.is_interrupted = false;
        }
        self.line.run(Step::Begin).await?;
        self.must_put(&next).await?;
        self.commit_shared(next).await
    }

    /// Nobody has to wait for the lease of a worker that ends.
    pub(super) async fn put_back(&mut self, end: &End) -> Result<(), Halt> {
        let Some(sharing) = &mut self.sharing else {
            return Ok(());
        };
        let leads = sharing.share.leads && *end == End::Stopped;
        if let Some(range) = &mut sharing.range {
            range.worker = None;
            match self.save_alone(&self.progress.clone()).await {
                Err(Halt::Error(error)) if error.code() == ErrorCode::JobConflict => {
                    self.line.run(Step::Rollback).await?;
                }
                saved => saved?,
            }
            self.leave_range();
        }
        if leads {
            self.stop_others().await?;
        }
        Ok(())
    }

    /// The other workers of the run end their batches, and put their ranges back.
    async fn stop_others(&mut self) -> Result<(), Halt> {
        loop {
            let ranges = self.look().await?;
            let Some(sharing) = &self.sharing else {
                return Ok(());
            };
            let (run, mut next) = (&sharing.share.run, sharing.shared.clone());
            let now = self.line.elapsed_ms();
            if !next.has_stopped(run) && !next.progress.is_finished {
                next.stop(run);
                self.line.run(Step::Begin).await?;
                if self.put(&next).await? {
                    self.commit_shared(next).await?;
                } else {
                    self.line.run(Step::Rollback).await?;
                }
            } else if ranges.iter().any(|found| sharing.is_held(found, now)) {
                let milliseconds = WAIT_MS;
                self.line.run(Step::Sleep { milliseconds }).await?;
            } else {
                return Ok(());
            }
        }
    }

    /// What the job is like now, and the ranges that are not done.
    async fn look(&mut self) -> Result<Vec<Found>, Halt> {
        let (dialect, targets) = (self.options.dialect, self.targets.len());
        let rows = self.line.query(store::load(dialect, &self.id)).await?;
        let stored = match rows.first().map(Vec::as_slice) {
            Some([state, version]) => Some((state.as_text().unwrap_or_default(), version.as_int())),
            _ => None,
        };
        let version = stored.and_then(|(_, version)| version);
        let found = stored.and_then(|(text, _)| Shared::of_json(text, targets));
        let is_first = !self.tally.is_loaded;
        let Some(sharing) = &mut self.sharing else {
            return Ok(Vec::new());
        };
        let run = &sharing.share.run;
        // What another run has ended begins anew.
        let is_over = |found: &Shared| found.progress.is_finished && !found.knows(run);
        if let Some(found) = found
            .as_ref()
            .filter(|it| sharing.shared.knows(run) && !it.knows(run))
        {
            // The job has ended, and others do it anew.
            match found.ended_of(run, targets) {
                Some(ended) => sharing.shared = ended,
                None => sharing.is_forgotten = true,
            }
            sharing.shared.progress.is_finished = true;
            return Ok(Vec::new());
        }
        let shared = match found {
            Some(found) if is_first && is_over(&found) => found.after(targets),
            found => found.unwrap_or_else(|| Shared::new(targets)),
        };
        let ids = shared
            .open
            .iter()
            .map(|number| share::row(&self.id, *number));
        let ids: Vec<String> = ids.collect();
        sharing.shared = shared;
        sharing.version = version;
        let mut ranges = Vec::with_capacity(ids.len());
        if !ids.is_empty() {
            for row in self.line.query(store::load_all(dialect, &ids)).await? {
                let [id, state, version] = row.as_slice() else {
                    continue;
                };
                let range = Range::of_json(state.as_text().unwrap_or_default(), targets);
                let Some((range, progress)) = range else {
                    continue;
                };
                let is_it = id.as_text() == Some(&*range.row(&self.id));
                let walk = self.walks.get(progress.walk);
                let fits = is_it && walk.is_some_and(|walk| range.is_of(walk, &progress));
                if let (true, Some(version)) = (fits, version.as_int()) {
                    ranges.push((range, progress, version));
                }
            }
        }
        sharing.see(&ranges, self.line.elapsed_ms());
        Ok(ranges)
    }

    /// Looks at the others, not oftener than every second.
    pub(super) async fn glance(&mut self) -> Result<(), Halt> {
        let looked = self.sharing.as_ref().map(|it| it.looked_ms);
        if looked.is_some_and(|looked| self.line.elapsed_ms() >= looked + LOOK_MS) {
            self.look().await?;
        }
        Ok(())
    }

    /// Stores the row of the job, within a transaction; `false` where another worker was quicker.
    async fn put(&self, next: &Shared) -> Result<bool, Halt> {
        let version = self.sharing.as_ref().and_then(|it| it.version);
        let state = next.to_json();
        self.store(&self.id, &state, version).await
    }

    async fn must_put(&self, next: &Shared) -> Result<(), Halt> {
        if self.put(next).await? {
            return Ok(());
        }
        Err(conflict().into())
    }

    async fn commit_shared(&mut self, next: Shared) -> Result<(), Halt> {
        self.line.run(Step::Commit).await?;
        if let Some(sharing) = &mut self.sharing {
            sharing.shared = next;
        }
        Ok(())
    }

    /// From now on the range is what this worker is at.
    fn hold(&mut self, (range, progress, version): Found) {
        let now = self.line.elapsed_ms();
        self.drop_page();
        self.row = range.row(&self.id);
        self.version = Some(version);
        self.progress = progress;
        self.tally.quiet = 0;
        if let Some(sharing) = &mut self.sharing {
            sharing.range = Some(range);
            sharing.is_read = false;
            sharing.saved_ms = now;
        }
    }

    fn leave_range(&mut self) {
        self.drop_page();
        self.progress = Progress::new(self.targets.len());
        if let Some(sharing) = &mut self.sharing {
            if let Some(range) = sharing.range.take() {
                sharing.seen.remove(&range.number);
            }
            // What is shown is to be right at the end of a range.
            sharing.looked_ms = 0;
        }
    }

    fn drop_page(&mut self) {
        self.line.offer(None);
        self.page = None;
    }

    /// Whether the row of the range is to be stored, so that its lease does not run out.
    pub(super) fn lease_is_due(&self) -> bool {
        let now = self.line.elapsed_ms();
        self.sharing
            .as_ref()
            .is_some_and(|it| it.range.is_some() && now >= it.saved_ms + it.share.lease_ms / 3)
    }

    /// The report is of the whole job.
    pub(super) async fn gather(&mut self) {
        for _ in 0..MAX_LOOKS {
            let Some(sharing) = &self.sharing else { return };
            let (before, known) = (sharing.version, sharing.shared.clone());
            let ranges = match self.look().await {
                Ok(ranges) if !known.progress.is_finished => ranges,
                _ => {
                    self.progress = known.progress;
                    return;
                }
            };
            if let Some(sharing) = &self.sharing {
                self.progress = sharing.shared.clone().with(&ranges).progress;
                // Between the two statements of a look a range may have been done.
                if sharing.version == before {
                    return;
                }
            }
        }
    }

    /// The pass, counted from 1.
    pub(super) fn pass(&self) -> usize {
        let Some(sharing) = &self.sharing else {
            return self.progress.passes.len();
        };
        let range = sharing.range.as_ref().map(|range| range.pass);
        range.unwrap_or(sharing.shared.progress.passes.len())
    }

    /// Rows that were read and values that were resealed since this run came, by all workers.
    pub(super) fn done(&self) -> (u64, u64) {
        let Some(sharing) = &self.sharing else {
            return (self.tally.rows, self.tally.resealed);
        };
        let own = sharing.range.as_ref().map_or(0, |range| range.rows);
        (
            (sharing.rows + own).saturating_sub(sharing.before),
            sharing.resealed + share::resealed(&self.progress),
        )
    }

    /// What is stored of the progress of this run.
    pub(super) fn document(&self, next: &Progress) -> String {
        let range = self.sharing.as_ref().and_then(|it| it.range.as_ref());
        range.map_or_else(|| next.to_json(), |range| range.to_json(next))
    }
}

fn outdated() -> Error {
    let message = "a worker has joined that seals with other keys, has another manifest, or was told otherwise \
                   whether to reindex: run all of them with the same ones";
    fixed(ErrorCode::JobConflict, message)
}

fn behind(job: &str) -> Error {
    let table = store::TABLE;
    let message = format!(
        "workers of this job seal under a key that this one does not know, or that is only introduced here: give \
         it the same keys as the others. If there are no others any more and the key is gone, remove the rows of \
         {table} whose id begins with {job}"
    );
    Error::new(ErrorCode::JobConflict, message)
}

fn forgotten() -> Error {
    let message = "this job has ended, and others did it anew more than once since: what came of it is not known \
                   here";
    fixed(ErrorCode::JobConflict, message)
}

fn may_not_delete(code: &str) -> Error {
    let table = store::TABLE;
    let message = format!(
        "the user may not delete rows of the table {table} ({code}), as workers do: have that right \
         given, or do without workers"
    );
    Error::new(ErrorCode::DatabaseError, message)
}

fn damaged(job: &str) -> Error {
    let table = store::TABLE;
    let message = format!(
        "rows of this job are missing in the table {table}, or damaged: when no worker is left, remove \
         those whose id begins with {job}, and run it again"
    );
    Error::new(ErrorCode::DatabaseError, message)
}

impl Shared {
    /// The ranges that are not done, counted as well.
    fn with(mut self, ranges: &[Found]) -> Self {
        for (range, progress, _) in ranges {
            if range.pass == self.progress.passes.len() {
                self.add(range, progress);
            }
        }
        self
    }
}

impl Sharing {
    /// Remembers the versions of the ranges of others.
    fn see(&mut self, ranges: &[Found], now: u64) {
        let own = self.range.as_ref().map(|range| range.number);
        let others = || ranges.iter().filter(|(it, ..)| Some(it.number) != own);
        self.seen
            .retain(|number, _| others().any(|(it, ..)| it.number == *number));
        for (range, _, version) in others() {
            let seen = self.seen.entry(range.number).or_insert((*version, now));
            if seen.0 != *version {
                *seen = (*version, now);
            }
        }
        let others: Vec<Found> = others().cloned().collect();
        let all = self.shared.clone().with(&others);
        self.rows = all.rows;
        self.resealed = share::resealed(&all.progress);
        self.refused = all.progress.refused(0);
        self.looked_ms = now;
    }

    /// Whether nobody works on a range: it was put back, or its lease has run out; or it is this worker's,
    /// whose commit was lost.
    fn is_free(&self, (range, _, version): &Found, now: u64) -> bool {
        let has_run_out = self.seen.get(&range.number).is_some_and(|(seen, since)| {
            seen == version && now >= since.saturating_add(self.share.lease_ms)
        });
        let worker = range.worker.as_ref();
        has_run_out || worker.is_none_or(|worker| *worker == self.worker)
    }

    /// Whether another worker of this run is at a range.
    fn is_held(&self, found: &Found, now: u64) -> bool {
        let worker = found.0.worker.as_deref().unwrap_or_default();
        let run = worker.split('/').next();
        run == Some(&*self.share.run) && !self.is_free(found, now)
    }
}
