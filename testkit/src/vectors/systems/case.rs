//! The members of a case, or what is wrong with them. A member that is null is not there.

use data_encoding::{BASE64, HEXLOWER_PERMISSIVE};
use serde_json::Value;

pub(super) type Given<T> = Result<T, String>;

pub(super) fn member<'v>(case: &'v Value, name: &str) -> Option<&'v Value> {
    case.get(name).filter(|value| !value.is_null())
}

pub(super) fn object<'v>(case: &'v Value, name: &str) -> Given<&'v Value> {
    let found = member(case, name).filter(|value| value.is_object());
    found.ok_or_else(|| format!("it has no object {name}"))
}

pub(super) fn text<'v>(case: &'v Value, name: &str) -> Given<&'v str> {
    maybe_text(case, name)?.ok_or_else(|| format!("it has no text {name}"))
}

pub(super) fn maybe_text<'v>(case: &'v Value, name: &str) -> Given<Option<&'v str>> {
    member(case, name).map(as_text).transpose()
}

/// A text, a list of texts, or nothing.
pub(super) fn texts(value: Option<&Value>) -> Given<Vec<&str>> {
    match value {
        None | Some(Value::Null) => Ok(Vec::new()),
        Some(Value::Array(list)) => list.iter().map(as_text).collect(),
        Some(one) => Ok(vec![as_text(one)?]),
    }
}

/// An object of texts by their names.
pub(super) fn entries<'v>(case: &'v Value, name: &str) -> Given<Vec<(&'v str, &'v str)>> {
    let entries = member(case, name).and_then(Value::as_object);
    let entries = entries.ok_or_else(|| format!("it has no object {name}"))?;
    let pairs = entries.iter().map(|(id, text)| Ok((&**id, as_text(text)?)));
    pairs.collect()
}

pub(super) fn list<'v>(case: &'v Value, name: &str) -> Given<&'v [Value]> {
    match member(case, name) {
        None => Ok(&[]),
        Some(Value::Array(list)) => Ok(list),
        Some(_) => Err(format!("{name} is no list")),
    }
}

pub(super) fn flag(case: &Value, name: &str) -> Given<Option<bool>> {
    let as_flag = |value: &Value| value.as_bool().ok_or(format!("{name} is no boolean"));
    member(case, name).map(as_flag).transpose()
}

pub(super) fn number(case: &Value, name: &str) -> Given<Option<u64>> {
    let as_number = |value: &Value| value.as_u64().ok_or(format!("{name} is no number"));
    member(case, name).map(as_number).transpose()
}

/// The random bytes of a case; none where it does not say them.
pub(super) fn hex(case: &Value, name: &str) -> Given<Vec<u8>> {
    let text = maybe_text(case, name)?.unwrap_or_default();
    let bytes = HEXLOWER_PERMISSIVE.decode(text.as_bytes());
    bytes.map_err(|error| format!("{name}: {error}"))
}

pub(super) fn base64(text: &str) -> Given<Vec<u8>> {
    let bytes = BASE64.decode(text.as_bytes());
    bytes.map_err(|error| error.to_string())
}

/// The plaintext as text or, where it is none, in base64.
pub(super) fn plaintext(case: &Value) -> Given<Vec<u8>> {
    match maybe_text(case, "plaintext")? {
        Some(text) => Ok(text.into()),
        None => base64(text(case, "plaintext_b64")?),
    }
}

/// Bytes that say their encoding.
pub(super) fn encoded(case: &Value, name: &str) -> Given<Vec<u8>> {
    let given = object(case, name)?;
    match text(given, "encoding")? {
        "utf8" => Ok(text(given, "value")?.into()),
        "base64" => base64(text(given, "value")?),
        "json" => Ok(given
            .get("value")
            .unwrap_or(&Value::Null)
            .to_string()
            .into()),
        other => Err(format!("unknown encoding {other}")),
    }
}

/// Fails on a member that no runner knows, since it may change what comes out.
pub(super) fn known(case: &Value, names: &[&str]) -> Given<()> {
    let mut members = case.as_object().into_iter().flatten();
    match members.find(|(name, _)| !names.contains(&name.as_str())) {
        Some((name, _)) => Err(format!("no runner knows the member {name}")),
        None => Ok(()),
    }
}

fn as_text(value: &Value) -> Given<&str> {
    value.as_str().ok_or_else(|| format!("{value} is no text"))
}
