//! Columns: which codec opens a value, what is refused, and what becomes of a row.

mod doubled;
mod forms;

use crate::support::fresh;
use proptest::prelude::*;
use reseal::{
    Classified, Column, Context, ErrorCode, Key, KeyUse, Keyring, Mode, NamedCodec, OsEntropy,
    Outcome,
    codec::{
        Certainty, Fernet, FernetKey, Form, Plain, Rails, Reseal, Sentry, Stored, StoredValue,
    },
};
use std::sync::Arc;

const FERNET: [&str; 2] = [
    "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
    "B9IqD_3LAFlcSPXnMYzUyWXuhQKADXPWgbaKslfwZ78=",
];

fn key() -> Key {
    Key::generate(KeyUse::Data, &mut OsEntropy).unwrap()
}

fn app(primary: &Key, old: &[&Key]) -> NamedCodec {
    let builder = Keyring::builder().primary(primary.clone());
    let ring = old
        .iter()
        .fold(builder, |builder, key| builder.decrypt_only((*key).clone()));
    NamedCodec::new("app", Reseal::new(Arc::new(ring.build().unwrap())))
}

fn fernet(name: &str, keys: &[&str]) -> NamedCodec {
    let keys = keys
        .iter()
        .map(|key| FernetKey::parse(key).unwrap())
        .collect();
    NamedCodec::new(name, Fernet::new(keys).unwrap())
}

fn sentry(name: &str) -> NamedCodec {
    NamedCodec::new(
        name,
        Sentry::new([("k1", FERNET[0]), ("k2", FERNET[1])], "k2").unwrap(),
    )
}

fn plain() -> NamedCodec {
    NamedCodec::new("plain", Plain)
}

fn table() -> Context {
    Context::new()
        .with("table", "users")
        .unwrap()
        .with("column", "ssn")
        .unwrap()
}

fn row(id: u32) -> Context {
    Context::new().with("row", id).unwrap()
}

fn seal(column: &Column, plaintext: &[u8], facts: &Context) -> StoredValue {
    let mut entropy = OsEntropy;
    column
        .seal(plaintext, facts, Form::Text, &mut fresh(&mut entropy, 1))
        .unwrap()
}

fn reseal(column: &Column, stored: Stored<'_>, facts: &Context) -> Outcome {
    let mut entropy = OsEntropy;
    column.reseal(Some(stored), facts, &mut fresh(&mut entropy, 1))
}

fn resealed(column: &Column, stored: Stored<'_>, facts: &Context) -> StoredValue {
    match reseal(column, stored, facts) {
        Outcome::Resealed { value, .. } => value,
        other => panic!("{other:?}"),
    }
}

fn refused(outcome: Outcome) -> &'static str {
    match outcome {
        Outcome::Refused(error) => error.code().as_str(),
        other => panic!("{other:?}"),
    }
}

#[test]
fn every_way_of_changing_a_column_is_one_reseal() {
    let (old, new) = (key(), key());
    let plain_column = Column::new(plain()).context(table());
    let start = seal(&plain_column, b"078-05-1120", &row(1));

    // Encrypt what was plain, in the format of another system.
    let tokens = Column::new(fernet("tokens", &FERNET[..1]))
        .read(plain())
        .unwrap();
    let token = resealed(&tokens, start.as_stored(), &row(1));
    // Rotate inside that format.
    let rotated = Column::new(fernet("tokens", &[FERNET[1], FERNET[0]]));
    let token = resealed(&rotated, token.as_stored(), &row(1));
    assert!(matches!(
        reseal(&rotated, token.as_stored(), &row(1)),
        Outcome::Current
    ));
    // Leave it.
    let ours = Column::new(app(&old, &[]))
        .read(fernet("tokens", &FERNET[1..]))
        .unwrap()
        .context(table());
    let sealed = resealed(&ours, token.as_stored(), &row(1));
    assert!(matches!(
        reseal(&ours, sealed.as_stored(), &row(1)),
        Outcome::Current
    ));
    // Rotate our key, and bind another mode.
    let rotated = Column::new(app(&new, &[&old]))
        .context(table())
        .mode(Mode::Padded);
    let sealed = resealed(&rotated, sealed.as_stored(), &row(1));
    // Go back to the other system, and switch off.
    let back = Column::new(sentry("sentry"))
        .read(app(&new, &[]))
        .unwrap()
        .context(table());
    let marked = resealed(&back, sealed.as_stored(), &row(1));
    let off = Column::new(plain())
        .read(sentry("sentry"))
        .unwrap()
        .context(table());
    assert_eq!(resealed(&off, marked.as_stored(), &row(1)), start);
}

