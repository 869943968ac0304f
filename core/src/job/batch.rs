//! One batch: rows become new values, and those take the place of what was read.

use super::{
    Cell, Step,
    ahead::{Made, Swaps},
    apply::{FIRST_ROWS, Run},
    facts::same_terms,
    halt::Halt,
    line::Line,
    parts::Part,
    progress::Progress,
    proof::Proof,
    rows::Taken,
    swap::Change,
    tally::Tally,
    walk::{Row, Walk},
};
use crate::{
    error::{Error, ErrorCode, Result, fixed},
    time::Timestamp,
};
use alloc::{format, sync::Arc, vec::Vec};

/// Batches without a change after which a checkpoint is stored all the same.
const QUIET_BATCHES: u32 = 20;

impl Run {
    /// Writes what became of rows and stores how far the job is then, in one transaction. Where the database
    /// takes some of the values only, the others are refused. The keys of rows that are to be taken again come
    /// back, mostly since they changed meanwhile; they are counted as left. At last, those that did not change
    /// either are refused: whatever keeps them as they are would do so again.
    pub(super) async fn batch(
        &mut self,
        walk: &Arc<Walk>,
        made: Made,
        next: Progress,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        self.tell_refused(walk, &made.taken).await;
        let changed = made.taken.iter().filter(|row| row.change.is_some());
        let keys: Vec<Vec<Cell>> = changed.map(|row| row.key.clone()).collect();
        let targets = walk.changed(&made.taken);
        let Made { mut taken, swaps } = made;
        match self.write(walk, &mut taken, swaps, &next, is_last).await {
            Err(Halt::Failure(failure)) if failure.refusal().is_some() => {
                taken.retain(|row| !keys.contains(&row.key));
                self.line.run(Step::Rollback).await?;
                let broken = Part {
                    walk: Arc::clone(walk),
                    keys,
                    targets,
                    failure,
                };
                self.in_parts(taken, broken, next, is_last).await
            }
            written => written,
        }
    }

    /// Writes them, and nothing where it fails: what is tried again has to be read back again.
    pub(super) async fn write(
        &mut self,
        walk: &Walk,
        taken: &mut Vec<Taken>,
        swaps: Vec<Swaps>,
        next: &Progress,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let proofs = taken.iter().filter_map(|row| row.proof.as_ref());
        let targets: Vec<usize> = proofs.map(|proof| proof.target).collect();
        let result = self.exchange(walk, taken, swaps, next.clone(), is_last);
        let result = result.await;
        if result.is_err() {
            self.forget_unproven(targets);
        }
        result
    }

    async fn exchange(
        &mut self,
        walk: &Walk,
        taken: &mut Vec<Taken>,
        swaps: Vec<Swaps>,
        mut next: Progress,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let mut is_written = !swaps.is_empty();
        let mut left = Vec::new();
        let mut refusals = Vec::new();
        if is_written {
            self.line.run(Step::Begin).await?;
            let failed = self.swap(walk, taken, swaps).await?;
            let lost = taken
                .iter()
                .filter(|row| failed.iter().any(|it| it.key == row.key));
            let lost = lost.filter_map(|row| row.proof.as_ref());
            let lost: Vec<usize> = lost.map(|proof| proof.target).collect();
            let (kept, others): (Vec<_>, _) = failed.into_iter().partition(|it| it.is_kept);
            left = others.into_iter().map(|it| it.key).collect();
            let kept = kept.into_iter().map(|it| it.key);
            if is_last {
                let kept = kept.collect::<Vec<_>>();
                let refused = refused(taken, &kept, ErrorCode::VerificationFailed);
                refusals = self.refusals(walk, &refused);
                taken.extend(refused);
            } else {
                left.extend(kept);
            }
            let raced = left.len();
            if self.forget_unproven(lost) {
                // The value that was to be read back, the first of its column, is another one by now, or did not
                // come into the database.
                self.line.run(Step::Rollback).await?;
                is_written = false;
                let undone = taken.iter().filter(|row| row.change.is_some());
                left = undone.map(|row| row.key.clone()).collect();
            }
            taken.retain(|row| !left.contains(&row.key));
            if is_written {
                let verified = self.verify(walk, taken).await?;
                next.verify(&verified);
                self.note_proven(verified);
            }
            next.leave(walk, left.len(), raced);
        }
        let mut resealed = 0;
        for (target, tally) in taken.iter().flat_map(|row| &row.tallies) {
            resealed += u64::from(matches!(tally, Tally::Resealed(_)));
            if let Some(counts) = next.counts(*target) {
                counts.add(tally);
            }
        }
        self.tally.quiet += 1;
        let is_due = self.tally.quiet >= QUIET_BATCHES || self.lease_is_due();
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
        // Not before the commit: who is told may use the connection, or take long.
        self.tell_all(refusals).await;
        Ok(left)
    }

