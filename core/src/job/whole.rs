//! Columns of type JSON in which a whole document is one value: a format that is JSON itself stands
//! there as it is, every other one as a string.

use super::{
    Cell, document,
    shown::Shown,
    tally::{Tally, found},
};
use crate::{
    codec::{Certainty, Stored, StoredValue},
    column::{Classified, Column},
};
use alloc::string::String;
use serde::de::IgnoredAny;
use zeroize::Zeroizing;

/// The scheme of what is not encrypted.
const PLAIN: &str = "plain";

/// The encrypted value in a document that is a string; nothing where the document is the value.
pub(super) fn inside(column: &Column, document: &str) -> Option<Zeroizing<String>> {
    if !document.starts_with('"') {
        return None;
    }
    let text = Zeroizing::new(serde_json::from_str::<String>(document).ok()?);
    match column.classify(Some(Stored::Text(&text))) {
        Classified::In { origin, .. } if origin.scheme == PLAIN => None,
        _ => Some(text),
    }
}

/// What a value is in that is encrypted as a whole, where a path leads into documents and has no member in this one:
/// the path came later, as a rule. A document with members in it is none without doubt alone.
pub(super) fn sealed(column: &Column, shown: &Shown<'_>) -> Option<Tally> {
    let stored = shown.stored();
    let document = stored.as_text().unwrap_or_default().trim_ascii_start();
    let inside = inside(column, document);
    let stored = inside.as_ref().map_or(stored, |text| Stored::Text(text));
    let tally = found(column, stored);
    let Tally::Found(kind, certainty, _) = &tally else {
        return None;
    };
    let is_sure = *certainty == Certainty::Yes || !document.starts_with(['{', '[']);
    (kind.scheme != PLAIN && is_sure).then_some(tally)
}

/// The document for a value.
pub(super) fn document_of(value: StoredValue) -> Cell {
    match value {
        StoredValue::Text(text) if serde_json::from_str::<IgnoredAny>(&text).is_err() => {
            Cell::Text(document::quoted(&Zeroizing::new(text)))
        }
        value => value.into(),
    }
}
