//! Who watches a job: what it tells goes to standard error, while it is on its way.

use reseal::job::Event;
use serde_json::{Value, json};

use super::options::Options;
use super::progress::Progress;
use super::refused::{self, RefusedReport};
use crate::console::{Console, counted};
use crate::failure::Outcome;
use crate::host::HostFailure;

/// Milliseconds between two lines of a log, two events of a program, and two bars on a terminal.
const LINES_MS: u64 = 10_000;
const EVENTS_MS: u64 = 1_000;
const BARS_MS: u64 = 200;

/// How it is told how far the job is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Manner {
    Bars,
    Lines,
    Events,
    /// Another process tells it.
    Silent,
}

/// Who watches a job.
#[derive(Debug)]
pub(super) struct Watcher {
    manner: Option<Manner>,
    progress: Progress,
    refused: Option<RefusedReport>,
    /// Why it is not kept any more how far the job is.
    unkept: Option<String>,
    /// When it was told last.
    told_ms: u64,
    has_bar: bool,
}

impl Watcher {
    pub(super) fn new(options: &Options) -> Self {
        let is_worker = options.worker.is_some();
        let refused = options.refused.clone().map(RefusedReport::new);
        Self {
            manner: is_worker.then_some(Manner::Silent),
            progress: Progress::default(),
            // The run has begun the file.
            refused: refused.map(|it| if is_worker { it.resumed() } else { it }),
            unkept: None,
            told_ms: 0,
            has_bar: false,
        }
    }

    /// Whether the file of refused values can be written.
    pub(super) fn check(&self, console: &mut Console<'_>) -> Outcome {
        let refused = self.refused.as_ref();
        refused.map_or(Ok(()), |refused| refused.check(console))
    }

    /// Keeps how far the job is.
    pub(super) fn keep(&mut self, path: &str, state: &str, console: &mut Console<'_>) -> Outcome {
        if self.unkept.is_some() {
            return Ok(());
        }
        match console.host.save_file(path, state.as_bytes()) {
            Err(HostFailure::Stream(why)) => {
                self.unkept = Some(format!(
                    "{why}: it does not say how far the job is; what is written stays, and the same command does the rest"
                ));
                Ok(())
            }
            kept => Ok(kept?),
        }
    }

    /// What could not be written into files: the job is to end, and to say what it did.
    pub(super) fn lost(&self) -> Option<&str> {
        let refused = self.refused.as_ref().and_then(|it| it.lost.as_deref());
        self.unkept.as_deref().or(refused)
    }

    pub(super) fn tell(
        &mut self,
        event: &Event,
        elapsed_ms: u64,
        console: &mut Console<'_>,
    ) -> Outcome {
        self.progress.elapsed_ms = elapsed_ms;
        if let Some(refused) = &mut self.refused {
            refused.add(event, console)?;
            if matches!(event, Event::Resumed { .. }) {
                refused.resume();
            }
        }
        match event {
            Event::Progress {
                pass,
                table,
                rows,
                resealed,
            } => {
                self.progress.pass = *pass;
                self.progress.table.clone_from(table);
                self.progress.rows = *rows;
                self.progress.resealed = *resealed;
                return self.tell_progress(console);
            }
            Event::Began { tables } => {
                let rows = tables.iter().map(|it| it.rows);
                self.progress.total = rows.sum::<Option<u64>>();
            }
            Event::Resumed { rows, .. } => {
                self.progress.before = rows.unwrap_or_default();
                self.say(console, "goes on from where an earlier run stopped")?;
            }
            Event::Retry { code, attempts } => {
                let times = counted(*attempts, "attempt");
                let text = format!("the database did not do it ({code}): again, after {times}");
                self.say(console, &text)?;
            }
            _ => {}
        }
        if self.manner == Some(Manner::Silent) {
            return Ok(());
        }
        tell_program(event, console)
    }

    /// The file of refused values is there, for others to add to.
    pub(super) fn begin_refused(&mut self, console: &mut Console<'_>) -> Outcome {
        self.refused.as_mut().map_or(Ok(()), |it| it.save(console))
    }

    /// Puts the bar away.
    pub(super) fn clear(&mut self, console: &mut Console<'_>) -> Outcome {
        if core::mem::take(&mut self.has_bar) {
            console.status("")?;
        }
        Ok(())
    }

    /// The job is over.
    pub(super) fn end(&mut self, elapsed_ms: u64, console: &mut Console<'_>) -> Outcome {
        self.progress.elapsed_ms = elapsed_ms;
        self.clear(console)?;
        self.refused.as_mut().map_or(Ok(()), |it| it.save(console))
    }

    /// How long the job took.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.progress.elapsed_ms
    }

    fn tell_progress(&mut self, console: &mut Console<'_>) -> Outcome {
        let manner =
            *self
                .manner
                .get_or_insert_with(|| match (console.is_json(), console.has_status()) {
                    (true, _) => Manner::Events,
                    (false, true) => Manner::Bars,
                    (false, false) => Manner::Lines,
                });
        let every = match manner {
            Manner::Bars => BARS_MS,
            Manner::Lines => LINES_MS,
            Manner::Events => EVENTS_MS,
            Manner::Silent => return Ok(()),
        };
        if self.progress.elapsed_ms < self.told_ms + every {
            return Ok(());
        }
        self.told_ms = self.progress.elapsed_ms;
        let progress = &self.progress;
        match manner {
            Manner::Bars => {
                self.has_bar = true;
                console.status(&progress.bar())
            }
            Manner::Lines => console.say(&(progress.line() + "\n")),
            Manner::Silent => Ok(()),
            Manner::Events => console.event(&json!({
                "event": "progress", "pass": progress.pass, "table": progress.table,
                "rows": progress.rows, "total": progress.total, "resealed": progress.resealed,
                "rows_per_second": progress.rate(), "seconds_left": progress.seconds_left(),
            })),
        }
    }

    /// For a person.
    fn say(&mut self, console: &mut Console<'_>, text: &str) -> Outcome {
        if console.is_json() || self.manner == Some(Manner::Silent) {
            return Ok(());
        }
        self.clear(console)?;
        console.say(&format!("{text}\n"))
    }
}

/// For a program.
fn tell_program(event: &Event, console: &mut Console<'_>) -> Outcome {
    match json_of(event) {
        Some(event) if console.is_json() => console.event(&event),
        _ => Ok(()),
    }
}

fn json_of(event: &Event) -> Option<Value> {
    Some(match event {
        Event::Began { tables } => {
            let tables = tables.iter();
            let tables: Vec<Value> = tables
                .map(|it| json!({"table": it.table, "rows": it.rows}))
                .collect();
            json!({"event": "began", "tables": tables})
        }
        Event::Resumed { pass, rows } => {
            json!({"event": "resumed", "pass": pass, "rows": rows})
        }
        Event::Retry { code, attempts } => {
            json!({"event": "retry", "database_code": code, "attempts": attempts})
        }
        event => {
            let mut members = refused::members(event)?;
            members.insert("event".to_owned(), "refused".into());
            members.into()
        }
    })
}
