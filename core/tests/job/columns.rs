//! A row of which the database takes some columns, and others not.

use crate::support::{USERS, World, assert_adds_up, failed};
use reseal::job::{Counts, End, Event, Job, JobOptions, Report, Share, Step};

const ROWS: usize = 100;
/// A value of `name` that nothing but plaintext of this length fits into.
const EACH_FIFTH: &str = "id % 5 > 0 OR name IS NULL OR length(name) < 20";

/// Users with three columns and a check.
fn checked(check: &str) -> World {
    World::new(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT, name TEXT, mail TEXT, CHECK ({check}));
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < {ROWS})
         INSERT INTO users SELECT i, 'ssn ' || i, 'name ' || i, 'mail ' || i FROM n"
    ))
}

fn all() -> String {
    let of = |column: &str| USERS.replace("'ssn'", &format!("'{column}'"));
    ["ssn", "name", "mail"].map(of).concat()
}

fn job(world: &World, change: impl FnOnce(&mut JobOptions)) -> Job {
    world.job(&all(), change)
}

/// What was told of a pass: rows, columns and codes.
fn told(world: &World, of_pass: usize) -> Vec<(i64, String, &'static str)> {
    let told = world.told.borrow();
    let refused = told.iter().filter_map(|event| match event {
        Event::Refused {
            pass,
            row_id,
            column,
            code,
            ..
        } if *pass == of_pass => Some((row_id.concat().parse().unwrap(), column.clone(), *code)),
        _ => None,
    });
    let mut refused: Vec<_> = refused.collect();
    refused.sort();
    refused
}

/// All columns are done but for the rows of `name` that a check refuses.
fn assert_but_names(world: &World, report: &Report, refused: &[i64]) {
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    for (place, column) in ["ssn", "name", "mail"].into_iter().enumerate() {
        let wanted = if column == "name" { refused.len() } else { 0 };
        for counts in &report.columns[place].passes {
            assert_adds_up(counts);
            assert_eq!((counts.scanned, counts.left), (ROWS as u64, 0), "{column}");
            assert_eq!(counts.refused(), wanted as u64, "{column}");
        }
        let sealed = format!("SELECT count(*) FROM users WHERE {column} LIKE 'rs1.%'");
        let sealed = usize::try_from(world.number(&sealed)).unwrap();
        assert_eq!(sealed, ROWS - wanted, "{column}");
    }
    for pass in 1..=report.columns[0].passes.len() {
        let names = refused.iter();
        let names = names.map(|id| (*id, "name".into(), "constraint-violated"));
        assert_eq!(told(world, pass), names.collect::<Vec<_>>());
    }
}

#[test]
fn a_constraint_of_one_column_keeps_no_other_as_it_is() {
    let world = checked(EACH_FIFTH);
    let report = world.run(job(&world, |_| {}));
    let fifths: Vec<i64> = (5..=100).step_by(5).collect();
    assert_but_names(&world, &report, &fifths);
    assert!(report.columns[0].passes[0].verified > 0);
    // A later run has nothing to do but to say so again.
    let report = world.run(job(&world, |_| {}));
    assert_eq!(report.columns[0].passes[0].current, 100);
    assert_eq!(report.columns[1].passes[0].refused(), 20);
}

#[test]
fn a_column_that_is_refused_by_itself_is_told_once() {
    let world = checked(EACH_FIFTH);
    // Of a stranger.
    let foreign = "UPDATE users SET mail = ? WHERE id IN (10, 11)";
    world
        .db
        .execute(foreign, [World::users(0).seal("x")])
        .unwrap();
    let report = world.run(job(&world, |_| {}));
    assert_eq!(report.end, End::Complete);
    for column in &report.columns {
        column.passes.iter().for_each(assert_adds_up);
    }
    let refused: Vec<u64> = (0..3)
        .map(|place| report.columns[place].passes[0].refused())
        .collect();
    assert_eq!(refused, [0, 20, 2]);
    let of_ten = told(&world, 1).into_iter().filter(|(id, ..)| *id == 10);
    let of_ten: Vec<String> = of_ten.map(|(_, column, _)| column).collect();
    assert_eq!(of_ten, ["mail", "name"]);
}

#[test]
fn of_columns_that_do_not_go_together_some_are_done() {
    let world = checked("id <> 50 OR length(ssn) + length(name) < 150");
    let report = world.run(job(&world, |_| {}));
    assert_eq!(report.end, End::Complete);
    let passes = report.columns.iter().flat_map(|column| &column.passes);
    passes.for_each(assert_adds_up);
    let sealed = "SELECT (ssn LIKE 'rs1.%') + (name LIKE 'rs1.%') FROM users WHERE id = 50";
    assert_eq!(world.number(sealed), 1);
    assert_eq!(told(&world, 1).len(), 1);
}

