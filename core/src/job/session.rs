//! What a connection needs before the first statement, and how it is given back.

use super::{
    Cell, Dialect, JobOptions, Statement,
    dialect::Phrase,
    halt::Halt,
    line::{Limits, Line},
};
use crate::error::{Error, ErrorCode};
use alloc::{
    format,
    string::{String, ToString},
    vec::Vec,
};

/// The first SQLite that takes `UPDATE … FROM`.
const MIN_SQLITE: (u32, u32) = (3, 33);

/// Without `STRICT_ALL_TABLES` a value that is too long is cut, with a warning. Elsewhere a date in a row id that is
/// none, as 0000-00-00, is NULL as soon as it is given back, and no row comes after that; and the spaces that fill up a
/// `CHAR` would be a part of what is read and bound.
const MYSQL_MODE: &str = "SET SESSION sql_mode = CONCAT_WS(',', REPLACE(REPLACE(REPLACE(REPLACE(@@SESSION.sql_mode, \
'TRADITIONAL', ''), 'NO_ZERO_IN_DATE', ''), 'NO_ZERO_DATE', ''), 'PAD_CHAR_TO_FULL_LENGTH', ''), 'STRICT_ALL_TABLES', \
'ALLOW_INVALID_DATES')";

/// What is sorted by less than the whole of a key comes in another order than keys are compared in, and rows are
/// passed over: an index has 3,072 bytes, of which collations make some more, and the usual sort buffer of MySQL takes
/// no keys much longer than this. No statement has fewer rows than it asks for.
const MYSQL_NUMBERS: [(&str, &str); 2] = [
    (
        "max_sort_length",
        "GREATEST(@@SESSION.max_sort_length, 8192)",
    ),
    ("sql_select_limit", "18446744073709551615"),
];

/// How keys are spelled so that they are found by that again: numbers with all their digits, times with an offset in
/// place of a name that may mean another zone too. Each setting with when it does so already.
const POSTGRES_SPELLING: [(&str, &str, &str); 2] = [
    ("extra_float_digits", "3", "::integer > 0"),
    ("DateStyle", "ISO", " LIKE 'ISO%'"),
];

/// The longest time that databases take, in milliseconds.
const MAX_MS: u64 = 86_400_000;

