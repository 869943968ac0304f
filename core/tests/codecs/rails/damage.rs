//! What is public of a damage.

use super::{ENVELOPE, LENIENT, PACKED, PACKED_ENVELOPE, PLAIN, code, open, seal, seal_form};
use reseal::{
    Context,
    codec::{Certainty, Codec, CodecKind, Form, Stored, StoredValue},
};
use serde_json::Value;

#[test]
fn another_order_and_more_headers_do_not_matter() {
    let stored = seal(&PLAIN, b"value");
    let message: Value = serde_json::from_str(&stored).unwrap();
    let (h, p) = (&message["h"], &message["p"]);
    let (at, iv) = (&h["at"], &h["iv"]);
    for same in [
        format!(r#"{{"h": {{"at": {at}, "iv": {iv}}}, "p": {p}}}"#),
        format!(r#" {{"p":{p},"x":[{{}}],"h":{{"z":1.5,"y":null,"at":{at},"iv":{iv}}}}} "#),
        format!(r#"{{"p":"AAAA","p":{p},"h":{h}}}"#),
        format!(
            r#"{{"p":{p},"h":{{{}"at":{at},"iv":{iv}}}}}"#,
            r#""z":"?","z":1,"#.repeat(17)
        ),
    ] {
        assert_eq!(*open(&PLAIN, &same).unwrap().plaintext, b"value", "{same}");
        let shown = CodecKind::Rails.recognize(Stored::Text(&same)).unwrap();
        assert_eq!(shown.certainty, Certainty::Yes);
    }
}

const IV: &str = r#""iv":"AAAAAAAAAAAAAAAA""#;
const TAG: &str = r#""at":"AAAAAAAAAAAAAAAAAAAAAA==""#;

/// A message with this payload, and headers after those that each has.
fn message(payload: &str, headers: &str) -> String {
    format!(r#"{{"p":{payload},"h":{{{IV},{TAG}{headers}}}}}"#)
}

#[test]
fn damage_is_seen_without_a_key() {
    // Base64 is read strictly.
    let payloads = [
        r#""AAA""#,
        r#""AA==\n""#,
        r#""__8=""#,
        r#""AB==""#,
        "null",
        "7",
        "[]",
        "{}",
    ];
    for payload in payloads {
        refused(&message(payload, ""), "malformed");
    }
    let sound = message(r#""""#, "");
    let deep = message(r#""""#, &format!(r#","k":{sound}"#));
    for header in [
        r#""x":"?""#,
        r#""x":{}"#,
        r#""k":"AAAA""#,
        r#""k":{}"#,
        r#""k":{"p":"","h":{}}"#,
        &format!(r#""k":{deep}"#),
    ] {
        refused(&message(r#""""#, &format!(",{header}")), "malformed");
    }
    refused(&sound.replace(IV, r#""iv":"AAAA""#), "malformed");
    refused(&sound.replace(TAG, r#""at":"AAAA""#), "malformed");
    refused(&sound.replace(&format!("{IV},"), ""), "malformed");
    refused(&sound.replace(&format!(",{TAG}"), ""), "malformed");
    refused(&sound, "auth-failed");
    assert_eq!(code(&ENVELOPE, &deep), "auth-failed");
}

#[test]
fn other_formats_are_not_ours() {
    let no_payload = message("7", "").replace(r#""p":7,"#, "");
    for other in [
        r#"{"p":"","h":{}}"#,
        r#"{"p":1,"h":2}"#,
        r#"{"p":"hello world"#,
        "[]",
        "",
        &no_payload,
        &"[".repeat(100_000),
        &r#"{"p":"#.repeat(100_000),
    ] {
        refused(other, "format-mismatch");
    }
}

fn refused(stored: &str, expected: &str) {
    assert_eq!(code(&PLAIN, stored), expected, "{stored:.200}");
    assert_eq!(code(&LENIENT, stored), expected, "{stored:.200}");
    let shown = CodecKind::Rails.recognize(Stored::Text(stored));
    let ours = expected != "format-mismatch";
    assert_eq!(shown.is_some(), ours, "{stored:.200}");
}

#[test]
fn a_cut_value_is_never_a_plaintext() {
    let stored = seal(&PLAIN, b"value");
    for end in 6..stored.len() {
        let cut = &stored[..end];
        assert_eq!(code(&PLAIN, cut), "malformed", "{cut}");
        let shown = CodecKind::Rails.recognize(Stored::Text(cut)).unwrap();
        assert_eq!(shown.scheme, "damaged");
        let sure = cut.contains(r#""h":{"iv":""#);
        assert_eq!(shown.certainty == Certainty::Yes, sure, "{cut}");
    }
    let packed = seal_form(&PACKED_ENVELOPE, &[0xFF; 300], Form::Binary).unwrap();
    let bytes = packed.as_stored().as_bytes();
    for end in 5..bytes.len() {
        let cut = Stored::Bytes(&bytes[..end]);
        let error = PACKED_ENVELOPE.open(cut, &Context::new()).unwrap_err();
        assert_eq!(error.code().as_str(), "malformed", "{end}");
        let shown = CodecKind::Rails.recognize(cut).unwrap();
        assert_eq!((shown.scheme, shown.certainty), ("damaged", Certainty::Yes));
    }
    let longer = [bytes, b"\0"].concat();
    let error = PACKED_ENVELOPE
        .open(Stored::Bytes(&longer), &Context::new())
        .unwrap_err();
    assert_eq!(error.code().as_str(), "malformed");
}

#[test]
fn a_cut_value_in_the_order_of_jsonb_is_never_a_plaintext() {
    let long = seal(&ENVELOPE, &[b'a'; 200]);
    let whole: Value = serde_json::from_str(&long).unwrap();
    let (h, p) = (&whole["h"], &whole["p"]);
    let (iv, at, k) = (&h["iv"], &h["at"], &h["k"]);
    let (inner, kp) = (&k["h"], &k["p"]);
    let (kiv, kat, ke) = (&inner["iv"], &inner["at"], &inner["e"]);
    let orders = [
        format!(r#"{{"h":{{"at":{at},"iv":{iv}}},"p":{p}}}"#),
        format!(r#"{{"h":{{"iv":{iv},"at":{at}}},"p":{p}}}"#),
        format!(r#"{{ "h" : {{ "at" : {at} , "iv" : {iv} }} , "p" : {p} }}"#),
        format!(r#"{{"h": {{"e": {ke}, "at": {at}, "iv": {iv}}}, "p": {p}}}"#),
        format!(
            r#"{{"h": {{"c": true, "i": "MzVl", "k": {{"h": {{"e": {ke}, "at": {kat}, "iv": {kiv}}}, "p": {kp}}}, "at": {at}, "iv": {iv}}}, "p": {p}}}"#
        ),
        format!("{{\n  \"p\": {p},\n  \"h\": {{\n    \"iv\": {iv},\n    \"at\": {at}\n  }}\n}}"),
    ];
    for stored in &orders {
        let shown = CodecKind::Rails.recognize(Stored::Text(stored)).unwrap();
        assert_ne!(shown.scheme, "damaged", "{stored}");
        let headers = [r#""iv""#, r#""at""#].map(|name| stored.find(name).unwrap());
        // From the third quote on: that of the payload, or of the first header.
        let (begun, _) = stored.match_indices('"').nth(2).unwrap();
        for end in begun + 1..stored.len() {
            let cut = &stored[..end];
            let shown = CodecKind::Rails.recognize(Stored::Text(cut)).unwrap();
            assert_eq!(shown.scheme, "damaged", "{cut}");
            let sure = end > headers.into_iter().min().unwrap() + 8;
            assert!(!sure || shown.certainty == Certainty::Yes, "{cut}");
            assert_eq!(code(&ENVELOPE, cut), "malformed", "{cut}");
        }
    }
    for other in [
        r#"{"h":{"at":"not base64 at all"#,
        r#"{"h":{"x":1,"at":"AAAA"#,
        r#"{"h":"AAAA"#,
        r#"{"x":{"at":"AAAA"#,
        r#"{"h":{"k":{"h":{"k":{"p":"AAAA"#,
    ] {
        refused(other, "format-mismatch");
    }
}

#[test]
fn message_pack_bombs_are_small() {
    let bombs: [&[u8]; 6] = [
        b"\xCC\x80\x82\xA1p\xDB\xFF\xFF\xFF\xFF",
        b"\xCC\x80\x82\xA1p\xC6\xFF\xFF\xFF\xFF",
        b"\xCC\x80\x82\xA1p\xDF\xFF\xFF\xFF\xFF",
        b"\xCC\x80\x82\xA1p\xDD\xFF\xFF\xFF\xFF",
        b"\xCC\x80\x82\xA1p\xC9\xFF\xFF\xFF\xFF\0",
        b"\xCC\x80\xDF\xFF\xFF\xFF\xFF",
    ];
    let nested = [b"\xCC\x80".to_vec(), b"\x81\xA1p".repeat(100_000)].concat();
    for bomb in bombs.into_iter().chain([nested.as_slice()]) {
        let error = PACKED
            .open(Stored::Bytes(bomb), &Context::new())
            .unwrap_err();
        let code = error.code().as_str();
        assert_eq!(
            code == "malformed",
            bomb.starts_with(b"\xCC\x80\x82"),
            "{code}"
        );
    }
    // Other types stand in unknown headers.
    let StoredValue::Bytes(mut bytes) = seal_form(&PACKED, b"", Form::Binary).unwrap() else {
        panic!("text of a binary serializer");
    };
    assert_eq!(bytes[8], 0x82);
    bytes[8] = 0x85;
    bytes.extend(b"\xA1x\xCD\x01\x02\xC7\x01\0z\xCB\0\0\0\0\0\0\0\0\xD4\0y\xFF");
    let opened = PACKED.open(Stored::Bytes(&bytes), &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, b"");
}
