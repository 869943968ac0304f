//! A walk over a table: the statements that read its rows in the order of their key.

use super::{
    Cell, Dialect, Statement,
    catalog::{Info, Nature, Shape},
    dialect::Phrase,
};
use alloc::{format, string::String, vec::Vec};
use data_encoding::HEXLOWER;

/// Columns of one table that are walked together.
#[derive(Clone, Debug)]
pub(super) struct Walk {
    pub(super) dialect: Dialect,
    /// As the manifest calls it.
    pub(super) table: String,
    pub(super) nature: Nature,
    /// Whether the former versions of rows are read as well: a row id is then in several rows.
    pub(super) reads_history: bool,
    /// `where`.
    pub(super) filter: Option<String>,
    pub(super) keys: Vec<KeyColumn>,
    pub(super) facts: Vec<Info>,
    pub(super) values: Vec<ValueColumn>,
    /// The columns that MySQL would set to the present time.
    pub(super) kept: Vec<String>,
    /// One row of so many is read.
    pub(super) sample: Option<u32>,
    /// Whether the terms of blind indexes are read as well.
    pub(super) reads_terms: bool,
}

#[derive(Clone, Debug)]
pub(super) struct KeyColumn {
    pub(super) info: Info,
    /// That of the unique key, quoted, where it is another than the column's.
    pub(super) collation: Option<String>,
}

#[derive(Clone, Debug)]
pub(super) struct ValueColumn {
    pub(super) info: Info,
    pub(super) shape: Shape,
    /// Its place among the targets of the job.
    pub(super) target: usize,
    /// The columns of its blind indexes.
    pub(super) terms: Vec<Info>,
    /// The places among [`Walk::facts`] of what is bound to it.
    pub(super) facts: Vec<usize>,
}

/// A bound of keys: how a key compares with it, and how one of its columns does before the last.
struct Bound {
    all: &'static str,
    first: &'static str,
}

const AFTER: Bound = Bound {
    all: ">",
    first: ">",
};
const UNTIL: Bound = Bound {
    all: "<=",
    first: "<",
};

/// A row as it was read.
#[derive(Clone, Debug)]
pub(super) struct Row {
    pub(super) key: Vec<Cell>,
    pub(super) facts: Vec<Cell>,
    pub(super) values: Vec<Cell>,
    /// The terms of each value, where they are read.
    pub(super) terms: Vec<Vec<Cell>>,
}

