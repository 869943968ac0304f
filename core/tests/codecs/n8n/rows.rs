//! Rows that someone else may have written, and values that were cut.

use super::{failure, open, options::row};
use crate::support::{fresh, text_place};
use reseal::{
    Context, Mode, OsEntropy,
    codec::{
        Certainty, Codec, CodecKind, Expect, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Stored,
        StoredValue,
    },
};

const ID: &str = "bEc5AmLGiLrtdybl";
const KEY: &str = "Kq3vTzP0";

/// A row whose value is what someone put there, who knows no instance key.
fn put(value: &str, algorithm: &str, status: &str) -> N8nKeyRow {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    N8nKeyRow {
        value: value.to_owned().into(),
        ..row(ID, &key, algorithm, status)
    }
}

fn seal(codec: &N8n, plaintext: &[u8]) -> StoredValue {
    let (context, mut entropy) = (Context::new(), OsEntropy);
    let place = text_place(&context);
    let sealed = codec.seal(plaintext, &place, &mut fresh(&mut entropy, 0));
    sealed.unwrap()
}

/// The raw key, the instance key itself, and a key wrapped with AES-256-CBC.
fn shapes() -> [(String, &'static str); 3] {
    let raw = "66".repeat(32);
    let wrapped = seal(&N8n::new(KEY).unwrap(), raw.as_bytes());
    let wrapped = wrapped.as_stored().as_text().unwrap().to_owned();
    [
        (raw, "aes-256-gcm"),
        (KEY.to_owned(), "aes-256-cbc"),
        (wrapped, "aes-256-gcm"),
    ]
}

#[test]
fn a_row_that_nothing_authenticates_never_writes() {
    for (value, algorithm) in shapes() {
        for (lenient, write, status, works) in [
            (false, N8nWrite::Prefixed, "active", false),
            (true, N8nWrite::Prefixed, "active", false),
            (false, N8nWrite::Legacy, "inactive", false),
            (true, N8nWrite::Legacy, "active", true),
            (true, N8nWrite::Legacy, "inactive", true),
        ] {
            let rows = [put(&value, algorithm, status)];
            let builder = N8n::builder().instance_key(KEY).rows(rows);
            let built = builder.write(write).lenient(lenient).build();
            let Err(error) = built else {
                assert!(works, "{algorithm} {lenient} {status}");
                continue;
            };
            assert!(!works, "{algorithm} {lenient} {status}: {error}");
            assert_eq!(error.code().as_str(), "invalid-key");
            assert!(error.message().contains("start n8n once"), "{error}");
            assert!(error.message().contains(ID), "{error}");
            assert!(!error.message().contains(&value), "{error}");
        }
    }
}

#[test]
fn rewrapping_launders_no_row() {
    for (value, algorithm) in shapes() {
        let rewrap = |status: &str, lenient: bool| {
            let row = put(&value, algorithm, status);
            let (from, to) = ([KEY], "next");
            if lenient {
                row.rewrap_lenient(&from, to, &mut OsEntropy)
            } else {
                row.rewrap(&from, to, &mut OsEntropy)
            }
        };
        for (status, lenient) in [("active", false), ("inactive", false), ("active", true)] {
            assert_eq!(failure(rewrap(status, lenient)), "invalid-key");
        }
        let moved = rewrap("inactive", true).unwrap();
        assert!(moved.data_key(&["next"]).is_ok());

        let row = put(&value, algorithm, "inactive");
        assert_eq!(failure(row.data_key(&[KEY])), "invalid-key");
        assert!(row.data_key_lenient(&[KEY]).is_ok());
    }
}

/// Whoever can write to the table would turn authenticated writing off.
#[test]
fn the_algorithm_of_the_row_that_writes_is_the_one_of_its_key() {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let build = |status, write, lenient| {
        let rows = [row(ID, &key, "aes-256-cbc", status)];
        let builder = N8n::builder().instance_key("key").rows(rows);
        builder.write(write).lenient(lenient).build()
    };
    for lenient in [false, true] {
        let done = build("active", N8nWrite::Prefixed, lenient);
        assert_eq!(failure(done), "invalid-key");
        assert!(build("active", N8nWrite::Legacy, lenient).is_ok());
        assert!(build("inactive", N8nWrite::Legacy, lenient).is_ok());
    }
}

#[test]
fn an_active_row_asks_for_what_is_written() {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let builder = |status| {
        let rows = [row(ID, &key, "aes-256-gcm", status)];
        N8n::builder().instance_key("key").rows(rows)
    };
    assert_eq!(failure(builder("active").build()), "invalid-argument");
    for write in [N8nWrite::Legacy, N8nWrite::Prefixed] {
        assert!(builder("active").write(write).build().is_ok());
    }
    for unsaid in [builder("inactive"), N8n::builder().instance_key("key")] {
        let value = seal(&unsaid.build().unwrap(), b"{}");
        let shown = CodecKind::N8n.recognize(value.as_stored()).unwrap();
        assert_eq!(shown.scheme, "cbc");
    }
}

#[test]
fn a_value_that_was_cut_is_no_plaintext() {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let rows = [row(ID, &key, "aes-256-gcm", "active")];
    let builder = N8n::builder().instance_key("key").rows(rows);
    let codec = builder.write(N8nWrite::Prefixed).build().unwrap();
    let without = N8n::builder().instance_key("key").expect(Expect::Json);
    let without = without.build().unwrap();
    let value = seal(&codec, b"{\"a\":1}");
    let text = value.as_stored().as_text().unwrap();
    for length in ID.len() + 3..text.len() {
        let cut = Stored::Text(&text[..length]);
        let shown = CodecKind::N8n.recognize(cut).unwrap();
        assert_eq!(shown.scheme, "prefixed-gcm", "{length}");
        assert_eq!(shown.key.as_deref(), Some(ID), "{length}");
        assert_eq!(failure(open(&without, &text[..length])), "unknown-key");
        let code = failure(open(&codec, &text[..length]));
        assert!(matches!(code, "malformed" | "auth-failed"), "{code}");
        if length % 4 != (ID.len() + 1) % 4 {
            assert_eq!(shown.certainty, Certainty::Maybe, "{length}");
            assert_eq!(codec.is_current(cut, Mode::Random), Some(false));
        }
    }
    for other in [
        "bEc5AmLGiLrtdyb:AQ",
        "bEc5AmLGiLrtdybl:Ag",
        "bEc5AmLGiLrtdybl:AQ é",
    ] {
        assert_eq!(CodecKind::N8n.recognize(Stored::Text(other)), None);
    }
}

#[test]
fn what_is_too_large_to_tell_is_no_plaintext_where_one_is_lenient() {
    let lenient = N8n::builder().instance_key("key").lenient(true);
    let text = "A".repeat((1 << 25) + 1);
    assert_eq!(failure(open(&lenient.build().unwrap(), &text)), "too-large");
}
