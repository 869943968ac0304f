//! Headers, which nothing authenticates.

use super::{
    DETERMINISTIC, ENVELOPE, LENIENT, NEW, OLD, PLAIN, UNCOMPRESSED, base64, code, deterministic,
    open, rotate, seal, seal_form, with_header, with_keys,
};
use crate::support::{fresh, text_place};
use aes_gcm::{AeadInOut, Aes256Gcm, KeyInit};
use reseal::{
    Context, MAX_PLAINTEXT_BYTES, OsEntropy, Result,
    codec::{Codec, Fernet, FernetKey, Form, Plain, Rails, StoredValue},
};
use serde_json::{Value, json};

#[test]
fn the_encoding_is_noted_and_kept() {
    let stored = seal(&PLAIN, b"caf\xE9");
    let names = [
        ("US-ASCII", "json+us-ascii"),
        ("ASCII-8BIT", "json+ascii-8bit"),
        ("ISO-8859-1", "json+iso-8859-1"),
        ("Shift_JIS", "json+other-encoding"),
        ("UTF-8", "json"),
    ];
    for (name, scheme) in names {
        let labelled = with_header(&stored, "e", json!(base64(name.as_bytes())));
        assert_eq!(open(&PLAIN, &labelled).unwrap().scheme, scheme);
        let rotated = rotate(&PLAIN, &labelled).unwrap();
        let opened = PLAIN.open(rotated.as_stored(), &Context::new()).unwrap();
        assert_eq!(*opened.plaintext, b"caf\xE9");
        assert_eq!(opened.scheme, scheme);
    }
    let lower = with_header(&stored, "e", json!(base64(b"binary")));
    assert_eq!(open(&PLAIN, &lower).unwrap().scheme, "json+ascii-8bit");
    let unknown = with_header(&stored, "e", json!(base64(b"KLINGON")));
    assert_eq!(code(&PLAIN, &unknown), "format-unsupported");
    for bad in [json!("US-ASCII"), json!(1), json!(true)] {
        assert_eq!(code(&PLAIN, &with_header(&stored, "e", bad)), "malformed");
    }
}

#[test]
fn a_mark_of_compression_cannot_be_taken_away_or_given() {
    let plaintext = [b'a'; 141];
    let stored = seal(&PLAIN, &plaintext);
    let stripped = with_header(&stored, "c", Value::Null);
    assert_eq!(code(&PLAIN, &stripped), "auth-failed");
    assert_eq!(open(&LENIENT, &stripped).unwrap().plaintext[0], 0x78);
    let denied = with_header(&stored, "c", json!(false));
    assert_eq!(code(&PLAIN, &denied), "auth-failed");

    let given = with_header(&seal(&PLAIN, b"short"), "c", json!(true));
    assert_eq!(code(&PLAIN, &given), "auth-failed");
    assert_eq!(code(&LENIENT, &given), "auth-failed");

    let other = with_header(&stored, "c", json!(1));
    assert_eq!(code(&PLAIN, &other), "malformed");
    assert_eq!(*open(&LENIENT, &other).unwrap().plaintext, plaintext);
    // A short stream of a short text is a plaintext like any other.
    let zlib = b"\x78\x9C\xF3\x48\xCD\xC9\xC9\xD7\x51\xA8\xCA\xC9\x4C\x52\x04\0\x1B\x65\x04\x13";
    assert_eq!(*open(&PLAIN, &seal(&PLAIN, zlib)).unwrap().plaintext, zlib);
}

#[test]
fn a_bomb_stops_at_the_limit() {
    let hidden = forged(&zeros(1 << 17));
    assert_eq!(code(&ENVELOPE, &hidden), "auth-failed");
    let bomb = with_header(&hidden, "c", json!(true));
    assert_eq!(code(&ENVELOPE, &bomb), "too-large");
    // Cut before its end, it is no stream.
    let cut = with_header(&forged(&zeros(1 << 10)), "c", json!(true));
    assert_eq!(code(&ENVELOPE, &cut), "auth-failed");
}

/// A body as it is in an envelope, which whoever knows a plaintext of 32 bytes can make.
fn forged(body: &[u8]) -> String {
    let known = [7; 32];
    let data_key: Value = serde_json::from_str(&seal(&PLAIN, &known)).unwrap();
    let mut body = body.to_vec();
    let tag = Aes256Gcm::new(&known.into())
        .encrypt_inout_detached(&[1; 12].into(), b"", body.as_mut_slice().into())
        .unwrap();
    let headers = json!({"iv": base64(&[1; 12]), "at": base64(&tag), "k": data_key});
    json!({"p": base64(&body), "h": headers}).to_string()
}

