//! Rotations, and going back to the primary before.

use super::{BACK, PLAIN, add, at, code, keyset, state, store};
use crate::common::key;
use reseal::{ErrorCode, KeyId, KeyState, KeyUse, Keyset};

#[test]
fn a_rotation_is_done_or_not_begun() {
    let (mut keyset, kek, first) = keyset(3600);
    let fresh = key(KeyUse::Data);
    let before = keyset.info();
    let error = keyset.rotate(fresh.clone(), "q", at(9), false).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysetTransition);
    assert!(error.to_string().contains("(early)"), "{error}");
    assert_eq!(keyset.info(), before);
    assert_eq!(keyset.export_keys().len(), 1);
    let id = keyset.rotate(fresh.clone(), "q", at(9), true).unwrap();
    assert_eq!(keyset.ring().unwrap().primary_id(), Some(id));
    assert_eq!(state(&keyset, first), KeyState::DecryptOnly);
    for (wrong, label, expected) in [
        (fresh, "", ErrorCode::DuplicateKey),
        (kek, "", ErrorCode::KeyWrongUse),
        (key(KeyUse::Data), "\n", ErrorCode::InvalidArgument),
    ] {
        let before = keyset.info();
        assert_eq!(code(keyset.rotate(wrong, label, at(9), true)), expected);
        assert_eq!(keyset.info(), before);
    }
    // A shorter lease is none yet for those who have the old one.
    keyset.set_lease_seconds(0).unwrap();
    let fresh = || key(KeyUse::Data);
    assert_eq!(
        code(keyset.rotate(fresh(), "", at(10), false)),
        ErrorCode::KeysetTransition
    );
    store(&mut keyset, 10);
    keyset.rotate(fresh(), "", at(11), false).unwrap();
}

#[test]
fn going_back_takes_the_last_primary() {
    let (mut keyset, _, first) = keyset(0);
    assert_eq!(
        code(keyset.revert(KeyUse::Data, at(1))),
        ErrorCode::KeysetTransition
    );
    let [second, third] = [2, 3].map(|seconds| {
        let id = add(&mut keyset, KeyUse::Data, seconds);
        keyset.promote(id, at(seconds), PLAIN).unwrap();
        id
    });
    // A key that comes back from disabled later is not the last primary.
    keyset.disable(first, at(4), false).unwrap();
    keyset.enable(first, at(5)).unwrap();
    assert_eq!(keyset.revert(KeyUse::Data, at(6)).unwrap(), second);
    assert_eq!(keyset.ring().unwrap().primary_id(), Some(second));
    assert_eq!(state(&keyset, third), KeyState::DecryptOnly);
    assert_eq!(keyset.revert(KeyUse::Data, at(7)).unwrap(), third);
    assert_eq!(
        code(keyset.revert(KeyUse::Index, at(8))),
        ErrorCode::KeysetTransition
    );
}

/// A keyset where a key was replaced, and one that never sealed was brought back: `old`, `new` and
/// `stray`.
fn with_a_stray(enabled: u64, promoted: u64) -> (Keyset, [KeyId; 3]) {
    let (mut keyset, _, old) = keyset(0);
    let [new, stray] = [1, 2].map(|seconds| add(&mut keyset, KeyUse::Data, seconds));
    keyset.disable(stray, at(3), false).unwrap();
    keyset.promote(new, at(promoted), PLAIN).unwrap();
    keyset.enable(stray, at(enabled)).unwrap();
    (keyset, [old, new, stray])
}

#[test]
fn going_back_takes_no_key_that_may_never_have_been_primary() {
    let no_way_back = |keyset: &mut Keyset, listed: &[KeyId], why: &str| {
        let before = keyset.info();
        let error = keyset.revert(KeyUse::Data, at(30)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KeysetTransition, "{why}");
        let ids = listed.iter().map(ToString::to_string);
        let ids = ids.collect::<Vec<_>>().join(", ");
        assert!(
            error.to_string().ends_with(&format!("(back): {ids}")),
            "{error}"
        );
        assert_eq!(keyset.info(), before, "{why}");
    };
    // The dates tell the two apart, whichever changed first.
    for (enabled, promoted) in [(9, 10), (10, 9)] {
        let (mut keyset, [old, _, _]) = with_a_stray(enabled, promoted);
        assert_eq!(keyset.revert(KeyUse::Data, at(20)).unwrap(), old);
    }
    let (mut keyset, [old, _, stray]) = with_a_stray(10, 10);
    no_way_back(&mut keyset, &[old, stray], "in one second");
    keyset.promote(old, at(31), BACK).unwrap();

    let (mut keyset, [old, new, stray]) = with_a_stray(9, 10);
    keyset.disable(new, at(20), true).unwrap();
    no_way_back(
        &mut keyset,
        &[old, stray],
        "the date of the promotion is gone",
    );
    keyset.disable(stray, at(31), false).unwrap();
    assert_eq!(keyset.revert(KeyUse::Data, at(32)).unwrap(), old);

    let (mut keyset, [old, _, stray]) = with_a_stray(9, 10);
    keyset.disable(old, at(20), false).unwrap();
    no_way_back(&mut keyset, &[stray], "what was replaced opens no more");
}

#[test]
fn after_an_emergency_the_only_key_that_is_left_comes_back_when_all_know_it() {
    let (mut keyset, _, first) = keyset(3600);
    let second = add(&mut keyset, KeyUse::Data, 1);
    store(&mut keyset, 1);
    keyset.promote(second, at(3601), PLAIN).unwrap();
    keyset.disable(second, at(3602), true).unwrap();
    assert_eq!(keyset.revert(KeyUse::Data, at(3603)).unwrap(), first);

    let (mut keyset, _, first) = self::keyset(3600);
    let young = add(&mut keyset, KeyUse::Data, 5000);
    store(&mut keyset, 5000);
    keyset.disable(young, at(5001), false).unwrap();
    keyset.enable(young, at(5002)).unwrap();
    keyset.disable(first, at(5003), true).unwrap();
    assert_eq!(
        code(keyset.revert(KeyUse::Data, at(5004))),
        ErrorCode::KeysetTransition
    );
    keyset.revert(KeyUse::Data, at(8600)).unwrap();
}
