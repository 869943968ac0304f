//! What is told before the first batch: which tables there are, and about how large they are.

use crate::support::{USERS, World, failed, manifest};
use reseal::{
    Key, KeyUse, Keyring, OsEntropy,
    job::{Cell, End, Event, Failure, Reply, Step, Target, Work},
};
use std::sync::Arc;

/// What was told before the first batch, without what came later.
fn begun(world: &World) -> Vec<(String, Option<u64>)> {
    let told = world.told.borrow();
    let all = told.iter().filter_map(|event| match event {
        Event::Began { tables } => Some(tables),
        _ => None,
    });
    let all: Vec<_> = all.collect();
    assert_eq!(all.len(), 1, "{told:?}");
    let first = told
        .iter()
        .position(|event| matches!(event, Event::Progress { .. }));
    let began = told
        .iter()
        .position(|event| matches!(event, Event::Began { .. }));
    assert!(first.is_none_or(|first| Some(first) > began), "{told:?}");
    let tables = all[0].iter();
    tables.map(|it| (it.table.clone(), it.rows)).collect()
}

/// `users` with 70 rows, and a table without rowids with 3.
fn world() -> World {
    let world = World::users(70);
    let other =
        "CREATE TABLE \"no \"\"rowid\" (id TEXT PRIMARY KEY NOT NULL, ssn TEXT) WITHOUT ROWID;
                 INSERT INTO \"no \"\"rowid\" VALUES ('a', '1'), ('b', '2'), ('c', '3')";
    world.db.execute_batch(other).unwrap();
    world
}

fn columns() -> String {
    let other = USERS.replace("table = 'users'\ncolumn", "table = 'no \"rowid'\ncolumn");
    let name = USERS.replace("'ssn'", "'name'");
    let some = name.replace("write =", "where = 'id > 60'\nwrite =");
    format!("{USERS}\n{other}\n{some}")
}

#[test]
fn each_walk_is_told_once_with_the_rows_of_its_table() {
    let world = world();
    let mut is_lost = false;
    let report = world.drive(world.job(&columns(), |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_lost {
            is_lost = true;
            return Some(Reply::Failed(Failure::connection_lost()));
        }
        None
    });
    assert_eq!(report.unwrap().end, End::Complete);
    let expected = [
        ("users".into(), Some(70)),
        ("no \"rowid".into(), Some(3)),
        ("users".into(), Some(70)),
    ];
    assert_eq!(begun(&world), expected);
}

#[test]
fn a_sample_and_a_repair_tell_what_they_read() {
    let world = world();
    let keyless = Target::keyless(&manifest(USERS)).unwrap();
    world.run(World::job_of(Work::Census, keyless, |options| {
        options.sample_one_in = Some(4);
    }));
    assert_eq!(begun(&world), [("users".into(), Some(18))]);
    world.told.borrow_mut().clear();
    let keyless = Target::keyless(&manifest(USERS)).unwrap();
    world.run(World::job_of(Work::Census, keyless, |options| {
        options.keys_only = true;
    }));
    assert_eq!(begun(&world), [("users".into(), None)]);
    world.told.borrow_mut().clear();
    let targets = world.targets(USERS);
    world.run(World::job_of(Work::Keep, targets, |options| {
        options.rows = vec![vec![Cell::Int(4)], vec![Cell::Int(5)]];
    }));
    assert_eq!(begun(&world), [("users".into(), Some(2))]);
}

#[test]
fn a_job_goes_on_where_nobody_may_see_how_large_a_table_is() {
    let world = world();
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| match step {
        Step::Query(statement) if statement.sql.starts_with("SELECT count(*)") => {
            // SQLITE_PERM
            Some(failed("3"))
        }
        _ => None,
    });
    assert_eq!(report.unwrap().end, End::Complete);
    assert_eq!(begun(&world), [("users".into(), None)]);
}

#[test]
fn a_resumed_job_tells_the_rows_of_its_pass_where_it_counted_rows() {
    let mut world = world();
    let table = "CREATE TABLE documents (id INTEGER PRIMARY KEY, body TEXT);
                 INSERT INTO documents (body) VALUES ('{\"a\":[\"x\",\"y\"]}'), ('{\"a\":[]}')";
    world.db.execute_batch(table).unwrap();
    let documents = "[[columns]]
        table = 'documents'
        column = 'body'
        row_id = ['id']
        context = { table = 'documents' }
        type = 'json'
        path = '$.a[*]'
        write = 'app'
        read = ['plain']";
    let before = format!("{USERS}\n{documents}");
    let behind = format!("{documents}\n{USERS}");
    for (columns, batches, rows) in [
        (&before, 1, Some(32)),
        (&before, 2, Some(70)),
        (&behind, 2, None),
    ] {
        let new = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
        world.ring = Arc::new(Keyring::builder().primary(new).build().unwrap());
        world
            .db
            .execute_batch("UPDATE users SET ssn = 'again'")
            .unwrap();
        world.db.execute_batch("DELETE FROM documents").unwrap();
        world
            .db
            .execute_batch(table.rsplit(';').next().unwrap())
            .unwrap();
        let mut job = world.job(columns, |_| {});
        let (mut reply, mut done) = (Reply::Start, 0);
        loop {
            if done == batches {
                job.stop();
            }
            reply = match job.next(reply, 0) {
                Step::Finished(report) => break assert_eq!(report.end, End::Stopped),
                step => {
                    done += usize::from(matches!(step, Step::Tell(Event::Progress { .. })));
                    world.perform(step)
                }
            };
        }
        world.told.borrow_mut().clear();
        world.run(world.job(columns, |_| {}));
        let resumed = Event::Resumed { pass: 1, rows };
        assert!(world.told.borrow().contains(&resumed), "{:?}", world.told);
    }
}
