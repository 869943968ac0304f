//! Active Record Encryption of Ruby on Rails.

mod anything;
mod damage;
mod headers;
mod schemes;
mod sealing;

use crate::support::{fresh, text_place};
use reseal::{
    Context, OsEntropy, Result,
    codec::{
        Codec, Form, Opened, Place, Rails, RailsBuilder, RailsSerializer, Stored, StoredValue,
    },
};
use serde_json::Value;
use std::sync::LazyLock;

const OLD: &str = "YehXdfzxVKpoLvKseJMJIEGs2JxerkB8";
const NEW: &str = "nEwPr1maryKey0000000000000000002";
const SALT: &str = "g7Q66StqUQDQk9SJ81sWbYZXgiRogBwS";
/// The references of the two, derived with SHA-256.
const OLD_ID: &str = "35e2";
const NEW_ID: &str = "4852";

fn with_keys(keys: &[&str]) -> RailsBuilder {
    Rails::builder()
        .primary_keys(keys)
        .key_derivation_salt(SALT)
}

fn deterministic(key: &str) -> RailsBuilder {
    Rails::builder()
        .deterministic_keys([key])
        .key_derivation_salt(SALT)
        .deterministic(true)
}

/// Derived keys cost time: what the tests share is made once.
static PLAIN: LazyLock<Rails> = LazyLock::new(|| with_keys(&[OLD]).build().unwrap());
static LENIENT: LazyLock<Rails> =
    LazyLock::new(|| with_keys(&[OLD]).lenient(true).build().unwrap());
static UNCOMPRESSED: LazyLock<Rails> =
    LazyLock::new(|| with_keys(&[OLD]).compress(false).build().unwrap());
static BOTH: LazyLock<Rails> = LazyLock::new(|| {
    with_keys(&[OLD, NEW])
        .store_key_references(true)
        .build()
        .unwrap()
});
static ENVELOPE: LazyLock<Rails> =
    LazyLock::new(|| with_keys(&[OLD]).envelope(true).build().unwrap());
static PACKED: LazyLock<Rails> = LazyLock::new(|| {
    with_keys(&[OLD])
        .serializer(RailsSerializer::MessagePack)
        .build()
        .unwrap()
});
static PACKED_ENVELOPE: LazyLock<Rails> = LazyLock::new(|| {
    with_keys(&[OLD])
        .serializer(RailsSerializer::MessagePack)
        .envelope(true)
        .store_key_references(true)
        .build()
        .unwrap()
});
static DETERMINISTIC: LazyLock<Rails> = LazyLock::new(|| deterministic(OLD).build().unwrap());

fn open(codec: &Rails, stored: &str) -> Result<Opened> {
    codec.open(Stored::Text(stored), &Context::new())
}

fn code(codec: &Rails, stored: &str) -> &'static str {
    open(codec, stored).unwrap_err().code().as_str()
}

fn seal_form(codec: &Rails, plaintext: &[u8], form: Form) -> Result<StoredValue> {
    let context = Context::new();
    let place = Place {
        form,
        ..text_place(&context)
    };
    codec.seal(plaintext, &place, &mut fresh(&mut OsEntropy, 1))
}

fn seal(codec: &Rails, plaintext: &[u8]) -> String {
    match seal_form(codec, plaintext, Form::Text).unwrap() {
        StoredValue::Text(text) => text,
        StoredValue::Bytes(_) => panic!("bytes for a text column"),
    }
}

fn rotate(codec: &Rails, stored: &str) -> Result<StoredValue> {
    let context = Context::new();
    let mut entropy = OsEntropy;
    codec.rotate(
        Stored::Text(stored),
        &text_place(&context),
        &mut fresh(&mut entropy, 1),
    )
}

/// A sealed value with another header, or without it.
fn with_header(stored: &str, name: &str, value: Value) -> String {
    let mut message: Value = serde_json::from_str(stored).unwrap();
    let headers = message["h"].as_object_mut().unwrap();
    headers.remove(name);
    if value != Value::Null {
        headers.insert(name.into(), value);
    }
    message.to_string()
}

fn base64(bytes: &[u8]) -> String {
    data_encoding::BASE64.encode(bytes)
}