#[test]
fn a_ciphertext_that_does_not_open_is_no_plaintext() {
    let column = Column::new(app(&key(), &[]))
        .read(fernet("tokens", &FERNET[..1]))
        .unwrap()
        .read(sentry("sentry"))
        .unwrap()
        .read(plain())
        .unwrap()
        .context(table());
    let foreign = Column::new(fernet("other", &FERNET[1..]));
    let token = seal(&foreign, b"x", &Context::new());
    let envelope = seal(
        &Column::new(app(&key(), &[])).context(table()),
        b"x",
        &row(1),
    );
    let envelope = envelope.as_stored().as_text().unwrap();
    for (stored, code) in [
        (token.as_stored().as_text().unwrap(), "auth-failed"),
        (envelope, "unknown-key"),
        (&envelope[..60], "malformed"),
        (&envelope[..38], "malformed"),
        ("gAAAAAcut", "malformed"),
        ("enc:fernet:gone:Z0FBQUFB", "unknown-key"),
        ("enc:tink:x", "format-unsupported"),
    ] {
        let opened = column.open(Stored::Text(stored), &row(1)).unwrap_err();
        assert_eq!(opened.code().as_str(), code, "{stored}");
        assert_eq!(
            refused(reseal(&column, Stored::Text(stored), &row(1))),
            code,
            "{stored}"
        );
    }
    let read = column.open(Stored::Text("plain text"), &row(1)).unwrap();
    assert_eq!(
        (read.plaintext.as_slice(), read.origin.codec.as_str()),
        (&b"plain text"[..], "plain")
    );
}

#[test]
fn plain_writes_nothing_that_looks_sealed() {
    let column = Column::new(plain());
    let envelope = seal(&Column::new(app(&key(), &[])), b"x", &row(1));
    let mut entropy = OsEntropy;
    let text = envelope.as_stored().as_bytes();
    let error = column
        .seal(text, &row(1), Form::Text, &mut fresh(&mut entropy, 1))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::LooksSealed);
    assert_eq!(
        column
            .open(envelope.as_stored(), &row(1))
            .unwrap_err()
            .code(),
        ErrorCode::LooksSealed
    );

    // The codec of envelopes takes such a text for what it is.
    let ours = Column::new(app(&key(), &[]));
    let outer = seal(&ours, text, &row(1));
    assert_eq!(
        *ours.open(outer.as_stored(), &row(1)).unwrap().plaintext,
        text
    );
    assert!(
        ours.open(outer.as_stored(), &row(1))
            .unwrap()
            .doubled
            .is_none()
    );
}

#[test]
fn what_was_encrypted_twice_is_reported_and_repaired_by_hand_only() {
    let tokens = Column::new(fernet("tokens", &FERNET[..1]));
    let inner = seal(&tokens, b"the value", &Context::new());
    let outer = seal(&tokens, inner.as_stored().as_bytes(), &Context::new());
    let column = Column::new(app(&key(), &[]))
        .read(fernet("tokens", &FERNET[..1]))
        .unwrap();

    assert!(
        column
            .open(outer.as_stored(), &row(1))
            .unwrap()
            .doubled
            .is_some()
    );
    assert_eq!(
        refused(reseal(&column, outer.as_stored(), &row(1))),
        "double-encrypted"
    );
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let repaired = column
        .unwrap_twice(outer.as_stored(), &row(1), &mut fresh)
        .unwrap();
    assert_eq!(
        *column
            .open(repaired.as_stored(), &row(1))
            .unwrap()
            .plaintext,
        b"the value"
    );

    let once = column
        .unwrap_twice(repaired.as_stored(), &row(1), &mut fresh)
        .unwrap_err();
    assert_eq!(once.code(), ErrorCode::FormatMismatch);
    let envelope = seal(&column, repaired.as_stored().as_bytes(), &row(1));
    let ours = column
        .unwrap_twice(envelope.as_stored(), &row(1), &mut fresh)
        .unwrap_err();
    assert_eq!(ours.code(), ErrorCode::FormatMismatch);
}

#[test]
fn an_earlier_context_opens_and_only_reopening_brings_the_present_one() {
    let key = key();
    let before = Column::new(app(&key, &[])).context(table());
    let stored = seal(&before, b"x", &row(1));
    let renamed = Context::new().with("table", "people").unwrap();
    let column = Column::new(app(&key, &[]))
        .context(renamed)
        .earlier_context(table());

    let read = column.open(stored.as_stored(), &row(1)).unwrap();
    assert!(read.earlier);
    assert!(matches!(
        reseal(&column, stored.as_stored(), &row(1)),
        Outcome::Current
    ));
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let Outcome::Resealed { value, .. } =
        column.reopen(Some(stored.as_stored()), &row(1), &mut fresh)
    else {
        panic!("it needed the earlier context");
    };
    assert!(!column.open(value.as_stored(), &row(1)).unwrap().earlier);
    let again = column.reopen(Some(value.as_stored()), &row(1), &mut fresh);
    assert!(matches!(again, Outcome::Current));
    let other_row = column.open(stored.as_stored(), &row(2)).unwrap_err();
    assert_eq!(other_row.code(), ErrorCode::AuthFailed);
}

