//! The command `reseal`: one implementation for the pip and the npm package.
//!
//! A [`Session`] parses the arguments, does the work with the crate `reseal`, and says what there is
//! to say. Whatever touches files, streams or the clock goes through the [`Host`] that a language
//! gives, and statements for a database are its [`Turn`]s. So the two commands have the same options,
//! output and exit codes by construction.

mod args;
mod commands;
mod confirm;
mod console;
mod context;
mod database;
mod encoding;
mod failure;
mod guide;
mod host;
mod job;
mod kek;
mod keyset_row;
mod lines;
mod manifest;
mod retire;
mod ring;
mod server;
mod session;
mod table;
mod values;
mod words;

pub use host::{FileFacts, FileKind, Host, HostFailure, HostResult, Stream};
pub use retire::writing_transactions;
pub use session::{Answer, Session, Turn};

use console::Console;
use database::Database;
use failure::{Failure, Outcome};

/// The command of a person; gives the exit code.
async fn run_arguments(args: &[String], console: &mut Console<'_>, database: &Database) -> u8 {
    if args::asks_for_json(args) {
        console.speak_json();
    }
    let outcome = match args::check(args) {
        Ok(()) => parse_and_run(args, console, database).await,
        Err(wrong) => Err(wrong),
    };
    console.finish(database.explained(outcome))
}

/// The command that a program calls; gives the exit code.
async fn run_call(
    command: &str,
    options: &str,
    console: &mut Console<'_>,
    database: &Database,
) -> u8 {
    console.speak_to_program();
    let outcome = commands::call(command, options, console, database).await;
    console.finish(database.explained(outcome))
}

async fn parse_and_run(args: &[String], console: &mut Console<'_>, database: &Database) -> Outcome {
    match args::parse(args) {
        Ok(cli) => commands::run(&cli.command, console, database).await,
        Err(error) if error.use_stderr() => said_by_parser(error, args, console),
        Err(help) => console.raw(help.render().to_string().as_bytes()),
    }
}

/// The parser's own words, which name the option and show the usage.
fn said_by_parser(error: clap::Error, given: &[String], console: &mut Console<'_>) -> Outcome {
    let error = args::without_values(error);
    let mut text = error.render().to_string();
    if args::may_hold_passphrase(given, &error) {
        let (first, rest) = text.split_once('\n').unwrap_or((&text, ""));
        text = format!(
            "{first}\n  --passphrase asks, and takes no value: an argument is seen by others, so think of another passphrase\n{rest}"
        );
    }
    if console.is_json() {
        let lines = text.lines().map(str::trim);
        let first: Vec<_> = lines.take_while(|line| !line.is_empty()).collect();
        let message = first.join(" ");
        return failure::usage(message.strip_prefix("error: ").unwrap_or(&message));
    }
    console.say(&text)?;
    Err(Failure::Exit(failure::exit::USAGE))
}
