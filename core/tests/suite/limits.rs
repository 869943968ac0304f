//! Section 6, and inputs of any length.

use crate::common::{context, ring};
use reseal::{
    ErrorCode, MAX_PLAINTEXT_BYTES, MAX_TEXT_CHARS, Mode, OVERHEAD_BYTES, OsEntropy, inspect,
    inspect_binary, oversized_text_error, to_text,
};

const HEAD: &str = "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.";

#[test]
fn the_largest_plaintext_is_sealed_and_one_byte_more_is_not() {
    let (ring, ctx) = (ring(), context());
    let mut plaintext = vec![7; MAX_PLAINTEXT_BYTES];
    let stored = ring
        .seal(&plaintext, &ctx, Mode::Random, &mut OsEntropy)
        .unwrap();
    assert_eq!(stored.len(), MAX_TEXT_CHARS);
    assert_eq!(*ring.open(&stored, &ctx).unwrap(), plaintext);
    let padded = |plaintext: &[u8]| ring.seal_binary(plaintext, &ctx, Mode::Padded, &mut OsEntropy);
    assert_eq!(padded(&plaintext).unwrap_err().code(), ErrorCode::TooLarge);
    plaintext.pop();
    let sealed = padded(&plaintext).unwrap();
    assert_eq!(sealed.len(), MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES);
    assert_eq!(*ring.open_binary(&sealed, &ctx).unwrap(), plaintext);
    plaintext.extend([0; 2]);
    for mode in [Mode::Random, Mode::Deterministic, Mode::Padded] {
        let error = ring
            .seal(&plaintext, &ctx, mode, &mut OsEntropy)
            .unwrap_err();
        assert_eq!(error.code(), ErrorCode::TooLarge);
    }
}

#[test]
fn too_large_comes_after_the_shape_and_the_version_and_before_base64() {
    let tail = "A".repeat(MAX_TEXT_CHARS - HEAD.len() + 1);
    for (text, expected) in [
        (format!("{HEAD}{tail}"), ErrorCode::TooLarge),
        (format!("{HEAD}{tail}*"), ErrorCode::Malformed),
        (format!("{HEAD}{tail}é"), ErrorCode::Malformed),
        (
            format!("rs2{}{tail}", &HEAD[3..]),
            ErrorCode::UnsupportedVersion,
        ),
        (format!("rs2{}{tail}=", &HEAD[3..]), ErrorCode::Malformed),
        (format!("rs0{}{tail}", &HEAD[3..]), ErrorCode::NotEnvelope),
        (format!("x{HEAD}{tail}"), ErrorCode::NotEnvelope),
    ] {
        assert_eq!(inspect(&text).unwrap_err().code(), expected);
        let (head, rest) = text.split_at(HEAD.len());
        let base64url = |c: char| c.is_ascii_alphanumeric() || c == '-' || c == '_';
        let error = oversized_text_error(head, rest.chars().all(base64url));
        assert_eq!(error.code(), expected);
    }
}

#[test]
fn a_binary_envelope_above_the_limit_is_too_large_once_its_header_is_right() {
    let (ring, ctx) = (ring(), context());
    let sealed = ring
        .seal_binary(b"", &ctx, Mode::Random, &mut OsEntropy)
        .unwrap();
    let mut large = sealed.clone();
    large.resize(MAX_PLAINTEXT_BYTES + OVERHEAD_BYTES + 1, 0);
    assert_eq!(
        inspect_binary(&large).unwrap_err().code(),
        ErrorCode::TooLarge
    );
    assert_eq!(to_text(&large).unwrap_err().code(), ErrorCode::TooLarge);
    large[25] = 9;
    assert_eq!(
        inspect_binary(&large).unwrap_err().code(),
        ErrorCode::UnsupportedMode
    );
    large[4] = 2;
    assert_eq!(
        inspect_binary(&large).unwrap_err().code(),
        ErrorCode::UnsupportedVersion
    );
}

#[test]
fn every_prefix_of_an_envelope_is_refused_without_a_panic() {
    let (ring, ctx) = (ring(), context());
    let sealed = ring
        .seal_binary(b"value", &ctx, Mode::Padded, &mut OsEntropy)
        .unwrap();
    for len in 0..sealed.len() {
        let code = ring.open_binary(&sealed[..len], &ctx).unwrap_err().code();
        let expected = match len {
            0..4 => ErrorCode::NotEnvelope,
            4..67 => ErrorCode::Malformed,
            _ => ErrorCode::AuthFailed,
        };
        assert_eq!(code, expected, "{len}");
    }
}

#[test]
fn a_hundred_megabytes_of_anything_is_refused() {
    let (ring, ctx) = (ring(), context());
    for start in ["", HEAD, "rs9", "\0"] {
        let text = start.to_owned() + &"A".repeat(100_000_000);
        assert!(ring.open(&text, &ctx).is_err());
        assert!(ring.open_binary(text.as_bytes(), &ctx).is_err());
        assert!(reseal::Key::parse(&text).is_err());
    }
}
