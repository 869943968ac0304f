//! Terms of blind indexes that are not under the primary index key.

use crate::support::{World, assert_adds_up};
use reseal::{
    BlindIndex, Context, Key, KeyUse, Keyring, Mode, Normalizer, OsEntropy, Timestamp,
    job::{Dialect, End, Event, Job, JobOptions, Step, Target, Work},
};
use std::sync::Arc;

const PEOPLE: &str = "[[columns]]
table = 'people'
column = 'name'
row_id = ['id']
context = { table = 'people', column = 'name' }
write = 'app'
read = ['plain']
[[columns]]
table = 'people'
column = 'ssn'
row_id = ['id']
context = { table = 'people', column = 'ssn', tenant = { column = 'tenant' } }
indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 },
    { name = 'raw', column = 'ssn_raw', normalizer = 'raw', bits = 32 }]
write = 'app'
read = ['plain']
[[columns]]
table = 'people'
column = 'mail'
row_id = ['id']
context = { table = 'people', column = 'mail' }
indexes = [{ name = 'mail', column = 'mail_eq', normalizer = 'raw', bits = 64 }]
write = 'app'
read = ['plain']
";
const ALL: &str = "SELECT group_concat(id || name || ssn || coalesce(mail, '-'), ' ') FROM people";
const TERMS: &str =
    "SELECT group_concat(id || ssn_eq || ssn_raw || coalesce(mail_eq, '-'), ' ') FROM people";

/// 50 rows, sealed and indexed, and then a ring with another primary index key. One value is NULL.
fn rotated() -> World {
    let mut world = World::new(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, tenant INTEGER, name TEXT, ssn TEXT,
             ssn_eq TEXT, ssn_raw TEXT, mail TEXT, mail_eq TEXT);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50)
         INSERT INTO people (tenant, name, ssn, mail) SELECT i % 3, 'n' || i, i || '-5', 'm' || i FROM n;
         UPDATE people SET mail = NULL WHERE id = 7",
    );
    let data = Key::generate(KeyUse::Data, &mut OsEntropy).unwrap();
    let ring = |world: &mut World| {
        let index = Key::generate(KeyUse::Index, &mut OsEntropy).unwrap();
        let ring = Keyring::builder().primary(data.clone()).primary(index);
        world.ring = Arc::new(ring.build().unwrap());
    };
    ring(&mut world);
    let report = world.run(world.job(PEOPLE, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    ring(&mut world);
    world
}

fn term(world: &World, id: i64) -> String {
    let context = Context::new().with("table", "people").unwrap();
    let context = context.with("column", "ssn").unwrap();
    let context = context.with("tenant", id % 3).unwrap();
    let index = BlindIndex::new("eq", Normalizer::Digits, 64).unwrap();
    let digits = format!("{id}5");
    let term = world.ring.index_term(digits.as_bytes(), &context, &index);
    term.unwrap()
}

fn stored(world: &World, id: i64) -> Option<String> {
    world.text(&format!("SELECT ssn_eq FROM people WHERE id = {id}"))
}

#[test]
fn terms_stay_unless_a_job_is_asked_to_look_at_them() {
    let world = rotated();
    let (values, terms) = (world.text(ALL), world.text(TERMS));
    let report = world.run(world.job(PEOPLE, |_| {}));
    assert_eq!(report.columns[1].passes[0].current, 50);
    assert_eq!((world.text(ALL), world.text(TERMS)), (values, terms));
}

#[test]
fn values_that_are_current_get_the_term_under_the_primary_index_key_and_stay_themselves() {
    let world = rotated();
    let is_right = |id| stored(&world, id) == Some(term(&world, id));
    assert!(!(1..=50).any(is_right));
    let missing = "UPDATE people SET ssn_eq = NULL WHERE id = 3";
    world.db.execute_batch(missing).unwrap();
    let plain = "UPDATE people SET ssn = '9-5' WHERE id = 9";
    world.db.execute_batch(plain).unwrap();
    let values = world.text(&ALL.replace("people", "people WHERE id <> 9"));

    let report = world.run(world.job(PEOPLE, |options| options.reindex = true));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert!((1..=50).all(is_right));
    assert_eq!(
        world.text(&ALL.replace("people", "people WHERE id <> 9")),
        values
    );
    for column in &report.columns {
        column.passes.iter().for_each(assert_adds_up);
    }
    let counted = |place: usize, pass: usize| {
        let counts = &report.columns[place].passes[pass];
        (
            counts.reindexed,
            counts.resealed(),
            counts.current,
            counts.null,
        )
    };
    assert_eq!(counted(0, 0), (0, 0, 50, 0));
    assert_eq!(counted(1, 0), (49, 1, 0, 0));
    assert_eq!(counted(2, 0), (49, 0, 0, 1));
    assert_eq!(counted(1, 1), (0, 0, 50, 0));
    assert!(report.to_json().contains("\"reindexed\":49"));
    assert!(report.columns[1].passes[0].verified > 0);

    let again = world.run(world.job(PEOPLE, |options| options.reindex = true));
    assert_eq!(again.columns[1].passes.len(), 1);
    assert_eq!(again.columns[1].passes[0].current, 50);
}

#[test]
fn a_dry_run_and_a_plan_count_them_and_write_nothing() {
    let world = rotated();
    let (values, terms) = (world.text(ALL), world.text(TERMS));
    for work in [Work::Apply, Work::Reopen, Work::Plan] {
        let report = world.run(World::job_of(work, world.targets(PEOPLE), |options| {
            options.reindex = true;
            options.dry_run = true;
        }));
        let counts = &report.columns[1].passes[0];
        assert_adds_up(counts);
        assert_eq!((counts.reindexed, counts.current), (50, 0), "{work:?}");
    }
    assert_eq!((world.text(ALL), world.text(TERMS)), (values, terms));
    for work in [Work::Census, Work::Verify] {
        let mut options = JobOptions::new(Dialect::Sqlite);
        options.reindex = true;
        let now = Timestamp::from_unix(0).unwrap();
        let job = Job::new(
            work,
            world.targets(PEOPLE),
            options,
            Box::new(OsEntropy),
            now,
        );
        assert_eq!(job.unwrap_err().code().as_str(), "invalid-argument");
    }
}

#[test]
fn a_value_that_changes_meanwhile_gets_no_term_of_the_one_before() {
    let world = rotated();
    let other = world.other();
    let mut is_done = false;
    let job = world.job(PEOPLE, |options| options.reindex = true);
    let report = world.drive(job, &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            let change = "UPDATE people SET ssn = '77-5', ssn_eq = 'mine' WHERE id = 2";
            other.execute_batch(change).unwrap();
            is_done = true;
        }
        None
    });
    let report = report.unwrap();
    let counts = &report.columns[1].passes[0];
    assert_adds_up(counts);
    assert_eq!(
        (counts.raced, counts.reindexed, counts.resealed()),
        (1, 49, 1)
    );
    let context = Context::new().with("table", "people").unwrap();
    let context = context.with("column", "ssn").unwrap();
    let context = context.with("tenant", 2).unwrap();
    let index = BlindIndex::new("eq", Normalizer::Digits, 64).unwrap();
    let expected = world.ring.index_term(b"775", &context, &index).unwrap();
    assert_eq!(stored(&world, 2), Some(expected));
}

