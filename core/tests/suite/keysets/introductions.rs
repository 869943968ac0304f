//! Which keys come in, under which labels, and how people name them.

use super::{at, code, keyset};
use crate::common::key;
use reseal::{ErrorCode, Key, KeyUse};

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
