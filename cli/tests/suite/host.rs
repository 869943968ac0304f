//! A host whose files, terminal and clock are fields.

use core::cell::Cell;
use std::collections::BTreeMap;
use std::rc::Rc;

use reseal::{Error, ErrorCode, Key, KeyUse, SourceFile, Zeroizing};
use reseal_cli::{
    Answer, FileFacts, FileKind, Host, HostFailure, HostResult, Session, Stream, Turn,
};

use crate::database::Sqlite;

/// 2026-11-20T00:00:00Z
pub(crate) const START: u64 = 1_795_132_800;
/// As a shell reports a program that was killed.
pub(crate) const KILLED: u8 = 137;
pub(crate) const DAY: u64 = 24 * 60 * 60;

pub(crate) struct File {
    pub(crate) content: Vec<u8>,
    pub(crate) facts: FileFacts,
}

#[derive(Default)]
pub(crate) struct Memory {
    pub(crate) now: u64,
    pub(crate) variables: BTreeMap<String, String>,
    pub(crate) files: BTreeMap<String, File>,
    /// Pieces of standard input.
    pub(crate) input: Vec<Vec<u8>>,
    /// What the person at the terminal answers, the last one first; none without a terminal.
    pub(crate) answers: Option<Vec<String>>,
    pub(crate) questions: Vec<String>,
    /// A file that gets another content while the person thinks.
    pub(crate) changes_while_asking: Option<(&'static str, Vec<u8>)>,
    /// Whether standard output is a terminal as well.
    pub(crate) terminal_output: bool,
    pub(crate) output: Vec<u8>,
    pub(crate) errors: Vec<u8>,
    /// What happens to a write to standard output.
    pub(crate) broken_output: Option<fn() -> HostFailure>,
    /// What standard error takes not, and ends the command.
    pub(crate) broken_errors: Option<&'static str>,
    /// Whether standard output leads nowhere.
    pub(crate) loses_output: bool,
    pub(crate) warnings: Vec<String>,
    /// What a command may connect to.
    pub(crate) database: Option<Sqlite>,
    /// After so many turns the person presses ^C.
    pub(crate) interrupt_after: Option<usize>,
    pub(crate) turns: usize,
    /// After so many commits the process is killed.
    pub(crate) killed_after: Option<usize>,
    /// After so many statements no connection can be worked with.
    pub(crate) unusable_after: Option<usize>,
    /// The arguments of the workers that were started.
    pub(crate) workers: Vec<Vec<String>>,
    /// What those end with.
    pub(crate) worker_codes: Vec<u8>,
    /// How often it is asked before they have ended.
    pub(crate) polls: usize,
    /// What somebody else does to the database as soon as a keyset was saved, once.
    pub(crate) done_at_save: Option<&'static str>,
    /// Keysets that were saved.
    pub(crate) saves: Rc<Cell<usize>>,
    /// How far the clock moves whenever somebody looks at it.
    pub(crate) tick: u64,
}

/// How a command ended.
#[derive(Debug)]
pub(crate) struct Ended {
    pub(crate) code: u8,
    pub(crate) out: String,
    pub(crate) err: String,
}

impl Memory {
    pub(crate) fn new() -> Self {
        Self {
            now: START,
            ..Self::default()
        }
    }

    /// With a key-encrypting key in a file, and the variables that name it and a keyset.
    pub(crate) fn with_kek() -> Self {
        let mut memory = Self::new();
        memory.add("kek", &*key(KeyUse::Kek, 9).export());
        memory.set("RESEAL_KEYSET", "ring.json");
        memory.set("RESEAL_KEK_FILE", "kek");
        memory
    }

    pub(crate) fn set(&mut self, name: &str, value: &str) {
        self.variables.insert(name.to_owned(), value.to_owned());
    }

    pub(crate) fn add(&mut self, path: &str, content: impl AsRef<[u8]>) {
        let facts = FileFacts {
            kind: FileKind::File,
            is_link: false,
            mode: Some(0o600),
            modified: self.now,
        };
        let content = content.as_ref().to_vec();
        self.files.insert(path.to_owned(), File { content, facts });
    }

    fn breaks_at(&self, bytes: &[u8]) -> bool {
        let text = String::from_utf8_lossy(bytes);
        self.broken_errors
            .is_some_and(|broken| text.contains(broken))
    }

    pub(crate) fn run(&mut self, line: &str) -> Ended {
        let args: Vec<String> = line.split_whitespace().map(str::to_owned).collect();
        self.turns = 0;
        let code = self.drive(move |host| Session::new(args, host));
        let text = |bytes: &mut Vec<u8>| String::from_utf8(core::mem::take(bytes)).unwrap();
        Ended {
            code,
            out: text(&mut self.output),
            err: text(&mut self.errors),
        }
    }