#[test]
fn a_current_value_that_does_not_open_is_refused_with_its_term() {
    let world = rotated();
    let moved = "UPDATE people SET ssn = (SELECT ssn FROM people WHERE id = 2) WHERE id = 4";
    world.db.execute_batch(moved).unwrap();
    let before = stored(&world, 4);
    let report = world.run(world.job(PEOPLE, |options| options.reindex = true));
    let counts = &report.columns[1].passes[0];
    assert_adds_up(counts);
    assert_eq!((counts.refused["auth-failed"], counts.reindexed), (1, 49));
    assert_eq!(stored(&world, 4), before);
}

#[test]
fn a_value_that_is_none_of_its_type_has_the_term_of_its_spelling() {
    const AGES: &str = "[[columns]]
table = 'people'
column = 'age'
row_id = ['id']
context = { table = 'people', column = 'age' }
type = 'integer'
indexes = [{ name = 'eq', column = 'age_eq', bits = 64 }]
write = 'app'
";
    let mut world =
        World::new("CREATE TABLE people (id INTEGER PRIMARY KEY, age TEXT, age_eq TEXT)");
    let context = Context::new().with("table", "people").unwrap();
    let context = context.with("column", "age").unwrap();
    let index = BlindIndex::new("eq", Normalizer::Raw, 64).unwrap();
    let new = |key_use| Key::generate(key_use, &mut OsEntropy).unwrap();
    let ring = |data: &Key, index| Keyring::builder().primary(data.clone()).primary(index);
    let (first, second) = (new(KeyUse::Data), new(KeyUse::Data));
    let ages = ["41", "forty-one", "\u{1f600}"];
    let old = ring(&first, new(KeyUse::Index)).build().unwrap();
    for age in ages {
        let stored = old.seal(age.as_bytes(), &context, Mode::Random, &mut OsEntropy);
        let term = old.index_term(age.as_bytes(), &context, &index);
        let insert = "INSERT INTO people (age, age_eq) VALUES (?, ?)";
        let row = [stored.unwrap(), term.unwrap()];
        world.db.execute(insert, row).unwrap();
    }
    let rotated = ring(&second, new(KeyUse::Index)).decrypt_only(first);
    for (ring, reindex) in [(rotated, false), (ring(&second, new(KeyUse::Index)), true)] {
        world.ring = Arc::new(ring.build().unwrap());
        let report = world.run(world.job(AGES, |options| options.reindex = reindex));
        assert_eq!(report.end, End::Complete, "{}", report.to_json());
        let counts = &report.columns[0].passes[0];
        assert_adds_up(counts);
        let changed = if reindex {
            counts.reindexed
        } else {
            counts.resealed()
        };
        assert_eq!((changed, counts.refused.len()), (3, 0));
        for (id, age) in (1..).zip(ages) {
            let term = world.ring.index_term(age.as_bytes(), &context, &index);
            let stored = world.text(&format!("SELECT age_eq FROM people WHERE id = {id}"));
            assert_eq!(stored, Some(term.unwrap()), "{age}");
        }
    }
}

