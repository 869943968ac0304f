//! Values under a data key.

use super::{
    GOLDEN_ROW, GOLDEN_VALUE, code, codec, decode, golden, golden_key, new_key, old_key, open,
    seal, shown,
};
use crate::support::{Fixed, fresh, text_place};
use reseal::{
    Context, ErrorCode, Mode, OsEntropy,
    codec::{Certainty, Codec, Form, Stored},
};

#[test]
fn a_data_key_seals_and_its_generation_is_shown() {
    let codec = golden(codec([golden_key()])).unwrap();
    for form in [Form::Text, Form::Binary] {
        let sealed = seal(&codec, b"x", form).unwrap();
        assert_eq!(
            shown(sealed.as_stored()),
            Some((Certainty::Yes, "v2", Some("1".to_owned())))
        );
        assert_eq!(
            codec.is_current(sealed.as_stored(), Mode::Random),
            Some(true)
        );
        assert_eq!(*open(&codec, sealed.as_stored()).unwrap().plaintext, b"x");
    }
    // Legacy values are read, and brought to the data key.
    let legacy = seal(&super::codec([golden_key()]), b"x", Form::Text).unwrap();
    assert_eq!(
        codec.is_current(legacy.as_stored(), Mode::Random),
        Some(false)
    );
    assert!(!open(&codec, legacy.as_stored()).unwrap().current);
    let context = Context::new();
    let rotated = codec.rotate(
        legacy.as_stored(),
        &text_place(&context),
        &mut fresh(&mut OsEntropy, 1),
    );
    assert_eq!(
        open(&codec, rotated.unwrap().as_stored()).unwrap().scheme,
        "v2"
    );
}

#[test]
fn what_a_data_key_lacks_is_said() {
    let value = Stored::Text(GOLDEN_VALUE);
    let none = codec([golden_key()]);
    assert_eq!(code(open(&none, value)), "format-unsupported");
    let another = codec([golden_key()]).data_keys([(2, decode(GOLDEN_ROW).as_slice())]);
    let another = another.unwrap();
    assert_eq!(code(open(&another, value)), "unknown-key");
    assert_eq!(another.is_current(value, Mode::Random), Some(false));
    let golden = golden(codec([golden_key()])).unwrap();
    let mut raw = decode(GOLDEN_VALUE);
    *raw.last_mut().unwrap() ^= 1;
    assert_eq!(code(open(&golden, Stored::Bytes(&raw))), "auth-failed");
    assert_eq!(code(open(&golden, Stored::Bytes(&raw[..34]))), "malformed");
    let maybe = Some((Certainty::Maybe, "v2", Some("1".to_owned())));
    assert_eq!(shown(Stored::Bytes(&raw[..34])), maybe);
    let cut = Some((Certainty::Maybe, "damaged", None));
    assert_eq!(shown(Stored::Bytes(&raw[..6])), cut);
    assert_eq!(shown(Stored::Bytes(&raw[..2])), None);
}

#[test]
fn a_bad_row_is_refused() {
    let row = decode(GOLDEN_ROW);
    let rows = |rows: &[(u32, &[u8])]| {
        let codec = codec([golden_key()]).data_keys(rows.iter().copied());
        codec.map(drop).map_err(|error| error.code())
    };
    assert_eq!(rows(&[(1, &row), (1, &row)]), Err(ErrorCode::DuplicateKey));
    assert_eq!(rows(&[(1, &row[..59])]), Err(ErrorCode::InvalidKey));
    assert_eq!(rows(&[(1, b"")]), Err(ErrorCode::InvalidKey));
    let error = golden(codec([old_key()])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidKey);
    assert_eq!(rows(&[]), Ok(()));
}

#[test]
fn a_row_of_an_older_secret_opens_and_does_not_seal() {
    let codec = golden(codec([new_key(), golden_key()])).unwrap();
    let opened = open(&codec, Stored::Text(GOLDEN_VALUE)).unwrap();
    assert_eq!(*opened.plaintext, b"golden value");
    let error = seal(&codec, b"x", Form::Text).unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
}

#[test]
fn an_aad_goes_with_legacy_values_only() {
    let context = Context::new().with("key", "site-url").unwrap();
    let codec = golden(codec([golden_key()]))
        .unwrap()
        .aad("setting.{key}")
        .unwrap();
    let opened = codec.open(Stored::Text(GOLDEN_VALUE), &context);
    assert_eq!(code(opened), "format-unsupported");
    let sealed = codec.seal(b"x", &text_place(&context), &mut fresh(&mut OsEntropy, 1));
    let opened = codec.open(sealed.unwrap().as_stored(), &context).unwrap();
    assert_eq!((opened.scheme, opened.current), ("legacy", true));
}

#[test]
fn a_legacy_value_may_start_like_an_envelope() {
    let mut iv = b"MB\x02".to_vec();
    iv.resize(16, 7);
    let (legacy, context) = (codec([golden_key()]), Context::new());
    let mut entropy = Fixed(iv);
    let sealed = legacy
        .seal(b"x", &text_place(&context), &mut fresh(&mut entropy, 1))
        .unwrap();
    let stored = sealed.as_stored();
    assert_eq!(shown(stored).unwrap().1, "v2");
    for codec in [&golden(codec([golden_key()])).unwrap(), &legacy] {
        let opened = open(codec, stored).unwrap();
        assert_eq!(
            (opened.scheme, opened.plaintext.as_slice()),
            ("legacy", &b"x"[..])
        );
    }
    assert_eq!(
        code(open(&codec([old_key()]), stored)),
        "format-unsupported"
    );
}
