//! Sections 1 and 10: which keys make a ring, and what each state may do.

use crate::common::{context, key, ring};
use reseal::{
    BlindIndex, Contexts, ErrorCode, Field, Key, KeyState, KeyUse, Keyring, KeyringBuilder, Mode,
    Normalizer, OsEntropy, Result,
};
use std::sync::Arc;

fn code<T: core::fmt::Debug>(result: Result<T>) -> ErrorCode {
    result.unwrap_err().code()
}

fn data() -> Key {
    key(KeyUse::Data)
}

fn build(keys: &[(&Key, KeyState)]) -> Result<Keyring> {
    let add = |builder: KeyringBuilder, (key, state): &(&Key, KeyState)| {
        builder.with((*key).clone(), *state)
    };
    keys.iter().fold(Keyring::builder(), add).build()
}

#[test]
fn a_primary_may_be_listed_once_more_and_nothing_else_twice() {
    use KeyState::{DecryptOnly, Disabled, Introduced, Primary};
    let key = data();
    for other in [Introduced, DecryptOnly] {
        for pair in [[Primary, other], [other, Primary]] {
            let ring = build(&pair.map(|state| (&key, state))).unwrap();
            let keys: Vec<_> = ring.keys().collect();
            assert_eq!((keys.len(), keys[0].state), (1, Primary));
            assert_eq!(ring.primary_id(), Some(key.id()));
        }
    }
    for pair in [
        [Primary, Primary],
        [Primary, Disabled],
        [Disabled, Primary],
        [Introduced, DecryptOnly],
        [Introduced, Introduced],
        [DecryptOnly, DecryptOnly],
        [DecryptOnly, Disabled],
        [Disabled, Disabled],
    ] {
        let result = build(&pair.map(|state| (&key, state)));
        assert_eq!(code(result), ErrorCode::DuplicateKey, "{pair:?}");
    }
    for three in [
        [Primary, Introduced, DecryptOnly],
        [Introduced, Primary, DecryptOnly],
        [DecryptOnly, DecryptOnly, Primary],
        [Primary, DecryptOnly, DecryptOnly],
    ] {
        let result = build(&three.map(|state| (&key, state)));
        assert_eq!(code(result), ErrorCode::DuplicateKey, "{three:?}");
    }
    let destroyed = |builder: KeyringBuilder| builder.destroyed(key.id());
    for builder in [
        Keyring::builder().primary(key.clone()),
        destroyed(Keyring::builder()),
    ] {
        assert_eq!(code(destroyed(builder).build()), ErrorCode::DuplicateKey);
    }
}

/// Two index keys whose ids begin alike were found by trying three million keys.
#[test]
fn index_keys_whose_ids_begin_with_the_same_8_characters_are_refused() {
    let index = |number: u32| {
        let mut bytes = [0; 32];
        bytes[28..].copy_from_slice(&number.to_be_bytes());
        Key::from_bytes(KeyUse::Index, &bytes).unwrap()
    };
    let [one, two] = [index(840_057), index(1_046_391)];
    assert_eq!(one.id().to_string()[..8], two.id().to_string()[..8]);
    for state in [
        KeyState::Introduced,
        KeyState::DecryptOnly,
        KeyState::Disabled,
    ] {
        for keys in [
            [(&one, KeyState::Primary), (&two, state)],
            [(&one, state), (&two, KeyState::Primary)],
        ] {
            assert_eq!(code(build(&keys)), ErrorCode::DuplicateKey, "{state:?}");
        }
    }
}

#[test]
fn a_disabled_index_key_is_disabled_before_it_is_of_the_wrong_use() {
    let (data, index) = (data(), key(KeyUse::Index));
    let ring = build(&[(&data, KeyState::Primary), (&index, KeyState::Disabled)]).unwrap();
    let stored = ring
        .seal(b"x", &context(), Mode::Random, &mut OsEntropy)
        .unwrap();
    let names_index = stored.replace(&data.id().to_string(), &index.id().to_string());
    assert_eq!(
        code(ring.open(&names_index, &context())),
        ErrorCode::KeyDisabled
    );
}

#[test]
fn one_primary_of_each_use() {
    let index = key(KeyUse::Index);
    let ring = build(&[(&data(), KeyState::Primary), (&index, KeyState::Primary)]).unwrap();
    assert_eq!(ring.index_primary_id(), Some(index.id()));
    let two = build(&[(&data(), KeyState::Primary), (&data(), KeyState::Primary)]);
    assert_eq!(code(two), ErrorCode::DuplicateKey);
}

