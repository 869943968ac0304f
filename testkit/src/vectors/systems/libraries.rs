//! Libraries of Python: those of Django that derive Fernet keys or pickle, and SQLAlchemy-Utils.

use super::{
    super::{Outcome, same},
    case::{Given, base64, flag, known, maybe_text, plaintext, text, texts},
    codecs::{open, place, refused, same_stored, shown, told, written},
};
use data_encoding::{BASE64, BASE64URL};
use reseal::{
    Context, Error, Mode,
    codec::{
        Certainty, Codec, CodecKind, DjangoCryptography, DjangoDigest, DjangoField, DjangoKeys,
        Expect, Fernet, FernetKey, Form, SqlalchemyEngine, SqlalchemyUtils, Stored, StoredValue,
        Trust,
    },
};
use serde_json::{Value, json};
use std::{
    collections::BTreeMap,
    sync::{Mutex, PoisonError},
};

type Made = reseal::Result<&'static dyn Codec>;

/// What makes a codec: members of a case. Deriving keys takes long, and few cases have others.
const OPTIONS: [&str; 11] = [
    "secrets",
    "salts",
    "prefix",
    "hkdf",
    "cryptography_keys",
    "salt",
    "digest",
    "field_keys",
    "field",
    "keys",
    "engine",
];
const OTHERS: [&str; 14] = [
    "id",
    "op",
    "padding",
    "fernet_keys",
    "ciphertext",
    "ciphertext_b64",
    "plaintext",
    "plaintext_b64",
    "returned",
    "current",
    "exact",
    "lossy",
    "code",
    "notes",
];

pub(super) fn django_fernet(case: &Value) -> Outcome {
    check(CodecKind::DjangoFernet, case)
}

pub(super) fn fernet_fields(case: &Value) -> Outcome {
    check(CodecKind::FernetFields, case)
}

pub(super) fn django_cryptography(case: &Value) -> Outcome {
    check(CodecKind::DjangoCryptography, case)
}

pub(super) fn sqlalchemy_utils(case: &Value) -> Outcome {
    check(CodecKind::SqlalchemyUtils, case)
}

fn check(kind: CodecKind, case: &Value) -> Outcome {
    known(case, &[OPTIONS.as_slice(), &OTHERS].concat())?;
    let made = |lenient| codec(kind, case, lenient);
    match text(case, "op")? {
        "derive" => derives(made(false)?.map_err(told)?, case),
        "load_fail" => refused(made(false)?, &[text(case, "code")?]).map(drop),
        "json" => leaves(made(false)?.map_err(told)?, case),
        "fail" => {
            let (stored, code) = (stored_of(kind, case)?, text(case, "code")?);
            let strict = made(false)?.map_err(told)?;
            refused(open(strict, stored.as_stored()), &[code])?;
            let lenient = made(true)?.map_err(told)?;
            refused(open(lenient, stored.as_stored()), &[code]).map(drop)
        }
        "read" => {
            reads(kind, case, made(true)?.map_err(told)?)?;
            let strict = made(false)?.map_err(told)?;
            reads(kind, case, strict)?;
            writes(kind, case, strict)
        }
        other => Err(format!("unknown op {other}")),
    }
}

/// The codec of a case, made once for all cases with the same options.
fn codec(kind: CodecKind, case: &Value, lenient: bool) -> Given<Made> {
    static MADE: Mutex<BTreeMap<String, Made>> = Mutex::new(BTreeMap::new());
    let options = OPTIONS
        .iter()
        .chain(&["padding"])
        .map(|name| case.get(name));
    let key = json!([kind.as_str(), lenient, options.collect::<Vec<_>>()]).to_string();
    let made = || MADE.lock().unwrap_or_else(PoisonError::into_inner);
    if let Some(codec) = made().get(&key) {
        return Ok(codec.clone());
    }
    let codec = new_codec(kind, case, lenient)?;
    made().insert(key, codec.clone());
    Ok(codec)
}

