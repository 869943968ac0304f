//! The command with a host in memory: what files, terminals and clocks of a test cannot be made to do.

#![expect(
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    clippy::string_slice,
    reason = "a test that panics is a test that fails"
)]

mod conversions;
mod database;
mod doctor;
mod formats;
mod guide;
mod host;
mod jobs;
mod keysets;
mod manifests;
mod retire;
mod rows;
mod secrecy;
mod streams;