#[test]
fn an_earlier_context_opens_whatever_another_codec_says() {
    let key = key();
    let before = Column::new(app(&key, &[])).context(table());
    let stored = seal(&before, b"x", &row(1));
    let without = Keyring::builder()
        .primary(self::key())
        .disabled(key.clone());
    let without = NamedCodec::new("other", Reseal::new(Arc::new(without.build().unwrap())));
    let renamed = Context::new().with("table", "people").unwrap();
    for [write, read] in [[app(&key, &[]), without.clone()], [without, app(&key, &[])]] {
        let column = Column::new(write)
            .read(read)
            .unwrap()
            .context(renamed.clone());
        let error = column.open(stored.as_stored(), &row(1)).unwrap_err();
        assert!(matches!(
            error.code(),
            ErrorCode::AuthFailed | ErrorCode::KeyDisabled
        ));
        let column = column.earlier_context(table());
        let read = column.open(stored.as_stored(), &row(1)).unwrap();
        assert_eq!((read.origin.codec.as_str(), read.earlier), ("app", true));
    }
}

#[test]
fn the_census_needs_no_key() {
    let key = key();
    let stranger = Column::new(app(&self::key(), &[]))
        .read(fernet("tokens", &FERNET[1..]))
        .unwrap()
        .read(sentry("sentry"))
        .unwrap()
        .read(plain())
        .unwrap();
    let envelope = seal(
        &Column::new(app(&key, &[])).mode(Mode::Deterministic),
        b"x",
        &row(1),
    );
    let token = seal(&Column::new(fernet("tokens", &FERNET[..1])), b"x", &row(1));
    let marked = seal(&Column::new(sentry("sentry")), b"x", &row(1));
    let in_codec = |stored: Option<Stored<'_>>| match stranger.classify(stored) {
        Classified::In { origin, certainty } => {
            (origin.codec, origin.key, origin.scheme, certainty)
        }
        other => panic!("{other:?}"),
    };
    let text = |text: &str| text.to_owned();
    let yes = Certainty::Yes;
    let id = Some(key.id().to_string());
    assert_eq!(
        in_codec(Some(envelope.as_stored())),
        (text("app"), id, "deterministic", yes)
    );
    assert_eq!(
        in_codec(Some(token.as_stored())),
        (text("tokens"), None, "fernet", yes)
    );
    let k2 = Some(text("k2"));
    assert_eq!(
        in_codec(Some(marked.as_stored())),
        (text("sentry"), k2, "fernet", yes)
    );
    let other = in_codec(Some(Stored::Text("hello")));
    assert_eq!(other, (text("plain"), None, "plain", Certainty::Maybe));
    assert_eq!(stranger.classify(None), Classified::Null);
    let closed = Column::new(app(&key, &[]));
    assert_eq!(
        closed.classify(Some(Stored::Text("hello"))),
        Classified::Unknown
    );
    assert_eq!(
        refused(reseal(&closed, Stored::Text("hello"), &row(1))),
        "format-mismatch"
    );
}

#[test]
fn no_column_writes_what_another_of_its_codecs_would_open() {
    let victim = Column::new(fernet("tokens", &FERNET[..1]));
    let token = seal(&victim, b"a secret of somebody else", &row(1));
    let off = Column::new(plain())
        .read(fernet("tokens", &FERNET[..1]))
        .unwrap()
        .read(sentry("sentry"))
        .unwrap();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    for text in [token.as_stored().as_bytes(), b"gAAAAA", b"enc:fernet:k1:"] {
        let refused = off.seal(text, &row(1), Form::Text, &mut fresh).unwrap_err();
        assert_eq!(refused.code(), ErrorCode::LooksSealed);
    }
    // The same text, submitted while the column was encrypted, is not written bare either.
    let key = key();
    let ours = Column::new(app(&key, &[]));
    let sealed = seal(&ours, token.as_stored().as_bytes(), &row(1));
    let off = off.read(app(&key, &[])).unwrap();
    assert_eq!(
        refused(reseal(&off, sealed.as_stored(), &row(1))),
        "double-encrypted"
    );
    let kept = off
        .keep_twice(sealed.as_stored(), &row(1), &mut fresh)
        .unwrap_err();
    assert_eq!(kept.code(), ErrorCode::LooksSealed);
}

