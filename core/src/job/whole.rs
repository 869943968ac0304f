//! Columns of type JSON in which a whole document is one value: a format that is JSON itself stands
//! there as it is, every other one as a string.

use super::{Cell, document};
use crate::{
    codec::{Stored, StoredValue},
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

/// The document for a value.
pub(super) fn document_of(value: StoredValue) -> Cell {
    match value {
        StoredValue::Text(text) if serde_json::from_str::<IgnoredAny>(&text).is_err() => {
            Cell::Text(document::quoted(&Zeroizing::new(text)))
        }
        value => value.into(),
    }
}
