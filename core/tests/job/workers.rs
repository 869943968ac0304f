//! Several workers do one job: each row once, whoever of them dies.

use crate::support::{USERS, World, assert_adds_up};
use reseal::job::{
    Counts, End, Event, Failure, FailureKind, Job, JobOptions, Reply, Report, Share, Step,
};
use reseal::{Error, ErrorCode, Key, KeyState, KeyUse, Keyring, OsEntropy};
use std::sync::Arc;

const LEASE_MS: u64 = 30_000;

/// A worker with a connection of its own, which stands still between its batches.
pub(crate) struct Worker {
    world: World,
    job: Job,
    reply: Option<Reply>,
    begun: Option<Step>,
    report: Option<Report>,
}

/// What a worker did in its turn.
#[derive(Debug, PartialEq, Eq)]
pub(crate) enum Did {
    Batch,
    Waited,
    Ended,
}

pub(crate) fn of(run: &str) -> impl Fn(&mut JobOptions) {
    let share = Share {
        run: run.into(),
        lease_ms: LEASE_MS,
        leads: false,
    };
    move |options| {
        options.batch_rows = 5;
        options.share = Some(share.clone());
    }
}

/// Two ranges for 20 rows.
fn small() -> impl Fn(&mut JobOptions) {
    |options| {
        of("a")(options);
        options.batch_rows = 2;
    }
}

impl Worker {
    fn new(world: &World, run: &str) -> Self {
        Self::with(world, USERS, of(run))
    }

    pub(crate) fn with(world: &World, columns: &str, change: impl FnOnce(&mut JobOptions)) -> Self {
        Self::of_job(world, world.job(columns, change))
    }

    pub(crate) fn of_job(world: &World, job: Job) -> Self {
        Self {
            job,
            world: world.beside(),
            reply: Some(Reply::Start),
            begun: None,
            report: None,
        }
    }

    fn next(&mut self, now: u64) -> Step {
        let begun = self.begun.take();
        begun.unwrap_or_else(|| self.job.next(self.reply.take().unwrap_or(Reply::Done), now))
    }

    /// Goes on to the end of a batch, or to where it waits.
    pub(crate) fn turn(&mut self, now: u64) -> Did {
        loop {
            match self.next(now) {
                Step::Finished(report) => {
                    self.report = Some(report);
                    return Did::Ended;
                }
                Step::Sleep { .. } => return Did::Waited,
                step => {
                    let is_end = matches!(step, Step::Tell(Event::Progress { .. }));
                    self.perform(step);
                    if !is_end {
                        continue;
                    }
                    // Who waits tells how far the others are.
                    match self.next(now) {
                        Step::Sleep { .. } => return Did::Waited,
                        step => self.begun = Some(step),
                    }
                    return Did::Batch;
                }
            }
        }
    }

    /// Goes on to a step, which is done later.
    fn until(&mut self, now: u64, mut is: impl FnMut(&Step) -> bool) -> Step {
        loop {
            let step = self.next(now);
            assert!(!matches!(step, Step::Finished(_)));
            if is(&step) {
                return step;
            }
            self.perform(step);
        }
    }

    /// Does a step.
    fn perform(&mut self, step: Step) {
        self.reply = Some(self.world.perform(step));
    }

    pub(crate) fn end(&self) -> &End {
        &self.report.as_ref().unwrap().end
    }

    pub(crate) fn error(&self) -> &Error {
        error(self.report.as_ref())
    }

    fn passes(&self) -> &[Counts] {
        &self.report.as_ref().unwrap().columns[0].passes
    }

    /// The rows that it was told of last.
    fn rows(&self) -> u64 {
        let told = self.world.told.borrow();
        let rows = told.iter().rev().find_map(|event| match event {
            Event::Progress { rows, .. } => Some(*rows),
            _ => None,
        });
        rows.unwrap_or_default()
    }
}