#[test]
fn a_plaintext_that_is_a_stream_opens_again() {
    let long = vec![b'a'; 1000];
    let stream = miniz_oxide::deflate::compress_to_vec_zlib(&long, 6);
    assert!(stream.len() < 140);
    for codec in [&PLAIN, &UNCOMPRESSED, &ENVELOPE] {
        let stored = seal(codec, &stream);
        assert!(stored.contains(r#""c":true"#));
        assert_eq!(*open(codec, &stored).unwrap().plaintext, stream);
        let opened = open(codec, &seal(&UNCOMPRESSED, &long));
        assert!(opened.is_err() || *opened.unwrap().plaintext == long);
    }
    let text = miniz_oxide::deflate::compress_to_vec_zlib(&long, 1);
    for plaintext in [stream, text] {
        let refused = seal_form(&DETERMINISTIC, &plaintext, Form::Text).unwrap_err();
        assert_eq!(refused.code().as_str(), "codec-read-only");
    }
}

/// With the label of another instance.
fn relabel(codec: &dyn Codec, plaintext: &[u8], label: Option<&str>) -> Result<StoredValue> {
    let context = Context::new();
    let mut entropy = OsEntropy;
    let mut fresh = fresh(&mut entropy, 1);
    codec.seal_labelled(plaintext, label, &text_place(&context), &mut fresh)
}

#[test]
fn a_label_goes_from_one_instance_to_another() {
    let new = with_keys(&[NEW]).build().unwrap();
    for name in ["ISO-8859-1", "Shift_JIS", "US-ASCII", "ASCII-8BIT", "UTF-8"] {
        let labelled = with_header(
            &seal(&PLAIN, b"caf\xE9"),
            "e",
            json!(base64(name.as_bytes())),
        );
        let opened = open(&PLAIN, &labelled).unwrap();
        assert_eq!(opened.encoding, Some(name));
        let moved = relabel(&new, &opened.plaintext, opened.encoding).unwrap();
        let moved = new.open(moved.as_stored(), &Context::new()).unwrap();
        assert_eq!(moved.encoding, Some(name));
        assert_eq!(moved.plaintext, opened.plaintext);
    }
    let without = relabel(&new, b"caf\xE9", None).unwrap();
    let without = new.open(without.as_stored(), &Context::new()).unwrap();
    assert_eq!(without.encoding, Some("ASCII-8BIT"));
    let unknown = relabel(&new, b"x", Some("KLINGON")).unwrap_err();
    assert_eq!(unknown.code().as_str(), "invalid-argument");
    let lost = relabel(&*DETERMINISTIC, b"caf\xE9", Some("ISO-8859-1")).unwrap_err();
    assert_eq!(lost.code().as_str(), "codec-read-only");
}

#[test]
fn a_format_without_labels_takes_only_what_needs_none() {
    let key = FernetKey::parse("cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=").unwrap();
    let fernet = Fernet::new(vec![key]).unwrap();
    let others: [&dyn Codec; 2] = [&fernet, &Plain];
    for codec in others {
        for label in [None, Some("UTF-8"), Some("US-ASCII"), Some("ASCII-8BIT")] {
            assert!(relabel(codec, b"text", label).is_ok());
        }
        for label in ["ISO-8859-1", "Shift_JIS", "KLINGON"] {
            let refused = relabel(codec, b"text", Some(label)).unwrap_err();
            assert_eq!(refused.code().as_str(), "codec-read-only");
        }
    }
}

#[test]
fn a_key_stands_once_in_a_list() {
    let twice = |built: Result<Rails>| built.unwrap_err().code().as_str();
    assert_eq!(twice(with_keys(&[OLD, NEW, OLD]).build()), "duplicate-key");
    let previous = deterministic(OLD).previous_keys([NEW, NEW]);
    assert_eq!(twice(previous.build()), "duplicate-key");
    // Under other options, it is the key of other values.
    let same = with_keys(&[OLD]).envelope(true).previous_keys([OLD]);
    assert!(same.build().is_ok());
}

/// The start of a zlib stream: one zero, and so many times 258 more.
fn zeros(times: usize) -> Vec<u8> {
    // The last block with fixed codes; the literal 0.
    let mut bits = vec![1, 1, 0, 0, 0, 1, 1, 0, 0, 0, 0];
    for _ in 0..times {
        // The length 258 and the distance 1.
        bits.extend([1, 1, 0, 0, 0, 1, 0, 1, 0, 0, 0, 0, 0]);
    }
    let byte = |bits: &[u8]| bits.iter().rev().fold(0, |byte, bit| byte << 1 | bit);
    let mut stream = vec![0x78, 0x9C];
    stream.extend(bits.chunks(8).map(byte));
    stream
}

#[test]
fn the_largest_plaintext_fits_and_no_larger_one() {
    let largest = vec![b'a'; MAX_PLAINTEXT_BYTES];
    for codec in [&PLAIN, &UNCOMPRESSED] {
        let stored = seal(codec, &largest);
        assert!(*open(codec, &stored).unwrap().plaintext == largest);
    }
    let larger = vec![b'a'; MAX_PLAINTEXT_BYTES + 1];
    let error = seal_form(&PLAIN, &larger, Form::Text).unwrap_err();
    assert_eq!(error.code().as_str(), "too-large");
    let mut message = String::from(r#"{"p":"#);
    message.push('"');
    message.push_str(&"A".repeat(3 * MAX_PLAINTEXT_BYTES));
    assert_eq!(code(&PLAIN, &message), "too-large");
    message.push_str(r#"","h":{"iv":"AAAAAAAAAAAAAAAA","at":"AAAAAAAAAAAAAAAAAAAAAA=="}}"#);
    assert_eq!(code(&PLAIN, &message), "too-large");
    // It fits in characters, and its payload is too large.
    let payload = "AAAA".repeat(MAX_PLAINTEXT_BYTES / 3 + 8);
    let message = format!(
        r#"{{"p":"{payload}","h":{{"iv":"AAAAAAAAAAAAAAAA","at":"AAAAAAAAAAAAAAAAAAAAAA=="}}}}"#
    );
    assert_eq!(code(&PLAIN, &message), "auth-failed");
}
