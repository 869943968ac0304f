//! Whether the columns of a manifest go together.

use super::ColumnSpec;
use crate::{
    codec::CodecKind,
    manifest::{path::JsonPath, read::Table},
    sorted::SortedMap,
};
use alloc::{format, string::String, vec::Vec};

/// A table and one of its columns.
type Name = (String, String);

/// The columns so far, by table and column.
#[derive(Default)]
pub(super) struct Seen {
    sealed: SortedMap<Name, Vec<Rows>>,
    /// What rows are found by, or values are bound to, and the place that says so.
    bound: SortedMap<Name, String>,
    /// What terms stand in, the column that they are of, and the place that says so.
    terms: SortedMap<Name, (String, String)>,
}

/// Which values of a column, and the place of the first one.
struct Rows {
    filter: Option<String>,
    path: Option<JsonPath>,
    place: String,
    /// Whether a job may write other bytes there.
    is_rewritten: bool,
}

impl Seen {
    /// Refuses a column that is there already, and one whose bytes change while others depend on them.
    pub(super) fn add(&mut self, spec: &ColumnSpec, table: &Table<'_, '_>) {
        if spec.table.is_empty() || spec.column.is_empty() {
            return;
        }
        self.index(spec, table);
        self.bind(spec, table);
        self.seal(spec, table);
    }

    /// Notes where the terms of a column stand. Parts of one column may have theirs in one place.
    fn index(&mut self, spec: &ColumnSpec, table: &Table<'_, '_>) {
        for index in &spec.indexes {
            let name = (spec.table.clone(), index.column.clone());
            let sealed = self.sealed.get(&name).and_then(|rows| rows.first());
            let others = self.terms.get(&name).filter(|(of, _)| *of != spec.column);
            let place = sealed.map(|rows| &rows.place).or(self.bound.get(&name));
            if let Some(place) = place.or(others.map(|(_, place)| place)) {
                let column = &index.column;
                table.wrong("indexes", shared(column, place));
            }
            if !self.terms.contains_key(&name) {
                let terms = (spec.column.clone(), table.place.clone());
                self.terms.insert(name, terms);
            }
        }
    }

    /// Notes what a column depends on.
    fn bind(&mut self, spec: &ColumnSpec, table: &Table<'_, '_>) {
        for (member, column) in spec.needed().filter(|(_, it)| *it != spec.column) {
            let name = (spec.table.clone(), column.into());
            let mut rows = self.sealed.get(&name).into_iter().flatten();
            if let Some(Rows { place, .. }) = rows.find(|rows| rows.is_rewritten) {
                let message = format!("{column} is sealed itself, by {place}: {APART}");
                table.wrong(member, message);
            }
            self.keep_off_terms(&name, member, table);
            if !self.bound.contains_key(&name) {
                self.bound.insert(name, table.place.clone());
            }
        }
    }

    fn seal(&mut self, spec: &ColumnSpec, table: &Table<'_, '_>) {
        let rows = Rows {
            filter: spec.filter.clone(),
            path: spec.path.clone(),
            place: table.place.clone(),
            is_rewritten: spec.codecs().any(|codec| codec != spec.write)
                || spec.write_kind != CodecKind::Plain,
        };
        let name = (spec.table.clone(), spec.column.clone());
        if rows.is_rewritten
            && let Some(place) = self.bound.get(&name)
        {
            let message = format!("{place} depends on what it holds: {APART}");
            table.wrong("column", message);
        }
        self.keep_off_terms(&name, "column", table);
        let mut before = self.sealed.remove(&name).unwrap_or_default();
        if rows.are_new(&before, table) {
            before.push(rows);
        }
        self.sealed.insert(name, before);
    }

    /// Refuses what stands where an earlier column has its terms. What is of the same column is told by
    /// that one itself.
    fn keep_off_terms(&self, name: &Name, member: &str, table: &Table<'_, '_>) {
        if let Some((_, place)) = self.terms.get(name).filter(|(_, it)| *it != table.place) {
            table.wrong(member, shared(&name.1, place));
        }
    }
}

/// Why no column depends on one that is sealed.
const APART: &str = "a job changes the bytes there, and what depends on them would not be found, or \
                     not open, any more";

/// Why terms stand in no column that is of use otherwise.
fn shared(column: &str, place: &str) -> String {
    format!("an index has a column of its own, and {column} is of {place} as well")
}

impl Rows {
    /// Whether no other column has the same ones. What may overlap is warned of.
    fn are_new(&self, before: &[Self], table: &Table<'_, '_>) -> bool {
        let overlapping = || before.iter().filter(|other| self.overlaps(other));
        if let Some(other) = overlapping().find(|other| other.filter == self.filter) {
            let place = &other.place;
            let how = if other.path == self.path {
                "with the same where and path"
            } else {
                "and the two paths overlap"
            };
            table.wrong("column", format!("{place} is the same column, {how}"));
            return false;
        }
        let whole = |rows: &Self| rows.filter.is_none();
        if let Some(other) = overlapping().find(|other| whole(other) || whole(self)) {
            let place = &other.place;
            table.warn(
                "column",
                format!("{place} has rows of the same column: one of the two has no where"),
            );
        }
        true
    }

    /// Whether they share values where they share rows.
    fn overlaps(&self, other: &Self) -> bool {
        let paths = self.path.as_ref().zip(other.path.as_ref());
        paths.is_none_or(|(path, other)| path.overlaps(other))
    }
}
