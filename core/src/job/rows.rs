//! What becomes of a row: each of its values is resealed, and counted once that is settled.

use super::{
    Cell, Kind, Move, Target, Work,
    catalog::{Info, Shape},
    document::{self, Content, Member},
    facts::same_terms,
    proof::{Proof, Wish},
    shown::Shown,
    swap::{Change, Swap},
    tally::{Refused, Tally, bytes, found},
    walk::{Row, Walk},
    whole,
};
use crate::{
    codec::{Certainty, Fresh, Stored, StoredValue},
    column::{Classified, Column, Outcome, Read},
    context::Context,
    error::{Error, ErrorClass, ErrorCode, Result, fixed},
    ids::TERM_START,
    manifest::JsonPath,
    sorted::SortedMap,
};
use alloc::{string::ToString, vec, vec::Vec};
use core::{cell::RefCell, mem};
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

/// What is to stand in the place of a value, and the terms of its blind indexes.
type Renewed = Option<(Cell, Vec<Cell>)>;

/// What rows are resealed with.
pub(super) struct Taker<'t> {
    pub(super) walk: &'t Walk,
    pub(super) targets: &'t [Target],
    pub(super) work: Work,
    /// For [`Work::Verify`]: the codec that is to be of no use.
    pub(super) without: Option<&'t str>,
    /// The characters or bytes of the longest new value, by target.
    pub(super) needed: RefCell<SortedMap<usize, usize>>,
}

