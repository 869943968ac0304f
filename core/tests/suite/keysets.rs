//! Keysets: the moves of keys, key-encrypting keys, documents, and what is refused.

use crate::common::{Repeating, key};
use reseal::{
    Argon2id, ErrorCode, Expect, ExternalKek, KekKind, Key, KeyId, KeyState, KeyUse, Keyset,
    KeysetDocument, MAX_KEYSET_BYTES, NewKek, OsEntropy, Promotion, Result, Timestamp,
};

const EARLY: Promotion = Promotion {
    early: true,
    back: false,
};
const BACK: Promotion = Promotion {
    early: false,
    back: true,
};
const PLAIN: Promotion = Promotion {
    early: false,
    back: false,
};

fn at(seconds: u64) -> Timestamp {
    Timestamp::from_unix(1_795_132_800 + seconds).unwrap()
}

fn code<T: core::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

/// A keyset with a primary data key, stored once, and its key-encrypting key.
fn keyset(lease_seconds: u32) -> (Keyset, Key, KeyId) {
    let kek = key(KeyUse::Kek);
    let new = NewKek::key(kek.clone()).unwrap();
    let mut keyset = Keyset::create(new, lease_seconds, at(0), &mut OsEntropy).unwrap();
    let first = add(&mut keyset, KeyUse::Data, 0);
    keyset.promote(first, at(0), PLAIN).unwrap();
    store(&mut keyset, 0);
    (keyset, kek, first)
}

fn add(keyset: &mut Keyset, key_use: KeyUse, seconds: u64) -> KeyId {
    keyset.introduce(key(key_use), "", at(seconds)).unwrap()
}

fn store(keyset: &mut Keyset, seconds: u64) -> String {
    let text = keyset.save(at(seconds), &mut OsEntropy).unwrap();
    keyset.saved(&text).unwrap();
    text
}

fn load(text: &str, keks: &[&Key]) -> Result<Keyset> {
    let keks: Vec<Key> = keks.iter().map(|kek| (*kek).clone()).collect();
    KeysetDocument::parse(text.as_bytes())?.unlock(&keks, &Expect::default())
}

fn state(keyset: &Keyset, id: KeyId) -> KeyState {
    let keys = keyset.info().keys;
    keys.iter().find(|key| key.id == id).unwrap().state
}

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
fn keys_come_in_once_and_with_a_label() {
    let (mut keyset, kek, first) = keyset(0);
    let fresh = key(KeyUse::Data);
    let id = keyset
        .introduce(fresh.clone(), &"é".repeat(64), at(1))
        .unwrap();
    assert_eq!(
        code(keyset.introduce(fresh.clone(), "", at(1))),
        ErrorCode::DuplicateKey
    );
    assert_eq!(
        code(keyset.introduce(kek, "", at(1))),
        ErrorCode::KeyWrongUse
    );
    for label in ["\n", "\x7F", "rsk1.data.x", &"x".repeat(65)] {
        let refused = keyset.introduce(key(KeyUse::Data), label, at(1));
        assert_eq!(code(refused), ErrorCode::InvalidArgument);
        assert_eq!(
            code(keyset.relabel(first, label)),
            ErrorCode::InvalidArgument
        );
    }
    keyset.disable(id, at(2), false).unwrap();
    keyset.destroy(id, at(2)).unwrap();
    assert_eq!(
        code(keyset.introduce(fresh, "", at(3))),
        ErrorCode::DuplicateKey
    );
    assert_eq!(keyset.info().keys.len(), 2);
}

#[test]
fn people_abbreviate_ids() {
    let (keyset, kek, first) = keyset(0);
    let text = first.to_string();
    for end in [4, 8, 32] {
        assert_eq!(keyset.find(&text[..end]).unwrap(), first);
    }
    for bad in ["", "abc", "ABCD", "rsk1.data.x", &format!("{text}a")] {
        let error = keyset.find(bad).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
        assert!(
            bad.is_empty() || bad == "abc" || !error.to_string().contains(bad),
            "{error}"
        );
    }
    assert_eq!(
        keyset.find_kek(&kek.id().to_string()[..8]).unwrap(),
        kek.id()
    );
}

