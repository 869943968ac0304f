//! Rings that follow a source. Nothing runs in the background: a call looks when it is time.
//!
//! The state is locked only while native code runs that cannot wait, with the GIL held. So no code
//! of Python's runs under the lock, and no process is forked while a thread holds it.

use crate::{
    error::{Failure, Result, invalid_argument, known_error, not_called},
    followed::Followed,
    info::LiveStatus,
    keyring::Keyring,
    ring::{self, Ring},
    source::{self, Named, Reading},
};
use alloc::sync::Arc;
use core::time::Duration;
use pyo3::{
    prelude::*,
    types::{PyDict, PyTuple},
};
use reseal::{Elapsed, Error, ErrorCode, Loaded, Pace, Source, SourceKind};
use std::{
    process,
    sync::{Mutex, MutexGuard, PoisonError},
    thread::{self, ThreadId},
    time::{Instant, UNIX_EPOCH},
};

/// The longest pause, some thirty years, as in JavaScript.
const LONGEST_MS: u64 = 1_000_000_000_000;
/// How long a thread sleeps while it waits for the look of another one.
const PAUSE: Duration = Duration::from_millis(2);
/// How long it waits for it, as in JavaScript: a source may hang.
const LONGEST_LOOK_MS: u64 = 30_000;

/// A keyring that follows its source: new keys arrive in the running process.
///
/// It is a `Keyring`, and so are its fields. Nothing runs in the background: the source is read at
/// the first use, and looked at again by a call after `check_seconds`, or at once where a stored
/// value names an unknown key. A source that is gone is looked for every `reload_seconds`, and
/// meanwhile the old keys go on opening. They go on sealing for the lease of the keyset, and then
/// refuse with `ring-stale`.
///
/// Threads share one; after a fork each process goes on by itself. `clock` gives seconds that never
/// go back, for tests.
///
/// Example:
///     >>> import tempfile
///     >>> kek, path = reseal.Key.generate("kek"), tempfile.mkdtemp() + "/keyset.json"
///     >>> keyset, file = reseal.Keyset.create(kek=kek), reseal.KeysetFile(path, kek=kek)
///     >>> first = keyset.rotate("data")
///     >>> file.create(keyset)
///     >>> ring = reseal.LiveKeyring.from_keyset(path, kek=kek, check_seconds=0)
///     >>> ring.primary_id == first
///     True
///     >>> second = file.edit(lambda keyset: keyset.rotate("data"))
///     >>> ring.primary_id == second
///     True
///
/// Spec: section 10.
#[pyclass(frozen, extends = Keyring, module = "reseal")]
#[derive(Debug)]
pub(crate) struct LiveKeyring(Arc<Live>);

/// A source, the ring that it gave last, and when to look again.
#[derive(Debug)]
pub(crate) struct Live {
    clock: Clock,
    origin: Origin,
    state: Mutex<State>,
}

/// Where rings come from.
#[derive(Debug)]
enum Origin {
    /// What is read for a source that is the core's.
    Source(Mutex<Source>, Reading),
    Store(Followed),
}

#[derive(Debug)]
enum Clock {
    /// Since this moment, with the sleep of the machine.
    System(Instant, Mutex<Elapsed>),
    Python(Py<PyAny>),
}

#[derive(Debug)]
struct State {
    pace: Pace,
    /// What the source gave last, if it ever gave anything.
    ring: Option<Arc<reseal::Keyring>>,
    /// What the last look met.
    error: Option<Error>,
    confirmed_at: Option<u64>,
    lease_seconds: u32,
    generation: Option<u64>,
    ring_id: Option<String>,
    /// Who is looking at the moment.
    looking: Option<Looker>,
    /// When that began, in milliseconds.
    looking_since: u64,
    /// A fork has left the look of another thread behind.
    abandoned: bool,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Looker {
    process: u32,
    thread: ThreadId,
}

/// What a call does next.
enum Step {
    Use(Arc<reseal::Keyring>),
    Look,
    Wait,
    Fail(Error),
}

#[pymethods]
impl LiveKeyring {
    #[new]
    #[pyo3(signature = (*_args, **_kwargs), text_signature = None)]
    fn new(
        _args: &Bound<'_, PyTuple>,
        _kwargs: Option<&Bound<'_, PyDict>>,
    ) -> PyResult<PyClassInitializer<Self>> {
        Err(not_called(
            "a LiveKeyring is made by LiveKeyring.from_env, LiveKeyring.from_directory or LiveKeyring.from_keyset",
        ))
    }

