//! Keys, their rotation and the bounds of what is written.

use super::{OLD, code, codec, golden, golden_key, new_key, old_key, open, place, seal};
use crate::support::{fresh, text_place};
use data_encoding::BASE64;
use reseal::{
    Context, ErrorCode, Mode, OsEntropy,
    codec::{Codec, Form, MetabaseKey, Stored, StoredValue},
};

#[test]
fn values_go_from_the_old_key_to_the_new_and_back() {
    let (before, after) = (codec([new_key(), old_key()]), codec([old_key(), new_key()]));
    let context = Context::new();
    for form in [Form::Text, Form::Binary] {
        let old = seal(&codec([old_key()]), b"x", form).unwrap();
        assert_eq!(before.is_current(old.as_stored(), Mode::Random), None);
        let opened = open(&before, old.as_stored()).unwrap();
        assert_eq!((opened.key.as_deref(), opened.current), (Some("2"), false));
        let place = place(&context, form);
        let new = before.rotate(old.as_stored(), &place, &mut fresh(&mut OsEntropy, 1));
        let new = new.unwrap();
        let opened = open(&codec([new_key()]), new.as_stored()).unwrap();
        assert_eq!(
            (opened.plaintext.as_slice(), opened.current),
            (&b"x"[..], true)
        );
        let back = after.rotate(new.as_stored(), &place, &mut fresh(&mut OsEntropy, 1));
        let back = back.unwrap();
        assert_eq!(back.as_stored().form(), form);
        assert!(open(&codec([old_key()]), back.as_stored()).unwrap().current);
        assert_eq!(
            code(open(&codec([new_key()]), back.as_stored())),
            "auth-failed"
        );
    }
}

#[test]
fn a_key_is_its_text_as_it_stands() {
    assert!(MetabaseKey::derive("sixteen chars ok").is_ok());
    // Metabase counts in UTF-16.
    assert!(MetabaseKey::derive(&"🔑".repeat(8)).is_ok());
    assert!(MetabaseKey::derive(&"ä".repeat(15)).is_err());
    let stored = seal(&codec([old_key()]), b"x", Form::Text).unwrap();
    for other in [format!("{OLD}\n"), format!("\"{OLD}\""), format!(" {OLD}")] {
        let codec = codec([MetabaseKey::derive(&other).unwrap()]);
        assert_eq!(code(open(&codec, stored.as_stored())), "auth-failed");
    }
}

#[test]
fn base64_in_a_binary_column_stays_base64() {
    let (codec, context) = (codec([new_key(), old_key()]), Context::new());
    let StoredValue::Text(text) = seal(&super::codec([old_key()]), b"x", Form::Text).unwrap()
    else {
        panic!("a text column holds text");
    };
    let stored = Stored::Bytes(text.as_bytes());
    assert_eq!(*open(&codec, stored).unwrap().plaintext, b"x");
    let binary = place(&context, Form::Binary);
    let rotated = codec
        .rotate(stored, &binary, &mut fresh(&mut OsEntropy, 1))
        .unwrap();
    assert!(matches!(rotated, StoredValue::Bytes(_)));
    assert!(BASE64.decode(rotated.as_stored().as_bytes()).is_ok());
    // Raw bytes become base64 where they move to a text column.
    let raw = seal(&codec, b"x", Form::Binary).unwrap();
    let moved = codec.rotate(
        raw.as_stored(),
        &text_place(&context),
        &mut fresh(&mut OsEntropy, 1),
    );
    assert!(matches!(moved.unwrap(), StoredValue::Text(_)));
}

#[test]
fn nothing_is_written_that_metabase_cannot_read() {
    let codec = codec([new_key()]);
    let error = seal(&codec, b"\xff", Form::Text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    assert!(seal(&codec, b"\xff", Form::Binary).is_ok());
    let large = vec![b'x'; (1 << 24) + 1];
    let error = seal(&codec, &large, Form::Text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::TooLarge);
    let largest = seal(&codec, &large[1..], Form::Text).unwrap();
    assert_eq!(
        open(&codec, largest.as_stored()).unwrap().plaintext.len(),
        1 << 24
    );
    let larger = "A".repeat(1 << 25);
    assert_eq!(code(open(&codec, Stored::Text(&larger))), "too-large");
}

#[test]
fn no_debug_output_shows_a_secret() {
    let codec = golden(codec([golden_key()]))
        .unwrap()
        .aad("setting.{key}")
        .unwrap();
    let shown = format!("{codec:?}");
    assert!(shown.contains("MetabaseKey(hidden)"), "{shown}");
    assert!(!shown.contains("Secret32"), "{shown}");
}
