//! The dialects of SQL, and a statement in the making.

use super::{Cell, Statement};
use alloc::{format, string::String, vec::Vec};
use core::fmt::Write as _;

/// A dialect of SQL. MariaDB and MySQL are one.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Dialect {
    /// PostgreSQL.
    Postgres,
    /// MySQL and MariaDB.
    Mysql,
    /// SQLite, from 3.33.
    Sqlite,
}

impl Dialect {
    /// A name, quoted. A manifest holds no control characters, so that there is no zero byte.
    pub(super) fn quoted(self, name: &str) -> String {
        let quote = match self {
            Self::Mysql => '`',
            Self::Postgres | Self::Sqlite => '"',
        };
        let mut quoted = String::with_capacity(name.len() + 2);
        quoted.push(quote);
        for char in name.chars() {
            if char == quote {
                quoted.push(quote);
            }
            quoted.push(char);
        }
        quoted.push(quote);
        quoted
    }

    /// A table of the manifest, quoted; what stands before the first dot is its schema.
    pub(super) fn table(self, name: &str) -> String {
        match split_table(name) {
            (Some(schema), table) => format!("{}.{}", self.quoted(schema), self.quoted(table)),
            (None, table) => self.quoted(table),
        }
    }
}

/// The schema of a table, and its own name.
pub(super) fn split_table(name: &str) -> (Option<&str>, &str) {
    match name.split_once('.') {
        Some((schema, table)) if !schema.is_empty() && !table.is_empty() => (Some(schema), table),
        _ => (None, name),
    }
}

/// A statement in the making: its parameters stand in the order in which they are pushed.
#[derive(Debug)]
pub(super) struct Phrase {
    dialect: Dialect,
    sql: String,
    params: Vec<Cell>,
}

impl Phrase {
    pub(super) fn new(dialect: Dialect, sql: &str) -> Self {
        Self {
            dialect,
            sql: sql.into(),
            params: Vec::new(),
        }
    }

    /// Words that we wrote, or that are quoted.
    pub(super) fn push(&mut self, sql: &str) -> &mut Self {
        self.sql.push_str(sql);
        self
    }

    pub(super) fn value(&mut self, cell: impl Into<Cell>) -> &mut Self {
        self.params.push(cell.into());
        match self.dialect {
            Dialect::Postgres => {
                // Writing into a string never fails.
                let _written = write!(self.sql, "${}", self.params.len());
            }
            Dialect::Mysql | Dialect::Sqlite => self.sql.push('?'),
        }
        self
    }

    /// Each item by itself, with words between them.
    pub(super) fn list<T>(
        &mut self,
        between: &str,
        items: impl IntoIterator<Item = T>,
        mut each: impl FnMut(&mut Self, T),
    ) -> &mut Self {
        for (place, item) in items.into_iter().enumerate() {
            if place > 0 {
                self.push(between);
            }
            each(self, item);
        }
        self
    }

    pub(super) fn done(self) -> Statement {
        Statement {
            sql: self.sql,
            params: self.params,
        }
    }
}