/// Turn by turn, until all have ended.
pub(crate) fn all(workers: &mut [Worker], from_ms: u64) {
    for now in (from_ms..).step_by(250) {
        for worker in workers.iter_mut().filter(|it| it.report.is_none()) {
            worker.turn(now);
        }
        if workers.iter().all(|it| it.report.is_some()) {
            return;
        }
        assert!(now < from_ms + 10 * LEASE_MS, "it comes to no end");
    }
}

fn assert_once(world: &World, worker: &Worker, rows: u64) {
    assert_eq!(*worker.end(), End::Complete);
    worker.passes().iter().for_each(assert_adds_up);
    let resealed: u64 = worker.passes().iter().map(Counts::resealed).sum();
    assert_eq!(resealed, rows);
    let opened = world.opened();
    assert_eq!(opened.len() as u64, rows);
    for (id, text) in opened {
        assert_eq!(text, format!("secret {id}"));
    }
    assert_eq!(world.number("SELECT count(*) FROM reseal_jobs"), 1);
}

fn error(report: Option<&Report>) -> &Error {
    match &report.unwrap().end {
        End::Failed(error) => error,
        end => panic!("{end:?}"),
    }
}

#[test]
fn they_take_turns_and_each_reports_the_whole_job() {
    let world = World::users(400);
    let mut workers: Vec<Worker> = (0..3).map(|_| Worker::new(&world, "a")).collect();
    all(&mut workers, 0);
    for worker in &workers {
        assert_once(&world, worker, 400);
        let scanned: Vec<u64> = worker.passes().iter().map(|it| it.scanned).collect();
        assert_eq!(scanned, [400, 400]);
        let told = worker.world.told.borrow();
        let batches = told
            .iter()
            .filter(|it| matches!(it, Event::Progress { .. }));
        assert!(batches.count() > 20, "it did next to nothing");
        assert!(!told.iter().any(|it| matches!(it, Event::Resumed { .. })));
    }
    let rows = workers.iter().map(Worker::rows).max();
    assert!((760..=800).contains(&rows.unwrap()), "{rows:?}");
}

#[test]
fn a_late_worker_of_the_run_begins_nothing_anew() {
    let world = World::users(50);
    let mut first = [Worker::new(&world, "a")];
    all(&mut first, 0);
    let mut late = Worker::new(&world, "a");
    assert_eq!(late.turn(0), Did::Ended);
    assert_once(&world, &late, 50);
    // Another run does all of it again, and finds nothing to do.
    let mut other = [Worker::new(&world, "b")];
    all(&mut other, 0);
    assert_eq!(other[0].passes().len(), 1);
    assert_eq!(other[0].passes()[0].current, 50);
}

#[test]
fn the_range_of_a_dead_worker_goes_to_another_when_its_lease_has_run_out() {
    let world = World::users(200);
    let mut dead = Worker::new(&world, "a");
    assert_eq!(dead.turn(0), Did::Batch);
    let mut other = Worker::new(&world, "a");
    // Whatever is not leased is done, and the last range is waited for.
    while other.turn(0) != Did::Waited {}
    while other.turn(LEASE_MS - 1) != Did::Waited {}
    let plain = "SELECT count(*) FROM users WHERE ssn NOT LIKE 'rs1.%'";
    assert!(world.number(plain) > 0);
    let mut others = [other];
    all(&mut others, LEASE_MS);
    assert_once(&world, &others[0], 200);
    // It wakes, and finds that all is done.
    while dead.turn(LEASE_MS) != Did::Ended {}
    assert_once(&world, &dead, 200);
}

#[test]
fn who_lost_his_lease_in_a_batch_writes_nothing() {
    let world = World::users(100);
    let mut slow = Worker::new(&world, "a");
    let read = slow.until(
        0,
        |step| matches!(step, Step::Query(it) if it.sql.contains("\"ssn\" FROM")),
    );
    let mut others = [Worker::new(&world, "a")];
    while others[0].turn(0) != Did::Waited {}
    all(&mut others, LEASE_MS);
    assert_once(&world, &others[0], 100);
    // What it was about to read, it reads now, before it notices.
    slow.perform(read);
    while slow.turn(LEASE_MS) != Did::Ended {}
    assert_once(&world, &slow, 100);
}

