//! A batch of which the database takes some rows only: it is written in smaller and smaller parts, until those are
//! alone that it does not take. They are refused, and all others are done.

use super::{
    Cell, Failure, Step, ahead::Made, apply::Run, batch::refused, halt::Halt, progress::Progress,
    rows::Taken, walk::Walk,
};
use crate::error::ErrorCode;
use alloc::{sync::Arc, vec, vec::Vec};

/// Rows that the database did not take together.
pub(super) struct Part {
    pub(super) keys: Vec<Vec<Cell>>,
    pub(super) failure: Failure,
}

impl Run {
    /// Writes the rows of a batch that the database did not take as a whole. `settled` are those in which nothing
    /// was to be changed. Where it takes none at all, and never took one of the table, that is no matter of single
    /// rows: the job ends.
    pub(super) async fn in_parts(
        &mut self,
        walk: &Arc<Walk>,
        mut settled: Vec<Taken>,
        batch: Part,
        mut next: Progress,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        next.leave(walk, batch.keys.len(), 0);
        self.write(walk, &mut settled, Vec::new(), &next, is_last)
            .await?;
        let mut left = Vec::new();
        let mut alone: Vec<Part> = Vec::new();
        let mut parts = vec![batch];
        while let Some(Part { mut keys, failure }) = parts.pop() {
            if keys.len() <= 1 {
                alone.push(Part { keys, failure });
                continue;
            }
            if self.line.is_stopped() {
                left.append(&mut keys);
                continue;
            }
            let rest = keys.split_off(keys.len() / 2);
            for keys in [rest, keys] {
                match self.part(walk, &keys, is_last).await {
                    Ok(again) => left.extend(again),
                    Err(Halt::Failure(failure)) if failure.refusal().is_some() => {
                        self.line.run(Step::Rollback).await?;
                        parts.push(Part { keys, failure });
                    }
                    Err(halt) => return Err(halt),
                }
            }
            if self.lease_is_due() {
                self.save_alone(&self.progress.clone()).await?;
            }
        }
        if alone.len() > 1 && left.is_empty() && !self.has_taken(walk) {
            let first = alone.swap_remove(0);
            return Err(first.failure.into());
        }
        self.refuse(walk, alone, is_last, &mut left).await?;
        Ok(left)
    }

    /// Rows of a batch that were not written with the others.
    async fn part(
        &mut self,
        walk: &Arc<Walk>,
        keys: &[Vec<Cell>],
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let (made, next) = self.make_again(walk, keys).await?;
        let Made { mut taken, swaps } = made;
        // The others were told of with their batch.
        let anew = taken.iter().filter(|row| row.change.is_none());
        self.tell_all(self.refusals(walk, anew)).await;
        self.write(walk, &mut taken, swaps, &next, is_last).await
    }

    /// Whether the database has ever taken a value of a table, or has one that is current.
    fn has_taken(&self, walk: &Walk) -> bool {
        let shared = self.sharing.as_ref().map(|it| &it.shared.progress);
        let mut all = shared.into_iter().chain([&self.progress]);
        all.any(|progress| progress.has_taken(walk))
    }

    async fn refuse(
        &mut self,
        walk: &Arc<Walk>,
        rows: Vec<Part>,
        is_last: bool,
        left: &mut Vec<Vec<Cell>>,
    ) -> Result<(), Halt> {
        let mut codes: Vec<(ErrorCode, Vec<Vec<Cell>>)> = Vec::new();
        for Part { keys, failure } in rows {
            let Some(code) = failure.refusal() else {
                continue;
            };
            match codes.iter_mut().find(|(other, _)| *other == code) {
                Some((_, all)) => all.extend(keys),
                None => codes.push((code, keys)),
            }
        }
        for (code, keys) in codes {
            let (made, next) = self.make_again(walk, &keys).await?;
            let mut taken = made.taken;
            let proofs = taken.iter().filter_map(|row| row.proof.as_ref());
            self.forget_unproven(proofs.map(|proof| proof.target));
            let refused = refused(&mut taken, &keys, code);
            self.tell_refused(walk, &refused).await;
            taken.extend(refused);
            left.extend(
                self.write(walk, &mut taken, Vec::new(), &next, is_last)
                    .await?,
            );
        }
        Ok(())
    }
}
