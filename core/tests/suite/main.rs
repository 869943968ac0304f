//! The tests of the core's public face, in one program.

#![expect(
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

mod common;
mod contexts;
mod errors;
mod keys;
mod keysets;
mod limits;
mod live;
mod nonces;
mod properties;
mod rings;
mod secrecy;
mod sources;
mod values;