#[test]
fn two_that_think_they_have_a_range_do_not_both_write_it() {
    let world = World::users(100);
    let mut slow = Worker::new(&world, "a");
    // It has read and made everything, and is about to begin its transaction.
    let mut times = 0;
    let begin = slow.until(0, |step| {
        times += usize::from(matches!(step, Step::Begin));
        times == 3
    });
    let mut others = [Worker::new(&world, "a")];
    while others[0].turn(0) != Did::Waited {}
    // The other one takes the range, and does one batch of it.
    while others[0].turn(LEASE_MS) != Did::Batch {}
    slow.perform(begin);
    slow.turn(LEASE_MS);
    all(&mut others, LEASE_MS);
    while slow.report.is_none() {
        slow.turn(LEASE_MS);
    }
    assert_once(&world, &others[0], 100);
    assert_once(&world, &slow, 100);
}

#[test]
fn a_worker_that_is_dropped_at_any_step_is_replaced_and_the_counts_add_up() {
    for at in 0.. {
        let world = World::users(20);
        let beside = world.beside();
        let job = world.job(USERS, small());
        let report = beside.drive(job, &mut |step, _| (step == at).then_some(Reply::Start));
        if report.is_some() {
            assert!(at > 50, "the job has only {at} steps");
            return;
        }
        beside.rollback().unwrap();
        let mut others = [Worker::new(&world, "a")];
        all(&mut others, 0);
        assert_once(&world, &others[0], 20);
    }
}

#[test]
fn a_connection_that_is_lost_at_any_step_loses_no_count() {
    for is_done in [false, true] {
        for at in 1.. {
            let world = World::users(20);
            let beside = world.beside();
            let mut is_hit = false;
            let report = beside.drive(world.job(USERS, small()), &mut |step, todo| {
                if step != at || matches!(todo, Step::Tell(_) | Step::Sleep { .. }) {
                    return None;
                }
                is_hit = true;
                // The commit may have come through or not.
                if is_done && matches!(todo, Step::Commit) {
                    beside.perform(Step::Commit);
                }
                beside.rollback().unwrap();
                let (kind, code) = (FailureKind::ConnectionLost, "connection".into());
                Some(Reply::Failed(Failure { kind, code }))
            });
            let report = report.unwrap();
            assert_eq!(report.end, End::Complete, "lost at step {at}");
            let resealed: u64 = report.columns[0].passes.iter().map(Counts::resealed).sum();
            assert_eq!(resealed, 20, "lost at step {at}");
            assert_eq!(world.opened().len(), 20);
            if !is_hit && at > 100 {
                break;
            }
        }
    }
}

#[test]
fn who_wakes_when_the_job_was_begun_anew_has_no_part_in_it() {
    let world = World::users(100);
    world.run(world.job(USERS, |_| {}));
    let mut asleep = Worker::new(&world, "a");
    // Nothing is written in its range, which it is about to count as done.
    let mut times = 0;
    let close = asleep.until(0, |step| {
        times += usize::from(matches!(step, Step::Begin));
        times == 3
    });
    let mut others = [Worker::new(&world, "a")];
    while others[0].turn(0) != Did::Waited {}
    all(&mut others, LEASE_MS);
    let again = "UPDATE users SET ssn = 'secret ' || id";
    world.db.execute_batch(again).unwrap();
    let mut anew = [Worker::new(&world, "b")];
    assert_eq!(anew[0].turn(0), Did::Batch);
    asleep.perform(close);
    while asleep.turn(LEASE_MS) != Did::Ended {}
    assert_eq!(*asleep.end(), End::Complete);
    assert_eq!(asleep.passes()[0].resealed(), 0);
    all(&mut anew, 0);
    assert_once(&world, &anew[0], 100);
}

