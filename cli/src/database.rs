//! The database of a command, which whoever runs the session holds.

use core::cell::RefCell;
use core::future::poll_fn;
use core::task::Poll;
use std::rc::Rc;

use reseal::job::{Ahead, Cell, Dialect, Failure, FailureKind, Reply, Statement};
use reseal::{Error, ErrorCode};

use crate::console::Console;
use crate::failure::{self, Outcome};
use crate::kek;
use crate::session::{Answer, Turn};

/// The variable that names the database.
pub(crate) const DATABASE_URL: &str = "RESEAL_DATABASE_URL";

/// One end of the line to it: a command asks, and the session hands over.
#[derive(Clone, Debug, Default)]
pub(crate) struct Database(Rc<RefCell<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    turn: Option<Turn>,
    answer: Option<Answer>,
    ahead: Option<Ahead>,
    /// Of the database that there is a connection to.
    dialect: Option<Dialect>,
    /// Why a statement found no connection that can be worked with.
    unusable: Option<Error>,
}

impl Database {
    pub(crate) fn give(&self, answer: Answer) {
        self.0.borrow_mut().answer = Some(answer);
    }

    pub(crate) fn take(&self) -> Option<Turn> {
        self.0.borrow_mut().turn.take()
    }

    /// What can be done beside the next turn.
    pub(crate) fn offer(&self, ahead: Option<Ahead>) {
        self.0.borrow_mut().ahead = ahead;
    }

    pub(crate) fn ahead(&self) -> Option<Ahead> {
        self.0.borrow_mut().ahead.take()
    }

    /// Connects; without a URL to what the caller has.
    pub(crate) async fn connect(&self, url: Option<String>) -> Outcome<Dialect> {
        match self.ask(Turn::Connect(url)).await {
            Answer::Connected(dialect) => {
                self.0.borrow_mut().dialect = Some(dialect);
                Ok(dialect)
            }
            Answer::Unconnected(error) => Err(error.into()),
            _ => Err(broken().into()),
        }
    }

    /// The database that a command works on already; otherwise it connects, to `url` or to what the
    /// environment names.
    pub(crate) async fn connected(
        &self,
        url: Option<&str>,
        console: &mut Console<'_>,
    ) -> Outcome<Dialect> {
        let dialect = self.0.borrow().dialect;
        if let Some(dialect) = dialect {
            return Ok(dialect);
        }
        let url = match url {
            Some(url) => Some(url.to_owned()),
            None => kek::variable(console, DATABASE_URL).map(|url| url.to_string()),
        };
        if url.is_none() {
            let message = format!("the keyset is in a database: set {DATABASE_URL} to its URL");
            return Err(Error::new(ErrorCode::SourceMissing, message).into());
        }
        self.connect(url).await
    }

    /// What comes of a turn other than [`Turn::Connect`].
    pub(crate) async fn run(&self, turn: Turn) -> Reply {
        let answer = self.ask(turn).await;
        let unusable = &mut self.0.borrow_mut().unusable;
        match answer {
            Answer::Reply(reply) => {
                if matches!(reply, Reply::Rows(_) | Reply::Count(_)) {
                    *unusable = None;
                }
                return reply;
            }
            Answer::Unconnected(error) => *unusable = Some(error),
            _ => {}
        }
        Reply::Failed(Failure {
            kind: FailureKind::Other,
            code: "driver".to_owned(),
        })
    }

    /// Puts what the driver said of a connection into the place of an error that came of it.
    pub(crate) fn explain(&self, error: &mut Error) {
        if error.code() == ErrorCode::DatabaseError
            && let Some(why) = self.0.borrow_mut().unusable.take()
        {
            *error = why;
        }
    }

    /// As [`Database::explain`], of whatever a command ended with.
    pub(crate) fn explained(&self, mut outcome: Outcome) -> Outcome {
        if let Err(failure::Failure::Error(error)) = &mut outcome {
            self.explain(error);
        }
        outcome
    }

    /// The rows of a statement.
    pub(crate) async fn rows(&self, statement: Statement) -> Outcome<Vec<Vec<Cell>>> {
        match self.run(Turn::Query(statement)).await {
            Reply::Rows(rows) => Ok(rows),
            Reply::Failed(failure) => Err(failure::Failure::Error(failure.into())),
            _ => Err(broken().into()),
        }
    }

    async fn ask(&self, turn: Turn) -> Answer {
        {
            let mut slot = self.0.borrow_mut();
            slot.answer = None;
            slot.turn = Some(turn);
        }
        poll_fn(|_| match self.0.borrow_mut().answer.take() {
            Some(answer) => Poll::Ready(answer),
            None => Poll::Pending,
        })
        .await
    }
}

fn broken() -> Error {
    Error::new(ErrorCode::DatabaseError, "the driver gave no answer")
}
