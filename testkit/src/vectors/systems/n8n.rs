//! The credentials of n8n.

mod data_key;

use super::{
    super::{Outcome, same},
    case::{Given, flag, hex, list, maybe_text, member, text},
    codecs::{codes_of, error_of, open, place, refused, same_stored, shown, told, written},
};
use reseal::{
    Context,
    codec::{
        Certainty, Codec as _, CodecKind, Expect, Form, N8n, N8nBuilder, N8nKeyRow, N8nWrite,
        Stored, Trust,
    },
};
use serde_json::Value;

const CODES: [(&str, &str); 16] = [
    ("cbc-header-only-16-bytes", "malformed"),
    ("cbc-truncated", "malformed"),
    ("cbc-wrong-instance-key", "auth-failed"),
    ("empty-body", "malformed"),
    ("gcm-bad-version", "format-unsupported"),
    ("gcm-body-without-prefix", "format-mismatch"),
    ("gcm-empty-prefix", "malformed"),
    ("gcm-invalid-key-id-shape", "malformed"),
    ("gcm-key-id-too-long", "malformed"),
    ("gcm-mismatched-instance-key", "auth-failed"),
    ("gcm-tampered-ciphertext", "auth-failed"),
    ("gcm-tampered-salt", "auth-failed"),
    ("gcm-tampered-tag", "auth-failed"),
    ("gcm-truncated", "malformed"),
    ("gcm-unknown-key-id", "unknown-key"),
    ("gcm-wrong-key-id", "auth-failed"),
];
/// What is only read leniently.
const LOOSE: [(&str, &str); 4] = [
    ("cbc-base64url-unpadded", "malformed"),
    ("cbc-header-not-checked", "format-mismatch"),
    ("cbc-shorter-than-16-bytes", "malformed"),
    ("cbc-whitespace", "format-mismatch"),
];
/// `Salted__` in base64.
const HEADER: &str = "U2FsdGVkX1";

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "op")? {
        "roundtrip" => writes(case).and_then(|()| reads(case)),
        "decrypt" => reads(case),
        "unwrap_dek" => data_key::check(case),
        // The answer of n8n's interface, which holds no value.
        "metadata" => same("that it has no value", &member(case, "ciphertext"), &None),
        other => Err(format!("unknown op {other}")),
    }
}

fn builder(case: &Value) -> Given<N8nBuilder> {
    if let Some(key) = maybe_text(case, "custom_key")? {
        return Ok(N8n::builder().custom_key(key));
    }
    let is_flagged = flag(case, "feature_flag")? == Some(true);
    let write = if is_flagged && text(case, "op")? == "roundtrip" {
        N8nWrite::Prefixed
    } else {
        N8nWrite::Legacy
    };
    let rows = list(case, "deployment_key_rows")?.iter();
    let rows: Vec<_> = rows.map(row).collect::<Given<_>>()?;
    Ok(N8n::builder()
        .instance_key(text(case, "instance_key")?)
        .rows(rows)
        .write(write))
}

fn row(row: &Value) -> Given<N8nKeyRow> {
    Ok(N8nKeyRow {
        id: text(row, "id")?.into(),
        kind: text(row, "type")?.into(),
        value: text(row, "value")?.to_owned().into(),
        algorithm: maybe_text(row, "algorithm")?.map(Into::into),
        status: text(row, "status")?.into(),
    })
}

fn codec(case: &Value, lenient: bool) -> Given<N8n> {
    builder(case)?.lenient(lenient).build().map_err(told)
}

fn expecting(case: &Value, expect: Expect) -> Given<N8n> {
    builder(case)?.expect(expect).build().map_err(told)
}

fn stored(case: &Value) -> Given<Stored<'_>> {
    text(case, "ciphertext").map(Stored::Text)
}

fn scheme(case: &Value) -> Given<&'static str> {
    match text(case, "format")? {
        "n8n-legacy-cbc" => Ok("cbc"),
        "n8n-prefixed-cbc" => Ok("prefixed-cbc"),
        "n8n-prefixed-gcm" => Ok("prefixed-gcm"),
        other => Err(format!("unknown format {other}")),
    }
}

fn writes(case: &Value) -> Outcome {
    let (codec, context) = (expecting(case, Expect::Utf8)?, Context::new());
    let plaintext = text(case, "plaintext")?.as_bytes();
    let sealed = written(hex(case, "salt_hex")?, 0, |fresh| {
        codec.seal(plaintext, &place(&context, Form::Text), fresh)
    })?;
    same_stored("the value", &sealed, stored(case)?)?;

    let opened = open(&codec, stored(case)?).map_err(told)?;
    let trust = match scheme(case)? {
        "prefixed-gcm" => Trust::Authenticated,
        _ => Trust::Checked,
    };
    let key = match scheme(case)? {
        "cbc" if member(case, "custom_key").is_some() => "custom",
        "cbc" => "1",
        _ => text(case, "active_key_id")?,
    };
    let how = (opened.current, opened.trust, opened.key.as_deref());
    same("how it was opened", &how, &(true, trust, Some(key)))
}

