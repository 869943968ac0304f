//! Proofs: what a value must open to when it is read back.

use super::{
    Cell, Target, Work,
    document::{self, Content},
    rows::Taker,
    shown::Shown,
    swap::Swap,
    walk::Row,
    whole,
};
use crate::{
    codec::Stored, context::Context, error::Result, ids::Mode, sorted::SortedMap, value::ValueType,
};
use alloc::vec::Vec;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// The hash of a plaintext that was replaced.
#[derive(Debug)]
pub(super) struct Proof {
    /// The place among [`Change::swaps`].
    pub(super) swap: usize,
    pub(super) target: usize,
    pub(super) facts: Context,
    pub(super) plaintext: Zeroizing<[u8; 32]>,
    /// Whether the column holds documents, which a database may spell in its own way.
    pub(super) is_json: bool,
}

/// Which value of a row is to be proven, if any.
pub(super) struct Wish<'w> {
    /// Whether it is this row's turn.
    pub(super) is_due: bool,
    /// Columns take turns.
    pub(super) turn: usize,
    /// The first value of a column has not to wait for its turn: what a trigger does to all of them shows
    /// before any of them is committed.
    pub(super) proven: &'w SortedMap<usize, bool>,
}

impl Taker<'_> {
    /// Nothing where the old value has no canonical plaintext to compare with.
    pub(super) fn proof(&self, row: &Row, swaps: &[Swap], wish: &Wish<'_>) -> Option<Proof> {
        let target_of = |swap: &Swap| Some(self.walk.values.get(swap.column)?.target);
        let is_new = |swap: &Swap| target_of(swap).is_some_and(|it| !wish.proven.contains_key(&it));
        // NULL stays NULL, where but a term goes.
        let values = swaps
            .iter()
            .enumerate()
            .filter(|(_, it)| it.old != Cell::Null);
        let values: Vec<(usize, &Swap)> = values.collect();
        let turn = || wish.turn.checked_rem(values.len());
        let place = match values.iter().position(|(_, swap)| is_new(swap)) {
            Some(first) => first,
            None if wish.is_due => turn()?,
            None => return None,
        };
        let (swap, swapped) = *values.get(place)?;
        let is_json = self.is_json(swapped.column);
        let at = target_of(swapped)?;
        let target = self.targets.get(at)?;
        let facts = self.facts(target, row, true).ok()?;
        let before = match self.work {
            // Another plaintext than there was before.
            Work::Unwrap => &swapped.new,
            _ => &swapped.old,
        };
        let plaintext = digest(target, before, &facts, is_json).ok()??;
        Some(Proof {
            swap,
            target: at,
            facts,
            plaintext,
            is_json,
        })
    }
}

impl Proof {
    /// Whether a value that was read back opens to the plaintext that was there before, and is the new one:
    /// the database may spell a document in its own way, but the old one has not stayed.
    pub(super) fn holds(&self, target: &Target, swap: &Swap, read: &Cell) -> bool {
        if read.is_same(&swap.old) && !read.is_same(&swap.new) {
            return false;
        }
        let found = digest(target, read, &self.facts, self.is_json);
        found.is_ok_and(|found| found.is_some_and(|found| *found == *self.plaintext))
    }
}

/// The hash of what a cell holds; nothing of NULL.
fn digest(
    target: &Target,
    cell: &Cell,
    facts: &Context,
    is_json: bool,
) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let Some(shown) = Shown::of(cell)? else {
        return Ok(None);
    };
    let mut digest = Sha256::new();
    match &target.spec.path {
        None if is_json => {
            let document = shown.document()?;
            let inside = whole::inside(&target.column, document);
            let stored = inside.as_ref().map_or(document, |text| text);
            let read = target.column.open(Stored::Text(stored), facts)?;
            // Nothing to compare where the plaintext has no canonical form.
            let canonical = ValueType::Json.canonical(&read.plaintext, Mode::Deterministic);
            let Ok(canonical) = canonical else {
                return Ok(None);
            };
            digest.update(&canonical);
        }
        None => digest.update(&*target.column.open(shown.stored(), facts)?.plaintext),
        Some(path) => {
            let document = shown.document()?;
            let mut from = 0;
            for member in document::members(document, path)? {
                let Content::Text(text) = member.content else {
                    continue;
                };
                // What does not open stays as it is.
                let Ok(read) = target.column.open(Stored::Text(&text), facts) else {
                    continue;
                };
                let before = document.get(from..member.span.start).unwrap_or_default();
                for part in [before.as_bytes(), &read.plaintext] {
                    digest.update((part.len() as u64).to_be_bytes());
                    digest.update(part);
                }
                from = member.span.end;
            }
            digest.update(document.get(from..).unwrap_or_default());
        }
    }
    let digest: [u8; 32] = digest.finalize().into();
    Ok(Some(Zeroizing::new(digest)))
}
