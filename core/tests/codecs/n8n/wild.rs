//! Bytes that nobody expects.

use super::open;
use crate::support::{fresh, text_place};
use proptest::prelude::*;
use reseal::{
    Context, OsEntropy,
    codec::{Codec, CodecKind, Expect, N8n, N8nDataKey, N8nKeyRow, N8nWrite, Stored},
};
use std::sync::LazyLock;

struct Wild {
    codecs: Vec<N8n>,
    rows: Vec<N8nKeyRow>,
    values: Vec<String>,
}

static WILD: LazyLock<Wild> = LazyLock::new(|| {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let text = N8nDataKey::from_text("any text").unwrap();
    let rows = [("aes-256-gcm", key), ("aes-256-cbc", text)].map(|(algorithm, key)| {
        let id = algorithm.replace("aes-256-", "id-");
        super::options::row(&id, &key, algorithm, "inactive")
    });
    let mut codecs = Vec::new();
    for lenient in [false, true] {
        let builder = || N8n::builder().lenient(lenient);
        let instance = builder().instance_key("key").instance_key("ключ");
        let export = builder().custom_key("custom").expect(Expect::Json);
        codecs.push(instance.build().unwrap());
        codecs.push(export.build().unwrap());
        for active in 0..2 {
            let mut rows = rows.clone();
            rows[active].status = "active".into();
            let prefixed = builder().instance_key("key").rows(rows);
            let prefixed = prefixed.write(N8nWrite::Prefixed).expect(Expect::Utf8);
            codecs.push(prefixed.build().unwrap());
        }
    }
    let values = codecs
        .iter()
        .map(|codec| seal(codec, "{\"a\":1}"))
        .collect();
    Wild {
        codecs,
        rows: rows.into(),
        values,
    }
});

fn seal(codec: &N8n, plaintext: &str) -> String {
    let (context, mut entropy) = (Context::new(), OsEntropy);
    let place = text_place(&context);
    let value = codec.seal(plaintext.as_bytes(), &place, &mut fresh(&mut entropy, 0));
    String::from_utf8(value.unwrap().as_stored().as_bytes().to_vec()).unwrap()
}

/// Nothing panics, and what is not recognised is of another format.
fn check(stored: Stored<'_>) {
    drop(CodecKind::N8n.recognize(stored));
    for codec in &WILD.codecs {
        let opened = codec.open(stored, &Context::new());
        let mismatch = opened.is_err_and(|error| error.code().as_str() == "format-mismatch");
        assert_eq!(mismatch, codec.recognize(stored).is_none());
        codec.is_current(stored, reseal::Mode::Random);
    }
    if let Some(text) = stored.as_text() {
        drop(N8nDataKey::unwrap_value(text, &["key"]));
        drop(N8nDataKey::unwrap_value_lenient(text, &["key"]));
        for row in &WILD.rows {
            let mut row = row.clone();
            row.value = text.to_owned().into();
            drop(row.rewrap(&["key"], "next", &mut OsEntropy));
            drop(row.rewrap_lenient(&["key"], "next", &mut OsEntropy));
        }
    }
}

proptest! {
    #[test]
    fn arbitrary_bytes_are_judged(bytes: Vec<u8>) {
        check(Stored::Bytes(&bytes));
    }

    #[test]
    fn arbitrary_text_is_judged(text: String) {
        check(Stored::Text(&text));
    }

    #[test]
    fn bodies_of_any_bytes_are_judged(
        prefix in prop::sample::select(vec!["", "id-gcm:", "id-cbc:", "unknown:", "b d:", ":"]),
        head in prop::sample::select(vec![&b""[..], b"Salted__", b"\x01", b"\x02"]),
        mut bytes in prop::collection::vec(any::<u8>(), 0..120),
        cut in 0..4_usize,
    ) {
        bytes.splice(0..0, head.iter().copied());
        let mut text = format!("{prefix}{}", data_encoding::BASE64.encode(&bytes));
        text.truncate(text.len().saturating_sub(cut));
        check(Stored::Text(&text));
    }

    #[test]
    fn changed_values_are_judged(at in 0..8_usize, place: prop::sample::Index, byte: u8) {
        let mut bytes = WILD.values[at].clone().into_bytes();
        let place = place.index(bytes.len());
        bytes[place] = byte;
        check(Stored::Bytes(&bytes));
        check(Stored::Bytes(&bytes[..place]));
    }

    #[test]
    fn every_text_comes_back(text: String) {
        let text = serde_json::to_string(&text).unwrap();
        for codec in &WILD.codecs {
            let stored = seal(codec, &text);
            let opened = open(codec, &stored).unwrap();
            prop_assert_eq!(&**opened.plaintext, text.as_bytes());
            prop_assert!(opened.current);
        }
    }
}
