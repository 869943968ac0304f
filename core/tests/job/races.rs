//! Somebody else changes a row between read and write.

use crate::support::{USERS, World, assert_adds_up};
use reseal::job::{End, Report, Step};

/// Runs a job over `users`, and changes rows after the first page was read, before it is written.
fn with_change(world: &World, sql: &str) -> Report {
    let other = world.other();
    let mut is_done = false;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            other.execute_batch(sql).unwrap();
            is_done = true;
        }
        None
    });
    assert!(is_done);
    report.unwrap()
}

#[test]
fn a_change_of_case_alone_is_kept_also_under_a_collation_that_ignores_it() {
    let world = World::new(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT COLLATE NOCASE, name TEXT);
         INSERT INTO users (ssn) VALUES ('secret'), ('secret')",
    );
    let report = with_change(&world, "UPDATE users SET ssn = 'Secret' WHERE id = 2");
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.columns[0].passes[0].raced, 1);
    assert_eq!(world.opened(), [(1, "secret".into()), (2, "Secret".into())]);
}

#[test]
fn a_trailing_space_alone_is_kept_also_under_a_collation_that_ignores_it() {
    let world = World::new(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT COLLATE RTRIM, name TEXT);
         INSERT INTO users (ssn) VALUES ('secret'), ('secret')",
    );
    let report = with_change(&world, "UPDATE users SET ssn = 'secret ' WHERE id = 2");
    assert_eq!(report.columns[0].passes[0].raced, 1);
    assert_eq!(
        world.opened(),
        [(1, "secret".into()), (2, "secret ".into())]
    );
}

#[test]
fn another_storage_class_of_an_equal_number_is_another_value() {
    let world = World::new(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn, name TEXT);
         INSERT INTO users (ssn) VALUES (42), (42)",
    );
    let report = with_change(&world, "UPDATE users SET ssn = 42.0 WHERE id = 2");
    let first = &report.columns[0].passes[0];
    assert_eq!((first.raced, first.resealed(), first.refused()), (1, 1, 1));
    let kind = world.text("SELECT typeof(ssn) FROM users WHERE id = 2");
    assert_eq!(kind.as_deref(), Some("real"));
}

#[test]
fn rows_that_change_vanish_or_become_null_are_counted_once() {
    let world = World::users(30);
    let report = with_change(
        &world,
        "UPDATE users SET ssn = 'new ' || id WHERE id < 5;
         DELETE FROM users WHERE id = 5;
         UPDATE users SET ssn = NULL WHERE id = 6",
    );
    assert_eq!(report.end, End::Complete);
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!(
        (first.raced, first.gone, first.null, first.left),
        (6, 1, 1, 0)
    );
    assert_eq!((first.scanned, first.resealed()), (30, 28));
    let name = "SELECT ssn FROM users WHERE id = 4";
    assert_eq!(world.open(&world.text(name).unwrap()), "new 4");
}

#[test]
fn a_row_that_always_changes_is_left_and_never_overwritten() {
    let world = World::users(3);
    let other = world.other();
    let mut changes = 0;
    let job = world.job(USERS, |options| options.max_passes = 3);
    let report = world.drive(job, &mut |_, step| {
        if matches!(step, Step::Begin) {
            changes += 1;
            let sql = format!("UPDATE users SET ssn = 'change {changes}' WHERE id = 2");
            other.execute_batch(&sql).unwrap();
        }
        None
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Unsettled);
    for counts in &report.columns[0].passes {
        assert_adds_up(counts);
        assert_eq!((counts.left, counts.raced), (1, 4));
    }
    let there = world.text("SELECT ssn FROM users WHERE id = 2");
    assert_eq!(there, Some(format!("change {changes}")));
}

#[test]
fn a_row_that_leaves_the_condition_meanwhile_is_not_touched() {
    let world = World::users(10);
    let columns = format!("{USERS}where = \"name = 'n'\"");
    let other = world.other();
    let mut is_done = false;
    let report = world.drive(world.job(&columns, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            other
                .execute_batch("UPDATE users SET name = 'x' WHERE id = 3")
                .unwrap();
            is_done = true;
        }
        None
    });
    let report = report.unwrap();
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!((first.gone, first.resealed()), (1, 9));
    let there = world.text("SELECT ssn FROM users WHERE id = 3");
    assert_eq!(there.as_deref(), Some("secret 3"));
}
