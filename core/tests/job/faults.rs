//! A database that refuses, at any step.

use crate::support::{USERS, World, failed};
use reseal::job::{Cell, Dialect, End, Event, Failure, FailureKind, Reply, Step};

/// The steps at which a database may fail.
fn is_of_database(step: &Step) -> bool {
    matches!(
        step,
        Step::Query(_) | Step::Execute(_) | Step::Begin | Step::Commit
    )
}

/// A job over 100 rows, one step of which fails; nothing when there is no such step.
fn with_fault(at: usize, fault: &dyn Fn(&World) -> Reply) -> Option<(World, End)> {
    let world = World::users(100);
    let mut seen = 0;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if !is_of_database(step) {
            return None;
        }
        seen += 1;
        (seen == at + 1).then(|| fault(&world))
    });
    let end = report.unwrap().end;
    (seen > at).then_some((world, end))
}

fn assert_all_sealed(world: &World, at: usize) {
    let opened = world.opened();
    assert_eq!(opened.len(), 100);
    for (id, text) in opened {
        assert_eq!(text, format!("secret {id}"), "fault at {at}");
    }
}

#[test]
fn a_lock_that_passes_is_waited_for_at_any_step() {
    for at in 0.. {
        let Some((world, end)) = with_fault(at, &|_| failed("5")) else {
            assert!(at > 20, "the job has only {at} steps");
            return;
        };
        assert_eq!(end, End::Complete, "fault at {at}");
        assert_all_sealed(&world, at);
    }
}

#[test]
fn a_lost_connection_is_opened_again_at_any_step() {
    for at in 0.. {
        let fault = |world: &World| {
            world.rollback().unwrap();
            Reply::Failed(Failure::connection_lost())
        };
        let Some((world, end)) = with_fault(at, &fault) else {
            return;
        };
        assert_eq!(end, End::Complete, "fault at {at}");
        assert_all_sealed(&world, at);
    }
}

#[test]
fn a_commit_that_came_through_before_the_connection_was_lost_is_counted_once() {
    let world = World::users(100);
    let mut is_lost = false;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if !matches!(step, Step::Commit) || is_lost {
            return None;
        }
        is_lost = true;
        world.db.execute_batch("COMMIT").unwrap();
        Some(Reply::Failed(Failure::connection_lost()))
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete);
    let first = &report.columns[0].passes[0];
    assert_eq!(
        (first.scanned, first.resealed(), first.current),
        (100, 100, 0)
    );
}

#[test]
fn a_full_disk_ends_it_at_any_step_with_no_part_of_a_batch() {
    for at in 0.. {
        let Some((world, end)) = with_fault(at, &|_| failed("13")) else {
            assert!(at > 20, "the job has only {at} steps");
            return;
        };
        let End::Failed(error) = end else {
            panic!("fault at {at}: {end:?}");
        };
        assert_eq!(error.code().as_str(), "database-error");
        assert_eq!(
            error.message(),
            "the database did not do it: there is no space left (13)"
        );
        let sealed = world.number("SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'");
        assert!([0, 32, 72, 100].contains(&sealed), "{sealed} at {at}");
        let report = world.run(world.job(USERS, |_| {}));
        assert_eq!(report.end, End::Complete, "fault at {at}");
        assert_all_sealed(&world, at);
    }
}

#[test]
fn tries_are_bounded_and_their_waits_double() {
    let world = World::users(10);
    let mut waits = Vec::new();
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| match step {
        Step::Begin => Some(failed("5")),
        Step::Sleep { milliseconds } => {
            waits.push(*milliseconds);
            None
        }
        _ => None,
    });
    assert!(matches!(report.unwrap().end, End::Failed(error) if error.message().contains("lock")));
    assert_eq!(waits, [100, 200, 400, 800, 1600]);
    let told = world.told.borrow();
    let retries = told
        .iter()
        .filter(|event| matches!(event, Event::Retry { .. }));
    assert_eq!(retries.count(), 5);
}