    /// A ring that follows what environment variables describe, as of `Keyring.from_env`.
    ///
    /// The variables are read once. What files they name is looked at again and again.
    ///
    /// Example:
    ///     >>> environ = {"RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export()}
    ///     >>> ring = reseal.LiveKeyring.from_env(environ)
    ///     >>> ring.open_str(ring.seal("x", {}), {})
    ///     'x'
    ///
    /// Errors: as of `Keyring.from_env`: those of variables here, those of files at the first use.
    #[staticmethod]
    #[pyo3(
        signature = (environ=None, *, check_seconds=None, reload_seconds=None, clock=None),
        text_signature = "(environ=None, *, check_seconds=10, reload_seconds=1, clock=None)"
    )]
    fn from_env(
        py: Python<'_>,
        environ: Option<&Bound<'_, PyAny>>,
        check_seconds: Option<&Bound<'_, PyAny>>,
        reload_seconds: Option<&Bound<'_, PyAny>>,
        clock: Option<Py<PyAny>>,
    ) -> Result<Py<Self>> {
        let source = source::read_env(py, environ)?;
        let pace = pace(check_seconds, reload_seconds)?;
        let reading = Reading::now(py, Named::Variables, environ)?;
        Self::make(py, Origin::of(source, reading.in_folder(py)?), pace, clock)
    }

    /// A ring that follows a directory of key files, as of `Keyring.from_directory`.
    ///
    /// Errors: as of `Keyring.from_directory`, at the first use.
    #[staticmethod]
    #[pyo3(
        signature = (path, *, primary, index_primary=None, check_seconds=None, reload_seconds=None, clock=None),
        text_signature = "(path, *, primary, index_primary=None, check_seconds=10, reload_seconds=1, clock=None)"
    )]
    fn from_directory(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        primary: &Bound<'_, PyAny>,
        index_primary: Option<&Bound<'_, PyAny>>,
        check_seconds: Option<&Bound<'_, PyAny>>,
        reload_seconds: Option<&Bound<'_, PyAny>>,
        clock: Option<Py<PyAny>>,
    ) -> Result<Py<Self>> {
        let source = source::directory(path, primary, index_primary)?;
        let pace = pace(check_seconds, reload_seconds)?;
        let reading = Reading::now(py, Named::Arguments, None)?;
        Self::make(py, Origin::of(source, reading.in_folder(py)?), pace, clock)
    }

    /// A ring that follows a keyset in a file or, with a `SqlKeysetStore` in the place of the path, in
    /// a database, as of `Keyring.from_keyset`.
    ///
    /// A database is asked through a connection of its own, which each look makes and closes: so the
    /// store has a URL, or an engine of SQLAlchemy.
    ///
    /// Errors: as of `Keyring.from_keyset`, at the first use; invalid-argument for arguments.
    #[staticmethod]
    #[pyo3(
        signature = (path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=None, check_seconds=None, reload_seconds=None, clock=None),
        text_signature = "(path, *, kek=None, kek_file=None, passphrase=None, passphrase_file=None, ring=None, min_generation=0, check_seconds=10, reload_seconds=1, clock=None)"
    )]
    #[expect(clippy::too_many_arguments, reason = "keywords of Python")]
    fn from_keyset(
        py: Python<'_>,
        path: &Bound<'_, PyAny>,
        kek: Option<&Bound<'_, PyAny>>,
        kek_file: Option<&Bound<'_, PyAny>>,
        passphrase: Option<&Bound<'_, PyAny>>,
        passphrase_file: Option<&Bound<'_, PyAny>>,
        ring: Option<&Bound<'_, PyAny>>,
        min_generation: Option<&Bound<'_, PyAny>>,
        check_seconds: Option<&Bound<'_, PyAny>>,
        reload_seconds: Option<&Bound<'_, PyAny>>,
        clock: Option<Py<PyAny>>,
    ) -> Result<Py<Self>> {
        let pace = pace(check_seconds, reload_seconds)?;
        let opened_by = [kek, kek_file, passphrase, passphrase_file];
        if let Some(store) = source::store(path, &opened_by, [ring, min_generation])? {
            let followed = Followed::new(store)?;
            return Self::make(py, Origin::Store(followed), pace, clock);
        }
        let unlock = source::unlock(kek, kek_file, passphrase, passphrase_file)?;
        let source = source::keyset(path, unlock, source::expect(ring, min_generation)?)?;
        let reading = Reading::now(py, Named::Arguments, None)?;
        Self::make(py, Origin::of(source, reading.in_folder(py)?), pace, clock)
    }

    /// Looks at the source now, whenever it was looked at last.
    ///
    /// Errors: whatever is wrong with the source. The keys that there were stay in use.
    fn refresh(&self, py: Python<'_>) -> Result<()> {
        self.0.refresh(py)
    }

    /// How the source was found when it was looked at last. This looks at nothing.
    ///
    /// Example:
    ///     >>> environ = {"RESEAL_PRIMARY_KEY": reseal.Key.generate("data").export()}
    ///     >>> ring = reseal.LiveKeyring.from_env(environ)
    ///     >>> ring.refresh()
    ///     >>> ring.status().kind, ring.status().stale, ring.status().last_error
    ///     ('keys', False, None)
    fn status<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        self.0.status(py)
    }
}

