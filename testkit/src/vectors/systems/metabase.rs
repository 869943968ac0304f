//! The encrypted columns of Metabase.

mod kdf;

use super::{
    super::{Outcome, same},
    case::{Given, base64, encoded, entries, maybe_text, member, object, text},
    codecs::{REFUSALS, open, place, refused, same_stored, shown, told, written},
};
use reseal::{
    Context,
    codec::{
        Certainty, Codec as _, CodecKind, Expect, Form, Metabase, MetabaseKey, Opened, StoredValue,
        Trust,
    },
};
use serde_json::Value;

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "kind")? {
        "kdf" => kdf::check(case),
        "decrypt" => reads(case),
        "passthrough" if member(case, "keys").is_none() => {
            // There is no codec without keys.
            refused(Metabase::new(Vec::new()), &["invalid-argument"]).map(drop)
        }
        "passthrough" => passes(case),
        "decrypt_fail" => fails(case),
        "encrypt_null" => refuses_empty(case),
        "key_error" => refused(derive(case)?, &["invalid-key"]).map(drop),
        other => Err(format!("unknown kind {other}")),
    }
}

fn derive(case: &Value) -> Given<reseal::Result<MetabaseKey>> {
    Ok(MetabaseKey::derive(text(
        object(case, "keys")?,
        "secret_key",
    )?))
}

/// The codec of a case, and the context that its aad needs.
fn configured(case: &Value) -> Given<(Metabase, Context)> {
    let mut codec = Metabase::new(vec![derive(case)?.map_err(told)?]).map_err(told)?;
    let settings = object(case, "settings")?;
    if maybe_text(settings, "format")? == Some("stream-cbc") {
        codec = codec.streams(true).expect(Expect::Utf8);
    }
    let rows = data_keys(case)?;
    if !rows.is_empty() {
        let rows = rows.iter().map(|(id, row)| (*id, row.as_slice()));
        codec = codec.data_keys(rows).map_err(told)?;
    }
    let mut context = Context::new();
    if let Some(aad) = maybe_text(settings, "aad")? {
        let key = aad.strip_prefix("setting.").ok_or("unknown aad")?;
        codec = codec.aad("setting.{key}").map_err(told)?;
        context.insert("key", key).map_err(told)?;
    }
    Ok((codec, context))
}

fn data_keys(case: &Value) -> Given<Vec<(u32, Vec<u8>)>> {
    let keys = object(case, "keys")?;
    if member(keys, "wrapped_deks").is_none() {
        return Ok(Vec::new());
    }
    let rows = entries(keys, "wrapped_deks")?.into_iter();
    let row = |(id, row): (&str, &str)| match id.parse() {
        Ok(id) => Ok((id, base64(row)?)),
        Err(_) => Err(format!("no id of a data key: {id}")),
    };
    rows.map(row).collect()
}

/// The value as its column holds it.
fn stored(case: &Value) -> Given<StoredValue> {
    let ciphertext = text(object(case, "ciphertext")?, "value")?;
    match text(object(case, "settings")?, "container")? {
        "string-base64" => Ok(StoredValue::Text(ciphertext.to_owned())),
        "raw-bytes" | "raw-bytes (literal is base64)" => {
            Ok(StoredValue::Bytes(base64(ciphertext)?))
        }
        other => Err(format!("unknown container {other}")),
    }
}

/// The bytes of a value, out of their base64.
fn raw(stored: &StoredValue) -> Given<Vec<u8>> {
    match stored {
        StoredValue::Text(text) => base64(text),
        StoredValue::Bytes(bytes) => Ok(bytes.clone()),
    }
}

