//! The census by keys alone: one statement counts the envelopes of a column by the public start that
//! they have in common, and no value leaves the database.

use super::{
    Cell, Counts, Dialect, Statement, Target,
    apply::Run,
    batch::of_another_width,
    catalog::Shape,
    dialect::Phrase,
    halt::Halt,
    report::{Amount, Finding},
    tally::{Tally, found},
    walk::{ValueColumn, Walk},
};
use crate::{
    codec::{CodecKind, Stored},
    envelope::{HEADER_BYTES, OVERHEAD_BYTES, TEXT_PREFIX_CHARS},
};
use alloc::{format, string::String, vec::Vec};

/// Two characters more show the mode.
const SHOWN_CHARS: usize = TEXT_PREFIX_CHARS + 2;
/// An envelope with this many characters is one of any mode.
const WHOLE_CHARS: usize = TEXT_PREFIX_CHARS + 56;

impl Walk {
    /// Whether all its columns can be counted by keys alone: other formats are not recognised by
    /// their start.
    pub(super) fn has_prefixes(&self, targets: &[Target]) -> bool {
        self.values.iter().all(|value| {
            let target = targets.get(value.target);
            target.is_some_and(|target| {
                let kinds = [CodecKind::Reseal, CodecKind::Plain];
                // What is a string in a document begins with a quotation mark.
                let is_whole = target.spec.path.is_none() && value.shape != Shape::Json;
                is_whole && target.column.kinds().all(|it| kinds.contains(&it))
            })
        })
    }

    /// The statement whose rows [`count`] reads: how many values have a start, and their bytes. What
    /// is no envelope has an empty one.
    pub(super) fn prefixes(&self, value: &ValueColumn) -> Statement {
        let mut phrase = Phrase::new(
            self.dialect,
            "SELECT reseal_p, count(*), sum(reseal_l) FROM (",
        );
        let (start, bytes) = self.start(value);
        phrase.push(&format!(
            "SELECT {start} AS reseal_p, {bytes} AS reseal_l FROM "
        ));
        phrase.push(&self.source());
        self.push_filter(&mut phrase);
        self.push_sample(&mut phrase);
        if self.dialect == Dialect::Postgres {
            // It would expect as many starts as there are values, and sort them all on disk.
            phrase.push(" OFFSET 0");
        }
        phrase.push(") AS reseal_g GROUP BY reseal_p");
        phrase.done()
    }

    /// The start of a value, and its length in bytes. Starts are compared byte by byte.
    fn start(&self, value: &ValueColumn) -> (String, String) {
        let name = self.name(&value.info.name);
        let (magic, rs) = match self.dialect {
            Dialect::Postgres => ("decode('c15e5253', 'hex')", "decode('7273', 'hex')"),
            _ => ("x'c15e5253'", "x'7273'"),
        };
        let chars = SHOWN_CHARS;
        let header = HEADER_BYTES;
        match (self.dialect, value.shape) {
            (Dialect::Postgres, Shape::Bytes) => (
                format!(
                    "CASE WHEN substr({name}, 1, 4) = {magic} THEN substr({name}, 1, {header}) \
                     WHEN substr({name}, 1, 2) = {rs} THEN substr({name}, 1, {chars}) \
                     WHEN {name} IS NOT NULL THEN substr({name}, 1, 0) END"
                ),
                format!("octet_length({name})"),
            ),
            (Dialect::Postgres, _) => (
                format!(
                    "CASE WHEN {name}::text COLLATE \"C\" LIKE 'rs_.%' \
                     THEN left({name}::text, {chars}) COLLATE \"C\" \
                     WHEN {name} IS NOT NULL THEN '' END"
                ),
                format!("octet_length({name}::text)"),
            ),
            (Dialect::Mysql, Shape::Bytes) => (
                format!(
                    "CASE WHEN LEFT({name}, 4) = {magic} THEN LEFT({name}, {header}) \
                     WHEN LEFT({name}, 2) = {rs} THEN LEFT({name}, {chars}) \
                     WHEN {name} IS NOT NULL THEN x'' END"
                ),
                format!("LENGTH({name})"),
            ),
            (Dialect::Mysql, _) => {
                let text = format!("CONVERT({name} USING utf8mb4)");
                (
                    format!(
                        "CASE WHEN {name} LIKE 'rs_.%' \
                         THEN CAST(LEFT({text}, {chars}) AS BINARY) \
                         WHEN {name} IS NOT NULL THEN x'' END"
                    ),
                    format!("LENGTH({text})"),
                )
            }
            // A number that is no integer is none of a column's values, and stays one here. Where SQLite
            // is so built, bytes match no pattern, and must be text for it.
            (Dialect::Sqlite, _) => (
                format!(
                    "CASE WHEN {name} GLOB 'rs?.*' OR typeof({name}) = 'blob' \
                     AND CAST(substr({name}, 1, {chars}) AS TEXT) GLOB 'rs?.*' \
                     THEN substr({name}, 1, {chars}) \
                     WHEN typeof({name}) = 'blob' AND substr({name}, 1, 4) = {magic} \
                     THEN substr({name}, 1, {header}) WHEN typeof({name}) = 'real' THEN 0.5 \
                     WHEN {name} IS NOT NULL THEN '' END"
                ),
                format!("length(CAST({name} AS BLOB))"),
            ),
        }
    }

