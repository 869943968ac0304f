//! What a job does to the values of a table.

use crate::support::{USERS, World, assert_adds_up, manifest, opens};
use reseal::{
    BlindIndex, Context, Normalizer,
    codec::Certainty,
    job::{End, Event, Step, Target, Work},
};

#[test]
fn every_value_is_resealed_once_and_a_second_run_finds_nothing() {
    let world = World::users(1000);
    world
        .db
        .execute_batch("UPDATE users SET ssn = NULL WHERE id = 7")
        .unwrap();
    let sealed = world.seal("secret 8");
    world
        .db
        .execute("UPDATE users SET ssn = ? WHERE id = 8", [&sealed])
        .unwrap();

    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    let first = &passes[0];
    assert_eq!((first.scanned, first.null, first.current), (1000, 1, 1));
    let (moved, values) = first.resealed.first_key_value().unwrap();
    assert_eq!((first.resealed.len(), *values), (1, 998));
    assert_eq!(
        (moved.from.codec.as_str(), moved.to.codec.as_str()),
        ("plain", "app")
    );
    assert_eq!(
        moved.to.key,
        Some(world.ring.primary_id().unwrap().to_string())
    );
    // The first, and one of ten after it.
    assert_eq!(first.verified, 100);
    // The second pass is the one that found nothing.
    assert_eq!(
        (passes.len(), passes[1].current, passes[1].null),
        (2, 999, 1)
    );
    passes.iter().for_each(assert_adds_up);

    assert_eq!(
        world.text("SELECT ssn FROM users WHERE id = 8"),
        Some(sealed)
    );
    world
        .db
        .execute_batch("DELETE FROM users WHERE ssn IS NULL")
        .unwrap();
    for (id, text) in world.opened() {
        assert_eq!(text, format!("secret {id}"));
    }
    let again = world.run(world.job(USERS, |_| {}));
    assert_eq!(again.columns[0].passes.len(), 1);
    assert_eq!(again.columns[0].passes[0].current, 999);
}

#[test]
fn a_dry_run_counts_and_writes_nothing() {
    let world = World::users(100);
    let mut writes = 0;
    let report = world.drive(
        world.job(USERS, |options| options.dry_run = true),
        &mut |_, step| {
            writes += usize::from(matches!(
                step,
                Step::Execute(_) | Step::Begin | Step::Commit | Step::Save(_)
            ));
            None
        },
    );
    let report = report.unwrap();
    assert_eq!(
        (writes, report.end, report.dry_run),
        (0, End::Complete, true)
    );
    assert_eq!(report.columns[0].passes[0].resealed(), 100);
    let sealed = world.number("SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'");
    let tables = world.number("SELECT count(*) FROM sqlite_schema WHERE name = 'reseal_jobs'");
    assert_eq!((sealed, tables), (0, 0));
}

#[test]
fn a_refused_value_stays_as_it_is_and_is_named_without_its_content() {
    let world = World::users(50);
    let broken = "rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg";
    world
        .db
        .execute("UPDATE users SET ssn = ? WHERE id = 9", [broken])
        .unwrap();
    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete);
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!(
        (
            first.refused(),
            first.refused["malformed"],
            first.resealed()
        ),
        (1, 1, 49)
    );
    let told = world.told.borrow();
    let refused = told
        .iter()
        .find(|event| matches!(event, Event::Refused { .. }));
    let wanted = Event::Refused {
        pass: 1,
        path: None,
        table: "users".into(),
        column: "ssn".into(),
        row_id: vec!["9".into()],
        code: "malformed",
    };
    assert_eq!(refused, Some(&wanted));
    let there = world.text("SELECT ssn FROM users WHERE id = 9");
    assert_eq!(there.as_deref(), Some(broken));
}

