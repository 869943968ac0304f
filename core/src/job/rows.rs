//! What becomes of a row: each of its values is resealed, and counted once that is settled.

use super::{
    Cell, Counts, Kind, Move, Target, Work,
    catalog::Shape,
    swap::{Change, Swap},
    walk::{Row, ValueColumn, Walk},
};
use crate::{
    codec::{Certainty, Fresh, Stored, StoredValue},
    column::{Classified, Column, Outcome},
    context::{Context, ContextValue},
    error::{Error, ErrorClass, ErrorCode, Result, fixed},
};
use alloc::{
    borrow::Cow,
    string::{String, ToString},
    vec::Vec,
};
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
            let (tally, swap) = match self.reseal(target, value, &row, old, fresh) {
                Err(error) if is_of_all(&error) => return Err(error),
                Err(error) => (Tally::Refused(error.code().as_str()), None),
                Ok(done) => done,
            };
            taken.tallies.push((value.target, tally));
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

    fn reseal(
        &self,
        target: &Target,
        value: &ValueColumn,
        row: &Row,
        old: &Cell,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Tally, Renewed)> {
        let Some(shown) = Shown::of(old)? else {
            return Ok((Tally::Null, None));
        };
        let column = &target.column;
        let stored = Some(shown.stored());
        if self.work == Work::Census {
            return Ok((found(column, shown.stored()), None));
        }
        let facts = self.facts(target, row, true)?;
        let outcome = match self.work {
            Work::Verify => {
                let kind = Kind::from(column.open(shown.stored(), &facts)?.origin);
                let tally = Tally::Found(kind, Certainty::Yes, bytes(shown.stored()));
                return Ok((tally, None));
            }
            Work::Reopen => column.reopen(stored, &facts, fresh),
            _ => column.reseal(stored, &facts, fresh),
        };
        let (new, from, to) = match outcome {
            Outcome::Null => return Ok((Tally::Null, None)),
            Outcome::Current => return Ok((Tally::Current, None)),
            Outcome::Refused(error) => return Err(error),
            Outcome::Resealed { value, from, to } => (Cell::from(value), from, to),
        };
        if new.is_same(old) {
            return Ok((Tally::Current, None));
        }
        check_length(value, &new)?;
        let terms = self.terms(target, row, shown.stored(), &facts)?;
        let (from, to) = (Kind::from(from), Kind::from(to));
        Ok((Tally::Resealed(Move { from, to }), Some((new, terms))))
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
        let plaintext = digest(target, &swapped.old, &facts).ok()??;
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

fn digest(target: &Target, cell: &Cell, facts: &Context) -> Result<Option<Zeroizing<[u8; 32]>>> {
    let Some(shown) = Shown::of(cell)? else {
        return Ok(None);
    };
    let read = target.column.open(shown.stored(), facts)?;
    let digest: [u8; 32] = Sha256::digest(&*read.plaintext).into();
    Ok(Some(Zeroizing::new(digest)))
}

impl Counts {
    /// Counts what became of a value.
    pub(super) fn add(&mut self, tally: Tally) {
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
fn found(column: &Column, stored: Stored<'_>) -> Tally {
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

fn check_length(value: &ValueColumn, new: &Cell) -> Result<()> {
    let chars = match new {
        Cell::Text(text) if value.shape == Shape::Text => text.chars().count(),
        other => other.bytes(),
    };
    match value.info.max_chars {
        Some(max) if chars > max => Err(Error::new(
            ErrorCode::ColumnUnsuitable,
            alloc::format!("the column takes {max} characters, which is too few"),
        )),
        _ => Ok(()),
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