#[test]
fn a_new_kek_goes_around_the_same_keys() {
    let (mut keyset, old, first) = keyset(0);
    let new = key(KeyUse::Kek);
    assert_eq!(
        code(keyset.add_kek(NewKek::key(old.clone()).unwrap())),
        ErrorCode::DuplicateKey
    );
    assert_eq!(
        code(keyset.remove_kek(old.id())),
        ErrorCode::KeysetTransition
    );
    keyset.add_kek(NewKek::key(new.clone()).unwrap()).unwrap();
    let both = store(&mut keyset, 1);
    for kek in [&old, &new] {
        let loaded = load(&both, &[kek]).unwrap();
        assert_eq!(loaded.ring().unwrap().primary_id(), Some(first));
        // Writers hold every key-encrypting key.
        let error = loaded.save(at(2), &mut OsEntropy).unwrap_err();
        assert_eq!(error.code(), ErrorCode::KekMismatch);
        assert_eq!(code(loaded.verify()), ErrorCode::KekMismatch);
    }
    // One that is lost can be removed by whoever has another.
    let mut rest = load(&both, &[&new]).unwrap();
    rest.remove_kek(old.id()).unwrap();
    let text = store(&mut rest, 2);
    assert_eq!(code(load(&text, &[&old])), ErrorCode::KekMismatch);
    assert!(
        load(&text, &[&new, &old]).unwrap().verify().is_ok(),
        "one is enough"
    );
    assert_eq!(code(rest.remove_kek(old.id())), ErrorCode::InvalidArgument);
    assert_eq!(code(NewKek::key(key(KeyUse::Data))), ErrorCode::KeyWrongUse);
    let document = KeysetDocument::parse(text.as_bytes()).unwrap();
    assert_eq!(
        code(document.unlock(&[key(KeyUse::Data)], &Expect::default())),
        ErrorCode::KeyWrongUse
    );
}

#[test]
fn eight_keks_and_one_passphrase() {
    let (mut keyset, _, _) = keyset(0);
    let passphrase = || {
        let argon2id = Argon2id::generate(&mut OsEntropy).unwrap();
        NewKek::derived(key(KeyUse::Kek), argon2id).unwrap()
    };
    keyset.add_kek(passphrase()).unwrap();
    assert_eq!(
        code(keyset.add_kek(passphrase())),
        ErrorCode::KeysetTransition
    );
    let external = ExternalKek {
        provider: "vault".to_owned(),
        reference: "keys/é".to_owned(),
        blob: vec![1; 8192],
    };
    let kek = NewKek::external(key(KeyUse::Kek), external.clone()).unwrap();
    keyset.add_kek(kek).unwrap();
    for _ in 3..8 {
        keyset
            .add_kek(NewKek::key(key(KeyUse::Kek)).unwrap())
            .unwrap();
    }
    let ninth = NewKek::key(key(KeyUse::Kek)).unwrap();
    assert_eq!(code(keyset.add_kek(ninth)), ErrorCode::KeysetTransition);
    let text = store(&mut keyset, 1);
    let info = KeysetDocument::parse(text.as_bytes()).unwrap().info();
    let kinds: Vec<_> = info.keks.iter().map(|kek| kek.kind).collect();
    assert_eq!(
        kinds[..3],
        [KekKind::Key, KekKind::Passphrase, KekKind::External]
    );
    assert_eq!(info.keks[2].external, Some(external.clone()));
    for bad in [
        ExternalKek {
            provider: "Vault".to_owned(),
            ..external.clone()
        },
        ExternalKek {
            provider: String::new(),
            ..external.clone()
        },
        ExternalKek {
            provider: "a".repeat(33),
            ..external.clone()
        },
        ExternalKek {
            reference: "\n".to_owned(),
            ..external.clone()
        },
        ExternalKek {
            reference: "x".repeat(1025),
            ..external.clone()
        },
        ExternalKek {
            blob: vec![],
            ..external.clone()
        },
        ExternalKek {
            blob: vec![1; 8193],
            ..external
        },
    ] {
        assert_eq!(
            code(NewKek::external(key(KeyUse::Kek), bad)),
            ErrorCode::InvalidArgument
        );
    }
}

#[test]
fn argon2id_keeps_its_bounds() {
    assert!(Argon2id::new(19_456, 2, 1, &[0; 16]).is_ok());
    assert!(Argon2id::new(1_048_576, 10, 16, &[0; 32]).is_ok());
    for (memory, passes, lanes, salt) in [
        (19_455, 2, 1, 16),
        (1_048_577, 2, 1, 16),
        (u32::MAX, 2, 1, 16),
        (19_456, 1, 1, 16),
        (19_456, 11, 1, 16),
        (19_456, 2, 0, 16),
        (19_456, 2, 17, 16),
        (19_456, 2, 1, 15),
        (19_456, 2, 1, 33),
    ] {
        let refused = Argon2id::new(memory, passes, lanes, &vec![0; salt]);
        assert_eq!(code(refused), ErrorCode::InvalidArgument);
    }
    let argon2id = Argon2id::new(19_456, 2, 1, &[0; 16]).unwrap();
    assert_eq!(code(argon2id.derive(b"")), ErrorCode::InvalidKey);
}

