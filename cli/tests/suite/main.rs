//! The command with a host in memory: what files, terminals and clocks of a test cannot be made to do.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

mod doctor;
mod host;
mod keysets;
mod secrecy;
mod streams;
