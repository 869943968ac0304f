//! The credential profiles of Freeboard.

use crate::support::{fresh, text, text_place};
use data_encoding::BASE64;
use proptest::prelude::*;
use reseal::{
    Column, Context, ErrorCode, Key, KeyUse, Keyring, Mode, NamedCodec, OsEntropy, Outcome, Result,
    codec::{
        Certainty, Codec, CodecKind, Form, Freeboard, FreeboardKey, Opened, Place, Reseal, Stored,
        StoredValue,
    },
};
use serde_json::{Value, json};
use std::sync::Arc;

const NEW: &str = "vktGK4m7SVwt2/HEtwSb8keAFZRaAIda9sBsitk3ajI=";
const OLD: &str = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";
const SECRET: &str = r#"{"token":"secret-token"}"#;

/// The first row of the vectors, under the old key.
fn row() -> Value {
    json!({
        "algorithm": "aes-256-gcm", "keyId": "v1", "iv": "3NjaH/K38V5r9HZj",
        "ciphertext": "r8HBK0K+479FR1sOmno68AuePjhxMReB", "authTag": "XauqsP6q5LgvCyYLk1pOgQ==",
    })
}

fn with(name: &str, member: impl Into<Value>) -> String {
    let mut row = row();
    row[name] = member.into();
    row.to_string()
}

fn codec(keys: &[&str]) -> Freeboard {
    let keys = keys.iter().map(|key| FreeboardKey::parse(key).unwrap());
    Freeboard::new(keys.collect()).unwrap()
}

fn open(codec: &Freeboard, stored: &str) -> Result<Opened> {
    codec.open(Stored::Text(stored), &Context::new())
}

fn code(result: Result<Opened>) -> &'static str {
    result.unwrap_err().code().as_str()
}

/// The code of both, strict and lenient.
fn refused(stored: &str) -> &'static str {
    let strict = code(open(&codec(&[OLD]), stored));
    assert_eq!(code(open(&codec(&[OLD]).lenient(true), stored)), strict);
    strict
}

fn scheme(stored: &str) -> Option<&'static str> {
    let shown = CodecKind::Freeboard.recognize(Stored::Text(stored))?;
    assert_eq!((shown.certainty, shown.key), (Certainty::Yes, None));
    Some(shown.scheme)
}

fn seal(codec: &Freeboard, plaintext: &[u8]) -> Result<StoredValue> {
    let context = Context::new();
    codec.seal(
        plaintext,
        &text_place(&context),
        &mut fresh(&mut OsEntropy, 1),
    )
}

// Keys and their rotation.

#[test]
fn values_go_from_the_old_key_to_the_new_and_back() {
    let context = Context::new();
    let stored = row().to_string();
    let forward = codec(&[NEW, OLD]);
    assert_eq!(
        forward.is_current(Stored::Text(&stored), Mode::Random),
        None
    );
    let opened = open(&forward, &stored).unwrap();
    assert_eq!((opened.key.as_deref(), opened.current), (Some("2"), false));
    let place = text_place(&context);
    let new = forward.rotate(Stored::Text(&stored), &place, &mut fresh(&mut OsEntropy, 1));
    let new = new.unwrap();
    let opened = codec(&[NEW]).open(new.as_stored(), &context).unwrap();
    assert_eq!(
        (opened.plaintext.as_slice(), opened.current),
        (SECRET.as_bytes(), true)
    );
    let backward = codec(&[OLD, NEW]);
    let back = backward.rotate(new.as_stored(), &place, &mut fresh(&mut OsEntropy, 1));
    let back = back.unwrap();
    assert_eq!(
        *codec(&[OLD])
            .open(back.as_stored(), &context)
            .unwrap()
            .plaintext,
        SECRET.as_bytes()
    );
    assert_eq!(
        code(codec(&[NEW]).open(back.as_stored(), &context)),
        "auth-failed"
    );
}

#[test]
fn a_key_is_read_as_freeboard_reads_it() {
    let url = NEW.replace('+', "-").replace('/', "_");
    let unpadded = NEW.trim_end_matches('=');
    let spaced = format!("\u{feff}\u{a0} {NEW}\r\n");
    let context = Context::new();
    let stored = seal(&codec(&[NEW]), b"{}").unwrap();
    for key in [NEW, &url, unpadded, &spaced] {
        assert!(
            codec(&[key]).open(stored.as_stored(), &context).is_ok(),
            "{key}"
        );
    }
    for key in [
        "",
        "AAEC",
        &NEW[..40],
        &format!("AAAA{NEW}"),
        &format!("\u{85}{NEW}"),
        "clé",
    ] {
        let error = FreeboardKey::parse(key).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidKey, "{key}");
    }
    let error = Freeboard::new(Vec::new()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidArgument);
    assert!(!format!("{:?}", codec(&[NEW])).contains("vktG"));
}