#[test]
fn too_many_refused_values_stop_it_after_their_batch() {
    let world = World::users(200);
    world
        .db
        .execute_batch(
            "UPDATE users SET ssn = 'rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg' WHERE id % 10 = 0",
        )
        .unwrap();
    let report = world.run(world.job(USERS, |options| options.max_refused = Some(5)));
    assert_eq!(report.end, End::TooManyRefused);
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert!(first.refused() > 5 && first.scanned < 200, "{first:?}");
}

#[test]
fn the_same_command_goes_on_where_too_many_refused_values_stopped_it() {
    let world = World::users(400);
    let foreign =
        "UPDATE users SET ssn = 'rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.AQFyg' WHERE id % 10 = 0";
    world.db.execute_batch(foreign).unwrap();
    let apply = |most| world.run(world.job(USERS, |options| options.max_refused = Some(most)));
    let mut scanned = 0;
    for run in 1.. {
        let report = apply(5);
        let passes = &report.columns[0].passes;
        passes.iter().for_each(assert_adds_up);
        if report.end == End::Complete {
            // A pass that several runs have done is followed by one that is whole.
            assert_eq!((run, passes.len()), (6, 2));
            break;
        }
        assert_eq!(report.end, End::TooManyRefused);
        assert!(passes[0].scanned > scanned, "run {run} did nothing");
        scanned = passes[0].scanned;
    }
    let sealed = "SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%' AND id % 10 > 0";
    assert_eq!(world.number(sealed), 360);
    // What begins anew counts anew.
    assert_eq!(apply(5).end, End::TooManyRefused);
    assert_eq!(world.run(world.job(USERS, |_| {})).end, End::Complete);
}

#[test]
fn columns_of_one_table_are_walked_together_and_change_in_one_update() {
    let world = World::users(60);
    world
        .db
        .execute_batch("UPDATE users SET name = NULL WHERE id % 3 = 0")
        .unwrap();
    let columns = format!("{USERS}\n{}", USERS.replace("'ssn'", "'name'"));
    let mut reads = 0;
    let job = world.job(&columns, |options| options.max_passes = 1);
    let report = world.drive(job, &mut |_, step| {
        let of_rows = |sql: &str| sql.contains("\"users\".\"ssn\", \"users\".\"name\"");
        reads += usize::from(
            matches!(step, Step::Query(it) if of_rows(&it.sql) && it.sql.contains("LIMIT")),
        );
        None
    });
    let report = report.unwrap();
    // 32 rows, then the rest.
    assert_eq!((reads, report.end), (2, End::Unsettled));
    assert_eq!(report.columns[0].passes[0].resealed(), 60);
    let names = &report.columns[1].passes[0];
    assert_eq!((names.resealed(), names.null), (40, 20));
}

#[test]
fn only_rows_of_the_condition_are_touched() {
    let world = World::users(40);
    let columns = format!("{USERS}where = \"users.id % 2 = 0 -- even\"");
    let report = world.run(world.job(&columns, |_| {}));
    assert_eq!(report.columns[0].passes[0].scanned, 20);
    let odd = "SELECT count(*) FROM users WHERE (ssn LIKE 'rs1.%') = (id % 2 = 0)";
    assert_eq!(world.number(odd), 40);
}

#[test]
fn facts_of_the_row_are_bound_and_terms_are_set() {
    let world = World::new(
        "CREATE TABLE people (id TEXT PRIMARY KEY, tenant INTEGER, ssn TEXT, ssn_bidx TEXT);
         INSERT INTO people VALUES ('a', 1, '078-05-1120', NULL), ('b', 2, '078 05 1120', NULL)",
    );
    let columns = "[[columns]]
table = 'people'
column = 'ssn'
row_id = ['id']
bind_row = true
context = { table = 'people', tenant = { column = 'tenant' } }
indexes = [{ name = 'ssn_eq', column = 'ssn_bidx', normalizer = 'digits', bits = 64 }]
write = 'app'
read = ['plain']
";
    let report = world.run(world.job(columns, |options| options.verify_one_in = 1));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert_eq!(report.columns[0].passes[0].verified, 2);
    let facts = Context::new().with("tenant", 1).unwrap();
    let stored = world.text("SELECT ssn FROM people WHERE id = 'a'").unwrap();
    let row = facts.clone().with("row", "a").unwrap();
    assert_eq!(
        opens(&world.targets(columns)[0], &stored, &row),
        b"078-05-1120"
    );
    let index = BlindIndex::new("ssn_eq", Normalizer::Digits, 64).unwrap();
    let facts = facts.with("table", "people").unwrap();
    let term = world.ring.index_term(b"078051120", &facts, &index).unwrap();
    assert_eq!(
        world.text("SELECT ssn_bidx FROM people WHERE id = 'a'"),
        Some(term)
    );
}

