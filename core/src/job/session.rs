//! What a connection needs before the first statement.

use super::{Dialect, JobOptions, Statement, dialect::Phrase, halt::Halt, line::Line};
use crate::error::{Error, ErrorCode};
use alloc::{format, string::String};

/// The first SQLite that takes `UPDATE … FROM`.
const MIN_SQLITE: (u32, u32) = (3, 33);

pub(super) async fn open(line: &Line, options: &JobOptions) -> Result<(), Halt> {
    let dialect = options.dialect;
    let timeout = options.statement_timeout_ms;
    let say = |sql: &str| Phrase::new(dialect, sql).done();
    match dialect {
        Dialect::Postgres => {
            if let Some(timeout) = timeout {
                let sql = format!("SET statement_timeout = {timeout}");
                line.execute(say(&sql)).await?;
            }
        }
        Dialect::Mysql => {
            // Without it a value that is too long is cut, with a warning.
            let strict = "SET SESSION sql_mode = \
                          CONCAT_WS(',', NULLIF(@@SESSION.sql_mode, ''), 'STRICT_ALL_TABLES')";
            line.execute(say(strict)).await?;
            if let Some(timeout) = timeout {
                let version = text(line, say("SELECT VERSION()")).await?;
                let sql = if version.contains("MariaDB") {
                    let (seconds, rest) = (timeout / 1000, timeout % 1000);
                    format!("SET SESSION max_statement_time = {seconds}.{rest:03}")
                } else {
                    format!("SET SESSION max_execution_time = {timeout}")
                };
                line.execute(say(&sql)).await?;
            }
        }
        Dialect::Sqlite => {
            check_sqlite(&text(line, say("SELECT sqlite_version()")).await?)?;
            if let Some(timeout) = timeout {
                let sql = format!("PRAGMA busy_timeout = {timeout}");
                line.query(say(&sql)).await?;
            }
        }
    }
    Ok(())
}

async fn text(line: &Line, statement: Statement) -> Result<String, Halt> {
    let rows = line.query(statement).await?;
    let cell = rows.first().and_then(|row| row.first());
    Ok(cell
        .and_then(|cell| cell.as_text())
        .unwrap_or_default()
        .into())
}

fn check_sqlite(version: &str) -> Result<(), Error> {
    let mut numbers = version.split('.').map(str::parse::<u32>);
    let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
    if (next(), next()) >= MIN_SQLITE {
        return Ok(());
    }
    let (major, minor) = MIN_SQLITE;
    Err(Error::new(
        ErrorCode::DatabaseError,
        format!("jobs need SQLite {major}.{minor} or later, and the driver has an earlier one"),
    ))
}
