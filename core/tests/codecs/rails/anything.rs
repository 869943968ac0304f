//! Options and arbitrary bytes.

use super::{
    BOTH, DETERMINISTIC, ENVELOPE, LENIENT, NEW, OLD, PACKED_ENVELOPE, PLAIN, SALT, code,
    deterministic, seal, seal_form, with_keys,
};
use proptest::prelude::*;
use reseal::{
    Context, Mode,
    codec::{Codec, CodecKind, Form, Rails, RailsDigest, RailsSerializer, Stored},
};

#[test]
fn bad_options_are_refused() {
    let cases = [
        (
            Rails::builder().key_derivation_salt(SALT),
            "invalid-argument",
        ),
        (Rails::builder().primary_keys([OLD]), "invalid-argument"),
        (
            with_keys(&[OLD]).key_derivation_salt(" "),
            "invalid-argument",
        ),
        (with_keys(&[OLD]).deterministic(true), "invalid-argument"),
        (
            deterministic(OLD).deterministic_keys([OLD, NEW]),
            "invalid-argument",
        ),
        (deterministic(OLD).envelope(true), "invalid-argument"),
        (with_keys(&[""]), "invalid-key"),
        (with_keys(&["\n"]).previous_keys([OLD]), "invalid-key"),
    ];
    for (builder, code) in cases {
        assert_eq!(builder.build().unwrap_err().code().as_str(), code);
    }
    let previous = with_keys(&[OLD]).previous(Rails::builder());
    assert_eq!(
        previous.build().unwrap_err().code().as_str(),
        "invalid-argument"
    );
    for bad in ["sha512", "", "Sha1"] {
        assert!(RailsDigest::parse(bad).is_err());
    }
    assert!(RailsSerializer::parse("marshal").is_err());
}

#[test]
fn keys_are_taken_as_they_are() {
    let with_line_end = with_keys(&["YehXdfzxVKpoLvKseJMJIEGs2JxerkB8\n"]);
    let stored = seal(&PLAIN, b"value");
    assert_eq!(
        code(&with_line_end.build().unwrap(), &stored),
        "auth-failed"
    );
}

#[test]
fn nothing_shows_a_secret() {
    let builder = with_keys(&[OLD]).previous(with_keys(&[NEW]));
    let shown = format!("{builder:?} {:?}", *BOTH);
    for secret in [OLD, NEW, SALT] {
        assert!(!shown.contains(secret));
    }
}

fn all() -> [&'static Rails; 6] {
    [
        &PLAIN,
        &LENIENT,
        &BOTH,
        &ENVELOPE,
        &PACKED_ENVELOPE,
        &DETERMINISTIC,
    ]
}

fn try_all(bytes: &[u8]) {
    let forms = [
        Some(Stored::Bytes(bytes)),
        core::str::from_utf8(bytes).ok().map(Stored::Text),
    ];
    for stored in forms.into_iter().flatten() {
        let shown = CodecKind::Rails.recognize(stored);
        for codec in all() {
            let opened = codec.open(stored, &Context::new());
            assert!(opened.is_err() || shown.is_some());
            if let Err(error) = opened {
                let mismatch = error.code().as_str() == "format-mismatch";
                assert_eq!(mismatch, shown.is_none(), "{error}");
            }
            codec.is_current(stored, Mode::Random);
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_never_panic(bytes in prop::collection::vec(any::<u8>(), 0..300)) {
        try_all(&bytes);
        try_all(&[b"\xCC\x80\x82\xA1p".as_slice(), &bytes].concat());
    }

    #[test]
    fn arbitrary_json_never_panics(text in r#"\{"[ph]":("[A-Za-z0-9+/=]{0,9}"|\{"(iv|at|k)":.{0,20}\}|.{0,9}),"h":\{("(iv|at|e|k|i|c)":("[A-Za-z]{16}"|true|null|\{\}),?){0,5}\}\}?"#) {
        try_all(text.as_bytes());
    }

    #[test]
    fn a_changed_value_never_panics_or_opens_to_another(
        which in 0_usize..6,
        plaintext in prop::collection::vec(any::<u8>(), 0..200),
        at in any::<prop::sample::Index>(),
        flip in 1_u8..,
    ) {
        let codec = all()[which];
        let Ok(sealed) = seal_form(codec, &plaintext, Form::Binary) else {
            return Ok(());
        };
        let mut bytes = sealed.as_stored().as_bytes().to_vec();
        bytes[at.index(sealed.as_stored().as_bytes().len())] ^= flip;
        try_all(&bytes);
        // Its headers are not authenticated: it may open, to the same plaintext or its stream.
        if let Ok(opened) = codec.open(Stored::Bytes(&bytes), &Context::new()) {
            let stream = which == 1 && opened.plaintext.first() == Some(&0x78);
            prop_assert!(stream || *opened.plaintext == plaintext);
        }
    }
}
