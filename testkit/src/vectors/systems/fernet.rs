//! Fernet and `MultiFernet`.

use super::{
    super::{Outcome, same},
    case::{Given, hex, maybe_text, member, number, plaintext, text, texts},
    codecs::{REFUSALS, open, place, refused, same_stored, shown, told, written},
};
use reseal::{
    Context,
    codec::{Certainty, Codec as _, CodecKind, Fernet, FernetKey, Form, Stored, Trust},
};
use serde_json::Value;

/// How every token of this and the next centuries starts.
const MARK: &str = "gAAAAA";

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "op")? {
        "encrypt_fixed" => writes(case).and_then(|()| reads(case)),
        "decrypt" => reads(case),
        "rotate" => rotates(case),
        "load_key" => loads(case),
        other => Err(format!("unknown op {other}")),
    }
}

fn codec(case: &Value) -> Given<reseal::Result<Fernet>> {
    let keys = texts(member(case, "keys"))?;
    let keys = keys.into_iter().map(FernetKey::parse);
    Ok(keys.collect::<reseal::Result<_>>().and_then(Fernet::new))
}

fn loads(case: &Value) -> Outcome {
    let loaded = codec(case)?;
    match text(case, "expect")? {
        "ok" => loaded.map(drop).map_err(told),
        "error" => refused(loaded, &["invalid-key", "invalid-argument"]).map(drop),
        other => Err(format!("unknown expectation {other}")),
    }
}

fn writes(case: &Value) -> Outcome {
    let (codec, plaintext, context) = (
        codec(case)?.map_err(told)?,
        plaintext(case)?,
        Context::new(),
    );
    let time = number(case, "timestamp")?.ok_or("it has no timestamp")?;
    let sealed = written(hex(case, "iv_hex")?, time, |fresh| {
        codec.seal(&plaintext, &place(&context, Form::Text), fresh)
    })?;
    same_stored(
        "the token",
        &sealed,
        Stored::Text(text(case, "ciphertext")?),
    )
}

/// The time is the token's, not that of the writer.
fn rotates(case: &Value) -> Outcome {
    let (codec, context) = (codec(case)?.map_err(told)?, Context::new());
    let before = Stored::Text(text(case, "before")?);
    let after = written(hex(case, "iv_hex")?, 1, |fresh| {
        codec.rotate(before, &place(&context, Form::Text), fresh)
    })?;
    same_stored("the token", &after, Stored::Text(text(case, "ciphertext")?))?;
    let opened = open(&codec, after.as_stored()).map_err(told)?;
    same("that it is current", &opened.current, &true)?;
    same("the plaintext", &*opened.plaintext, &plaintext(case)?)
}

fn reads(case: &Value) -> Outcome {
    let stored = Stored::Text(text(case, "ciphertext")?);
    let strict = codec(case)?.map_err(told)?;
    let lenient = codec(case)?.map_err(told)?.lenient(true);
    let is_marked = text(case, "ciphertext")?.starts_with(MARK);
    match expectation(case)? {
        "ok" => {
            for codec in [strict, lenient] {
                let opened = open(&codec, stored).map_err(told)?;
                same_plaintext(case, &opened.plaintext)?;
                same("the trust", &opened.trust, &Trust::Authenticated)?;
            }
            let is_sure = shown(CodecKind::Fernet, stored)?.certainty == Certainty::Yes;
            same("the certainty", &is_sure, &is_marked)
        }
        "ok_lenient" => {
            let code = if is_marked {
                "malformed"
            } else {
                "format-mismatch"
            };
            refused(open(&strict, stored), &[code])?;
            let opened = open(&lenient, stored).map_err(told)?;
            same("the plaintext", &*opened.plaintext, &plaintext(case)?)
        }
        "error" => {
            refused(open(&strict, stored), &REFUSALS)?;
            refused(open(&lenient, stored), &REFUSALS).map(drop)
        }
        other => Err(format!("unknown expectation {other}")),
    }
}

/// What has to come out where the age of a token does not count.
fn expectation(case: &Value) -> Given<&str> {
    let without = maybe_text(case, "expect_without_ttl")?;
    match text(case, "expect")? {
        "error" if member(case, "ttl").is_some() => Ok(without.unwrap_or("ok")),
        "error" => Ok(without.unwrap_or("error")),
        other => Ok(other),
    }
}

/// A token that is only too old has no plaintext in the file.
fn same_plaintext(case: &Value, opened: &Vec<u8>) -> Outcome {
    let is_given = ["plaintext", "plaintext_b64"].map(|name| member(case, name).is_some());
    if text(case, "expect")? == "error" && is_given == [false; 2] {
        return Ok(());
    }
    same("the plaintext", opened, &plaintext(case)?)
}
