//! `retire`: proves that nothing needs a key or a codec any more.

mod codec;
mod count;
mod key;
mod report;
mod ring;
mod target;
mod writers;

use reseal::job::{Dialect, End, JobOptions, Report, Target, Work};
use reseal::manifest::Manifest;

use crate::console::Console;
use crate::database::Database;
use crate::failure::{Failure, Outcome, exit, usage};
use crate::job::{self, Options};
use crate::kek::KekArgs;
use crate::server;
use report::{Ended, Retired};
pub use writers::writing_transactions;

/// Retires what the options name, and shows what came of it.
pub(crate) async fn run(
    mut options: Options,
    keks: &KekArgs,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let (name, early) = options.take_target()?;
    let Some(manifest) = job::load(Work::Census, &options, console)? else {
        return usage("retire needs a manifest");
    };
    if manifest.columns().is_empty() {
        return usage("the manifest has no column: add [[columns]]");
    }
    let started = console.host.milliseconds();
    let is_codec = manifest.codecs().any(|codec| codec.name() == name);
    let mut work = Retirement {
        manifest,
        options,
        dialect: None,
        url: None,
        early,
        unread: Vec::new(),
        keks,
        console,
        database,
    };
    let mut retired = if is_codec {
        work.codec(&name).await?
    } else {
        work.key(&name).await?
    };
    retired.database = work.url;
    retired.milliseconds = console.host.milliseconds().saturating_sub(started);
    show(&retired, console)
}

/// What it is done with.
struct Retirement<'r, 'h> {
    manifest: Manifest,
    options: Options,
    /// Of the database, once there is a connection.
    dialect: Option<Dialect>,
    /// Of the database, without the password; nothing where a program gave its connection.
    url: Option<String>,
    early: bool,
    /// The codecs whose keys are not known here.
    unread: Vec<String>,
    keks: &'r KekArgs,
    console: &'r mut Console<'h>,
    database: &'r Database,
}

impl Retirement<'_, '_> {
    async fn connect(&mut self) -> Outcome<Dialect> {
        if let Some(dialect) = self.dialect {
            return Ok(dialect);
        }
        let url = job::url(&self.options, self.console)?;
        self.url = url.as_deref().and_then(server::without_password);
        let dialect = self.database.connect(url).await?;
        self.dialect = Some(dialect);
        Ok(dialect)
    }

    /// Looks at the columns; nothing where it was asked to stop.
    async fn look(
        &mut self,
        work: Work,
        targets: Vec<Target>,
        change: impl FnOnce(&mut JobOptions),
    ) -> Outcome<Option<Report>> {
        let dialect = self.connect().await?;
        if !self.writers_have_ended(dialect).await? {
            return Ok(None);
        }
        let mut options = self.options.of_job(JobOptions::new(dialect))?;
        change(&mut options);
        let report = job::report(work, targets, options, self.console, self.database).await?;
        match report.end {
            End::Complete => Ok(Some(report)),
            End::Failed(error) => Err(error.into()),
            _ => Ok(None),
        }
    }
}

/// The report, what is to be done next, and the exit code.
fn show(retired: &Retired, console: &mut Console<'_>) -> Outcome {
    console.report(retired)?;
    for column in &retired.plain_unused {
        let name = column.name();
        console.note(&format!(
            "warning: {name} still reads plain, and no value of it is plaintext: take plain out of its read"
        ))?;
    }
    for values in &retired.unrecognized {
        let (name, code) = (values.name(), values.code.as_deref().unwrap_or_default());
        console.note(&format!(
            "warning: {name}: {} in no format that shows a key ({code}): the key opens none of them",
            report::counted_values(values.values)
        ))?;
    }
    for next in &retired.next {
        console.hint(next)?;
    }
    match retired.end {
        Ended::Complete => Ok(()),
        Ended::InUse => Err(Failure::Exit(exit::REFUSED)),
        Ended::Stopped => Err(Failure::Exit(exit::RESUMABLE)),
    }
}
