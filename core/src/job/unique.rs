//! Unique indexes over what is to be sealed: where equal values become different ones, they keep no doubles out.

use super::{
    Cell, Dialect, Finding, Statement, Target,
    catalog::mysql_table,
    dialect::{Phrase, split_table},
    setup,
    walk::{ValueColumn, Walk},
};
use alloc::{format, vec::Vec};

/// Those of some rows too, and those that compute with a column.
const POSTGRES: &str = "SELECT DISTINCT x.relname::text, a.attname::text FROM pg_catalog.pg_index i \
JOIN pg_catalog.pg_class x ON x.oid = i.indexrelid \
JOIN pg_catalog.pg_attribute a ON a.attrelid = i.indrelid AND a.attnum > 0 AND (a.attnum IN (\
SELECT k.attnum FROM unnest(i.indkey::int2[]) WITH ORDINALITY k(attnum, place) WHERE k.place <= i.indnkeyatts) \
OR i.indexprs IS NOT NULL AND EXISTS (SELECT 1 FROM pg_catalog.pg_depend d \
WHERE d.classid = 'pg_catalog.pg_class'::regclass AND d.objid = i.indexrelid AND d.refobjid = i.indrelid \
AND d.refclassid = 'pg_catalog.pg_class'::regclass AND d.refobjsubid = a.attnum)) \
WHERE i.indisunique AND i.indisvalid AND i.indrelid = to_regclass(";
const MYSQL: &str = "SELECT INDEX_NAME, COLUMN_NAME FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 \
AND COLUMN_NAME IS NOT NULL AND TABLE_SCHEMA = ";

/// The statement whose rows [`Walk::doubled`] reads: the unique indexes of a table, with each of their columns.
pub(super) fn of(dialect: Dialect, table: &str) -> Statement {
    let (schema, name) = split_table(table);
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            phrase = Phrase::new(dialect, POSTGRES);
            phrase.value(dialect.table(table).as_str());
            phrase.push("::text)");
        }
        Dialect::Mysql => {
            phrase = Phrase::new(dialect, MYSQL);
            mysql_table(&mut phrase, schema, name);
        }
        Dialect::Sqlite => {
            let schema = schema.unwrap_or("main");
            let what = "SELECT i.name, c.name FROM pragma_index_list(";
            phrase = Phrase::new(dialect, what);
            phrase.value(name).push(", ").value(schema);
            phrase
                .push(") i JOIN pragma_index_xinfo(i.name, ")
                .value(schema);
            phrase.push(") c WHERE i.\"unique\" = 1 AND c.\"key\" = 1 AND c.name IS NOT NULL");
        }
    }
    phrase.push(" ORDER BY 1, 2");
    phrase.done()
}

impl Walk {
    /// What a plan says of the columns of a walk of which a unique index would keep no doubles out.
    pub(super) fn doubled(&self, rows: &[Vec<Cell>], targets: &[Target]) -> Vec<(usize, Finding)> {
        let mut indexes: Vec<Index<'_>> = Vec::new();
        for row in rows {
            let [name, column] = row.as_slice() else {
                continue;
            };
            let (name, column) = (name.as_text(), column.as_text());
            let (name, column) = (name.unwrap_or_default(), column.unwrap_or_default());
            match indexes.iter_mut().find(|it| it.name == name) {
                Some(index) => index.columns.push(column),
                None => indexes.push(Index {
                    name,
                    columns: alloc::vec![column],
                }),
            }
        }
        let values = self.values.iter().filter_map(|value| {
            let target = targets.get(value.target)?;
            let varies = target.column.varies(&setup::facts(target));
            let mut lost = indexes
                .iter()
                .filter(|it| self.is_of(value, it) && !has_terms(value, it, &indexes));
            let lost = lost.next().filter(|_| varies)?;
            Some((value.target, lost.finding(&value.info.name)))
        });
        values.collect()
    }

    /// Whether an index would keep doubles of a value out; with the row id in it, it never did.
    fn is_of(&self, value: &ValueColumn, index: &Index<'_>) -> bool {
        let has = |name: &str| index.columns.contains(&name);
        has(&value.info.name) && !self.keys.iter().all(|key| has(&key.info.name))
    }
}

/// Whether there is the same index over the terms of a value.
fn has_terms(value: &ValueColumn, index: &Index<'_>, all: &[Index<'_>]) -> bool {
    value.terms.iter().any(|term| {
        let instead = |name| match name {
            name if name == value.info.name => term.name.as_str(),
            name => name,
        };
        all.iter().any(|other| {
            let mut columns = index.columns.iter().map(|name| instead(*name));
            other.columns.len() == index.columns.len()
                && columns.all(|name| other.columns.contains(&name))
        })
    })
}

/// A unique index.
struct Index<'r> {
    name: &'r str,
    columns: Vec<&'r str>,
}

impl Index<'_> {
    fn finding(&self, column: &str) -> Finding {
        let terms = format!("terms of {column}");
        let others = self.columns.iter().filter(|name| **name != column);
        let over: Vec<&str> = core::iter::once(&*terms).chain(others.copied()).collect();
        let over = over.join(", ");
        Finding {
            code: "unique-no-longer",
            message: format!(
                "the unique index {} keeps no doubles of {column} out once equal values are sealed differently: give \
                 the column a blind index, and make one over its terms unique ({over}), or take \
                 mode deterministic",
                self.name
            ),
        }
    }
}
