//! What whoever watches is told, and when the next batch may come.

use super::{
    Cell, Event, Step, apply::Run, halt::Halt, rows::Taken, tally::Tally, walk::Walk,
    worker::LOOK_MS,
};
use alloc::{
    string::{String, ToString},
    vec::Vec,
};

impl Run {
    pub(super) async fn tell_refused(&self, walk: &Walk, taken: &[Taken]) {
        self.tell_all(self.refusals(walk, taken)).await;
    }

    pub(super) async fn tell_all(&self, events: Vec<Event>) {
        for event in events {
            self.line.tell(event).await;
        }
    }

    /// What is to be told of rows.
    pub(super) fn refusals<'t>(
        &self,
        walk: &Walk,
        taken: impl IntoIterator<Item = &'t Taken>,
    ) -> Vec<Event> {
        let tallies = taken
            .into_iter()
            .flat_map(|row| row.tallies.iter().map(|it| (&row.key, it)));
        let refusals = tallies.filter_map(|(key, (target, tally))| {
            let (Tally::Refused(refused), Some(target)) = (tally, self.targets.get(*target)) else {
                return None;
            };
            Some(Event::Refused {
                pass: self.pass(),
                table: walk.table.clone(),
                column: target.spec.column.clone(),
                path: refused.path.clone(),
                row_id: row_id(key),
                code: refused.code,
            })
        });
        refusals.collect()
    }

    pub(super) async fn tell_progress(&self, walk: &Walk) {
        let (rows, resealed) = self.done();
        let progress = Event::Progress {
            pass: self.pass(),
            table: walk.table.clone(),
            rows,
            resealed,
        };
        self.line.tell(progress).await;
    }

    /// Waits until the next batch may come; a lease is renewed meanwhile.
    pub(super) async fn wait(&mut self) -> Result<(), Halt> {
        let paced = self.options.rows_per_second.map_or(0, |rate| {
            let due = self.tally.rows.saturating_mul(1000) / u64::from(rate.max(1));
            due.saturating_sub(self.line.elapsed_ms())
        });
        let mut left = paced.max(self.options.pause_ms);
        let longest = self
            .sharing
            .as_ref()
            .map_or(u64::MAX, |it| LOOK_MS.min((it.share.lease_ms / 3).max(1)));
        while left > 0 && self.ends_early().is_none() {
            let milliseconds = left.min(longest);
            let _waited = self.line.run(Step::Sleep { milliseconds }).await;
            left -= milliseconds;
            if self.lease_is_due() {
                self.save_alone(&self.progress.clone()).await?;
            }
            self.glance().await?;
        }
        Ok(())
    }
}

/// A row id for a person.
fn row_id(key: &[Cell]) -> Vec<String> {
    key.iter()
        .map(|cell| match cell {
            Cell::Int(number) => number.to_string(),
            Cell::Text(text) => text.to_string(),
            Cell::Bytes(bytes) => data_encoding::HEXLOWER.encode(bytes),
            Cell::Null | Cell::Other => String::new(),
        })
        .collect()
}