// Rows.

#[test]
fn a_row_may_stand_in_any_order_and_in_bytes() {
    let row = row();
    let members = row.as_object().unwrap().iter().rev();
    let members: Vec<_> = members
        .map(|(name, member)| format!("\n {name:?} :\t{member}"))
        .collect();
    let stored = format!(" {{{}, \"more\": [{{\"x\": null}}]}}\n", members.join(" ,"));
    assert_eq!(
        *open(&codec(&[OLD]), &stored).unwrap().plaintext,
        SECRET.as_bytes()
    );
    let bytes = Stored::Bytes(stored.as_bytes());
    assert!(codec(&[OLD]).open(bytes, &Context::new()).is_ok());
    assert!(CodecKind::Freeboard.recognize(bytes).is_some());
}

#[test]
fn a_binary_column_gets_the_same_object() {
    let context = Context::new();
    let place = Place {
        context: &context,
        mode: Mode::Random,
        form: Form::Binary,
    };
    let sealed = codec(&[NEW])
        .seal(b"{}", &place, &mut fresh(&mut OsEntropy, 1))
        .unwrap();
    assert!(matches!(sealed, StoredValue::Bytes(_)));
    let row: Value = serde_json::from_slice(sealed.as_stored().as_bytes()).unwrap();
    assert_eq!(
        (text(&row, "algorithm"), text(&row, "keyId")),
        ("aes-256-gcm", "v1")
    );
}

#[test]
fn rows_that_are_not_encrypted_are_left_alone() {
    let rows = [
        "",
        "{}",
        " {} ",
        "null",
        "[]",
        "[{}]",
        "1",
        "\"aes-256-gcm\"",
        "{",
        "{}{}",
        "not JSON",
        r#"{"token":"plaintext"}"#,
        r#"{"algorithm":"aes-256-cbc"}"#,
        r#"{"algorithm":1}"#,
        r#"{"algorithm":"AES-256-GCM","iv":"a","ciphertext":"b"}"#,
        r#"{"iv":"a","ciphertext":"b","authTag":null}"#,
    ];
    for row in rows {
        assert_eq!(refused(row), "format-mismatch", "{row}");
        assert_eq!(scheme(row), None, "{row}");
    }
    assert_eq!(refused(&with("x", "x".repeat(1 << 25))), "too-large");
}

#[test]
fn a_damaged_row_says_which_member() {
    let short = |bytes: usize| BASE64.encode(&vec![7; bytes]);
    let cases = [
        ("algorithm", Value::Null, "algorithm"),
        ("iv", Value::Null, "iv"),
        ("iv", short(11).into(), "iv"),
        ("iv", short(13).into(), "iv"),
        ("iv", "".into(), "iv"),
        ("ciphertext", 5.into(), "ciphertext"),
        ("authTag", json!([]), "authTag"),
        ("authTag", short(4).into(), "authTag"),
        ("authTag", short(12).into(), "authTag"),
        ("authTag", short(15).into(), "authTag"),
        ("authTag", short(17).into(), "authTag"),
    ];
    for (name, member, blamed) in cases {
        let stored = with(name, member);
        assert_eq!(refused(&stored), "malformed", "{stored}");
        assert_eq!(scheme(&stored), Some("damaged"), "{stored}");
        let error = open(&codec(&[OLD]), &stored).unwrap_err();
        assert!(error.message().contains(blamed), "{error}");
    }
}

/// Node accepts a tag that was cut to 4 bytes, which 2^32 guesses hit.
#[test]
fn a_true_tag_that_was_cut_does_not_open() {
    for kept in [4, 8, 12, 13, 14, 15] {
        let tag = BASE64.decode(b"XauqsP6q5LgvCyYLk1pOgQ==").unwrap();
        assert_eq!(
            refused(&with("authTag", BASE64.encode(&tag[..kept]))),
            "malformed"
        );
    }
}

#[test]
fn lenient_reads_base64_as_node_does() {
    let ways = [
        ("authTag", "XauqsP6q5LgvCyYLk1pOgQ"),
        ("authTag", "XauqsP6q5Lgv\n CyYLk1pOgQ=="),
        ("iv", "3NjaH_K38V5r9HZj"),
        ("ciphertext", "r8HBK0K-479FR1sOmno68AuePjhxMReB"),
        ("authTag", "XauqsP6q5LgvCyYLk1pOgR=="),
        ("iv", "3NjaH/K38V5r9HZj====more"),
    ];
    for (name, member) in ways {
        let stored = with(name, member);
        assert_eq!(code(open(&codec(&[OLD]), &stored)), "malformed", "{member}");
        let opened = open(&codec(&[OLD]).lenient(true), &stored).unwrap();
        assert_eq!(*opened.plaintext, SECRET.as_bytes(), "{member}");
        assert_eq!(scheme(&stored), Some("gcm"), "{member}");
    }
}

