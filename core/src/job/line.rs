//! The line between a job, which is written as if it ran statements itself, and whoever runs them.

use super::{Ahead, Cell, Event, Failure, Reply, Statement, Step};
use alloc::{string::String, sync::Arc, vec::Vec};
use core::{future::poll_fn, task::Poll};
use spin::Mutex;

/// One end of the line: the job asks, [`super::Job::next`] hands over. Nobody ever waits for the
/// lock, which is there so that a job can go to another thread.
#[derive(Clone, Debug, Default)]
pub(super) struct Line(Arc<Mutex<Slot>>);

#[derive(Debug, Default)]
struct Slot {
    step: Option<Step>,
    reply: Option<Reply>,
    ahead: Option<Ahead>,
    elapsed_ms: u64,
    is_stopped: bool,
}

impl Line {
    /// Hands a reply to the job.
    pub(super) fn give(&self, reply: Reply, elapsed_ms: u64) {
        let mut slot = self.0.lock();
        slot.reply = Some(reply);
        slot.elapsed_ms = elapsed_ms.max(slot.elapsed_ms);
    }

    /// What the job asked for.
    pub(super) fn take(&self) -> Option<Step> {
        self.0.lock().step.take()
    }

    /// What can be done beside a step.
    pub(super) fn offer(&self, ahead: Option<Ahead>) {
        self.0.lock().ahead = ahead;
    }

    /// What was offered, once.
    pub(super) fn ahead(&self) -> Option<Ahead> {
        self.0.lock().ahead.take().filter(Ahead::is_due)
    }

    pub(super) fn stop(&self) {
        self.0.lock().is_stopped = true;
    }

    pub(super) fn is_stopped(&self) -> bool {
        self.0.lock().is_stopped
    }

    /// Since the job was made.
    pub(super) fn elapsed_ms(&self) -> u64 {
        self.0.lock().elapsed_ms
    }

    pub(super) async fn query(&self, statement: Statement) -> Result<Vec<Vec<Cell>>, Failure> {
        match self.ask(Step::Query(statement)).await {
            Reply::Rows(rows) => Ok(rows),
            other => Err(failure(other)),
        }
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, Failure> {
        match self.ask(Step::Execute(statement)).await {
            Reply::Count(count) => Ok(count),
            other => Err(failure(other)),
        }
    }

    /// A step that is done or fails.
    pub(super) async fn run(&self, step: Step) -> Result<(), Failure> {
        match self.ask(step).await {
            Reply::Done => Ok(()),
            other => Err(failure(other)),
        }
    }

    /// What is told is never a reason to fail.
    pub(super) async fn tell(&self, event: Event) {
        let _reply = self.ask(Step::Tell(event)).await;
    }

    async fn ask(&self, step: Step) -> Reply {
        {
            let mut slot = self.0.lock();
            slot.reply = None;
            slot.step = Some(step);
        }
        poll_fn(|_| match self.0.lock().reply.take() {
            Some(reply) => Poll::Ready(reply),
            None => Poll::Pending,
        })
        .await
    }
}

/// A driver that answers something else is broken.
fn failure(reply: Reply) -> Failure {
    match reply {
        Reply::Failed(failure) => failure,
        _ => Failure {
            kind: super::FailureKind::Other,
            code: String::from("driver"),
        },
    }
}
