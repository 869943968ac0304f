//! What is bound to a value, and the terms that stand beside it.

use super::{Cell, Target, rows::Taker, walk::Row};
use crate::{
    codec::Stored,
    context::{Context, ContextValue},
    error::Result,
};
use alloc::vec::Vec;

impl Taker<'_> {
    /// The terms of the blind indexes, without the row among their facts.
    pub(super) fn terms(
        &self,
        target: &Target,
        row: &Row,
        old: Stored<'_>,
        facts: &Context,
    ) -> Result<Vec<Cell>> {
        if target.spec.indexes.is_empty() {
            return Ok(Vec::new());
        }
        let read = target.column.open_as_sealed(old, facts)?;
        let facts = self.facts(target, row, false)?;
        let terms = target.spec.indexes.iter().map(|index| {
            let term = target.column.term_of(&index.name, &read, &facts)?;
            Ok(term.into())
        });
        terms.collect()
    }

    /// What the row has, with or without its id.
    pub(super) fn facts(&self, target: &Target, row: &Row, with_row: bool) -> Result<Context> {
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
}

/// Whether a row has these terms.
pub(super) fn same_terms(there: &[Cell], terms: &[Cell]) -> bool {
    let is_same = |(there, term): (&Cell, &Cell)| match there {
        // Some drivers give text of a binary collation as bytes.
        Cell::Bytes(_) => there.as_text().is_some() && there.as_text() == term.as_text(),
        there => there.is_same(term),
    };
    there.len() == terms.len() && there.iter().zip(terms).all(is_same)
}

fn context_value(cell: &Cell) -> Option<ContextValue<'_>> {
    match cell {
        Cell::Int(number) => Some((*number).into()),
        Cell::Text(text) => Some(text.as_str().into()),
        Cell::Bytes(bytes) => Some(bytes.as_slice().into()),
        Cell::Null | Cell::Other => None,
    }
}