/// A worker that sleeps through the end of its job, and the jobs of other runs after that.
fn slept_through(world: &World, max_passes: usize, later: &[&str]) -> Worker {
    let of = |run: &'static str| {
        move |options: &mut JobOptions| {
            of(run)(options);
            options.max_passes = max_passes;
            options.verify_one_in = 0;
        }
    };
    let mut asleep = Worker::with(world, USERS, of("a"));
    assert_eq!(asleep.turn(0), Did::Batch);
    let mut others = [Worker::with(world, USERS, of("a"))];
    while others[0].turn(0) != Did::Waited {}
    all(&mut others, LEASE_MS);
    for run in later {
        let run: &'static str = if *run == "b" { "b" } else { "c" };
        all(&mut [Worker::with(world, USERS, of(run))], 0);
    }
    while asleep.turn(2 * LEASE_MS) != Did::Ended {}
    asleep
}

#[test]
fn who_wakes_when_the_job_was_begun_anew_reports_all_of_it() {
    let world = World::users(100);
    let foreign = World::new("").seal("of another ring");
    let change = "UPDATE users SET ssn = ? WHERE id > 95";
    assert_eq!(world.db.execute(change, [foreign]).unwrap(), 5);
    let woken = slept_through(&world, 10, &["b"]);
    assert_eq!(*woken.end(), End::Complete);
    let [first, second] = woken.passes() else {
        panic!("{:?}", woken.passes());
    };
    assert_eq!((first.resealed(), first.refused()), (95, 5));
    assert_eq!((second.current, second.refused()), (95, 5));
}

#[test]
fn who_wakes_does_not_call_complete_what_did_not_settle() {
    let world = World::users(50);
    let trigger = "CREATE TRIGGER again AFTER UPDATE ON users WHEN new.id = 7 AND new.ssn LIKE 'rs1.%' \
                   BEGIN UPDATE users SET ssn = 'secret 7' WHERE id = 7; END";
    world.db.execute_batch(trigger).unwrap();
    assert_eq!(*slept_through(&world, 2, &["b"]).end(), End::Unsettled);
}

#[test]
fn who_wakes_after_two_jobs_says_that_nobody_knows() {
    let woken = slept_through(&World::users(50), 10, &["b", "c"]);
    let error = error(woken.report.as_ref());
    assert_eq!(error.code(), ErrorCode::JobConflict);
    assert!(error.message().contains("more than once"), "{error}");
}

/// The database with another ring: its primary key, and one more.
fn with_ring(world: &World, primary: &Key, more: Option<(&Key, KeyState)>) -> World {
    let mut ring = Keyring::builder().primary(primary.clone());
    if let Some((key, state)) = more {
        ring = ring.with(key.clone(), state);
    }
    let mut world = world.beside();
    world.ring = Arc::new(ring.build().unwrap());
    world
}

#[test]
fn a_worker_with_older_keys_has_no_part_in_a_job() {
    let key = || Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let (old, new) = (key(), key());
    let world = World::users(100);
    let current = with_ring(&world, &new, Some((&old, KeyState::DecryptOnly)));
    let mut workers = vec![Worker::new(&current, "new")];
    assert_eq!(workers[0].turn(0), Did::Batch);
    for (run, more) in [("a", None), ("b", Some((&new, KeyState::Introduced)))] {
        let mut late = Worker::new(&with_ring(&world, &old, more), run);
        assert_eq!(late.turn(0), Did::Ended);
        let error = error(late.report.as_ref());
        assert_eq!(error.code(), ErrorCode::JobConflict);
        assert!(error.message().contains("only introduced here"), "{error}");
    }
    all(&mut workers, 0);
    assert_eq!(*workers[0].end(), End::Complete);
    assert_eq!(workers[0].passes()[0].resealed(), 100);
    // The next rotation: whoever knows the key as one that has sealed may join, and ends the others.
    let next = key();
    let mut before = Worker::new(&current, "c");
    assert_eq!(before.turn(0), Did::Batch);
    let after = with_ring(&world, &next, Some((&new, KeyState::DecryptOnly)));
    let mut workers = [Worker::new(&after, "d")];
    assert_eq!(workers[0].turn(0), Did::Batch);
    while before.turn(2_000) != Did::Ended {}
    let error = error(before.report.as_ref());
    assert!(error.message().contains("other keys"), "{error}");
    all(&mut workers, 2_000);
    let resealed: u64 = workers[0].passes().iter().map(Counts::resealed).sum();
    assert_eq!(resealed, 100);
}

