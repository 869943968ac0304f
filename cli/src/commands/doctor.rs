//! `reseal doctor`: what is wrong with the keys of this environment, and what soon will be.

mod files;
mod keys;
mod variables;

use core::fmt;

use clap::Args;
use reseal::{Error, Source, SourceFile, SourceKind};
use serde::Serialize;

use crate::console::{Console, counted, shown};
use crate::database::Database;
use crate::failure::{Failure, Outcome, exit};
use crate::kek;
use crate::ring;
use crate::words::of_command;

const EXAMPLES: &str = "\
Looks at the environment that the command itself runs in: run it as the user and
in the container of the process in question. It changes nothing, shows no key, and
goes on after an error as far as it can.

Exit code 3 says that there is an error; warnings alone give 0.

Examples:
  reseal doctor
  docker compose exec app npx reseal doctor --json
";

/// Look for what is wrong with the keys of this environment
#[derive(Args, Debug)]
#[command(after_long_help = EXAMPLES)]
pub(crate) struct DoctorArgs {}

/// What was found.
#[derive(Serialize)]
struct Report {
    healthy: bool,
    errors: usize,
    warnings: usize,
    findings: Vec<Finding>,
}

/// One thing that was looked at.
#[derive(Serialize)]
struct Finding {
    level: Level,
    about: &'static str,
    #[serde(skip_serializing_if = "Option::is_none")]
    code: Option<&'static str>,
    message: String,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "lowercase")]
enum Level {
    Ok,
    Warning,
    Error,
}

/// Findings in the order in which they were made.
#[derive(Default)]
struct Findings(Vec<Finding>);

impl DoctorArgs {
    pub(crate) async fn run(&self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let mut findings = Findings::default();
        examine(&mut findings, console, database).await?;
        let report = Report::of(findings);
        console.report(&report)?;
        if report.healthy {
            return Ok(());
        }
        Err(Failure::Exit(exit::KEYS))
    }
}

/// Each step needs what the one before has found.
async fn examine(
    findings: &mut Findings,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let source = ring::source(console);
    let refused = source.as_ref().err().map_or("", Error::message);
    variables::examine(findings, refused, console);
    let mut source = match source {
        Ok(source) => source,
        Err(error) => {
            findings.failed("source", &error);
            return Ok(());
        }
    };
    let source_is = described(&source, console);
    findings.ok("source", source_is);
    variables::without_effect(findings, source.kind(), console);
    let contents = match ring::fetch(&source, console, database).await {
        Ok(contents) => contents,
        Err(Failure::Error(error)) => {
            findings.failed("source", &error);
            return Ok(());
        }
        Err(other) => return Err(other),
    };
    // What reading had to say of the rights stands among the findings.
    let _ = console.host.take_warnings();
    files::examine(findings, &source, &contents, console)?;
    load(findings, &mut source, &contents, console)
}

fn load(
    findings: &mut Findings,
    source: &mut Source,
    contents: &[Vec<SourceFile>],
    console: &mut Console<'_>,
) -> Outcome {
    let loaded = match ring::load_from(source, contents) {
        Ok(loaded) => loaded,
        Err(error) => {
            findings.failed("keys", &error);
            return Ok(());
        }
    };
    if let Some(ring) = &loaded.ring {
        keys::examine(findings, ring);
    }
    keys::examine_dates(findings, source, contents, console)
}

/// Which source is in effect.
fn described(source: &Source, console: &mut Console<'_>) -> String {
    let wants = source.wants();
    let mut paths: Vec<_> = wants
        .iter()
        .map(|want| format!("{} {}", want.named_by, want.path))
        .collect();
    // What is given in a variable itself is named, and not shown.
    for name in variables::SECRETS {
        if kek::variable(console, name).is_some() && variables::counts(name, source.kind()) {
            paths.push(name.to_owned());
        }
    }
    let kind = match source.kind() {
        SourceKind::Keys => "the environment",
        SourceKind::Directory => "a directory",
        SourceKind::Keyset => "a keyset",
    };
    format!("the keys come from {kind}: {}", paths.join(", "))
}

impl Findings {
    fn ok(&mut self, about: &'static str, message: impl AsRef<str>) {
        self.add(Level::Ok, about, None, message.as_ref());
    }

    fn warning(&mut self, about: &'static str, message: impl AsRef<str>) {
        self.add(Level::Warning, about, None, message.as_ref());
    }

    fn error(&mut self, about: &'static str, message: impl AsRef<str>) {
        self.add(Level::Error, about, None, message.as_ref());
    }

    fn failed(&mut self, about: &'static str, error: &Error) {
        let code = Some(error.code().as_str());
        self.add(Level::Error, about, code, &of_command(error.message()));
    }

    fn add(
        &mut self,
        level: Level,
        about: &'static str,
        code: Option<&'static str>,
        message: &str,
    ) {
        self.0.push(Finding {
            level,
            about,
            code,
            message: shown(message),
        });
    }
}

impl Report {
    fn of(Findings(findings): Findings) -> Self {
        let count = |level| findings.iter().filter(|found| found.level == level).count();
        let (errors, warnings) = (count(Level::Error), count(Level::Warning));
        Self {
            healthy: errors == 0,
            errors,
            warnings,
            findings,
        }
    }
}

impl fmt::Display for Report {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for Finding {
            level,
            about,
            code,
            message,
        } in &self.findings
        {
            let level = match level {
                Level::Ok => "ok",
                Level::Warning => "warning",
                Level::Error => "error",
            };
            write!(f, "{level:8} {about}: {message}")?;
            match code {
                Some(code) => writeln!(f, " [{code}]")?,
                None => writeln!(f)?,
            }
        }
        let errors = counted(self.errors, "error");
        write!(f, "{errors}, {}", counted(self.warnings, "warning"))
    }
}