impl Walk {
    /// The next rows after a key, up to another one.
    pub(super) fn page(
        &self,
        after: Option<&[Cell]>,
        until: Option<&[Cell]>,
        limit: usize,
    ) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "");
        self.push_select(&mut phrase, "");
        self.push_bound(&mut phrase, after, &AFTER);
        self.push_bound(&mut phrase, until, &UNTIL);
        self.push_order(&mut phrase);
        phrase.push(&format!(" LIMIT {limit}"));
        phrase.done()
    }

    /// The key of the last of so many rows after a key; nothing where there are fewer.
    pub(super) fn end_of(&self, after: Option<&[Cell]>, rows: usize) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "SELECT ");
        phrase.list(", ", &self.keys, |phrase, key| {
            phrase.push(&self.read_key(key));
        });
        phrase.push(" FROM ").push(&self.source());
        self.push_filter(&mut phrase);
        self.push_bound(&mut phrase, after, &AFTER);
        self.push_order(&mut phrase);
        phrase.push(&format!(" LIMIT 1 OFFSET {}", rows.saturating_sub(1)));
        phrase.done()
    }

    /// `(a, b) > (…)`; MySQL uses its index only for the form without rows, and in PostgreSQL only that one takes an
    /// operator for each column.
    fn push_bound(&self, phrase: &mut Phrase, key: Option<&[Cell]>, bound: &Bound) {
        let Some(key) = key else { return };
        let pairs: Vec<_> = self.keys.iter().zip(key).collect();
        phrase.push(" AND (");
        if self.dialect != Dialect::Mysql && !self.has_operators() {
            phrase.list(", ", &pairs, |phrase, (key, _)| {
                phrase.push(&self.key(key));
            });
            phrase.push(&format!(") {} (", bound.all));
            phrase.list(", ", &pairs, |phrase, (key, cell)| {
                self.push_key_value(phrase, &key.info, cell);
            });
            phrase.push(")");
            return;
        }
        if let Some((key, cell)) = pairs.first().filter(|_| self.has_operators()) {
            // The alternatives alone would have PostgreSQL read its index from the start.
            self.push_compared(phrase, key, &format!("{}=", bound.first), cell);
            phrase.push(") AND (");
        }
        phrase.list(" OR ", 0..pairs.len(), |phrase, last| {
            phrase.push("(");
            let chain = pairs.iter().take(last + 1).enumerate();
            phrase.list(" AND ", chain, |phrase, (place, (key, cell))| {
                let sign = match place {
                    place if place < last => "=",
                    place if place + 1 < pairs.len() => bound.first,
                    _ => bound.all,
                };
                self.push_compared(phrase, key, sign, cell);
            });
            phrase.push(")");
        });
        phrase.push(")");
    }

    fn push_compared(&self, phrase: &mut Phrase, key: &KeyColumn, sign: &str, cell: &Cell) {
        phrase.push(&format!("{} {} ", self.key(key), key.info.operator(sign)));
        self.push_key_value(phrase, &key.info, cell);
    }

    fn has_operators(&self) -> bool {
        self.keys.iter().any(|key| key.info.operators.is_some())
    }

    fn push_order(&self, phrase: &mut Phrase) {
        phrase.push(" ORDER BY ");
        phrase.list(", ", &self.keys, |phrase, key| {
            phrase.push(&self.key(key));
        });
    }

    /// The rows with these keys, as far as they are still there.
    pub(super) fn rows_at(&self, keys: &[Vec<Cell>]) -> Statement {
        if self.dialect == Dialect::Sqlite || self.has_operators() {
            return self.joined_rows_at(keys);
        }
        let mut phrase = Phrase::new(self.dialect, "");
        self.push_select(&mut phrase, "");
        phrase.push(" AND (");
        phrase.list(", ", &self.keys, |phrase, key| {
            phrase.push(&self.key(key));
        });
        let has_rows = self.keys.len() > 1 && self.dialect == Dialect::Postgres;
        phrase.push(if has_rows { ") IN (VALUES " } else { ") IN (" });
        phrase.list(", ", keys, |phrase, key| {
            phrase.push(if key.len() > 1 { "(" } else { "" });
            phrase.list(", ", key.iter().zip(&self.keys), |phrase, (cell, key)| {
                self.push_key_value(phrase, &key.info, cell);
            });
            phrase.push(if key.len() > 1 { ")" } else { "" });
        });
        phrase.push(")");
        phrase.done()
    }

    /// SQLite uses the index of a composite key for a join, and for no list of rows.
    fn joined_rows_at(&self, keys: &[Vec<Cell>]) -> Statement {
        let mut phrase = Phrase::new(self.dialect, "WITH reseal_v(");
        self.push_given(&mut phrase, &[], &[]);
        phrase.push(") AS (VALUES ");
        phrase.list(", ", keys, |phrase, key| {
            phrase.push("(");
            phrase.list(", ", key, |phrase, cell| {
                match self.dialect {
                    Dialect::Postgres => phrase.value(in_hex(cell)).push("::text"),
                    Dialect::Mysql | Dialect::Sqlite => phrase.value(cell.clone()),
                };
            });
            phrase.push(")");
        });
        phrase.push(") ");
        self.push_select(&mut phrase, ", reseal_v");
        self.push_key_is_given(&mut phrase);
        phrase.done()
    }

    /// What would let rows be missed, also where they are read by their ids: statements that find something there,
    /// and what that is.
    pub(super) fn obstacles(
        &self,
        by_ids: bool,
    ) -> impl Iterator<Item = (Statement, &'static str)> {
        let keyless = "a row has NULL in its row id, so that it cannot be found again";
        let hidden = "its row-level security hides rows from this user: do it as its owner, or as \
                      a user with BYPASSRLS";
        let shared = "a row id is in several rows, of the table and of those that inherit from it, so that one of \
                      them could be missed";
        let of_ids = [(self.keyless_row(), keyless), (self.shared_key(), shared)];
        let all = of_ids.into_iter().filter(move |_| by_ids);
        all.chain([(self.hidden_rows(), hidden)])
            .filter_map(|(statement, what)| Some((statement?, what)))
    }

    /// A row id of several rows: a unique key of PostgreSQL is of one table, without those that inherit from it.
    fn shared_key(&self) -> Option<Statement> {
        self.nature.has_heirs().then(|| {
            let mut phrase = Phrase::new(self.dialect, "SELECT 1 FROM ");
            phrase.push(&self.from());
            self.push_filter(&mut phrase);
            phrase.push(" GROUP BY ");
            phrase.list(", ", &self.keys, |phrase, key| {
                phrase.push(&self.key(key));
            });
            phrase.push(" HAVING count(*) > 1 LIMIT 1");
            phrase.done()
        })
    }

    /// Whether policies hide rows: what is counted would not be all, nor what is rewritten.
    fn hidden_rows(&self) -> Option<Statement> {
        (self.dialect == Dialect::Postgres).then(|| {
            let mut phrase = Phrase::new(self.dialect, "SELECT 1 WHERE row_security_active(");
            phrase.value(self.dialect.table(&self.table).as_str());
            phrase.push("::text::regclass)");
            phrase.done()
        })
    }

    /// A row whose key has no value: such a row could be neither found again nor passed. Those that inherit from a
    /// table may take NULL where the table itself does not.
    fn keyless_row(&self) -> Option<Statement> {
        let takes_null = |key: &&KeyColumn| key.info.is_nullable || self.nature.has_heirs();
        let nullable: Vec<_> = self.keys.iter().filter(takes_null).collect();
        if nullable.is_empty() {
            return None;
        }
        let mut phrase = Phrase::new(self.dialect, "SELECT 1 FROM ");
        phrase.push(&self.from());
        self.push_filter(&mut phrase);
        phrase.push(" AND (");
        phrase.list(" OR ", nullable, |phrase, key| {
            phrase.push(&self.name(&key.info.name)).push(" IS NULL");
        });
        phrase.push(") LIMIT 1");
        Some(phrase.done())
    }

    /// The key of a row as the driver gave it.
    pub(super) fn key_of(&self, cells: &[Cell]) -> Vec<Cell> {
        let key = cells.iter().take(self.key_cells());
        self.with_texts(key.cloned().collect())
    }

    /// A row of [`Self::page`] and [`Self::rows_at`], if the driver gave as many cells as asked for.
    pub(super) fn row(&self, cells: Vec<Cell>) -> Option<Row> {
        let cells = self.with_texts(cells);
        let before_terms = self.keys.len() + self.facts.len() + self.values.len();
        let wanted = before_terms + self.terms().count();
        let mut cells = Some(cells).filter(|cells| cells.len() == wanted)?;
        let mut rest = cells.split_off(before_terms).into_iter();
        let values = cells.split_off(self.keys.len() + self.facts.len());
        let facts = cells.split_off(self.keys.len());
        let each = self.values.iter().map(|value| value.terms.len());
        let terms = each.map(|terms| rest.by_ref().take(terms).collect());
        Some(Row {
            key: cells,
            facts,
            values,
            terms: terms.collect(),
        })
    }

    /// The columns of terms that are read, in the order of their values.
    fn terms(&self) -> impl Iterator<Item = &Info> {
        let values = self.values.iter().filter(|_| self.reads_terms);
        values.flat_map(|value| &value.terms)
    }

    /// All that is read of a row; `joined` stands beside the table.
    fn push_select(&self, phrase: &mut Phrase, joined: &str) {
        phrase.push("SELECT ");
        let keys = self.keys.iter().map(|key| self.read_key(key));
        let values = self.values.iter().map(|value| &value.info);
        let others = self.facts.iter().chain(values).chain(self.terms());
        let others = others.map(|info| self.read(info));
        phrase.list(", ", keys.chain(others), |phrase, expression| {
            phrase.push(&expression);
        });
        phrase.push(" FROM ").push(&self.source()).push(joined);
        self.push_filter(phrase);
        self.push_sample(phrase);
    }

    /// The key is that of `reseal_v`.
    pub(super) fn push_key_is_given(&self, phrase: &mut Phrase) {
        for (place, key) in self.keys.iter().enumerate() {
            let cast = match self.dialect {
                Dialect::Postgres => format!("::{}", key.info.declared),
                Dialect::Mysql | Dialect::Sqlite => String::new(),
            };
            let (name, is) = (self.key(key), key.info.operator("="));
            phrase.push(&format!(" AND {name} {is} reseal_v.reseal_k{place}{cast}"));
        }
    }

    pub(super) fn from(&self) -> String {
        self.dialect.table(&self.table)
    }

    /// The rows that are read.
    pub(super) fn source(&self) -> String {
        let versions = if self.reads_history {
            " FOR SYSTEM_TIME ALL"
        } else {
            ""
        };
        self.from() + versions
    }

    /// A column, with its table: a lone name in double quotes can be text for SQLite.
    pub(super) fn name(&self, column: &str) -> String {
        format!("{}.{}", self.from(), self.dialect.quoted(column))
    }

    pub(super) fn push_filter(&self, phrase: &mut Phrase) {
        // A comment at its end is ended by the line.
        match &self.filter {
            Some(filter) => phrase.push(" WHERE (").push(filter).push("\n)"),
            None => phrase.push(" WHERE 1 = 1"),
        };
    }

    /// Rows that are chosen at random.
    pub(super) fn push_sample(&self, phrase: &mut Phrase) {
        let Some(one_in) = self.sample else { return };
        phrase.push(" AND ").push(&match self.dialect {
            Dialect::Postgres => format!("random() * {one_in} < 1"),
            Dialect::Mysql => format!("RAND() * {one_in} < 1"),
            Dialect::Sqlite => format!("random() % {one_in} = 0"),
        });
    }

    /// A key column in the order of its unique key.
    pub(super) fn key(&self, key: &KeyColumn) -> String {
        let name = self.name(&key.info.name);
        match &key.collation {
            Some(collation) => format!("{name} COLLATE {collation}"),
            None => name,
        }
    }

    /// What is selected for a column of the key; of SQLite bytes for text, and whether it is.
    fn read_key(&self, key: &KeyColumn) -> String {
        match self.dialect {
            Dialect::Postgres => format!("{}::text", self.name(&key.info.name)),
            Dialect::Mysql => self.read(&key.info),
            Dialect::Sqlite => {
                let name = self.name(&key.info.name);
                // In UTF-16 the bytes are no text that is known here.
                let is_text = format!("typeof({name}) = 'text' AND hex('a') = '61'");
                format!("CASE WHEN {is_text} THEN CAST({name} AS BLOB) ELSE {name} END, {is_text}")
            }
        }
    }

    /// How many cells a key has in a row as the driver gives it.
    pub(super) fn key_cells(&self) -> usize {
        self.keys.len()
            * if self.dialect == Dialect::Sqlite {
                2
            } else {
                1
            }
    }

    /// A row with the texts of its key in place of their bytes, see [`Self::read_key`]. [`Cell::Other`], by which
    /// no row is found, stands for what is none: SQLite takes any bytes for text, and drivers make of those what they
    /// like.
    pub(super) fn with_texts(&self, mut cells: Vec<Cell>) -> Vec<Cell> {
        if self.dialect != Dialect::Sqlite {
            return cells;
        }
        for place in 0..self.keys.len().min(cells.len() / 2) {
            let is_text = cells.remove(place + 1).as_int() == Some(1);
            if let Some(key) = cells.get_mut(place).filter(|_| is_text) {
                *key = match &*key {
                    // Some drivers make that of no bytes.
                    Cell::Null => "".into(),
                    bytes => bytes.as_text().map_or(Cell::Other, Cell::from),
                };
            }
        }
        cells
    }

    /// What is selected for a value or a fact.
    fn read(&self, info: &Info) -> String {
        read(self.dialect, self.name(&info.name), info)
    }

    /// A parameter with the type of a key column: without it MySQL compares numbers as floats, and
    /// PostgreSQL does not know which type a text means.
    fn push_key_value(&self, phrase: &mut Phrase, info: &Info, cell: &Cell) {
        match self.dialect {
            Dialect::Postgres => phrase
                .value(in_hex(cell))
                .push("::text::")
                .push(&info.declared),
            Dialect::Mysql => mysql_key(phrase, info, cell),
            Dialect::Sqlite => phrase.value(cell.clone()),
        };
    }

    /// The names of the columns of `reseal_v`.
    pub(super) fn push_given(
        &self,
        phrase: &mut Phrase,
        bound: &[usize],
        columns: &[&ValueColumn],
    ) {
        let keys = 0..self.keys.len();
        phrase.list(", ", keys, |phrase, place| {
            phrase.push(&format!("reseal_k{place}"));
        });
        for fact in bound {
            phrase.push(&format!(", reseal_f{fact}"));
        }
        for (place, column) in columns.iter().enumerate() {
            phrase.push(&format!(", reseal_o{place}, reseal_n{place}"));
            for at in 0..column.terms.len() {
                phrase.push(&format!(", reseal_t{place}_{at}"));
            }
        }
    }
}