#[test]
fn a_row_of_a_range_that_is_missing_or_damaged_ends_the_job_with_an_error() {
    for damage in [
        "DELETE FROM reseal_jobs WHERE id LIKE '%#%'",
        "UPDATE reseal_jobs SET state = 'x', version = 9 WHERE id LIKE '%#%'",
        "UPDATE reseal_jobs SET state = replace(state, '\"finished\":false', '\"finished\":true'), \
         version = 9 WHERE id LIKE '%#%'",
        "UPDATE reseal_jobs SET state = replace(state, '\"walk\":0', '\"walk\":7'), version = 9 \
         WHERE id LIKE '%#%'",
    ] {
        let world = World::users(100);
        let mut worker = Worker::new(&world, "a");
        worker.turn(0);
        assert!(world.db.execute(damage, []).unwrap() > 0, "{damage}");
        let mut now = 0;
        while worker.turn(now) != Did::Ended {
            now += 250;
            assert!(now < 10 * LEASE_MS, "it hangs: {damage}");
        }
        let error = error(worker.report.as_ref());
        assert_eq!(error.code(), ErrorCode::DatabaseError);
        assert!(error.message().contains("reseal_jobs"), "{error}");
    }
}

#[test]
fn a_lease_is_renewed_while_the_job_is_held_back() {
    let world = World::users(100);
    let mut slow = Worker::with(&world, USERS, |options| {
        of("a")(options);
        options.pause_ms = 10 * LEASE_MS;
    });
    slow.turn(0);
    let mut others = [Worker::new(&world, "a")];
    while others[0].turn(0) != Did::Waited {}
    for now in (0..5 * LEASE_MS).step_by(10_000) {
        assert_eq!(slow.turn(now), Did::Waited);
        assert_eq!(
            others[0].turn(now),
            Did::Waited,
            "it took the range at {now}"
        );
    }
    slow.job.stop();
    while slow.turn(5 * LEASE_MS) != Did::Ended {}
    assert_eq!(*slow.end(), End::Stopped);
    all(&mut others, 5 * LEASE_MS);
    assert_once(&world, &others[0], 100);
}

#[test]
fn a_worker_that_is_stopped_puts_its_range_back() {
    let world = World::users(100);
    let mut stopped = Worker::new(&world, "a");
    stopped.turn(0);
    stopped.job.stop();
    while stopped.turn(0) != Did::Ended {}
    assert_eq!(*stopped.end(), End::Stopped);
    // It stood at the beginning of the second batch, which it ended.
    assert_eq!(stopped.passes()[0].resealed(), 10);
    let mut others = [Worker::new(&world, "a")];
    // No lease is waited for.
    while others[0].turn(0) == Did::Batch {}
    assert_once(&world, &others[0], 100);
}

#[test]
fn who_leads_a_run_stops_the_others_of_it_and_waits_for_them() {
    let world = World::users(200);
    let mut leader = Worker::with(&world, USERS, |options| {
        of("a")(options);
        options.share.as_mut().unwrap().leads = true;
    });
    leader.turn(0);
    let mut others = [Worker::new(&world, "a"), Worker::new(&world, "a")];
    let mut elsewhere = Worker::new(&world, "b");
    for other in others.iter_mut().chain([&mut elsewhere]) {
        assert_eq!(other.turn(0), Did::Batch);
    }
    leader.job.stop();
    // It ends its batch, tells the others, and waits.
    while leader.turn(0) != Did::Waited {}
    assert_eq!(leader.turn(0), Did::Waited);
    for other in &mut others {
        while other.turn(1_000) != Did::Ended {}
        assert_eq!(*other.end(), End::Stopped);
    }
    while leader.turn(1_000) != Did::Ended {}
    assert_eq!(*leader.end(), End::Stopped);
    let sealed = "SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'";
    let counted = leader.passes()[0].resealed();
    assert_eq!(i64::try_from(counted).unwrap(), world.number(sealed));

    // Those of another run go on.
    let mut last = [elsewhere];
    all(&mut last, 1_000);
    assert_once(&world, &last[0], 200);
}