#[test]
fn a_checkpoint_that_does_not_count_them_still_loads() {
    let world = rotated();
    let job = world.job(PEOPLE, |options| options.reindex = true);
    let mut batches = 0;
    let report = world.drive(job, &mut |_, step| {
        batches += usize::from(matches!(step, Step::Commit));
        (batches == 2).then_some(reseal::job::Reply::Start)
    });
    assert!(report.is_none());
    world.rollback().unwrap();
    let state = world.text("SELECT state FROM reseal_jobs").unwrap();
    let older = state.replace("\"reindexed\":0,", "");
    let older = older.replace("\"reindexed\":32,", "");
    let older = older.replace("\"reindexed\":31,", "");
    assert!(older != state && !older.contains("reindexed"), "{state}");
    let update = "UPDATE reseal_jobs SET state = ?";
    world.db.execute(update, [&older]).unwrap();
    let report = world.run(world.job(PEOPLE, |options| options.reindex = true));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let resumed = |event: &Event| matches!(event, Event::Resumed { rows: Some(32), .. });
    assert!(world.told.borrow().iter().any(resumed), "{:?}", world.told);
    assert!((1..=50).all(|id| stored(&world, id) == Some(term(&world, id))));
}

#[test]
fn a_census_counts_terms_by_their_keys_whichever_way_it_counts_values() {
    let world = rotated();
    let key = |id| term(&world, id).split('.').nth(1).unwrap().to_owned();
    let old = stored(&world, 1)
        .unwrap()
        .split('.')
        .nth(1)
        .unwrap()
        .to_owned();
    let new = key(1);
    assert_ne!(old, new);
    world.db.execute_batch(&format!(
        "UPDATE people SET ssn_eq = NULL WHERE id = 1; UPDATE people SET ssn_eq = '{}' WHERE id = 2;
         UPDATE people SET ssn_eq = CAST('{}' AS BLOB) WHERE id = 3;
         UPDATE people SET ssn_eq = 'rx1.' || id WHERE id IN (4, 5);
         UPDATE people SET ssn_eq = 'rx1.ABCDEFGH.x' WHERE id = 6;
         UPDATE people SET ssn_eq = 'rx1.abcdefg1.x' WHERE id = 7;
         UPDATE people SET ssn_eq = 'Rx1.abcdefgh.x' WHERE id = 8; UPDATE people SET ssn_eq = 9 WHERE id = 9",
        term(&world, 2), term(&world, 3)
    )).unwrap();
    for keys_only in [false, true] {
        let targets = Target::keyless(&crate::support::manifest(PEOPLE)).unwrap();
        let job = World::job_of(Work::Census, targets, |it| it.keys_only = keys_only);
        let report = world.run(job);
        assert_eq!(report.end, End::Complete, "{}", report.to_json());
        let counted = |place: usize| {
            let terms = report.columns[place].terms.iter();
            let each = terms.map(|it| {
                (
                    it.index.as_str(),
                    it.column.as_str(),
                    it.key.clone(),
                    it.values,
                )
            });
            each.collect::<Vec<_>>()
        };
        assert_eq!(counted(0), []);
        let mut eq = [
            ("eq", "ssn_eq", None, 6),
            ("eq", "ssn_eq", Some(new.clone()), 2),
            ("eq", "ssn_eq", Some(old.clone()), 41),
        ];
        eq.sort_by(|a, b| a.2.cmp(&b.2));
        let raw = [("raw", "ssn_raw", Some(old.clone()), 50)];
        assert_eq!(counted(1), [eq.to_vec(), raw.to_vec()].concat());
        assert_eq!(counted(2), [("mail", "mail_eq", Some(old.clone()), 49)]);
        let json: serde_json::Value = serde_json::from_str(&report.to_json()).unwrap();
        assert!(json["columns"][0].get("terms").is_none(), "{json}");
        let junk = serde_json::json!({"index": "eq", "column": "ssn_eq", "key": null, "values": 6});
        assert_eq!(json["columns"][1]["terms"][0], junk);
    }
    let job = World::job_of(Work::Verify, world.targets(PEOPLE), |_| {});
    assert!(
        world.run(job).columns[1].terms.is_empty(),
        "verify counts none"
    );
}