#[test]
fn a_plaintext_is_json_and_is_moved_as_it_is() {
    let context = Context::new();
    let odd: [&[u8]; 4] = [
        br#"{"a":"\ud800"}"#,
        br#" {"b":1.0,"a":1e400,"a":2} "#,
        b"{}",
        b"[]",
    ];
    for plaintext in odd {
        let sealed = seal(&codec(&[OLD]), plaintext).unwrap();
        let forward = codec(&[NEW, OLD]);
        let moved = forward.rotate(
            sealed.as_stored(),
            &text_place(&context),
            &mut fresh(&mut OsEntropy, 1),
        );
        let opened = codec(&[NEW])
            .open(moved.unwrap().as_stored(), &context)
            .unwrap();
        assert_eq!(*opened.plaintext, plaintext);
    }
    for plaintext in [&b""[..], b"hello", b"{", b"\"\xff\"", b"{}{}"] {
        let error = seal(&codec(&[OLD]), plaintext).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    }
    let large = format!("\"{}\"", "x".repeat(1 << 24));
    let error = seal(&codec(&[OLD]), large.as_bytes()).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooLarge);
}

// Rows that were cut, and rows of others.

fn rotate(codec: &Freeboard, stored: &str) -> Result<StoredValue> {
    let context = Context::new();
    codec.rotate(
        Stored::Text(stored),
        &text_place(&context),
        &mut fresh(&mut OsEntropy, 1),
    )
}

