//! From an old key to a new one, and back.

use super::{failure, open, options::row};
use crate::support::{fresh, text_place};
use reseal::{
    Context, Mode, OsEntropy, Result,
    codec::{
        Certainty, Codec, CodecKind, Expect, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Stored,
        StoredValue, Trust,
    },
};

const JSON: &[u8] = br#"{"accessToken":"xoxb-123"}"#;

fn seal(codec: &N8n, plaintext: &[u8]) -> StoredValue {
    let (context, mut entropy) = (Context::new(), OsEntropy);
    let sealed = codec.seal(
        plaintext,
        &text_place(&context),
        &mut fresh(&mut entropy, 0),
    );
    sealed.unwrap()
}

fn rotate(codec: &N8n, value: &StoredValue) -> Result<StoredValue> {
    let (context, mut entropy) = (Context::new(), OsEntropy);
    codec.rotate(
        value.as_stored(),
        &text_place(&context),
        &mut fresh(&mut entropy, 0),
    )
}

fn opens(codec: &N8n, value: &StoredValue) -> (Option<String>, bool) {
    let opened = codec.open(value.as_stored(), &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, JSON);
    (opened.key, opened.current)
}

#[test]
fn instance_keys_rotate_forth_and_back() {
    let codec = |keys: &[&str]| {
        let builder = N8n::builder().expect(Expect::Json);
        let builder = keys.iter().fold(builder, |all, key| all.instance_key(key));
        builder.build().unwrap()
    };
    let old = seal(&codec(&["old"]), JSON);
    let forth = codec(&["new", "old"]);
    assert_eq!(opens(&forth, &old), (Some("2".into()), false));
    assert_eq!(forth.is_current(old.as_stored(), Mode::Random), None);

    let new = rotate(&forth, &old).unwrap();
    assert_eq!(opens(&forth, &new), (Some("1".into()), true));
    assert_eq!(opens(&codec(&["new"]), &new), (Some("1".into()), true));
    let gone = codec(&["new"]).open(old.as_stored(), &Context::new());
    assert_eq!(failure(gone), "auth-failed");

    let back = rotate(&codec(&["old", "new"]), &new).unwrap();
    assert_eq!(opens(&codec(&["old"]), &back), (Some("1".into()), true));
}

#[test]
fn a_key_in_utf8_is_brought_to_what_n8n_reads() {
    // Written by crypto-js under the key in UTF-8.
    let stored = "U2FsdGVkX1/nSy6Sn1wRkjExzpkLDy34WY1IHfBeHHjvff6oVNckgSLwl6HDnpZH";
    let codec = N8n::builder().instance_key("ключ-πass-é");
    let codec = codec.expect(Expect::Utf8).build().unwrap();
    let value = StoredValue::Text(stored.into());
    let value = rotate(&codec, &value).unwrap();
    let opened = codec.open(value.as_stored(), &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, b"latin1 truncation");
    assert_eq!((opened.scheme, opened.current), ("cbc", true));
}

fn table(active: &str) -> (Vec<N8nKeyRow>, [N8nDataKey; 3]) {
    let keys = [
        N8nDataKey::from_text("key").unwrap(),
        N8nDataKey::generate(&mut OsEntropy).unwrap(),
        N8nDataKey::from_text("any text").unwrap(),
    ];
    let status = |id| if id == active { "active" } else { "inactive" };
    let rows = vec![
        row("legacy", &keys[0], "aes-256-cbc", status("legacy")),
        row("gcm", &keys[1], "aes-256-gcm", status("gcm")),
        row("cbc", &keys[2], "aes-256-cbc", status("cbc")),
    ];
    (rows, keys)
}

fn activate(rows: &[N8nKeyRow], active: &str) -> N8n {
    let status = |id: &str| if id == active { "active" } else { "inactive" };
    let rows = rows.iter().map(|row| N8nKeyRow {
        status: status(&row.id).into(),
        ..row.clone()
    });
    let builder = N8n::builder().instance_key("key").rows(rows);
    let write = N8nWrite::Prefixed;
    builder.write(write).expect(Expect::Json).build().unwrap()
}

