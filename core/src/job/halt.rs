//! Why a job cannot go on for now.

use super::Failure;
use crate::error::Error;

/// Why a job cannot go on for now.
#[derive(Debug)]
pub(super) enum Halt {
    /// The database refused; it may be worth another try.
    Failure(Failure),
    /// There is nothing to try again.
    Error(Error),
}

impl From<Failure> for Halt {
    fn from(failure: Failure) -> Self {
        Self::Failure(failure)
    }
}

impl From<Error> for Halt {
    fn from(error: Error) -> Self {
        Self::Error(error)
    }
}

impl From<Halt> for Error {
    fn from(halt: Halt) -> Self {
        match halt {
            Halt::Error(error) => error,
            Halt::Failure(failure) => failure.into(),
        }
    }
}
