//! What becomes of a row: each of its values is resealed, and counted once that is settled.

use super::{
    Cell, Counts, Kind, Move, Target, Work,
    catalog::Shape,
    document::{self, Content},
    swap::{Change, Swap},
    walk::{Row, ValueColumn, Walk},
};
use crate::{
    codec::{Certainty, Fresh, Stored, StoredValue},
    column::{Classified, Column, Outcome},
    context::{Context, ContextValue},
    error::{Error, ErrorClass, ErrorCode, Result, fixed},
    manifest::JsonPath,
};
use alloc::{
    borrow::Cow,
    collections::BTreeMap,
    string::{String, ToString},
    vec,
    vec::Vec,
};
use core::cell::RefCell;
use sha2::{Digest, Sha256};
use zeroize::Zeroizing;

/// A row, and what is to become of it.
#[derive(Debug)]
pub(super) struct Taken {
    pub(super) key: Vec<Cell>,
    /// For each value of the row, by target.
    pub(super) tallies: Vec<(usize, Tally)>,
    pub(super) change: Option<Change>,
    /// What a value must open to when it is read back, where that is to be done.
    pub(super) proof: Option<Proof>,
}

/// What became of a value.
#[derive(Debug)]
pub(super) enum Tally {
    Null,
    Current,
    Resealed(Move),
    Refused(&'static str),
    /// What it is in, how sure that is, and its bytes.
    Found(Kind, Certainty, u64),
}

/// What is to stand in the place of a value, and the terms of its blind indexes.
type Renewed = Option<(Cell, Vec<Cell>)>;

/// The hash of a plaintext that was replaced.
#[derive(Debug)]
pub(super) struct Proof {
    /// The place among [`Change::swaps`].
    pub(super) swap: usize,
    pub(super) facts: Context,
    pub(super) plaintext: Zeroizing<[u8; 32]>,
}

/// What rows are resealed with.
pub(super) struct Taker<'t> {
    pub(super) walk: &'t Walk,
    pub(super) targets: &'t [Target],
    pub(super) work: Work,
    /// The characters or bytes of the longest new value, by target.
    pub(super) needed: RefCell<BTreeMap<usize, usize>>,
}

