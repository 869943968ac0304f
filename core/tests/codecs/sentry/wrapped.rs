//! The wrapper of JSON fields: what is one, what was cut, and what belongs to the other field.

use super::{KEY, code, json_field, sealed, text_field};
use reseal::{
    Context, Mode,
    codec::{Certainty, Codec, CodecKind, Stored, Trust},
};

#[test]
fn a_cut_wrapper_is_never_a_plaintext() {
    let whole = sealed(&json_field(), br#"{"a":1}"#);
    for stored in [
        whole.replace(": ", ":"),
        whole.replace('{', " {\n  ").replace(": ", " :\t"),
        whole,
    ] {
        let opened = json_field().open(Stored::Text(&stored), &Context::new());
        assert!(opened.is_ok(), "{stored}");
        let start = stored.find("value\"").unwrap() + 6;
        for end in start..stored.len() {
            let cut = &stored[..end];
            for stored in [Stored::Text(cut), Stored::Bytes(cut.as_bytes())] {
                let shown = CodecKind::Sentry.recognize(stored).unwrap();
                assert_eq!((shown.scheme, shown.certainty), ("damaged", Certainty::Yes));
                assert_eq!(code(&json_field(), stored), "malformed", "{cut}");
            }
        }
    }
}

#[test]
fn bytes_that_are_no_text_since_one_was_changed_are_damaged() {
    for start in ["enc:fernet:a:", r#"{"sentry_encrypted_field_value": "enc:"#] {
        let bytes = [start.as_bytes(), b"Z0FB\xFF"].concat();
        let shown = CodecKind::Sentry.recognize(Stored::Bytes(&bytes)).unwrap();
        assert_eq!(shown.certainty, Certainty::Yes);
        assert_eq!(code(&json_field(), Stored::Bytes(&bytes)), "malformed");
        assert_eq!(code(&text_field(), Stored::Bytes(&bytes)), "malformed");
    }
    let other = Stored::Bytes(b"enc\xFF");
    assert_eq!(CodecKind::Sentry.recognize(other), None);
    assert_eq!(code(&text_field(), other), "format-mismatch");
}

#[test]
fn other_json_is_no_wrapper() {
    let huge = format!(
        r#"{{"sentry_encrypted_field_value":[{}0]}}"#,
        "0,".repeat(1 << 20)
    );
    for other in [
        r#"{"sentry_encrypted_field_value": 5}"#,
        r#"{"sentry_encrypted_field_value": -5}"#,
        r#"{"sentry_encrypted_field_value": 0.5}"#,
        r#"{"sentry_encrypted_field_value": null}"#,
        r#"{"sentry_encrypted_field_value": {"x": [true]}}"#,
        r#"{"sentry_encrypted_field_value": true}"#,
        r#"{"sentry_encrypted_field_value": "enc:plaintext:MQ==", "x": {"y": 1}}"#,
        r#"{"x": 1, "sentry_encrypted_field_value": "enc:plaintext:MQ=="}"#,
        r#"{"x": {"sentry_encrypted_field_value": "enc:plaintext:MQ=="}}"#,
        r#"{"x": "cut"#,
        "{}",
        "[]",
        &huge,
    ] {
        let shown = CodecKind::Sentry.recognize(Stored::Text(other));
        assert_eq!(shown, None, "{other:.200}");
        assert_eq!(code(&json_field(), Stored::Text(other)), "format-mismatch");
    }
    // As in Python: a name may be escaped, and the last member of one name counts.
    let odd = r#"{"sentry_encrypted_field_valu\u0065": 1, "sentry_encrypted_field_value": "enc:plaintext:MQ=\u003d"}"#;
    let opened = json_field().open(Stored::Text(odd), &Context::new());
    assert_eq!(*opened.unwrap().plaintext, b"1");
}

#[test]
fn what_is_larger_than_any_value_is_not_parsed() {
    let larger = format!(
        r#"{{"sentry_encrypted_field_value":"{}"}}"#,
        "A".repeat(3 << 24)
    );
    let shown = CodecKind::Sentry.recognize(Stored::Text(&larger)).unwrap();
    assert_eq!((shown.scheme, shown.certainty), ("damaged", Certainty::Yes));
    assert_eq!(code(&json_field(), Stored::Text(&larger)), "too-large");
}

#[test]
fn a_value_of_the_other_kind_of_field_is_not_current() {
    let bare = sealed(&text_field(), b"1");
    let wrapped = sealed(&json_field(), b"1");
    for (codec, own, other) in [
        (text_field(), &bare, &wrapped),
        (json_field(), &wrapped, &bare),
    ] {
        assert_eq!(
            codec.is_current(Stored::Text(own), Mode::Random),
            Some(true)
        );
        let other = Stored::Text(other);
        assert_eq!(codec.is_current(other, Mode::Random), Some(false));
        // It is a ciphertext all the same.
        let shown = codec.recognize(other).unwrap();
        assert_eq!(shown.certainty, Certainty::Yes);
        assert_eq!(code(&codec, other), "format-mismatch");
    }
}

#[test]
fn a_wrapper_from_before_encryption_is_seen_where_it_is_opened() {
    let stored = Stored::Text(r#"{"sentry_encrypted_field_value": "{\"a\": 1}"}"#);
    assert_eq!(json_field().recognize(stored), None);
    let lenient = || json_field().lenient(true);
    let shown = lenient().recognize(stored).unwrap();
    assert_eq!(
        (shown.scheme, shown.certainty),
        ("unmarked", Certainty::Yes)
    );
    let opened = lenient().open(stored, &Context::new()).unwrap();
    assert_eq!((opened.scheme, opened.trust), ("unmarked", Trust::Plain));
    assert_eq!(lenient().is_current(stored, Mode::Random), Some(false));
    let refusing = lenient().plaintext(false);
    assert_eq!(code(&refusing, stored), "format-unsupported");
    // It is no wrapper without a marker that counts, but one of a text.
    let text = Stored::Text(r#"{"sentry_encrypted_field_value": "v"}"#);
    assert_eq!(lenient().recognize(text), None);
    assert!(!format!("{:?}", lenient()).contains(KEY));
}