/// Bytes as PostgreSQL spells them: a person may name the row, and no parameter of text holds them.
fn in_hex(cell: &Cell) -> Cell {
    match cell {
        Cell::Bytes(bytes) => format!("\\x{}", HEXLOWER.encode(bytes)).as_str().into(),
        other => other.clone(),
    }
}

/// What is selected for a column, so that its value comes as it is stored.
pub(super) fn read(dialect: Dialect, name: String, info: &Info) -> String {
    match (dialect, info.base.as_str()) {
        (Dialect::Sqlite, _) | (Dialect::Postgres, "bytea") => name,
        (Dialect::Postgres, _) => format!("{name}::text"),
        (Dialect::Mysql, _) if info.is_mysql_integer() => name,
        (Dialect::Mysql, _) => match info.shape(dialect) {
            Shape::Text | Shape::Bytes => name,
            _ => format!("CAST({name} AS CHAR)"),
        },
    }
}

impl Info {
    /// A comparison by its own type.
    fn operator(&self, sign: &str) -> String {
        match &self.operators {
            Some(schema) => format!("OPERATOR({schema}.{sign})"),
            None => sign.into(),
        }
    }

    fn is_unsigned(&self) -> bool {
        self.declared.to_ascii_lowercase().contains("unsigned")
    }

