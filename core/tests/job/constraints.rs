//! A database that takes some rows of a batch, and others not.

use crate::support::{USERS, World, assert_adds_up, context, failed, manifest};
use reseal::{
    Key, KeyUse, Keyring, Mode, OsEntropy,
    job::{End, Event, JobOptions, Report, Share, Step, Target, Work},
    manifest::Secrets,
};
use std::sync::Arc;

/// Twice the same person, under two keys.
const ONE_EACH: &str = "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT UNIQUE, name TEXT)";

/// Row ids and codes that were told of the first pass, in the order of the rows.
fn told(world: &World) -> Vec<(String, &'static str)> {
    let told = world.told.borrow();
    let refused = told.iter().filter_map(|event| match event {
        Event::Refused {
            pass: 1,
            row_id,
            code,
            ..
        } => Some((row_id.concat(), *code)),
        _ => None,
    });
    let mut refused: Vec<_> = refused.collect();
    refused.sort_by_key(|(id, _)| id.parse::<i64>().unwrap());
    refused
}

/// Counts of the first pass and of the last one.
fn assert_refused(report: &Report, rows: u64, code: &str, refused: u64) {
    assert_eq!(report.end, End::Complete);
    let passes = &report.columns[0].passes;
    for counts in [&passes[0], passes.last().unwrap()] {
        assert_adds_up(counts);
        assert_eq!(counts.scanned, rows);
        assert_eq!(counts.refused.get(code), Some(&refused), "{counts:?}");
        assert_eq!(counts.left, 0);
    }
}

/// Rows with a check of so many characters.
fn checked(rows: usize, check: &str) -> World {
    let world = World::new(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT, name TEXT, CHECK ({check}))"
    ));
    for row in 1..=rows {
        let insert = "INSERT INTO users (ssn, name) VALUES (?, 'n')";
        let text = format!("secret {row}");
        world.db.execute(insert, [text]).unwrap();
    }
    world
}

#[test]
fn rows_that_break_a_check_are_refused_and_all_others_done() {
    // In the first batch, at both ends of one, and the last row of all.
    let bad = ["7", "33", "72", "500"];
    let world = checked(
        500,
        "id NOT IN (7, 33, 72, 500) OR ssn IS NULL OR length(ssn) < 50",
    );
    let report = world.run(world.job(USERS, |_| {}));
    assert_refused(&report, 500, "constraint-violated", 4);
    assert_eq!(
        told(&world),
        bad.map(|id| (id.into(), "constraint-violated"))
    );
    assert_eq!(report.columns[0].passes[0].resealed(), 496);
    assert_eq!(
        world.number("SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'"),
        496
    );
    // Neither does a later run end for them, where all other rows are current.
    let report = world.run(world.job(USERS, |_| {}));
    assert_refused(&report, 500, "constraint-violated", 4);
    assert_eq!(report.columns[0].passes[0].current, 496);
}

#[test]
fn a_check_that_takes_no_new_value_ends_the_job() {
    let world = checked(500, "length(ssn) < 50");
    let report = world.run(world.job(USERS, |_| {}));
    let End::Failed(error) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.code().as_str(), "database-error");
    assert!(
        error
            .message()
            .contains("does a check, a foreign key or a trigger speak of")
    );
    assert_eq!(told(&world), []);
    assert_eq!(
        world.number("SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'"),
        0
    );
}

/// A key that is rotated half: rings of before and after, in mode deterministic.
struct Rotation {
    before: Arc<Keyring>,
    after: Arc<Keyring>,
}

impl Rotation {
    fn begun() -> Self {
        let old = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
        let new = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
        let ring = |primary: &Key, other: &Key| {
            let ring = Keyring::builder()
                .primary(primary.clone())
                .decrypt_only(other.clone());
            Arc::new(ring.build().unwrap())
        };
        Self {
            before: ring(&old, &new),
            after: ring(&new, &old),
        }
    }

    fn ends(&self, world: &World) -> Report {
        let columns = USERS.replace("write = 'app'", "write = 'app'\nmode = 'deterministic'");
        let mut secrets = Secrets::new();
        secrets.give_ring("app", Arc::clone(&self.after));
        let targets = Target::of(&manifest(&columns), &secrets).unwrap();
        world.run(World::job_of(Work::Apply, targets, |_| {}))
    }
}

fn insert(world: &World, id: i64, text: &str, ring: &Keyring) {
    let sealed = ring.seal(
        text.as_bytes(),
        &context(),
        Mode::Deterministic,
        &mut OsEntropy,
    );
    let insert = "INSERT INTO users (id, ssn) VALUES (?, ?)";
    world.db.execute(insert, (id, sealed.unwrap())).unwrap();
}

#[test]
fn what_another_row_has_already_is_refused() {
    let world = World::new(ONE_EACH);
    let rotation = Rotation::begun();
    for id in 1..=60 {
        insert(&world, id, &format!("person {id}"), &rotation.before);
    }
    // Sealed before 3 is rotated; and by a process that had the new key already.
    insert(&world, 61, "person 3", &rotation.after);
    insert(&world, 62, "another", &rotation.after);
    let report = rotation.ends(&world);
    assert_refused(&report, 62, "duplicate-value", 1);
    assert_eq!(told(&world), [("3".into(), "duplicate-value")]);
    assert_eq!(report.columns[0].passes[0].resealed(), 59);
}

