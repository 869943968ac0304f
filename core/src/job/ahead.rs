//! Work on rows that were read, which a driver may have done while the database is busy.

use super::{
    Cell, Statement, Target, Work,
    batch::rows_of,
    pool::Pool,
    proof::Wish,
    rows::{Taken, Taker},
    swap::Change,
    walk::Walk,
};
use crate::{
    codec::Fresh,
    error::{ErrorCode, Result, fixed},
    random::Entropy,
    sorted::SortedMap,
    time::Timestamp,
};
use alloc::{boxed::Box, string::String, sync::Arc, vec::Vec};
use core::{cell::RefCell, fmt, mem};
use spin::Mutex;

/// Work of a job that needs no database: it can be done, in another thread or in this one, while a
/// step of [`super::Job::next`] runs. What nobody does, the job does by itself when it needs it.
///
/// # Example
/// ```
/// # fn execute() {}
/// # fn during(job: &reseal::job::Job) {
/// let other = job.ahead().map(|ahead| std::thread::spawn(move || ahead.run()));
/// execute();
/// if let Some(other) = other {
///     other.join().expect("it never panics");
/// }
/// # }
/// ```
#[derive(Clone)]
pub struct Ahead(Arc<Mutex<State>>);

enum State {
    Due(Box<Task>),
    Done(Result<Made>),
    /// It is given to the job, or being done.
    Away,
}

/// Rows, and what they are resealed with.
pub(super) struct Task {
    pub(super) rows: Vec<Vec<Cell>>,
    pub(super) walk: Arc<Walk>,
    pub(super) targets: Arc<[Target]>,
    pub(super) work: Work,
    /// The codec that is to be of no use.
    pub(super) without: Option<String>,
    /// Of so many rows that change, one is verified; 0 for none.
    pub(super) every: u32,
    pub(super) is_dry: bool,
    pub(super) now: Timestamp,
    pub(super) hand: Arc<Mutex<Hand>>,
}

/// What became of rows.
pub(super) struct Made {
    pub(super) taken: Vec<Taken>,
    /// Nothing where nothing is written.
    pub(super) swaps: Vec<Swaps>,
}

/// The statements that change the same columns of rows, each with how many rows it changes.
pub(super) struct Swaps {
    /// The places of the rows.
    pub(super) rows: Vec<usize>,
    pub(super) statements: Vec<(Statement, u64)>,
}

/// What goes from one batch to the next.
pub(super) struct Hand {
    pub(super) entropy: Box<dyn Entropy + Send + Sync>,
    /// Rows that were resealed since one was chosen to be verified.
    pub(super) unverified: u32,
    /// Values that were chosen to be verified: their columns take turns.
    pub(super) proofs: usize,
    /// The targets of which a value was chosen, as the first one of each is, and whether one was read back.
    pub(super) proven: SortedMap<usize, bool>,
    /// The characters or bytes of the longest new value, by target.
    pub(super) needed: SortedMap<usize, usize>,
}

impl Ahead {
    pub(super) fn new(task: Task) -> Self {
        Self(Arc::new(Mutex::new(State::Due(Box::new(task)))))
    }

    pub(super) fn is_due(&self) -> bool {
        matches!(*self.0.lock(), State::Due(_))
    }

    /// Does it; nothing to do where it is done. Who does it in another thread waits for its end before
    /// the reply of the step goes to the job.
    pub fn run(&self) {
        let mut state = self.0.lock();
        *state = match mem::replace(&mut *state, State::Away) {
            State::Due(task) => State::Done(task.run()),
            other => other,
        };
    }

    /// What came of it, once.
    pub(super) fn finish(&self) -> Result<Made> {
        self.run();
        match mem::replace(&mut *self.0.lock(), State::Away) {
            State::Done(made) => made,
            State::Due(_) | State::Away => {
                let message = "work on a batch was begun, and not ended: nothing of it is written";
                Err(fixed(ErrorCode::DatabaseError, message))
            }
        }
    }
}

impl Task {
    pub(super) fn run(self) -> Result<Made> {
        let rows = rows_of(&self.walk, self.rows)?;
        let mut hand = self.hand.lock();
        let hand = &mut *hand;
        let taker = Taker {
            walk: &self.walk,
            targets: &self.targets,
            work: self.work,
            without: self.without.as_deref(),
            needed: RefCell::default(),
        };
        let mut fresh = Fresh {
            entropy: &mut Pool::new(&mut *hand.entropy),
            now: self.now,
        };
        let mut done = Vec::with_capacity(rows.len());
        for row in rows {
            let wish = (self.every > 0).then(|| Wish {
                is_due: hand.unverified + 1 >= self.every,
                turn: hand.proofs,
                proven: &hand.proven,
            });
            let row = taker.take(row, wish, &mut fresh)?;
            hand.unverified += u32::from(row.change.is_some());
            if let Some(proof) = &row.proof {
                hand.unverified = 0;
                hand.proofs = hand.proofs.wrapping_add(1);
                if !hand.proven.contains_key(&proof.target) {
                    hand.proven.insert(proof.target, false);
                }
            }
            done.push(row);
        }
        for (target, length) in taker.needed.into_inner() {
            let needed = |longest: &mut usize| *longest = length.max(*longest);
            hand.needed.change(target, needed);
        }
        let swaps = if self.is_dry {
            Vec::new()
        } else {
            swaps(&self.walk, &done)
        };
        Ok(Made { taken: done, swaps })
    }
}

fn swaps(walk: &Walk, taken: &[Taken]) -> Vec<Swaps> {
    let mut groups: SortedMap<Vec<usize>, (Vec<usize>, Vec<&Change>)> = SortedMap::new();
    for (place, row) in taken.iter().enumerate() {
        let Some(change) = &row.change else { continue };
        let columns = change.swaps.iter().map(|swap| swap.column).collect();
        groups.change(columns, |(rows, changes)| {
            rows.push(place);
            changes.push(change);
        });
    }
    groups
        .into_iter()
        .map(|(_, (rows, changes))| Swaps {
            rows,
            statements: walk.swaps(&changes),
        })
        .collect()
}

impl Hand {
    pub(super) fn new(entropy: Box<dyn Entropy + Send + Sync>) -> Self {
        Self {
            entropy,
            unverified: 0,
            proofs: 0,
            proven: SortedMap::new(),
            needed: SortedMap::new(),
        }
    }

    /// Lets the next value of a target be chosen, if none was read back; whether none was.
    pub(super) fn forget_unproven(&mut self, target: usize) -> bool {
        let is_unproven = self.proven.get(&target) != Some(&true);
        if is_unproven {
            self.proven.remove(&target);
        }
        is_unproven
    }
}

/// Rows are not shown.
impl fmt::Debug for Ahead {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Ahead").finish_non_exhaustive()
    }
}
