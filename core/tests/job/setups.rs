//! A run that goes on with a job has another manifest than the one before it.

use crate::support::{USERS, World, assert_adds_up, context};
use crate::workers::{Did, Worker, all, of};
use reseal::ErrorCode;
use reseal::job::{Counts, End, Report, Step};
use reseal::{BlindIndex, Normalizer};

const INDEXES: &str =
    "indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 }]\n";
const ROWS: i64 = 200;

fn world() -> World {
    let world = World::users(ROWS.try_into().unwrap());
    let add = "ALTER TABLE users ADD COLUMN ssn_eq TEXT";
    world.db.execute_batch(add).unwrap();
    world
}

fn indexed() -> String {
    format!("{USERS}{INDEXES}")
}

/// How many rows have the term of their value.
fn with_terms(world: &World) -> usize {
    let index = BlindIndex::new("eq", Normalizer::Digits, 64).unwrap();
    let is_right = |id: &i64| {
        let term = world
            .ring
            .index_term(id.to_string().as_bytes(), &context(), &index);
        let stored = world.text(&format!("SELECT ssn_eq FROM users WHERE id = {id}"));
        stored == Some(term.unwrap())
    };
    (1..=ROWS).filter(is_right).count()
}

/// Runs a job alone, and asks it to stop after so many batches.
fn alone(world: &World, columns: &str, batches: usize) -> Report {
    let job = world.job(columns, |options| options.batch_rows = 20);
    world.stopped(job, batches)
}

/// Goes on to the end, which comes soon.
fn end(worker: &mut Worker) {
    let is_ended = (0..100).any(|_| worker.turn(2_000) == Did::Ended);
    assert!(is_ended, "it goes on");
}

#[test]
fn a_worker_whose_manifest_has_other_indexes_ends_the_others_and_writes_the_terms_of_all() {
    for other in ["", "'raw', bits = 64", "'digits', bits = 32", "other"] {
        let world = world();
        let before = match other {
            "" => USERS.to_owned(),
            "other" => indexed().replace("'eq'", "'other'"),
            other => indexed().replace("'digits', bits = 64", other),
        };
        let mut before = Worker::with(&world, &before, of("a"));
        assert_eq!(before.turn(0), Did::Batch);
        let mut after = [Worker::with(&world, &indexed(), of("b"))];
        assert_eq!(after[0].turn(0), Did::Batch);
        end(&mut before);
        assert_eq!(before.error().code(), ErrorCode::JobConflict, "{other}");
        assert!(before.error().message().contains("another manifest"));
        all(&mut after, 2_000);
        assert_eq!(*after[0].end(), End::Complete);
        assert_eq!(with_terms(&world), 200, "{other}");
    }
}

#[test]
fn a_worker_that_reads_something_else_ends_those_that_do_not() {
    let earlier = format!("{USERS}earlier_contexts = [{{ table = 'people' }}]\n");
    let less = USERS.replace("read = ['plain']\n", "");
    for (before, after) in [(USERS, earlier.as_str()), (&less, USERS)] {
        let world = world();
        let mut before = Worker::with(&world, before, of("a"));
        assert_eq!(before.turn(0), Did::Batch);
        let mut after = Worker::with(&world, after, of("b"));
        assert_eq!(after.turn(0), Did::Batch);
        end(&mut before);
        assert!(before.error().message().contains("another manifest"));
    }
}

#[test]
fn workers_that_go_on_where_others_were_stopped_write_the_terms_of_all() {
    let world = world();
    let stopped = alone(&world, USERS, 2);
    assert_eq!(stopped.end, End::Stopped);
    let mut dead = Worker::with(&world, &indexed(), of("a"));
    assert_eq!(dead.turn(0), Did::Batch);
    // The next ones have the manifest of the one before them, but not that of the first.
    let mut workers = [
        Worker::with(&world, &indexed(), of("b")),
        Worker::with(&world, &indexed(), of("b")),
    ];
    all(&mut workers, 0);
    assert_eq!(*workers[0].end(), End::Complete);
    assert_eq!(with_terms(&world), 200);
}

#[test]
fn a_run_that_goes_on_with_other_indexes_writes_the_terms_of_what_was_done() {
    let world = world();
    assert_eq!(alone(&world, USERS, 2).end, End::Stopped);
    // It is remembered until the job is done.
    assert_eq!(alone(&world, &indexed(), 1).end, End::Stopped);
    assert_eq!(with_terms(&world), 20);
    assert_eq!(alone(&world, &indexed(), 1).end, End::Stopped);
    let report = alone(&world, &indexed(), usize::MAX);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    passes.iter().for_each(assert_adds_up);
    let reindexed: u64 = passes.iter().map(|pass| pass.reindexed).sum();
    let resealed: u64 = passes.iter().map(Counts::resealed).sum();
    assert_eq!((resealed, reindexed), (200, 40));
    assert_eq!(with_terms(&world), 200);
}

/// Whether a job reads terms.
fn reads_terms(world: &World, columns: &str) -> bool {
    let mut reads = false;
    let report = world.drive(world.job(columns, |_| {}), &mut |_, step| {
        if let Step::Query(statement) = step {
            let select = statement.sql.split(" FROM ").next();
            reads |= select.is_some_and(|it| it.contains("ssn_eq"));
        }
        None
    });
    assert_eq!(report.unwrap().end, End::Complete);
    reads
}

#[test]
fn a_run_that_goes_on_with_the_same_manifest_opens_nothing_that_is_current() {
    let world = world();
    assert_eq!(alone(&world, &indexed(), 2).end, End::Stopped);
    assert!(!reads_terms(&world, &indexed()));
    assert_eq!(with_terms(&world), 200);
    // What an earlier release has stored tells nothing of it.
    let again = self::world();
    assert_eq!(alone(&again, &indexed(), 2).end, End::Stopped);
    let older = "UPDATE reseal_jobs SET state = json_remove(state, '$.indexes')";
    again.db.execute_batch(older).unwrap();
    assert!(!reads_terms(&again, &indexed()));
    // A job that has ended is no part of the next one.
    assert!(!reads_terms(&world, USERS));
    assert!(!reads_terms(&world, &indexed()));
}
