//! The bulk job, on real SQLite databases and as text for the others.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    clippy::panic,
    reason = "a test that panics is a test that fails"
)]

mod ahead;
mod canaries;
mod checkpoints;
mod columns;
mod constraints;
mod discoveries;
mod erased;
mod extents;
mod faults;
mod keys;
mod looks;
mod paths;
mod proofs;
mod races;
mod readers;
mod repairs;
mod rounds;
mod setups;
mod support;
mod tables;
mod terms;
mod texts;
mod unsuitable;
mod without;
mod workers;
