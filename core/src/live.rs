//! When a ring that follows a source looks at it again, and how much time passed. There is no clock here.

use crate::error::{ErrorCode, Result, fixed};

/// By how much the wall clock is ahead after a sleep, at least. Corrections of a clock are smaller.
const SLEEP_MS: u64 = 1_000;

/// The pace of a live ring: when its source is due, and until when it may seal.
///
/// Times are milliseconds of any clock that does not go back. The caller looks at the source when
/// [`Pace::is_due`], and says what came of it.
///
/// # Example
/// ```
/// use reseal::Pace;
/// let mut pace = Pace::new(10_000, 1_000);
/// assert!(pace.is_due(0)); // it was never loaded
/// pace.begin(0);
/// pace.confirm(0, 60);
/// pace.end(0);
/// assert!(!pace.is_due(9_999));
/// assert!(pace.is_due(10_000));
/// assert!(pace.check_lease(59_999).is_ok());
/// assert!(pace.check_lease(60_000).is_err());
/// ```
///
/// # Spec
/// Section 10.
#[derive(Clone, Debug)]
pub struct Pace {
    check_ms: u64,
    reload_ms: u64,
    lease_ms: u64,
    began_at: u64,
    due_at: u64,
    reload_at: u64,
    /// `None` where no lease runs.
    stale_at: Option<u64>,
}

impl Pace {
    /// Looks at the source every `check_ms`, and sooner for an unknown key or after a failure, with
    /// a pause of `reload_ms` in between.
    #[must_use]
    pub const fn new(check_ms: u64, reload_ms: u64) -> Self {
        Self {
            check_ms,
            reload_ms,
            lease_ms: 0,
            began_at: 0,
            due_at: 0,
            reload_at: 0,
            stale_at: None,
        }
    }

    /// Whether the source is to be looked at; also where the clock went back.
    #[must_use]
    pub const fn is_due(&self, now: u64) -> bool {
        now >= self.due_at || now < self.began_at
    }

    /// When the source is to be looked at next, so that a caller may compare for himself.
    #[must_use]
    pub const fn due_at(&self) -> u64 {
        self.due_at
    }

    /// When the lease runs out, if the source does not confirm the ring before; `u64::MAX` where
    /// no lease runs.
    #[must_use]
    pub const fn stale_at(&self) -> u64 {
        match self.stale_at {
            Some(at) => at,
            None => u64::MAX,
        }
    }

    /// A look begins: no other one is due meanwhile.
    pub fn begin(&mut self, now: u64) {
        self.began_at = now;
        self.end(now);
    }

    /// The source gave a ring, or the same as before. `began` is when the look began. A lease of 0
    /// seconds never runs out; a short one shortens the pace, so that it is renewed in time.
    pub fn confirm(&mut self, began: u64, lease_seconds: u32) {
        self.lease_ms = u64::from(lease_seconds).saturating_mul(1000);
        self.stale_at = (self.lease_ms > 0).then(|| began.saturating_add(self.lease_ms));
        self.due_at = began.saturating_add(self.check_ms.min(self.third_of_lease()));
    }

    /// The look is over, also where it failed: however long it took, there is a pause now.
    pub fn end(&mut self, now: u64) {
        let pause = self.reload_ms.min(self.check_ms).min(self.third_of_lease());
        self.due_at = self.due_at.max(now.saturating_add(pause));
        self.reload_at = now.saturating_add(self.reload_ms);
    }

    /// That the ring may seal.
    ///
    /// # Errors
    /// `ring-stale`.
    pub fn check_lease(&self, now: u64) -> Result<()> {
        match self.stale_at {
            Some(at) if now >= at => Err(fixed(
                ErrorCode::RingStale,
                "the lease of this ring has run out, as its source did not confirm it in time: it opens, and seals again once the source can be read",
            )),
            _ => Ok(()),
        }
    }

    /// Whether an unknown key may cause a look now.
    #[must_use]
    pub const fn may_reload(&self, now: u64) -> bool {
        now >= self.reload_at || now < self.began_at
    }

    const fn third_of_lease(&self) -> u64 {
        match self.lease_ms {
            0 => u64::MAX,
            lease => lease / 3,
        }
    }
}

/// Milliseconds that passed, those included in which the machine was asleep.
///
/// A monotonic clock never goes back, but on most systems it stands still while the machine is suspended
/// or a snapshot of it waits to be restored. A lease goes on meanwhile for everybody else. So where the
/// wall clock has gone on by a second more than the monotonic one between two calls, it is believed;
/// where it went back, or somebody set it a little, it is not.
///
/// # Example
/// ```
/// use reseal::Elapsed;
/// let mut elapsed = Elapsed::since(5_000, 1_800_000_000_000);
/// assert_eq!(elapsed.at(6_000, 1_800_000_001_000), 1_000);
/// // A night of sleep.
/// assert_eq!(elapsed.at(6_001, 1_800_028_800_000), 28_800_000);
/// // The wall clock was set back.
/// assert_eq!(elapsed.at(6_002, 1_700_000_000_000), 28_800_001);
/// ```
///
/// # Spec
/// Section 10.
#[derive(Clone, Copy, Debug)]
pub struct Elapsed {
    monotonic: u64,
    wall: u64,
    passed: u64,
}

impl Elapsed {
    /// Begins now, by a monotonic clock of any beginning and by the wall clock.
    #[must_use]
    pub const fn since(monotonic_ms: u64, wall_ms: u64) -> Self {
        Self {
            monotonic: monotonic_ms,
            wall: wall_ms,
            passed: 0,
        }
    }

    /// The milliseconds from the beginning until now, by the same clocks. It never goes back.
    pub fn at(&mut self, monotonic_ms: u64, wall_ms: u64) -> u64 {
        let awake = monotonic_ms.saturating_sub(self.monotonic);
        let by_wall = wall_ms.saturating_sub(self.wall);
        let asleep = by_wall > awake.saturating_add(SLEEP_MS);
        let passed = if asleep { by_wall } else { awake };
        self.passed = self.passed.saturating_add(passed);
        self.monotonic = self.monotonic.max(monotonic_ms);
        self.wall = wall_ms;
        self.passed
    }
}