/// The statements that bring the settings of a connection back, each with the name of its setting.
#[derive(Debug, Default)]
pub(super) struct Session(Vec<(&'static str, Statement)>);

impl Session {
    /// Makes the settings of a connection, and remembers what they were: at first, as from then on they are those
    /// of the job.
    pub(super) async fn open(&mut self, line: &Line, options: &JobOptions) -> Result<(), Halt> {
        let timeout = options.statement_timeout_ms;
        let lease = options.share.as_ref().map(|share| share.lease_ms);
        match options.dialect {
            Dialect::Postgres => postgres(line, timeout, lease).await?,
            Dialect::Mysql => self.mysql(line, timeout, lease).await?,
            Dialect::Sqlite => self.sqlite(line, timeout).await?,
        }
        Ok(())
    }

    /// Brings the settings back, as far as there is a connection.
    pub(super) async fn close(self, line: &Line) {
        for (_, statement) in self.0 {
            let _done = line.query(statement).await;
        }
    }

    /// How a setting comes back.
    fn keep(&mut self, name: &'static str, restore: Statement) {
        if self.0.iter().all(|(there, _)| *there != name) {
            self.0.push((name, restore));
        }
    }

    async fn mysql(
        &mut self,
        line: &Line,
        timeout: Option<u64>,
        lease: Option<u64>,
    ) -> Result<(), Halt> {
        let dialect = Dialect::Mysql;
        let before = text(line, dialect, "SELECT @@SESSION.sql_mode").await?;
        let mut restore = Phrase::new(dialect, "SET SESSION sql_mode = ");
        restore.value(before);
        self.keep("sql_mode", restore.done());
        line.execute(Phrase::new(dialect, MYSQL_MODE).done())
            .await?;
        for (name, value) in MYSQL_NUMBERS {
            self.mysql_number(line, name, value).await?;
        }
        if timeout.is_none() && lease.is_none() {
            return Ok(());
        }
        let is_mariadb = text(line, dialect, "SELECT VERSION()")
            .await?
            .contains("MariaDB");
        if let Some(timeout) = timeout {
            let (seconds, rest) = (timeout / 1000, timeout % 1000);
            let (name, value) = if is_mariadb {
                ("max_statement_time", format!("{seconds}.{rest:03}"))
            } else {
                ("max_execution_time", timeout.to_string())
            };
            self.mysql_number(line, name, &value).await?;
        }
        if let Some(lease) = lease {
            let seconds = lease.min(MAX_MS).div_ceil(1000).max(1).to_string();
            let name = if is_mariadb {
                "idle_transaction_timeout"
            } else {
                // It knows none of transactions alone; a worker is never quiet for so long.
                "wait_timeout"
            };
            self.mysql_number(line, name, &seconds).await?;
        }
        Ok(())
    }

    async fn mysql_number(
        &mut self,
        line: &Line,
        name: &'static str,
        value: &str,
    ) -> Result<(), Halt> {
        let dialect = Dialect::Mysql;
        let before = format!("SELECT CAST(@@SESSION.{name} AS CHAR)");
        let before = text(line, dialect, &before).await?;
        // It is a number, which a parameter is not everywhere.
        if before
            .bytes()
            .all(|byte| byte.is_ascii_digit() || byte == b'.')
            && !before.is_empty()
        {
            let restore = format!("SET SESSION {name} = {before}");
            self.keep(name, Phrase::new(dialect, &restore).done());
        }
        let set = format!("SET SESSION {name} = {value}");
        line.execute(Phrase::new(dialect, &set).done()).await?;
        Ok(())
    }

    async fn sqlite(&mut self, line: &Line, timeout: Option<u64>) -> Result<(), Halt> {
        let dialect = Dialect::Sqlite;
        check_sqlite(&text(line, dialect, "SELECT sqlite_version()").await?)?;
        let Some(timeout) = timeout else {
            return Ok(());
        };
        let rows = line
            .query(Phrase::new(dialect, "PRAGMA busy_timeout").done())
            .await?;
        let before = rows.first().and_then(|row| row.first());
        if let Some(before) = before.and_then(Cell::as_int) {
            let restore = format!("PRAGMA busy_timeout = {before}");
            self.keep("busy_timeout", Phrase::new(dialect, &restore).done());
        }
        let set = format!("PRAGMA busy_timeout = {timeout}");
        line.query(Phrase::new(dialect, &set).done()).await?;
        Ok(())
    }
}

/// The settings are of transactions, and not of the session, which a pooler may give to others. Those of a connection
/// that was lost hold for the next one.
async fn postgres(line: &Line, timeout: Option<u64>, lease: Option<u64>) -> Result<(), Halt> {
    if line.is_limited() {
        return Ok(());
    }
    let milliseconds = |limit: u64| limit.min(MAX_MS).to_string();
    let mut settings = Vec::new();
    for (name, value, holds) in POSTGRES_SPELLING {
        let holds = format!("SELECT (current_setting('{name}'){holds})::text");
        if text(line, Dialect::Postgres, &holds).await? != "true" {
            settings.push((name, value.to_string()));
        }
    }
    settings.extend(timeout.map(|limit| ("statement_timeout", milliseconds(limit))));
    let of_statements = !settings.is_empty();
    // Of a worker that fell asleep in a transaction the locks are let go with its lease.
    let idle = "idle_in_transaction_session_timeout";
    settings.extend(lease.map(|limit| (idle, milliseconds(limit))));
    if settings.is_empty() {
        return Ok(());
    }
    let calls: Vec<String> = settings
        .iter()
        .map(|(name, value)| format!("set_config('{name}', '{value}', true)"))
        .collect();
    line.limit(Limits {
        set: Phrase::new(Dialect::Postgres, &format!("SELECT {}", calls.join(", "))).done(),
        of_statements,
    });
    Ok(())
}

/// The only cell of the only row.
async fn text(line: &Line, dialect: Dialect, sql: &str) -> Result<String, Halt> {
    let rows = line.query(Phrase::new(dialect, sql).done()).await?;
    let cell = rows.first().and_then(|row| row.first());
    Ok(cell.and_then(Cell::as_text).unwrap_or_default().into())
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