impl Taker<'_> {
    /// `proof` asks for one, of one value or another; it is there if the row has a value that is
    /// resealed.
    ///
    /// # Errors
    /// Those that would be of every row.
    pub(super) fn take(
        &self,
        row: Row,
        proof: Option<usize>,
        fresh: &mut Fresh<'_>,
    ) -> Result<Taken> {
        let mut taken = Taken {
            key: Vec::new(),
            tallies: Vec::new(),
            change: None,
            proof: None,
        };
        let mut swaps = Vec::new();
        for (place, value) in self.walk.values.iter().enumerate() {
            let (Some(target), Some(old)) = (self.targets.get(value.target), row.values.get(place))
            else {
                continue;
            };
            let (tallies, swap) = match self.reseal(target, value, &row, old, fresh) {
                Err(error) if is_of_all(&error) => return Err(error),
                Err(error) => (vec![Tally::Refused(error.code().as_str())], None),
                Ok(done) => done,
            };
            let tallies = tallies.into_iter().map(|tally| (value.target, tally));
            taken.tallies.extend(tallies);
            let Some((new, terms)) = swap else { continue };
            swaps.push(Swap {
                column: place,
                old: old.clone(),
                new,
                terms,
            });
        }
        taken.proof = proof.and_then(|proof| self.proof(&row, &swaps, proof));
        taken.key = row.key;
        if !swaps.is_empty() {
            taken.change = Some(Change {
                key: taken.key.clone(),
                swaps,
            });
        }
        Ok(taken)
    }

    /// What becomes of a cell: of its value, or of each member of its document.
    fn reseal(
        &self,
        target: &Target,
        value: &ValueColumn,
        row: &Row,
        old: &Cell,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Vec<Tally>, Renewed)> {
        let Some(shown) = Shown::of(old)? else {
            return Ok((vec![Tally::Null], None));
        };
        let facts = match self.work {
            Work::Census => Context::new(),
            _ => self.facts(target, row, true)?,
        };
        if let Some(path) = &target.spec.path {
            let document = shown.document()?;
            let (tallies, new) = self.members(target, path, document, &facts, fresh)?;
            if let Some(new) = &new {
                self.check_length(value, new)?;
            }
            return Ok((tallies, new.map(|new| (new, Vec::new()))));
        }
        let (tally, new) = self.one(target, shown.stored(), &facts, fresh)?;
        let Some(new) = new.map(Cell::from) else {
            return Ok((vec![tally], None));
        };
        if new.is_same(old) {
            return Ok((vec![Tally::Current], None));
        }
        self.check_length(value, &new)?;
        let terms = self.terms(target, row, shown.stored(), &facts)?;
        Ok((vec![tally], Some((new, terms))))
    }

    /// The members of a document, and the document with those that were resealed. A member that is
    /// refused stays, and keeps no other from its new value.
    fn members(
        &self,
        target: &Target,
        path: &JsonPath,
        document: &str,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Vec<Tally>, Option<Cell>)> {
        let mut tallies = Vec::new();
        let mut renewed = Vec::new();
        for member in document::members(document, path)? {
            let text = match member.content {
                Content::Null => {
                    tallies.push(Tally::Null);
                    continue;
                }
                Content::Other => {
                    tallies.push(Tally::Refused(ErrorCode::ValueInvalid.as_str()));
                    continue;
                }
                Content::Text(text) => text,
            };
            match self.one(target, Stored::Text(&text), facts, fresh) {
                Err(error) if is_of_all(&error) => return Err(error),
                Err(error) => tallies.push(Tally::Refused(error.code().as_str())),
                Ok((_, Some(StoredValue::Text(new)))) if new == **text => {
                    tallies.push(Tally::Current);
                }
                Ok((tally, new)) => {
                    tallies.push(tally);
                    if let Some(StoredValue::Text(new)) = new {
                        renewed.push((member.span, Zeroizing::new(new)));
                    }
                }
            }
        }
        if renewed.is_empty() {
            return Ok((tallies, None));
        }
        let new = document::spliced(document, renewed);
        Ok((tallies, Some(Cell::Text(new))))
    }

    /// What becomes of one value.
    fn one(
        &self,
        target: &Target,
        stored: Stored<'_>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Tally, Option<StoredValue>)> {
        let column = &target.column;
        let outcome = match self.work {
            Work::Census => return Ok((found(column, stored), None)),
            Work::Verify => {
                let kind = Kind::from(column.open(stored, facts)?.origin);
                return Ok((Tally::Found(kind, Certainty::Yes, bytes(stored)), None));
            }
            Work::Reopen => column.reopen(Some(stored), facts, fresh),
            Work::Unwrap | Work::Keep => self.repair(target, stored, facts, fresh)?,
            _ => column.reseal(Some(stored), facts, fresh),
        };
        match outcome {
            Outcome::Null => Ok((Tally::Null, None)),
            Outcome::Current => Ok((Tally::Current, None)),
            Outcome::Refused(error) => Err(error),
            Outcome::Resealed { value, from, to } => {
                let (from, to) = (Kind::from(from), Kind::from(to));
                Ok((Tally::Resealed(Move { from, to }), Some(value)))
            }
        }
    }

    /// What a person asked for, for this row.
    fn repair(
        &self,
        target: &Target,
        stored: Stored<'_>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<Outcome> {
        let column = &target.column;
        let value = if self.work == Work::Unwrap {
            column.unwrap_twice(stored, facts, fresh)?
        } else {
            match column.reseal(Some(stored), facts, fresh) {
                Outcome::Refused(error) if error.code() == ErrorCode::DoubleEncrypted => {
                    column.keep_twice(stored, facts, fresh)?
                }
                other => return Ok(other),
            }
        };
        let from = column.open(stored, facts)?.origin;
        let Classified::In { origin: to, .. } = column.classify(Some(value.as_stored())) else {
            let message = "what was sealed is in no codec of the column";
            return Err(fixed(ErrorCode::FormatMismatch, message));
        };
        Ok(Outcome::Resealed { value, from, to })
    }

    /// Notes how long a new value is, and refuses what the column does not take.
    fn check_length(&self, value: &ValueColumn, new: &Cell) -> Result<()> {
        let length = match new {
            Cell::Text(text) if value.shape != Shape::Bytes => text.chars().count(),
            other => other.bytes(),
        };
        let mut needed = self.needed.borrow_mut();
        let longest = needed.entry(value.target).or_default();
        *longest = length.max(*longest);
        // MySQL limits those types by bytes.
        let is_in_bytes = value.info.base.ends_with("text");
        let taken = if is_in_bytes { new.bytes() } else { length };
        match value.info.max_chars {
            Some(max) if taken > max => Err(Error::new(
                ErrorCode::ColumnUnsuitable,
                alloc::format!("the column takes {max} characters, which is too few"),
            )),
            _ => Ok(()),
        }
    }

    /// The terms of the blind indexes, without the row among their facts.
    fn terms(
        &self,
        target: &Target,
        row: &Row,
        old: Stored<'_>,
        facts: &Context,
    ) -> Result<Vec<Cell>> {
        if target.spec.indexes.is_empty() {
            return Ok(Vec::new());
        }
        let read = target.column.open(old, facts)?;
        let facts = self.facts(target, row, false)?;
        let terms = target.spec.indexes.iter().map(|index| {
            let term = target
                .column
                .index_term(&index.name, &read.plaintext, &facts)?;
            Ok(term.into())
        });
        terms.collect()
    }

    /// What the row has, with or without its id.
    fn facts(&self, target: &Target, row: &Row, with_row: bool) -> Result<Context> {
        let facts = self.walk.facts.iter().zip(&row.facts);
        let value = |name: &str| {
            let (_, cell) = facts.clone().find(|(info, _)| info.name == name)?;
            context_value(cell)
        };
        if with_row {
            return target.spec.facts(value);
        }
        let mut unbound = target.spec.clone();
        unbound.bind_row = false;
        unbound.facts(value)
    }

    /// Nothing where the old value has no canonical plaintext to compare with.
    fn proof(&self, row: &Row, swaps: &[Swap], any: usize) -> Option<Proof> {
        let swap = any.checked_rem(swaps.len())?;
        let swapped = swaps.get(swap)?;
        let target = self.walk.values.get(swapped.column)?.target;
        let target = self.targets.get(target)?;
        let facts = self.facts(target, row, true).ok()?;
        let before = match self.work {
            // Another plaintext than there was before.
            Work::Unwrap => &swapped.new,
            _ => &swapped.old,
        };
        let plaintext = digest(target, before, &facts).ok()??;
        Some(Proof {
            swap,
            facts,
            plaintext,
        })
    }
}