#[test]
fn what_another_run_began_is_read_once_more() {
    let world = World::users(100);
    let mut first = [Worker::new(&world, "a")];
    all(&mut first, 0);
    // Nothing is left to do; the next run stops in the middle of its pass.
    let mut stopped = Worker::new(&world, "b");
    stopped.turn(0);
    stopped.job.stop();
    while stopped.turn(0) != Did::Ended {}
    let late = "UPDATE users SET ssn = 'secret 1' WHERE id = 1";
    world.db.execute_batch(late).unwrap();
    let mut last = [Worker::new(&world, "c")];
    all(&mut last, 0);
    let told = last[0].world.told.borrow();
    assert!(told.iter().any(|it| matches!(it, Event::Resumed { .. })));
    let resealed: Vec<u64> = last[0].passes().iter().map(Counts::resealed).collect();
    assert_eq!(resealed, [0, 1, 0]);
    assert_eq!(world.opened()[0].1, "secret 1");
}

#[test]
fn with_and_without_workers_a_job_is_one_and_the_same() {
    let world = World::users(100);
    let mut worker = Worker::new(&world, "a");
    worker.turn(0);
    // Somebody who does it alone must not take it.
    let alone = world.run(world.job(USERS, |_| {}));
    assert_eq!(error(Some(&alone)).code(), ErrorCode::JobConflict);
    assert!(error(Some(&alone)).message().contains("--share"));
    while worker.turn(0) != Did::Ended {}
    assert_once(&world, &worker, 100);

    // What one began alone, workers end; he is told.
    let world = World::users(100);
    let mut alone = Worker::with(&world, USERS, |options| options.batch_rows = 5);
    alone.turn(0);
    let mut workers = [Worker::new(&world, "a"), Worker::new(&world, "a")];
    all(&mut workers, 0);
    assert_once(&world, &workers[0], 100);
    while alone.turn(0) != Did::Ended {}
    assert_eq!(error(alone.report.as_ref()).code(), ErrorCode::JobConflict);
}

#[test]
fn too_many_refused_values_stop_all_of_them() {
    let world = World::users(100);
    let foreign = World::users(0).seal("under another key");
    let update = "UPDATE users SET ssn = ? WHERE id % 10 = 0";
    world.db.execute(update, [foreign]).unwrap();
    let mut workers: Vec<Worker> = (0..2)
        .map(|_| {
            Worker::with(&world, USERS, |options| {
                of("a")(options);
                options.max_refused = Some(3);
            })
        })
        .collect();
    all(&mut workers, 0);
    for worker in &workers {
        assert_eq!(*worker.end(), End::TooManyRefused, "{:?}", worker.passes());
    }
}

#[test]
fn the_same_command_goes_on_where_too_many_refused_values_stopped_it() {
    let world = World::users(100);
    let foreign = World::users(0).seal("under another key");
    let update = "UPDATE users SET ssn = ? WHERE id % 10 = 0";
    world.db.execute(update, [foreign]).unwrap();
    let mut ends = Vec::new();
    for run in ["a", "b", "c", "d", "e", "f"] {
        let worker = || {
            Worker::with(&world, USERS, |options| {
                of(run)(options);
                options.max_refused = Some(3);
            })
        };
        let mut workers = [worker(), worker()];
        all(&mut workers, 0);
        ends.push(workers[0].end().clone());
        if ends.last() == Some(&End::Complete) {
            break;
        }
    }
    let (last, others) = ends.split_last().unwrap();
    assert_eq!(*last, End::Complete);
    assert!((1..4).contains(&others.len()), "{ends:?}");
    let sealed = "SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'";
    assert_eq!(world.number(sealed), 100);
}

