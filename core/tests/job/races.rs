//! Somebody else changes a row between read and write.

use crate::support::{USERS, World, assert_adds_up, opens};
use reseal::{
    Context,
    job::{End, Report, Step},
};

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

#[test]
fn what_is_bound_to_a_value_and_changes_meanwhile_is_bound_as_it_is_then() {
    let bound = USERS.replace(
        "column = 'ssn' }",
        "column = 'ssn', name = { column = 'name' } }",
    );
    let spare = "[[columns]]
table = 'users'
column = 'spare'
row_id = ['id']
context = { table = 'users' }
write = 'app'
read = ['plain']
";
    let columns = format!("{bound}{spare}");
    let world = World::users(10);
    let spares = "ALTER TABLE users ADD spare TEXT DEFAULT 'x'; UPDATE users SET spare = 'x'";
    world.db.execute_batch(spares).unwrap();
    let other = world.other();
    let mut is_done = false;
    let report = world.drive(world.job(&columns, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            let sql = "UPDATE users SET name = 'N' WHERE id = 3;
                       UPDATE users SET name = x'6e' WHERE id = 4";
            other.execute_batch(sql).unwrap();
            is_done = true;
        }
        None
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete);
    for column in &report.columns {
        column.passes.iter().for_each(assert_adds_up);
        let first = &column.passes[0];
        assert_eq!((first.raced, first.resealed(), first.left), (2, 10, 0));
    }
    let target = world.targets(&columns).remove(0);
    for (id, name) in [(2, &b"n"[..]), (3, b"N"), (4, b"n")] {
        let stored = world.text(&format!("SELECT ssn FROM users WHERE id = {id}"));
        let facts = if id == 4 {
            Context::new().with("name", name)
        } else {
            Context::new().with("name", core::str::from_utf8(name).unwrap())
        };
        let read = opens(&target, &stored.unwrap(), &facts.unwrap());
        assert_eq!(read, format!("secret {id}").as_bytes());
    }
}

#[test]
fn a_row_id_that_changes_to_one_that_its_key_takes_for_equal_is_bound_as_it_is_then() {
    let world = World::new(
        "CREATE TABLE users (id TEXT COLLATE NOCASE PRIMARY KEY, ssn TEXT);
         INSERT INTO users VALUES ('a', 'secret'), ('b', 'secret')",
    );
    let columns = format!("{USERS}bind_row = true\n");
    let other = world.other();
    let mut is_done = false;
    let report = world.drive(world.job(&columns, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            let sql = "UPDATE users SET id = 'B' WHERE id = 'b'";
            other.execute_batch(sql).unwrap();
            is_done = true;
        }
        None
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete);
    let target = world.targets(&columns).remove(0);
    for row in ["a", "B"] {
        let sql = format!("SELECT ssn FROM users WHERE id = '{row}'");
        let facts = Context::new().with("row", row).unwrap();
        assert_eq!(
            opens(&target, &world.text(&sql).unwrap(), &facts),
            b"secret"
        );
    }
}