    /// The index with which the values under one key are found without reading the table.
    pub(super) fn key_index(&self, value: &ValueColumn) -> Finding {
        let (table, name) = (self.from(), self.dialect.quoted(&value.info.name));
        let chars = TEXT_PREFIX_CHARS;
        let (of, condition) = match (self.dialect, value.shape) {
            (Dialect::Mysql, Shape::Bytes) => (
                format!("{name}({})", HEADER_BYTES - 1),
                format!("{name} LIKE CONCAT(x'c15e525301', <key id>, '%')"),
            ),
            (Dialect::Mysql, _) => (
                format!("{name}({chars})"),
                format!("{name} LIKE 'rs1.<key id>.%'"),
            ),
            (Dialect::Postgres, Shape::Bytes) => {
                let of = format!("(substr({name}, 1, {}))", HEADER_BYTES - 1);
                (of.clone(), format!("{of} = '\\xc15e525301' || <key id>"))
            }
            (Dialect::Postgres, _) => {
                let of = format!("(left({name}, {chars}))");
                (of.clone(), format!("{of} = 'rs1.<key id>.'"))
            }
            // A type is a wish there, and this one is of those that seal bytes.
            (Dialect::Sqlite, _) if value.info.base.contains("blob") => {
                let of = format!("substr({name}, 1, {})", HEADER_BYTES - 1);
                let start = "CAST(x'c15e525301' || <key id> AS BLOB)";
                (of.clone(), format!("{of} = {start}"))
            }
            (Dialect::Sqlite, _) => {
                let of = format!("substr({name}, 1, {chars})");
                (of.clone(), format!("{of} = 'rs1.<key id>.'"))
            }
        };
        let index = self.dialect.quoted(&format!("{}_key", value.info.name));
        Finding {
            code: "key-index",
            message: format!(
                "to find what is under one key without reading the table, WHERE {condition}: \
                 CREATE INDEX {index} ON {table} ({of})"
            ),
        }
    }
}

impl Run {
    /// Counts a walk by keys alone.
    pub(super) async fn count_prefixes(&mut self, walk: &Walk) -> Result<(), Halt> {
        let mut next = self.progress.clone();
        let mut findings = Vec::new();
        for value in &walk.values {
            let rows = self.line.query(walk.prefixes(value)).await?;
            let target = self.targets.get(value.target);
            let counted = target.zip(next.counts(value.target));
            let counted = counted.and_then(|(target, counts)| count(target, &rows, counts));
            counted.ok_or_else(of_another_width)?;
            findings.push((value.target, walk.key_index(value)));
        }
        next.end_walk();
        self.findings.extend(findings);
        self.progress = next;
        self.tell_progress(walk).await;
        Ok(())
    }
}

/// Counts the rows of [`Walk::prefixes`]. What is damaged behind its start is not seen.
pub(super) fn count(target: &Target, rows: &[Vec<Cell>], counts: &mut Counts) -> Option<()> {
    for row in rows {
        let [start, values, bytes] = row.as_slice() else {
            return None;
        };
        let values = u64::try_from(values.as_int()?).ok()?;
        let bytes = bytes.as_int().and_then(|bytes| u64::try_from(bytes).ok());
        counts.scanned += values;
        match tally(target, start) {
            Tally::Null => counts.null += values,
            Tally::Found(kind, certainty, _) => {
                let Amount {
                    values: all,
                    bytes: sum,
                } = counts.found.entry((kind, certainty)).or_default();
                *all += values;
                *sum += bytes.unwrap_or_default();
            }
            Tally::Refused(refused) => {
                *counts.refused.entry(refused.code.into()).or_default() += values;
            }
            Tally::Current | Tally::Reindexed | Tally::Resealed(_) => {}
        }
    }
    Some(())
}

/// What a value is whose start this is: it is judged as an envelope of the shortest length.
fn tally(target: &Target, start: &Cell) -> Tally {
    let column = &target.column;
    match start {
        Cell::Null => Tally::Null,
        Cell::Text(text) => found(column, Stored::Text(&whole(text))),
        Cell::Bytes(bytes) => {
            if let Ok(text) = core::str::from_utf8(bytes) {
                return found(column, Stored::Text(&whole(text)));
            }
            let mut bytes = bytes.to_vec();
            if bytes.len() == HEADER_BYTES {
                bytes.resize(OVERHEAD_BYTES + 1, 0);
            }
            found(column, Stored::Bytes(&bytes))
        }
        _ => Tally::refused(crate::error::ErrorCode::ValueInvalid),
    }
}

fn whole(start: &str) -> String {
    let mut text = String::from(start);
    if start.len() == SHOWN_CHARS {
        text.extend(core::iter::repeat_n('A', WHOLE_CHARS - SHOWN_CHARS));
    }
    text
}