#[test]
fn a_ring_takes_no_kek_and_no_destroyed_key() {
    let kek = build(&[(&key(KeyUse::Kek), KeyState::Primary)]);
    assert_eq!(code(kek), ErrorCode::KeyWrongUse);
    let destroyed = build(&[(&data(), KeyState::Destroyed)]);
    assert_eq!(code(destroyed), ErrorCode::InvalidArgument);
}

#[test]
fn states_decide_what_opens() {
    let [primary, old, new, off] = [(); 4].map(|()| data());
    let gone = data();
    let index = key(KeyUse::Index);
    let ctx = context();
    let seal = |key: &Key| {
        let ring = build(&[(key, KeyState::Primary)]).unwrap();
        ring.seal(b"value", &ctx, Mode::Random, &mut OsEntropy)
            .unwrap()
    };
    let ring = Keyring::builder()
        .primary(primary.clone())
        .decrypt_only(old.clone())
        .introduced(new.clone())
        .disabled(off.clone())
        .destroyed(gone.id())
        .primary(index.clone())
        .build()
        .unwrap();
    for key in [&primary, &old, &new] {
        assert_eq!(*ring.open(&seal(key), &ctx).unwrap(), b"value");
    }
    assert_eq!(code(ring.open(&seal(&off), &ctx)), ErrorCode::KeyDisabled);
    assert_eq!(code(ring.open(&seal(&gone), &ctx)), ErrorCode::KeyDestroyed);
    assert_eq!(code(ring.open(&seal(&data()), &ctx)), ErrorCode::UnknownKey);
    let names_index_key =
        seal(&primary).replace(&primary.id().to_string(), &index.id().to_string());
    assert_eq!(
        code(ring.open(&names_index_key, &ctx)),
        ErrorCode::KeyWrongUse
    );
    let names_another = seal(&primary).replace(&primary.id().to_string(), &old.id().to_string());
    assert_eq!(code(ring.open(&names_another, &ctx)), ErrorCode::AuthFailed);
}

#[test]
fn lookups_ask_for_every_key_that_opens_with_the_primary_first() {
    let [primary, old, new, off] = [(); 4].map(|()| data());
    let ctx = context();
    let ring = Keyring::builder()
        .decrypt_only(old.clone())
        .introduced(new)
        .disabled(off)
        .primary(primary.clone())
        .build()
        .unwrap();
    let values = ring.lookup_values(b"a@b.c", &ctx).unwrap();
    let stored = ring
        .seal(b"a@b.c", &ctx, Mode::Deterministic, &mut OsEntropy)
        .unwrap();
    assert_eq!((values.len(), &values[0]), (3, &stored));
    let before = build(&[(&old, KeyState::Primary)]).unwrap();
    let stored = before
        .seal(b"a@b.c", &ctx, Mode::Deterministic, &mut OsEntropy)
        .unwrap();
    assert!(values.contains(&stored));
    let binary = ring.lookup_values_binary(b"a@b.c", &ctx).unwrap();
    let texts: Vec<_> = binary
        .iter()
        .map(|binary| reseal::to_text(binary).unwrap())
        .collect();
    assert_eq!(texts, values);
}

#[test]
fn index_terms_ask_for_every_index_key_that_opens() {
    let [primary, old, off] = [(); 3].map(|()| key(KeyUse::Index));
    let ctx = context();
    let email = BlindIndex::new("email_eq", Normalizer::AsciiLowerTrim, 64).unwrap();
    let ring = Keyring::builder()
        .decrypt_only(old.clone())
        .primary(primary)
        .disabled(off)
        .build()
        .unwrap();
    let terms = ring.index_terms(b" A@B.c\n", &ctx, &email).unwrap();
    let term = ring.index_term(b"a@b.C", &ctx, &email).unwrap();
    assert_eq!((terms.len(), &terms[0]), (2, &term));
    let before = build(&[(&old, KeyState::Primary)]).unwrap();
    assert!(terms.contains(&before.index_term(b"a@b.c", &ctx, &email).unwrap()));
    let narrow = BlindIndex::new("email_eq", Normalizer::AsciiLowerTrim, 13).unwrap();
    assert!(!terms.contains(&ring.index_term(b"a@b.c", &ctx, &narrow).unwrap()));
}

#[test]
fn index_options_are_checked() {
    for (name, bits) in [
        ("", 64),
        ("Email", 64),
        ("rs_x", 64),
        ("email", 7),
        ("email", 257),
        ("email", 0),
    ] {
        let result = BlindIndex::new(name, Normalizer::Raw, bits);
        assert_eq!(code(result), ErrorCode::InvalidArgument, "{name} {bits}");
    }
    assert_eq!(code(Normalizer::parse("upper")), ErrorCode::InvalidArgument);
    assert_eq!(code(Mode::parse("r")), ErrorCode::InvalidArgument);
    assert_eq!(code(KeyUse::parse("Data")), ErrorCode::InvalidArgument);
}

