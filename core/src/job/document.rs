//! The members of a JSON document that a path names, and where they stand in its text.

use crate::{
    error::{Error, ErrorCode, Result, fixed},
    json::Members,
    manifest::{JsonPath, JsonStep},
};
use alloc::{string::String, vec::Vec};
use core::ops::Range;
use serde::Deserialize;
use serde_json::value::RawValue;
use zeroize::Zeroizing;

/// A member that a path names.
pub(super) struct Member {
    /// Its places in the lists of which the path names every item, for [`JsonPath::at`].
    pub(super) items: Vec<u32>,
    /// Where it stands in the text.
    pub(super) span: Range<usize>,
    pub(super) content: Content,
}

/// What stands there.
pub(super) enum Content {
    Null,
    Text(Zeroizing<String>),
    /// Neither text nor null: such a member is never sealed.
    Other,
}

/// The members, in the order of the text. A name that an object has twice is two members.
///
/// # Errors
/// `value-invalid` where the text is no JSON document.
pub(super) fn members(document: &str, path: &JsonPath) -> Result<Vec<Member>> {
    let root: &RawValue = serde_json::from_str(document).map_err(|_| no_document())?;
    let mut there = alloc::vec![(Vec::new(), root)];
    for step in path.steps() {
        let mut next = Vec::new();
        for (items, value) in there {
            enter(items, value, step, &mut next)?;
        }
        there = next;
    }
    let members = there.into_iter();
    Ok(members
        .map(|(items, value)| member(document, items, value))
        .collect())
}

/// A document with other texts in the place of some members; all else stays as it is, byte by byte.
pub(super) fn spliced(
    document: &str,
    texts: impl IntoIterator<Item = (Range<usize>, Zeroizing<String>)>,
) -> Zeroizing<String> {
    let texts: Vec<_> = texts
        .into_iter()
        .map(|(span, text)| (span, quoted(&text)))
        .collect();
    let grown: usize = texts.iter().map(|(_, text)| text.len()).sum();
    // What grows leaves a copy behind.
    let mut done = Zeroizing::new(String::with_capacity(document.len() + grown));
    let mut from = 0;
    for (span, text) in texts {
        done.push_str(document.get(from..span.start).unwrap_or_default());
        done.push_str(&text);
        from = span.end;
    }
    done.push_str(document.get(from..).unwrap_or_default());
    done
}

/// The values one step further; a document that has none there has none.
fn enter<'d>(
    items: Vec<u32>,
    value: &'d RawValue,
    step: &JsonStep,
    next: &mut Vec<(Vec<u32>, &'d RawValue)>,
) -> Result<()> {
    let (is_object, is_list) = (value.get().starts_with('{'), value.get().starts_with('['));
    match step {
        JsonStep::Member(name) if is_object => {
            let Members(members) = parsed(value)?;
            let named = members.into_iter().filter(|(it, _)| it == name);
            next.extend(named.map(|(_, value)| (items.clone(), value)));
        }
        JsonStep::EveryItem if is_list => {
            let all = (0..).zip(parsed::<Vec<&RawValue>>(value)?);
            next.extend(all.map(|(place, value)| {
                let mut items = items.clone();
                items.push(place);
                (items, value)
            }));
        }
        JsonStep::Item(index) if is_list => {
            let all: Vec<&RawValue> = parsed(value)?;
            let index = usize::try_from(*index).unwrap_or(usize::MAX);
            next.extend(all.get(index).map(|value| (items, *value)));
        }
        _ => {}
    }
    Ok(())
}

fn parsed<'d, T: Deserialize<'d>>(value: &'d RawValue) -> Result<T> {
    serde_json::from_str(value.get()).map_err(|_| no_document())
}

/// `value` is a part of `document`, whose bytes it borrows.
fn member(document: &str, items: Vec<u32>, value: &RawValue) -> Member {
    let text = value.get();
    let start = text.as_ptr().addr() - document.as_ptr().addr();
    Member {
        items,
        span: start..start + text.len(),
        content: match text.as_bytes().first() {
            Some(b'n') => Content::Null,
            // A lone surrogate is text for JSON alone.
            Some(b'"') => serde_json::from_str::<String>(text)
                .map_or(Content::Other, |text| Content::Text(Zeroizing::new(text))),
            _ => Content::Other,
        },
    }
}

pub(super) fn quoted(text: &str) -> Zeroizing<String> {
    Zeroizing::new(serde_json::to_string(text).unwrap_or_default())
}

fn no_document() -> Error {
    let message = "this is no JSON document, and a path leads into one";
    fixed(ErrorCode::ValueInvalid, message)
}