fn reads(case: &Value) -> Outcome {
    match text(case, "expect")? {
        "ok" => opens(case),
        "ok_lenient" => opens_loosely(case),
        "error" if member(case, "recoverable_plaintext").is_some() => recovers(case),
        "error" => fails(case),
        "garbage" => gives_garbage(case),
        other => Err(format!("unknown expectation {other}")),
    }
}

fn opens(case: &Value) -> Outcome {
    let (stored, plaintext) = (stored(case)?, text(case, "plaintext")?.as_bytes());
    for lenient in [false, true] {
        let opened = open(&codec(case, lenient)?, stored).map_err(told)?;
        same("the plaintext", &&**opened.plaintext, &plaintext)?;
        same("the scheme", &opened.scheme, &scheme(case)?)?;
    }
    let shown = shown(CodecKind::N8n, stored)?;
    let prefix = text(case, "ciphertext")?.split_once(':').map(|(id, _)| id);
    let sight = (shown.certainty, shown.scheme, shown.key.as_deref());
    same(
        "what it shows",
        &sight,
        &(Certainty::Yes, scheme(case)?, prefix),
    )
}

fn opens_loosely(case: &Value) -> Outcome {
    let stored = stored(case)?;
    let (strict, lenient) = (codec(case, false)?, codec(case, true)?);
    let expected = codes_of(&LOOSE, text(case, "id")?);
    let code = refused(open(&strict, stored), &expected)?;
    let is_shown = strict.recognize(stored).is_some();
    same(
        "that it is recognised",
        &is_shown,
        &(code != "format-mismatch"),
    )?;

    let opened = open(&lenient, stored).map_err(told)?;
    let plaintext = text(case, "plaintext")?.as_bytes();
    same("the plaintext", &&**opened.plaintext, &plaintext)?;
    same("that it is current", &opened.current, &false)?;
    let shown = lenient
        .recognize(stored)
        .ok_or("it is not recognised leniently")?;
    same("what it shows", &shown.scheme, &scheme(case)?)?;
    // A value without its header may be anything.
    let mut text = text(case, "ciphertext")?.to_owned();
    text.retain(|char| !char.is_ascii_whitespace());
    let is_sure = scheme(case)? != "cbc" || text.starts_with(HEADER);
    same(
        "the certainty",
        &(shown.certainty == Certainty::Yes),
        &is_sure,
    )
}

/// A value, or the keys of its case, are refused.
fn fails(case: &Value) -> Outcome {
    let stored = stored(case)?;
    let expected = codes_of(&CODES, text(case, "id")?);
    for lenient in [false, true] {
        let codec = match builder(case)?.lenient(lenient).build() {
            Ok(codec) => codec,
            Err(error) => {
                names_a_row(case, &error)?;
                refused::<N8n>(Err(error), &expected)?;
                continue;
            }
        };
        let code = refused(open(&codec, stored), &expected)?;
        let is_shown = codec.recognize(stored).is_some();
        same(
            "that it is recognised",
            &is_shown,
            &(code != "format-mismatch"),
        )?;
    }
    Ok(())
}

fn names_a_row(case: &Value, error: &reseal::Error) -> Outcome {
    let rows = list(case, "deployment_key_rows")?.iter();
    let ids: Vec<_> = rows.map(|row| text(row, "id")).collect::<Given<_>>()?;
    let is_named = ids.iter().any(|id| error.message().contains(id));
    same("that the error names a row", &is_named, &true)
}

/// n8n cannot, and its data is lost to it; crypto-js took the key in UTF-8.
fn recovers(case: &Value) -> Outcome {
    let opened = open(&expecting(case, Expect::Utf8)?, stored(case)?).map_err(told)?;
    let plaintext = text(case, "recoverable_plaintext")?.as_bytes();
    same("the plaintext", &&**opened.plaintext, &plaintext)?;
    let how = (opened.scheme, opened.key.as_deref(), opened.current);
    same("how it was opened", &how, &("cbc-utf8", Some("1"), false))
}

fn gives_garbage(case: &Value) -> Outcome {
    let (codec, stored) = (codec(case, false)?, stored(case)?);
    let opened = open(&codec, stored).map_err(told)?;
    same("the trust", &opened.trust, &Trust::Unchecked)?;
    let garbage = String::from_utf8_lossy(&opened.plaintext);
    same("the garbage", &&*garbage, &text(case, "n8n_returns")?)?;
    let context = Context::new();
    let rotated = written(Vec::new(), 0, |fresh| {
        Ok(codec.rotate(stored, &place(&context, Form::Text), fresh))
    })?;
    same(
        "the code",
        &error_of(rotated)?.code().as_str(),
        &"expect-required",
    )?;
    for expect in [Expect::Utf8, Expect::Json] {
        refused(open(&expecting(case, expect)?, stored), &["auth-failed"])?;
    }
    Ok(())
}
