//! What became of a value, and how it is counted.

use super::{Counts, Kind, Move};
use crate::{
    codec::{Certainty, Stored},
    column::{Classified, Column},
    error::ErrorCode,
};
use alloc::string::String;

/// What became of a value.
#[derive(Debug)]
pub(super) enum Tally {
    Null,
    Current,
    /// It is current and gets another term, or is NULL and loses one.
    Reindexed,
    Resealed(Move),
    Refused(Refused),
    /// What it is in, how sure that is, and its bytes.
    Found(Kind, Certainty, u64),
}

/// Why a value stays as it is.
#[derive(Debug)]
pub(super) struct Refused {
    pub(super) code: &'static str,
    /// The member, where it is one of a document.
    pub(super) path: Option<String>,
}

impl Tally {
    pub(super) const fn refused(code: ErrorCode) -> Self {
        let code = code.as_str();
        Self::Refused(Refused { code, path: None })
    }
}

impl Counts {
    /// Counts what became of a value.
    pub(super) fn add(&mut self, tally: &Tally) {
        self.scanned += 1;
        match tally {
            Tally::Null => self.null += 1,
            Tally::Current => self.current += 1,
            Tally::Reindexed => self.reindexed += 1,
            Tally::Resealed(moved) => match self.resealed.get_mut(moved) {
                Some(count) => *count += 1,
                None => _ = self.resealed.insert(moved.clone(), 1),
            },
            Tally::Found(kind, certainty, bytes) => {
                let found = self.found.entry((kind.clone(), *certainty)).or_default();
                found.values += 1;
                found.bytes += bytes;
            }
            Tally::Refused(Refused { code, .. }) => {
                *self.refused.entry((*code).into()).or_default() += 1;
            }
        }
    }
}

/// What a value is in, judged without any key.
pub(super) fn found(column: &Column, stored: Stored<'_>) -> Tally {
    match column.classify(Some(stored)) {
        Classified::Null => Tally::Null,
        Classified::Unknown => Tally::refused(ErrorCode::FormatMismatch),
        Classified::In { origin, certainty } => {
            Tally::Found(origin.into(), certainty, bytes(stored))
        }
    }
}

pub(super) fn bytes(stored: Stored<'_>) -> u64 {
    stored.as_bytes().len().try_into().unwrap_or(u64::MAX)
}