#[test]
fn rows_rotate_forth_and_back_and_to_values_without_a_prefix() {
    let (rows, _) = table("gcm");
    let legacy = N8n::builder().instance_key("key").rows(rows.clone());
    let legacy = legacy.write(N8nWrite::Legacy).expect(Expect::Json);
    let legacy = legacy.build().unwrap();
    let mut value = seal(&legacy, JSON);
    assert_eq!(opens(&legacy, &value), (Some("1".into()), true));

    for active in ["gcm", "cbc", "gcm"] {
        let codec = activate(&rows, active);
        assert_eq!(
            codec.is_current(value.as_stored(), Mode::Random),
            Some(false)
        );
        value = rotate(&codec, &value).unwrap();
        assert_eq!(opens(&codec, &value), (Some(active.into()), true));
        assert_eq!(
            codec.is_current(value.as_stored(), Mode::Random),
            Some(true)
        );
        assert_eq!(opens(&legacy, &value), (Some(active.into()), false));
        assert_eq!(
            legacy.is_current(value.as_stored(), Mode::Random),
            Some(false)
        );
    }
    let value = rotate(&legacy, &value).unwrap();
    assert_eq!(
        opens(&N8n::new("key").unwrap(), &value),
        (Some("1".into()), true)
    );
}

#[test]
fn a_value_without_a_prefix_opens_with_the_row_that_holds_its_key() {
    let old = seal(&N8n::new("old").unwrap(), JSON);
    let key = N8nDataKey::from_text("old").unwrap();
    let rows = [row("legacy", &key, "aes-256-cbc", "inactive")];
    let codec = N8n::builder().instance_key("key").rows(rows);
    let codec = codec.expect(Expect::Json).build().unwrap();
    assert_eq!(opens(&codec, &old), (Some("legacy".into()), false));
}

#[test]
fn a_new_instance_key_wraps_every_row_and_changes_no_value() {
    let (rows, keys) = table("gcm");
    let value = seal(&activate(&rows, "gcm"), JSON);
    let moved: Vec<_> = rows
        .iter()
        .map(|row| row.rewrap(&["key"], "next", &mut OsEntropy).unwrap())
        .collect();
    for (row, key) in moved.iter().zip(&keys) {
        assert_eq!(row.data_key(&["next"]).unwrap().text(), key.text());
        assert_eq!(failure(row.data_key(&["key"])), "auth-failed");
    }
    let next = N8n::builder().instance_key("next").rows(moved.clone());
    let next = next.write(N8nWrite::Prefixed).build().unwrap();
    assert_eq!(opens(&next, &value), (Some("gcm".into()), true));

    // A table that was left half way moves on, and back.
    let half = [moved[0].clone(), rows[1].clone(), rows[2].clone()];
    for row in &half {
        let there = row.rewrap(&["key"], "next", &mut OsEntropy).unwrap();
        assert!(there.data_key(&["next"]).is_ok());
        let back = there.rewrap(&["next"], "key", &mut OsEntropy).unwrap();
        assert!(back.data_key(&["key"]).is_ok());
    }
}

#[test]
fn other_rows_move_as_n8n_wraps_them() {
    let secret = |text| N8nDataKey::from_text(text).unwrap();
    let other = |kind: &str, value: String, algorithm: Option<&str>| N8nKeyRow {
        id: "one".into(),
        kind: kind.into(),
        value: value.into(),
        algorithm: algorithm.map(Into::into),
        status: "active".into(),
    };
    let jwk = r#"{"kty":"RSA"}"#;
    let StoredValue::Text(cbc) = seal(&N8n::new("key").unwrap(), jwk.as_bytes()) else {
        panic!("a text column got bytes");
    };
    let wrap = |text| secret(text).wrap("key", &mut OsEntropy).unwrap();
    let wrapped = [
        (other("signing.hmac", wrap("s"), Some("aes-256-gcm")), "s"),
        (
            other("jwe.private-key", wrap(jwk), Some("RSA-OAEP-256")),
            jwk,
        ),
        (other("jwe.private-key", cbc, Some("RSA-OAEP-256")), jwk),
    ];
    for (row, text) in wrapped {
        let moved = row.rewrap_lenient(&["key"], "next", &mut OsEntropy);
        assert_eq!(moved.unwrap().data_key(&["next"]).unwrap().text(), text);
        let wrong = row.rewrap_lenient(&["wrong"], "next", &mut OsEntropy);
        assert_eq!(failure(wrong), "auth-failed");
        // AES-256-CBC authenticates nothing.
        let strict = row.rewrap(&["key"], "next", &mut OsEntropy);
        match strict {
            Ok(moved) => assert_eq!(moved.data_key(&["next"]).unwrap().text(), text),
            Err(error) => {
                assert!(row.value.starts_with("U2FsdGVkX1"));
                assert_eq!(error.code().as_str(), "invalid-key");
            }
        }
    }
    for kind in ["instance.id", "signing.jwt"] {
        let row = other(kind, "plain".into(), None);
        assert!(row.rewrap(&["key"], "next", &mut OsEntropy).unwrap() == row);
    }
    for (kind, algorithm) in [("signing.jwt", "aes-512"), ("later", "aes-256-gcm")] {
        let row = other(kind, "plain".into(), Some(algorithm));
        let moved = row.rewrap(&["key"], "next", &mut OsEntropy);
        assert_eq!(failure(moved), "format-unsupported");
    }
    let row = row("one", &secret("any"), "aes-256-cbc", "inactive");
    assert_eq!(
        failure(row.rewrap(&["key"], "", &mut OsEntropy)),
        "invalid-key"
    );
}

