//! Transactions that have written and not ended: a count does not see what they wrote, and what one of them
//! commits afterwards needs its key.

use reseal::job::{Dialect, FailureKind, Reply, Statement};
use reseal::{Error, ErrorCode};

use super::Retirement;
use crate::failure::Outcome;
use crate::session::Turn;

/// Between two looks.
const PAUSE_MS: u64 = 200;
/// How long they are waited for.
const MOST_MS: u64 = 60_000;
/// The transactions that have written, of all users, and those that were prepared. Those of other databases of
/// the server cannot write here. NULL stands for a server that takes no writes.
const POSTGRES: [&str; 1] = ["SELECT NULL::text WHERE pg_is_in_recovery() \
                        UNION ALL SELECT l.transactionid::text FROM pg_catalog.pg_locks l \
                        LEFT JOIN pg_catalog.pg_stat_activity a ON a.pid = l.pid \
                        LEFT JOIN pg_catalog.pg_prepared_xacts p ON p.transaction = l.transactionid \
                        WHERE l.locktype = 'transactionid' AND l.mode = 'ExclusiveLock' AND l.granted \
                        AND COALESCE(a.datname, p.database, current_database()) = current_database()"];
/// Whether it is read-only is a number, or since MariaDB 12 a word. Transactions are told only to a user with the
/// right `PROCESS`.
const MYSQL: [&str; 2] = [
    "SELECT NULL FROM DUAL WHERE CAST(@@global.read_only AS CHAR) NOT IN ('0', 'OFF')",
    "SELECT CAST(trx_id AS CHAR) FROM information_schema.INNODB_TRX WHERE trx_rows_modified > 0",
];

/// The statements that list the transactions that have written and not ended, each by its name in one column; NULL
/// stands for a server that takes no writes. What the user may not ask, the last one is refused for. SQLite has none:
/// whoever may write there has waited for the only writer.
#[must_use]
pub const fn writing_transactions(dialect: Dialect) -> &'static [&'static str] {
    match dialect {
        Dialect::Postgres => &POSTGRES,
        Dialect::Mysql => &MYSQL,
        Dialect::Sqlite => &[],
    }
}

impl Retirement<'_, '_> {
    /// Waits until the transactions that have written before now have ended; says no where it was asked to stop.
    pub(super) async fn writers_have_ended(&mut self, dialect: Dialect) -> Outcome<bool> {
        if dialect == Dialect::Sqlite && self.early {
            return Ok(true);
        }
        if dialect == Dialect::Sqlite {
            return self.sqlite_writer_has_ended().await.map(|()| true);
        }
        if dialect == Dialect::Mysql && !self.early {
            // InnoDB tells what it told last, if somebody has asked a tenth of a second ago.
            let _waited = self.database.run(Turn::Sleep(PAUSE_MS)).await;
        }
        let mut pending = self.writers(dialect).await?;
        let begun = self.console.host.milliseconds();
        let mut is_told = self.early;
        while !pending.is_empty() && !self.early {
            if self.console.host.interrupted() {
                return Ok(false);
            }
            if !core::mem::replace(&mut is_told, true) {
                self.console
                    .note("waiting for transactions that have written and not ended")?;
            }
            if self.console.host.milliseconds() > begun + MOST_MS {
                let why = "a transaction has written and does not end, so that nobody can count what it wrote: end \
                           it, and do it again";
                return Err(Error::new(ErrorCode::DatabaseError, why).into());
            }
            let _waited = self.database.run(Turn::Sleep(PAUSE_MS)).await;
            let now = self.writers(dialect).await?;
            pending.retain(|writer| now.contains(writer));
        }
        Ok(true)
    }

    /// Those that there are.
    async fn writers(&self, dialect: Dialect) -> Outcome<Vec<String>> {
        let mut rows = Vec::new();
        for sql in writing_transactions(dialect) {
            match self.database.run(Turn::Query(statement(sql))).await {
                Reply::Rows(more) => rows.extend(more),
                Reply::Failed(failure) if failure.kind == FailureKind::PermissionDenied => {}
                Reply::Failed(failure) => return Err(Error::from(failure).into()),
                _ => {}
            }
        }
        let cells = rows.iter().filter_map(|row| row.first());
        let writers = cells.map(|cell| cell.as_text().map(String::from));
        let writers: Option<Vec<String>> = writers.collect();
        writers.ok_or_else(|| {
            let why = "this server takes no writes, as a copy of another one does, and may lack what that one has: \
                       name the one that is written to";
            Error::new(ErrorCode::DatabaseError, why).into()
        })
    }

    /// There is but one writer: whoever may write has waited for it.
    async fn sqlite_writer_has_ended(&self) -> Outcome {
        let begun = self.database.run(Turn::Begin).await;
        let _undone = self.database.run(Turn::Rollback).await;
        match begun {
            // Of a file that nobody may write here.
            Reply::Failed(failure) if failure.kind != FailureKind::PermissionDenied => {
                Err(Error::from(failure).into())
            }
            _ => Ok(()),
        }
    }
}

fn statement(sql: &str) -> Statement {
    Statement {
        sql: sql.to_owned(),
        params: Vec::new(),
    }
}
