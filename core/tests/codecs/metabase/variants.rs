//! Associated data, shapes without a key, and streams.

use super::{code, codec, golden_key, new_key, old_key, open, place, seal, shown};
use crate::support::{self, fresh, text_place};
use reseal::{
    Context, ErrorCode, Mode, OsEntropy,
    codec::{Certainty, Codec, Expect, Form, Stored, Trust},
};

#[test]
fn an_aad_takes_its_names_from_the_context() {
    let template = "encryption/{table}.{column}";
    let codec = codec([new_key()]).aad(template).unwrap();
    let context = Context::new().with("table", "api_key").unwrap();
    let full = context.clone().with("column", "key").unwrap();
    let sealed = codec
        .seal(b"x", &text_place(&full), &mut fresh(&mut OsEntropy, 1))
        .unwrap();
    let stored = sealed.as_stored();
    assert_eq!(*codec.open(stored, &full).unwrap().plaintext, b"x");
    let more = full.clone().with("row", 1).unwrap();
    assert!(codec.open(stored, &more).is_ok());
    let other = context.clone().with("column", "name").unwrap();
    assert_eq!(code(codec.open(stored, &other)), "auth-failed");
    assert_eq!(code(codec.open(stored, &context)), "context-invalid");
    // Unbound values and bound ones are not taken for each other.
    let unbound = super::codec([new_key()]);
    assert_eq!(code(open(&unbound, stored)), "auth-failed");
    let sealed = seal(&unbound, b"x", Form::Text).unwrap();
    assert_eq!(code(codec.open(sealed.as_stored(), &full)), "auth-failed");
}

#[test]
fn a_bad_aad_is_refused() {
    for template in [
        "", "{", "}", "a{b", "a}b", "{}", "{Key}", "{a}}", "{{a}", "{rs_x}", "{a b}",
    ] {
        let error = codec([new_key()]).aad(template).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument, "{template}");
    }
    let codec = codec([new_key()]).aad("{key}").unwrap();
    let empty = Context::new().with("key", "").unwrap();
    let error = codec
        .seal(b"x", &text_place(&empty), &mut fresh(&mut OsEntropy, 1))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::ContextInvalid);
}

#[test]
fn older_releases_take_short_values_for_encrypted() {
    let digest = "9f86d081884c7d659a2feaa0c55ad015a3bf4f1b2b0b822cd15d6c15b0f00a08";
    let strict = codec([new_key()]);
    assert_eq!(shown(Stored::Text(digest)), None);
    assert_eq!(code(open(&strict, Stored::Text(digest))), "format-mismatch");
    let lenient = codec([new_key()]).lenient(true);
    let short = lenient.recognize(Stored::Text(digest)).unwrap();
    assert_eq!(
        (short.certainty, short.scheme),
        (Certainty::Maybe, "legacy-short")
    );
    assert_eq!(code(open(&lenient, Stored::Text(digest))), "malformed");
    assert_eq!(lenient.recognize(Stored::Bytes(b"")), None);
}

#[test]
fn lenient_ignores_spare_bits_and_nothing_else() {
    let stored =
        "VP8RTsMWQdjIgbsGlfg+yXzuEKfA925udyqstSZkTm1ONtkXOYyBEgImR7Sk+czn5ULhHL/gcc56HrF+nbWMfg==";
    let (strict, lenient) = (codec([old_key()]), codec([old_key()]).lenient(true));
    let spare = stored.replace("fg==", "fn==");
    assert_eq!(code(open(&strict, Stored::Text(&spare))), "format-mismatch");
    assert_eq!(
        *open(&lenient, Stored::Text(&spare)).unwrap().plaintext,
        b"Hello!"
    );
    let unpadded = stored.trim_end_matches('=');
    let broken = stored.replace("Kf", "Kf\n");
    let spaced = format!(" {stored}");
    let url = stored.replace('+', "-").replace('/', "_");
    let doubled = format!("{stored}==");
    for other in [unpadded, &broken, &spaced, &url, &doubled] {
        assert_ne!(other, stored);
        for codec in [&strict, &lenient] {
            assert_eq!(code(open(codec, Stored::Text(other))), "format-mismatch");
        }
    }
}