#[test]
fn the_largest_plaintext_comes_back_and_nothing_larger_is_decoded() {
    let (rows, _) = table("gcm");
    let write = |write| {
        let builder = N8n::builder().instance_key("key").rows(rows.clone());
        builder.write(write).build().unwrap()
    };
    let largest = vec![b'a'; 1 << 24];
    for codec in [write(N8nWrite::Legacy), write(N8nWrite::Prefixed)] {
        let value = seal(&codec, &largest);
        let opened = codec.open(value.as_stored(), &Context::new()).unwrap();
        assert!(*opened.plaintext == largest);
        let Stored::Text(text) = value.as_stored() else {
            panic!("a text column got bytes");
        };
        for larger in [format!("{text}{}", "A".repeat(64)), text.repeat(2)] {
            let code = failure(open(&codec, &larger.replace('=', "A")));
            assert!(matches!(code, "too-large" | "malformed"), "{code}");
        }
    }
}

#[test]
fn exports_know_no_prefix() {
    let (rows, _) = table("gcm");
    let prefixed = seal(&activate(&rows, "gcm"), JSON);
    let export = N8n::builder().custom_key("").expect(Expect::Json);
    let export = export.build().unwrap();
    let value = seal(&export, JSON);
    assert_eq!(opens(&export, &value), (Some("custom".into()), true));
    let Stored::Text(text) = prefixed.as_stored() else {
        panic!("a text column got bytes");
    };
    assert_eq!(failure(open(&export, text)), "format-mismatch");
    let shown = export.recognize(prefixed.as_stored());
    assert!(shown.is_none());
}

#[test]
fn the_right_key_is_found_among_many_that_give_garbage() {
    // With 600 wrong keys, two or three pass the check of the padding.
    let wrong: Vec<_> = (0..600).map(|at| format!("wrong {at}")).collect();
    let builder = wrong
        .iter()
        .fold(N8n::builder(), |all, key| all.instance_key(key))
        .instance_key("right");
    let codec = builder.clone().build().unwrap();
    let sure = builder.expect(Expect::Json).build().unwrap();
    for _ in 0..8 {
        let value = seal(&N8n::new("right").unwrap(), JSON);
        assert_eq!(opens(&sure, &value), (Some("601".into()), false));
        assert_eq!(opens(&codec, &value), (Some("601".into()), false));
        let opened = codec.open(value.as_stored(), &Context::new()).unwrap();
        assert_eq!(opened.trust, Trust::Unchecked);
    }
}

#[test]
fn a_prefix_is_sure_where_the_id_is_known_or_of_the_kind_that_n8n_makes() {
    let (rows, _) = table("gcm");
    let codec = activate(&rows, "gcm");
    let value = seal(&codec, JSON);
    let by_kind = CodecKind::N8n.recognize(value.as_stored()).unwrap();
    assert_eq!(by_kind.certainty, Certainty::Maybe);
    assert_eq!(by_kind.key.as_deref(), Some("gcm"));
    let by_codec = codec.recognize(value.as_stored()).unwrap();
    assert_eq!(by_codec.certainty, Certainty::Yes);

    let plain = [
        "localhost:8080",
        "http://example.com",
        "a:b",
        "",
        "gcm",
        ":",
    ];
    for text in plain {
        assert_eq!(CodecKind::N8n.recognize(Stored::Text(text)), None, "{text}");
    }
}
