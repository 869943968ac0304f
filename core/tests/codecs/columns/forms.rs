//! The form of a stored value, which is not always that of its column: a text may stand in a binary one.

use super::{FERNET, app, fernet, key, resealed, row, seal, table};
use crate::support::{fresh, place};
use data_encoding::BASE64;
use reseal::{
    Column, Context, Mode, NamedCodec, OsEntropy, ValueType,
    codec::{Expect, Form, Metabase, MetabaseKey, N8n, Stored, StoredValue},
};

fn bytes(value: &StoredValue) -> Vec<u8> {
    value.as_stored().as_bytes().to_vec()
}

/// A text in a binary column.
fn text(value: &StoredValue) -> &str {
    assert_eq!(value.as_stored().form(), Form::Binary);
    value.as_stored().as_text().unwrap()
}

#[test]
fn a_text_envelope_in_a_binary_column_stays_text() {
    let (old, new) = (key(), key());
    let stored = bytes(&seal(&Column::new(app(&old, &[])), b"x", &row(1)));
    let column = Column::new(app(&new, &[&old]));
    let after = resealed(&column, Stored::Bytes(&stored), &row(1));
    assert!(text(&after).starts_with("rs1."));
    assert_eq!(
        *column.open(after.as_stored(), &row(1)).unwrap().plaintext,
        b"x"
    );
}

/// Whatever a rewrite changes: the application reads the characters of the row it has.
#[test]
fn every_rewrite_keeps_a_text_envelope_in_a_binary_column() {
    let (old, new) = (key(), key());
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let renamed = Context::new().with("table", "people").unwrap();
    let column = || Column::new(app(&new, &[&old])).context(renamed.clone());
    let check = |column: &Column, after: StoredValue, plaintext: &[u8]| {
        assert!(text(&after).starts_with("rs1."), "{}", text(&after));
        let read = column.open(after.as_stored(), &row(1)).unwrap();
        assert_eq!((read.plaintext.as_slice(), read.current), (plaintext, true));
    };

    // Another context.
    let before = Column::new(app(&old, &[])).context(table());
    let stored = bytes(&seal(&before, b"x", &row(1)));
    let moved = column().earlier_context(table());
    let after = resealed(&moved, Stored::Bytes(&stored), &row(1));
    check(&moved, after, b"x");
    // Another spelling.
    let typed = column().value_type(ValueType::Integer);
    let typed = typed.mode(Mode::Deterministic).earlier_context(table());
    let foreign = bytes(&seal(&before, b"007", &row(1)));
    let after = resealed(&typed, Stored::Bytes(&foreign), &row(1));
    check(&typed, after, b"7");
    // Another codec of the same format.
    let other = NamedCodec {
        name: "other".into(),
        ..app(&old, &[])
    };
    let column = Column::new(app(&new, &[])).read(other).unwrap();
    let after = resealed(
        &column.clone().context(table()),
        Stored::Bytes(&stored),
        &row(1),
    );
    check(&column.context(table()), after, b"x");
    // The repairs of one row.
    let tokens = Column::new(app(&new, &[&old])).context(table());
    let tokens = tokens.read(fernet("tokens", &FERNET)).unwrap();
    let token = seal(&Column::new(fernet("tokens", &FERNET)), b"x", &row(1));
    let twice = bytes(&seal(&before, token.as_stored().as_bytes(), &row(1)));
    let repaired = tokens.unwrap_twice(Stored::Bytes(&twice), &row(1), &mut fresh);
    check(&tokens, repaired.unwrap(), b"x");
    let kept = tokens.keep_twice(Stored::Bytes(&twice), &row(1), &mut fresh);
    check(&tokens, kept.unwrap(), token.as_stored().as_bytes());
    // What comes from elsewhere takes the form of the column.
    let token = bytes(&token);
    let after = resealed(&tokens, Stored::Bytes(&token), &row(1));
    assert!(after.as_stored().as_text().is_none());
}

fn metabase(name: &str, key: &MetabaseKey) -> NamedCodec {
    NamedCodec::new(name, Metabase::new(vec![key.clone()]).unwrap())
}

