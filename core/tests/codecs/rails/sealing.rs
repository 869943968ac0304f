//! Round trips, and rotation inside the format.

use super::{
    BOTH, DETERMINISTIC, ENVELOPE, NEW, NEW_ID, OLD, OLD_ID, PACKED, PACKED_ENVELOPE, PLAIN,
    UNCOMPRESSED, base64, code, deterministic, open, rotate, seal, seal_form, with_header,
    with_keys,
};
use crate::support::{fresh, text_place};
use reseal::{
    Context, Mode, OsEntropy,
    codec::{Certainty, Codec, CodecKind, Form, RailsDigest, Stored, StoredValue},
};
use serde_json::{Value, json};

#[test]
fn what_is_sealed_opens() {
    let plaintexts = [
        b"".to_vec(),
        b"short".to_vec(),
        "Žluťoučký 🐴".into(),
        vec![0xFF, 0, 0xFE],
        vec![b'a'; 140],
        vec![b'a'; 141],
        (0..=255).cycle().take(70_000).collect(),
    ];
    let codecs = [
        &PLAIN,
        &BOTH,
        &ENVELOPE,
        &UNCOMPRESSED,
        &PACKED,
        &PACKED_ENVELOPE,
    ];
    for codec in codecs {
        for plaintext in &plaintexts {
            let sealed = seal_form(codec, plaintext, Form::Binary).unwrap();
            let opened = codec.open(sealed.as_stored(), &Context::new()).unwrap();
            assert_eq!(*opened.plaintext, *plaintext);
            assert!(opened.current);
            let binary = core::str::from_utf8(plaintext).is_err();
            assert_eq!(opened.scheme.ends_with("+ascii-8bit"), binary);
            let shown = CodecKind::Rails.recognize(sealed.as_stored()).unwrap();
            assert_eq!(shown.certainty, Certainty::Yes);
            assert_eq!(shown.scheme, opened.scheme);
        }
    }
}

#[test]
fn the_headers_stand_in_the_order_of_rails() {
    let codec = with_keys(&[OLD])
        .envelope(true)
        .store_key_references(true)
        .build()
        .unwrap();
    let stored = seal(&codec, &[0xFF; 200]);
    let names = [
        "\"p\":",
        "\"h\":{\"iv\":",
        "\"at\":",
        "\"e\":\"QVNDSUktOEJJVA==\",\"k\":{\"p\":",
    ];
    let ends = ["\"e\":\"QVNDSUktOEJJVA==\"}},\"i\":\"MzVlMg==\",\"c\":true}}"];
    let mut at = 0;
    for name in names.iter().chain(&ends) {
        at += stored[at..].find(name).unwrap() + name.len();
    }
    assert_eq!(at, stored.len());
    assert_eq!(
        open(&codec, &stored).unwrap().scheme,
        "json-envelope+ascii-8bit"
    );
}

#[test]
fn a_message_pack_value_looks_as_that_of_rails() {
    let StoredValue::Bytes(bytes) = seal_form(&PACKED_ENVELOPE, b"", Form::Binary).unwrap() else {
        panic!("text of a binary serializer");
    };
    assert!(bytes.starts_with(b"\xCC\x80\x82\xA1p\xA0\xA1h\x84\xD5\0iv\xC4\x0C"));
    assert!(bytes.ends_with(b"\xD4\0e\xAAASCII-8BIT\xD4\0i\xA435e2"));
    let refused = seal_form(&PACKED, b"x", Form::Text).unwrap_err();
    assert_eq!(refused.code().as_str(), "codec-read-only");
}

#[test]
fn the_last_key_seals_and_all_of_them_open() {
    let old = seal(&PLAIN, b"value");
    let opened = open(&BOTH, &old).unwrap();
    assert_eq!(opened.key.as_deref(), Some(OLD_ID));
    assert!(!opened.current);

    let new = rotate(&BOTH, &old).unwrap();
    let opened = BOTH.open(new.as_stored(), &Context::new()).unwrap();
    assert_eq!(opened.key.as_deref(), Some(NEW_ID));
    assert!(opened.current);
    assert_eq!(BOTH.is_current(new.as_stored(), Mode::Random), Some(true));
    assert_eq!(BOTH.is_current(Stored::Text(&old), Mode::Random), None);

    let back = with_keys(&[NEW, OLD]).build().unwrap();
    assert_eq!(back.is_current(new.as_stored(), Mode::Random), Some(false));
    let again = back
        .rotate(
            new.as_stored(),
            &text_place(&Context::new()),
            &mut fresh(&mut OsEntropy, 1),
        )
        .unwrap();
    let opened = PLAIN.open(again.as_stored(), &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, b"value");
    assert!(opened.current);
}

#[test]
fn a_reference_always_counts() {
    let stored = seal(&BOTH, b"value");
    let foreign = CodecKind::Rails.recognize(Stored::Text(&stored)).unwrap();
    assert_eq!(foreign.key.as_deref(), Some(NEW_ID));
    assert_eq!(code(&PLAIN, &stored), "unknown-key");
    let wrong = with_header(&stored, "i", json!(base64(OLD_ID.as_bytes())));
    assert_eq!(code(&BOTH, &wrong), "auth-failed");
    let odd = with_header(&stored, "i", json!(base64(b"my own name")));
    assert_eq!(code(&BOTH, &odd), "unknown-key");
    let shown = CodecKind::Rails.recognize(Stored::Text(&odd)).unwrap();
    assert_eq!(shown.key, None);
    for bad in [json!(7), json!("****"), json!([]), json!(base64(&[0xFF]))] {
        assert_eq!(code(&BOTH, &with_header(&stored, "i", bad)), "malformed");
    }
    assert!(open(&BOTH, &with_header(&stored, "i", Value::Null)).is_ok());
}

#[test]
fn the_mixture_of_rails_7_0_opens() {
    let mixed = [RailsDigest::Sha256, RailsDigest::Sha1];
    let sha1 = with_keys(&[OLD])
        .digests([RailsDigest::Sha1])
        .build()
        .unwrap();
    let both = with_keys(&[NEW, OLD]).digests(mixed).build().unwrap();
    let stored = seal(&sha1, b"before");
    assert_eq!(code(&PLAIN, &stored), "auth-failed");
    let opened = open(&both, &stored).unwrap();
    assert_eq!(opened.key.as_deref(), Some("180d"));
    assert!(!opened.current);
    let rotated = rotate(&both, &stored).unwrap();
    assert!(
        PLAIN
            .open(rotated.as_stored(), &Context::new())
            .unwrap()
            .current
    );

    let attribute = deterministic(OLD).digests(mixed).build().unwrap();
    let opened = open(&attribute, &seal(&DETERMINISTIC, b"before")).unwrap();
    assert!(opened.current);
}
