//! `reseal canary`: does this machine hold the keys of that database?

use core::fmt;

use clap::{Args, Subcommand};
use reseal::{ErrorCode, OsEntropy};
use serde::Serialize;

use crate::console::Console;
use crate::database::Database;
use crate::failure::{Failure, Outcome, exit, usage};
use crate::lines::Lines;
use crate::ring;

use super::seal::Value;

const EXAMPLES: &str = "\
Store the canary beside the data. A process that checks it at its start fails
there with the wrong keys, and not later at a user's request.

Examples:
  reseal canary make >canary.txt
  reseal canary check <canary.txt || exit
";

/// Make and check a value that tells whether the right keys are here
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES, arg_required_else_help = true)]
pub(crate) struct CanaryArgs {
    #[command(subcommand)]
    command: Canary,
}

const MAKE_EXAMPLES: &str = "\
Examples:
  reseal canary make >canary.txt
";

const CHECK_EXAMPLES: &str = "\
Examples:
  reseal canary check <canary.txt
  psql -Atc 'SELECT canary FROM settings' | reseal canary check --json
";

#[derive(Debug, Subcommand)]
enum Canary {
    /// Print a canary of the primary key
    #[command(after_long_help = MAKE_EXAMPLES)]
    Make,
    /// Check a canary: exit code 0 with the right keys, 3 with others, 1 if it is no canary
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check {
        /// The canary; without it, the first line of standard input
        canary: Option<String>,
    },
}

/// What a check found.
#[derive(Serialize)]
struct Checked {
    ok: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
}

impl CanaryArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        match &self.command {
            Canary::Make => {
                let canary = ring::load(console, database)
                    .await?
                    .canary(&mut OsEntropy)?;
                console.report(&Value::public(canary))
            }
            Canary::Check { canary } => {
                let canary = match canary {
                    Some(canary) => canary.clone(),
                    None => first_line(console)?,
                };
                check(console, database, &canary).await
            }
        }
    }
}

async fn check(console: &mut Console<'_>, database: &Database, canary: &str) -> Outcome {
    if canary.trim_ascii().is_empty() {
        return usage(
            "no canary was given: it is an argument, or the first line of standard input",
        );
    }
    let found = ring::load(console, database).await?.check(canary);
    let found = found.map_err(Failure::Refused)?;
    console.report(&Checked {
        ok: found.is_none(),
        code: found.map(ErrorCode::as_str),
    })?;
    match found {
        None => Ok(()),
        Some(_) => Err(Failure::Exit(exit::KEYS)),
    }
}

fn first_line(console: &mut Console<'_>) -> Outcome<String> {
    let line = Lines::default().next(console)?.transpose()?;
    // What is no UTF-8 is no canary either; the core says so.
    let line = line.unwrap_or_default();
    Ok(String::from_utf8_lossy(&line).into_owned())
}

impl fmt::Display for Checked {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.code {
            None => f.write_str("ok: the keys are the right ones"),
            Some(code) => write!(f, "wrong keys: {code}"),
        }
    }
}