    /// Whether [`read`] gives an integer of MySQL as such.
    pub(super) fn is_mysql_integer(&self) -> bool {
        match self.base.as_str() {
            "tinyint" | "smallint" | "mediumint" | "int" => true,
            "bigint" => !self.is_unsigned(),
            _ => false,
        }
    }
}

pub(super) fn mysql_key<'p>(phrase: &'p mut Phrase, info: &Info, cell: &Cell) -> &'p mut Phrase {
    let (before, after) = match info.base.as_str() {
        "bigint" if info.is_unsigned() => ("CAST(", " AS UNSIGNED)".into()),
        "tinyint" | "smallint" | "mediumint" | "int" | "bigint" => ("CAST(", " AS SIGNED)".into()),
        "datetime" => ("CAST(", " AS DATETIME(6))".into()),
        "date" | "uuid" => ("CAST(", format!(" AS {})", info.base)),
        "decimal" => {
            // A cast knows neither `unsigned` nor `zerofill`.
            let declared = info.declared.split_once(')');
            let (of, _) = declared.unwrap_or(("decimal(65,30", ""));
            ("CAST(", format!(" AS {of}))"))
        }
        _ => match (info.shape(Dialect::Mysql), &info.charset) {
            (Shape::Text, Some((charset, collation))) => {
                ("CONVERT(", format!(" USING {charset}) COLLATE {collation}"))
            }
            _ => ("CAST(", " AS BINARY)".into()),
        },
    };
    phrase.push(before).value(cell.clone()).push(&after)
}