fn reads(case: &Value) -> Outcome {
    let (stored, (codec, context)) = (stored(case)?, configured(case)?);
    let opened = codec.open(stored.as_stored(), &context).map_err(told)?;
    same(
        "the plaintext",
        &*opened.plaintext,
        &encoded(case, "plaintext")?,
    )?;
    let rows = data_keys(case)?;
    let newest = rows.iter().map(|(id, _)| *id).max();
    let key = raw(&stored)?
        .get(3..7)
        .and_then(|id| id.try_into().ok())
        .map(u32::from_be_bytes);
    let is_bound = maybe_text(object(case, "settings")?, "aad")?.is_some();
    let (scheme, certainty, trust, is_current) = match format(case)? {
        "legacy-cbc-hmac" => {
            let is_current = is_bound || newest.is_none();
            ("legacy", Certainty::Maybe, Trust::Authenticated, is_current)
        }
        "v2-envelope" => {
            let is_current = !is_bound && key == newest;
            ("v2", Certainty::Yes, Trust::Authenticated, is_current)
        }
        "stream-cbc" => {
            refuses_streams(case, &stored)?;
            ("stream", Certainty::Yes, Trust::Checked, false)
        }
        other => return Err(format!("unknown format {other}")),
    };
    let key = key.filter(|_| scheme == "v2").map(|id| id.to_string());
    let how = (
        opened.scheme,
        opened.trust,
        opened.key.clone(),
        opened.current,
    );
    let expected_key = key.clone().or_else(|| Some("1".into()));
    same(
        "how it was opened",
        &how,
        &(scheme, trust, expected_key, is_current),
    )?;
    let shown = shown(CodecKind::Metabase, stored.as_stored())?;
    let sight = (shown.certainty, shown.scheme, shown.key);
    same("what it shows", &sight, &(certainty, scheme, key))?;
    if is_current {
        writes(case, &opened)
    } else {
        Ok(())
    }
}

fn format(case: &Value) -> Given<&str> {
    text(object(case, "settings")?, "format")
}

/// With the same IV the value is written byte for byte.
fn writes(case: &Value, opened: &Opened) -> Outcome {
    let (stored, (codec, context)) = (stored(case)?, configured(case)?);
    let drawn = if opened.scheme == "v2" { 7..19 } else { 0..16 };
    let random = raw(&stored)?.get(drawn).unwrap_or_default().to_vec();
    let place = place(&context, stored.as_stored().form());
    let sealed = written(random.clone(), 1, |fresh| {
        codec.seal(&opened.plaintext, &place, fresh)
    })?;
    same_stored("the value", &sealed, stored.as_stored())?;
    let rotated = written(random, 1, |fresh| {
        codec.rotate(stored.as_stored(), &place, fresh)
    })?;
    same_stored("the rotated value", &rotated, stored.as_stored())
}

/// Nothing authenticates a stream: a codec has to be told of it, and of what it holds.
fn refuses_streams(case: &Value, stored: &StoredValue) -> Outcome {
    let codec = || Metabase::new(vec![derive(case)?.map_err(told)?]).map_err(told);
    refused(open(&codec()?, stored.as_stored()), &["format-unsupported"])?;
    let unsaid = codec()?.streams(true);
    refused(open(&unsaid, stored.as_stored()), &["invalid-argument"]).map(drop)
}

/// What is not encrypted is left to the other codecs of its column.
fn passes(case: &Value) -> Outcome {
    let stored = stored(case)?;
    for lenient in [false, true] {
        let codec = configured(case)?.0.lenient(lenient);
        refused(open(&codec, stored.as_stored()), &["format-mismatch"])?;
        let is_shown = codec.recognize(stored.as_stored()).is_some();
        same("that it shows nothing", &is_shown, &false)?;
    }
    Ok(())
}

fn fails(case: &Value) -> Outcome {
    let stored = stored(case)?;
    let (expected, sight) = match format(case)? {
        "legacy-cbc-hmac" => (&["auth-failed"][..], (Certainty::Maybe, "legacy")),
        "v2-envelope" => (&REFUSALS[..], (Certainty::Yes, "v2")),
        other => return Err(format!("unknown format {other}")),
    };
    for lenient in [false, true] {
        let (codec, context) = configured(case)?;
        let opened = codec.lenient(lenient).open(stored.as_stored(), &context);
        refused(opened, expected)?;
    }
    let shown = shown(CodecKind::Metabase, stored.as_stored())?;
    same("what it shows", &(shown.certainty, shown.scheme), &sight)
}

/// Metabase stores NULL for it.
fn refuses_empty(case: &Value) -> Outcome {
    same("the plaintext", &encoded(case, "plaintext")?, &Vec::new())?;
    same("that it is NULL", &member(case, "ciphertext"), &None)?;
    for form in [Form::Text, Form::Binary] {
        let (codec, context) = configured(case)?;
        let sealed = written(Vec::new(), 1, |fresh| {
            Ok(codec.seal(b"", &place(&context, form), fresh))
        })?;
        refused(sealed, &["codec-read-only"])?;
    }
    Ok(())
}
