//! Swaps: the statements that put new values in the place of those that were read, and of no others.

use super::{
    Cell, Dialect, Statement,
    catalog::{Info, Shape},
    dialect::Phrase,
    walk::{ValueColumn, Walk, mysql_key},
};
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;
use data_encoding::HEXLOWER;
use zeroize::Zeroizing;

/// SQLite takes 32,766 parameters, MySQL 65,535.
const MAX_PARAMS: usize = 32_000;

/// What is to replace the values of a row.
#[derive(Clone, Debug)]
pub(super) struct Change {
    pub(super) key: Vec<Cell>,
    /// In the order of [`Walk::facts`].
    pub(super) facts: Vec<Cell>,
    /// In the order of the columns.
    pub(super) swaps: Vec<Swap>,
}

#[derive(Clone, Debug)]
pub(super) struct Swap {
    /// The place among [`Walk::values`].
    pub(super) column: usize,
    pub(super) old: Cell,
    pub(super) new: Cell,
    /// One for each of [`ValueColumn::terms`].
    pub(super) terms: Vec<Cell>,
}

impl Walk {
    /// The statements that swap the values of rows, each only where it is still the one that was
    /// read, compared byte by byte, and where what is bound to it is what it was. All changes are of
    /// the same columns. With each statement, how many changes it makes.
    pub(super) fn swaps(&self, changes: &[&Change]) -> Vec<(Statement, u64)> {
        let Some(first) = changes.first() else {
            return Vec::new();
        };
        let width: usize = first.swaps.iter().map(|swap| 2 + swap.terms.len()).sum();
        let width = self.keys.len() + self.facts.len() + width;
        let rows = (MAX_PARAMS / width).max(1);
        let statements = changes.chunks(rows);
        statements
            .map(|rows| {
                let statement = match self.dialect {
                    Dialect::Postgres => self.postgres_swap(rows),
                    Dialect::Mysql => self.mysql_swap(rows),
                    Dialect::Sqlite => self.sqlite_swap(rows),
                };
                (statement, rows.len().try_into().unwrap_or(u64::MAX))
            })
            .collect()
    }