#[test]
fn a_constraint_that_is_looked_at_when_a_transaction_ends_refuses_as_well() {
    let world = World::users(100);
    let mut is_of_bad = false;
    let bad = |world: &World| {
        world.number("SELECT count(*) FROM users WHERE id = 50 AND ssn LIKE 'rs1.%'") == 1
    };
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if !matches!(step, Step::Commit) || !bad(&world) {
            return None;
        }
        is_of_bad = true;
        world.rollback().unwrap();
        Some(failed("787"))
    });
    assert!(is_of_bad);
    assert_refused(&report.unwrap(), 100, "constraint-violated", 1);
    assert_eq!(told(&world), [("50".into(), "constraint-violated")]);
}

#[test]
fn several_workers_refuse_what_the_database_does_not_take() {
    let world = checked(2_000, "id % 500 > 0 OR length(ssn) < 50");
    let share = |options: &mut JobOptions| {
        options.share = Some(Share {
            run: "a".into(),
            lease_ms: 60_000,
            leads: false,
        });
    };
    let report = world.run(world.job(USERS, share));
    assert_refused(&report, 2_000, "constraint-violated", 4);
}

#[test]
fn whoever_stops_it_is_not_kept_waiting_by_parts() {
    let world = checked(500, "id NOT BETWEEN 200 AND 400 OR length(ssn) < 50");
    let job = world.job(USERS, |options| options.batch_rows = 500);
    let (report, failures) = world.stopped_at(job, 1, |step| matches!(step, Step::Rollback));
    assert_eq!(report.end, End::Stopped);
    assert!((1..=5).contains(&failures), "{failures}");
    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete);
    let last = report.columns[0].passes.last().unwrap();
    assert_eq!(last.refused.get("constraint-violated"), Some(&201));
}

/// A table whose values are unique, and what becomes of the second of two that are the same.
fn unique(clause: &str) -> World {
    World::new(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT UNIQUE {clause}, name TEXT)"
    ))
}

#[test]
fn what_a_table_says_of_conflicts_deletes_no_row() {
    for (clause, code) in [
        ("on\nconflict REPLACE", "duplicate-value"),
        ("ON/**/CONFLICT -- ignore\n replace", "duplicate-value"),
        // The statement says nothing of it.
        ("ON CONFLICT IGNORE", "verification-failed"),
        ("ON CONFLICT FAIL", "duplicate-value"),
        ("ON CONFLICT ROLLBACK", "duplicate-value"),
    ] {
        let world = unique(clause);
        let rotation = Rotation::begun();
        insert(&world, 1, "the same", &rotation.before);
        insert(&world, 2, "the same", &rotation.after);
        insert(&world, 3, "another", &rotation.before);
        let report = rotation.ends(&world);
        assert_eq!(told(&world), [("1".into(), code)], "{clause}");
        assert_refused(&report, 3, code, 1);
        assert_eq!(world.number("SELECT count(*) FROM users"), 3);
    }
}

#[test]
fn what_triggers_say_of_conflicts_holds() {
    for column in [
        "",
        "description TEXT, conflict_note TEXT",
        "note TEXT DEFAULT 'on conflict replace' /* on conflict replace */",
        "\"on conflict\" TEXT, [replace] TEXT -- on conflict replace\n",
        "code TEXT UNIQUE ON CONFLICT IGNORE, replace_by TEXT",
    ] {
        let world = World::users(50);
        let columns = if column.is_empty() { "" } else { ", " };
        world
            .db
            .execute_batch(&format!(
                "ALTER TABLE users RENAME TO before;
                 CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT, name TEXT{columns}{column});
                 INSERT INTO users (id, ssn, name) SELECT id, ssn, name FROM before;
                 CREATE TABLE last (what TEXT PRIMARY KEY, id INTEGER);
                 CREATE TRIGGER notes AFTER UPDATE ON users
                 BEGIN INSERT OR REPLACE INTO last VALUES ('change', NEW.id); END",
            ))
            .unwrap();
        let report = world.run(world.job(USERS, |_| {}));
        assert_eq!(report.end, End::Complete, "{column}");
        assert_eq!(report.columns[0].passes[0].resealed(), 50, "{column}");
        assert_eq!(world.number("SELECT count(*) FROM last"), 1);
    }
}

#[test]
fn whoever_is_told_of_a_refused_row_is_outside_of_the_transaction() {
    // The first is refused by a constraint, the second since a trigger leaves it as it is.
    let world = checked(100, "id <> 20 OR length(ssn) < 50");
    world
        .db
        .execute_batch(
            "CREATE TRIGGER keeps BEFORE UPDATE ON users WHEN OLD.id = 60
             BEGIN SELECT RAISE(IGNORE); END",
        )
        .unwrap();
    let mut refused = Vec::new();
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if let Step::Tell(event) = step {
            assert!(world.db.is_autocommit(), "{event:?}");
            if let Event::Refused { row_id, .. } = event {
                refused.push(row_id.concat());
            }
        }
        None
    });
    assert_eq!(report.unwrap().end, End::Complete);
    refused.sort();
    refused.dedup();
    assert_eq!(refused, ["20", "60"]);
}

#[test]
fn of_a_commit_that_fails_nothing_is_told() {
    let world = World::users(20);
    world
        .db
        .execute_batch(
            "CREATE TRIGGER keeps BEFORE UPDATE ON users WHEN OLD.id = 7
             BEGIN SELECT RAISE(IGNORE); END",
        )
        .unwrap();
    // The row is taken three times again before it is refused.
    let mut commits = 0;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        commits += usize::from(matches!(step, Step::Commit));
        if !matches!(step, Step::Commit) || commits < 4 {
            return None;
        }
        world.rollback().unwrap();
        Some(failed("13"))
    });
    assert!(matches!(report.unwrap().end, End::Failed(_)));
    assert_eq!(told(&world), []);
}