#[test]
fn a_key_name_that_two_codecs_share_is_not_believed() {
    let named = |name: &str, key: &str| {
        NamedCodec::new(name, Sentry::new([("primary", key)], "primary").unwrap())
    };
    let before = Column::new(named("old", FERNET[0]));
    let stored = seal(&before, b"x", &row(1));
    let column = Column::new(named("new", FERNET[1]))
        .read(named("old", FERNET[0]))
        .unwrap();
    let fresh = resealed(&column, stored.as_stored(), &row(1));
    let alone = Column::new(named("new", FERNET[1]));
    assert!(alone.open(fresh.as_stored(), &row(1)).is_ok());
    assert!(matches!(
        reseal(&column, fresh.as_stored(), &row(1)),
        Outcome::Current
    ));
}

#[test]
fn a_text_that_only_looks_sealed_stops_no_rotation() {
    let (old, new) = (key(), key());
    let text = b"gAAAAAh, what a nice day";
    let with = |codec| Column::new(codec).read(fernet("tokens", &FERNET)).unwrap();
    let stored = seal(&with(app(&old, &[])), text, &row(1));
    let column = with(app(&new, &[&old]));
    let fresh_value = resealed(&column, stored.as_stored(), &row(1));
    let read = column.open(fresh_value.as_stored(), &row(1)).unwrap();
    assert_eq!((read.plaintext.as_slice(), read.current), (&text[..], true));

    // Out of another codec it is a person who says that it is no accident.
    let token = seal(&Column::new(fernet("tokens", &FERNET)), text, &row(1));
    assert_eq!(
        refused(reseal(&column, token.as_stored(), &row(1))),
        "double-encrypted"
    );
    let mut entropy = OsEntropy;
    let kept = column
        .keep_twice(token.as_stored(), &row(1), &mut fresh(&mut entropy, 1))
        .unwrap();
    assert_eq!(
        *column.open(kept.as_stored(), &row(1)).unwrap().plaintext,
        text
    );
}

#[test]
fn two_codecs_of_one_name_are_refused() {
    let column = Column::new(fernet("a", &FERNET[..1]));
    assert!(column.clone().read(fernet("a", &FERNET[1..])).is_err());
    assert!(column.read(fernet("b", &FERNET[1..])).is_ok());
}

proptest! {
    /// Whatever the order of the codecs, a text comes back as it was.
    #[test]
    fn any_text_goes_round_through_all_codecs(text in any::<String>(), order in Just([0, 1, 2, 3]).prop_shuffle()) {
        let (key, facts) = (key(), row(7));
        let codec = |at: usize| match at {
            0 => plain(),
            1 => app(&key, &[]),
            2 => fernet("tokens", &FERNET),
            _ => sentry("sentry"),
        };
        let mut stored = StoredValue::Text(text.clone());
        let mut before = plain();
        for at in order {
            let column = Column::new(codec(at)).context(table());
            let column = if before.name == codec(at).name { column } else { column.read(before.clone()).unwrap() };
            match reseal(&column, stored.as_stored(), &facts) {
                Outcome::Resealed { value, .. } => stored = value,
                Outcome::Current => {}
                // What looks sealed is refused by plain and by Sentry, and by nobody else.
                Outcome::Refused(error) => {
                    let codes = [ErrorCode::LooksSealed, ErrorCode::CodecReadOnly, ErrorCode::DoubleEncrypted];
                    prop_assert!(codes.contains(&error.code()), "{error:?}");
                    return Ok(());
                }
                Outcome::Null => panic!("this is not null"),
            }
            let read = column.open(stored.as_stored(), &facts).unwrap();
            prop_assert_eq!(&*read.plaintext, text.as_bytes());
            before = codec(at);
        }
    }
}

#[test]
fn the_label_of_an_encoding_goes_from_rails_to_rails_and_nowhere_else() {
    let rails = |name: &str, keys: &[&str]| {
        let builder = Rails::builder()
            .key_derivation_salt("salt")
            .primary_keys(keys);
        NamedCodec::new(name, builder.build().unwrap())
    };
    let (old, new) = (rails("old", &["old"]), rails("new", &["new"]));
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let context = Context::new();
    let place = crate::support::text_place(&context);
    let stored = old
        .codec
        .seal_labelled(b"caf\xE9", Some("ISO-8859-1"), &place, &mut fresh)
        .unwrap();
    let column = Column::new(new).read(old.clone()).unwrap();
    let moved = resealed(&column, stored.as_stored(), &context);
    let read = column.open(moved.as_stored(), &context).unwrap();
    assert_eq!(
        (read.encoding, read.plaintext.as_slice()),
        (Some("ISO-8859-1"), &b"caf\xE9"[..])
    );

    let ours = Column::new(app(&key(), &[])).read(old).unwrap();
    assert_eq!(
        refused(reseal(&ours, stored.as_stored(), &context)),
        "codec-read-only"
    );
}
