//! A driver over SQLite, and the databases that it works on.

use core::cell::RefCell;
use reseal::{
    Context, Key, KeyUse, Keyring, Mode, OsEntropy, Timestamp,
    codec::Stored,
    job::{
        Cell, Counts, Dialect, Event, Failure, Job, JobOptions, Reply, Report, Statement, Step,
        Target, Work,
    },
    manifest::{Manifest, Secrets},
};
use rusqlite::{Connection, params_from_iter, types::Value};
use std::sync::Arc;
use tempfile::TempDir;

/// A database in a file, with the ring of the codec `app`.
pub(crate) struct World {
    folder: Arc<TempDir>,
    pub(crate) db: Connection,
    pub(crate) ring: Arc<Keyring>,
    /// Everything that a job told.
    pub(crate) told: RefCell<Vec<Event>>,
}

/// What a test does at a step: `Some` in place of the driver.
pub(crate) type Hook<'h> = dyn FnMut(usize, &Step) -> Option<Reply> + 'h;

impl World {
    /// A database that some SQL makes.
    pub(crate) fn new(sql: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let db = connection(&folder);
        db.execute_batch(sql).unwrap();
        let key = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
        let index = Key::generate(KeyUse::Index, &mut OsEntropy).unwrap();
        let ring = Keyring::builder().primary(key).primary(index);
        Self {
            folder: Arc::new(folder),
            db,
            ring: Arc::new(ring.build().unwrap()),
            told: RefCell::default(),
        }
    }

    /// A table `users` with so many plaintexts.
    pub(crate) fn users(rows: usize) -> Self {
        let world = Self::new("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT, name TEXT)");
        let mut insert = world
            .db
            .prepare("INSERT INTO users (ssn, name) VALUES (?, 'n')")
            .unwrap();
        world.db.execute_batch("BEGIN").unwrap();
        for row in 1..=rows {
            insert.execute([format!("secret {row}")]).unwrap();
        }
        world.db.execute_batch("COMMIT").unwrap();
        drop(insert);
        world
    }

    /// Another connection to it.
    pub(crate) fn other(&self) -> Connection {
        connection(&self.folder)
    }

    /// The same database, for a driver of its own.
    pub(crate) fn beside(&self) -> Self {
        Self {
            folder: Arc::clone(&self.folder),
            db: self.other(),
            ring: Arc::clone(&self.ring),
            told: RefCell::default(),
        }
    }

    pub(crate) fn targets(&self, columns: &str) -> Vec<Target> {
        let manifest = manifest(columns);
        let mut secrets = Secrets::new();
        secrets.give_ring("app", Arc::clone(&self.ring));
        Target::of(&manifest, &secrets).unwrap()
    }

    pub(crate) fn job(&self, columns: &str, change: impl FnOnce(&mut JobOptions)) -> Job {
        Self::job_of(Work::Apply, self.targets(columns), change)
    }

    pub(crate) fn job_of(
        work: Work,
        targets: Vec<Target>,
        change: impl FnOnce(&mut JobOptions),
    ) -> Job {
        let mut options = JobOptions::new(Dialect::Sqlite);
        options.batch_rows = 40;
        options.verify_one_in = 10;
        change(&mut options);
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        Job::new(work, targets, options, Box::new(OsEntropy), now).unwrap()
    }

    /// Runs a job to its end.
    pub(crate) fn run(&self, job: Job) -> Report {
        self.drive(job, &mut |_, _| None).unwrap()
    }

    /// Runs a job, and asks it to stop after so many batches.
    pub(crate) fn stopped(&self, job: Job, batches: usize) -> Report {
        let is_batch = |step: &Step| matches!(step, Step::Tell(Event::Progress { .. }));
        self.stopped_at(job, batches, is_batch).0
    }

    /// Runs a job, and asks it to stop after so many steps of a kind; with how many of them there were in all.
    pub(crate) fn stopped_at(
        &self,
        mut job: Job,
        times: usize,
        is_one: impl Fn(&Step) -> bool,
    ) -> (Report, usize) {
        let (mut reply, mut done) = (Reply::Start, 0);
        loop {
            if done >= times {
                job.stop();
            }
            reply = match job.next(reply, 0) {
                Step::Finished(report) => return (report, done),
                step => {
                    done += usize::from(is_one(&step));
                    self.perform(step)
                }
            };
        }
    }

    /// Runs a job with a hook; nothing where the hook dropped it, by a panic-free `Reply::Start`.
    pub(crate) fn drive(&self, mut job: Job, hook: &mut Hook<'_>) -> Option<Report> {
        let mut reply = Reply::Start;
        for at in 0.. {
            let step = job.next(reply, 0);
            if let Step::Finished(report) = step {
                return Some(report);
            }
            reply = match hook(at, &step) {
                Some(Reply::Start) => return None,
                Some(instead) => instead,
                None => self.perform(step),
            };
        }
        None
    }

    pub(crate) fn perform(&self, step: Step) -> Reply {
        let result = match step {
            Step::Query(statement) => return or_failed(self.query(&statement).map(Reply::Rows)),
            Step::Execute(statement) => {
                return or_failed(self.execute(&statement).map(Reply::Count));
            }
            Step::Begin => self.db.execute_batch("BEGIN IMMEDIATE"),
            Step::Commit => self.db.execute_batch("COMMIT"),
            Step::Rollback => self.rollback(),
            Step::Tell(event) => {
                self.told.borrow_mut().push(event);
                Ok(())
            }
            Step::Reconnect | Step::Sleep { .. } | Step::Save(_) => Ok(()),
            Step::Finished(_) => panic!("the loop ends there"),
        };
        or_failed(result.map(|()| Reply::Done))
    }

