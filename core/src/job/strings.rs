//! The strings of a JSON document, each with its place.

use crate::{json::Members, manifest::JsonStep};
use alloc::{string::String, vec::Vec};
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// Steps into a document; a path has no more.
const MAX_DEPTH: usize = 32;
/// Strings of one document; further ones are not looked at.
const MAX_STRINGS: usize = 1000;

/// A string, and the steps to it.
pub(super) type Found = (Vec<JsonStep>, Zeroizing<String>);

/// The strings of a text, as far as it is JSON.
pub(super) fn strings(document: &str) -> Vec<Found> {
    let mut found = Vec::new();
    if let Ok(root) = serde_json::from_str(document) {
        enter(root, &mut Vec::new(), &mut found);
    }
    found
}

fn enter(value: &RawValue, steps: &mut Vec<JsonStep>, found: &mut Vec<Found>) {
    let text = value.get();
    let is_deep = steps.len() == MAX_DEPTH;
    if found.len() == MAX_STRINGS {
        return;
    }
    match text.as_bytes().first() {
        Some(b'"') => {
            let text = serde_json::from_str::<String>(text);
            found.extend(text.map(|text| (steps.clone(), Zeroizing::new(text))));
        }
        Some(b'{') if !is_deep => {
            let Ok(Members(members)) = serde_json::from_str(text) else {
                return;
            };
            for (name, value) in members {
                steps.push(JsonStep::Member(name));
                enter(value, steps, found);
                steps.pop();
            }
        }
        Some(b'[') if !is_deep => {
            let items: Vec<&RawValue> = serde_json::from_str(text).unwrap_or_default();
            for (place, value) in (0..).zip(items) {
                steps.push(JsonStep::Item(place));
                enter(value, steps, found);
                steps.pop();
            }
        }
        _ => {}
    }
}
