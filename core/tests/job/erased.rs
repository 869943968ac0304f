//! Values that were erased, whose terms have stayed beside them.

use crate::support::{World, assert_adds_up};
use reseal::job::{Counts, End, JobOptions, Report, Step};

const PEOPLE: &str = "[[columns]]
table = 'people'
column = 'ssn'
row_id = ['id']
context = { table = 'people', tenant = { column = 'tenant' } }
indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 },
    { name = 'raw', column = 'ssn_raw', normalizer = 'raw', bits = 32 }]
write = 'app'
read = ['plain']
[[columns]]
table = 'people'
column = 'name'
row_id = ['id']
context = { table = 'people', column = 'name' }
write = 'app'
read = ['plain']
";
const BESIDE: &str =
    "SELECT count(*) FROM people WHERE ssn IS NULL AND (ssn_eq IS NOT NULL OR ssn_raw IS NOT NULL)";

/// 50 rows, sealed and indexed, and some of them erased by a statement that knows nothing of terms.
fn erased(more: &str) -> World {
    let world = World::new(&format!(
        "CREATE TABLE people (id INTEGER PRIMARY KEY, tenant INTEGER, ssn TEXT, ssn_eq TEXT, ssn_raw TEXT{more},
             name TEXT);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 50)
         INSERT INTO people (tenant, ssn, name) SELECT i % 3, i || '-5', 'n' || i FROM n;",
    ));
    let report = world.run(world.job(PEOPLE, |_| {}));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    world
        .db
        .execute_batch(
            "UPDATE people SET ssn = NULL WHERE id % 10 = 0;
             UPDATE OR IGNORE people SET ssn_raw = NULL WHERE id IN (10, 30);
             UPDATE people SET tenant = NULL WHERE id = 20;
             UPDATE people SET ssn_eq = NULL WHERE id = 30",
        )
        .unwrap();
    world
}

fn reindex(world: &World, change: impl FnOnce(&mut JobOptions)) -> Report {
    let job = world.job(PEOPLE, |options| {
        options.reindex = true;
        change(options);
    });
    world.run(job)
}

#[test]
fn a_term_beside_null_goes_where_terms_are_looked_at() {
    let world = erased("");
    let report = world.run(world.job(PEOPLE, |_| {}));
    assert_eq!(report.columns[0].passes[0].null, 5);
    assert_eq!(world.number(BESIDE), 4, "it was not asked for");

    let planned = reindex(&world, |options| options.dry_run = true);
    assert_eq!(planned.columns[0].passes[0].reindexed, 4);
    assert_eq!(world.number(BESIDE), 4, "a dry run");

    let report = reindex(&world, |_| {});
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    assert_eq!((counts.reindexed, counts.null, counts.current), (4, 1, 45));
    assert_eq!(report.columns[0].passes[1].null, 5);
    assert_eq!(world.number(BESIDE), 0);
    let kept = "SELECT count(*) FROM people WHERE ssn LIKE 'rs1.%' AND ssn_eq LIKE 'rx1.%'
                AND ssn_raw LIKE 'rx1.%'";
    assert_eq!(world.number(kept), 45);
    let again = reindex(&world, |_| {});
    assert_eq!(again.columns[0].passes.len(), 1);
}

#[test]
fn a_value_that_comes_meanwhile_keeps_its_term() {
    let world = erased("");
    let other = world.other();
    let mut is_done = false;
    let job = world.job(PEOPLE, |options| options.reindex = true);
    let report = world.drive(job, &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            is_done = true;
            let sql = "UPDATE people SET (ssn, ssn_eq, ssn_raw) =
                       (SELECT ssn, ssn_eq, ssn_raw FROM people WHERE id = 13) WHERE id = 10";
            other.execute_batch(sql).unwrap();
        }
        None
    });
    let report = report.unwrap();
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let counts = &report.columns[0].passes[0];
    assert_adds_up(counts);
    assert_eq!((counts.raced, counts.reindexed), (1, 3));
    let same = "SELECT count(DISTINCT ssn || ssn_eq || ssn_raw) FROM people WHERE id IN (10, 13)";
    assert_eq!(world.number(same), 1);
}

#[test]
fn what_must_not_be_null_stays_and_is_refused() {
    let world = erased(" NOT NULL DEFAULT ''");
    let report = reindex(&world, |_| {});
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    passes.iter().for_each(assert_adds_up);
    let refused = passes
        .iter()
        .map(|it| (it.reindexed, it.null, it.refused()));
    assert_eq!(refused.collect::<Vec<_>>(), [(4, 0, 1), (0, 0, 5)]);
    assert_eq!(passes[1].refused["column-unsuitable"], 5);
    let left = "SELECT count(*) FROM people WHERE ssn IS NULL AND ssn_eq IS NOT NULL";
    assert_eq!(world.number(left), 0);
    let raw = "SELECT count(*) FROM people WHERE ssn_raw LIKE 'rx1.%'";
    assert_eq!(world.number(raw), 50);
    // What stands for no term is what the application put there.
    for (id, none) in [(10, "''"), (20, "'none'")] {
        let sql = format!("UPDATE people SET ssn_raw = {none} WHERE id = {id}");
        world.db.execute_batch(&sql).unwrap();
    }
    let counts = &reindex(&world, |_| {}).columns[0].passes[0];
    assert_eq!((counts.null, counts.refused()), (2, 3));
}

#[test]
fn other_values_of_such_a_row_are_resealed_and_read_back() {
    let world = erased("");
    let sql = "UPDATE people SET ssn = NULL; UPDATE people SET name = 'n' || id, ssn_eq = 'old'";
    world.db.execute_batch(sql).unwrap();
    let report = reindex(&world, |_| {});
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes: Vec<&Counts> = report.columns.iter().map(|it| &it.passes[0]).collect();
    assert_eq!((passes[0].reindexed, passes[1].resealed()), (50, 50));
    assert_eq!(passes[0].verified, 0);
    assert!(passes[1].verified >= 5, "{}", passes[1].verified);
    assert_eq!(world.number(BESIDE), 0);
}
