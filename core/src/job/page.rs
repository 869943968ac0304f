//! Pages: rows that are read together. The next one is read before a batch is written, so that its
//! values can be made while the database is busy.

use super::{
    Cell,
    ahead::{Ahead, Task},
    apply::Run,
    batch::now,
    halt::Halt,
    walk::Walk,
};
use crate::error::Result;
use alloc::{sync::Arc, vec::Vec};

/// Rows that were read together.
pub(super) struct Page {
    /// How many there are.
    pub(super) rows: usize,
    /// Whether the walk has no others.
    pub(super) is_last: bool,
    /// The key of the last row.
    pub(super) last: Option<Vec<Cell>>,
    /// What becomes of them.
    pub(super) work: Ahead,
}

impl Run {
    /// The page whose turn it is, with the one after it read where that is of use.
    pub(super) async fn turn(&mut self, walk: &Arc<Walk>) -> Result<Page, Halt> {
        let page = match self.page.take() {
            Some(page) => page,
            None => self.read(walk, self.progress.after.clone()).await?,
        };
        if self.reads_ahead() && !page.is_last {
            self.line.offer(Some(page.work.clone()));
            let next = self.read(walk, page.last.clone()).await?;
            page.work.run();
            self.line.offer(Some(next.work.clone()));
            self.page = Some(next);
        }
        Ok(page)
    }

    async fn read(&mut self, walk: &Arc<Walk>, after: Option<Vec<Cell>>) -> Result<Page, Halt> {
        let limit = self.tally.limit.clamp(1, self.most_rows());
        // A page has all versions of its rows: those of the last one may be beyond the limit.
        let mut end = None;
        let statement = if walk.reads_history {
            let found = self.line.query(walk.end_of(after.as_deref(), limit));
            end = found.await?.first().map(|key| walk.key_of(key));
            walk.page(after.as_deref(), end.as_deref(), usize::MAX)
        } else if self.options.rows.is_empty() {
            walk.page(after.as_deref(), self.until(), limit)
        } else {
            walk.rows_at(&self.options.rows)
        };
        let mut rows = self.line.query(statement).await?;
        if self.work.is_repair() {
            // SQLite gives a row for each way to spell its number.
            once(&mut rows, walk.key_cells());
        }
        self.tally.limit = self.next_limit(&rows);
        Ok(Page {
            rows: rows.len(),
            is_last: if walk.reads_history {
                end.is_none()
            } else {
                self.work.is_repair() || rows.len() < limit
            },
            last: end.or_else(|| rows.last().map(|row| walk.key_of(row))),
            work: Ahead::new(self.task(walk, rows)?),
        })
    }

    /// The last key of the range that is read, where it has an end.
    fn until(&self) -> Option<&[Cell]> {
        self.sharing.as_ref()?.range.as_ref()?.until.as_deref()
    }

    /// What is to be made of rows.
    pub(super) fn task(&self, walk: &Arc<Walk>, rows: Vec<Vec<Cell>>) -> Result<Task> {
        let every = self.options.verify_one_in;
        Ok(Task {
            rows,
            walk: Arc::clone(walk),
            targets: Arc::clone(&self.targets),
            work: self.work,
            without: self.options.without.clone(),
            every: if self.is_dry() { 0 } else { every },
            is_dry: self.is_dry(),
            now: now(self.started, &self.line)?,
            hand: Arc::clone(&self.hand),
        })
    }

    /// What waits grows old: where batches are held back, no page is read before its time.
    const fn reads_ahead(&self) -> bool {
        self.options.pause_ms == 0 && self.options.rows_per_second.is_none()
    }
}

/// Each row once, by so many of its first cells: a repair that is made twice is another one.
pub(super) fn once(rows: &mut Vec<Vec<Cell>>, width: usize) {
    let mut seen: Vec<Vec<Cell>> = Vec::new();
    rows.retain(|row| {
        let key = row.get(..width).unwrap_or(row);
        let is_new = !seen.iter().any(|seen| seen == key);
        if is_new {
            seen.push(key.to_vec());
        }
        is_new
    });
}
