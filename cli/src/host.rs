//! What a language lends to the command: its files, its terminal, its clock.

use reseal::{Error, Result as ResealResult, SourceFile, Zeroizing};

/// Why a host did not do what was asked.
#[derive(Debug)]
pub enum HostFailure {
    /// An error to report, with its code.
    Error(Error),
    /// A standard stream failed; the sentence says which and how.
    Stream(String),
    /// The command ends here without a word: the person pressed ^C, or the reader of the output
    /// went away. The host knows which, and says so to whoever called it.
    Stopped,
}

impl From<Error> for HostFailure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

/// The result of a call to the host.
pub type HostResult<T> = ResealResult<T, HostFailure>;

/// One of the standard streams.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Stream {
    /// Values come in here.
    Input,
    /// Results go out here.
    Output,
    /// Errors, warnings and hints go out here.
    Errors,
}

/// What is known about a file without reading it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct FileFacts {
    /// What the path leads to, links followed.
    pub kind: FileKind,
    /// Whether the path itself is a symbolic link.
    pub is_link: bool,
    /// The permission bits, as `0o640`; `None` where the system has none.
    pub mode: Option<u32>,
    /// When it was last written, in seconds since 1970.
    pub modified: u64,
}

/// What a path leads to.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum FileKind {
    /// A regular file.
    File,
    /// A directory.
    Directory,
    /// A pipe, a socket, a device.
    Other,
}

/// What the command needs of the language that runs it, besides the database, which a
/// [`crate::Session`] asks for. Everything is synchronous.
///
/// # Errors
/// Each method says with which codes it fails; a host that cannot go on says
/// [`HostFailure::Stopped`].
pub trait Host {
    /// The value of an environment variable. What is no Unicode holds U+FFFD in its place.
    fn variable(&mut self, name: &str) -> Option<Zeroizing<String>>;

    /// The names of all environment variables that begin with `RESEAL`.
    fn variable_names(&mut self) -> Vec<String>;

    /// The bytes of a file with a key or a passphrase; `named_by` is the variable or option that
    /// named it, for the message.
    ///
    /// # Errors
    /// `source-unreadable`.
    fn read_secret(&mut self, path: &str, named_by: Option<&str>)
    -> HostResult<Zeroizing<Vec<u8>>>;

    /// The files of a directory of key files, without hidden entries and sub-directories.
    ///
    /// # Errors
    /// `source-unreadable`.
    fn read_key_directory(&mut self, path: &str, named_by: &str) -> HostResult<Vec<SourceFile>>;

    /// What is known about a path; `None` where there is nothing.
    ///
    /// # Errors
    /// `source-unreadable` where even that may not be asked.
    fn file_facts(&mut self, path: &str) -> HostResult<Option<FileFacts>>;

    /// The bytes of a keyset file, or of another one that is no secret and is no larger.
    ///
    /// # Errors
    /// `source-unreadable`, `keyset-malformed`.
    fn read_keyset(&mut self, path: &str, named_by: Option<&str>) -> HostResult<Vec<u8>>;

    /// The first 64 bytes of a regular file that is no secret, or as many as it has.
    ///
    /// # Errors
    /// `source-unreadable`.
    fn read_beginning(&mut self, path: &str) -> HostResult<Vec<u8>>;

    /// Replaces a keyset file by a new document, if it still holds the bytes that were loaded;
    /// with `None` creates it, if it does not exist.
    ///
    /// # Errors
    /// `keyset-conflict`, `keyset-unwritable`.
    fn save_keyset(&mut self, path: &str, loaded: Option<&[u8]>, document: &str) -> HostResult<()>;

    /// Creates a file that only its owner may read and write.
    ///
    /// # Errors
    /// `keyset-unwritable`, also where the file exists.
    fn create_private_file(&mut self, path: &str, content: &[u8]) -> HostResult<()>;

    /// Replaces a file that is no secret, all or nothing; creates it where it is missing.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn save_file(&mut self, path: &str, content: &[u8]) -> HostResult<()>;

    /// Appends to a file that is no secret, and only its owner reads; `is_new` begins it anew.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn append_file(&mut self, path: &str, content: &[u8], is_new: bool) -> HostResult<()>;

    /// The next bytes of standard input, as soon as there are some; none at its end.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn read_input(&mut self) -> HostResult<Zeroizing<Vec<u8>>>;

    /// Whether a person sits at this stream.
    fn is_terminal(&mut self, stream: Stream) -> bool;

    /// A secret that a person types at the terminal and nobody sees; `None` where there is no
    /// terminal.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn ask_secret(&mut self, question: &str) -> HostResult<Option<Zeroizing<String>>>;

    /// The line that a person answers at standard input, without its end.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn ask(&mut self, question: &str) -> HostResult<String>;

    /// Writes all bytes to a stream, at once.
    ///
    /// # Errors
    /// [`HostFailure::Stream`]; [`HostFailure::Stopped`] where its reader went away.
    fn write(&mut self, stream: Stream, bytes: &[u8]) -> HostResult<()>;

    /// Whether what is written to standard output is gone: it is closed, or is the null device.
    fn loses_output(&mut self) -> bool;

    /// What the host has to say about the files that it read, since it was asked last.
    fn take_warnings(&mut self) -> Vec<String>;

    /// Starts another process of this command with these arguments, in the same folder and with the same
    /// variables; `database` is the URL of the database where that is another one. It reads nothing, its results are thrown away, and its errors go where ours go.
    ///
    /// # Errors
    /// [`HostFailure::Stream`].
    fn start_worker(&mut self, arguments: &[String], database: Option<&str>) -> HostResult<()>;

    /// The exit codes of those processes that ended since this was asked last.
    fn ended_workers(&mut self) -> Vec<u8>;

    /// Asks those that run to end.
    fn stop_workers(&mut self);

    /// What follows is to be done whatever was raised before, or is not any more: the command gives back what it has
    /// changed. A host whose calls raise what ends the command then says that it is [`Host::interrupted`].
    fn keep_on(&mut self, _on: bool) {}

    /// Whether the person pressed ^C, which a command that works on a database asks for: it finishes
    /// what it is at. Another command is ended, and so is this one the second time.
    fn interrupted(&mut self) -> bool;

    /// Milliseconds of a clock that never goes back.
    fn milliseconds(&mut self) -> u64;

    /// Seconds since 1970.
    fn now(&mut self) -> u64;
}
