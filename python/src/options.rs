//! The options of codecs and columns: words, flags, and texts that are secret.

use crate::{
    convert::{items, type_name},
    error::{Result, invalid_argument},
};
use pyo3::{prelude::*, types::PyString};
use reseal::{Zeroizing, codec::Expect};

/// A text as it is, which may be a secret: no message shows it.
pub(crate) fn secret(value: &Bound<'_, PyAny>, option: &str) -> Result<Zeroizing<String>> {
    let Ok(text) = value.cast::<PyString>() else {
        return Err(invalid_argument(format!(
            "{option} is text, not {}",
            type_name(value)
        )));
    };
    match text.to_str() {
        Ok(text) => Ok(Zeroizing::new(text.to_owned())),
        Err(_) => Err(invalid_argument(format!(
            "{option} has a lone surrogate, which is no text"
        ))),
    }
}

/// A list of such texts; none where nothing is given.
pub(crate) fn secrets(
    values: Option<&Bound<'_, PyAny>>,
    option: &str,
) -> Result<Vec<Zeroizing<String>>> {
    let Some(values) = values else {
        return Ok(Vec::new());
    };
    let each = format!("each of {option}");
    let values = items(values, option)?;
    values.iter().map(|value| secret(value, &each)).collect()
}

/// True or False; the default where nothing is given.
pub(crate) fn flag(value: Option<&Bound<'_, PyAny>>, option: &str, default: bool) -> Result<bool> {
    let Some(value) = value else {
        return Ok(default);
    };
    value.extract().map_err(|_: PyErr| {
        invalid_argument(format!(
            "{option} is True or False, not {}",
            type_name(value)
        ))
    })
}

/// What a word stands for; nothing where nothing or None is given.
pub(crate) fn word<T: Copy>(
    value: Option<&Bound<'_, PyAny>>,
    option: &str,
    words: &[(&str, T)],
) -> Result<Option<T>> {
    let Some(value) = value.filter(|value| !value.is_none()) else {
        return Ok(None);
    };
    let given = value
        .cast::<PyString>()
        .ok()
        .map(|text| text.to_string_lossy());
    let found = words
        .iter()
        .find(|(word, _)| given.as_deref() == Some(*word));
    if let Some((_, meaning)) = found {
        return Ok(Some(*meaning));
    }
    let words = words.iter().map(|(word, _)| format!("\"{word}\""));
    let words = words.collect::<Vec<_>>().join(" or ");
    Err(invalid_argument(format!("{option} is {words}")))
}

/// What the plaintexts of a format without authentication are.
pub(crate) fn expectation(value: Option<&Bound<'_, PyAny>>) -> Result<Option<Expect>> {
    word(
        value,
        "expect",
        &[("json", Expect::Json), ("utf8", Expect::Utf8)],
    )
}

/// A text or None, as Python writes it.
pub(crate) fn quoted(text: Option<&str>) -> String {
    text.map_or_else(
        || "None".into(),
        |text| format!("{text:?}").replace('"', "'"),
    )
}

/// True or False, as Python writes it.
pub(crate) const fn truth(flag: bool) -> &'static str {
    if flag { "True" } else { "False" }
}
