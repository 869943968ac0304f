//! Foreign keys that refer to what a job writes: the database writes their columns along with it.

use super::{
    Cell, Dialect, Statement, Target,
    catalog::unsuitable,
    dialect::{Phrase, split_table},
    walk::Walk,
};
use crate::error::Error;
use alloc::{format, string::String, vec::Vec};

/// What becomes of the columns of a foreign key where those that it refers to change, as SQL says it.
const CASCADE: &str = "CASCADE";
const FOLLOWING: &str = "'CASCADE', 'SET NULL', 'SET DEFAULT'";

/// Each also of tables that inherit from it, whose rows are written with its own.
const POSTGRES: &str = "SELECT DISTINCT CASE WHEN pg_table_is_visible(f.oid) THEN '' ELSE n.nspname || '.' END || \
f.relname, b.attname::text, a.attname::text, \
CASE c.confupdtype WHEN 'c' THEN 'CASCADE' WHEN 'n' THEN 'SET NULL' ELSE 'SET DEFAULT' END \
FROM pg_catalog.pg_constraint c JOIN pg_catalog.pg_class f ON f.oid = c.conrelid \
JOIN pg_catalog.pg_namespace n ON n.oid = f.relnamespace \
CROSS JOIN LATERAL unnest(c.conkey, c.confkey) k(here, there) \
JOIN pg_catalog.pg_attribute b ON b.attrelid = c.conrelid AND b.attnum = k.here \
JOIN pg_catalog.pg_attribute a ON a.attrelid = c.confrelid AND a.attnum = k.there \
WHERE c.contype = 'f' AND c.confupdtype IN ('c', 'n', 'd') AND c.confrelid IN (WITH RECURSIVE t(oid) AS (\
SELECT to_regclass(";
const POSTGRES_HEIRS: &str = "::text)::oid UNION SELECT i.inhrelid FROM t JOIN pg_catalog.pg_inherits i \
ON i.inhparent = t.oid) SELECT oid FROM t) ORDER BY 1, 2";
const MYSQL: &str = "SELECT CONCAT(IF(k.TABLE_SCHEMA = DATABASE(), '', CONCAT(k.TABLE_SCHEMA, '.')), k.TABLE_NAME), \
k.COLUMN_NAME, k.REFERENCED_COLUMN_NAME, r.UPDATE_RULE \
FROM information_schema.KEY_COLUMN_USAGE k \
JOIN information_schema.REFERENTIAL_CONSTRAINTS r ON r.CONSTRAINT_SCHEMA = k.CONSTRAINT_SCHEMA \
AND r.CONSTRAINT_NAME = k.CONSTRAINT_NAME AND r.TABLE_NAME = k.TABLE_NAME WHERE r.UPDATE_RULE IN (";

/// The statement whose rows [`Walk::followed`] reads: the table and the column of a foreign key, what it refers to,
/// and what becomes of it.
pub(super) fn of(dialect: Dialect, table: &str) -> Statement {
    let (schema, name) = split_table(table);
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            phrase = Phrase::new(dialect, POSTGRES);
            phrase.value(dialect.table(table).as_str());
            phrase.push(POSTGRES_HEIRS);
        }
        Dialect::Mysql => {
            phrase = Phrase::new(dialect, MYSQL);
            phrase.push(FOLLOWING);
            phrase.push(") AND k.REFERENCED_TABLE_SCHEMA = ");
            match schema {
                Some(schema) => phrase.value(schema),
                None => phrase.push("DATABASE()"),
            };
            phrase.push(" AND k.REFERENCED_TABLE_NAME = ").value(name);
            phrase.push(" ORDER BY 1, 2");
        }
        Dialect::Sqlite => {
            let schema = schema.unwrap_or("main");
            phrase = Phrase::new(
                dialect,
                "SELECT m.name, f.\"from\", COALESCE(f.\"to\", p.name), f.on_update FROM ",
            );
            phrase.push(&format!("{}.sqlite_master m ", dialect.quoted(schema)));
            phrase
                .push("JOIN pragma_foreign_key_list(m.name, ")
                .value(schema);
            phrase.push(") f LEFT JOIN pragma_table_xinfo(").value(name);
            phrase.push(", ").value(schema);
            // Without a name it refers to the primary key.
            phrase.push(") p ON f.\"to\" IS NULL AND p.pk = f.seq + 1 WHERE m.type = 'table' AND f.on_update IN (");
            phrase
                .push(FOLLOWING)
                .push(") AND f.\"table\" = ")
                .value(name);
            phrase.push(" COLLATE NOCASE ORDER BY 1, 2");
        }
    }
    phrase.done()
}

impl Walk {
    /// What stands in the way of a job that writes: a foreign key whose columns would change with those of the walk.
    /// Plaintext may go on to where it is referred to, and so may terms, which are the same there; nothing may be lost.
    pub(super) fn followed(&self, rows: &[Vec<Cell>], targets: &[Target]) -> Option<Error> {
        let is = |there: &str, name: &str| match self.dialect {
            Dialect::Postgres => there == name,
            Dialect::Mysql | Dialect::Sqlite => there.eq_ignore_ascii_case(name),
        };
        let is_harmed = |column: &str, rule: &str| {
            self.values.iter().any(|value| {
                let target = targets.get(value.target);
                let goes_on = target.is_some_and(|it| it.spec.writes_plaintext());
                let is_lost = rule != CASCADE;
                let mut terms = value.terms.iter();
                (is(&value.info.name, column) && (is_lost || !goes_on))
                    || (is_lost && terms.any(|info| is(&info.name, column)))
            })
        };
        let found = rows.iter().filter_map(|row| {
            let [table, from, to, rule] = row.as_slice() else {
                return None;
            };
            let (to, rule) = (to.as_text()?, rule.as_text()?);
            is_harmed(to, rule).then(|| {
                let (table, from) = (table.as_text().unwrap_or_default(), from.as_text());
                let from = from.unwrap_or_default();
                format!("{table}.{from} refers to {to} with ON UPDATE {rule}")
            })
        });
        let found: Vec<String> = found.collect();
        if found.is_empty() {
            return None;
        }
        let what = format!(
            "{}: what is written here would change what stands there, to what does not open or is gone; drop such a \
             foreign key first",
            found.join(", and ")
        );
        Some(unsuitable(&self.table, &what))
    }
}
