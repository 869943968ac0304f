//! Workers on this machine: other processes of the same command, which share the job of this one.

use reseal::job::Share;

use super::options::Options;
use crate::console::Console;
use crate::database::Database;
use crate::failure::{Outcome, exit};
use crate::host::HostFailure;
use crate::session::Turn;

/// How often it is asked whether all have ended.
const POLL_MS: u64 = 50;
/// How much longer than a lease they may take.
const GRACE_MS: u64 = 5_000;

/// The processes beside this one.
#[derive(Debug)]
pub(super) struct Team {
    arguments: Vec<String>,
    /// The URL that was given as an argument, which theirs do not repeat.
    database: Option<String>,
    /// Those that are still to be started.
    wanted: usize,
    running: usize,
    lease_ms: u64,
}

impl Team {
    /// Those that the options ask for, which join this run of the job.
    pub(super) fn of(options: &Options, share: Option<&Share>, is_json: bool) -> Self {
        let run = share.map(|share| share.run.as_str());
        Self {
            arguments: options.of_worker(run.unwrap_or_default(), is_json),
            database: options.database.clone(),
            wanted: options.jobs.unwrap_or(1).saturating_sub(1),
            running: 0,
            lease_ms: share.map_or(0, |share| share.lease_ms),
        }
    }

    /// Whether there are to be others that nobody has started yet.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Starts them. Fewer do the same job.
    pub(super) fn start(&mut self, console: &mut Console<'_>) -> Outcome {
        for _ in 0..core::mem::take(&mut self.wanted) {
            let database = self.database.as_deref();
            match console.host.start_worker(&self.arguments, database) {
                Ok(()) => self.running += 1,
                Err(HostFailure::Stream(why)) => {
                    console.warning(&format!("{why}: fewer workers do the job"))?;
                }
                Err(other) => return Err(other.into()),
            }
        }
        Ok(())
    }

    /// Says which of them ended before their time.
    pub(super) fn look(&mut self, console: &mut Console<'_>) -> Outcome {
        if self.running == 0 {
            return Ok(());
        }
        for code in console.host.ended_workers() {
            self.running = self.running.saturating_sub(1);
            let is_usual = matches!(code, exit::DONE | exit::REFUSED | exit::RESUMABLE);
            if !is_usual && !console.host.interrupted() {
                let why =
                    format!("a worker ended with exit code {code}: others take over its rows");
                console.warning(&why)?;
            }
        }
        Ok(())
    }

    /// Waits for all of them. The table of the job has told them to stop, where this one was; one that
    /// does not end within a lease is left to itself.
    pub(super) async fn end(&mut self, console: &mut Console<'_>, database: &Database) -> Outcome {
        let begun = console.host.milliseconds();
        let mut is_told = false;
        while self.running > 0 {
            if !is_told && console.host.interrupted() {
                console.host.stop_workers();
                is_told = true;
            }
            let _waited = database.run(Turn::Sleep(POLL_MS)).await;
            self.look(console)?;
            let waited = console.host.milliseconds().saturating_sub(begun);
            if self.running > 0 && waited > self.lease_ms.saturating_add(GRACE_MS) {
                return console.warning("a worker does not end, and is left to itself");
            }
        }
        Ok(())
    }
}
