//! The command line, and the commands that a program calls. What touches files, streams and the clock
//! is Python: `reseal/_cli.py` for a person, `reseal/_job_host.py` for a program.

use crate::turns::Turns;
use alloc::rc::Rc;
use core::cell::{Cell, RefCell};
use pyo3::{prelude::*, types::PyBytes};
use reseal::{
    Error, ErrorCode, SourceFile, Zeroizing,
    job::{Ahead, Failure, FailureKind, Reply},
};
use reseal_cli::{
    Answer, FileFacts, FileKind, Host, HostFailure, HostResult, Session, Stream, Turn,
};
use std::thread::{Builder, JoinHandle};

/// run_command(arguments, host)
/// --
///
/// Run the command `reseal` and return its exit code. An exception that is no error of the package
/// ends the command, and is raised.
#[pyfunction]
#[pyo3(signature = (arguments, host, /))]
pub(crate) fn run_command(arguments: Vec<String>, host: Bound<'_, PyAny>) -> PyResult<u8> {
    run(host, |door| Session::new(arguments, door))
}

/// run_job(command, options, host)
/// --
///
/// Run one of the commands that work on a database, with a JSON object of options; it says what
/// `--json` says, and returns the exit code. Exceptions are those of run_command.
#[pyfunction]
#[pyo3(signature = (command, options, host, /))]
pub(crate) fn run_job(command: String, options: String, host: Bound<'_, PyAny>) -> PyResult<u8> {
    run(host, |door| Session::call(command, options, door))
}

/// Whatever ends a run, the database is closed.
fn run<'py>(
    host: Bound<'py, PyAny>,
    start: impl FnOnce(Box<dyn Host + 'py>) -> Session<'py>,
) -> PyResult<u8> {
    let raised = Rc::new(Raised::default());
    let mut session = start(Box::new(Door {
        host: host.clone(),
        raised: Rc::clone(&raised),
    }));
    let mut turns = Turns::new(host);
    let ended = play(&mut session, &mut turns, &raised);
    let closed = turns.close();
    let code = ended?;
    closed.map(|()| code)
}

/// Whatever is raised, the command comes to its end first, to give back what it has changed.
fn play(session: &mut Session<'_>, turns: &mut Turns<'_>, raised: &Raised) -> PyResult<u8> {
    let mut answer = Answer::Start;
    loop {
        let turn = session.next(answer);
        if let Turn::Ended(code) = turn {
            return raised.take().map_or(Ok(code), Err);
        }
        let is_ending = raised.is_any();
        let taken = match session.ahead() {
            _ if raised.stops() => Ok(failed()),
            Some(ahead) => beside(ahead, turns, turn),
            None => turns.take(turn),
        };
        answer = match taken {
            // The second time nobody waits any more.
            Err(error) if is_ending => return Err(raised.take().unwrap_or(error)),
            Err(error) => {
                raised.add(error);
                failed()
            }
            Ok(answer) => answer,
        };
    }
}

/// A turn that is not taken, or was broken off.
const fn failed() -> Answer {
    Answer::Reply(Reply::Failed(Failure {
        kind: FailureKind::Other,
        code: String::new(),
    }))
}

/// Takes a turn while a thread, which needs nothing of Python, works ahead.
fn beside(ahead: Ahead, turns: &mut Turns<'_>, turn: Turn) -> PyResult<Answer> {
    let py = turns.py();
    // Without a thread it is done later.
    let other = Builder::new()
        .name("reseal-job".to_owned())
        .spawn(move || ahead.run())
        .ok();
    let answer = turns.take(turn);
    // A panic would have come again in the session.
    let _ended = py.detach(|| other.map(JoinHandle::join));
    answer
}

/// What ends the command, of all that was raised.
#[derive(Default)]
struct Raised {
    first: RefCell<Option<PyErr>>,
    /// Whether the command has something to give back.
    keeps_on: Cell<bool>,
}

impl Raised {
    fn is_any(&self) -> bool {
        self.first.borrow().is_some()
    }

    /// After ^C nothing else is done, least of all with what a call could not say.
    fn stops(&self) -> bool {
        self.is_any() && !self.keeps_on.get()
    }

    fn add(&self, raised: PyErr) {
        self.first.borrow_mut().get_or_insert(raised);
    }

    fn take(&self) -> Option<PyErr> {
        self.first.take()
    }
}

/// The host object, as the command sees it.
struct Door<'py> {
    host: Bound<'py, PyAny>,
    raised: Rc<Raised>,
}