    /// As a program calls a command.
    pub(crate) fn call(&mut self, command: &str, options: &serde_json::Value) -> Ended {
        let (command, options) = (command.to_owned(), options.to_string());
        let code = self.drive(move |host| Session::call(command, options, host));
        let text = |bytes: &mut Vec<u8>| String::from_utf8(core::mem::take(bytes)).unwrap();
        Ended {
            code,
            out: text(&mut self.output),
            err: text(&mut self.errors),
        }
    }

    fn drive(&mut self, start: impl for<'m> FnOnce(Box<dyn Host + 'm>) -> Session<'m>) -> u8 {
        let database = self.database.take();
        let mut lives = self.killed_after.unwrap_or(usize::MAX);
        let mut usable = self.unusable_after.map_or(0..usize::MAX, |end| 0..end);
        let (saves, before) = (Rc::clone(&self.saves), self.saves.get());
        let mut late = self.done_at_save.take();
        let mut session = start(Box::new(&mut *self));
        let mut answer = Answer::Start;
        let code = loop {
            let turn = session.next(answer);
            if let (Some(database), true) = (&database, saves.get() > before)
                && let Some(sql) = late.take()
            {
                database.0.execute_batch(sql).unwrap();
            }
            answer = match (turn, &database) {
                (Turn::Ended(code), _) => break code,
                (Turn::Query(_) | Turn::Execute(_) | Turn::Begin, Some(_))
                    if usable.next().is_none() =>
                {
                    let why = "the connection is in a transaction";
                    Answer::Unconnected(Error::new(ErrorCode::InvalidArgument, why))
                }
                (Turn::Commit, Some(database)) => {
                    let answer = database.answer(Turn::Commit);
                    lives -= 1;
                    if lives == 0 {
                        break KILLED;
                    }
                    answer
                }
                (turn, Some(database)) => database.answer(turn),
                (turn, None) => {
                    assert!(matches!(turn, Turn::Connect(_)), "{turn:?}");
                    let error = Error::new(ErrorCode::DatabaseError, "there is no database");
                    Answer::Unconnected(error)
                }
            };
        };
        drop(session);
        self.database = database;
        code
    }

    /// What it prints, if all goes well.
    pub(crate) fn ok(&mut self, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, 0, "{line}: {ended:?}");
        ended.out
    }

    /// What it says, where it ends with a code.
    pub(crate) fn fails(&mut self, code: u8, line: &str) -> String {
        let ended = self.run(line);
        assert_eq!(ended.code, code, "{line}: {ended:?}");
        ended.err
    }

    /// The id of the key of a keyset with this label.
    pub(crate) fn labelled(&mut self, label: &str) -> String {
        let shown = self.ok("keyset show");
        let line = shown.lines().find(|line| line.ends_with(label)).unwrap();
        line.split(' ').next().unwrap().to_owned()
    }
}

/// The cases of another system.
pub(crate) fn vectors(system: &str) -> Vec<serde_json::Value> {
    let root = env!("CARGO_MANIFEST_DIR");
    let path = format!("{root}/../spec/vectors/{system}/public.json");
    let file: serde_json::Value = serde_json::from_slice(&std::fs::read(path).unwrap()).unwrap();
    file["vectors"].as_array().unwrap().clone()
}

/// One of them.
pub(crate) fn vector(system: &str, id: &str) -> serde_json::Value {
    let mut cases = vectors(system).into_iter();
    cases.find(|case| case["id"] == id).unwrap()
}

/// What the system stored, as a database gives it; bytes in base64; nothing where there is none.
pub(crate) fn stored(case: &serde_json::Value) -> String {
    let stored = &case["ciphertext"];
    let text = stored.as_str().or(stored["value"].as_str());
    let json = || stored.is_object().then(|| stored.to_string());
    text.map(str::to_owned).or_else(json).unwrap_or_default()
}

/// A key of 32 equal bytes.
pub(crate) fn key(key_use: KeyUse, byte: u8) -> Key {
    Key::from_bytes(key_use, &[byte; 32]).unwrap()
}

impl Host for &mut Memory {
    fn variable(&mut self, name: &str) -> Option<Zeroizing<String>> {
        self.variables.get(name).cloned().map(Zeroizing::new)
    }

    fn variable_names(&mut self) -> Vec<String> {
        self.variables.keys().cloned().collect()
    }

    fn read_secret(
        &mut self,
        path: &str,
        _named_by: Option<&str>,
    ) -> HostResult<Zeroizing<Vec<u8>>> {
        self.read_keyset(path, None).map(Zeroizing::new)
    }

