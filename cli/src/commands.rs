//! One file for each command.

pub(crate) mod canary;
pub(crate) mod completion;
pub(crate) mod convert;
pub(crate) mod doctor;
pub(crate) mod foreign;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod keyset;
pub(crate) mod manifest;
pub(crate) mod open;
pub(crate) mod seal;

use crate::args::Command;
use crate::console::Console;
use crate::failure::Outcome;

/// Runs one command.
pub(crate) fn run(command: &Command, console: &mut Console<'_>) -> Outcome {
    match command {
        Command::Keys(args) => args.run(console),
        Command::Keyset(args) => args.run(console),
        Command::Seal(args) => args.run(console),
        Command::Open(args) => args.run(console),
        Command::Inspect(args) => args.run(console),
        Command::Convert(args) => args.run(console),
        Command::Manifest(args) => args.run(console),
        Command::Canary(args) => args.run(console),
        Command::Doctor(args) => args.run(console),
        Command::Completion(args) => args.run(console),
    }
}
