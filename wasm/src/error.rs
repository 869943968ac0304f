//! Errors: written into the output as class, code and message, a line each.

use alloc::vec::Vec;
use reseal::{Error, ErrorClass, ErrorCode};

/// What the TypeScript side makes an error object of.
pub(crate) fn encode(error: &Error) -> Vec<u8> {
    let class = match error.code().class() {
        ErrorClass::Decrypt => "DecryptError",
        ErrorClass::Keyring => "KeyringError",
        ErrorClass::Format => "FormatError",
        ErrorClass::Other => "ResealError",
    };
    [class, error.code().as_str(), error.message()]
        .join("\n")
        .into_bytes()
}

/// A number that the TypeScript side should not have sent.
pub(crate) fn bad_call() -> Error {
    Error::new(
        ErrorCode::InvalidArgument,
        "a call into the module has an argument that it does not know",
    )
}