    fn read_key_directory(&mut self, path: &str, _named_by: &str) -> HostResult<Vec<SourceFile>> {
        let files = self.files.iter();
        let inside = files.filter_map(|(name, file)| {
            Some(SourceFile {
                name: name.strip_prefix(path)?.strip_prefix('/')?.to_owned(),
                content: Zeroizing::new(file.content.clone()),
            })
        });
        Ok(inside.collect())
    }

    fn file_facts(&mut self, path: &str) -> HostResult<Option<FileFacts>> {
        Ok(self.files.get(path).map(|file| file.facts.clone()))
    }

    fn read_keyset(&mut self, path: &str, _named_by: Option<&str>) -> HostResult<Vec<u8>> {
        match self.files.get(path) {
            Some(file) => Ok(file.content.clone()),
            None => Err(Error::new(ErrorCode::SourceUnreadable, format!("no {path}")).into()),
        }
    }

    fn read_beginning(&mut self, path: &str) -> HostResult<Vec<u8>> {
        let content = self.read_keyset(path, None)?;
        Ok(content.into_iter().take(64).collect())
    }

    fn save_keyset(&mut self, path: &str, loaded: Option<&[u8]>, document: &str) -> HostResult<()> {
        let there = self.files.get(path).map(|file| file.content.as_slice());
        if there != loaded {
            return Err(
                Error::new(ErrorCode::KeysetConflict, "changed: load it, and try again").into(),
            );
        }
        self.add(path, document);
        self.saves.set(self.saves.get() + 1);
        Ok(())
    }

    fn create_private_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        if self.files.contains_key(path) {
            return Err(Error::new(ErrorCode::KeysetUnwritable, "exists").into());
        }
        self.add(path, content);
        Ok(())
    }

    fn save_file(&mut self, path: &str, content: &[u8]) -> HostResult<()> {
        self.add(path, content);
        Ok(())
    }

    fn append_file(&mut self, path: &str, content: &[u8], is_new: bool) -> HostResult<()> {
        if is_new || !self.files.contains_key(path) {
            self.add(path, content);
            return Ok(());
        }
        if let Some(file) = self.files.get_mut(path) {
            file.content.extend_from_slice(content);
        }
        Ok(())
    }

    fn read_input(&mut self) -> HostResult<Zeroizing<Vec<u8>>> {
        if self.input.is_empty() {
            return Ok(Zeroizing::default());
        }
        Ok(Zeroizing::new(self.input.remove(0)))
    }

    fn is_terminal(&mut self, stream: Stream) -> bool {
        match stream {
            Stream::Output => self.terminal_output,
            Stream::Input | Stream::Errors => self.answers.is_some(),
        }
    }

    fn ask_secret(&mut self, question: &str) -> HostResult<Option<Zeroizing<String>>> {
        self.questions.push(question.to_owned());
        let answers = self.answers.as_mut();
        Ok(answers.and_then(Vec::pop).map(Zeroizing::new))
    }

    fn ask(&mut self, question: &str) -> HostResult<String> {
        self.questions.push(question.to_owned());
        if let Some((path, content)) = self.changes_while_asking.take() {
            self.add(path, content);
        }
        Ok(self.answers.as_mut().and_then(Vec::pop).unwrap_or_default())
    }

    fn write(&mut self, stream: Stream, bytes: &[u8]) -> HostResult<()> {
        match (stream, self.broken_output) {
            (Stream::Output, Some(failure)) => return Err(failure()),
            (Stream::Output, None) => self.output.extend_from_slice(bytes),
            _ if self.breaks_at(bytes) => return Err(HostFailure::Stopped),
            _ => self.errors.extend_from_slice(bytes),
        }
        Ok(())
    }

    fn loses_output(&mut self) -> bool {
        self.loses_output
    }

    fn take_warnings(&mut self) -> Vec<String> {
        core::mem::take(&mut self.warnings)
    }

    fn start_worker(&mut self, arguments: &[String], database: Option<&str>) -> HostResult<()> {
        assert_eq!(database, None);
        self.workers.push(arguments.to_vec());
        Ok(())
    }

    fn ended_workers(&mut self) -> Vec<u8> {
        if !self.worker_codes.is_empty() && self.polls > 0 {
            self.polls -= 1;
            return Vec::new();
        }
        core::mem::take(&mut self.worker_codes)
    }

    fn stop_workers(&mut self) {}

    fn interrupted(&mut self) -> bool {
        self.turns += 1;
        self.interrupt_after.is_some_and(|after| self.turns > after)
    }

    fn milliseconds(&mut self) -> u64 {
        self.turns as u64
    }

    fn now(&mut self) -> u64 {
        self.now += self.tick;
        self.now
    }
}