/// Runs a job over rows in a database that takes no update of more than so many of them at once.
fn with_time_for(most: usize, rows: usize) -> (World, End) {
    let world = World::users(rows);
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| match step {
        Step::Execute(statement) if statement.sql.contains("UPDATE \"users\"") => {
            (statement.params.len() > 3 * most).then(|| failed("9"))
        }
        _ => None,
    });
    (world, report.unwrap().end)
}

#[test]
fn a_statement_that_takes_too_long_is_tried_again_with_fewer_rows() {
    let (world, end) = with_time_for(7, 300);
    assert_eq!(end, End::Complete);
    assert_eq!(world.opened().len(), 300);
    let told = world.told.borrow();
    let retries = told.iter().filter(|it| matches!(it, Event::Retry { .. }));
    assert_eq!(retries.count(), 2, "40 rows, 10, and 2 from then on");
    let (_, end) = with_time_for(0, 300);
    let End::Failed(error) = end else {
        panic!("{end:?}");
    };
    let hint = "give it more time, or make batches smaller";
    assert!(error.message().ends_with(hint), "{error}");
}

#[test]
fn batches_grow_again_when_what_made_them_slow_has_gone() {
    let world = World::users(2_000);
    let (mut slow, mut largest_at_last) = (0, 0);
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| match step {
        Step::Execute(statement) if statement.sql.contains("UPDATE \"users\"") => {
            slow += 1;
            largest_at_last =
                largest_at_last.max(if slow > 3 { statement.params.len() } else { 0 });
            (slow <= 3).then(|| failed("9"))
        }
        _ => None,
    });
    assert_eq!(report.unwrap().end, End::Complete);
    assert_eq!(world.opened().len(), 2_000);
    // 40 rows, 10, 2 and then 1, of three parameters each; then 64 batches of 1, 2, 4, 8 and 16.
    // 40 rows, 10, 2 and then 1, of three parameters each; then 64 batches of 1, of 2, 4, 8 and 16.
    assert_eq!(largest_at_last, 3 * 16);
}

#[test]
fn codes_of_each_dialect_have_their_kind() {
    use FailureKind::{
        ConnectionLost, Constraint, Deadlock, DiskFull, Duplicate, LockTimeout, NoSuchColumn,
        NoSuchTable, Other, PermissionDenied, Serialization, StatementTimeout, TooLong,
    };
    let postgres = [
        ("40P01", Deadlock),
        ("40001", Serialization),
        ("55P03", LockTimeout),
        ("57014", StatementTimeout),
        ("08006", ConnectionLost),
        ("57P01", ConnectionLost),
        ("42501", PermissionDenied),
        ("42P01", NoSuchTable),
        ("42703", NoSuchColumn),
        ("53100", DiskFull),
        ("22001", TooLong),
        ("23505", Duplicate),
        ("42P07", Duplicate),
        ("42710", Duplicate),
        ("23514", Constraint),
        ("23503", Constraint),
        ("23502", Constraint),
        ("23P01", Constraint),
        ("44000", Constraint),
        ("P0001", Constraint),
        ("P0004", Constraint),
        ("22P02", Constraint),
        ("22021", Constraint),
        ("54000", Constraint),
        ("45000", Constraint),
        ("MY001", Constraint),
        ("55000", Other),
        ("42883", Other),
        ("XX000", Other),
        ("", Other),
    ];
    let mysql = [
        ("1213", Deadlock),
        ("1020", Serialization),
        ("1205", LockTimeout),
        ("1969", StatementTimeout),
        ("3024", StatementTimeout),
        ("1317", StatementTimeout),
        ("1047", ConnectionLost),
        ("2013", ConnectionLost),
        ("1153", ConnectionLost),
        ("1142", PermissionDenied),
        ("1146", NoSuchTable),
        ("1054", NoSuchColumn),
        ("1114", DiskFull),
        ("1406", TooLong),
        ("1062", Duplicate),
        ("1452", Constraint),
        ("3819", Constraint),
        ("4025", Constraint),
        ("1369", Constraint),
        ("1644", Constraint),
        ("1366", Constraint),
        ("30001", Constraint),
        ("1064", Other),
        ("ER_X", Other),
    ];
    let sqlite = [
        ("5", LockTimeout),
        ("517", Serialization),
        ("261", LockTimeout),
        ("6", LockTimeout),
        ("9", StatementTimeout),
        ("8", PermissionDenied),
        ("264", PermissionDenied),
        ("13", DiskFull),
        ("18", TooLong),
        ("1", Other),
        ("2067", Duplicate),
        ("1555", Duplicate),
        ("275", Constraint),
        ("787", Constraint),
        ("1811", Constraint),
        ("3091", Constraint),
        ("19", Constraint),
        ("20", Constraint),
        ("SQLITE_BUSY", LockTimeout),
        ("SQLITE_BUSY_SNAPSHOT", Serialization),
        ("SQLITE_FULL", DiskFull),
        ("SQLITE_CONSTRAINT_PRIMARYKEY", Duplicate),
        ("SQLITE_CONSTRAINT_CHECK", Constraint),
        ("SQLITE_CONSTRAINT_TRIGGER", Constraint),
        ("SQLITE_MISMATCH", Constraint),
        ("SQLITE_ERROR", Other),
    ];
    let of = |dialect, codes: &[(&str, FailureKind)]| {
        for (code, kind) in codes {
            assert_eq!(Failure::of(dialect, code).kind, *kind, "{dialect:?} {code}");
        }
    };
    of(Dialect::Postgres, &postgres);
    of(Dialect::Mysql, &mysql);
    of(Dialect::Sqlite, &sqlite);
}