    fn postgres_swap(&self, rows: &[&Change]) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "UPDATE ");
        let columns = self.columns_of(rows);
        phrase.push(&self.from()).push(" SET ");
        self.push_sets(&mut phrase, &columns);
        phrase.push(" FROM unnest(");
        let bound = self.bound(&columns);
        let types = self.array_types(&bound, &columns);
        phrase.list(", ", types.into_iter().enumerate(), |phrase, (at, of)| {
            phrase.value(array(rows, &bound, at)).push(of);
        });
        phrase.push(") AS reseal_v(");
        self.push_given(&mut phrase, &bound, &columns);
        phrase.push(")");
        self.push_filter(&mut phrase);
        self.push_key_is_given(&mut phrase);
        self.push_bound_facts(&mut phrase, &bound);
        self.push_olds(&mut phrase, &columns);
        phrase.done()
    }

    fn mysql_swap(&self, rows: &[&Change]) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "UPDATE ");
        let columns = self.columns_of(rows);
        let bound = self.bound(&columns);
        phrase.push(&self.from()).push(" JOIN (");
        phrase.list(" UNION ALL ", rows, |phrase, change| {
            phrase.push("SELECT ");
            for (place, (cell, key)) in change.key.iter().zip(&self.keys).enumerate() {
                mysql_key(phrase, &key.info, cell).push(&format!(" AS reseal_k{place}, "));
            }
            for (fact, info, cell) in change.bound(&bound, &self.facts) {
                if info.is_mysql_integer() {
                    mysql_key(phrase, info, cell);
                } else {
                    phrase
                        .push("CAST(")
                        .value(in_bytes(cell))
                        .push(" AS BINARY)");
                }
                phrase.push(&format!(" AS reseal_f{fact}, "));
            }
            let swaps = change.swaps.iter().enumerate();
            phrase.list(", ", swaps, |phrase, (place, swap)| {
                phrase.push("CAST(").value(in_bytes(&swap.old));
                phrase.push(&format!(" AS BINARY) AS reseal_o{place}, "));
                mysql_new(phrase, &swap.new).push(&format!(" AS reseal_n{place}"));
                for (at, term) in swap.terms.iter().enumerate() {
                    let named = format!(" AS reseal_t{place}_{at}");
                    mysql_new(phrase.push(", "), term).push(&named);
                }
            });
        });
        phrase.push(") AS reseal_v ON ");
        phrase.list(
            " AND ",
            self.keys.iter().enumerate(),
            |phrase, (place, key)| {
                let name = self.name(&key.info.name);
                phrase.push(&format!("{name} = reseal_v.reseal_k{place}"));
            },
        );
        phrase.push(" SET ");
        self.push_sets(&mut phrase, &columns);
        for kept in &self.kept {
            let name = self.name(kept);
            phrase.push(&format!(", {name} = {name}"));
        }
        self.push_filter(&mut phrase);
        self.push_bound_facts(&mut phrase, &bound);
        self.push_olds(&mut phrase, &columns);
        phrase.done()
    }

    fn sqlite_swap(&self, rows: &[&Change]) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "WITH reseal_v(");
        let columns = self.columns_of(rows);
        let bound = self.bound(&columns);
        self.push_given(&mut phrase, &bound, &columns);
        phrase.push(") AS (VALUES ");
        phrase.list(", ", rows, |phrase, change| {
            phrase.push("(");
            phrase.list(", ", change.cells(&bound), |phrase, cell| {
                phrase.value(cell.clone());
            });
            phrase.push(")");
        });
        phrase.push(") UPDATE ");
        if self.nature.replaces() {
            // Not everywhere: it is of the statements of triggers as well, whatever they say themselves.
            phrase.push("OR ABORT ");
        }
        phrase.push(&self.from()).push(" SET ");
        self.push_sets(&mut phrase, &columns);
        phrase.push(" FROM reseal_v");
        self.push_filter(&mut phrase);
        self.push_key_is_given(&mut phrase);
        self.push_bound_facts(&mut phrase, &bound);
        self.push_olds(&mut phrase, &columns);
        phrase.done()
    }

    /// The columns that changes are of.
    fn columns_of(&self, rows: &[&Change]) -> Vec<&ValueColumn> {
        let swaps = rows.first().into_iter().flat_map(|row| &row.swaps);
        swaps
            .filter_map(|swap| self.values.get(swap.column))
            .collect()
    }

    /// The places of the facts that are bound to columns. An id whose values are equal only where they
    /// are the same is compared already.
    fn bound(&self, columns: &[&ValueColumn]) -> Vec<usize> {
        let is_exact = |info: &Info| {
            let key = self.keys.iter().find(|key| key.info.name == info.name);
            key.is_some_and(|key| {
                key.collation.is_none() && info.shape(self.dialect) != Shape::Text
            })
        };
        let facts = self.facts.iter().enumerate();
        facts
            .filter(|(at, info)| {
                columns.iter().any(|column| column.facts.contains(at)) && !is_exact(info)
            })
            .map(|(at, _)| at)
            .collect()
    }

    /// What is bound is still what was read, byte by byte.
    fn push_bound_facts(&self, phrase: &mut Phrase, bound: &[usize]) {
        for fact in bound {
            let Some(info) = self.facts.get(*fact) else {
                continue;
            };
            let given = format!("reseal_v.reseal_f{fact}");
            let name = self.name(&info.name);
            let same = if self.dialect == Dialect::Mysql && info.is_mysql_integer() {
                format!("{name} <=> {given}")
            } else {
                self.is_same(&name, info.shape(self.dialect), &given)
            };
            phrase.push(" AND ").push(&same);
        }
    }

    /// `c = reseal_n0, term = reseal_t0_0`. MySQL joins tables here, so that names need theirs.
    fn push_sets(&self, phrase: &mut Phrase, columns: &[&ValueColumn]) {
        let name = |column: &str| match self.dialect {
            Dialect::Mysql => self.name(column),
            _ => self.dialect.quoted(column),
        };
        let columns = columns.iter().enumerate();
        phrase.list(", ", columns, |phrase, (place, column)| {
            let cast = match (self.dialect, column.shape) {
                // Other types take text by themselves; a cast to one of limited length would cut.
                (Dialect::Postgres, Shape::Json) => format!("::{}", column.info.declared),
                _ => String::new(),
            };
            let set = name(&column.info.name);
            phrase.push(&format!("{set} = reseal_v.reseal_n{place}{cast}"));
            for (at, term) in column.terms.iter().enumerate() {
                let set = name(&term.name);
                phrase.push(&format!(", {set} = reseal_v.reseal_t{place}_{at}"));
            }
        });
    }

    /// Each value is still the one that was read, byte by byte, whatever its collation takes for
    /// equal.
    fn push_olds(&self, phrase: &mut Phrase, columns: &[&ValueColumn]) {
        for (place, column) in columns.iter().enumerate() {
            let name = self.name(&column.info.name);
            let old = format!("reseal_v.reseal_o{place}");
            let same = self.is_same(&name, column.shape, &old);
            phrase.push(" AND ").push(&same);
        }
    }

    /// Whether a column holds what was read of it, which may be NULL.
    fn is_same(&self, name: &str, shape: Shape, old: &str) -> String {
        match (self.dialect, shape) {
            (Dialect::Postgres, Shape::Bytes) => format!("{name} IS NOT DISTINCT FROM {old}"),
            (Dialect::Postgres, _) => {
                format!("{name}::text COLLATE \"C\" IS NOT DISTINCT FROM {old}")
            }
            (Dialect::Mysql, Shape::Bytes) => format!("{name} <=> {old}"),
            (Dialect::Mysql, Shape::Unfit) => {
                format!("CAST(CAST({name} AS CHAR) AS BINARY) <=> {old}")
            }
            (Dialect::Mysql, _) => {
                format!("CAST(CONVERT({name} USING utf8mb4) AS BINARY) <=> {old}")
            }
            (Dialect::Sqlite, _) => {
                format!("typeof({name}) = typeof({old}) AND {name} IS {old} COLLATE BINARY")
            }
        }
    }

    fn array_types(&self, bound: &[usize], columns: &[&ValueColumn]) -> Vec<&'static str> {
        let array_of = |shape| match shape {
            Shape::Bytes => "::bytea[]",
            _ => "::text[]",
        };
        let mut types = alloc::vec!["::text[]"; self.keys.len()];
        let facts = bound.iter().filter_map(|fact| self.facts.get(*fact));
        types.extend(facts.map(|info| array_of(info.shape(self.dialect))));
        for column in columns {
            let of = array_of(column.shape);
            types.extend([of, of]);
            types.extend(column.terms.iter().map(|_| "::text[]"));
        }
        types
    }
}

