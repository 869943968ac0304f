//! When a live ring looks at its source, and until when it seals.

use reseal::{Elapsed, ErrorCode, Pace};

/// A look that takes so long, and gives a lease or fails.
fn look(pace: &mut Pace, began: u64, took: u64, lease: Option<u32>) {
    pace.begin(began);
    if let Some(seconds) = lease {
        pace.confirm(began, seconds);
    }
    pace.end(began + took);
}

#[test]
fn a_ring_is_looked_at_at_once_and_then_at_its_pace() {
    let mut pace = Pace::new(10_000, 1_000);
    assert!(pace.is_due(0) && pace.may_reload(0));
    assert!(pace.check_lease(u64::MAX).is_ok(), "no lease runs");
    look(&mut pace, 0, 5, Some(0));
    assert!(!pace.is_due(9_999) && pace.is_due(10_000));
    assert!(!pace.may_reload(1_004) && pace.may_reload(1_005));
    assert!(pace.check_lease(u64::MAX).is_ok());
    assert_eq!(pace.stale_at(), u64::MAX);
}

#[test]
fn a_failing_source_is_asked_with_pauses_however_slow_it_is() {
    let mut pace = Pace::new(10_000, 1_000);
    look(&mut pace, 0, 5_000, None);
    assert!(!pace.is_due(5_999) && pace.is_due(6_000));
    assert!(!pace.may_reload(5_999) && pace.may_reload(6_000));
    // A healthy one that is slower than its pace has a pause as well.
    look(&mut pace, 6_000, 20_000, Some(0));
    assert!(!pace.is_due(26_999) && pace.is_due(27_000));
}

#[test]
fn a_short_lease_is_renewed_before_it_runs_out() {
    let mut pace = Pace::new(10_000, 5_000);
    look(&mut pace, 0, 0, Some(3));
    assert!(!pace.is_due(999) && pace.is_due(1_000));
    look(&mut pace, 1_000, 10, None);
    assert!(
        pace.is_due(2_010),
        "a failure does not wait longer than a third of the lease"
    );
    assert!(pace.check_lease(2_999).is_ok());
    assert_eq!(
        pace.check_lease(3_000).unwrap_err().code(),
        ErrorCode::RingStale
    );
    look(&mut pace, 3_100, 10, Some(3));
    assert!(pace.check_lease(6_099).is_ok());
    assert_eq!(pace.stale_at(), 6_100);
}

#[test]
fn a_slow_reload_interval_never_slows_a_source_down() {
    let mut pace = Pace::new(1_000, 60_000);
    look(&mut pace, 0, 0, Some(0));
    assert!(!pace.may_reload(59_999));
    look(&mut pace, 1_000, 0, None);
    assert!(
        !pace.is_due(1_999) && pace.is_due(2_000),
        "as often as a healthy one"
    );
    assert!(!pace.may_reload(60_999) && pace.may_reload(61_000));
}

#[test]
fn clocks_may_go_wrong() {
    let mut pace = Pace::new(u64::MAX, u64::MAX);
    look(&mut pace, 100_000, 1, Some(u32::MAX));
    assert!(pace.is_due(99_999), "a clock that went back");
    assert!(pace.may_reload(0));
    look(&mut pace, u64::MAX, 0, Some(u32::MAX));
    assert_eq!(pace.stale_at(), u64::MAX);
}

/// Milliseconds since 1970, of some day.
const DAY: u64 = 1_795_132_800_000;

#[test]
fn time_passes_while_the_machine_is_asleep() {
    let mut elapsed = Elapsed::since(700, DAY);
    assert_eq!(elapsed.at(700, DAY), 0);
    assert_eq!(elapsed.at(1_700, DAY + 1_000), 1_000);
    assert_eq!(elapsed.at(1_701, DAY + 3_601_000), 3_601_000);
    assert_eq!(elapsed.at(2_701, DAY + 3_602_000), 3_602_000);
    let mut pace = Pace::new(10_000, 1_000);
    look(&mut pace, 0, 0, Some(3_600));
    assert!(pace.is_due(3_601_000) && pace.check_lease(3_601_000).is_err());
}

#[test]
fn a_wall_clock_that_is_set_does_not_turn_time_back() {
    let mut elapsed = Elapsed::since(0, DAY);
    // A little forward and back, as a clock is kept right.
    assert_eq!(elapsed.at(10, DAY + 900), 10);
    assert_eq!(elapsed.at(20, DAY), 20);
    // Far back, and on from there.
    assert_eq!(elapsed.at(30, 0), 30);
    assert_eq!(elapsed.at(40, 10), 40);
    assert_eq!(elapsed.at(50, 5_010), 5_040);
    // A monotonic clock that is none, and the ends of both.
    assert_eq!(elapsed.at(5, 5_010), 5_040);
    assert_eq!(elapsed.at(51, 5_010), 5_041);
    assert_eq!(elapsed.at(u64::MAX, u64::MAX), u64::MAX);
    assert_eq!(elapsed.at(u64::MAX, 0), u64::MAX);
    assert_eq!(elapsed.at(0, u64::MAX), u64::MAX);
}
