//! What is read back: the first value of each column before anything of it is committed.

use crate::support::{USERS, World, assert_adds_up};
use reseal::job::{End, Event, Failure, Reply, Report, Step};

/// A trigger that makes something else of each new value of a column.
fn with_trigger(rows: usize, column: &str, value: &str) -> World {
    let world = World::users(rows);
    let trigger = format!(
        "CREATE TRIGGER changes AFTER UPDATE OF {column} ON users WHEN NEW.{column} LIKE 'rs1.%' BEGIN
         UPDATE users SET {column} = {value} WHERE id = NEW.id; END"
    );
    world.db.execute_batch(&trigger).unwrap();
    world
}

fn assert_undone(world: &World, report: Report, rows: i64) {
    let End::Failed(error) = report.end else {
        panic!("a trigger changed what was stored");
    };
    assert_eq!(error.code().as_str(), "verification-failed");
    let plain = "SELECT count(*) FROM users WHERE ssn LIKE 'secret %' AND name = 'n'";
    assert_eq!(world.number(plain), rows);
}

#[test]
fn what_a_trigger_does_to_every_value_shows_at_the_first_one() {
    for value in ["substr(NEW.ssn, 1, 40)", "OLD.ssn", "NULL"] {
        let world = with_trigger(3, "ssn", value);
        let report = world.run(world.job(USERS, |options| options.verify_one_in = 100));
        assert_undone(&world, report, 3);
    }
}

#[test]
fn the_first_value_of_each_column_is_read_back() {
    let world = with_trigger(3, "name", "upper(NEW.name)");
    let columns = format!("{USERS}\n{}", USERS.replace("'ssn'", "'name'"));
    let report = world.run(world.job(&columns, |options| options.verify_one_in = 100));
    assert_undone(&world, report, 3);
}

const CUT: &str = "substr(NEW.ssn, 1, 40)";

#[test]
fn nothing_is_committed_where_the_value_to_be_read_back_is_another_one_by_now() {
    let world = with_trigger(3, "ssn", CUT);
    let other = world.other();
    let mut is_due = true;
    let job = world.job(USERS, |options| options.verify_one_in = 100);
    let report = world.drive(job, &mut |_, step| {
        if is_due && matches!(step, Step::Begin) {
            is_due = false;
            let sql = "UPDATE users SET ssn = 'secret other' WHERE id = 1";
            other.execute_batch(sql).unwrap();
        }
        None
    });
    assert!(!is_due);
    assert_undone(&world, report.unwrap(), 3);
}

#[test]
fn nothing_is_committed_before_a_value_was_read_back_whatever_fails_meanwhile() {
    for at in 0.. {
        let world = with_trigger(100, "ssn", CUT);
        let mut seen = 0;
        let job = world.job(USERS, |options| options.verify_one_in = 100);
        let report = world.drive(job, &mut |_, step| {
            if !matches!(
                step,
                Step::Query(_) | Step::Execute(_) | Step::Begin | Step::Commit
            ) {
                return None;
            }
            seen += 1;
            (seen == at + 1).then(|| {
                world.rollback().unwrap();
                Reply::Failed(Failure::connection_lost())
            })
        });
        assert_undone(&world, report.unwrap(), 100);
        if seen <= at {
            assert!(at > 5, "the job has only {at} steps");
            return;
        }
    }
}

#[test]
fn nothing_is_read_back_where_nobody_wants_it() {
    let world = World::users(3);
    let report = world.run(world.job(USERS, |options| options.verify_one_in = 0));
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.columns[0].passes[0].verified, 0);
}

#[test]
fn a_row_that_the_database_leaves_as_it_is_is_refused() {
    let world = World::users(20);
    let trigger = "CREATE TRIGGER leaves BEFORE UPDATE ON users WHEN NEW.id % 10 = 0 BEGIN
                   SELECT RAISE(IGNORE); END";
    world.db.execute_batch(trigger).unwrap();
    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    passes.iter().for_each(assert_adds_up);
    assert_eq!(passes.len(), 2);
    assert_eq!((passes[0].resealed(), passes[0].left), (18, 0));
    assert_eq!(passes[1].refused["verification-failed"], 2);
    let told = world.told.borrow();
    let refused = told.iter().filter_map(|event| match event {
        Event::Refused {
            pass, row_id, code, ..
        } => Some((*pass, row_id[0].clone(), *code)),
        _ => None,
    });
    let code = "verification-failed";
    let of = |pass, id: &str| (pass, id.to_string(), code);
    let wanted = [of(1, "10"), of(1, "20"), of(2, "10"), of(2, "20")];
    assert_eq!(refused.collect::<Vec<_>>(), wanted);
}

#[test]
fn nothing_is_committed_where_the_value_to_be_read_back_stays_as_it_is() {
    let world = with_trigger(50, "ssn", CUT);
    let trigger = "CREATE TRIGGER leaves BEFORE UPDATE ON users WHEN NEW.id = 1 BEGIN
                   SELECT RAISE(IGNORE); END";
    world.db.execute_batch(trigger).unwrap();
    let report = world.run(world.job(USERS, |options| options.verify_one_in = 100));
    assert_undone(&world, report, 50);
}

#[test]
fn what_was_undone_with_a_row_that_stays_as_it_is_is_done() {
    let world = World::users(50);
    let trigger = "CREATE TRIGGER leaves BEFORE UPDATE ON users WHEN NEW.id < 3 BEGIN
                   SELECT RAISE(IGNORE); END";
    world.db.execute_batch(trigger).unwrap();
    let report = world.run(world.job(USERS, |options| options.verify_one_in = 100));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    passes.iter().for_each(assert_adds_up);
    assert_eq!((passes[0].resealed(), passes[0].left), (48, 0));
    assert_eq!((passes[0].refused(), passes[0].verified), (2, 1));
}