#[test]
fn a_constraint_that_is_looked_at_when_a_transaction_ends_refuses_one_column() {
    let world = checked("1 = 1");
    let bad = "SELECT count(*) FROM users WHERE id IN (5, 50) AND name LIKE 'rs1.%'";
    let report = world.drive(job(&world, |_| {}), &mut |_, step| {
        if !matches!(step, Step::Commit) || world.number(bad) == 0 {
            return None;
        }
        world.rollback().unwrap();
        Some(failed("787"))
    });
    assert_but_names(&world, &report.unwrap(), &[5, 50]);
}

#[test]
fn several_workers_refuse_one_column() {
    let world = checked(EACH_FIFTH);
    let share = |options: &mut JobOptions| {
        options.share = Some(Share {
            run: "a".into(),
            lease_ms: 60_000,
            leads: false,
        });
    };
    let report = world.run(job(&world, share));
    let fifths: Vec<i64> = (5..=100).step_by(5).collect();
    assert_but_names(&world, &report, &fifths);
}

#[test]
fn a_row_that_changes_meanwhile_is_left_to_the_next_pass() {
    let world = checked(EACH_FIFTH);
    let other = world.other();
    let mut has_changed = false;
    let report = world.drive(job(&world, |_| {}), &mut |_, step| {
        // Of the row that fails alone, the mail is done and the name is next.
        let mail = "SELECT count(*) FROM users WHERE id = 5 AND mail LIKE 'rs1.%'";
        let is_next = matches!(step, Step::Begin) && !has_changed && world.number(mail) == 1;
        if is_next {
            has_changed = true;
            let change = "UPDATE users SET name = 'changed', ssn = 'changed' WHERE id = 5";
            other.execute_batch(change).unwrap();
        }
        None
    });
    assert!(has_changed);
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete);
    let passes = report.columns.iter().flat_map(|column| &column.passes);
    passes.for_each(assert_adds_up);
    let last = report.columns.iter().map(|it| it.passes.last().unwrap());
    assert_eq!(last.map(Counts::refused).collect::<Vec<_>>(), [0, 20, 0]);
}

#[test]
fn what_a_trigger_leaves_as_it_is_is_refused_beside_a_constraint() {
    let world = checked(EACH_FIFTH);
    world
        .db
        .execute_batch(
            "CREATE TRIGGER keeps BEFORE UPDATE OF mail ON users
             WHEN OLD.id = 5 AND NEW.ssn IS OLD.ssn AND NEW.name IS OLD.name
             BEGIN SELECT RAISE(IGNORE); END",
        )
        .unwrap();
    let report = world.run(job(&world, |_| {}));
    assert_eq!(report.end, End::Complete);
    let passes = report.columns.iter().flat_map(|column| &column.passes);
    passes.for_each(assert_adds_up);
    let of_five = told(&world, 1).into_iter().filter(|(id, ..)| *id == 5);
    let of_five: Vec<_> = of_five.map(|(_, column, code)| (column, code)).collect();
    assert_eq!(
        of_five,
        [
            ("mail".into(), "verification-failed"),
            ("name".into(), "constraint-violated")
        ]
    );
    let ssn = "SELECT count(*) FROM users WHERE id = 5 AND ssn LIKE 'rs1.%'";
    assert_eq!(world.number(ssn), 1);
}

#[test]
fn whoever_stops_it_is_not_kept_waiting_by_columns() {
    let world = checked(EACH_FIFTH);
    let job = job(&world, |_| {});
    let (report, failures) = world.stopped_at(job, 8, |step| matches!(step, Step::Rollback));
    assert_eq!(report.end, End::Stopped);
    assert!((8..=12).contains(&failures), "{failures}");
    let passes = report.columns.iter().flat_map(|column| &column.passes);
    passes.for_each(assert_adds_up);
    let report = world.run(self::job(&world, |_| {}));
    assert_eq!(report.end, End::Complete);
    let last = report.columns.iter().map(|it| it.passes.last().unwrap());
    assert_eq!(last.map(Counts::refused).collect::<Vec<_>>(), [0, 20, 0]);
}

#[test]
fn a_check_that_takes_no_new_value_of_a_column_ends_the_job() {
    for more in [
        "",
        "UPDATE users SET name = NULL WHERE id = 3",
        "UPDATE users SET name = NULL WHERE id <> 3 AND id <> 90",
    ] {
        let world = checked("name IS NULL OR length(name) < 20");
        world.db.execute_batch(more).unwrap();
        // The other columns are current already.
        let done = ["ssn", "mail"].map(|column| USERS.replace("'ssn'", &format!("'{column}'")));
        let report = world.run(world.job(&done.concat(), |_| {}));
        assert_eq!(report.end, End::Complete);
        let report = world.run(job(&world, |_| {}));
        if more.contains("90") {
            // A single row of a batch shows nothing of the others.
            assert_eq!(report.end, End::Complete);
            assert_eq!(report.columns[1].passes[0].refused(), 2);
            continue;
        }
        let End::Failed(error) = report.end else {
            panic!("{:?}", report.end);
        };
        let said = "does a check, a foreign key or a trigger speak of";
        assert!(error.message().contains(said), "{}", error.message());
        assert_eq!(told(&world, 1), []);
    }
}
