//! About how many rows a job has before it: what a database knows of that without reading them.

use super::{
    Dialect, Extent, Statement, Target,
    apply::Run,
    catalog::mysql_table,
    dialect::{Phrase, split_table},
    failure::{Failure, FailureKind},
    progress::Progress,
    step::Event,
    walk::Walk,
};
use alloc::{sync::Arc, vec::Vec};

/// The rows of a table and of its partitions and heirs, as the last ANALYZE or VACUUM left them;
/// below 0, or 0 in older releases, where there was none.
const POSTGRES: &str = "WITH RECURSIVE reseal_c(oid) AS (SELECT to_regclass(";
const POSTGRES_REST: &str = "::text)::oid UNION SELECT i.inhrelid \
FROM pg_catalog.pg_inherits i JOIN reseal_c ON i.inhparent = reseal_c.oid) \
SELECT CASE WHEN min(c.reltuples) >= 0 THEN NULLIF(sum(c.reltuples)::bigint, 0) END::text \
FROM reseal_c JOIN pg_catalog.pg_class c ON c.oid = reseal_c.oid WHERE c.relkind <> 'p'";
const MYSQL: &str = "SELECT TABLE_ROWS FROM information_schema.TABLES WHERE TABLE_SCHEMA = ";

impl Run {
    /// Tells what is to be walked, where there is anything.
    pub(super) async fn tell_extents(&self, walks: &[Arc<Walk>]) -> Result<(), Failure> {
        let mut tables: Vec<Extent> = Vec::with_capacity(walks.len());
        for walk in walks {
            let known = tables.iter().find(|it| it.table == walk.table);
            let rows = match known {
                Some(known) => known.rows,
                None => self.rows_of(walk).await?,
            };
            let table = walk.table.clone();
            tables.push(Extent { table, rows });
        }
        if !tables.is_empty() {
            self.line.tell(Event::Began { tables }).await;
        }
        Ok(())
    }

    async fn rows_of(&self, walk: &Walk) -> Result<Option<u64>, Failure> {
        if self.work.is_repair() {
            return Ok(u64::try_from(self.options.rows.len()).ok());
        }
        if self.options.keys_only && walk.dialect == Dialect::Sqlite {
            // To count would take about as long as the census itself.
            return Ok(None);
        }
        let rows = match self.line.query(rows(walk.dialect, &walk.table)).await {
            Ok(rows) => rows,
            Err(failure) if failure.is_passing() || failure.kind == FailureKind::DiskFull => {
                return Err(failure);
            }
            // Whoever may read a table need not see what is known of it.
            Err(_) => return Ok(None),
        };
        let known = rows.first().and_then(|row| row.first()?.as_int());
        let known = known.and_then(|rows| u64::try_from(rows).ok());
        Ok(known.map(|rows| rows.div_ceil(walk.sample.unwrap_or(1).max(1).into())))
    }
}

/// The statement whose one cell is the number of rows, or NULL. SQLite counts: it knows no estimate,
/// and the largest rowid may be far off.
fn rows(dialect: Dialect, table: &str) -> Statement {
    let mut phrase;
    match dialect {
        Dialect::Postgres => {
            phrase = Phrase::new(dialect, POSTGRES);
            phrase.value(dialect.table(table).as_str());
            phrase.push(POSTGRES_REST);
        }
        Dialect::Mysql => {
            let (schema, name) = split_table(table);
            phrase = Phrase::new(dialect, MYSQL);
            mysql_table(&mut phrase, schema, name);
        }
        Dialect::Sqlite => {
            phrase = Phrase::new(dialect, "SELECT count(*) FROM ");
            phrase.push(&dialect.table(table));
        }
    }
    phrase.done()
}

impl Progress {
    /// The rows that the present pass has read; nothing where only members of documents were counted.
    pub(super) fn rows<'w>(
        &self,
        walks: impl IntoIterator<Item = &'w Walk>,
        targets: &[Target],
    ) -> Option<u64> {
        let pass = self.passes.last()?;
        let mut rows = 0;
        for (place, walk) in walks.into_iter().enumerate() {
            if place > self.walk || (place == self.walk && self.after.is_none()) {
                break;
            }
            let values = walk.values.iter().map(|value| value.target);
            let mut whole = values.filter(|target| {
                let target = targets.get(*target);
                target.is_some_and(|target| target.spec.path.is_none())
            });
            rows += pass.get(whole.next()?)?.scanned;
        }
        Some(rows)
    }
}
