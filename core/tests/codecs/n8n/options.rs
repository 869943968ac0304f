//! Options and rows that do not fit.

use super::{failure, open};
use crate::support::{Fixed, fresh, text_place};
use reseal::{
    Context, OsEntropy,
    codec::{Codec, Expect, Form, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Place, Stored, Trust},
};

pub(super) fn row(id: &str, key: &N8nDataKey, algorithm: &str, status: &str) -> N8nKeyRow {
    N8nKeyRow {
        id: id.into(),
        kind: "data_encryption".into(),
        value: key.wrap("key", &mut OsEntropy).unwrap().into(),
        algorithm: Some(algorithm.into()),
        status: status.into(),
    }
}

fn data_key() -> N8nDataKey {
    N8nDataKey::generate(&mut OsEntropy).unwrap()
}

#[test]
fn bad_options_are_refused() {
    let key = || N8n::builder().instance_key("key");
    let builds = [
        (N8n::builder(), "invalid-argument"),
        (N8n::builder().instance_key(""), "invalid-key"),
        (key().instance_key("key"), "duplicate-key"),
        (key().custom_key("export"), "invalid-argument"),
        (key().write(N8nWrite::Prefixed), "no-primary"),
        (
            N8n::builder().custom_key("").write(N8nWrite::Prefixed),
            "invalid-argument",
        ),
    ];
    for (builder, code) in builds {
        assert_eq!(failure(builder.build()), code);
    }
    assert!(N8n::builder().custom_key("").build().is_ok());
    assert_eq!(failure(N8n::new("")), "invalid-key");
}

#[test]
fn bad_rows_are_refused() {
    let gcm = || row("one", &data_key(), "aes-256-gcm", "active");
    let text = |text| N8nDataKey::from_text(text).unwrap();
    let cases: [(Vec<N8nKeyRow>, &str); 9] = [
        (vec![gcm(), gcm()], "duplicate-key"),
        (
            vec![gcm(), row("two", &data_key(), "aes-256-gcm", "active")],
            "invalid-argument",
        ),
        (
            vec![row("a b", &data_key(), "aes-256-gcm", "active")],
            "invalid-argument",
        ),
        (
            vec![row("one", &data_key(), "aes-256-gcm", "gone")],
            "invalid-argument",
        ),
        (
            vec![row("one", &data_key(), "aes-512", "active")],
            "format-unsupported",
        ),
        (
            vec![row("one", &text("short"), "aes-256-gcm", "active")],
            "invalid-key",
        ),
        (
            vec![N8nKeyRow {
                value: data_key().wrap("other", &mut OsEntropy).unwrap().into(),
                ..gcm()
            }],
            "auth-failed",
        ),
        (
            vec![N8nKeyRow {
                value: "no base64".to_owned().into(),
                ..gcm()
            }],
            "malformed",
        ),
        (
            vec![N8nKeyRow {
                algorithm: None,
                ..gcm()
            }],
            "format-unsupported",
        ),
    ];
    for (rows, code) in cases {
        let builder = N8n::builder().instance_key("key").rows(rows);
        for lenient in [false, true] {
            let builder = builder.clone().lenient(lenient);
            let built = builder.write(N8nWrite::Prefixed).build();
            assert_eq!(failure(built), code);
        }
    }
}

#[test]
fn rows_of_other_types_are_left_out() {
    let other = N8nKeyRow {
        kind: "instance.id".into(),
        value: "not wrapped".to_owned().into(),
        algorithm: None,
        ..row("one", &data_key(), "", "active")
    };
    let builder = N8n::builder().instance_key("key").rows([other]);
    assert!(builder.build().is_ok());
}

#[test]
fn what_n8n_could_not_read_is_not_written() {
    let context = Context::new();
    let place = text_place(&context);
    let seal = |codec: &N8n, plaintext: &[u8]| {
        let mut entropy = OsEntropy;
        failure(codec.seal(plaintext, &place, &mut fresh(&mut entropy, 0)))
    };
    let codec = N8n::new("key").unwrap();
    assert_eq!(seal(&codec, b"\xff"), "codec-read-only");
    assert_eq!(seal(&codec, &vec![0; (1 << 24) + 1]), "too-large");

    let codec = N8n::builder().instance_key("key").expect(Expect::Json);
    assert_eq!(seal(&codec.build().unwrap(), b"{"), "codec-read-only");

    // n8n reads what has no prefix with the row, which holds the key of before.
    let before = N8nDataKey::from_text("before").unwrap();
    let rows = [row("one", &before, "aes-256-cbc", "inactive")];
    let codec = N8n::builder().instance_key("key").rows(rows);
    assert_eq!(seal(&codec.build().unwrap(), b"{}"), "codec-read-only");
}