impl Proof {
    /// Whether a value that was read back opens to the plaintext that was there before.
    pub(super) fn holds(&self, target: &Target, read: &Cell) -> bool {
        let found = digest(target, read, &self.facts);
        found.is_ok_and(|found| found.is_some_and(|found| *found == *self.plaintext))
    }
}

/// The hash of what a cell holds; nothing of NULL.
fn digest(target: &Target, cell: &Cell, facts: &Context) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let Some(shown) = Shown::of(cell)? else {
        return Ok(None);
    };
    let mut digest = Sha256::new();
    match &target.spec.path {
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

impl Counts {
    /// Counts what became of a value.
    pub(super) fn add(&mut self, tally: Tally) {
        self.scanned += 1;
        match tally {
            Tally::Null => self.null += 1,
            Tally::Current => self.current += 1,
            Tally::Resealed(moved) => *self.resealed.entry(moved).or_default() += 1,
            Tally::Found(kind, certainty, bytes) => {
                let found = self.found.entry((kind, certainty)).or_default();
                found.values += 1;
                found.bytes += bytes;
            }
            Tally::Refused(code) => *self.refused.entry(code.into()).or_default() += 1,
        }
    }
}

/// What a value is in, judged without any key.
pub(super) fn found(column: &Column, stored: Stored<'_>) -> Tally {
    match column.classify(Some(stored)) {
        Classified::Null => Tally::Null,
        Classified::Unknown => Tally::Refused(ErrorCode::FormatMismatch.as_str()),
        Classified::In { origin, certainty } => {
            Tally::Found(origin.into(), certainty, bytes(stored))
        }
    }
}

fn bytes(stored: Stored<'_>) -> u64 {
    stored.as_bytes().len().try_into().unwrap_or(u64::MAX)
}

/// Whether an error has nothing to do with the value: no key to seal with, no random bytes.
fn is_of_all(error: &Error) -> bool {
    error.code().class() == ErrorClass::Keyring || error.code() == ErrorCode::RandomUnavailable
}

/// A cell as a stored value. SQLite may have an integer where others have its digits.
enum Shown<'c> {
    Text(Cow<'c, str>),
    Bytes(&'c [u8]),
}

impl<'c> Shown<'c> {
    fn of(cell: &'c Cell) -> Result<Option<Self>> {
        Ok(Some(match cell {
            Cell::Null => return Ok(None),
            Cell::Text(text) => Self::Text(Cow::Borrowed(text)),
            Cell::Bytes(bytes) => Self::Bytes(bytes),
            Cell::Int(number) => Self::Text(Cow::Owned(number.to_string())),
            Cell::Array(_) | Cell::Other => {
                return Err(fixed(
                    ErrorCode::ValueInvalid,
                    "the column holds neither text nor bytes here",
                ));
            }
        }))
    }

    /// Its text, which a path leads into.
    fn document(&self) -> Result<&str> {
        match self {
            Self::Text(text) => Ok(text),
            Self::Bytes(_) => Err(fixed(
                ErrorCode::ValueInvalid,
                "the column holds bytes here, and a path leads into text",
            )),
        }
    }

    fn stored(&self) -> Stored<'_> {
        match self {
            Self::Text(text) => Stored::Text(text),
            Self::Bytes(bytes) => Stored::Bytes(bytes),
        }
    }
}

impl Cell {
    /// Whether a database that stored the one would show the other.
    pub(super) fn is_same(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Int(number), Self::Text(text)) | (Self::Text(text), Self::Int(number)) => {
                **text == number.to_string()
            }
            _ => self == other,
        }
    }
}

impl From<StoredValue> for Cell {
    fn from(value: StoredValue) -> Self {
        match value {
            StoredValue::Text(text) => text.into(),
            StoredValue::Bytes(bytes) => bytes.into(),
        }
    }
}

fn context_value(cell: &Cell) -> Option<ContextValue<'_>> {
    match cell {
        Cell::Int(number) => Some((*number).into()),
        Cell::Text(text) => Some(text.as_str().into()),
        Cell::Bytes(bytes) => Some(bytes.as_slice().into()),
        Cell::Null | Cell::Array(_) | Cell::Other => None,
    }
}

/// A row id for a person.
pub(super) fn row_id(key: &[Cell]) -> Vec<String> {
    key.iter()
        .map(|cell| match cell {
            Cell::Int(number) => number.to_string(),
            Cell::Text(text) => text.to_string(),
            Cell::Bytes(bytes) => data_encoding::HEXLOWER.encode(bytes),
            Cell::Null | Cell::Array(_) | Cell::Other => String::new(),
        })
        .collect()
}
