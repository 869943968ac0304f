//! `reseal manifest`: is the description of a database valid?

use core::fmt;

use clap::{Args, Subcommand};
use reseal::ErrorCode;
use reseal::manifest::{Manifest, Problem, Problems};
use serde::Serialize;

use crate::console::{Console, counted, shown};
use crate::failure::{Failure, Outcome, exit};
use crate::manifest;

/// Check the manifest, which says what columns of a database are encrypted and how
#[derive(Args, Debug)]
#[command(arg_required_else_help = true)]
pub(crate) struct ManifestArgs {
    #[command(subcommand)]
    command: Command,
}

const CHECK_EXAMPLES: &str = "\
Reads the file alone: no key, no variable that it names, no database. Every problem
has its place, with line and column; exit code 2 says that there is one. Warnings
are for what is allowed and may be a mistake, and alone give 0.

With RESEAL_REQUIRE_ENCRYPTION=1 a column that writes plaintext is a problem.

Examples:
  reseal manifest check
  RESEAL_REQUIRE_ENCRYPTION=1 reseal manifest check deploy/reseal.toml --json
";

#[derive(Debug, Subcommand)]
enum Command {
    /// List all that is wrong with a manifest
    #[command(after_long_help = CHECK_EXAMPLES)]
    Check {
        /// The manifest
        #[arg(default_value = manifest::DEFAULT_PATH)]
        file: String,
    },
}

/// What was found.
#[derive(Serialize)]
struct Report {
    valid: bool,
    file: String,
    errors: Vec<Finding>,
    /// Whether there are errors beyond these.
    more: bool,
    warnings: Vec<Finding>,
}

/// A problem, as the core has it; with its code where it is an error.
#[derive(Serialize)]
struct Finding {
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    place: String,
    line: usize,
    column: usize,
    message: String,
}

impl ManifestArgs {
    pub(crate) fn run(&self, console: &mut Console<'_>) -> Outcome {
        let Command::Check { file } = &self.command;
        let text = manifest::read(console, file)?;
        let report = match Manifest::check(&text) {
            Ok(valid) => {
                let required = manifest::encryption_is_required(console);
                Report::of_readable(file, &valid, required)
            }
            Err(problems) => Report::of_problems(file, &problems),
        };
        console.report(&report)?;
        if report.valid {
            return Ok(());
        }
        Err(Failure::Exit(exit::USAGE))
    }
}

impl Report {
    fn of_problems(file: &str, problems: &Problems) -> Self {
        let error = |problem| Finding::of(problem, Some(problems.code()));
        Self {
            valid: false,
            file: shown(file),
            errors: problems.list().iter().map(error).collect(),
            more: problems.has_more(),
            warnings: Vec::new(),
        }
    }

    /// What is no mere warning where encryption is required is no warning there.
    fn of_readable(file: &str, manifest: &Manifest, required: bool) -> Self {
        let plain = manifest.plaintext_columns().filter(|_| required);
        let errors: Vec<_> = plain
            .map(|problem| Finding::of(problem, Some(ErrorCode::EncryptionRequired)))
            .collect();
        let is_said = |problem: &&Problem| errors.iter().any(|error| error.place == problem.place);
        let warnings = manifest.warnings().iter();
        Self {
            valid: errors.is_empty(),
            file: shown(file),
            warnings: warnings
                .filter(|problem| !is_said(problem))
                .map(|problem| Finding::of(problem, None))
                .collect(),
            errors,
            more: false,
        }
    }
}

impl Finding {
    fn of(problem: &Problem, code: Option<ErrorCode>) -> Self {
        let required = code == Some(ErrorCode::EncryptionRequired);
        let reason = if required {
            ", and encryption is required here (RESEAL_REQUIRE_ENCRYPTION)"
        } else {
            ""
        };
        Self {
            code: code.map(ErrorCode::as_str),
            place: shown(&problem.place),
            line: problem.line,
            column: problem.column,
            message: shown(&problem.message) + reason,
        }
    }
}

/// As compilers do, so that editors find the place.
impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for finding in self.errors.iter().chain(&self.warnings) {
            let (line, column) = (finding.line, finding.column);
            let level = finding.code.map_or("warning", |_| "error");
            write!(f, "{}:{line}:{column}: {level}: ", self.file)?;
            if !finding.place.is_empty() {
                write!(f, "{}: ", finding.place)?;
            }
            f.write_str(&finding.message)?;
            match finding.code {
                Some(code) => writeln!(f, " [{code}]")?,
                None => writeln!(f)?,
            }
        }
        let end = if self.more { " and more" } else { "" };
        let errors = counted(self.errors.len(), "error") + end;
        write!(f, "{errors}, {}", counted(self.warnings.len(), "warning"))
    }
}