    /// As a connection that breaks would.
    pub(crate) fn rollback(&self) -> rusqlite::Result<()> {
        if self.db.is_autocommit() {
            return Ok(());
        }
        self.db.execute_batch("ROLLBACK")
    }

    pub(crate) fn query(&self, statement: &Statement) -> rusqlite::Result<Vec<Vec<Cell>>> {
        let mut prepared = self.db.prepare_cached(&statement.sql)?;
        let width = prepared.column_count();
        let rows = prepared.query_map(params_from_iter(values(statement)), |row| {
            (0..width).map(|at| row.get(at).map(cell)).collect()
        })?;
        rows.collect()
    }

    /// How SQLite goes about a statement.
    pub(crate) fn plan(&self, statement: &Statement) -> String {
        let sql = format!("EXPLAIN QUERY PLAN {}", statement.sql);
        let mut prepared = self.db.prepare(&sql).unwrap();
        let lines = prepared.query_map(params_from_iter(values(statement)), |row| row.get(3));
        let lines: Vec<String> = lines.unwrap().map(Result::unwrap).collect();
        lines.join("\n")
    }

    fn execute(&self, statement: &Statement) -> rusqlite::Result<u64> {
        let mut prepared = self.db.prepare_cached(&statement.sql)?;
        let count = prepared.execute(params_from_iter(values(statement)))?;
        Ok(count.try_into().unwrap())
    }

    /// What the values of a column of `users` open to, by id.
    pub(crate) fn opened(&self) -> Vec<(i64, String)> {
        let mut all = self.db.prepare("SELECT id, ssn FROM users").unwrap();
        let rows = all.query_map([], |row| Ok((row.get(0)?, row.get::<_, String>(1)?)));
        rows.unwrap()
            .map(|row| {
                let (id, stored) = row.unwrap();
                (id, self.open(&stored))
            })
            .collect()
    }

    /// An envelope of `users.ssn`.
    pub(crate) fn open(&self, stored: &str) -> String {
        String::from_utf8(self.ring.open(stored, &context()).unwrap().to_vec()).unwrap()
    }

    pub(crate) fn seal(&self, text: &str) -> String {
        self.ring
            .seal(text.as_bytes(), &context(), Mode::Random, &mut OsEntropy)
            .unwrap()
    }

    /// One text of the database.
    pub(crate) fn text(&self, sql: &str) -> Option<String> {
        self.db.query_row(sql, [], |row| row.get(0)).unwrap()
    }

    pub(crate) fn number(&self, sql: &str) -> i64 {
        self.db.query_row(sql, [], |row| row.get(0)).unwrap()
    }
}

fn connection(folder: &TempDir) -> Connection {
    let db = Connection::open(folder.path().join("db")).unwrap();
    // Nobody pulls the plug of a test.
    db.execute_batch("PRAGMA synchronous = OFF").unwrap();
    db
}

pub(crate) const USERS: &str = "[[columns]]
table = 'users'
column = 'ssn'
row_id = ['id']
context = { table = 'users', column = 'ssn' }
write = 'app'
read = ['plain']
";

pub(crate) fn manifest(columns: &str) -> Manifest {
    let codecs = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n";
    Manifest::parse(&format!("{codecs}{columns}")).unwrap()
}

pub(crate) fn context() -> Context {
    let context = Context::new().with("table", "users").unwrap();
    context.with("column", "ssn").unwrap()
}

/// `Stored` of text, for the column of a target.
pub(crate) fn opens(target: &Target, stored: &str, facts: &Context) -> Vec<u8> {
    let read = target.column.open(Stored::Text(stored), facts).unwrap();
    read.plaintext.to_vec()
}

/// All values were counted, each once.
pub(crate) fn assert_adds_up(counts: &Counts) {
    let parts = [
        counts.null,
        counts.current,
        counts.reindexed,
        counts.resealed(),
        counts.refused(),
        counts.gone,
        counts.left,
        counts.found(),
    ];
    assert_eq!(counts.scanned, parts.iter().sum::<u64>(), "{counts:?}");
}

pub(crate) fn failed(code: &str) -> Reply {
    Reply::Failed(Failure::of(Dialect::Sqlite, code))
}

fn or_failed(result: rusqlite::Result<Reply>) -> Reply {
    result.unwrap_or_else(|error| {
        let code = error.sqlite_error().map_or(0, |error| error.extended_code);
        failed(&code.to_string())
    })
}

fn values(statement: &Statement) -> impl Iterator<Item = Value> {
    statement.params.iter().map(|cell| match cell {
        Cell::Null => Value::Null,
        Cell::Int(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.to_string()),
        Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
        Cell::Other => panic!("SQLite has none"),
    })
}

fn cell(value: Value) -> Cell {
    match value {
        Value::Null => Cell::Null,
        Value::Integer(number) => Cell::Int(number),
        Value::Real(_) => Cell::Other,
        Value::Text(text) => text.into(),
        Value::Blob(bytes) => bytes.into(),
    }
}
