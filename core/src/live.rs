//! When a ring that follows a source looks at it again. There is no clock here.

use crate::error::{ErrorCode, Result, fixed};

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
    due_at: u64,
    stale_at: u64,
    reload_at: u64,
}

impl Pace {
    /// Looks at the source every `check_ms`, and at once for an unknown key or after a failure, but
    /// not more often than every `reload_ms`.
    #[must_use]
    pub const fn new(check_ms: u64, reload_ms: u64) -> Self {
        Self {
            check_ms,
            reload_ms,
            due_at: 0,
            stale_at: u64::MAX,
            reload_at: 0,
        }
    }

    /// Whether the source is to be looked at.
    #[must_use]
    pub const fn is_due(&self, now: u64) -> bool {
        now >= self.due_at
    }

    /// When the source is to be looked at next, so that a caller may compare for himself.
    #[must_use]
    pub const fn due_at(&self) -> u64 {
        self.due_at
    }

    /// When the lease runs out, if the source does not confirm the ring before.
    #[must_use]
    pub const fn stale_at(&self) -> u64 {
        self.stale_at
    }

    /// A look begins: no other one is due for a while, also where this one fails.
    pub const fn begin(&mut self, now: u64) {
        self.due_at = now.saturating_add(self.reload_ms);
        self.reload_at = self.due_at;
    }

    /// The source gave a ring, or the same as before. `now` is when the look began. A lease of 0
    /// seconds never runs out; a short one shortens the pace, so that it is renewed in time.
    pub fn confirm(&mut self, now: u64, lease_seconds: u32) {
        let lease_ms = u64::from(lease_seconds).saturating_mul(1000);
        let pause = match lease_ms {
            0 => self.check_ms,
            _ => self.check_ms.min(lease_ms / 3),
        };
        self.due_at = now.saturating_add(pause);
        self.stale_at = match lease_ms {
            0 => u64::MAX,
            _ => now.saturating_add(lease_ms),
        };
    }

    /// That the ring may seal.
    ///
    /// # Errors
    /// `ring-stale`.
    pub const fn check_lease(&self, now: u64) -> Result<()> {
        if now < self.stale_at {
            return Ok(());
        }
        Err(fixed(
            ErrorCode::RingStale,
            "the lease of this ring has run out, as its source did not confirm it in time: it opens, and seals again once the source can be read",
        ))
    }

    /// Whether an unknown key may cause a look now.
    #[must_use]
    pub const fn may_reload(&self, now: u64) -> bool {
        now >= self.reload_at
    }
}
