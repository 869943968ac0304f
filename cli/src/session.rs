//! One run of the command, which stands still wherever it needs a database.

use core::future::Future;
use core::pin::Pin;
use core::task::{Context, Poll, Waker};

use reseal::Error;
use reseal::job::{Ahead, Dialect, Reply, Statement};

use crate::console::Console;
use crate::database::Database;
use crate::host::Host;

/// One run of the command. Most commands end at the first [`Session::next`]; those that work on a
/// database come back with what is to be done there.
///
/// # Example
/// ```no_run
/// use reseal_cli::{Answer, Host, Session, Turn};
/// # fn host() -> Box<dyn Host> { unimplemented!() }
///
/// let mut session = Session::new(vec!["--version".to_owned()], host());
/// assert!(matches!(session.next(Answer::Start), Turn::Ended(0)));
/// ```
pub struct Session<'h> {
    work: Pin<Box<dyn Future<Output = u8> + 'h>>,
    database: Database,
    ended: Option<u8>,
}

/// What a session asks for. Outside of [`Turn::Begin`] and [`Turn::Commit`] every statement stands
/// alone, as it does with autocommit.
#[derive(Debug)]
pub enum Turn {
    /// Connect to the database of this URL, or take the connection that the caller has:
    /// [`Answer::Connected`].
    Connect(Option<String>),
    /// Run a statement that gives rows: [`Reply::Rows`].
    Query(Statement),
    /// Run a statement that changes rows: [`Reply::Count`].
    Execute(Statement),
    /// Begin a transaction; `BEGIN IMMEDIATE` in SQLite. [`Reply::Done`].
    Begin,
    /// Commit it: [`Reply::Done`].
    Commit,
    /// Undo it: [`Reply::Done`], also where there is none.
    Rollback,
    /// The connection was lost: open another, [`Reply::Done`], or fail.
    Reconnect,
    /// Wait so many milliseconds, or until the person presses ^C: [`Reply::Done`].
    Sleep(u64),
    /// Something was shown; a host that runs other things beside lets them run. [`Reply::Done`].
    Breathe,
    /// It is over, with this exit code. The connection is to be closed.
    Ended(u8),
}

/// What came of a turn.
#[derive(Debug)]
pub enum Answer {
    /// There was no turn yet.
    Start,
    /// There is a connection.
    Connected(Dialect),
    /// There is none, or none that a statement could use.
    Unconnected(Error),
    /// What a statement gave, or that it failed.
    Reply(Reply),
}

impl<'h> Session<'h> {
    /// The command with its arguments, without its name.
    #[must_use]
    pub fn new(args: Vec<String>, host: Box<dyn Host + 'h>) -> Self {
        Self::of(host, async move |console, database| {
            crate::run_arguments(&args, console, database).await
        })
    }

    /// A command that a program calls: `census`, `discover`, `plan`, `apply`, `verify` or
    /// `retire`, with a JSON object of options. It says what `--json` says: the report goes to standard output; events,
    /// warnings and errors go to standard error, a document on each line.
    #[must_use]
    pub fn call(command: String, options: String, host: Box<dyn Host + 'h>) -> Self {
        Self::of(host, async move |console, database| {
            crate::run_call(&command, &options, console, database).await
        })
    }

    fn of<F>(mut host: Box<dyn Host + 'h>, work: F) -> Self
    where
        F: AsyncFnOnce(&mut Console<'_>, &Database) -> u8 + 'h,
    {
        let database = Database::default();
        let line = database.clone();
        let work = async move {
            let mut console = Console::new(&mut *host, false);
            work(&mut console, &line).await
        };
        Self {
            work: Box::pin(work),
            database,
            ended: None,
        }
    }

    /// What is to be done next. `answer` is what came of the turn before, [`Answer::Start`] at first.
    pub fn next(&mut self, answer: Answer) -> Turn {
        if let Some(code) = self.ended {
            return Turn::Ended(code);
        }
        self.database.give(answer);
        // Nothing is ever woken: the caller comes back with an answer.
        let mut context = Context::from_waker(Waker::noop());
        match self.work.as_mut().poll(&mut context) {
            Poll::Ready(code) => {
                self.ended = Some(code);
                Turn::Ended(code)
            }
            // A command that waits has asked for something.
            Poll::Pending => self.database.take().unwrap_or(Turn::Breathe),
        }
    }

    /// What can be done while a [`Turn::Query`] or a [`Turn::Execute`] runs, in another thread or in
    /// this one: the session does what nobody did, when it needs it. It is offered once.
    #[must_use]
    pub fn ahead(&self) -> Option<Ahead> {
        self.database.ahead()
    }
}

impl core::fmt::Debug for Session<'_> {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("Session")
            .field("ended", &self.ended)
            .finish_non_exhaustive()
    }
}
