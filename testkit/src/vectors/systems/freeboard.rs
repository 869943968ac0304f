//! The credential profiles of Freeboard.

use super::{
    super::{Outcome, same},
    case::{Given, base64, encoded, maybe_text, member, object, text},
    codecs::{open, place, refused, shown, told, written},
};
use reseal::{
    Context,
    codec::{Certainty, Codec as _, CodecKind, Form, Freeboard, FreeboardKey, Stored, Trust},
};
use serde_json::Value;

const BROKEN_TAG: &str = "Unsupported state or unable to authenticate data";
/// The members that Freeboard writes.
const MEMBERS: [&str; 5] = ["algorithm", "authTag", "ciphertext", "iv", "keyId"];

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "kind")? {
        "decrypt" if member(case, "ciphertext").is_none() => passes(case),
        "decrypt" => reads(case),
        "decrypt_fail" => fails(case),
        other => Err(format!("unknown kind {other}")),
    }
}

fn codec(case: &Value) -> Given<Freeboard> {
    let key = text(object(case, "keys")?, "CREDENTIAL_ENCRYPTION_KEY")?;
    let key = FreeboardKey::parse(key).map_err(told)?;
    Freeboard::new(vec![key]).map_err(told)
}

/// The API reads null as an empty object, which is no ciphertext.
fn passes(case: &Value) -> Outcome {
    let stored = Stored::Text("null");
    for lenient in [false, true] {
        let codec = codec(case)?.lenient(lenient);
        refused(open(&codec, stored), &["format-mismatch"])?;
    }
    let is_shown = CodecKind::Freeboard.recognize(stored).is_some();
    same("that it shows nothing", &is_shown, &false)
}

fn reads(case: &Value) -> Outcome {
    let stored = object(case, "ciphertext")?.to_string();
    let stored = Stored::Text(&stored);
    for lenient in [false, true] {
        let opened = open(&codec(case)?.lenient(lenient), stored).map_err(told)?;
        same(
            "the plaintext",
            &*opened.plaintext,
            &encoded(case, "plaintext")?,
        )?;
        let how = (
            opened.scheme,
            opened.trust,
            opened.key.as_deref(),
            opened.current,
        );
        let expected = ("gcm", Trust::Authenticated, Some("1"), true);
        same("how it was opened", &how, &expected)?;
    }
    let shown = shown(CodecKind::Freeboard, stored)?;
    let sight = (shown.certainty, shown.scheme, shown.key);
    same("what it shows", &sight, &(Certainty::Yes, "gcm", None))?;
    writes(case)
}

/// The same row from its IV. Older rows have no key id, others have one that nobody checks.
fn writes(case: &Value) -> Outcome {
    let (codec, context) = (codec(case)?, Context::new());
    let plaintext = encoded(case, "plaintext")?;
    let iv = base64(text(object(case, "ciphertext")?, "iv")?)?;
    let row = written(iv, 1, |fresh| {
        codec.seal(&plaintext, &place(&context, Form::Text), fresh)
    })?;
    let row: Value =
        serde_json::from_slice(row.as_stored().as_bytes()).map_err(|error| error.to_string())?;
    let mut expected = object(case, "ciphertext")?.clone();
    if let Some(members) = expected.as_object_mut() {
        members.retain(|name, _| MEMBERS.contains(&name.as_str()));
        members.insert("keyId".into(), "v1".into());
    }
    same("the row", &row, &expected)
}

fn fails(case: &Value) -> Outcome {
    let row = object(case, "ciphertext")?;
    let algorithm = maybe_text(row, "algorithm")?;
    let (code, scheme) = match text(object(case, "expected_error")?, "message")? {
        BROKEN_TAG => ("auth-failed", "gcm"),
        _ if algorithm.is_some_and(|name| name != "aes-256-gcm") => {
            ("format-unsupported", "unsupported")
        }
        _ => ("malformed", "damaged"),
    };
    let stored = row.to_string();
    let stored = Stored::Text(&stored);
    for lenient in [false, true] {
        refused(open(&codec(case)?.lenient(lenient), stored), &[code])?;
    }
    let shown = shown(CodecKind::Freeboard, stored)?;
    same(
        "what it shows",
        &(shown.certainty, shown.scheme),
        &(Certainty::Yes, scheme),
    )
}
