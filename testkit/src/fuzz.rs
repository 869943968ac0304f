//! What a fuzzer feeds, one function per target; their corpora are replayed by `cargo test`.
//!
//! Each takes any bytes and panics where a promise of the core is broken.
#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::missing_panics_doc,
    reason = "a panic is how a fuzz target reports"
)]

mod codecs;
mod libraries;

pub use codecs::{fernet, freeboard, manifest, metabase, n8n, rails, sentry, value};
pub use libraries::{django_cryptography, django_fernet, fernet_fields, sqlalchemy_utils};

use reseal::{
    Context, EntropyKind, ErrorCode, Expect, Key, KeyId, KeyState, KeyUse, Keyring, Keyset,
    KeysetDocument, Mode, NewKek, Promotion, Timestamp, hazmat::FixedEntropy, inspect,
    inspect_binary, to_binary, to_text,
};

/// A target: takes any bytes.
pub type Target = fn(&[u8]);

/// Every target by name.
pub const TARGETS: [(&str, Target); 18] = [
    ("codec_django_cryptography", django_cryptography),
    ("codec_django_fernet", django_fernet),
    ("codec_fernet", fernet),
    ("codec_fernet_fields", fernet_fields),
    ("codec_freeboard", freeboard),
    ("codec_metabase", metabase),
    ("codec_n8n", n8n),
    ("codec_rails", rails),
    ("codec_sentry", sentry),
    ("codec_sqlalchemy_utils", sqlalchemy_utils),
    ("context", context),
    ("envelope_binary", envelope_binary),
    ("envelope_text", envelope_text),
    ("key_text", key_text),
    ("keyset", keyset),
    ("keyset_moves", keyset_moves),
    ("manifest", manifest),
    ("value", value),
];

/// Pairs: each a byte for the length of the name, the name, a byte for that of the value, the value.
pub fn context(data: &[u8]) {
    let pairs = pairs(data);
    let mut reversed = pairs.clone();
    reversed.reverse();
    match (build(&pairs), build(&reversed)) {
        (Ok(one), Ok(other)) => {
            assert_eq!(one, other, "the order of pairs matters");
            assert_eq!(one.len(), pairs.len());
            let lengths = pairs
                .iter()
                .map(|(name, value)| 4 + name.len() + value.len());
            assert_eq!(one.as_bytes().len(), 2 + lengths.sum::<usize>());
        }
        (Err(one), Err(other)) => {
            assert_eq!([one.code(), other.code()], [ErrorCode::ContextInvalid; 2]);
        }
        _ => panic!("the order of pairs decides whether a context is valid"),
    }
}

/// A keyset document: it has its shape or not, and what has it is refused under a foreign key.
pub fn keyset(data: &[u8]) {
    match KeysetDocument::parse(data) {
        Ok(document) => {
            let info = document.info();
            assert!((1..=8).contains(&info.keks.len()) && info.generation >= 1);
            assert!(document.external_keks().count() <= info.keks.len());
            let kek = Key::from_bytes(KeyUse::Kek, &[1; 32]).unwrap();
            let refused = document.unlock(&[kek], &Expect::default()).unwrap_err();
            assert_eq!(refused.code(), ErrorCode::KekMismatch);
        }
        Err(error) => assert!(matches!(
            error.code(),
            ErrorCode::KeysetMalformed | ErrorCode::UnsupportedVersion
        )),
    }
}

/// What an operator does to a keyset, two bytes a step: a move, and the key that it is about.
pub fn keyset_moves(data: &[u8]) {
    let kek = Key::from_bytes(KeyUse::Kek, &[7; 32]).unwrap();
    let mut entropy = FixedEntropy::new(EntropyKind::Direct, vec![3; 1 << 16]);
    let now = |seconds: usize| Timestamp::from_unix(seconds as u64).unwrap();
    let new = NewKek::key(kek.clone()).unwrap();
    let mut keyset = Keyset::create(new, 10, now(0), &mut entropy).unwrap();
    for (step, chunk) in data.chunks_exact(2).take(64).enumerate() {
        let &[act, which] = chunk else { break };
        let (at, before) = (now(step), keyset.info());
        let id = nth(&keyset, which);
        let allow = Promotion {
            early: which & 0x80 != 0,
            back: which & 0x40 != 0,
        };
        let key_use = if which & 1 == 0 {
            KeyUse::Data
        } else {
            KeyUse::Index
        };
        let done = match act % 8 {
            0 => {
                let key = Key::from_bytes(key_use, &[which; 32]).unwrap();
                match act & 0x80 {
                    0 => keyset.introduce(key, "fuzz", at).map(drop),
                    _ => keyset.rotate(key, "fuzz", at, allow.early).map(drop),
                }
            }
            1 => keyset.promote(id, at, allow),
            2 => keyset.disable(id, at, allow.early),
            3 => keyset.enable(id, at),
            4 => keyset.destroy(id, at),
            5 => keyset.revert(key_use, at).map(drop),
            6 => keyset.relabel(id, "other"),
            _ => {
                let text = keyset.save(at, &mut entropy).unwrap();
                keyset.saved(&text).unwrap();
                let document = KeysetDocument::parse(text.as_bytes()).unwrap();
                let loaded = document.unlock(core::slice::from_ref(&kek), &Expect::default());
                assert_eq!(loaded.unwrap().info(), keyset.info());
                Ok(())
            }
        };
        if let Err(error) = done {
            assert_eq!(keyset.info(), before, "half a move");
            assert!(matches!(
                error.code(),
                ErrorCode::KeysetTransition | ErrorCode::InvalidArgument | ErrorCode::DuplicateKey
            ));
        }
        check_states(&keyset, &before.keys);
    }
}