/// Loses the connection at a step of a run that begins after another one was done.
fn begun_again(at: usize) -> Option<(World, End)> {
    let world = World::users(100);
    assert_eq!(world.run(world.job(USERS, |_| {})).end, End::Complete);
    let late = "UPDATE users SET ssn = 'secret ' || id WHERE id IN (40, 90)";
    world.db.execute_batch(late).unwrap();
    let mut seen = 0;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        seen += usize::from(is_of_database(step));
        (is_of_database(step) && seen == at + 1).then(|| {
            world.rollback().unwrap();
            Reply::Failed(Failure::connection_lost())
        })
    });
    let end = report.unwrap().end;
    (seen > at).then_some((world, end))
}

#[test]
fn what_an_earlier_run_finished_is_not_the_end_of_one_that_lost_its_connection() {
    for at in 0.. {
        let Some((world, end)) = begun_again(at) else {
            assert!(at > 10, "the job has only {at} steps");
            return;
        };
        assert_eq!(end, End::Complete, "fault at {at}");
        let plain = world.number("SELECT count(*) FROM users WHERE ssn NOT LIKE 'rs1.%'");
        assert_eq!(plain, 0, "fault at {at}");
        assert_all_sealed(&world, at);
    }
}

#[test]
fn a_run_that_left_rows_says_so_also_where_its_end_is_stored_in_the_second_try() {
    let world = World::users(3);
    let other = world.other();
    let (mut changes, mut is_refused) = (0, false);
    let job = world.job(USERS, |options| options.max_passes = 1);
    let report = world.drive(job, &mut |_, step| match step {
        // Before each write of the row, and then before the end.
        Step::Begin if changes < 4 => {
            changes += 1;
            let sql = format!("UPDATE users SET ssn = 'change {changes}' WHERE id = 2");
            other.execute_batch(&sql).unwrap();
            None
        }
        Step::Begin if !is_refused => {
            is_refused = true;
            Some(failed("5"))
        }
        _ => None,
    });
    assert!(is_refused);
    assert_eq!(report.unwrap().end, End::Unsettled);
}

