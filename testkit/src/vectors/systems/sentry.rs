//! The encrypted fields of Sentry.

use super::{
    super::{Outcome, same},
    case::{Given, entries, hex, maybe_text, member, number, plaintext, text, texts},
    codecs::{error_of, open, place, refused, same_stored, told, written},
};
use reseal::{
    Context, Mode,
    codec::{Certainty, Codec as _, CodecKind, Form, Sentry, SentryField, SentryMethod, Stored},
};
use serde_json::Value;

const MARK: &str = "enc:fernet:";

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "op")? {
        "roundtrip" | "rotate" => reads(case).and_then(|()| writes(case)),
        "read" => reads(case),
        "load_keys" => loads(case),
        other => Err(format!("unknown op {other}")),
    }
}

fn codec(case: &Value, primary: &str) -> Given<Sentry> {
    let field = match text(case, "field")? {
        "json" => SentryField::Json,
        "text" | "char" => SentryField::Text,
        other => return Err(format!("unknown field {other}")),
    };
    let method = match maybe_text(case, "method")? {
        Some("fernet") | None => SentryMethod::Fernet,
        // What Sentry does not know, it writes as plaintext.
        Some(_) => SentryMethod::Plaintext,
    };
    let codec = Sentry::new(entries(case, "keyring")?, primary).map_err(told)?;
    Ok(codec.field(field).method(method))
}

fn reads(case: &Value) -> Outcome {
    let (class, primary) = (text(case, "strict_class")?, text(case, "primary_key_id")?);
    let stored = Stored::Text(text(case, "ciphertext")?);
    let strict = codec(case, primary)?;
    let lenient = codec(case, primary)?.lenient(true);
    let shown = CodecKind::Sentry
        .recognize(stored)
        .map(|shown| shown.certainty);
    let is_marked = class != "legacy_plaintext";
    same(
        "what it shows",
        &shown,
        &is_marked.then_some(Certainty::Yes),
    )?;
    let code = match class {
        "ok" | "ok_bytes" | "double_encrypted" => {
            let opened = open(&strict, stored).map_err(told)?.plaintext;
            same_plaintext(case, &opened)?;
            return same_inner(class, &opened);
        }
        "ok_noncanonical" | "bad_format" => "malformed",
        "legacy_plaintext" => "format-mismatch",
        "unknown_key" => "unknown-key",
        // That nothing is there, everybody sees.
        "invalid_token" if is_empty(text(case, "ciphertext")?) => "malformed",
        "invalid_token" => "auth-failed",
        "unsupported" => "format-unsupported",
        other => return Err(format!("unknown class {other}")),
    };
    refused(open(&strict, stored), &[code])?;
    if class == "ok_noncanonical" || is_unwrapped(case)? {
        let opened = open(&lenient, stored).map_err(told)?;
        return same_plaintext(case, &opened.plaintext);
    }
    refused(open(&lenient, stored), &[code]).map(drop)
}

/// What is encrypted twice is seen by what the outer value holds.
fn same_inner(class: &str, opened: &[u8]) -> Outcome {
    let inner = CodecKind::Sentry.recognize(Stored::Bytes(opened));
    let is_inner = inner.is_some_and(|inner| inner.certainty == Certainty::Yes);
    same("what it holds", &is_inner, &(class == "double_encrypted"))
}

fn same_plaintext(case: &Value, opened: &Vec<u8>) -> Outcome {
    if text(case, "field")? != "json" {
        return same("the plaintext", opened, &plaintext(case)?);
    }
    let expected = case
        .get("plaintext_json")
        .ok_or("it has no plaintext_json")?;
    let opened: Value = serde_json::from_slice(opened).map_err(|error| error.to_string())?;
    same("the plaintext", &opened, expected)
}

fn is_empty(stored: &str) -> bool {
    let rest = stored
        .strip_prefix(MARK)
        .and_then(|rest| rest.split_once(':'));
    rest.is_some_and(|(_, payload)| payload.is_empty())
}

/// Whether Sentry took it out of a wrapper, though it is not encrypted.
fn is_unwrapped(case: &Value) -> Given<bool> {
    if text(case, "strict_class")? != "legacy_plaintext" || text(case, "field")? != "json" {
        return Ok(false);
    }
    let stored = serde_json::from_str::<Value>(text(case, "ciphertext")?);
    Ok(stored.is_ok_and(|stored| member(case, "plaintext_json") != Some(&stored)))
}

fn writes(case: &Value) -> Outcome {
    let stored = Stored::Text(text(case, "ciphertext")?);
    let (codec, context) = (codec(case, writer(case)?)?, Context::new());
    let plaintext = open(&codec, stored).map_err(told)?.plaintext;
    let time = number(case, "token_timestamp")?.unwrap_or_default();
    let sealed = written(hex(case, "token_iv_hex")?, time, |fresh| {
        codec.seal(&plaintext, &place(&context, Form::Text), fresh)
    })?;
    same_stored("the value", &sealed, stored)?;
    let is_current = |stored| codec.is_current(stored, Mode::Random);
    same("that it is current", &is_current(stored), &Some(true))?;
    let Some(before) = maybe_text(case, "before")?.map(Stored::Text) else {
        return Ok(());
    };
    same(
        "that the old one is current",
        &is_current(before),
        &Some(false),
    )?;
    let old = open(&codec, before).map_err(told)?.plaintext;
    same("the old value", &old, &plaintext)
}

/// Some values were written under another primary than the one that their case gives.
fn writer(case: &Value) -> Given<&str> {
    let marked = text(case, "ciphertext")?.split_once(MARK);
    let id = marked.and_then(|(_, rest)| rest.split_once(':'));
    match id {
        Some((id, _)) => Ok(id),
        None => text(case, "primary_key_id"),
    }
}

/// A source skips hidden files and folders; what is no key is an error here that names it.
fn loads(case: &Value) -> Outcome {
    let files = entries(case, "files")?;
    let loaded = texts(member(case, "loaded_key_ids"))?;
    let (good, others): (Vec<_>, Vec<_>) = files
        .into_iter()
        .partition(|(name, _)| loaded.contains(name));
    same("the number of keys", &good.len(), &loaded.len())?;
    Sentry::new(good, loaded.first().unwrap_or(&"")).map_err(told)?;
    for (name, content) in others {
        if name.starts_with('.') {
            continue;
        }
        let error = error_of(Sentry::new([(name, content)], name))?;
        same("the code", &error.code().as_str(), &"invalid-key")?;
        same(
            "that it names the key",
            &error.message().contains(name),
            &true,
        )?;
    }
    Ok(())
}
