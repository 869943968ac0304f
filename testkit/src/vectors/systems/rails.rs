//! Active Record Encryption of Ruby on Rails.

mod scheme;

use super::{
    super::{Outcome, same},
    case::{Given, base64, encoded, list, maybe_text, member, object, text},
    codecs::{codes_of, open, place, refused, same_stored, shown, told, written},
};
use reseal::{
    Context, Mode,
    codec::{Certainty, Codec as _, CodecKind, Opened, Rails, Stored, StoredValue, Trust},
};
use scheme::{builder, is_deterministic};
use serde_json::Value;

const CODES: [(&str, &str); 3] = [
    ("rails-pub-18", "auth-failed"),
    ("rails-pub-19", "auth-failed"),
    ("rails-pub-20", "malformed"),
];
/// The name of the IV in `MessagePack`, and the head of its 12 bytes.
const PACKED_IV: &[u8] = b"\xD5\0iv\xC4\x0C";

pub(super) fn check(case: &Value) -> Outcome {
    match text(case, "kind")? {
        "decrypt" => reads(case),
        // A writer never makes such a value.
        "decrypt_doubled" => opens(case).map(drop),
        "encrypt_exact" => writes(case),
        "decrypt_fail" => fails(case),
        "passthrough" => passes(case),
        other => Err(format!("unknown kind {other}")),
    }
}

fn codec(case: &Value, lenient: bool) -> Given<Rails> {
    builder(case)?.lenient(lenient).build().map_err(told)
}

/// The value in its column.
fn stored(case: &Value) -> Given<StoredValue> {
    let bytes = encoded(case, "ciphertext")?;
    match text(case, "column")? {
        "text" => String::from_utf8(bytes)
            .map(StoredValue::Text)
            .map_err(|error| error.to_string()),
        "binary" => Ok(StoredValue::Bytes(bytes)),
        other => Err(format!("unknown column {other}")),
    }
}

fn reads(case: &Value) -> Outcome {
    let (codec, opened) = opens(case)?;
    let stored = stored(case)?;
    // Another zlib makes other bytes.
    let is_own = member(case, "written_with").is_none();
    if is_own && !stored.as_stored().as_bytes().ends_with(br#""c":true}}"#) {
        return writes_again(case, &codec, &opened);
    }
    Ok(())
}

fn opens(case: &Value) -> Given<(Rails, Opened)> {
    let (value, codec) = (stored(case)?, codec(case, false)?);
    let stored = value.as_stored();
    let opened = open(&codec, stored).map_err(told)?;
    same(
        "the plaintext",
        &*opened.plaintext,
        &encoded(case, "plaintext")?,
    )?;
    same("the trust", &opened.trust, &Trust::Authenticated)?;
    // What another set-up wrote is not current.
    let is_own = member(case, "written_with").is_none();
    same("that it is current", &opened.current, &is_own)?;
    let seen = codec.is_current(stored, Mode::Random);
    same("what is seen of that", &seen.unwrap_or(is_own), &is_own)?;
    let key = opened.key.as_deref().ok_or("it was opened by no key")?;
    let keys = list(case, "derived_keys")?.iter();
    let ids: Vec<_> = keys
        .map(|key| maybe_text(key, "key_id"))
        .collect::<Given<_>>()?;
    same("that the key is known", &ids.contains(&Some(key)), &true)?;

    let shown = shown(CodecKind::Rails, stored)?;
    let scheme = opened.scheme.replace("-deterministic", "");
    let sight = (shown.certainty, shown.scheme);
    same("what it shows", &sight, &(Certainty::Yes, scheme.as_str()))?;
    let shown_key = shown.key.as_deref().unwrap_or(key);
    same("the key that it shows", &shown_key, &key)?;
    Ok((codec, opened))
}

/// What Rails wrote, byte for byte, from its random bytes.
fn writes_again(case: &Value, codec: &Rails, opened: &Opened) -> Outcome {
    let (stored, context) = (stored(case)?, Context::new());
    let place = place(&context, stored.as_stored().form());
    let random = random_bytes(case, stored.as_stored().as_bytes())?;
    let again = written(random, 1, |fresh| {
        codec.rotate(stored.as_stored(), &place, fresh)
    })?;
    same_stored("the value", &again, stored.as_stored())?;
    let again = open(codec, again.as_stored()).map_err(told)?;
    same("the plaintext", &again.plaintext, &opened.plaintext)
}

fn random_bytes(case: &Value, stored: &[u8]) -> Given<Vec<u8>> {
    if is_deterministic(case)? {
        return Ok(Vec::new());
    }
    let Ok(message) = serde_json::from_slice::<Value>(stored) else {
        let at = stored
            .windows(PACKED_IV.len())
            .position(|bytes| bytes == PACKED_IV);
        let at = at.ok_or("it has no IV")? + PACKED_IV.len();
        return Ok(stored.get(at..at + 12).unwrap_or_default().to_vec());
    };
    let mut bytes = Vec::new();
    let headers = object(&message, "h")?;
    if let Some(nested) = member(headers, "k") {
        // A data key is a message of its own.
        let codec = builder(case)?.envelope(false).build().map_err(told)?;
        let data_key = open(&codec, Stored::Text(&nested.to_string())).map_err(told)?;
        bytes.extend_from_slice(&data_key.plaintext);
        bytes.extend(base64(text(object(nested, "h")?, "iv")?)?);
    }
    bytes.extend(base64(text(headers, "iv")?)?);
    Ok(bytes)
}

/// A deterministic value needs no random bytes.
fn writes(case: &Value) -> Outcome {
    same("that it is deterministic", &is_deterministic(case)?, &true)?;
    let (codec, stored, context) = (codec(case, false)?, stored(case)?, Context::new());
    let plaintext = encoded(case, "plaintext")?;
    let place = place(&context, stored.as_stored().form());
    let sealed = written(Vec::new(), 1, |fresh| codec.seal(&plaintext, &place, fresh))?;
    same_stored("the value", &sealed, stored.as_stored())?;
    reads(case)
}

fn fails(case: &Value) -> Outcome {
    let value = stored(case)?;
    for lenient in [false, true] {
        let opened = open(&codec(case, lenient)?, value.as_stored());
        let expected = codes_of(&CODES, text(case, "id")?);
        let code = refused(opened, &expected)?;
        let is_shown = CodecKind::Rails.recognize(value.as_stored()).is_some();
        same(
            "that it is recognised",
            &is_shown,
            &(code != "format-mismatch"),
        )?;
    }
    Ok(())
}

/// Plaintext is for the plain codec.
fn passes(case: &Value) -> Outcome {
    let value = stored(case)?;
    for lenient in [false, true] {
        let codec = codec(case, lenient)?;
        refused(open(&codec, value.as_stored()), &["format-mismatch"])?;
        let is_shown = codec.recognize(value.as_stored()).is_some();
        same("that it shows nothing", &is_shown, &false)?;
    }
    Ok(())
}
