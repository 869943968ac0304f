//! The commands that work on a database: one bulk job each.

mod args;
mod events;
mod options;
mod progress;
mod refused;
mod rows;
mod team;
mod text;

use reseal::job::{
    Checkpoint, Dialect, End, Event, Job, JobOptions, Reply, Report, Step, Target, Work,
};
use reseal::manifest::Manifest;
use reseal::{Error, ErrorCode, OsEntropy, Timestamp};
use serde_json::Value;

pub(crate) use args::{DatabaseArgs, PaceArgs, RefusedArgs, WalkArgs};
pub(crate) use options::{Options, Repair, Task};
pub(crate) use progress::{duration, grouped};

use crate::confirm::confirm;
use crate::console::{Console, shown};
use crate::database::{DATABASE_URL, Database};
use crate::failure::{Failure, Outcome, exit, exit_code, usage};
use crate::kek;
use crate::manifest;
use crate::session::Turn;
use events::Watcher;
use team::Team;

/// Does one job, and shows its report.
pub(crate) async fn run(
    task: Task,
    options: Options,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome {
    let work = options.work(task)?;
    let manifest = load(work, &options, console)?;
    if let Some(manifest) = &manifest {
        may_write_plaintext(work, manifest, &options, console)?;
    }
    let url = url(&options, console)?;
    let dialect = database.connect(url).await?;
    let mut job_options = options.of_job(JobOptions::new(dialect))?;
    let checkpoint = checkpoint(work, &options, &mut job_options, console)?;
    let targets = targets(
        work,
        manifest.as_ref(),
        &options,
        console,
        database,
        dialect,
    )
    .await?;

    let mut team = Team::of(&options, job_options.share.as_ref(), console.is_json());
    let now = Timestamp::from_unix(console.host.now())?;
    let mut job = Job::new(work, targets, job_options, Box::new(OsEntropy), now)?;
    let mut watcher = Watcher::new(&options);
    watcher.check(console)?;
    let report = drive(
        &mut job,
        checkpoint.as_deref(),
        &mut watcher,
        &mut team,
        console,
        database,
    )
    .await;
    team.end(console, database).await?;
    let report = report?;
    if options.worker.is_none() {
        show(&report, watcher.elapsed_ms(), console)?;
        hint(&report, &options, console)?;
    }
    match (&report.end, watcher.lost()) {
        (End::Failed(_), Some(lost)) => console.warning(lost)?,
        (_, Some(lost)) => {
            console.flush()?;
            return Err(Failure::Stream(lost.to_owned()));
        }
        _ => {}
    }
    conclude(report)
}

/// Does one job for a command that has a report of its own.
pub(crate) async fn report(
    work: Work,
    targets: Vec<Target>,
    mut options: JobOptions,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Report> {
    options.checkpoint = Checkpoint::Nowhere;
    let now = Timestamp::from_unix(console.host.now())?;
    let mut job = Job::new(work, targets, options, Box::new(OsEntropy), now)?;
    let alone = Options::default();
    let (mut watcher, mut team) = (Watcher::new(&alone), Team::of(&alone, None, false));
    let report = drive(&mut job, None, &mut watcher, &mut team, console, database).await;
    console.host.keep_on(false);
    report
}

/// The manifest; [`Work::Discover`] does without one where none was named.
pub(crate) fn load(
    work: Work,
    options: &Options,
    console: &mut Console<'_>,
) -> Outcome<Option<Manifest>> {
    if let Some(text) = &options.manifest_text {
        return Manifest::parse(text).map(Some).map_err(Failure::Given);
    }
    let path = options.manifest.as_deref();
    let is_needed = work != Work::Discover || path.is_some();
    let path = path.unwrap_or(manifest::DEFAULT_PATH);
    if !is_needed && console.host.file_facts(path)?.is_none() {
        return Ok(None);
    }
    manifest::load(console, path).map(Some)
}

/// Plaintext is written only where somebody says so, and never where encryption is required.
fn may_write_plaintext(
    work: Work,
    manifest: &Manifest,
    options: &Options,
    console: &mut Console<'_>,
) -> Outcome {
    if matches!(work, Work::Census | Work::Discover | Work::Verify) {
        return Ok(());
    }
    manifest.check_encryption(manifest::encryption_is_required(console))?;
    let columns = manifest.columns().iter();
    let plain: Vec<String> = columns
        .filter(|spec| spec.writes_plaintext() && options.takes(&spec.table, &spec.column))
        .map(|spec| shown(&format!("{}.{}", spec.table, spec.column)))
        .collect();
    if plain.is_empty() || options.dry_run || work == Work::Plan {
        return Ok(());
    }
    let what = format!("this writes plaintext into {}", plain.join(", "));
    if options.is_call && !options.allow_plaintext {
        return usage(format!("{what}: say so with the option allow_plaintext"));
    }
    confirm(&what, options.allow_plaintext, console)
}

/// The URL; nothing where a program gave its connection.
pub(crate) fn url(options: &Options, console: &mut Console<'_>) -> Outcome<Option<String>> {
    if options.connected {
        return Ok(None);
    }
    if let Some(url) = &options.database {
        return Ok(Some(url.clone()));
    }
    match kek::variable(console, DATABASE_URL) {
        Some(url) => Ok(Some(url.to_string())),
        None if options.is_call => usage(format!(
            "no database: give a URL or a connection, or set {DATABASE_URL}"
        )),
        None => usage(format!(
            "no database: give --db postgresql://…, mysql://… or sqlite:///file, or set {DATABASE_URL}"
        )),
    }
}

/// The file of the checkpoint, if there is one, with what it holds given to the job.
fn checkpoint(
    work: Work,
    options: &Options,
    job: &mut JobOptions,
    console: &mut Console<'_>,
) -> Outcome<Option<String>> {
    if !matches!(work, Work::Apply | Work::Reopen) {
        job.checkpoint = Checkpoint::Nowhere;
        return Ok(None);
    }
    let Some(path) = options.checkpoint_file() else {
        if options.has_no_checkpoint() {
            job.checkpoint = Checkpoint::Nowhere;
        }
        return Ok(None);
    };
    if options.refused.as_ref() == Some(&path) {
        return usage("a checkpoint and a list of refused values need a file each");
    }
    let mut state = None;
    if console.host.file_facts(&path)?.is_some() {
        let bytes = console.host.read_keyset(&path, None)?;
        let text = String::from_utf8(bytes).map_err(|_| {
            let why = format!("{path:?} is no checkpoint: it is no text");
            Error::new(ErrorCode::SourceUnreadable, why)
        })?;
        // An empty one was made to see whether it can be written.
        state = Some(text).filter(|text| !text.is_empty());
    } else if !options.dry_run {
        console.host.save_file(&path, b"")?;
    }
    job.checkpoint = Checkpoint::File { state };
    Ok(Some(path))
}

/// The columns, with their keys where the work needs them.
async fn targets(
    work: Work,
    manifest: Option<&Manifest>,
    options: &Options,
    console: &mut Console<'_>,
    database: &Database,
    dialect: Dialect,
) -> Outcome<Vec<Target>> {
    let Some(manifest) = manifest else {
        return Ok(Vec::new());
    };
    let all = if matches!(work, Work::Census | Work::Discover) {
        Target::keyless(manifest)?
    } else {
        let secrets = manifest::secrets(manifest, console, database, dialect).await?;
        Target::of(manifest, &secrets)?
    };
    // A column that is known is not to be discovered.
    if work == Work::Discover {
        return Ok(all);
    }
    options.choose(all)
}

/// Does the job; where that cannot go on, what it has leased and set is given back.
async fn drive(
    job: &mut Job,
    checkpoint: Option<&str>,
    watcher: &mut Watcher,
    team: &mut Team,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Report> {
    console.host.keep_on(true);
    let report = steps(job, checkpoint, watcher, team, console, database).await;
    if report.is_err() {
        give_up(job, database).await;
    }
    report
}

/// The loop around the job.
async fn steps(
    job: &mut Job,
    checkpoint: Option<&str>,
    watcher: &mut Watcher,
    team: &mut Team,
    console: &mut Console<'_>,
    database: &Database,
) -> Outcome<Report> {
    let started = console.host.milliseconds();
    let mut reply = Reply::Start;
    loop {
        if console.host.interrupted() || watcher.lost().is_some() {
            job.stop();
        }
        let elapsed = console.host.milliseconds().saturating_sub(started);
        let turn = match job.next(reply, elapsed) {
            Step::Finished(mut report) => {
                watcher.end(elapsed, console)?;
                if let End::Failed(error) = &mut report.end {
                    database.explain(error);
                }
                return Ok(report);
            }
            Step::Tell(event) => {
                watcher.tell(&event, elapsed, console)?;
                if matches!(event, Event::Progress { .. }) {
                    beside(team, watcher, console)?;
                }
                Turn::Breathe
            }
            Step::Save(state) => {
                watcher.keep(checkpoint.unwrap_or_default(), &state, console)?;
                Turn::Breathe
            }
            step => turn_of(step),
        };
        if matches!(turn, Turn::Query(_) | Turn::Execute(_)) {
            database.offer(job.ahead());
        }
        reply = database.run(turn).await;
    }
}

/// What is to be done on the database; nothing else comes here.
fn turn_of(step: Step) -> Turn {
    match step {
        Step::Query(statement) => Turn::Query(statement),
        Step::Execute(statement) => Turn::Execute(statement),
        Step::Begin => Turn::Begin,
        Step::Commit => Turn::Commit,
        Step::Rollback => Turn::Rollback,
        Step::Reconnect => Turn::Reconnect,
        Step::Sleep { milliseconds } => Turn::Sleep(milliseconds),
        Step::Tell(_) | Step::Save(_) | Step::Finished(_) => Turn::Breathe,
    }
}

/// Ends the job where nobody can be told any more how far it is.
async fn give_up(job: &mut Job, database: &Database) {
    job.stop();
    let mut reply = Reply::Done;
    loop {
        let turn = match job.next(reply, 0) {
            Step::Finished(_) => return,
            Step::Tell(_) | Step::Save(_) => Turn::Breathe,
            step => turn_of(step),
        };
        reply = database.run(turn).await;
    }
}

/// After the first batch the others come, which add to the file of refused values.
fn beside(team: &mut Team, watcher: &mut Watcher, console: &mut Console<'_>) -> Outcome {
    if team.is_wanted() {
        watcher.begin_refused(console)?;
        team.start(console)?;
    }
    team.look(console)
}

/// The report to standard output.
fn show(report: &Report, elapsed_ms: u64, console: &mut Console<'_>) -> Outcome {
    if !console.is_json() {
        let text = text::of(report, elapsed_ms);
        return console.raw(crate::console::harmless(&text).as_bytes());
    }
    // It is the core's, and so it is JSON.
    let mut value: Value = serde_json::from_str(&report.to_json()).unwrap_or_default();
    if let Some(members) = value.as_object_mut() {
        members.insert("milliseconds".to_owned(), elapsed_ms.into());
    }
    console.json_line(&value)
}

/// The last word.
fn hint(report: &Report, options: &Options, console: &mut Console<'_>) -> Outcome {
    let has_checkpoint = matches!(report.work, Work::Apply | Work::Reopen);
    let is_kept = has_checkpoint && !report.dry_run && !options.has_no_checkpoint();
    let again = if is_kept {
        "the same command goes on from there"
    } else {
        "the same command begins anew"
    };
    match &report.end {
        // That takes another command.
        End::Failed(error) if exit_code(error.code()) == exit::USAGE => Ok(()),
        End::Failed(_) => console.note(again),
        End::Stopped => console.note(&format!("stopped: {again}")),
        End::Unsettled => {
            let why =
                "rows in another codec keep coming: stop whoever writes them, and run it again";
            console.note(why)
        }
        End::TooManyRefused => {
            let why = "stopped, since more values were refused than allowed";
            console.note(&format!("{why}: {again}"))
        }
        End::Complete => Ok(()),
    }
}

/// The exit code.
fn conclude(report: Report) -> Outcome {
    let code = match report.end {
        End::Failed(error) => return Err(error.into()),
        End::Stopped | End::Unsettled => exit::RESUMABLE,
        End::TooManyRefused => exit::REFUSED,
        End::Complete if text::is_in_the_way(&report) => exit::USAGE,
        End::Complete if report.refused() + text::missed(&report) > 0 => exit::REFUSED,
        End::Complete => return Ok(()),
    };
    Err(Failure::Exit(code))
}