impl LiveKeyring {
    fn make(
        py: Python<'_>,
        origin: Origin,
        pace: Pace,
        clock: Option<Py<PyAny>>,
    ) -> Result<Py<Self>> {
        let clock = match clock {
            None => Clock::system(),
            Some(clock) if clock.bind(py).is_callable() => Clock::Python(clock),
            Some(_) => return Err(invalid_argument("clock is a function that gives seconds")),
        };
        let live = Arc::new(Live {
            clock,
            origin,
            state: Mutex::new(State {
                pace,
                ring: None,
                error: None,
                confirmed_at: None,
                lease_seconds: 0,
                generation: None,
                ring_id: None,
                looking: None,
                looking_since: 0,
                abandoned: false,
            }),
        });
        let base = Keyring(Ring::Live(Arc::clone(&live)));
        let made = PyClassInitializer::from(base).add_subclass(Self(live));
        Ok(Py::new(py, made)?)
    }
}

impl Live {
    pub(crate) fn shown(&self) -> String {
        let ring = self.lock().ring.clone();
        let shown = ring.map(|ring| ring::shown(&ring));
        format!("Live{}", shown.as_deref().unwrap_or("Keyring(not loaded)"))
    }

    pub(crate) fn to_open(&self, py: Python<'_>) -> Result<Arc<reseal::Keyring>> {
        self.current(py, |_, _| Ok(()))
    }

    pub(crate) fn to_seal(&self, py: Python<'_>) -> Result<Arc<reseal::Keyring>> {
        self.current(py, Pace::check_lease)
    }

    pub(crate) fn check_lease(&self, py: Python<'_>) -> Result<()> {
        let now = self.clock.now(py)?;
        Ok(self.lock().pace.check_lease(now)?)
    }

    /// A newer ring than the one that lacks a key, if the source has one and may be looked at.
    pub(crate) fn newer(
        &self,
        py: Python<'_>,
        used: &Arc<reseal::Keyring>,
    ) -> Result<Option<Arc<reseal::Keyring>>> {
        let mut has_looked = false;
        loop {
            let now = self.clock.now(py)?;
            let step = self.lock().newer(now, used, has_looked);
            match step {
                Some(Step::Use(ring)) => return Ok(Some(ring)),
                Some(Step::Look) => {
                    // What the look met is kept, and told where there is no ring.
                    let _ = self.look(py, now)?;
                    has_looked = true;
                }
                Some(Step::Wait) => pause(py)?,
                _ => return Ok(None),
            }
        }
    }

    /// The ring that `allows`, after a look if it is time for one.
    fn current(
        &self,
        py: Python<'_>,
        allows: fn(&Pace, u64) -> Result<(), Error>,
    ) -> Result<Arc<reseal::Keyring>> {
        let mut has_looked = false;
        loop {
            let now = self.clock.now(py)?;
            let step = self.lock().current(now, allows, has_looked);
            match step {
                Step::Use(ring) => return Ok(ring),
                Step::Fail(error) => return Err(error.into()),
                Step::Look => {
                    // What the look met is kept, and told where there is no ring.
                    let _ = self.look(py, now)?;
                    has_looked = true;
                }
                Step::Wait => pause(py)?,
            }
        }
    }

