//! Key-encrypting keys: keys, passphrases and those of others, and what is wrapped with them.

use super::{PLAIN, add, at, code, keyset, load, store};
use crate::common::{Repeating, key};
use reseal::{
    Argon2id, ErrorCode, Expect, ExternalKek, KekKind, KeyId, KeyUse, KeysetDocument, NewKek,
    OsEntropy,
};

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
