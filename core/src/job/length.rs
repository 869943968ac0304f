//! How long values are, and how long they become.

use super::{
    Cell, Dialect, Statement,
    apply::Run,
    catalog::Shape,
    dialect::Phrase,
    halt::Halt,
    report::{Finding, Length},
    walk::{ValueColumn, Walk},
};
use crate::codec::{CodecKind, Form};
use alloc::{format, vec::Vec};

impl Walk {
    /// The statement whose row [`longest`] reads: the most characters and the most bytes of a value.
    pub(super) fn lengths(&self, value: &ValueColumn) -> Statement {
        let name = self.name(&value.info.name);
        let what = match (self.dialect, value.shape) {
            (Dialect::Postgres, Shape::Bytes) => {
                format!("max(octet_length({name})), max(octet_length({name}))")
            }
            (Dialect::Postgres, _) => {
                format!("max(char_length({name}::text)), max(octet_length({name}::text))")
            }
            (Dialect::Mysql, Shape::Bytes) => format!("MAX(LENGTH({name})), MAX(LENGTH({name}))"),
            (Dialect::Mysql, _) => {
                format!("MAX(CHAR_LENGTH({name})), MAX(LENGTH(CONVERT({name} USING utf8mb4)))")
            }
            (Dialect::Sqlite, _) => {
                format!("max(length({name})), max(length(CAST({name} AS BLOB)))")
            }
        };
        let mut phrase = Phrase::new(self.dialect, &format!("SELECT {what} FROM "));
        phrase.push(&self.from());
        self.push_filter(&mut phrase);
        phrase.done()
    }
}

impl Run {
    /// Measures the values of a walk.
    pub(super) async fn measure(&mut self, walk: &Walk) -> Result<(), Halt> {
        for value in &walk.values {
            self.measure_terms(value);
            let rows = self.line.query(walk.lengths(value)).await?;
            let Some((longest, bytes)) = longest(&rows) else {
                continue;
            };
            let Some(target) = self.targets.get(value.target) else {
                continue;
            };
            let form = match value.shape {
                Shape::Bytes => Form::Binary,
                _ => Form::Text,
            };
            // What Rails stores may be compressed, and then says nothing about what it opens to.
            let is_compressed = target.column.kinds().any(|kind| kind == CodecKind::Rails);
            let bound = target.column.sealed_len(bytes, form);
            let bound = bound.filter(|_| !is_compressed);
            let length = Length {
                longest,
                needed: 0,
                bound: bound.filter(|_| target.spec.path.is_none()),
                allowed: value.info.max_chars,
                is_sample: self.options.sample_one_in.is_some_and(|one_in| one_in > 1),
            };
            self.lengths.insert(value.target, length);
        }
        Ok(())
    }

    /// Terms are of one length, whatever the values.
    fn measure_terms(&mut self, value: &ValueColumn) {
        let target = self.targets.get(value.target);
        let indexes = target.into_iter().flat_map(|it| &it.spec.indexes);
        for (index, term) in indexes.zip(&value.terms) {
            let needed = index.index.term_chars();
            if let Some(allowed) = term.max_chars.filter(|allowed| *allowed < needed) {
                let finding = too_short("a term", needed, &term.name, allowed);
                self.findings.push((value.target, finding));
            }
        }
    }
}

fn too_short(what: &str, needed: usize, column: &str, allowed: usize) -> Finding {
    Finding {
        code: "column-too-short",
        message: format!(
            "{what} takes {needed} characters, and {column} {allowed}: make it at least {needed}"
        ),
    }
}

/// The most characters and the most bytes of a value; nothing where there is none.
pub(super) fn longest(rows: &[Vec<Cell>]) -> Option<(usize, usize)> {
    let [chars, bytes] = rows.first()?.as_slice() else {
        return None;
    };
    let number = |cell: &Cell| cell.as_int().and_then(|it| usize::try_from(it).ok());
    number(chars).zip(number(bytes))
}

impl Length {
    /// What is to be said of it; nothing where everything fits.
    pub(super) fn finding(&self) -> Option<Finding> {
        let allowed = self.allowed?;
        let alter = |needed| format!("make it at least {needed}");
        if self.needed > allowed {
            return Some(too_short("a new value", self.needed, "the column", allowed));
        }
        match self.bound {
            Some(bound) if self.is_sample && bound > allowed => Some(Finding {
                code: "column-maybe-too-short",
                message: format!(
                    "a value as long as the longest takes up to {bound} characters, and the \
                     column {allowed}: {}",
                    alter(bound)
                ),
            }),
            None if self.is_sample => Some(Finding {
                code: "length-unknown",
                message: format!(
                    "the column takes {allowed} characters, and a sample does not show whether \
                     that is enough for all: plan without a sample"
                ),
            }),
            _ => None,
        }
    }
}