    fn refresh(&self, py: Python<'_>) -> Result<()> {
        loop {
            let now = self.clock.now(py)?;
            let mut state = self.lock();
            if !state.is_looked_at_elsewhere() {
                state.begin(now);
                drop(state);
                return Ok(self.look(py, now)??);
            }
            let is_hung = state.takes_too_long(now);
            drop(state);
            if is_hung {
                return Err(silent().into());
            }
            pause(py)?;
        }
    }

    /// Reads the source. Its errors are kept; exceptions of the caller's own code are raised.
    fn look(&self, py: Python<'_>, began: u64) -> Result<Result<(), Error>> {
        let _looking = Looking(self);
        let looked = self.look_and_keep(py, began);
        // Last, as a clock of Python's may raise too, and a source gives each ring only once.
        let ended = self.clock.now(py);
        if let Ok(ended) = ended {
            self.lock().pace.end(ended);
        }
        let kept = looked?;
        ended.map(|_| kept)
    }

    fn look_and_keep(&self, py: Python<'_>, began: u64) -> Result<Result<(), Error>> {
        let loaded = match self.load(py) {
            Ok(loaded) => Ok(loaded),
            Err(Failure::Reseal(error)) => Err(error),
            Err(Failure::Python(exception)) => Err(known_error(py, exception)?),
        };
        Ok(self.lock().keep(loaded, began))
    }

    fn load(&self, py: Python<'_>) -> Result<Loaded> {
        let (source, reading) = match &self.origin {
            Origin::Source(source, reading) => (source, reading),
            Origin::Store(followed) => return followed.load(py),
        };
        let lock = || source.lock().unwrap_or_else(PoisonError::into_inner);
        let wants = lock().wants();
        let contents = reading.read_all(py, &wants)?;
        source::load(py, &contents, |contents, derive| {
            lock().load(contents, derive)
        })
    }

    fn status<'py>(&self, py: Python<'py>) -> Result<Bound<'py, PyAny>> {
        let now = self.clock.now(py)?;
        let state = self.lock();
        let status = LiveStatus {
            kind: self.origin.kind().as_str(),
            generation: state.generation,
            ring_id: state.ring_id.clone(),
            lease_seconds: state.lease_seconds,
            confirmed_ago: state
                .confirmed_at
                .map(|at| Duration::from_millis(now.saturating_sub(at))),
            // An idle process looks first, and then seals.
            stale: state.error.is_some() && state.pace.check_lease(now).is_err(),
            error: state.error.clone(),
        };
        drop(state);
        status.show(py)
    }

    fn lock(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl State {
    fn current(
        &mut self,
        now: u64,
        allows: fn(&Pace, u64) -> Result<(), Error>,
        has_looked: bool,
    ) -> Step {
        if self.is_looked_at_elsewhere() {
            // The ring of the last look will do, unless it is this look that makes it do.
            let allowed = allows(&self.pace, now);
            return match (&self.ring, allowed) {
                (Some(ring), Ok(())) => Step::Use(Arc::clone(ring)),
                _ if !self.takes_too_long(now) => Step::Wait,
                (Some(_), Err(error)) => Step::Fail(error),
                (None, _) => Step::Fail(self.error.clone().unwrap_or_else(silent)),
            };
        }
        let knows_nothing = self.ring.is_none() && self.error.is_none();
        let is_due = self.pace.is_due(now) || self.abandoned || knows_nothing;
        if is_due && !has_looked && self.looking.is_none() {
            self.begin(now);
            return Step::Look;
        }
        match (&self.ring, &self.error) {
            (Some(ring), _) => match allows(&self.pace, now) {
                Ok(()) => Step::Use(Arc::clone(ring)),
                Err(error) => Step::Fail(error),
            },
            (None, Some(error)) => Step::Fail(error.clone()),
            (None, None) => Step::Fail(Error::new(
                ErrorCode::SourceUnreadable,
                "the ring is used by what is called while its keys are read for the first time",
            )),
        }
    }

    fn newer(&mut self, now: u64, used: &Arc<reseal::Keyring>, has_looked: bool) -> Option<Step> {
        match &self.ring {
            Some(ring) if !Arc::ptr_eq(ring, used) => return Some(Step::Use(Arc::clone(ring))),
            _ => {}
        }
        if self.is_looked_at_elsewhere() {
            return (!self.takes_too_long(now)).then_some(Step::Wait);
        }
        if has_looked || self.looking.is_some() || !self.pace.may_reload(now) {
            return None;
        }
        self.begin(now);
        Some(Step::Look)
    }

    fn begin(&mut self, now: u64) {
        self.pace.begin(now);
        self.looking = Some(Looker::this());
        self.looking_since = now;
        self.abandoned = false;
    }

    /// Whether nobody waits any more for the look of another thread: its source hangs.
    const fn takes_too_long(&self, now: u64) -> bool {
        now.saturating_sub(self.looking_since) >= LONGEST_LOOK_MS
    }

    /// Whether another thread is looking. One that a fork left behind in the other process is not,
    /// and its look is begun again.
    fn is_looked_at_elsewhere(&mut self) -> bool {
        let Some(looker) = self.looking else {
            return false;
        };
        let this = Looker::this();
        if looker.process != this.process {
            self.looking = None;
            self.abandoned = true;
            return false;
        }
        looker.thread != this.thread
    }

    fn keep(&mut self, loaded: Result<Loaded, Error>, began: u64) -> Result<(), Error> {
        let loaded = loaded.inspect_err(|error| self.error = Some(error.clone()))?;
        self.pace.confirm(began, loaded.lease_seconds);
        if let Some(ring) = loaded.ring {
            self.ring = Some(Arc::new(ring));
        }
        self.error = None;
        self.confirmed_at = Some(began);
        self.lease_seconds = loaded.lease_seconds;
        self.generation = loaded.generation;
        self.ring_id = loaded.ring_id;
        Ok(())
    }
}

fn silent() -> Error {
    let message = "the source of the keys has not answered for 30 seconds";
    Error::new(ErrorCode::SourceUnreadable, message)
}

impl Origin {
    const fn of(source: Source, reading: Reading) -> Self {
        Self::Source(Mutex::new(source), reading)
    }

    fn kind(&self) -> SourceKind {
        match self {
            Self::Source(source, _) => source.lock().unwrap_or_else(PoisonError::into_inner).kind(),
            Self::Store(_) => SourceKind::Keyset,
        }
    }
}

/// Lets others look again, whatever ends this look.
struct Looking<'a>(&'a Live);

