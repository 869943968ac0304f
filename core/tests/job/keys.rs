//! Row ids of every kind, and names that try to be more than names.

use crate::support::{USERS, World, assert_adds_up};
use reseal::ErrorCode;
use reseal::job::{End, Report, Step};

/// Seals all rows of a table; nothing is read twice or left out.
fn seal_all(world: &World, table: &str, column: &str, row_id: &str, rows: u64) -> Report {
    let columns = format!(
        "[[columns]]\ntable = {table}\ncolumn = {column}\nrow_id = {row_id}\n\
         context = {{ table = 't' }}\nwrite = 'app'\nread = ['plain']\n"
    );
    let report = world.run(world.job(&columns, |options| options.batch_rows = 7));
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let first = &report.columns[0].passes[0];
    assert_adds_up(first);
    assert_eq!((first.scanned, first.resealed()), (rows, rows));
    assert_eq!(report.columns[0].passes[1].current, rows);
    report
}

const NUMBERS: &str =
    "WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 50)";

#[test]
fn text_blobs_and_composites_are_row_ids() {
    let world = World::new(&format!(
        "CREATE TABLE texts (k TEXT PRIMARY KEY, v TEXT);
         INSERT INTO texts {NUMBERS} SELECT 'k' || i, 'v' FROM n;
         CREATE TABLE blobs (k BLOB UNIQUE, v TEXT);
         INSERT INTO blobs {NUMBERS} SELECT randomblob(16), 'v' FROM n;
         CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b)) WITHOUT ROWID;
         INSERT INTO pairs {NUMBERS} SELECT i / 9, i % 9, 'v' FROM n;"
    ));
    seal_all(&world, "'texts'", "'v'", "['k']", 50);
    seal_all(&world, "'blobs'", "'v'", "['k']", 50);
    seal_all(&world, "'pairs'", "'v'", "['a', 'b']", 50);
    let world = World::new(&format!(
        "CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b));
         INSERT INTO pairs {NUMBERS} SELECT i / 9, i % 9, 'v' FROM n;"
    ));
    seal_all(&world, "'pairs'", "'v'", "['b', 'a']", 50);
}

#[test]
fn rows_are_passed_in_the_collation_of_the_key() {
    let world = World::new(
        "CREATE TABLE folded (k TEXT PRIMARY KEY COLLATE NOCASE, v TEXT);
         INSERT INTO folded VALUES ('b', 'v'), ('A', 'v'), ('C', 'v'), ('d', 'v'), ('E', 'v'),
           ('f', 'v'), ('G', 'v'), ('h', 'v'), ('I', 'v'), ('j', 'v');
         CREATE TABLE split (k TEXT COLLATE NOCASE, v TEXT);
         CREATE UNIQUE INDEX split_k ON split (k COLLATE BINARY);
         INSERT INTO split SELECT k, v FROM folded UNION ALL SELECT upper(k), v FROM folded WHERE k > 'a'
           AND k <> upper(k) COLLATE BINARY;",
    );
    seal_all(&world, "'folded'", "'v'", "['k']", 10);
    seal_all(&world, "'split'", "'v'", "['k']", 15);
}

/// Statements that read the whole table for each batch would take hours on a large one.
#[test]
fn every_statement_uses_the_index_of_the_key() {
    let world = World::new(&format!(
        "CREATE TABLE pairs (a INTEGER, b TEXT, v TEXT, PRIMARY KEY (a, b));
         INSERT INTO pairs {NUMBERS} SELECT i / 9, i % 9, 'v' FROM n;"
    ));
    let columns = "[[columns]]\ntable = 'pairs'\ncolumn = 'v'\nrow_id = ['a', 'b']\n\
                   write = 'app'\nread = ['plain']\n";
    let mut plans = 0;
    world.drive(world.job(columns, |_| {}), &mut |_, step| {
        let (Step::Query(statement) | Step::Execute(statement)) = step else {
            return None;
        };
        if statement.sql.contains("\"pairs\".\"v\"") && !statement.params.is_empty() {
            let plan = world.plan(statement);
            assert!(plan.contains("SEARCH pairs USING INDEX"), "{plan}");
            plans += 1;
        }
        None
    });
    assert!(plans >= 6, "{plans}");
}

#[test]
fn names_are_names_whatever_they_hold() {
    let table = "a \"b\"; DROP TABLE x; --";
    let world = World::new(
        "CREATE TABLE \"a \"\"b\"\"; DROP TABLE x; --\" (\"select\" INTEGER PRIMARY KEY, \"wörld's '\" TEXT);
         INSERT INTO \"a \"\"b\"\"; DROP TABLE x; --\" VALUES (1, 'v'), (2, 'v');
         CREATE TABLE x (i);",
    );
    let quoted = format!("'''{table}'''");
    seal_all(&world, &quoted, "\"wörld's '\"", "['select']", 2);
    seal_all_in_schema();
    assert_eq!(world.number("SELECT count(*) FROM x"), 0);
}

fn seal_all_in_schema() {
    let world = World::new(
        "ATTACH ':memory:' AS other; CREATE TABLE other.t (k TEXT PRIMARY KEY, v);
        INSERT INTO other.t VALUES ('a', 'v')",
    );
    seal_all(&world, "'other.t'", "'v'", "['k']", 1);
}

#[test]
fn a_row_id_that_is_a_float_is_refused_before_a_row_is_passed_over() {
    let world = World::new(
        "CREATE TABLE users (id REAL PRIMARY KEY NOT NULL, ssn TEXT, name TEXT);
         INSERT INTO users (id, ssn) VALUES (1.5, 'a'), (2.5, 'b')",
    );
    let report = world.run(world.job(USERS, |_| {}));
    let End::Failed(error) = report.end else {
        panic!("{:?}", report.end);
    };
    assert_eq!(error.code(), ErrorCode::ColumnUnsuitable);
    assert!(error.message().contains("row id"), "{error}");
}
