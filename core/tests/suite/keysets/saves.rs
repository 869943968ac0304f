//! Saving: what comes back, what is taken as saved, and how large it may be.

use super::{PLAIN, add, at, code, keyset, load, state, store};
use crate::common::key;
use reseal::{ErrorCode, KeyId, KeyState, KeyUse, Keyset, MAX_KEYSET_BYTES, NewKek, OsEntropy};

#[test]
fn a_keyset_comes_back_as_it_was_saved() {
    let (mut keyset, kek, first) = keyset(0);
    let index = add(&mut keyset, KeyUse::Index, 1);
    keyset.promote(index, at(1), PLAIN).unwrap();
    keyset.relabel(first, "2026 \"é\"").unwrap();
    let text = store(&mut keyset, 2);
    assert!(text.ends_with("}\n"));

    let back = load(&text, &[&kek]).unwrap();
    assert_eq!(back.info(), keyset.info());
    assert_eq!(back.generation(), 2);
    assert_eq!(back.info().issued, "2026-11-20T00:00:02Z");
    let ring = back.ring().unwrap();
    assert_eq!(
        (ring.primary_id(), ring.index_primary_id()),
        (Some(first), Some(index))
    );
    assert_eq!(*back.export_keys(), *keyset.export_keys());
    let shown = format!("{back:?} {:?}", back.info());
    for (_, secret) in back.export_keys() {
        assert!(!shown.contains(&secret[10..20]));
    }
}

#[test]
fn saving_is_pure_until_it_is_said_to_be_done() {
    let (mut keyset, kek, _) = keyset(0);
    let again = add(&mut keyset, KeyUse::Data, 1);
    let one = keyset.save(at(1), &mut OsEntropy).unwrap();
    let other = keyset.save(at(2), &mut OsEntropy).unwrap();
    assert_eq!(keyset.generation(), 1);
    assert_ne!(one, other, "fresh nonces");
    assert_eq!(load(&one, &[&kek]).unwrap().generation(), 2);
    keyset.saved(&other).unwrap();
    assert_eq!(keyset.generation(), 2);
    assert_eq!(code(keyset.saved(&one)), ErrorCode::KeysetConflict);
    let changed = keyset
        .save(at(3), &mut OsEntropy)
        .unwrap()
        .replace("introduced", "disabled");
    assert_eq!(code(keyset.saved(&changed)), ErrorCode::KeysetConflict);
    let forged = keyset
        .save(at(3), &mut OsEntropy)
        .unwrap()
        .replace(":03Z", ":04Z");
    assert_eq!(code(keyset.saved(&forged)), ErrorCode::KeysetTampered);
    let stranger = self::keyset(0).0.save(at(0), &mut OsEntropy).unwrap();
    assert_eq!(code(keyset.saved(&stranger)), ErrorCode::KeysetConflict);
    assert_eq!(state(&keyset, again), KeyState::Introduced);
}

type Change = fn(&mut Keyset, KeyId);

#[test]
fn only_the_document_that_save_gave_is_taken_as_saved() {
    let (mut keyset, kek, _) = keyset(0);
    let third = add(&mut keyset, KeyUse::Data, 1);
    keyset.promote(third, at(1), PLAIN).unwrap();
    let common = store(&mut keyset, 1);
    let mut other = load(&common, &[&kek]).unwrap();
    add(&mut other, KeyUse::Data, 2);
    let others = other.save(at(2), &mut OsEntropy).unwrap();
    let changes: [Change; 7] = [
        |keyset, _| assert_ne!(add(keyset, KeyUse::Data, 3), key(KeyUse::Data).id()),
        |keyset, id| keyset.relabel(id, "other").unwrap(),
        |keyset, _| keyset.set_lease_seconds(9).unwrap(),
        |keyset, id| keyset.disable(id, at(3), true).unwrap(),
        |keyset, id| assert_ne!(keyset.revert(KeyUse::Data, at(3)).unwrap(), id),
        |keyset, _| {
            let new = NewKek::key(key(KeyUse::Kek)).unwrap();
            keyset.add_kek(new).unwrap();
        },
        |keyset, _| {
            let first = keyset.info().keks[0].id;
            let new = NewKek::key(key(KeyUse::Kek)).unwrap();
            keyset.add_kek(new).unwrap();
            keyset.remove_kek(first).unwrap();
        },
    ];
    for change in changes {
        let mut keyset = load(&common, &[&kek]).unwrap();
        assert_eq!(code(keyset.saved(&others)), ErrorCode::KeysetConflict);
        let text = keyset.save(at(2), &mut OsEntropy).unwrap();
        change(&mut keyset, third);
        let before = keyset.info();
        assert_eq!(code(keyset.saved(&text)), ErrorCode::KeysetConflict);
        assert_eq!(keyset.info(), before);
        assert!(
            keyset.save(at(4), &mut OsEntropy).is_ok(),
            "nothing is lost"
        );
    }
}

#[test]
fn a_document_of_the_greatest_size_and_no_more() {
    let (mut keyset, kek, _) = keyset(0);
    let text = store(&mut keyset, 1);
    let padded = format!("{text}{}", " ".repeat(MAX_KEYSET_BYTES - text.len()));
    assert!(load(&padded, &[&kek]).is_ok());
    assert_eq!(
        code(load(&format!("{padded} "), &[&kek])),
        ErrorCode::KeysetMalformed
    );
    while keyset.save(at(1), &mut OsEntropy).is_ok() {
        for _ in 0..500 {
            add(&mut keyset, KeyUse::Data, 1);
        }
    }
    assert_eq!(
        code(keyset.save(at(1), &mut OsEntropy)),
        ErrorCode::InvalidArgument
    );
}

#[test]
fn a_keyset_that_is_too_large_for_indents_is_still_edited() {
    let (mut keyset, kek, _) = keyset(0);
    let mut text = String::new();
    for _ in 0..40 {
        for _ in 0..100 {
            add(&mut keyset, KeyUse::Data, 1);
        }
        let Ok(next) = keyset.save(at(1), &mut OsEntropy) else {
            break;
        };
        text = next;
    }
    assert!(
        text.len() > 900_000 && !text.contains("\n "),
        "compact: {}",
        text.len()
    );
    assert!(load(&text, &[&kek]).is_ok());
}
