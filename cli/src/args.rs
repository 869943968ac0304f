//! The tree of commands, and what is checked before it is parsed.

use clap::error::{ContextKind, ContextValue, ErrorKind};
use clap::{Parser, Subcommand};

use crate::commands::{
    apply, canary, census, completion, convert, discover, doctor, guide, inspect, keys, keyset,
    manifest, open, plan, retire, seal, verify,
};
use crate::failure::{Outcome, usage};

const ABOUT: &str =
    "Keys and sealed values: make, roll out, retire; databases: census, plan, apply";

const LONG_ABOUT: &str = "\
Keys and sealed values: make, roll out, retire; databases: census, plan, apply.

The pip and the npm package install this one command; both do the same.";

const AFTER_HELP: &str = "\
Where the keys of seal, open, canary and doctor come from (one of these):
  RESEAL_PRIMARY_KEY   the data key that seals; with it RESEAL_INDEX_KEY,
                       RESEAL_DECRYPT_KEYS, RESEAL_INTRODUCED_KEYS
  RESEAL_KEY_DIR       a directory with one key per file; with it
                       RESEAL_PRIMARY, RESEAL_INDEX_PRIMARY
  RESEAL_KEYSET        a keyset file; with it one of RESEAL_KEK, RESEAL_KEK_FILE,
                       RESEAL_PASSPHRASE, RESEAL_PASSPHRASE_FILE; or sql:RING, a
                       row of the database that RESEAL_DATABASE_URL names

A key or a passphrase is never an argument: arguments are seen by everybody on
the machine, and stay in the history of the shell.

Results go to standard output, all else to standard error. With --json a result
is one JSON document, a list of values is one document per line, and an error is
{\"error\":{\"code\":…,\"message\":…,\"exit\":…}} on standard error.

Exit codes:
  0  done
  1  some values were refused; the others are done
  2  called wrongly, or with a manifest that is not valid, or a question was
     not answered with yes
  3  keys: missing, wrong, in the wrong state
  4  a file, a stream or the database failed
  5  stopped, and can be resumed: the same command goes on
";

#[derive(Debug, Parser)]
#[command(
    name = "reseal",
    version,
    about = ABOUT,
    long_about = LONG_ABOUT,
    after_long_help = AFTER_HELP,
    arg_required_else_help = true,
    infer_long_args = false
)]
pub(crate) struct Cli {
    #[command(subcommand)]
    pub(crate) command: Command,

    /// Print results as JSON, errors as well
    #[arg(long, global = true)]
    json: bool,
}

#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    Keys(keys::KeysArgs),
    Keyset(keyset::KeysetArgs),
    Seal(seal::SealArgs),
    Open(open::OpenArgs),
    Inspect(inspect::InspectArgs),
    Convert(convert::ConvertArgs),
    Manifest(manifest::ManifestArgs),
    Census(census::CensusArgs),
    Discover(discover::DiscoverArgs),
    Plan(plan::PlanArgs),
    Apply(apply::ApplyArgs),
    Verify(verify::VerifyArgs),
    Retire(retire::RetireArgs),
    Guide(guide::GuideArgs),
    Canary(canary::CanaryArgs),
    Doctor(doctor::DoctorArgs),
    Completion(completion::CompletionArgs),
}

/// Parses the arguments, without the name of the command.
pub(crate) fn parse(args: &[String]) -> Result<Cli, clap::Error> {
    let name = "reseal".to_owned();
    Cli::try_parse_from(core::iter::once(&name).chain(args))
}

/// The error without what was given: in a wrong place it may be a passphrase.
pub(crate) fn without_values(mut error: clap::Error) -> clap::Error {
    // What is missing there is of our own names.
    if error.kind() == ErrorKind::MissingSubcommand {
        return error;
    }
    let is_unknown = error.kind() == ErrorKind::UnknownArgument;
    for kind in [
        ContextKind::InvalidArg,
        ContextKind::InvalidSubcommand,
        ContextKind::InvalidValue,
    ] {
        let Some(ContextValue::String(text)) = error.get(kind) else {
            continue;
        };
        // Elsewhere this is the name of one of our options.
        let is_name = kind == ContextKind::InvalidArg && (!is_unknown || text.starts_with("--"));
        if !text.is_empty() && !is_name {
            error.insert(kind, ContextValue::String("…".to_owned()));
        }
    }
    error
}