/// The stream of the vectors: `test string` under the old key.
fn stream() -> Vec<u8> {
    let cases = support::vectors("metabase");
    let case = cases
        .iter()
        .find(|case| case["settings"]["format"] == "stream-cbc");
    support::base64(&case.unwrap()["ciphertext"], "value")
}

#[test]
fn a_stream_is_believed_as_far_as_it_was_checked() {
    let stream = stream();
    let stored = Stored::Bytes(&stream);
    let codec = |keys: Vec<_>| super::codec(keys).streams(true).expect(Expect::Utf8);
    let opened = open(&codec(vec![old_key()]), stored).unwrap();
    assert_eq!((opened.trust, opened.current), (Trust::Checked, false));
    let opened = open(&codec(vec![new_key(), golden_key(), old_key()]), stored).unwrap();
    assert_eq!(
        (opened.key.as_deref(), opened.plaintext.as_slice()),
        (Some("3"), &b"test string"[..])
    );
    assert_eq!(code(open(&codec(vec![new_key()]), stored)), "auth-failed");
    let json = super::codec([old_key()]).streams(true).expect(Expect::Json);
    assert_eq!(code(open(&json, stored)), "auth-failed");
    // Without authentication a change goes unnoticed; what is checked is at least text.
    let mut changed = stream.clone();
    changed[32] ^= 1;
    let opened = open(&codec(vec![old_key()]), Stored::Bytes(&changed)).unwrap();
    assert_eq!(*opened.plaintext, b"uest string");
    changed[32] ^= 0x80;
    assert_eq!(
        code(open(&codec(vec![old_key()]), Stored::Bytes(&changed))),
        "auth-failed"
    );
}

#[test]
fn a_stream_is_only_read() {
    let (stream, context) = (stream(), Context::new());
    let codec = codec([new_key(), old_key()])
        .streams(true)
        .expect(Expect::Utf8);
    let stored = Stored::Bytes(&stream);
    assert_eq!(codec.is_current(stored, Mode::Random), Some(false));
    let place = place(&context, Form::Binary);
    let error = codec
        .rotate(stored, &place, &mut fresh(&mut OsEntropy, 1))
        .unwrap_err();
    assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    for cut in [32, 48, 60, 63] {
        assert_eq!(
            code(open(&codec, Stored::Bytes(&stream[..cut]))),
            "malformed",
            "{cut}"
        );
        let shown = shown(Stored::Bytes(&stream[..cut]));
        assert_eq!(shown, Some((Certainty::Yes, "stream", None)), "{cut}");
    }
    for form in [Form::Text, Form::Binary] {
        let error = seal(&codec, b"x", form).unwrap_err();
        assert_eq!(error.code(), ErrorCode::CodecReadOnly);
    }
}

/// A value whose tag was taken off is a stream: its padding must not be judged.
#[test]
fn a_stream_is_not_read_where_none_stands() {
    let key = old_key();
    let plain = codec([key.clone()]);
    let sealed = seal(&plain, b"a value of a secret column", Form::Binary).unwrap();
    let tagged = sealed.as_stored().as_bytes();
    let header = b"AES/CBC/PKCS5Padding            ";
    let mut stripped = [header, &tagged[..tagged.len() - 32]].concat();
    for codec in [
        plain,
        codec([key.clone()]).expect(Expect::Utf8),
        codec([key.clone()]).lenient(true),
        codec([key.clone()]).aad("{a}").unwrap(),
    ] {
        let mut answers = std::collections::HashSet::new();
        for change in 0..=255 {
            let last = stripped.len() - 17;
            stripped[last] ^= change;
            answers.insert(
                open(&codec, Stored::Bytes(&stripped))
                    .unwrap_err()
                    .to_string(),
            );
            stripped[last] ^= change;
        }
        assert_eq!(answers.len(), 1, "{answers:?}");
        let error = open(&codec, Stored::Bytes(&stripped)).unwrap_err();
        assert_eq!(error.code(), ErrorCode::FormatUnsupported);
        let context = Context::new();
        let place = place(&context, Form::Binary);
        let stored = Stored::Bytes(&stripped);
        let moved = codec.rotate(stored, &place, &mut fresh(&mut OsEntropy, 1));
        assert_eq!(moved.unwrap_err().code(), ErrorCode::FormatUnsupported);
        let shown = codec.recognize(stored).unwrap();
        assert_eq!((shown.certainty, shown.scheme), (Certainty::Yes, "stream"));
    }
    let streams = codec([key]).streams(true).expect(Expect::Utf8);
    assert!(open(&streams, Stored::Bytes(&stripped)).is_ok());
}

