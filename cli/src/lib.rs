//! The command `reseal`: one implementation for the pip and the npm package.
//!
//! [`run`] parses the arguments, does the work with the crate `reseal`, and says what there is to
//! say; whatever touches files, streams or the clock goes through the [`Host`] that a language
//! gives. So the two commands have the same options, output and exit codes by construction.

mod args;
mod commands;
mod console;
mod context;
mod encoding;
mod failure;
mod host;
mod kek;
mod lines;
mod manifest;
mod ring;
mod table;
mod values;
mod words;

pub use host::{FileFacts, FileKind, Host, HostFailure, HostResult, Stream};

use console::Console;
use failure::{Failure, Outcome};

/// Runs the command with its arguments, without its name, and gives the exit code.
///
/// # Example
/// ```no_run
/// # fn host() -> &'static mut dyn reseal_cli::Host { unimplemented!() }
/// let code = reseal_cli::run(&["--version".to_owned()], host());
/// assert_eq!(code, 0);
/// ```
pub fn run(args: &[String], host: &mut dyn Host) -> u8 {
    let json = args::asks_for_json(args);
    let mut console = Console::new(host, json);
    let outcome = args::check(args).and_then(|()| parse_and_run(args, &mut console));
    console.finish(outcome)
}

fn parse_and_run(args: &[String], console: &mut Console<'_>) -> Outcome {
    match args::parse(args) {
        Ok(cli) => commands::run(&cli.command, console),
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
