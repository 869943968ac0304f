//! Workers on this machine: other processes of the same command, which share the job of this one.

use super::options::Options;
use crate::console::Console;
use crate::database::Database;
use crate::failure::{Outcome, exit};
use crate::host::HostFailure;
use crate::session::Turn;

/// How often it is asked whether all have ended.
const POLL_MS: u64 = 50;

/// The processes beside this one.
#[derive(Debug)]
pub(super) struct Team {
    arguments: Vec<String>,
    /// Those that are still to be started.
    wanted: usize,
    running: usize,
}

impl Team {
    /// Those that the options ask for, which join this run of the job.
    pub(super) fn of(options: &Options, run: &str) -> Self {
        Self {
            arguments: options.of_worker(run),
            wanted: options.jobs.unwrap_or(1).saturating_sub(1),
            running: 0,
        }
    }

    /// Whether there are to be others that nobody has started yet.
    pub(super) const fn is_wanted(&self) -> bool {
        self.wanted > 0
    }

    /// Starts them. Fewer do the same job.
    pub(super) fn start(&mut self, console: &mut Console<'_>) -> Outcome {
        for _ in 0..core::mem::take(&mut self.wanted) {
            match console.host.start_worker(&self.arguments) {
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
            if !matches!(code, exit::DONE | exit::REFUSED | exit::RESUMABLE) {
                let why =
                    format!("a worker ended with exit code {code}: others take over its rows");
                console.warning(&why)?;
            }
        }
        Ok(())
    }

    /// Waits for all of them. The table of the job has told them to stop, where this one was.
    pub(super) async fn end(&mut self, console: &mut Console<'_>, database: &Database) -> Outcome {
        while self.running > 0 {
            let _waited = database.run(Turn::Sleep(POLL_MS)).await;
            self.look(console)?;
        }
        Ok(())
    }
}