impl<'py> Door<'py> {
    fn call<T>(&mut self, name: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> HostResult<T>
    where
        T: for<'a> FromPyObject<'a, 'py>,
    {
        if self.raised.stops() {
            return Err(HostFailure::Stopped);
        }
        let result = self.host.call_method1(name, arguments);
        let result = result.and_then(|value| value.extract::<T>().map_err(Into::into));
        result.map_err(|raised| self.failure(raised))
    }

    /// For what gives nothing back.
    fn tell(&mut self, name: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> HostResult<()> {
        self.call::<Bound<'py, PyAny>>(name, arguments).map(drop)
    }

    /// For what cannot fail: what is raised all the same ends the command.
    fn get<T>(&mut self, name: &str, arguments: impl pyo3::call::PyCallArgs<'py>) -> T
    where
        T: Default + for<'a> FromPyObject<'a, 'py>,
    {
        self.call(name, arguments).unwrap_or_default()
    }

    /// What was raised: an error of the package, a stream that failed, or what ends the command.
    fn failure(&mut self, raised: PyErr) -> HostFailure {
        let value = raised.value(self.host.py());
        let text = |name: &str| value.getattr(name).ok()?.extract::<String>().ok();
        let code = text("code");
        let known = ErrorCode::ALL
            .iter()
            .find(|known| Some(known.as_str()) == code.as_deref());
        match (known, text("stream")) {
            (Some(code), _) => Error::new(*code, value.to_string()).into(),
            (None, Some(message)) => HostFailure::Stream(message),
            (None, None) => {
                self.raised.add(raised);
                HostFailure::Stopped
            }
        }
    }
}

impl Host for Door<'_> {
    fn variable(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.get::<Option<String>>("variable", (name,))
            .map(Zeroizing::new)
    }

    fn variable_names(&mut self) -> Vec<String> {
        self.get("variable_names", ())
    }

    fn read_secret(
        &mut self,
        path: &str,
        named_by: Option<&str>,
    ) -> HostResult<Zeroizing<Vec<u8>>> {
        self.call("read_secret", (path, named_by))
            .map(Zeroizing::new)
    }

    fn read_key_directory(&mut self, path: &str, named_by: &str) -> HostResult<Vec<SourceFile>> {
        let files: Vec<(String, Vec<u8>)> = self.call("read_key_directory", (path, named_by))?;
        let file = |(name, content)| SourceFile {
            name,
            content: Zeroizing::new(content),
        };
        Ok(files.into_iter().map(file).collect())
    }

    fn file_facts(&mut self, path: &str) -> HostResult<Option<FileFacts>> {
        let facts: Option<(u8, bool, Option<u32>, u64)> = self.call("file_facts", (path,))?;
        Ok(facts.map(|(kind, is_link, mode, modified)| FileFacts {
            kind: match kind {
                0 => FileKind::File,
                1 => FileKind::Directory,
                _ => FileKind::Other,
            },
            is_link,
            mode,
            modified,
        }))
    }

    fn read_keyset(&mut self, path: &str, named_by: Option<&str>) -> HostResult<Vec<u8>> {
        self.call("read_keyset", (path, named_by))
    }

    fn read_beginning(&mut self, path: &str) -> HostResult<Vec<u8>> {
        self.call("read_beginning", (path,))
    }

    fn save_keyset(&mut self, path: &str, loaded: Option<&[u8]>, document: &str) -> HostResult<()> {
        let py = self.host.py();
        let loaded = loaded.map(|loaded| PyBytes::new(py, loaded));
        let document = PyBytes::new(py, document.as_bytes());
        self.tell("save_keyset", (path, loaded, document))
    }

    fn create_private_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        let content = PyBytes::new(self.host.py(), content);
        self.tell("create_private_file", (path, content))
    }

    fn save_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        let content = PyBytes::new(self.host.py(), content);
        self.tell("save_file", (path, content))
    }

    fn append_file(&mut self, path: &str, content: &[u8], is_new: bool) -> HostResult<()> {
        let content = PyBytes::new(self.host.py(), content);
        self.tell("append_file", (path, content, is_new))
    }

    fn read_input(&mut self) -> HostResult<Zeroizing<Vec<u8>>> {
        self.call("read_input", ()).map(Zeroizing::new)
    }

    fn is_terminal(&mut self, stream: Stream) -> bool {
        self.get("is_terminal", (number(stream),))
    }

    fn ask_secret(&mut self, question: &str) -> HostResult<Option<Zeroizing<String>>> {
        let answer: Option<String> = self.call("ask_secret", (question,))?;
        Ok(answer.map(Zeroizing::new))
    }

    fn ask(&mut self, question: &str) -> HostResult<String> {
        self.call("ask", (question,))
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> HostResult<()> {
        if self.raised.is_any() && self.raised.keeps_on.get() {
            return Ok(());
        }
        let bytes = PyBytes::new(self.host.py(), bytes);
        self.tell("write", (number(stream), bytes))
    }

    fn loses_output(&mut self) -> bool {
        self.get("loses_output", ())
    }

    fn take_warnings(&mut self) -> Vec<String> {
        self.get("take_warnings", ())
    }

    fn start_worker(&mut self, arguments: &[String], database: Option<&str>) -> HostResult<()> {
        self.tell("start_worker", (arguments.to_vec(), database))
    }

    fn ended_workers(&mut self) -> Vec<u8> {
        self.get("ended_workers", ())
    }

    fn stop_workers(&mut self) {
        self.get::<Option<bool>>("stop_workers", ());
    }

    fn keep_on(&mut self, on: bool) {
        self.raised.keeps_on.set(on);
    }

    fn interrupted(&mut self) -> bool {
        self.raised.is_any() || self.get("interrupted", ()) || self.raised.is_any()
    }

    fn milliseconds(&mut self) -> u64 {
        self.get("milliseconds", ())
    }

    fn now(&mut self) -> u64 {
        self.get("now", ())
    }
}

/// The descriptor of a stream.
const fn number(stream: Stream) -> u8 {
    match stream {
        Stream::Input => 0,
        Stream::Output => 1,
        Stream::Errors => 2,
    }
}