#[test]
fn a_new_passphrase_has_twelve_characters() {
    for short in ["", "elf zeichen", "größer elfä"] {
        let error = NewKek::passphrase(short.as_bytes(), &mut Repeating).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{short:?}");
        assert!(error.to_string().contains("12 characters"), "{error}");
    }
    for long in ["größere elfä", "zwölf größer"] {
        assert!(NewKek::check_passphrase(long.as_bytes()).is_ok());
    }
    // What opens a keyset is taken as it is.
    let argon2id = Argon2id::new(19_456, 2, 1, &[0; 16]).unwrap();
    let kek = argon2id.derive(b"x").unwrap();
    let (mut keyset, _, first) = keyset(0);
    keyset
        .add_kek(NewKek::derived(kek, argon2id).unwrap())
        .unwrap();
    let text = store(&mut keyset, 1);
    let document = KeysetDocument::parse(text.as_bytes()).unwrap();
    let opens = document.kek_from_passphrase(b"x").unwrap();
    let loaded = document.unlock(&[opens], &Expect::default()).unwrap();
    assert_eq!(loaded.ring().unwrap().primary_id(), Some(first));
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

/// A generator that repeats itself must not repeat a nonce under one key-encrypting key.
#[test]
fn wraps_of_indirect_entropy_are_hedged() {
    let (mut keyset, _, _) = keyset(0);
    let [one, other] = [1, 2].map(|seconds| add(&mut keyset, KeyUse::Data, seconds));
    let text = keyset.save(at(3), &mut Repeating).unwrap();
    let again = keyset.save(at(3), &mut Repeating).unwrap();
    assert_eq!(text, again, "nothing but the message makes the nonce");
    let nonce = |id: KeyId| {
        let entry = text.split(&id.to_string()).nth(1).unwrap();
        let wraps = entry.split("\"wraps\": {").nth(1).unwrap();
        wraps.split('"').nth(3).unwrap()[..32].to_owned()
    };
    assert_ne!(nonce(one), nonce(other));
    assert_ne!(
        nonce(one),
        "WlpaWlpaWlpaWlpaWlpaWlpaWlpaWlpa",
        "the bytes as drawn"
    );
}

/// Rules of the schema, each broken alone in a document that is good otherwise.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_rule_of_the_schema_is_checked_by_itself() {
    let (mut keyset, kek, first) = keyset(60);
    let argon2id = Argon2id::new(19_456, 2, 1, &[0; 16]).unwrap();
    let passphrase = NewKek::derived(key(KeyUse::Kek), argon2id).unwrap();
    keyset.add_kek(passphrase).unwrap();
    let external = ExternalKek {
        provider: "vault".to_owned(),
        reference: "r".to_owned(),
        blob: vec![0; 8192],
    };
    keyset
        .add_kek(NewKek::external(key(KeyUse::Kek), external).unwrap())
        .unwrap();
    let good = store(&mut keyset, 1);
    assert!(load(&good, &[&kek]).is_ok());
    let mac = good.rsplit('"').nth(1).unwrap();
    let salt = "A".repeat(22);
    let blob = good
        .split("\"blob\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let (first, kek_id) = (first.to_string(), kek.id().to_string());
    // The last character of 43 carries four bits: two more must be zero.
    let loose_mac = format!(
        "{}{}",
        &mac[..42],
        if mac.ends_with('B') { 'C' } else { 'B' }
    );
    let longer_blob = format!("{blob}AA");
    let cases: Vec<(&str, &str, String)> = vec![
        ("base64url that is not canonical", mac, loose_mac),
        (
            "too little memory",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 19455".to_owned(),
        ),
        (
            "too much memory",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 1048577".to_owned(),
        ),
        (
            "a terabyte",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 1073741824".to_owned(),
        ),
        (
            "a fraction",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 19456.0".to_owned(),
        ),
        (
            "a salt in another alphabet",
            &salt,
            format!("{}+", "A".repeat(21)),
        ),
        (
            "a salt with bits left over",
            &salt,
            format!("{}B", "A".repeat(21)),
        ),
        ("a blob of 8193 bytes", blob, longer_blob),
        ("a key id in capitals", &first, first.to_uppercase()),
        ("a KEK id in capitals", &kek_id, kek_id.to_uppercase()),
        ("a KEK id that is cut", &kek_id, kek_id[..31].to_owned()),
        (
            "an escaped lone surrogate",
            "\"label\": \"\"",
            "\"label\": \"\\ud800\"".to_owned(),
        ),
        (
            "a number with a zero before it",
            "\"generation\": 2",
            "\"generation\": 02".to_owned(),
        ),
        (
            "a large number",
            "\"generation\": 2",
            "\"generation\": 9007199254740992".to_owned(),
        ),
        (
            "a member twice",
            "\"generation\": 2",
            "\"generation\": 2, \"generation\": 2".to_owned(),
        ),
        ("something after it", "}\n", "}\n{}".to_owned()),
        (
            "a huge version",
            "\"version\": 1",
            "\"version\": 9007199254740992".to_owned(),
        ),
    ];
    for (what, from, to) in cases {
        let bad = match what {
            "something after it" => format!("{good}{{}}"),
            "a huge version" => good.replacen(from, &to, 1),
            _ => good.replace(from, &to),
        };
        assert_ne!(bad, good, "{what}");
        assert_eq!(
            code(load(&bad, &[&kek])),
            ErrorCode::KeysetMalformed,
            "{what}"
        );
    }
    for version in ["0", "2", "9007199254740991"] {
        let bad = good.replacen("\"version\": 1", &format!("\"version\": {version}"), 1);
        assert_eq!(code(load(&bad, &[&kek])), ErrorCode::UnsupportedVersion);
    }
    let none = "{\"format\":\"reseal-keyset\",\"version\":1,\"ring\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"generation\":1,\"issued\":\"2026-11-20T00:00:00Z\",\"lease_seconds\":0,\"primary\":{},\"keks\":[],\"keys\":[],\"macs\":{}}";
    assert_eq!(
        code(load(none, &[&kek])),
        ErrorCode::KeysetMalformed,
        "no KEK"
    );
    let deep = "[".repeat(100_000);
    assert_eq!(
        code(load(&deep, &[&kek])),
        ErrorCode::KeysetMalformed,
        "depth"
    );
}

#[test]
fn two_primaries_of_one_use_are_no_keyset() {
    let (mut keyset, kek, first) = keyset(0);
    let second = add(&mut keyset, KeyUse::Data, 1);
    let good = store(&mut keyset, 1);
    let both = good.replace("\"introduced\"", "\"primary\"");
    assert_eq!(code(load(&both, &[&kek])), ErrorCode::KeysetMalformed);
    // Also where `primary` names the second one of the two.
    let (head, keys) = both.split_once("\"keks\"").unwrap();
    let head = head.replace(&first.to_string(), &second.to_string());
    let other = format!("{head}\"keks\"{keys}");
    assert_eq!(code(load(&other, &[&kek])), ErrorCode::KeysetMalformed);
}

/// Their ids begin alike: found by trying, from SHA-256 of "index 89939" and "index 1172114".
#[test]
fn index_keys_whose_terms_could_be_mixed_up_stand_in_one_keyset_only_as_tombstones() {
    use sha2::{Digest, Sha256};
    let [one, other] = ["index 89939", "index 1172114"]
        .map(|text| Key::from_bytes(KeyUse::Index, &Sha256::digest(text)).unwrap());
    assert_eq!(one.id().to_string()[..8], other.id().to_string()[..8]);
    let (mut keyset, _, _) = keyset(0);
    let id = keyset.introduce(one, "", at(1)).unwrap();
    assert_eq!(
        code(keyset.introduce(other.clone(), "", at(1))),
        ErrorCode::DuplicateKey
    );
    keyset.disable(id, at(2), false).unwrap();
    assert_eq!(
        code(keyset.introduce(other.clone(), "", at(2))),
        ErrorCode::DuplicateKey
    );
    keyset.destroy(id, at(3)).unwrap();
    keyset.introduce(other, "", at(3)).unwrap();
    assert!(keyset.ring().is_ok());
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
fn other_key_encrypting_keys_leave_the_dates_of_keys_as_they_are() {
    let (mut keyset, old, _) = keyset(3600);
    let second = add(&mut keyset, KeyUse::Data, 1);
    store(&mut keyset, 1);
    let before = keyset.info().keys;
    let new = key(KeyUse::Kek);
    keyset.add_kek(NewKek::key(new.clone()).unwrap()).unwrap();
    keyset.remove_kek(old.id()).unwrap();
    let text = keyset.save(at(3000), &mut OsEntropy).unwrap();
    keyset.saved(&text).unwrap();
    assert_eq!(keyset.info().keys, before);
    let mut keyset = load(&text, &[&new]).unwrap();
    assert_eq!(keyset.info().keys, before);
    keyset.promote(second, at(3601), PLAIN).unwrap();
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
