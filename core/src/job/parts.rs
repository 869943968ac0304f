//! A batch of which the database takes some values only: it is written in smaller and smaller parts, first of rows and
//! then of the columns of a row, until those are alone that it does not take. They are refused, and all others are done.

use super::{
    Cell, Failure, Step, ahead::Made, apply::Run, batch, halt::Halt, progress::Progress,
    rows::Taken, walk::Walk,
};
use crate::error::ErrorCode;
use alloc::{sync::Arc, vec::Vec};

/// What the database did not take together.
pub(super) struct Part {
    /// Of all columns, or of some columns of one row.
    pub(super) walk: Arc<Walk>,
    pub(super) keys: Vec<Vec<Cell>>,
    /// The targets of which values were to be changed.
    pub(super) targets: Vec<usize>,
    pub(super) failure: Failure,
}

impl Run {
    /// Writes the rows of a batch that the database did not take as a whole. `settled` are those in which nothing
    /// was to be changed. Where it takes no value of a column, and never took one, that is no matter of single
    /// rows: the job ends.
    pub(super) async fn in_parts(
        &mut self,
        mut settled: Vec<Taken>,
        batch: Part,
        mut next: Progress,
        is_last: bool,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let walk = Arc::clone(&batch.walk);
        next.leave(&walk, batch.keys.len(), 0);
        self.write(&walk, &mut settled, Vec::new(), &next, is_last)
            .await?;
        let mut left = Vec::new();
        let mut parts = Parts::default();
        parts.divide(batch);
        while let Some((part, keys)) = parts.untried.pop() {
            let is_whole = Arc::ptr_eq(&part, &walk);
            let again = if self.line.is_stopped() {
                keys
            } else {
                let is_last = is_last || !is_whole;
                self.part(part, keys, None, is_last, &mut parts).await?
            };
            // What is left of a row whose other columns are done is for the next pass.
            if is_whole {
                left.extend(again);
            }
            if self.lease_is_due() {
                self.save_alone(&self.progress.clone()).await?;
            }
        }
        let mut alone = parts.alone;
        let of_all = alone.iter().position(|part| self.is_of_all(part, &alone));
        if let Some(of_all) = of_all.filter(|_| left.is_empty() && !self.line.is_stopped()) {
            return Err(alone.swap_remove(of_all).failure.into());
        }
        for part in alone {
            let code = part.failure.refusal();
            self.part(part.walk, part.keys, code, is_last, &mut Parts::default())
                .await?;
        }
        Ok(left)
    }

    /// Writes values of a batch that were not written with the others, or divides them. With a code they are refused.
    async fn part(
        &mut self,
        walk: Arc<Walk>,
        keys: Vec<Vec<Cell>>,
        code: Option<ErrorCode>,
        is_last: bool,
        parts: &mut Parts,
    ) -> Result<Vec<Vec<Cell>>, Halt> {
        let (made, next) = self.make_again(&walk, &keys).await?;
        let Made {
            mut taken,
            mut swaps,
        } = made;
        let targets = walk.changed(&taken);
        let mut refused = Vec::new();
        if let Some(code) = code {
            let proofs = taken.iter().filter_map(|row| row.proof.as_ref());
            self.forget_unproven(proofs.map(|proof| proof.target));
            refused = batch::refused(&mut taken, &keys, code);
            swaps.clear();
        }
        // The others were told of with their batch.
        let anew = taken
            .iter()
            .filter(|row| code.is_none() && row.change.is_none());
        let told = self.refusals(&walk, anew.chain(&refused));
        taken.extend(refused);
        self.tell_all(told).await;
        match self.write(&walk, &mut taken, swaps, &next, is_last).await {
            Err(Halt::Failure(failure)) if code.is_none() && failure.refusal().is_some() => {
                self.line.run(Step::Rollback).await?;
                parts.divide(Part {
                    walk,
                    keys,
                    targets,
                    failure,
                });
                Ok(Vec::new())
            }
            written => written,
        }
    }

    /// Whether what one value shows is so of others too: several are refused of a column of which the database has
    /// never taken a value, nor has one that is current.
    fn is_of_all(&self, one: &Part, alone: &[Part]) -> bool {
        let mut alike = alone.iter().filter(|it| it.targets == one.targets);
        alike.nth(1).is_some() && !one.targets.iter().any(|target| self.has_taken(*target))
    }

    fn has_taken(&self, target: usize) -> bool {
        let shared = self.sharing.as_ref().map(|it| &it.shared.progress);
        let mut all = shared.into_iter().chain([&self.progress]);
        all.any(|progress| progress.has_taken(target))
    }
}

impl Walk {
    /// The targets of which values are to be changed.
    pub(super) fn changed(&self, taken: &[Taken]) -> Vec<usize> {
        let rows = || taken.iter().filter_map(|row| row.change.as_ref());
        let is_in = |place| rows().any(|row| row.swaps.iter().any(|swap| swap.column == place));
        let values = self.values.iter().enumerate();
        let changed = values.filter(|(place, _)| is_in(*place));
        changed.map(|(_, value)| value.target).collect()
    }
}

/// What becomes of a batch that the database did not take as a whole.
#[derive(Default)]
struct Parts {
    untried: Vec<(Arc<Walk>, Vec<Vec<Cell>>)>,
    /// Of one row and one column.
    alone: Vec<Part>,
}

impl Parts {
    /// Half of the rows each, or half of the columns of the only row.
    fn divide(&mut self, mut part: Part) {
        if part.keys.len() > 1 {
            let rest = part.keys.split_off(part.keys.len() / 2);
            self.untried.push((Arc::clone(&part.walk), rest));
            self.untried.push((part.walk, part.keys));
        } else if part.targets.len() > 1 {
            let rest = part.targets.split_off(part.targets.len() / 2);
            // What was not to be changed stays with one of them.
            for is_rest in [true, false] {
                let mut walk = Walk::clone(&part.walk);
                walk.values
                    .retain(|it| rest.contains(&it.target) == is_rest);
                self.untried.push((Arc::new(walk), part.keys.clone()));
            }
        } else {
            self.alone.push(part);
        }
    }
}