    /// Takes rows again that changed between read and write.
    pub(super) async fn take_again(
        &mut self,
        walk: &Arc<Walk>,
        keys: Vec<Vec<Cell>>,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let (made, next) = self.make_again(walk, &keys).await?;
        self.batch(walk, made, next, is_last).await
    }

    /// What becomes of rows that are counted as left, and how far the job is with them.
    pub(super) async fn make_again(
        &self,
        walk: &Arc<Walk>,
        keys: &[Vec<Cell>],
    ) -> Result<(Made, Progress), Halt> {
        let rows = self.line.query(walk.rows_at(keys)).await?;
        let mut next = self.progress.clone();
        next.unleave(walk, keys.len(), keys.len().saturating_sub(rows.len()));
        Ok((self.task(walk, rows)?.run()?, next))
    }

    /// Puts the new values in place; gives the rows in which they do not stand.
    async fn swap(
        &self,
        walk: &Walk,
        taken: &[Taken],
        swaps: Vec<Swaps>,
    ) -> Result<Vec<Failed>, Halt> {
        let mut all = Vec::new();
        for Swaps { rows, statements } in swaps {
            let mut is_short = false;
            for (statement, rows) in statements {
                is_short |= self.line.execute(statement).await? != rows;
            }
            if is_short {
                let changes = || {
                    rows.iter()
                        .filter_map(|row| taken.get(*row)?.change.as_ref())
                };
                let keys: Vec<Vec<Cell>> = changes().map(|it| it.key.clone()).collect();
                let now = rows_of(walk, self.line.query(walk.rows_at(&keys)).await?)?;
                let failed = changes().filter(|change| !change.is_in(&now));
                all.extend(failed.map(|change| Failed {
                    key: change.key.clone(),
                    is_kept: change.is_kept(&now),
                }));
            }
        }
        Ok(all)
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
            let swap = change.swaps.get(proof.swap)?;
            let target = self.targets.get(proof.target)?;
            let holds = proof.holds(target, swap, row.values.get(swap.column)?);
            holds.then_some(proof.target)
        });
        verified.collect::<Option<_>>().ok_or_else(|| {
            let message = "a value that was read back is not what was sealed: its batch is undone; \
                           does a trigger, or a character set, change what is stored?";
            fixed(ErrorCode::VerificationFailed, message).into()
        })
    }

    /// Lets the next values of targets be chosen of which none was read back; whether there is such a target.
    pub(super) fn forget_unproven(&self, targets: impl IntoIterator<Item = usize>) -> bool {
        let mut hand = self.hand.lock();
        let unproven = |any, target| hand.forget_unproven(target) || any;
        targets.into_iter().fold(false, unproven)
    }

    /// Notes the targets of which a value was read back.
    fn note_proven(&self, targets: Vec<usize>) {
        let mut hand = self.hand.lock();
        for target in targets {
            hand.proven.insert(target, true);
        }
    }

    /// As many rows as fit into a batch, going by those of the last one.
    pub(super) fn next_limit(&self, rows: &[Vec<Cell>]) -> usize {
        let bytes: usize = rows.iter().flatten().map(Cell::bytes).sum();
        let per_row = (bytes / rows.len().max(1)).max(1);
        let grown = rows.len().max(FIRST_ROWS).saturating_mul(4);
        grown.min(self.options.batch_bytes / per_row).max(1)
    }
}

