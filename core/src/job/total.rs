//! The passes of a job as one.

use super::{ColumnReport, Counts, Report};

impl Report {
    /// Values that are left as they are, in all columns.
    #[must_use]
    pub fn refused(&self) -> u64 {
        let columns = self.columns.iter();
        columns.map(|column| column.total().refused()).sum()
    }
}

impl ColumnReport {
    /// The passes as one: what was `resealed`, `reindexed`, `raced`, `gone` and `verified` in any of them, and all
    /// else as the last pass found it that read the column. After more than one pass `current` has
    /// the resealed values as well.
    #[must_use]
    pub fn total(&self) -> Counts {
        let read = self.passes.iter().rev().find(|pass| pass.scanned > 0);
        let Some(last) = read.or(self.passes.last()) else {
            return Counts::default();
        };
        let mut total = last.clone();
        let is_last = |pass: &&Counts| !core::ptr::eq(*pass, last);
        for pass in self.passes.iter().filter(is_last) {
            for (one, values) in &pass.resealed {
                *total.resealed.entry(one.clone()).or_default() += values;
            }
            total.reindexed += pass.reindexed;
            total.raced += pass.raced;
            total.gone += pass.gone;
            total.verified += pass.verified;
        }
        total
    }
}
