//! The states of keys, and the moves from one to another.

use super::{BACK, PLAIN, add, at, code, keyset, state, store};
use crate::common::key;
use reseal::{ErrorCode, KeyId, KeyState, KeyUse, Keyset, OsEntropy, Result};

/// Section 10, every state with every move.
#[test]
fn every_illegal_move_names_the_legal_ones() {
    type Move = fn(&mut Keyset, KeyId) -> Result<()>;
    let moves: [(&str, Move); 6] = [
        ("promote", |keyset, id| keyset.promote(id, at(9), PLAIN)),
        ("back", |keyset, id| keyset.promote(id, at(9), BACK)),
        ("disable", |keyset, id| keyset.disable(id, at(9), false)),
        ("emergency", |keyset, id| keyset.disable(id, at(9), true)),
        ("enable", |keyset, id| keyset.enable(id, at(9))),
        ("destroy", |keyset, id| keyset.destroy(id, at(9))),
    ];
    let table = [
        (
            KeyState::Introduced,
            &["promote", "back", "disable", "emergency"][..],
        ),
        (KeyState::Primary, &["emergency"]),
        (KeyState::DecryptOnly, &["back", "disable", "emergency"]),
        (KeyState::Disabled, &["enable", "destroy"]),
        (KeyState::Destroyed, &[]),
    ];
    for (from, legal) in table {
        for (name, act) in moves {
            let (mut keyset, id) = in_state(from);
            let before = keyset.info();
            let done = act(&mut keyset, id);
            assert_eq!(done.is_ok(), legal.contains(&name), "{from:?} {name}");
            if let Err(error) = done {
                assert_eq!(error.code(), ErrorCode::KeysetTransition);
                assert!(error.to_string().contains(from.as_str()), "{error}");
                assert_eq!(keyset.info(), before, "nothing is half done");
            } else {
                assert_eq!(
                    keyset
                        .info()
                        .keys
                        .iter()
                        .find(|k| k.id == id)
                        .unwrap()
                        .changed,
                    at(9).to_string()
                );
            }
        }
    }
}

fn in_state(state: KeyState) -> (Keyset, KeyId) {
    let (mut keyset, _, first) = keyset(0);
    let second = add(&mut keyset, KeyUse::Data, 1);
    let id = match state {
        KeyState::Introduced => second,
        KeyState::Primary => first,
        _ => {
            keyset.promote(second, at(2), PLAIN).unwrap();
            first
        }
    };
    if matches!(state, KeyState::Disabled | KeyState::Destroyed) {
        keyset.disable(id, at(3), false).unwrap();
    }
    if state == KeyState::Destroyed {
        keyset.destroy(id, at(4)).unwrap();
    }
    assert_eq!(self::state(&keyset, id), state);
    (keyset, id)
}

#[test]
fn a_destroyed_key_leaves_a_tombstone_and_no_material() {
    let (mut keyset, id) = in_state(KeyState::Destroyed);
    let text = store(&mut keyset, 5);
    assert!(text.contains(&id.to_string()));
    assert_eq!(keyset.export_keys().len(), 1);
    let ring = keyset.ring().unwrap();
    let tombstone = ring.keys().find(|key| key.id == id).unwrap();
    assert_eq!(tombstone.state, KeyState::Destroyed);
    assert_eq!(text.matches("\"wraps\": {}").count(), 1, "{text}");
}

#[test]
fn an_emergency_stops_sealing() {
    let (mut keyset, _, first) = keyset(3600);
    keyset.disable(first, at(1), true).unwrap();
    let ring = keyset.ring().unwrap();
    assert_eq!(ring.primary_id(), None);
    assert_eq!(code(ring.canary(&mut OsEntropy)), ErrorCode::NoPrimary);
    let text = store(&mut keyset, 1);
    assert!(text.contains("\"primary\": {}"), "{text}");
}

#[test]
fn an_unknown_id_is_the_callers_mistake() {
    let (mut keyset, _, _) = keyset(0);
    let stranger = key(KeyUse::Data).id();
    assert_eq!(
        code(keyset.promote(stranger, at(0), PLAIN)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(keyset.disable(stranger, at(0), false)),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(keyset.enable(stranger, at(0))),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(keyset.destroy(stranger, at(0))),
        ErrorCode::InvalidArgument
    );
    assert_eq!(
        code(keyset.relabel(stranger, "")),
        ErrorCode::InvalidArgument
    );
}