/// Takes out what does not come into the database, for a trigger or a rule that leaves it as it is and says nothing,
/// or for a constraint; gives it back as refused.
pub(super) fn refused(taken: &mut [Taken], keys: &[Vec<Cell>], code: ErrorCode) -> Vec<Taken> {
    let rows = taken.iter_mut().filter(|row| keys.contains(&row.key));
    let refused = rows.map(|row| {
        row.change = None;
        row.proof = None;
        let is_new =
            |(_, it): &mut (usize, Tally)| matches!(it, Tally::Resealed(_) | Tally::Reindexed);
        let tallies = row.tallies.extract_if(.., is_new);
        Taken {
            key: row.key.clone(),
            tallies: tallies.map(|(at, _)| (at, Tally::refused(code))).collect(),
            change: None,
            proof: None,
        }
    });
    refused.collect()
}

/// A row in which the new values do not stand.
struct Failed {
    key: Vec<Cell>,
    /// Whether it is what it was when it was read.
    is_kept: bool,
}

impl Change {
    /// Whether a row is as it was read.
    fn is_kept(&self, rows: &[Row]) -> bool {
        let row = rows.iter().find(|row| row.key == self.key);
        row.is_some_and(|row| {
            let mut swaps = self.swaps.iter();
            row.facts == self.facts
                && swaps.all(|swap| {
                    let there = row.values.get(swap.column);
                    there.is_some_and(|there| there.is_same(&swap.old))
                })
        })
    }

    /// Whether the new values stand in their row.
    fn is_in(&self, rows: &[Row]) -> bool {
        let row = rows.iter().find(|row| row.key == self.key);
        row.is_some_and(|row| {
            self.swaps.iter().all(|swap| {
                let there = row.values.get(swap.column);
                let is_new = there.is_some_and(|there| there.is_same(&swap.new));
                // A value that keeps its place gets but a term.
                let terms = row.terms.get(swap.column).filter(|terms| !terms.is_empty());
                is_new && terms.is_none_or(|terms| same_terms(terms, &swap.terms))
            })
        })
    }
}

pub(super) fn rows_of(walk: &Walk, rows: Vec<Vec<Cell>>) -> Result<Vec<Row>> {
    let rows = rows.into_iter().map(|cells| {
        let row = walk.row(cells).ok_or_else(of_another_width)?;
        check_key(walk, &row.key)?;
        Ok(row)
    });
    rows.collect()
}

/// A key that could be neither passed nor found again is refused.
pub(super) fn check_key(walk: &Walk, key: &[Cell]) -> Result<()> {
    let is_lost = |cell: &Cell| matches!(cell, Cell::Null | Cell::Other);
    if !key.iter().any(is_lost) {
        return Ok(());
    }
    let message = format!(
        "table {}: a row has a floating-point number, text that is no UTF-8, or nothing for its row id: \
         name another unique key in row_id",
        walk.table
    );
    Err(Error::new(ErrorCode::ColumnUnsuitable, message))
}

pub(super) fn of_another_width() -> Error {
    let message = "the driver gave rows of another width than the statement asks for";
    fixed(ErrorCode::DatabaseError, message)
}

pub(super) fn now(started: Timestamp, line: &Line) -> Result<Timestamp> {
    let started = u64::try_from(started.unix()).unwrap_or_default();
    Timestamp::from_unix(started.saturating_add(line.elapsed_ms() / 1000))
}