/// One primary at most, a tombstone for ever, and a ring of the same keys.
fn check_states(keyset: &Keyset, before: &[reseal::KeysetKey]) {
    let keys = keyset.info().keys;
    for key_use in [KeyUse::Data, KeyUse::Index] {
        let primaries = keys
            .iter()
            .filter(|key| key.key_use == key_use && key.state == KeyState::Primary);
        assert!(primaries.count() <= 1);
    }
    for key in before {
        let now = keys.iter().find(|now| now.id == key.id).unwrap();
        assert!(key.state != KeyState::Destroyed || now.state == KeyState::Destroyed);
    }
    let ring = keyset.ring().unwrap();
    assert_eq!(ring.keys().count(), keys.len());
    for key in ring.keys() {
        assert!(
            keys.iter()
                .any(|there| there.id == key.id && there.state == key.state)
        );
    }
}

fn nth(keyset: &Keyset, which: u8) -> KeyId {
    let keys = keyset.info().keys;
    let nth = usize::from(which & 0x3F) % keys.len().max(1);
    let stranger = || KeyId::parse(&"a".repeat(32)).unwrap();
    keys.get(nth).map_or_else(stranger, |key| key.id)
}

/// A stored binary value.
pub fn envelope_binary(data: &[u8]) {
    let ring = ring();
    let opened = ring.open_binary(data, &Context::new());
    match inspect_binary(data) {
        Ok(shown) => {
            let text = to_text(data).unwrap();
            assert_eq!(
                to_binary(&text).as_deref(),
                Ok(data),
                "text and binary differ"
            );
            assert_eq!(inspect(&text), Ok(shown));
            assert_eq!(opened, ring.open(&text, &Context::new()));
            let current = ring.is_current_binary(data, Mode::Random);
            assert_eq!(current, ring.is_current(&text, Mode::Random));
        }
        Err(error) => assert_eq!(opened, Err(error), "inspect and open disagree"),
    }
}

/// A stored text.
pub fn envelope_text(data: &[u8]) {
    let Ok(stored) = core::str::from_utf8(data) else {
        return;
    };
    let opened = ring().open(stored, &Context::new());
    match inspect(stored) {
        Ok(_) => {
            let binary = to_binary(stored).unwrap();
            assert_eq!(
                to_text(&binary).as_deref(),
                Ok(stored),
                "text is not canonical"
            );
            envelope_binary(&binary);
        }
        Err(error) => assert_eq!(opened, Err(error), "inspect and open disagree"),
    }
}

/// A key text, and a list of them.
pub fn key_text(data: &[u8]) {
    let Ok(text) = core::str::from_utf8(data) else {
        return;
    };
    match Key::parse(text) {
        Ok(key) => {
            assert_eq!(*key.export(), text, "a key text is not canonical");
            assert_eq!(Key::load(&format!(" {text}\n")).unwrap().id(), key.id());
        }
        Err(error) => {
            assert_eq!(error.code(), ErrorCode::InvalidKey);
            let shown = error.to_string();
            // No word of a message is as long as the body of a key.
            let body = text.rsplit('.').next().unwrap_or_default();
            let word = body.len() >= 24 && !body.contains(char::is_whitespace);
            assert!(!word || !shown.contains(body), "an error shows a key");
        }
    }
    assert_eq!(
        Key::load_list(text).is_ok(),
        text.split(',').all(|item| Key::load(item).is_ok())
    );
}

fn build(pairs: &[(String, &[u8])]) -> reseal::Result<Context> {
    let mut context = Context::new();
    for (name, value) in pairs {
        context.insert(name, *value)?;
    }
    Ok(context)
}

/// A ring with the key that the corpora were sealed under.
fn ring() -> Keyring {
    let key = Key::from_bytes(KeyUse::Data, b"the key of the fuzzing corpora!!").unwrap();
    Keyring::builder().primary(key).build().unwrap()
}

fn pairs(mut data: &[u8]) -> Vec<(String, &[u8])> {
    let mut pairs = Vec::new();
    while let Some((name, rest)) = field(data) {
        let (value, rest) = field(rest).unwrap_or((rest, &[]));
        pairs.push((String::from_utf8_lossy(name).into_owned(), value));
        data = rest;
    }
    pairs
}

fn field(data: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = data.split_first()?;
    Some(rest.split_at(usize::from(*length).min(rest.len())))
}