fn new_codec(kind: CodecKind, case: &Value, lenient: bool) -> Given<Made> {
    fn leaked<C: Codec + 'static>(codec: C) -> &'static dyn Codec {
        Box::leak(Box::new(codec))
    }
    let list = |name: &str| texts(case.get(name));
    Ok(match kind {
        CodecKind::DjangoFernet => Fernet::django(&list("secrets")?, &list("salts")?)
            .map(|codec| leaked(codec.lenient(lenient))),
        CodecKind::FernetFields => {
            let prefix = maybe_text(case, "prefix")?.unwrap_or(Fernet::PREFIX);
            let derives = flag(case, "hkdf")?.unwrap_or(true);
            let keys = list("secrets")?.into_iter().map(|secret| {
                if derives {
                    FernetKey::fields(secret, prefix)
                } else {
                    FernetKey::parse(secret)
                }
            });
            let codec = keys.collect::<Result<_, Error>>().and_then(Fernet::fields);
            codec.map(|codec| leaked(codec.lenient(lenient)))
        }
        CodecKind::DjangoCryptography => {
            let (secrets, keys) = (list("secrets")?, list("cryptography_keys")?);
            let salt = maybe_text(case, "salt")?.unwrap_or(DjangoKeys::SALT);
            let digest = maybe_text(case, "digest")?;
            let of_field = list("field_keys")?.into_iter().map(base64);
            let of_field = of_field.collect::<Given<Vec<_>>>()?;
            let of_field: Vec<&[u8]> = of_field.iter().map(Vec::as_slice).collect();
            let field = DjangoField::parse(text(case, "field")?).map_err(told)?;
            let settings = |digest| DjangoKeys::Settings {
                cryptography_keys: &keys,
                salt,
                digest,
            };
            let keys = match digest.map_or(Ok(DjangoDigest::default()), DjangoDigest::parse) {
                Err(error) => return Ok(Err(error)),
                Ok(digest) if of_field.is_empty() => settings(digest),
                Ok(_) => DjangoKeys::Field(&of_field),
            };
            let codec = DjangoCryptography::new(&secrets, &keys);
            codec.map(|codec| leaked(codec.field(field)))
        }
        _ => {
            let engine =
                SqlalchemyEngine::parse(text(case, "engine")?, maybe_text(case, "padding")?)
                    .map_err(told)?;
            let codec = SqlalchemyUtils::new(&list("keys")?, engine).map(|it| it.lenient(lenient));
            codec.map(|codec| leaked(codec.expect(Expect::Utf8)))
        }
    })
}

fn stored_of(kind: CodecKind, case: &Value) -> Given<StoredValue> {
    let bytes = maybe_text(case, "ciphertext_b64")?
        .map(base64)
        .transpose()?;
    Ok(match bytes {
        Some(bytes) => StoredValue::Bytes(bytes),
        None if kind == CodecKind::FernetFields => {
            StoredValue::Bytes(text(case, "ciphertext")?.into())
        }
        None => StoredValue::Text(text(case, "ciphertext")?.into()),
    })
}

/// What each key seals opens with the key that it is said to be, and in its place.
fn derives(codec: &dyn Codec, case: &Value) -> Outcome {
    for (at, key) in texts(case.get("fernet_keys"))?.into_iter().enumerate() {
        let key = FernetKey::parse(key).map_err(told)?;
        let one = Fernet::new(vec![key]).map_err(told)?;
        let context = Context::new();
        let token = written(vec![7; 16], 1, |fresh| {
            one.seal(b"x", &place(&context, Form::Text), fresh)
        })?;
        let opened = open(codec, token.as_stored()).map_err(told)?;
        let place = (at + 1).to_string();
        same("the place of the key", &opened.key, &Some(place))?;
    }
    same(
        "that there are keys",
        &case["fernet_keys"].is_array(),
        &true,
    )
}

/// The members of a document that a field of JSON sealed one by one.
fn leaves(codec: &dyn Codec, case: &Value) -> Outcome {
    fn opened(codec: &dyn Codec, value: &Value) -> Given<Value> {
        Ok(match value {
            Value::String(token) => {
                let opened = open(codec, Stored::Text(token)).map_err(told)?;
                json!(String::from_utf8_lossy(&opened.plaintext))
            }
            Value::Array(items) => {
                let items = items.iter().map(|item| opened(codec, item));
                Value::Array(items.collect::<Given<_>>()?)
            }
            Value::Object(items) => {
                let items = items.iter();
                let items = items.map(|(name, item)| Ok((name.clone(), opened(codec, item)?)));
                Value::Object(items.collect::<Given<_>>()?)
            }
            other => other.clone(),
        })
    }
    let document: Value =
        serde_json::from_str(text(case, "ciphertext")?).map_err(|error| error.to_string())?;
    same("the leaves", &opened(codec, &document)?, &case["returned"])
}