impl Taker<'_> {
    /// `wish` asks for a proof, which is there if the row has a value that is resealed.
    ///
    /// # Errors
    /// Those that would be of every row.
    pub(super) fn take(
        &self,
        mut row: Row,
        wish: Option<Wish<'_>>,
        fresh: &mut Fresh<'_>,
    ) -> Result<Taken> {
        let mut taken = Taken {
            key: Vec::new(),
            tallies: Vec::new(),
            change: None,
            proof: None,
        };
        let mut renewed = Vec::new();
        for (place, value) in self.walk.values.iter().enumerate() {
            let (Some(target), Some(old)) = (self.targets.get(value.target), row.values.get(place))
            else {
                continue;
            };
            let (tallies, new) = match self.reseal(target, place, &row, old, fresh) {
                Err(error) if is_of_all(&error) => return Err(error),
                Err(error) => (vec![Tally::refused(error.code())], None),
                Ok(done) => done,
            };
            let tallies = tallies.into_iter().map(|tally| (value.target, tally));
            taken.tallies.extend(tallies);
            renewed.extend(new.map(|new| (place, new)));
        }
        let swaps: Vec<Swap> = renewed
            .into_iter()
            .map(|(column, (new, terms))| Swap {
                column,
                old: row
                    .values
                    .get_mut(column)
                    .map(mem::take)
                    .unwrap_or_default(),
                new,
                terms,
            })
            .collect();
        taken.proof = wish.and_then(|wish| self.proof(&row, &swaps, &wish));
        taken.key = row.key;
        if !swaps.is_empty() {
            taken.change = Some(Change {
                key: taken.key.clone(),
                facts: row.facts,
                swaps,
            });
        }
        Ok(taken)
    }

    /// What becomes of a cell: of its value, or of each member of its document.
    fn reseal(
        &self,
        target: &Target,
        place: usize,
        row: &Row,
        old: &Cell,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Vec<Tally>, Renewed)> {
        let Some(shown) = Shown::of(old)? else {
            return Ok(self.null(place, row));
        };
        let facts = match self.work {
            Work::Census => Context::new(),
            _ => self.facts(target, row, true)?,
        };
        if let Some(path) = &target.spec.path {
            let members = |text| Ok((text, document::members(text, path)?));
            let members = shown.document().and_then(members);
            if !matches!(&members, Ok((_, there)) if !there.is_empty())
                && let Some(found) = whole::sealed(&target.column, &shown)
            {
                let of_census = self.work == Work::Census;
                let refused = Tally::refused(ErrorCode::FormatMismatch);
                return Ok((vec![if of_census { found } else { refused }], None));
            }
            let (document, members) = members?;
            let (tallies, new) = self.members(target, path, document, members, &facts, fresh)?;
            if let Some(new) = &new {
                self.check_fit(place, new)?;
            }
            return Ok((tallies, new.map(|new| (new, Vec::new()))));
        }
        let is_json = self.is_json(place);
        let inside = match &shown {
            Shown::Text(document) if is_json => whole::inside(&target.column, document),
            _ => None,
        };
        let stored = inside
            .as_ref()
            .map_or_else(|| shown.stored(), |text| Stored::Text(text));
        let (tally, new) = self.one(target, stored, &facts, fresh)?;
        let new = new.map(|new| {
            if is_json {
                whole::document_of(new)
            } else {
                new.into()
            }
        });
        let (tally, new) = match new {
            Some(new) if new.is_same(old) => (Tally::Current, None),
            new => (tally, new),
        };
        let Some(new) = new else {
            let is_indexed = matches!(tally, Tally::Current) && self.walk.reads_terms;
            let there = row.terms.get(place).filter(|_| is_indexed);
            let Some(there) = there.filter(|terms| !terms.is_empty()) else {
                return Ok((vec![tally], None));
            };
            let terms = self.terms(target, row, stored, &facts)?;
            if same_terms(there, &terms) {
                return Ok((vec![tally], None));
            }
            return Ok((vec![Tally::Reindexed], Some((old.clone(), terms))));
        };
        self.check_fit(place, &new)?;
        let terms = self.terms(target, row, stored, &facts)?;
        Ok((vec![tally], Some((new, terms))))
    }

    /// What becomes of NULL: no term is of it, so that one beside it goes, where terms are looked at. Where nothing
    /// but terms are left that their columns do not let go, it is refused.
    fn null(&self, place: usize, row: &Row) -> (Vec<Tally>, Renewed) {
        let columns = self.walk.values.get(place).map(|value| &value.terms);
        let there = row.terms.get(place).into_iter().flatten();
        let there: Vec<_> = there.zip(columns.into_iter().flatten()).collect();
        let goes = |(term, info): &(&Cell, &Info)| info.is_nullable && **term != Cell::Null;
        if there.iter().any(goes) {
            let terms = there.into_iter().map(|it| match it {
                it if goes(&it) => Cell::Null,
                (term, _) => term.clone(),
            });
            return (vec![Tally::Reindexed], Some((Cell::Null, terms.collect())));
        }
        let is_term = |(term, _): &(&Cell, &Info)| {
            let text = term.as_text();
            text.is_some_and(|text| text.starts_with(TERM_START))
        };
        let tally = if there.iter().any(is_term) {
            Tally::refused(ErrorCode::ColumnUnsuitable)
        } else {
            Tally::Null
        };
        (vec![tally], None)
    }

    /// The members of a document, and the document with those that were resealed. A member that is
    /// refused stays, and keeps no other from its new value.
    fn members(
        &self,
        target: &Target,
        path: &JsonPath,
        document: &str,
        members: Vec<Member>,
        facts: &Context,
        fresh: &mut Fresh<'_>,
    ) -> Result<(Vec<Tally>, Option<Cell>)> {
        let mut tallies = Vec::new();
        let mut renewed = Vec::new();
        for member in members {
            let done = match &member.content {
                Content::Null => Ok((Tally::Null, None)),
                Content::Other => Ok((Tally::refused(ErrorCode::ValueInvalid), None)),
                Content::Text(text) => self.one(target, Stored::Text(text), facts, fresh),
            };
            let (tally, new) = match (done, &member.content) {
                (Err(error), _) if is_of_all(&error) => return Err(error),
                (Err(error), _) => (Tally::refused(error.code()), None),
                (Ok((_, Some(StoredValue::Text(new)))), Content::Text(text)) if new == **text => {
                    (Tally::Current, None)
                }
                (Ok(done), _) => done,
            };
            tallies.push(match tally {
                Tally::Refused(refused) => Tally::Refused(Refused {
                    path: Some(path.at(&member.items).to_string()),
                    ..refused
                }),
                tally => tally,
            });
            if let Some(StoredValue::Text(new)) = new {
                renewed.push((member.span, Zeroizing::new(new)));
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
                let read = match self.without {
                    Some(codec) => dispensed(column, stored, facts, codec)?,
                    None => column.open(stored, facts)?,
                };
                let kind = Kind::from(read.origin);
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

    /// Whether a column holds documents, of which each is one value.
    pub(super) fn is_json(&self, place: usize) -> bool {
        let value = self.walk.values.get(place);
        value.is_some_and(|value| value.shape == Shape::Json)
    }

    /// Notes how long a new value is, and refuses what the column does not take, or would not give back.
    fn check_fit(&self, place: usize, new: &Cell) -> Result<()> {
        let Some(value) = self.walk.values.get(place) else {
            return Ok(());
        };
        let length = match new {
            Cell::Text(text) if value.shape != Shape::Bytes => text.chars().count(),
            other => other.bytes(),
        };
        let mut needed = self.needed.borrow_mut();
        needed.change(value.target, |longest| *longest = length.max(*longest));
        // MySQL limits those types by bytes.
        let is_in_bytes = value.info.base.ends_with("text");
        let taken = if is_in_bytes { new.bytes() } else { length };
        match value.info.max_chars {
            Some(max) if taken > max => Err(Error::new(
                ErrorCode::ColumnUnsuitable,
                alloc::format!("the column takes {max} characters, which is too few"),
            )),
            _ if !value.info.keeps(self.walk.dialect, new) => Err(fixed(
                ErrorCode::ColumnUnsuitable,
                "the column would store another value than this one, without a word",
            )),
            _ => Ok(()),
        }
    }
}

/// A value that opens without a codec as well as with it.
fn dispensed(column: &Column, stored: Stored<'_>, facts: &Context, codec: &str) -> Result<Read> {
    let read = column.open(stored, facts)?;
    match column.open_without(stored, facts, codec) {
        Ok(lesser) if lesser.plaintext == read.plaintext => Ok(lesser),
        _ => Err(fixed(
            ErrorCode::StillInUse,
            "the value opens with this codec alone: bring it to another one before the codec goes",
        )),
    }
}

/// Whether an error has nothing to do with the value: no key to seal with, no random bytes.
fn is_of_all(error: &Error) -> bool {
    error.code().class() == ErrorClass::Keyring || error.code() == ErrorCode::RandomUnavailable
}
