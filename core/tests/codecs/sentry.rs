//! The encrypted fields of Sentry.

mod claims;
mod wrapped;

use crate::support::{fresh, text_place};
use proptest::prelude::*;
use reseal::{
    Context, OsEntropy,
    codec::{Codec, Sentry, SentryField, Stored},
};

const KEY: &str = "fn1e6PrRXKIvPkwnZGcFUouLeIEFe45dsK-C-nvMaoc=";

fn text_field() -> Sentry {
    Sentry::new([("a", KEY)], "a").unwrap()
}

fn json_field() -> Sentry {
    text_field().field(SentryField::Json)
}

fn sealed(codec: &Sentry, plaintext: &[u8]) -> String {
    let context = Context::new();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    let stored = codec.seal(plaintext, &text_place(&context), &mut fresh);
    stored.unwrap().as_stored().as_text().unwrap().to_owned()
}

fn code(codec: &Sentry, stored: Stored<'_>) -> &'static str {
    let opened = codec.open(stored, &Context::new());
    opened.unwrap_err().code().as_str()
}

#[test]
fn a_key_id_with_a_colon_is_read_and_never_written() {
    let codec = Sentry::new([("a:b", KEY), ("c", KEY)], "c").unwrap();
    let context = Context::new();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 0);
    let stored = codec.seal(b"x", &text_place(&context), &mut fresh).unwrap();
    let text = stored
        .as_stored()
        .as_text()
        .unwrap()
        .replace("enc:fernet:c:", "enc:fernet:a:b:");
    let opened = codec.open(Stored::Text(&text), &context).unwrap();
    assert_eq!(
        (opened.key.as_deref(), opened.current),
        (Some("a:b"), false)
    );

    let codec = Sentry::new([("a:b", KEY)], "a:b").unwrap();
    let refused = codec
        .seal(b"x", &text_place(&context), &mut fresh)
        .unwrap_err();
    assert_eq!(refused.code().as_str(), "codec-read-only");
}

#[test]
fn what_sentry_cannot_read_back_is_not_written() {
    let context = Context::new();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 0);
    let text_field = Sentry::new([("a", KEY)], "a").unwrap();
    for plaintext in [&b"\xff"[..], b"enc:plaintext:aGVsbG8="] {
        let refused = text_field
            .seal(plaintext, &text_place(&context), &mut fresh)
            .unwrap_err();
        assert_eq!(refused.code().as_str(), "codec-read-only");
    }
    let json_field = Sentry::new([("a", KEY)], "a")
        .unwrap()
        .field(SentryField::Json);
    for plaintext in [&b"no json"[..], b"{\"a\":\"\xff\"}"] {
        let refused = json_field
            .seal(plaintext, &text_place(&context), &mut fresh)
            .unwrap_err();
        assert_eq!(refused.code().as_str(), "codec-read-only");
    }
}

#[test]
fn a_primary_that_is_not_there_is_named() {
    let error = Sentry::new([("a", KEY)], "b").unwrap_err();
    assert_eq!(error.code().as_str(), "invalid-argument");
    assert!(error.message().contains("\"b\""));
    assert!(Sentry::new([("a", KEY), ("a", KEY)], "a").is_err());
    assert!(!format!("{:?}", Sentry::new([("a", KEY)], "a").unwrap()).contains(KEY));
}

proptest! {
    #[test]
    fn nothing_panics_on_any_text(text in ".{0,200}", mark in 0..4_usize, json in any::<bool>()) {
        let marks = ["", "enc:fernet:a:", "enc:plaintext:", "{\"sentry_encrypted_field_value\": \"enc:"];
        let text = format!("{}{text}", marks[mark]);
        let field = if json { SentryField::Json } else { SentryField::Text };
        let codec = Sentry::new([("a", KEY)], "a").unwrap().field(field).lenient(true);
        let _ = codec.recognize(Stored::Text(&text));
        let _ = codec.open(Stored::Text(&text), &Context::new());
        let _ = codec.open(Stored::Bytes(text.as_bytes()), &Context::new());
    }
}