#[test]
fn a_row_that_was_cut_is_no_plaintext() {
    let sealed = seal(&codec(&[OLD]), SECRET.as_bytes()).unwrap();
    let whole = sealed.as_stored().as_text().unwrap();
    let mark = r#"{"algorithm":"aes-256-gcm"#;
    assert!(whole.starts_with(mark));
    for length in mark.len()..whole.len() {
        assert_eq!(refused(&whole[..length]), "malformed", "{length}");
        assert_eq!(scheme(&whole[..length]), Some("damaged"), "{length}");
    }
    let sorted = r#" {"iv": "3NjaH/K38V5r9HZj", "algorithm" : "aes-256-gcm", "ciph"#;
    let doubled = format!("{whole}{whole}");
    let lone = with("x", "é").replace('é', r"\ud800");
    for row in [sorted, &doubled, &format!("{whole}x")] {
        assert_eq!(refused(row), "malformed", "{row}");
        assert_eq!(scheme(row), Some("damaged"), "{row}");
    }
    assert!(open(&codec(&[OLD]), &lone).is_ok());
    // A row of bytes, cut within a character of another member.
    let bytes = with("x", "é").replace(r#""x":"#, r#""x" :"#).into_bytes();
    let at = bytes.iter().position(|byte| *byte == 0xC3).unwrap();
    let cut = Stored::Bytes(&bytes[..=at]);
    let shown = CodecKind::Freeboard.recognize(cut).unwrap();
    assert_eq!((shown.scheme, shown.certainty), ("damaged", Certainty::Yes));
    for other in [
        r#"["algorithm":"aes-256-gcm""#,
        r#"{"algorithm" "aes-256-gcm""#,
        r#"{"algorithm":"aes-256-cbc","#,
        r#"{"name":"aes-256-gcm","#,
    ] {
        assert_eq!(refused(other), "format-mismatch", "{other}");
        assert_eq!(scheme(other), None, "{other}");
    }
}

#[test]
fn half_a_surrogate_pair_is_read_as_javascript_does() {
    let named = row().to_string().replacen('{', r#"{"\ud800":1,"#, 1);
    assert_eq!(
        *open(&codec(&[OLD]), &named).unwrap().plaintext,
        SECRET.as_bytes()
    );
    assert_eq!(scheme(&named), Some("gcm"));
    let within = with("iv", "x").replace(r#""x""#, r#""\ud800""#);
    assert_eq!(refused(&within), "malformed");
}

#[test]
fn what_is_too_large_is_no_plaintext() {
    let large = with("ciphertext", "A".repeat(33 << 20));
    assert_eq!(refused(&large), "too-large");
    assert_eq!(scheme(&large), Some("damaged"));
    let other = "x".repeat(33 << 20);
    assert_eq!(refused(&other), "format-mismatch");
}

#[test]
fn escapes_in_a_row_are_read() {
    let escaped = row()
        .to_string()
        .replace('/', r"\/")
        .replace("algorithm", r"\u0061lgorithm");
    assert_eq!(
        *open(&codec(&[OLD]), &escaped).unwrap().plaintext,
        SECRET.as_bytes()
    );
}

#[test]
fn rotating_loses_no_member() {
    let forward = codec(&[NEW, OLD]);
    for stored in [
        with("note", "keep me"),
        with("keyId", "v2"),
        with("keyId", Value::Null),
    ] {
        assert!(open(&forward, &stored).is_ok());
        let error = rotate(&forward, &stored).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CodecReadOnly, "{stored}");
    }
    let mut without = row();
    without.as_object_mut().unwrap().remove("keyId");
    assert!(rotate(&forward, &without.to_string()).is_ok());
    // A key that opens nothing is what counts first.
    let error = rotate(&codec(&[NEW]), &with("note", "keep me")).unwrap_err();
    assert_eq!(error.code().as_str(), "auth-failed");
}

/// Members of other types take seconds and a hundred times their size where they are kept.
#[test]
fn members_that_are_no_text_are_skipped() {
    let items = "{\"\":0},".repeat(1 << 21);
    let deep = format!("{}{}", "[".repeat(1 << 20), "]".repeat(1 << 20));
    for member in [format!("[{items}0]"), "1e400".to_owned(), deep] {
        let row = format!(r#"{{"iv":{member}}}"#);
        assert_eq!(refused(&row), "format-mismatch");
        let row = format!(r#"{{"iv":{member},"algorithm":"aes-256-gcm"}}"#);
        assert_eq!(refused(&row), "malformed");
    }
}

// Arbitrary values.

fn survives(stored: Stored<'_>) {
    let context = Context::new();
    for codec in [codec(&[NEW, OLD]), codec(&[OLD]).lenient(true)] {
        let opened = codec.open(stored, &context);
        let _ = codec.rotate(stored, &text_place(&context), &mut fresh(&mut OsEntropy, 1));
        assert!(opened.is_err() || codec.recognize(stored).is_some());
    }
}

proptest! {
    #[test]
    fn arbitrary_values_do_not_panic(
        bytes in prop::collection::vec(any::<u8>(), 0..120),
        any_text in ".{0,120}",
        name in prop::sample::select(vec!["algorithm", "iv", "ciphertext", "authTag", "keyId"]),
    ) {
        survives(Stored::Bytes(&bytes));
        survives(Stored::Text(&any_text));
        survives(Stored::Text(&with(name, any_text.as_str())));
        survives(Stored::Text(&with(name, BASE64.encode(&bytes))));
    }

    #[test]
    fn changed_rows_do_not_open(at in any::<prop::sample::Index>(), by in 1..=255_u8) {
        for name in ["iv", "ciphertext", "authTag"] {
            let mut bytes = BASE64.decode(text(&row(), name).as_bytes()).unwrap();
            *at.get_mut(&mut bytes) ^= by;
            let stored = with(name, BASE64.encode(&bytes));
            prop_assert_eq!(refused(&stored), "auth-failed");
        }
        let mut bytes = row().to_string().into_bytes();
        *at.get_mut(&mut bytes) ^= by;
        survives(Stored::Bytes(&bytes));
    }
}

#[test]
fn a_row_that_says_more_than_its_secret_stays_where_it_is() {
    let ring = Keyring::builder()
        .primary(Key::generate(KeyUse::Data, &mut OsEntropy).unwrap())
        .build();
    let app = NamedCodec::new("app", Reseal::new(Arc::new(ring.unwrap())));
    let other = NamedCodec::new("other", codec(&[NEW]));
    for writer in [app, other] {
        let column = Column::new(writer).read(NamedCodec::new("old", codec(&[OLD])));
        let column = column.unwrap();
        let reseal = |stored: &str| {
            let stored = Some(Stored::Text(stored));
            column.reseal(stored, &Context::new(), &mut fresh(&mut OsEntropy, 1))
        };
        assert!(matches!(
            reseal(&row().to_string()),
            Outcome::Resealed { .. }
        ));
        for more in [with("x", 1), with("keyId", "v2")] {
            assert!(column.open(Stored::Text(&more), &Context::new()).is_ok());
            let Outcome::Refused(error) = reseal(&more) else {
                panic!("it would lose what freeboard never writes");
            };
            assert_eq!(error.code(), ErrorCode::CodecReadOnly);
        }
    }
}
