//! Previous schemes and deterministic attributes.

use super::{
    DETERMINISTIC, ENVELOPE, NEW, NEW_ID, OLD, PACKED, PLAIN, base64, deterministic, open, rotate,
    seal, seal_form, with_header, with_keys,
};
use reseal::{
    Context, Mode,
    codec::{Codec, Form, RailsSerializer, Stored},
};
use serde_json::json;

#[test]
fn previous_schemes_open_and_never_seal() {
    let codec = with_keys(&[NEW])
        .previous_keys([OLD])
        .previous(with_keys(&[OLD]).envelope(true))
        .previous(with_keys(&[OLD]).serializer(RailsSerializer::MessagePack))
        .previous(deterministic("third").key_derivation_salt("another salt"))
        .build()
        .unwrap();
    let third = deterministic("third")
        .key_derivation_salt("another salt")
        .build()
        .unwrap();
    let schemes = [
        (&*PLAIN, "json"),
        (&ENVELOPE, "json-envelope"),
        (&PACKED, "message-pack"),
        (&third, "json-deterministic"),
    ];
    for (before, scheme) in schemes {
        let stored = seal_form(before, b"value", Form::Binary).unwrap();
        let opened = codec.open(stored.as_stored(), &Context::new()).unwrap();
        assert_eq!((opened.scheme, opened.current), (scheme, false));
    }
    let opened = open(&codec, &seal(&codec, b"value")).unwrap();
    assert_eq!(opened.key.as_deref(), Some(NEW_ID));
    assert!(opened.current);
}

#[test]
fn what_needs_another_scheme_says_so() {
    let [plain, envelope, packed] =
        [&PLAIN, &ENVELOPE, &PACKED].map(|codec| seal_form(codec, b"value", Form::Binary).unwrap());
    let cases = [
        (&PLAIN, &envelope, "envelope provider"),
        (&PLAIN, &packed, "other serializer"),
        (&ENVELOPE, &plain, "no data key"),
        (&PACKED, &plain, "other serializer"),
    ];
    for (codec, stored, says) in cases {
        let error = codec.open(stored.as_stored(), &Context::new()).unwrap_err();
        assert_eq!(error.code().as_str(), "format-unsupported");
        assert!(error.message().contains(says), "{error}");
        assert_eq!(
            codec.is_current(stored.as_stored(), Mode::Random),
            Some(false)
        );
    }
}

#[test]
fn deterministic_values_are_equal_and_of_known_bytes_only() {
    assert_eq!(seal(&DETERMINISTIC, b"x"), seal(&DETERMINISTIC, b"x"));
    let longest = seal(&DETERMINISTIC, &[b'a'; 140]);
    assert!(open(&DETERMINISTIC, &longest).unwrap().current);
    for refused in [vec![b'a'; 141], vec![0xFF]] {
        let error = seal_form(&DETERMINISTIC, &refused, Form::Text).unwrap_err();
        assert_eq!(error.code().as_str(), "codec-read-only");
    }
    let uncompressed = deterministic(OLD).compress(false).build().unwrap();
    assert!(open(&DETERMINISTIC, &seal(&uncompressed, &[b'a'; 141])).is_ok());

    // Its key, and a random IV.
    let opened = open(&DETERMINISTIC, &seal(&PLAIN, b"x")).unwrap();
    assert_eq!((opened.scheme, opened.current), ("json", false));
    let opened = open(&DETERMINISTIC, &seal(&PLAIN, &[b'a'; 500])).unwrap();
    assert_eq!(opened.plaintext.len(), 500);
}

#[test]
fn a_deterministic_value_is_utf_8_whatever_its_label_was() {
    let ascii = with_header(&seal(&PLAIN, b"42"), "e", json!(base64(b"US-ASCII")));
    let rotated = rotate(&DETERMINISTIC, &ascii).unwrap();
    assert!(rotated.as_stored() == Stored::Text(&seal(&DETERMINISTIC, b"42")));
    // Two characters of ISO 8859-1, and one of UTF-8.
    let latin = with_header(
        &seal(&PLAIN, "é".as_bytes()),
        "e",
        json!(base64(b"ISO-8859-1")),
    );
    let error = rotate(&DETERMINISTIC, &latin).unwrap_err();
    assert_eq!(error.code().as_str(), "codec-read-only");
}