#[test]
fn a_run_that_left_rows_says_so_also_where_the_answer_to_its_last_commit_is_lost() {
    let world = World::users(3);
    let other = world.other();
    let (mut changes, mut is_lost) = (0, false);
    let job = world.job(USERS, |options| options.max_passes = 1);
    let report = world.drive(job, &mut |_, step| match step {
        Step::Begin if changes < 4 => {
            changes += 1;
            let sql = format!("UPDATE users SET ssn = 'change {changes}' WHERE id = 2");
            other.execute_batch(&sql).unwrap();
            None
        }
        Step::Execute(statement) if statement.sql.contains("reseal_jobs") => {
            let state = statement.params.iter().find_map(Cell::as_text);
            is_lost = state.is_some_and(|state| state.contains("\"finished\":true"));
            None
        }
        Step::Commit if core::mem::take(&mut is_lost) => {
            world.db.execute_batch("COMMIT").unwrap();
            Some(Reply::Failed(Failure::connection_lost()))
        }
        _ => None,
    });
    assert_eq!(world.number("SELECT count(*) FROM reseal_jobs"), 1);
    assert_eq!(report.unwrap().end, End::Unsettled);
}

#[test]
fn settings_come_back_as_they_were_whatever_step_was_tried_again() {
    for code in ["5", "lost"] {
        for at in 0.. {
            let world = World::users(100);
            world
                .db
                .execute_batch("PRAGMA busy_timeout = 4321")
                .unwrap();
            let job = world.job(USERS, |options| options.statement_timeout_ms = Some(77));
            let mut seen = 0;
            let report = world.drive(job, &mut |_, step| {
                seen += usize::from(is_of_database(step));
                (is_of_database(step) && seen == at + 1).then(|| {
                    world.rollback().unwrap();
                    match code {
                        "lost" => Reply::Failed(Failure::connection_lost()),
                        code => failed(code),
                    }
                })
            });
            if seen <= at {
                assert!(at > 20, "the job has only {at} steps");
                break;
            }
            assert_eq!(report.unwrap().end, End::Complete, "{code} at {at}");
            if seen > at + 1 {
                let there = world.number("PRAGMA busy_timeout");
                assert_eq!(there, 4321, "{code} at {at}");
            }
        }
    }
}

#[test]
fn batches_shrink_where_a_server_ends_the_connection_for_their_size() {
    const MOST_BYTES: usize = 600_000;
    let world = World::new("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)");
    for id in 1..=24 {
        let insert = "INSERT INTO users VALUES (?, ?)";
        let text = format!("secret {id} {}", "x".repeat(30_000));
        world.db.execute(insert, (id, text)).unwrap();
    }
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        let Step::Execute(statement) = step else {
            return None;
        };
        let bytes = |cell: &Cell| cell.as_text().map_or(0, str::len);
        let bytes: usize = statement.params.iter().map(bytes).sum();
        (bytes > MOST_BYTES).then(|| {
            world.rollback().unwrap();
            Reply::Failed(Failure::of(Dialect::Mysql, "1153"))
        })
    });
    assert_eq!(report.unwrap().end, End::Complete);
    for (id, text) in world.opened() {
        assert!(text.starts_with(&format!("secret {id} ")));
    }
}

#[test]
fn tries_are_bounded_also_where_pages_without_a_change_come_before() {
    let world = World::users(100);
    assert_eq!(world.run(world.job(USERS, |_| {})).end, End::Complete);
    let late = "UPDATE users SET ssn = 'secret 90' WHERE id = 90";
    world.db.execute_batch(late).unwrap();
    let report = world.drive(world.job(USERS, |_| {}), &mut |at, step| {
        assert!(at < 1000, "it has no end");
        matches!(step, Step::Begin).then(|| Reply::Failed(Failure::connection_lost()))
    });
    assert!(matches!(report.unwrap().end, End::Failed(_)));
    assert_eq!(world.run(world.job(USERS, |_| {})).end, End::Complete);
    assert_all_sealed(&world, 0);
}
