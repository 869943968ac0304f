//! When a live ring looks at its source again. The clock is JavaScript's.

use crate::memory::{DONE, call};
use reseal::{Elapsed, Pace};
use wasm_bindgen::prelude::wasm_bindgen;

/// The pace of a live ring. Times are milliseconds of any clock that does not go back.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmPace(Pace);

/// How much time passed, the sleep of the machine included. Times are milliseconds, as JavaScript has
/// them.
#[wasm_bindgen]
#[derive(Debug)]
pub struct WasmElapsed(Elapsed);

#[wasm_bindgen]
impl WasmElapsed {
    /// Begins now, by a monotonic clock and by the wall clock.
    #[wasm_bindgen(constructor)]
    pub fn new(monotonic_ms: f64, wall_ms: f64) -> WasmElapsed {
        Self(Elapsed::since(whole(monotonic_ms), whole(wall_ms)))
    }

    /// The whole milliseconds that passed until now.
    pub fn at(&mut self, monotonic_ms: f64, wall_ms: f64) -> f64 {
        number(self.0.at(whole(monotonic_ms), whole(wall_ms)))
    }
}

/// Nothing for a time before the beginning of its clock.
#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "what is cut off is a part of a millisecond, and the cast saturates"
)]
const fn whole(milliseconds: f64) -> u64 {
    milliseconds as u64
}

#[expect(
    clippy::cast_precision_loss,
    reason = "exact for three hundred thousand years"
)]
const fn number(milliseconds: u64) -> f64 {
    milliseconds as f64
}

#[wasm_bindgen]
impl WasmPace {
    /// Looks every `check_ms`, and when there is need not more often than every `reload_ms`.
    #[wasm_bindgen(constructor)]
    pub fn new(check_ms: u64, reload_ms: u64) -> WasmPace {
        Self(Pace::new(check_ms, reload_ms))
    }

    /// When the source is to be looked at next.
    #[wasm_bindgen(js_name = dueAt)]
    pub fn due_at(&self) -> u64 {
        self.0.due_at()
    }

    /// When the lease runs out.
    #[wasm_bindgen(js_name = staleAt)]
    pub fn stale_at(&self) -> u64 {
        self.0.stale_at()
    }

    /// A look begins.
    pub fn begin(&mut self, now: u64) {
        self.0.begin(now);
    }

    /// The source gave a ring; `began` is when the look did.
    pub fn confirm(&mut self, began: u64, lease_seconds: u32) {
        self.0.confirm(began, lease_seconds);
    }

    /// The look is over, also where it failed.
    pub fn end(&mut self, now: u64) {
        self.0.end(now);
    }

    /// Fails where the lease has run out.
    #[wasm_bindgen(js_name = checkLease)]
    pub fn check_lease(&self, now: u64) -> u8 {
        call(0, |_, _| self.0.check_lease(now).map(|()| DONE))
    }

    /// Whether an unknown key may cause a look now.
    #[wasm_bindgen(js_name = mayReload)]
    pub fn may_reload(&self, now: u64) -> bool {
        self.0.may_reload(now)
    }
}