impl Change {
    /// The facts that are bound, each with its place and its column.
    fn bound<'c>(
        &'c self,
        bound: &'c [usize],
        facts: &'c [Info],
    ) -> impl Iterator<Item = (usize, &'c Info, &'c Cell)> {
        bound
            .iter()
            .filter_map(|at| Some((*at, facts.get(*at)?, self.facts.get(*at)?)))
    }

    /// Its cells in the order of the columns of `reseal_v`.
    fn cells<'c>(&'c self, bound: &'c [usize]) -> impl Iterator<Item = &'c Cell> {
        let facts = bound.iter().filter_map(|fact| self.facts.get(*fact));
        let swaps = self.swaps.iter();
        self.key
            .iter()
            .chain(facts)
            .chain(swaps.flat_map(|swap| [&swap.old, &swap.new].into_iter().chain(&swap.terms)))
    }
}

/// The cells of all changes at one place, as the text of an array of PostgreSQL: drivers would make
/// it of each cell by itself, and take longer over that than the server over the statement.
fn array(rows: &[&Change], bound: &[usize], at: usize) -> Cell {
    let cells = || rows.iter().filter_map(|row| row.cells(bound).nth(at));
    // What grows leaves a copy behind.
    let chars: usize = cells().map(item_chars).sum();
    let mut text = Zeroizing::new(String::with_capacity(2 + chars));
    text.push('{');
    for (place, cell) in cells().enumerate() {
        if place > 0 {
            text.push(',');
        }
        push_item(&mut text, cell);
    }
    text.push('}');
    Cell::Text(text)
}

/// Whether a backslash stands before it.
const fn is_delicate(byte: u8) -> bool {
    matches!(byte, b'"' | b'\\')
}

/// At most so many has an item, with the comma.
fn item_chars(cell: &Cell) -> usize {
    match cell {
        Cell::Text(text) => 3 + text.len() + text.bytes().filter(|byte| is_delicate(*byte)).count(),
        Cell::Bytes(bytes) => 6 + 2 * bytes.len(),
        Cell::Null | Cell::Other | Cell::Int(_) => 21,
    }
}

fn push_item(array: &mut String, cell: &Cell) {
    match cell {
        Cell::Null | Cell::Other => array.push_str("NULL"),
        Cell::Int(number) => {
            // Writing into a string never fails.
            let _written = write!(array, "{number}");
        }
        Cell::Text(text) => {
            array.push('"');
            let mut rest = text.as_str();
            while let Some(at) = rest.bytes().position(is_delicate) {
                let (before, after) = rest.split_at(at);
                array.push_str(before);
                array.push('\\');
                let (char, after) = after.split_at(1);
                array.push_str(char);
                rest = after;
            }
            array.push_str(rest);
            array.push('"');
        }
        Cell::Bytes(bytes) => {
            array.push_str(r#""\\x"#);
            HEXLOWER.encode_append(bytes, array);
            array.push('"');
        }
    }
}

/// A value that MySQL stores, of the length that it has.
fn mysql_new<'p>(phrase: &'p mut Phrase, cell: &Cell) -> &'p mut Phrase {
    match cell {
        Cell::Bytes(_) => phrase.push("CAST(").value(cell.clone()).push(" AS BINARY)"),
        _ => phrase
            .push("CONVERT(")
            .value(cell.clone())
            .push(" USING utf8mb4)"),
    }
}

/// Text as its bytes: as such, no character set of a connection changes it.
fn in_bytes(cell: &Cell) -> Cell {
    match cell {
        Cell::Text(text) => text.as_bytes().to_vec().into(),
        other => other.clone(),
    }
}
