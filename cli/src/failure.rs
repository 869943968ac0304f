//! How a command ends other than well, and with which exit code.

use reseal::{Error, ErrorClass, ErrorCode};

use crate::host::HostFailure;

/// The exit codes, as the help tells them.
pub(crate) mod exit {
    pub(crate) const DONE: u8 = 0;
    pub(crate) const REFUSED: u8 = 1;
    pub(crate) const USAGE: u8 = 2;
    pub(crate) const KEYS: u8 = 3;
    pub(crate) const IO: u8 = 4;
    /// Stopped, and can be resumed.
    pub(crate) const RESUMABLE: u8 = 5;
    /// As a shell reports a program that ^C ended.
    pub(crate) const INTERRUPTED: u8 = 130;
}

/// What ends a command.
#[derive(Debug)]
pub(crate) enum Failure {
    /// An error of the core or the host; its code decides the exit code.
    Error(Error),
    /// The one value that the command is about was refused.
    Refused(Error),
    /// What the command was given to work with is wrong, whatever the code.
    Given(Error),
    /// The command was called wrongly.
    Usage(String),
    /// A standard stream failed.
    Stream(String),
    /// Everything was said already.
    Exit(u8),
    /// The host stopped, and knows why.
    Stopped,
}

/// The result of everything that a command does.
pub(crate) type Outcome<T = ()> = Result<T, Failure>;

impl From<Error> for Failure {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<HostFailure> for Failure {
    fn from(failure: HostFailure) -> Self {
        match failure {
            HostFailure::Error(error) => Self::Error(error),
            HostFailure::Stream(message) => Self::Stream(message),
            HostFailure::Stopped => Self::Stopped,
        }
    }
}

/// A wrong call, in a sentence.
pub(crate) fn usage<T>(message: impl Into<String>) -> Outcome<T> {
    Err(Failure::Usage(message.into()))
}

/// The exit code of an error that ends the whole command.
pub(crate) fn exit_code(code: ErrorCode) -> u8 {
    match code {
        ErrorCode::InvalidArgument
        | ErrorCode::ContextInvalid
        | ErrorCode::InvalidText
        | ErrorCode::ManifestInvalid
        | ErrorCode::EncryptionRequired
        | ErrorCode::ColumnUnsuitable
        | ErrorCode::ReaderUnable => exit::USAGE,
        ErrorCode::SourceUnreadable
        | ErrorCode::KeysetUnwritable
        | ErrorCode::RandomUnavailable
        | ErrorCode::EngineUnsupported
        | ErrorCode::DatabaseError
        | ErrorCode::VerificationFailed => exit::IO,
        ErrorCode::JobConflict => exit::RESUMABLE,
        ErrorCode::StillInUse => exit::REFUSED,
        _ => exit::KEYS,
    }
}

/// Whether an error concerns one value, so that the command goes on with the next one.
pub(crate) fn is_of_a_value(error: &Error) -> bool {
    let code = error.code();
    code.class() != ErrorClass::Keyring && code != ErrorCode::RandomUnavailable
}

#[cfg(test)]
mod tests {
    use super::{exit, exit_code};
    use reseal::{ErrorClass, ErrorCode};

    const LAW: &str = include_str!("../../spec/errors.md");
    /// Of a keyset or a key source; the others are of a value, or of a page, and end no command.
    const OTHERS: [ErrorCode; 20] = [
        ErrorCode::NotEnvelope,
        ErrorCode::UnsupportedVersion,
        ErrorCode::UnsupportedMode,
        ErrorCode::Malformed,
        ErrorCode::TooLarge,
        ErrorCode::UnknownKey,
        ErrorCode::KeyDestroyed,
        ErrorCode::KeyDisabled,
        ErrorCode::KeyWrongUse,
        ErrorCode::AuthFailed,
        ErrorCode::LooksSealed,
        ErrorCode::NotInitialized,
        ErrorCode::FormatMismatch,
        ErrorCode::FormatUnsupported,
        ErrorCode::CodecReadOnly,
        ErrorCode::DoubleEncrypted,
        ErrorCode::ValueInvalid,
        ErrorCode::ExpectRequired,
        ErrorCode::DuplicateValue,
        ErrorCode::ConstraintViolated,
    ];

    #[test]
    fn each_code_was_given_its_exit_code() {
        let is_other = |code: &&ErrorCode| {
            exit_code(**code) == exit::KEYS && code.class() != ErrorClass::Keyring
        };
        let others: Vec<_> = ErrorCode::ALL.iter().filter(is_other).collect();
        assert_eq!(others, OTHERS.iter().collect::<Vec<_>>());
    }

    #[test]
    fn the_law_names_them() {
        let (_, law) = LAW.split_once("## Exit codes of the command line").unwrap();
        let (_, rows) = law.split_once("| exit | codes |").unwrap();
        for exit in [exit::REFUSED, exit::USAGE, exit::IO, exit::RESUMABLE] {
            let start = format!("| {exit} | ");
            let row = rows.lines().find(|line| line.starts_with(&start)).unwrap();
            let named: Vec<_> = row.split('`').skip(1).step_by(2).collect();
            let all = ErrorCode::ALL.iter();
            let ours = all.filter(|code| exit_code(**code) == exit);
            let ours: Vec<_> = ours.map(|code| code.as_str()).collect();
            assert_eq!(named, ours, "exit code {exit}");
        }
    }
}