#[test]
fn a_binary_column_holds_the_same_characters() {
    let context = Context::new();
    let codec = N8n::new("test_key").unwrap();
    let place = Place {
        form: Form::Binary,
        ..text_place(&context)
    };
    let mut entropy = Fixed(vec![7; 8]);
    let value = codec
        .seal(b"x", &place, &mut fresh(&mut entropy, 0))
        .unwrap();
    let Stored::Bytes(bytes) = value.as_stored() else {
        panic!("a binary column got text");
    };
    assert!(bytes.starts_with(b"U2FsdGVkX1"));
    assert_eq!(
        *codec.open(value.as_stored(), &context).unwrap().plaintext,
        b"x"
    );
    let garbage = codec.open(Stored::Bytes(b"\xff\xfe"), &context);
    assert_eq!(failure(garbage), "format-mismatch");
}

#[test]
fn node_reads_base64_that_is_wrapped_or_of_the_other_alphabet() {
    let lenient = N8n::builder().instance_key("NtGPGCiZ2k80z+aT80EnML2HkVPK/RaW");
    let lenient = lenient.lenient(true).build().unwrap();
    let read = |stored: &str| open(&lenient, stored).map(|opened| opened.plaintext.to_vec());
    let value = "U2FsdGVkX1/SJeK+IPSvmjC1+IKWP4jToFE6T/cuqGA=";
    let forms = [
        value.replace('/', "_").replace('+', "-"),
        value.replace('=', ""),
        format!("\t{value}\n"),
        value.replace("X1/", "*X1/*"),
        // A digit too many is no byte, and nothing counts after the padding.
        value.replace('=', "A"),
        format!("{value}QUJD"),
    ];
    for form in &forms[..4] {
        assert_eq!(read(form).unwrap(), b"lenient");
    }
    assert_eq!(failure(read(&forms[4])), "malformed");
    assert_eq!(read(&forms[5]).unwrap(), b"lenient");
    assert_eq!(failure(read(&format!("{value}é"))), "malformed");
}

#[test]
fn a_cut_value_is_empty_only_where_one_is_lenient_and_is_never_resealed() {
    let context = Context::new();
    for (expect, code) in [(None, "expect-required"), (Some(Expect::Utf8), "malformed")] {
        let builder = N8n::builder().instance_key("key").lenient(true);
        let builder = match expect {
            Some(expect) => builder.expect(expect),
            None => builder,
        };
        let codec = builder.build().unwrap();
        let opened = open(&codec, "U2FsdGVkX194VEo").unwrap();
        assert!(opened.plaintext.is_empty());
        assert_eq!(opened.trust, Trust::Unchecked);
        let mut entropy = OsEntropy;
        let resealed = codec.rotate(
            Stored::Text("U2FsdGVkX194VEo"),
            &text_place(&context),
            &mut fresh(&mut entropy, 0),
        );
        assert_eq!(failure(resealed), code);
        // What is too short without the mark is no value of n8n, and nothing of it is lost.
        assert_eq!(failure(open(&codec, "hello")), "format-mismatch");
        assert_eq!(failure(open(&codec, "")), "format-mismatch");
    }
    let json = N8n::builder().instance_key("key").lenient(true);
    let json = json.expect(Expect::Json).build().unwrap();
    assert_eq!(failure(open(&json, "U2FsdGVkX194VEo")), "malformed");
}

#[test]
fn no_secret_is_shown() {
    let key = N8nDataKey::from_text("sekret-data").unwrap();
    let rows = [N8nKeyRow {
        value: "sekret-key".to_owned().into(),
        ..row("one", &key, "aes-256-cbc", "inactive")
    }];
    let builder = N8n::builder().instance_key("sekret-key").rows(rows.clone());
    let builder = builder.lenient(true);
    let shown = format!(
        "{key:?} {rows:?} {builder:?} {:?} {:?}",
        builder.clone().build().unwrap(),
        N8n::builder().custom_key("sekret").build().unwrap()
    );
    assert!(!shown.contains("sekret"), "{shown}");
    assert!(shown.contains("one"), "{shown}");
}
