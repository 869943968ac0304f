//! A database of SQLite, as a language's driver gives it to a session.

use reseal::job::{Cell, Dialect, Failure, Reply, Statement};
use reseal_cli::{Answer, Turn};
use rusqlite::{Connection, params_from_iter, types::Value};

pub(crate) struct Sqlite(pub(crate) Connection);

impl Sqlite {
    pub(crate) fn new(sql: &str) -> Self {
        let connection = Connection::open_in_memory().unwrap();
        connection.execute_batch(sql).unwrap();
        Self(connection)
    }

    /// The only cell of the only row.
    pub(crate) fn text(&self, sql: &str) -> String {
        let value: Value = self.0.query_row(sql, [], |row| row.get(0)).unwrap();
        match value {
            Value::Text(text) => text,
            Value::Integer(number) => number.to_string(),
            other => panic!("{other:?}"),
        }
    }

    pub(crate) fn answer(&self, turn: Turn) -> Answer {
        let done = |sql: &str| self.0.execute_batch(sql).map(|()| Reply::Done);
        let reply = match turn {
            Turn::Connect(_) => return Answer::Connected(Dialect::Sqlite),
            Turn::Query(statement) => self.query(&statement),
            Turn::Execute(statement) => self.execute(&statement),
            Turn::Begin => done("BEGIN IMMEDIATE"),
            Turn::Commit => done("COMMIT"),
            Turn::Rollback if self.0.is_autocommit() => Ok(Reply::Done),
            Turn::Rollback => done("ROLLBACK"),
            Turn::Reconnect | Turn::Sleep(_) | Turn::Breathe => Ok(Reply::Done),
            Turn::Ended(code) => panic!("ended with {code}"),
        };
        let failed = |error: rusqlite::Error| {
            let code = error.sqlite_error().map(|it| it.extended_code.to_string());
            Reply::Failed(Failure::of(Dialect::Sqlite, &code.unwrap_or_default()))
        };
        Answer::Reply(reply.unwrap_or_else(failed))
    }

    fn query(&self, statement: &Statement) -> rusqlite::Result<Reply> {
        let mut prepared = self.0.prepare(&statement.sql)?;
        let width = prepared.column_count();
        let rows = prepared.query_map(params_from_iter(values(statement)), |row| {
            (0..width).map(|at| row.get(at).map(cell)).collect()
        })?;
        rows.collect::<rusqlite::Result<_>>().map(Reply::Rows)
    }

    fn execute(&self, statement: &Statement) -> rusqlite::Result<Reply> {
        let params = params_from_iter(values(statement));
        let count = self.0.execute(&statement.sql, params)?;
        Ok(Reply::Count(count as u64))
    }
}

fn values(statement: &Statement) -> impl Iterator<Item = Value> {
    statement.params.iter().map(|cell| match cell {
        Cell::Int(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.to_string()),
        Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
        _ => Value::Null,
    })
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => number.into(),
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => bytes.into(),
        Value::Real(_) => Cell::Other,
    }
}