impl Drop for Looking<'_> {
    fn drop(&mut self) {
        self.0.lock().looking = None;
    }
}

impl Looker {
    fn this() -> Self {
        Self {
            process: process::id(),
            thread: thread::current().id(),
        }
    }
}

impl Clock {
    fn system() -> Self {
        Self::System(Instant::now(), Mutex::new(Elapsed::since(0, wall_ms())))
    }

    /// Milliseconds.
    fn now(&self, py: Python<'_>) -> Result<u64> {
        match self {
            Self::System(start, elapsed) => {
                let mut elapsed = elapsed.lock().unwrap_or_else(PoisonError::into_inner);
                Ok(elapsed.at(whole_ms(start.elapsed()), wall_ms()))
            }
            Self::Python(clock) => duration(clock.bind(py).call0()?.extract().ok())
                .map(whole_ms)
                .ok_or_else(|| invalid_argument("clock gives seconds, as time.monotonic does")),
        }
    }
}

/// Of the wall clock; none before 1970.
fn wall_ms() -> u64 {
    whole_ms(UNIX_EPOCH.elapsed().unwrap_or_default())
}

fn whole_ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}

fn pace(
    check_seconds: Option<&Bound<'_, PyAny>>,
    reload_seconds: Option<&Bound<'_, PyAny>>,
) -> Result<Pace> {
    let check_ms = milliseconds(check_seconds, "check_seconds", 10_000)?;
    let reload_ms = milliseconds(reload_seconds, "reload_seconds", 1_000)?;
    Ok(Pace::new(check_ms, reload_ms))
}

fn milliseconds(seconds: Option<&Bound<'_, PyAny>>, argument: &str, default: u64) -> Result<u64> {
    let Some(seconds) = seconds else {
        return Ok(default);
    };
    let given = duration(seconds.extract().ok());
    let given = given.and_then(|given| u64::try_from(given.as_millis()).ok());
    let given = given.filter(|given| *given <= LONGEST_MS);
    given.ok_or_else(|| invalid_argument(format!("{argument} is a number of seconds, 0 or more")))
}

fn duration(seconds: Option<f64>) -> Option<Duration> {
    Duration::try_from_secs_f64(seconds?).ok()
}

/// Lets other threads run for a moment.
fn pause(py: Python<'_>) -> Result<()> {
    py.detach(|| thread::sleep(PAUSE));
    Ok(py.check_signals()?)
}