#[test]
fn a_worker_that_fails_puts_its_range_back() {
    let world = World::users(100);
    let mut failing = Worker::new(&world, "a");
    failing.turn(0);
    let is_change = |step: &Step| matches!(step, Step::Execute(it) if it.sql.contains("\"users\""));
    failing.until(0, is_change);
    failing.reply = Some(crate::support::failed("13"));
    while failing.turn(0) != Did::Ended {}
    assert!(matches!(failing.end(), End::Failed(_)));
    let mut others = [Worker::new(&world, "a")];
    // No lease is waited for.
    while others[0].turn(0) == Did::Batch {}
    assert_once(&world, &others[0], 100);
}

#[test]
fn a_pass_that_never_settles_ends_the_job_for_all() {
    let world = World::users(50);
    let trigger = "CREATE TRIGGER again AFTER UPDATE ON users WHEN new.id = 7 AND new.ssn LIKE 'rs1.%' \
                   BEGIN UPDATE users SET ssn = 'secret 7' WHERE id = 7; END";
    world.db.execute_batch(trigger).unwrap();
    let mut workers: Vec<Worker> = (0..2)
        .map(|_| {
            Worker::with(&world, USERS, |options| {
                of("a")(options);
                options.max_passes = 3;
                options.verify_one_in = 0;
            })
        })
        .collect();
    all(&mut workers, 0);
    for worker in &workers {
        assert_eq!(*worker.end(), End::Unsettled);
        assert_eq!(worker.passes().len(), 3);
    }
}

#[test]
fn composite_keys_are_dealt_out_as_well() {
    let world = World::new("CREATE TABLE users (a INTEGER, b TEXT, ssn TEXT, PRIMARY KEY (a, b))");
    for a in 1..=20 {
        for b in ["x", "y", "z"] {
            let insert = "INSERT INTO users VALUES (?, ?, 'secret')";
            world.db.execute(insert, rusqlite::params![a, b]).unwrap();
        }
    }
    let columns = USERS.replace("['id']", "['a', 'b']");
    let mut workers = [
        Worker::with(&world, &columns, of("a")),
        Worker::with(&world, &columns, of("a")),
    ];
    all(&mut workers, 0);
    let scanned: Vec<u64> = workers[1].passes().iter().map(|it| it.scanned).collect();
    assert_eq!(scanned, [60, 60]);
    assert_eq!(workers[0].passes()[0].resealed(), 60);
}

#[test]
fn only_a_job_that_writes_into_the_table_is_shared() {
    use reseal::job::{Checkpoint, Dialect, Work};
    use reseal::{OsEntropy, Timestamp};
    let world = World::users(1);
    let refused = |work: Work, change: &dyn Fn(&mut JobOptions)| {
        let mut options = JobOptions::new(Dialect::Sqlite);
        of("a")(&mut options);
        change(&mut options);
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let job = Job::new(
            work,
            world.targets(USERS),
            options,
            Box::new(OsEntropy),
            now,
        );
        assert_eq!(job.unwrap_err().code(), ErrorCode::InvalidArgument);
    };
    refused(Work::Verify, &|_| {});
    refused(Work::Apply, &|options| options.dry_run = true);
    refused(Work::Apply, &|options| {
        options.checkpoint = Checkpoint::Nowhere;
    });
    let share = |run: &str, lease_ms| {
        let (run, leads) = (run.into(), false);
        Some(Share {
            run,
            lease_ms,
            leads,
        })
    };
    refused(Work::Apply, &|options| options.share = share("", 1));
    refused(Work::Apply, &|options| options.share = share("a", 0));
}
