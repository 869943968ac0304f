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
    limits: Option<Limits>,
    in_transaction: bool,
}

/// What holds for one transaction, and is gone with it: a pooler gives the next one to another connection of
/// the server, and this connection to another program.
#[derive(Clone, Debug)]
pub(super) struct Limits {
    /// The statement that begins each transaction.
    pub(super) set: Statement,
    /// Whether statements outside of a transaction get one of their own.
    pub(super) of_statements: bool,
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

    pub(super) fn is_limited(&self) -> bool {
        self.0.lock().limits.is_some()
    }

    /// From now on transactions have limits.
    pub(super) fn limit(&self, limits: Limits) {
        self.0.lock().limits = Some(limits);
    }

    pub(super) async fn query(&self, statement: Statement) -> Result<Vec<Vec<Cell>>, Failure> {
        match self.within(Step::Query(statement)).await {
            Reply::Rows(rows) => Ok(rows),
            other => Err(failure(other)),
        }
    }

    pub(super) async fn execute(&self, statement: Statement) -> Result<u64, Failure> {
        match self.within(Step::Execute(statement)).await {
            Reply::Count(count) => Ok(count),
            other => Err(failure(other)),
        }
    }

    /// A step that is done or fails.
    pub(super) async fn run(&self, step: Step) -> Result<(), Failure> {
        match self.within(step).await {
            Reply::Done => Ok(()),
            other => Err(failure(other)),
        }
    }

    /// A step; a transaction begins with its limits, and a statement that has to have them gets one of its own
    /// where there is none.
    async fn within(&self, step: Step) -> Reply {
        let begins = matches!(step, Step::Begin);
        // The next one is the last. It is no time to work ahead while limits are set.
        let mut steps = Vec::with_capacity(4);
        let mut limits_at = usize::MAX;
        let mut is_alone = false;
        {
            let mut slot = self.0.lock();
            let limits = slot.limits.clone();
            if matches!(step, Step::Query(_) | Step::Execute(_)) {
                let of_statements = limits.as_ref().is_some_and(|it| it.of_statements);
                is_alone = of_statements && !slot.in_transaction;
            } else if matches!(step, Step::Commit | Step::Rollback | Step::Reconnect) || begins {
                slot.in_transaction = begins;
            }
            if is_alone {
                steps.push(Step::Commit);
            }
            if !begins {
                steps.push(step);
            }
            if let Some(limits) = limits.filter(|_| begins || is_alone) {
                limits_at = steps.len();
                steps.push(Step::Query(limits.set));
            }
            if begins || is_alone {
                steps.push(Step::Begin);
            }
        }
        let mut result = Reply::Done;
        while let Some(step) = steps.pop() {
            let sets_limits = steps.len() == limits_at;
            let ahead = sets_limits.then(|| self.0.lock().ahead.take());
            let reply = self.ask(step).await;
            if let Some(ahead) = ahead {
                self.offer(ahead);
            }
            match reply {
                Reply::Failed(_) if !is_alone => {
                    return if is_failed(&result) { result } else { reply };
                }
                Reply::Failed(_) => {
                    is_alone = false;
                    limits_at = usize::MAX;
                    steps = alloc::vec![Step::Rollback];
                    result = reply;
                }
                Reply::Done => {}
                _ if sets_limits => {}
                _ => result = reply,
            }
        }
        result
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

fn is_failed(reply: &Reply) -> bool {
    matches!(reply, Reply::Failed(_))
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