#[test]
fn without_a_primary_nothing_seals() {
    let ctx = context();
    let index = BlindIndex::new("x", Normalizer::Raw, 64).unwrap();
    let empty = build(&[]).unwrap();
    assert_eq!(
        code(empty.seal(b"", &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::NoPrimary
    );
    assert_eq!(
        code(empty.seal_many(&[b""], &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::NoPrimary
    );
    assert_eq!(code(empty.lookup_values(b"", &ctx)), ErrorCode::NoPrimary);
    assert_eq!(
        code(empty.index_term(b"", &ctx, &index)),
        ErrorCode::NoPrimary
    );
    assert_eq!(
        code(empty.index_terms(b"", &ctx, &index)),
        ErrorCode::NoPrimary
    );
    let large = vec![0; reseal::MAX_PLAINTEXT_BYTES + 1];
    assert_eq!(
        code(empty.seal(&large, &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::TooLarge
    );
    assert_eq!(code(empty.lookup_values(&large, &ctx)), ErrorCode::TooLarge);
    let only_old = build(&[(&data(), KeyState::DecryptOnly)]).unwrap();
    assert_eq!(
        code(only_old.seal(b"", &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::NoPrimary
    );
    assert_eq!(only_old.lookup_values(b"", &ctx).unwrap().len(), 1);
}

#[test]
fn current_means_primary_key_and_mode() {
    let [old, new] = [(); 2].map(|()| data());
    let ctx = context();
    let before = build(&[(&old, KeyState::Primary)]).unwrap();
    let after = build(&[(&new, KeyState::Primary), (&old, KeyState::DecryptOnly)]).unwrap();
    let stored = before
        .seal(b"x", &ctx, Mode::Padded, &mut OsEntropy)
        .unwrap();
    assert!(before.is_current(&stored, Mode::Padded).unwrap());
    assert!(!before.is_current(&stored, Mode::Random).unwrap());
    assert!(!after.is_current(&stored, Mode::Padded).unwrap());
    assert_eq!(
        code(after.is_current("plain", Mode::Random)),
        ErrorCode::NotEnvelope
    );
    let binary = reseal::to_binary(&stored).unwrap();
    let resealed = after
        .reseal_binary(&binary, &ctx, Mode::Padded, &mut OsEntropy)
        .unwrap()
        .unwrap();
    assert_eq!(*after.open_binary(&resealed, &ctx).unwrap(), b"x");
    assert_eq!(
        after
            .reseal_binary(&resealed, &ctx, Mode::Padded, &mut OsEntropy)
            .unwrap(),
        None
    );
}

#[test]
fn a_value_keeps_its_mode_where_none_is_named() {
    let [old, new] = [(); 2].map(|()| data());
    let ctx = context();
    let before = build(&[(&old, KeyState::Primary)]).unwrap();
    let after = build(&[(&new, KeyState::Primary), (&old, KeyState::DecryptOnly)]).unwrap();
    for mode in [Mode::Random, Mode::Deterministic, Mode::Padded] {
        let stored = before.seal(b"x", &ctx, mode, &mut OsEntropy).unwrap();
        assert!(before.is_current(&stored, None).unwrap());
        assert!(!after.is_current(&stored, None).unwrap());
        let same = before.reseal(&stored, &ctx, None, &mut OsEntropy).unwrap();
        assert_eq!(same, None);
        let resealed = after.reseal(&stored, &ctx, None, &mut OsEntropy).unwrap();
        assert!(after.is_current(&resealed.unwrap(), mode).unwrap());
        let binary = reseal::to_binary(&stored).unwrap();
        let resealed = after
            .reseal_binary(&binary, &ctx, None, &mut OsEntropy)
            .unwrap();
        assert!(after.is_current_binary(&resealed.unwrap(), mode).unwrap());
    }
}

#[test]
fn reseal_refuses_what_it_cannot_open() {
    let [old, new] = [(); 2].map(|()| data());
    let ctx = context();
    let before = build(&[(&old, KeyState::Primary)]).unwrap();
    let after = build(&[(&new, KeyState::Primary)]).unwrap();
    let stored = before
        .seal(b"x", &ctx, Mode::Random, &mut OsEntropy)
        .unwrap();
    assert_eq!(
        code(after.reseal(&stored, &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::UnknownKey
    );
    assert_eq!(
        code(after.reseal("plain", &ctx, Mode::Random, &mut OsEntropy)),
        ErrorCode::NotEnvelope
    );
    let moved = ctx.clone().with("row", 2).unwrap();
    assert_eq!(
        code(before.reseal(&stored, &moved, Mode::Padded, &mut OsEntropy)),
        ErrorCode::AuthFailed
    );
}

#[test]
fn a_bad_item_does_not_fail_the_batch() {
    let (ring, ctx) = (ring(), context());
    let large = vec![0; reseal::MAX_PLAINTEXT_BYTES + 1];
    let sealed = ring
        .seal_many(
            &[b"a".as_slice(), &large, b""],
            &ctx,
            Mode::Random,
            &mut OsEntropy,
        )
        .unwrap();
    let codes: Vec<_> = sealed
        .iter()
        .map(|item| item.as_ref().err().map(reseal::Error::code))
        .collect();
    assert_eq!(codes, [None, Some(ErrorCode::TooLarge), None]);
    let stored = [
        sealed[0].clone().unwrap(),
        "plain".into(),
        sealed[2].clone().unwrap(),
    ];
    let opened = ring.open_many(&stored, &ctx).unwrap();
    assert_eq!(**opened[0].as_ref().unwrap(), b"a");
    assert_eq!(
        opened[1].as_ref().unwrap_err().code(),
        ErrorCode::NotEnvelope
    );
    assert!(opened[2].as_ref().unwrap().is_empty());
}

#[test]
fn a_batch_has_one_context_or_as_many_as_values() {
    let (ring, ctx) = (ring(), context());
    let rows: Vec<_> = (0..3)
        .map(|row| ctx.clone().with("row", row).unwrap())
        .collect();
    let values = [b"a", b"b", b"c"];
    let sealed = ring
        .seal_many_binary(&values, &rows, Mode::Random, &mut OsEntropy)
        .unwrap();
    let sealed: Vec<_> = sealed.into_iter().map(Result::unwrap).collect();
    let opened = ring.open_many_binary(&sealed, rows.as_slice()).unwrap();
    assert!(
        opened
            .iter()
            .zip(values)
            .all(|(opened, value)| **opened.as_ref().unwrap() == *value)
    );
    assert_eq!(
        code(ring.open_binary(&sealed[0], &rows[1])),
        ErrorCode::AuthFailed
    );
    let short = Contexts::Each(&rows[..2]);
    assert_eq!(
        code(ring.seal_many(&values, short, Mode::Random, &mut OsEntropy)),
        ErrorCode::InvalidArgument
    );
    let none: [&str; 0] = [];
    assert_eq!(ring.open_many(&none, &ctx).unwrap(), []);
}

#[test]
fn a_field_is_a_ring_with_its_context_and_mode() {
    let ring = Arc::new(ring());
    let field = Field::new(Arc::clone(&ring), context(), Mode::Deterministic);
    let stored = field.seal(b"x", &mut OsEntropy).unwrap();
    assert_eq!(*ring.open(&stored, &context()).unwrap(), b"x");
    assert_eq!(*field.open(&stored).unwrap(), b"x");
    assert_eq!(*field.open_string(&stored).unwrap(), "x");
    let binary = field.seal_binary(b"x", &mut OsEntropy).unwrap();
    assert_eq!(*field.open_binary(&binary).unwrap(), b"x");
    assert!(field.is_current(&stored).unwrap());
    assert_eq!(field.lookup_values(b"x").unwrap(), [stored.as_str()]);
    assert_eq!(field.reseal(&stored, &mut OsEntropy).unwrap(), None);
    let row = field.context_with([("row", 42.into())]).unwrap();
    assert_eq!(code(ring.open(&stored, &row)), ErrorCode::AuthFailed);
    assert_eq!(
        code(field.context_with([("table", "x".into())])),
        ErrorCode::ContextInvalid
    );
}

#[test]
fn empty_is_a_value_and_text_is_checked_after_authentication() {
    let (ring, ctx) = (ring(), context());
    for mode in [Mode::Random, Mode::Deterministic, Mode::Padded] {
        let stored = ring.seal(b"", &ctx, mode, &mut OsEntropy).unwrap();
        assert!(ring.open_string(&stored, &ctx).unwrap().is_empty());
    }
    let stored = ring
        .seal(b"\xFF", &ctx, Mode::Random, &mut OsEntropy)
        .unwrap();
    assert_eq!(
        code(ring.open_string(&stored, &ctx)),
        ErrorCode::InvalidText
    );
    let moved = context().with("row", 1).unwrap();
    assert_eq!(
        code(ring.open_string(&stored, &moved)),
        ErrorCode::AuthFailed
    );
}
