//! Row ids of every kind, and names that try to be more than names.

use crate::support::{USERS, World, assert_adds_up};
use reseal::ErrorCode;
use reseal::job::{Cell, End, Reply, Report, Share, Statement, Step, Work};
use rusqlite::{params_from_iter, types::Value, types::ValueRef};

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

/// The rows of a statement, with text as a driver spells it that gives bytes which are no UTF-8 in its own way.
fn spelled(world: &World, statement: &Statement, spell: fn(&[u8]) -> Cell) -> Vec<Vec<Cell>> {
    let params = statement.params.iter().map(|cell| match cell {
        Cell::Int(number) => Value::Integer(*number),
        Cell::Text(text) => Value::Text(text.to_string()),
        Cell::Bytes(bytes) => Value::Blob(bytes.to_vec()),
        Cell::Null | Cell::Other => Value::Null,
    });
    let mut prepared = world.db.prepare(&statement.sql).unwrap();
    let width = prepared.column_count();
    let rows = prepared.query_map(params_from_iter(params), |row| {
        let cells = (0..width).map(|at| {
            Ok(match row.get_ref(at)? {
                ValueRef::Null => Cell::Null,
                ValueRef::Integer(number) => Cell::Int(number),
                ValueRef::Real(_) => Cell::Other,
                ValueRef::Text(text) => spell(text),
                ValueRef::Blob(bytes) => bytes.to_vec().into(),
            })
        });
        cells.collect()
    });
    rows.unwrap().map(Result::unwrap).collect()
}

#[test]
fn text_that_is_no_text_is_no_row_id() {
    let lossy = |text: &[u8]| Cell::from(String::from_utf8_lossy(text).into_owned());
    let bytes = |text: &[u8]| match str::from_utf8(text) {
        Ok(text) => text.into(),
        Err(_) => text.to_vec().into(),
    };
    let spells: [fn(&[u8]) -> Cell; 2] = [lossy, bytes];
    for spell in spells {
        for work in [Work::Apply, Work::Verify] {
            for is_shared in [false, true] {
                // The one that no driver can give back is the last of its batch.
                let world = World::new(&format!(
                    "CREATE TABLE users (id TEXT PRIMARY KEY, ssn TEXT);
                     INSERT INTO users {NUMBERS} SELECT 'k' || i, 'v' FROM n WHERE i < 32;
                     INSERT INTO users SELECT CAST(x'6bff' AS TEXT), 'v';
                     INSERT INTO users {NUMBERS} SELECT CAST(x'f0' AS TEXT) || i, 'v' FROM n WHERE i < 32"
                ));
                let is_shared = is_shared && work == Work::Apply;
                let job = World::job_of(work, world.targets(USERS), |options| {
                    options.batch_rows = if is_shared { 4 } else { 32 };
                    options.share = is_shared.then(|| Share {
                        run: "a".into(),
                        lease_ms: 30_000,
                        leads: true,
                    });
                });
                let report = world.drive(job, &mut |at, step| {
                    assert!(at < 10_000, "it never ends");
                    let Step::Query(statement) = step else {
                        return None;
                    };
                    Some(Reply::Rows(spelled(&world, statement, spell)))
                });
                let End::Failed(error) = report.unwrap().end else {
                    panic!("rows were passed over");
                };
                assert_eq!(error.code(), ErrorCode::ColumnUnsuitable);
                assert!(error.message().contains("no UTF-8"), "{error}");
            }
        }
    }
}

#[test]
fn text_is_a_row_id_in_each_encoding() {
    for encoding in ["UTF-8", "UTF-16le", "UTF-16be"] {
        let world = World::new(&format!(
            "PRAGMA encoding = '{encoding}';
             CREATE TABLE texts (k TEXT PRIMARY KEY, v TEXT);
             INSERT INTO texts {NUMBERS} SELECT 'kłůč🔑' || i, 'v' FROM n;"
        ));
        assert_eq!(world.text("PRAGMA encoding").as_deref(), Some(encoding));
        seal_all(&world, "'texts'", "'v'", "['k']", 50);
    }
}

#[test]
fn checkpoints_are_in_characters_that_every_table_takes() {
    for is_shared in [false, true] {
        let world = World::new(&format!(
            "CREATE TABLE users (id TEXT PRIMARY KEY, ssn TEXT);
             INSERT INTO users {NUMBERS} SELECT 'Łódź🔑' || i, 'v' FROM n"
        ));
        let job = || {
            world.job(USERS, |options| {
                options.batch_rows = 7;
                options.share = is_shared.then(|| Share {
                    run: "a".into(),
                    lease_ms: 30_000,
                    leads: true,
                });
            })
        };
        let (mut states, mut commits) = (0, 0);
        let stopped = world.drive(job(), &mut |_, step| {
            if let Step::Execute(statement) = step
                && statement.sql.contains("reseal_jobs")
            {
                let params = statement.params.iter().filter_map(Cell::as_text);
                states += params.inspect(|it| assert!(it.is_ascii(), "{it}")).count();
            }
            commits += usize::from(matches!(step, Step::Commit));
            (commits > 5).then_some(Reply::Start)
        });
        assert!(stopped.is_none() && states > 4);
        let state = world.text("SELECT group_concat(state) FROM reseal_jobs");
        assert!(
            state
                .unwrap()
                .contains("\\u0141\\u00f3d\\u017a\\ud83d\\udd11")
        );
        if !is_shared {
            // It goes on behind the row whose id it reads there.
            world.rollback().unwrap();
            let report = world.run(job());
            assert_eq!(report.end, End::Complete, "{}", report.to_json());
            let first = &report.columns[0].passes[0];
            assert_eq!((first.scanned, first.resealed()), (50, 50));
        }
    }
}