#[test]
fn a_codec_of_streams_reads_nothing_else() {
    let streams = || super::golden(codec([golden_key()]).streams(true).expect(Expect::Utf8));
    let streams = streams().unwrap();
    let legacy = seal(&codec([golden_key()]), b"x", Form::Text).unwrap();
    for stored in [legacy.as_stored(), Stored::Text(super::GOLDEN_VALUE)] {
        assert_eq!(code(open(&streams, stored)), "format-unsupported");
        // It is no plaintext for all that.
        assert!(streams.recognize(stored).is_some());
    }
    let stream = stream();
    let wrong = [
        codec([old_key()]).streams(true),
        codec([old_key()])
            .aad("{a}")
            .unwrap()
            .streams(true)
            .expect(Expect::Utf8),
    ];
    for codec in wrong {
        assert_eq!(
            code(open(&codec, Stored::Bytes(&stream))),
            "invalid-argument"
        );
        let error = seal(&codec, b"x", Form::Binary).unwrap_err();
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}

#[test]
fn what_is_too_large_or_cut_is_no_plaintext() {
    let size = (1 << 24) + 160;
    let stream = [
        b"AES/CBC/PKCS5Padding            ".as_slice(),
        &vec![7; size],
    ]
    .concat();
    let (marked, tagged) = (
        [b"MB\x02".as_slice(), &vec![7; size]].concat(),
        vec![0xff; size],
    );
    let (text, raw) = ("A".repeat(size * 2), vec![0xff; size * 2]);
    let large = [
        Stored::Bytes(&stream),
        Stored::Bytes(&marked),
        Stored::Bytes(&tagged),
        Stored::Text(&text),
        Stored::Bytes(&raw),
    ];
    let codec = codec([new_key()]);
    for stored in large {
        assert_eq!(shown(stored), Some((Certainty::Yes, "damaged", None)));
        assert_eq!(code(open(&codec, stored)), "too-large");
    }
    // What has another alphabet is none of Metabase, however large.
    let other = "{ ".repeat(size);
    assert_eq!(shown(Stored::Text(&other)), None);

    let value = super::GOLDEN_VALUE;
    for length in 4..value.len() {
        for codec in [
            super::codec([golden_key()]),
            super::codec([golden_key()]).lenient(true),
        ] {
            let cut = Stored::Text(&value[..length]);
            assert!(codec.recognize(cut).is_some(), "{length}");
            let code = code(open(&super::golden(codec).unwrap(), cut));
            assert!(
                matches!(code, "malformed" | "auth-failed"),
                "{length}: {code}"
            );
        }
        if length % 4 != 0 {
            let cut = shown(Stored::Text(&value[..length]));
            assert_eq!(cut, Some((Certainty::Maybe, "damaged", None)), "{length}");
        }
    }
    let cut = Stored::Bytes(b"MB\x02\0\0");
    assert_eq!(shown(cut), Some((Certainty::Maybe, "damaged", None)));
    assert_eq!(code(open(&codec, cut)), "malformed");
    assert_eq!(codec.is_current(cut, Mode::Random), Some(false));
    assert_eq!(shown(Stored::Text("TUIC is no base64")), None);
}