#[test]
fn what_does_not_read_back_is_undone() {
    let world = World::users(10);
    world
        .db
        .execute_batch(
            "CREATE TRIGGER cut AFTER UPDATE ON users WHEN NEW.ssn LIKE 'rs1.%' BEGIN
             UPDATE users SET ssn = substr(NEW.ssn, 1, 50) WHERE id = NEW.id; END",
        )
        .unwrap();
    let report = world.run(world.job(USERS, |options| options.verify_one_in = 5));
    let End::Failed(error) = report.end else {
        panic!("a trigger cut the values");
    };
    assert_eq!(error.code().as_str(), "verification-failed");
    assert_eq!(
        world.number("SELECT count(*) FROM users WHERE ssn LIKE 'secret %'"),
        10
    );
}

#[test]
fn values_that_are_read_back_are_of_every_column() {
    let world = World::users(100);
    let columns = format!("{USERS}\n{}", USERS.replace("'ssn'", "'name'"));
    let report = world.run(world.job(&columns, |_| {}));
    let verified = report.columns.iter().map(|it| it.passes[0].verified);
    // The first of each, and one of ten after them.
    assert_eq!(verified.collect::<Vec<_>>(), [6, 5]);
}

#[test]
fn verify_opens_every_value_and_census_needs_no_key() {
    let world = World::users(30);
    let sealed = world.seal("secret 4");
    let set = "UPDATE users SET ssn = CASE id WHEN 4 THEN ?1 WHEN 5 THEN substr(?1, 1, 60) END WHERE id < 6";
    world.db.execute(set, [&sealed]).unwrap();
    let before = world.number("SELECT total_changes()");

    let report = world.run(World::job_of(Work::Verify, world.targets(USERS), |_| {}));
    assert_eq!(
        (report.end.clone(), report.work),
        (End::Complete, Work::Verify)
    );
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    let refused: Vec<_> = counts.refused.keys().map(String::as_str).collect();
    assert_eq!(
        (counts.null, counts.found(), refused),
        (3, 26, vec!["malformed"])
    );

    let keyless = Target::keyless(&manifest(USERS)).unwrap();
    let report = world.run(World::job_of(Work::Census, keyless, |_| {}));
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    let found = counts.found.iter().map(|((kind, certainty), amount)| {
        let key = kind.key.clone().unwrap_or_default();
        (
            kind.codec.as_str(),
            key,
            kind.scheme.as_str(),
            *certainty,
            amount.values,
        )
    });
    let primary = world.ring.primary_id().unwrap().to_string();
    let wanted = [
        ("app", String::new(), "damaged", Certainty::Yes, 1),
        ("app", primary, "random", Certainty::Yes, 1),
        ("plain", String::new(), "plain", Certainty::Maybe, 25),
    ];
    assert_eq!(found.collect::<Vec<_>>(), wanted);
    let bytes: u64 = counts.found.values().map(|amount| amount.bytes).sum();
    let stored = world.number("SELECT sum(length(ssn)) FROM users");
    assert_eq!(i64::try_from(bytes).unwrap(), stored);
    assert_eq!(world.number("SELECT total_changes()"), before);
}
