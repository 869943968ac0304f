//! One file for each command.

pub(crate) mod apply;
pub(crate) mod canary;
pub(crate) mod census;
pub(crate) mod completion;
pub(crate) mod convert;
pub(crate) mod discover;
pub(crate) mod doctor;
pub(crate) mod foreign;
pub(crate) mod guide;
pub(crate) mod inspect;
pub(crate) mod keys;
pub(crate) mod keyset;
pub(crate) mod manifest;
pub(crate) mod open;
pub(crate) mod plan;
pub(crate) mod retire;
pub(crate) mod seal;
pub(crate) mod verify;

use core::future::Future;
use core::pin::Pin;

use crate::args::Command;
use crate::console::Console;
use crate::database::Database;
use crate::failure::{Outcome, usage};
use crate::job::{self, Options, Task};
use crate::kek::KekArgs;

/// Runs one command.
pub(crate) async fn run(
    command: &Command,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let (task, options) = match command {
        Command::Keys(args) => return args.run(console),
        Command::Keyset(args) => return apart(args.run(console, database)).await,
        Command::Seal(args) => return apart(args.run(console, database)).await,
        Command::Open(args) => return apart(args.run(console, database)).await,
        Command::Inspect(args) => return args.run(console),
        Command::Convert(args) => return apart(args.run(console, database)).await,
        Command::Manifest(args) => return args.run(console),
        Command::Canary(args) => return apart(args.run(console, database)).await,
        Command::Doctor(args) => return apart(args.run(console, database)).await,
        Command::Completion(args) => return args.run(console),
        Command::Guide(args) => return args.run(console),
        Command::Retire(args) => return apart(args.run(console, database)).await,
        Command::Census(args) => (Task::Census, args.options()),
        Command::Discover(args) => (Task::Discover, args.options()),
        Command::Plan(args) => (Task::Plan, args.options()),
        Command::Apply(args) => (Task::Apply, args.options()),
        Command::Verify(args) => (Task::Verify, args.options()),
    };
    apart(job::run(task, options, console, database)).await
}

/// A command as a function of its own: WebAssembly compiles what is called, and a command runs once.
#[inline(never)]
fn apart<'c>(
    running: impl Future<Output = Outcome> + 'c,
) -> Pin<Box<dyn Future<Output = Outcome> + 'c>> {
    Box::pin(running)
}

/// Runs one that a program calls, with a JSON object of options.
pub(crate) async fn call(
    command: &str,
    options: &str,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let mut options = match serde_json::from_str::<Options>(options) {
        Ok(options) => options,
        // It names the option, and shows a value only where its type is wrong.
        Err(error) => return usage(format!("the options are not in order: {error}")),
    };
    options.is_call = true;
    let task = match command {
        "census" => Task::Census,
        "discover" => Task::Discover,
        "plan" => Task::Plan,
        "apply" => Task::Apply,
        "verify" => Task::Verify,
        "retire" => {
            return crate::retire::run(options, &KekArgs::default(), console, database).await;
        }
        _ => return usage("a program calls census, discover, plan, apply, verify or retire"),
    };
    job::run(task, options, console, database).await
}