/// Whether a word that does not belong there may be a passphrase for an option that asks for it.
pub(crate) fn may_hold_passphrase(args: &[String], error: &clap::Error) -> bool {
    let names = ["--passphrase", "--new-passphrase"];
    let asks = |arg: &String| names.contains(&arg.split('=').next().unwrap_or_default());
    let is_odd = matches!(
        error.kind(),
        ErrorKind::UnknownArgument | ErrorKind::InvalidSubcommand | ErrorKind::TooManyValues
    );
    is_odd && args.iter().any(asks)
}

/// Whether errors are to be JSON, also those of a call that does not parse.
pub(crate) fn asks_for_json(args: &[String]) -> bool {
    args.iter()
        .take_while(|arg| *arg != "--")
        .any(|arg| arg == "--json")
}

/// Refuses what must not be repeated in a message.
pub(crate) fn check(args: &[String]) -> Outcome {
    for (at, arg) in args.iter().enumerate() {
        let number = at + 1;
        if arg.contains(char::REPLACEMENT_CHARACTER) {
            return usage(format!(
                "argument {number} is no UTF-8: give the value on standard input"
            ));
        }
        if arg.contains("rsk1.") {
            return usage(format!(
                "argument {number} holds a key, and arguments are seen by others: give it in the environment or in a file, and think of replacing it"
            ));
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::{Cli, check};
    use clap::CommandFactory as _;

    #[test]
    fn the_tree_holds_together() {
        Cli::command().debug_assert();
    }

    #[test]
    fn every_command_and_option_has_a_help_text() {
        fn look(command: &clap::Command) {
            assert!(command.get_about().is_some(), "{}", command.get_name());
            for arg in command.get_arguments() {
                assert!(arg.get_help().is_some(), "{} {arg}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn every_command_has_examples() {
        fn look(command: &clap::Command) {
            let after = command.get_after_long_help();
            let after = after.map(ToString::to_string).unwrap_or_default();
            if !command.has_subcommands() {
                assert!(after.contains("Examples:"), "{}", command.get_name());
            }
            command.get_subcommands().for_each(look);
        }
        look(&Cli::command());
    }

    #[test]
    fn a_word_in_a_wrong_place_is_not_repeated() {
        for (line, named) in [
            ("keyset show --passphrase secret", "unexpected argument"),
            ("keyset show --passphrase=secret", "--passphrase"),
            ("keyset --passphrase secret show", "unrecognized subcommand"),
            ("keyset --new-passphrase secret", "--new-passphrase"),
            ("keyset rewrap-keys -secret", "unexpected argument"),
            ("secret", "unrecognized subcommand"),
            ("--json", "'reseal' requires a subcommand"),
            ("keys --json", "'reseal keys' requires a subcommand"),
            (
                "seal --mode secret",
                "[possible values: random, deterministic, padded]",
            ),
            ("seal --kek=secret", "--kek"),
            ("keyset lease secret", "<SECONDS>"),
            ("completion secret", "<SHELL>"),
            ("keys new --use", "a value is required for '--use <USE>'"),
            (
                "keys new --for rails --use kek",
                "'--for <SYSTEM>' cannot be used with '--use <USE>'",
            ),
        ] {
            let args: Vec<String> = line.split(' ').map(str::to_owned).collect();
            let error = super::without_values(super::parse(&args).unwrap_err());
            let text = error.render().to_string();
            assert!(text.contains(named), "{line}: {text}");
            assert!(!text.contains("secret"), "{line}: {text}");
        }
    }

    #[test]
    fn help_fits_a_terminal() {
        fn look(command: &mut clap::Command) {
            for line in command.render_long_help().to_string().lines() {
                assert!(
                    line.chars().count() <= 100,
                    "{}: {line}",
                    command.get_name()
                );
            }
            command.get_subcommands_mut().for_each(look);
        }
        let mut command = Cli::command();
        command.build();
        look(&mut command);
    }

    #[test]
    fn keys_and_broken_text_are_refused_and_not_shown() {
        for arg in [
            "rsk1.data.secret",
            "--out=rsk1.kek.secret",
            "a\u{fffd}secret",
        ] {
            let args = ["keys".to_owned(), arg.to_owned()];
            let Err(crate::failure::Failure::Usage(message)) = check(&args) else {
                panic!("{arg} passed");
            };
            assert!(message.contains("argument 2"), "{message}");
            assert!(!message.contains("secret"), "{message}");
        }
    }
}
