//! What a session asks for and gets, as JavaScript has it.
//!
//! A turn is a list: its name, then what belongs to it. An answer is a name and a value: `start`,
//! `connected` with a dialect, `unconnected` with a code and a message, `rows` with cells that are
//! packed as [`crate::cells`] tells, `count` with a number, `done`, `failed` with the code of the
//! database, `lost`. A parameter is null, an integer, text or bytes.

use js_sys::{Array, Uint8Array};
use reseal::job::{Cell, Dialect, Failure, FailureKind, Reply, Statement};
use reseal::{Error, ErrorCode};
use reseal_cli::{Answer, Turn};
use wasm_bindgen::prelude::{JsCast as _, JsValue};

use crate::cells;

/// Larger integers are bigints.
const MAX_SAFE_INTEGER: i64 = (1 << 53) - 1;

/// Reads answers, and keeps whose codes the database gives.
#[derive(Debug, Default)]
pub(crate) struct Answers {
    dialect: Option<Dialect>,
}

impl Answers {
    pub(crate) fn read(&mut self, what: &str, value: &JsValue) -> Answer {
        Answer::Reply(match what {
            "start" => return Answer::Start,
            "connected" => return self.connected(value),
            "unconnected" => return Answer::Unconnected(unconnected(value)),
            "rows" => rows(value),
            "count" => Reply::Count(count(value)),
            "done" => Reply::Done,
            "failed" => Reply::Failed(self.failure(value)),
            _ => Reply::Failed(Failure::connection_lost()),
        })
    }

    fn connected(&mut self, value: &JsValue) -> Answer {
        let dialect = match value.as_string().as_deref() {
            Some("postgresql") => Dialect::Postgres,
            Some("mysql") => Dialect::Mysql,
            _ => Dialect::Sqlite,
        };
        self.dialect = Some(dialect);
        Answer::Connected(dialect)
    }

    fn failure(&self, value: &JsValue) -> Failure {
        let dialect = self.dialect.unwrap_or(Dialect::Sqlite);
        Failure::of(dialect, &value.as_string().unwrap_or_default())
    }
}

/// A code of this project, and a message.
fn unconnected(value: &JsValue) -> Error {
    let parts: &Array = value.unchecked_ref();
    let code = parts.get(0).as_string();
    let known = ErrorCode::ALL
        .iter()
        .find(|known| Some(known.as_str()) == code.as_deref());
    let code = *known.unwrap_or(&ErrorCode::DatabaseError);
    Error::new(code, parts.get(1).as_string().unwrap_or_default())
}

fn rows(value: &JsValue) -> Reply {
    // It may be plaintext: what is freed is wiped.
    let packed = value.unchecked_ref::<Uint8Array>().to_vec();
    match cells::rows(&packed) {
        Some(rows) => Reply::Rows(rows),
        None => Reply::Failed(Failure {
            kind: FailureKind::Other,
            code: "driver".to_owned(),
        }),
    }
}

#[expect(
    clippy::cast_possible_truncation,
    clippy::cast_sign_loss,
    reason = "drivers count rows with safe integers"
)]
fn count(value: &JsValue) -> u64 {
    value.as_f64().unwrap_or_default() as u64
}

pub(crate) fn written(turn: Turn) -> Array {
    match turn {
        Turn::Connect(url) => list("connect", &[url.map_or(JsValue::UNDEFINED, Into::into)]),
        Turn::Query(statement) => with_statement("query", statement),
        Turn::Execute(statement) => with_statement("execute", statement),
        Turn::Begin => list("begin", &[]),
        Turn::Commit => list("commit", &[]),
        Turn::Rollback => list("rollback", &[]),
        Turn::Reconnect => list("reconnect", &[]),
        Turn::Sleep(milliseconds) => list("sleep", &[number(milliseconds)]),
        Turn::Breathe => list("breathe", &[]),
        Turn::Ended(code) => list("ended", &[code.into()]),
    }
}

fn list(name: &str, rest: &[JsValue]) -> Array {
    let list = Array::of1(&name.into());
    for value in rest {
        list.push(value);
    }
    list
}

fn with_statement(name: &str, statement: Statement) -> Array {
    let params: Array = statement.params.iter().map(param).collect();
    list(name, &[statement.sql.into(), params.into()])
}

fn param(cell: &Cell) -> JsValue {
    match cell {
        Cell::Text(text) => JsValue::from_str(text),
        Cell::Bytes(bytes) => Uint8Array::from(bytes.as_slice()).into(),
        Cell::Int(integer) => whole(*integer),
        Cell::Null | Cell::Other => JsValue::NULL,
    }
}

#[expect(
    clippy::cast_precision_loss,
    reason = "within 53 bits, a float has every integer"
)]
fn whole(integer: i64) -> JsValue {
    if integer.unsigned_abs() <= MAX_SAFE_INTEGER.unsigned_abs() {
        return JsValue::from_f64(integer as f64);
    }
    integer.into()
}

/// JavaScript waits no longer than 24 days at once.
fn number(milliseconds: u64) -> JsValue {
    u32::try_from(milliseconds).unwrap_or(u32::MAX).into()
}
