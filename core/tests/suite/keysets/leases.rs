//! Leases: what a promotion waits for, which detours there are not, and the bounds of times.

use super::{BACK, PLAIN, add, at, code, keyset, state, store};
use crate::common::{Repeating, key};
use reseal::{ErrorCode, KeyState, KeyUse, Keyset, NewKek, OsEntropy, Promotion, Timestamp};

const EARLY: Promotion = Promotion {
    early: true,
    back: false,
};

#[test]
fn promoting_waits_for_the_lease() {
    let (mut keyset, _, first) = keyset(3600);
    let second = add(&mut keyset, KeyUse::Data, 5);
    assert_eq!(
        code(keyset.promote(second, at(9999), PLAIN)),
        ErrorCode::KeysetTransition
    );
    store(&mut keyset, 10);
    for seconds in [0, 10, 3609] {
        let error = keyset.promote(second, at(seconds), PLAIN).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysetTransition, "{seconds}");
        assert!(error.to_string().contains("early"), "{error}");
        assert_eq!(
            code(keyset.promote(second, at(seconds), BACK)),
            ErrorCode::KeysetTransition
        );
    }
    keyset.promote(second, at(3610), PLAIN).unwrap();
    assert_eq!(state(&keyset, first), KeyState::DecryptOnly);
    let third = add(&mut keyset, KeyUse::Data, 4000);
    keyset.promote(third, at(4000), EARLY).unwrap();
    assert_eq!(keyset.ring().unwrap().primary_id(), Some(third));
}

#[test]
fn a_new_keyset_and_one_without_a_lease_wait_for_nobody() {
    let new = NewKek::key(key(KeyUse::Kek)).unwrap();
    let mut fresh = Keyset::create(new, 3600, at(0), &mut OsEntropy).unwrap();
    let id = add(&mut fresh, KeyUse::Data, 0);
    fresh.promote(id, at(0), PLAIN).unwrap();
    let (mut without, _, _) = keyset(0);
    let id = add(&mut without, KeyUse::Data, 5);
    without.promote(id, at(5), PLAIN).unwrap();
}

#[test]
fn going_back_is_no_detour_around_the_lease() {
    // Enabled in the second in which another key was replaced: it looks like that one.
    let (mut keyset, _, first) = keyset(3600);
    let second = add(&mut keyset, KeyUse::Data, 1);
    store(&mut keyset, 1);
    let young = add(&mut keyset, KeyUse::Data, 4000);
    keyset.disable(young, at(4000), false).unwrap();
    keyset.enable(young, at(4000)).unwrap();
    keyset.promote(second, at(4000), PLAIN).unwrap();
    store(&mut keyset, 4000);
    assert_eq!(
        code(keyset.revert(KeyUse::Data, at(4001))),
        ErrorCode::KeysetTransition
    );
    assert_eq!(state(&keyset, second), KeyState::Primary);
    keyset.promote(first, at(4002), BACK).unwrap();
    assert_eq!(keyset.revert(KeyUse::Data, at(4003)).unwrap(), second);
}

#[test]
fn the_lease_cannot_be_passed_by_detours() {
    // A shorter lease in the same edit: processes still have the old one.
    let (mut keyset, _, _) = keyset(3600);
    let second = add(&mut keyset, KeyUse::Data, 1);
    store(&mut keyset, 1);
    keyset.set_lease_seconds(0).unwrap();
    assert_eq!(
        code(keyset.promote(second, at(5), PLAIN)),
        ErrorCode::KeysetTransition
    );
    // A key that was never saved is known to nobody, however old it is.
    let third = add(&mut keyset, KeyUse::Data, 5);
    assert_eq!(
        code(keyset.promote(third, at(9000), PLAIN)),
        ErrorCode::KeysetTransition
    );
    keyset.set_lease_seconds(3600).unwrap();
    store(&mut keyset, 9000);
    assert_eq!(
        code(keyset.promote(third, at(9001), PLAIN)),
        ErrorCode::KeysetTransition
    );
    keyset.promote(third, at(9000 + 3600), PLAIN).unwrap();
    // A young key that was disabled and enabled looks like an old primary.
    let fourth = add(&mut keyset, KeyUse::Data, 20_000);
    store(&mut keyset, 20_000);
    keyset.disable(fourth, at(20_001), false).unwrap();
    keyset.enable(fourth, at(20_002)).unwrap();
    assert_eq!(
        code(keyset.promote(fourth, at(20_003), BACK)),
        ErrorCode::KeysetTransition
    );
    let reverted = keyset.revert(KeyUse::Data, at(20_003)).unwrap();
    assert_ne!(reverted, fourth);
    let both = Promotion {
        early: true,
        back: true,
    };
    keyset.promote(fourth, at(20_004), both).unwrap();
}

#[test]
fn leases_and_times_have_bounds() {
    let (mut keyset, kek, _) = keyset(0);
    keyset.set_lease_seconds(31_536_000).unwrap();
    assert_eq!(
        code(keyset.set_lease_seconds(31_536_001)),
        ErrorCode::InvalidArgument
    );
    let new = NewKek::key(kek).unwrap();
    let refused = Keyset::create(new, u32::MAX, at(0), &mut Repeating);
    assert_eq!(code(refused), ErrorCode::InvalidArgument);
    assert_eq!(
        Timestamp::from_unix(253_402_300_799).unwrap().to_string(),
        "9999-12-31T23:59:59Z"
    );
    assert_eq!(
        code(Timestamp::from_unix(253_402_300_800)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(Timestamp::from_unix(u64::MAX)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        Timestamp::from_unix(951_782_400).unwrap().to_string(),
        "2000-02-29T00:00:00Z"
    );
}