/// Also where no text column could hold the plaintext.
#[test]
fn every_rewrite_keeps_base64_of_metabase_in_a_binary_column() {
    let [old, new] = [
        "an old secret of some length",
        "a new secret of some length",
    ]
    .map(|secret| MetabaseKey::derive(secret).unwrap());
    let bound = |key: &MetabaseKey| {
        let codec = Metabase::new(vec![key.clone()]).unwrap();
        NamedCodec::new("metabase", codec.aad("setting.{key}").unwrap())
    };
    let [before, now] = ["a", "b"].map(|key| Context::new().with("key", key).unwrap());
    let both = Metabase::new(vec![new.clone(), old.clone()]).unwrap();
    let both = NamedCodec::new("metabase", both);
    for plaintext in [&b"x"[..], b"\xFF\xFE\x01\x02"] {
        let stored = |column: &Column| {
            let mut entropy = OsEntropy;
            let mut fresh = fresh(&mut entropy, 1);
            let raw = column.seal(plaintext, &row(1), Form::Binary, &mut fresh);
            BASE64.encode(raw.unwrap().as_stored().as_bytes())
        };
        let unbound = stored(&Column::new(metabase("old", &old)));
        let moves = [
            // Another key.
            (Column::new(both.clone()), &unbound),
            // Another codec of the same format.
            (
                Column::new(metabase("new", &new))
                    .read(metabase("old", &old))
                    .unwrap(),
                &unbound,
            ),
            // Another context.
            (
                Column::new(bound(&old))
                    .context(now.clone())
                    .earlier_context(before.clone()),
                &stored(&Column::new(bound(&old)).context(before.clone())),
            ),
        ];
        for (column, stored) in moves {
            let after = resealed(&column, Stored::Bytes(stored.as_bytes()), &row(1));
            BASE64.decode(text(&after).as_bytes()).unwrap();
            let read = column.open(after.as_stored(), &row(1)).unwrap();
            assert_eq!(
                (read.plaintext.as_slice(), read.earlier),
                (plaintext, false)
            );
        }
    }
}

#[test]
fn base64_of_another_format_is_none_of_metabase() {
    let n8n = N8n::builder().instance_key("a key").expect(Expect::Json);
    let n8n = NamedCodec::new("n8n", n8n.build().unwrap());
    let json = format!("{{\"a\":\"{}\"}}", "b".repeat(60));
    let legacy = bytes(&seal(&Column::new(n8n.clone()), json.as_bytes(), &row(1)));
    let key = MetabaseKey::derive("a secret of some length").unwrap();
    let column = Column::new(metabase("metabase", &key)).read(n8n).unwrap();
    let after = resealed(&column, Stored::Bytes(&legacy), &row(1));
    assert!(after.as_stored().as_text().is_none());
}

/// Whoever rotates without a column may move a value from one of text to one of bytes, and back.
#[test]
fn a_rotated_envelope_takes_the_form_of_its_place() {
    let (old, new) = (key(), key());
    let (codec, context) = (app(&new, &[&old]).codec, Context::new());
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let [text, binary] = [Form::Text, Form::Binary].map(|form| {
        let sealed = app(&old, &[])
            .codec
            .seal(b"x", &place(&context, form), &mut fresh);
        sealed.unwrap()
    });
    let inner = StoredValue::Bytes(bytes(&text));
    for (stored, form, is_binary) in [
        (&text, Form::Text, false),
        (&text, Form::Binary, true),
        (&binary, Form::Text, false),
        (&binary, Form::Binary, true),
        (&inner, Form::Text, false),
        // A text in a binary column.
        (&inner, Form::Binary, false),
    ] {
        let stored = stored.as_stored();
        let after = codec.rotate(stored, &place(&context, form), &mut fresh);
        let after = after.unwrap();
        let after = after.as_stored();
        assert_eq!(after.form(), form, "{stored:?}");
        assert_eq!(after.as_text().is_none(), is_binary, "{stored:?}");
        assert_eq!(*codec.open(after, &context).unwrap().plaintext, b"x");
    }
}