fn reads(kind: CodecKind, case: &Value, codec: &dyn Codec) -> Outcome {
    let stored = stored_of(kind, case)?;
    let opened = open(codec, stored.as_stored()).map_err(told)?;
    same("the plaintext", &*opened.plaintext, &plaintext(case)?)?;
    let is_aes = opened.scheme == "aes";
    let trust = if is_aes {
        Trust::Checked
    } else {
        Trust::Authenticated
    };
    same("the trust", &opened.trust, &trust)?;
    let first = opened.key.as_deref() == Some("1");
    same("that it is current", &opened.current, &first)?;
    if let Some(current) = flag(case, "current")? {
        // Of four derived keys any may be the one.
        same("that it is current", &opened.current, &current)?;
    }
    let seen = codec.recognize(stored.as_stored());
    let seen = seen.ok_or("the codec does not recognise it")?;
    let marked = matches!(opened.scheme, "fernet" | "pickle");
    same(
        "the certainty",
        &(seen.certainty == Certainty::Yes),
        &marked,
    )?;
    same("the scheme", &seen.scheme, &opened.scheme)?;
    if opened.scheme == "aes-gcm" {
        return Ok(());
    }
    same("what all see", &shown(kind, stored.as_stored())?, &seen)
}

/// With the time and the IV of the value, what is current is written again as it is.
fn writes(kind: CodecKind, case: &Value, codec: &dyn Codec) -> Outcome {
    let (stored, plaintext, context) = (stored_of(kind, case)?, plaintext(case)?, Context::new());
    let place = place(&context, stored.as_stored().form());
    let raw = match &stored {
        StoredValue::Bytes(bytes) if kind == CodecKind::DjangoCryptography => bytes.clone(),
        other => {
            let text = other.as_stored().as_bytes();
            let token = BASE64URL.decode(text).or_else(|_| BASE64.decode(text));
            token.map_err(|error| error.to_string())?
        }
    };
    let shown = codec
        .recognize(stored.as_stored())
        .map(|shown| shown.scheme);
    let (random, time) = match (shown, raw.get(1..9).and_then(|time| time.try_into().ok())) {
        (Some("aes"), _) => (Vec::new(), 0),
        (Some("aes-gcm"), _) => (raw.get(..12).unwrap_or_default().to_vec(), 0),
        (_, Some(time)) => (
            raw.get(9..25).unwrap_or_default().to_vec(),
            u64::from_be_bytes(time),
        ),
        _ => return Err("it is no token".into()),
    };
    let lossy = flag(case, "lossy")? == Some(true);
    if lossy && maybe_text(case, "padding")? != Some("naive") {
        let sealed = written(random, time, |fresh| {
            Ok(codec
                .seal(&plaintext, &place, fresh)
                .err()
                .map(|error| error.code()))
        });
        let code = sealed.ok().flatten().map(reseal::ErrorCode::as_str);
        return same("the refusal", &code, &Some("codec-read-only"));
    }
    let current = flag(case, "current")?.or(flag(case, "exact")?);
    if lossy || current != Some(true) {
        return Ok(());
    }
    let sealed = written(random.clone(), time, |fresh| {
        codec.seal(&plaintext, &place, fresh)
    })?;
    same_stored("what is written", &sealed, stored.as_stored())?;
    let rotated = written(random, 1, |fresh| {
        codec.rotate(stored.as_stored(), &place, fresh)
    });
    let again = match shown {
        // The time stays.
        Some("fernet" | "pickle") => rotated,
        _ => Ok(sealed.clone()),
    };
    same_stored("what is rotated", &again?, stored.as_stored())?;
    let bound = codec.sealed_len(plaintext.len(), Mode::Random, place.form);
    let long = stored.as_stored().as_bytes().len();
    same(
        "that its length is known",
        &bound.is_some_and(|bound| bound >= long),
        &true,
    )
}
