//! Tables and columns that a job cannot work on.

use crate::support::{USERS, World};
use reseal::job::End;

fn refusal(sql: &str, columns: &str) -> String {
    let world = World::new(sql);
    let End::Failed(error) = world.run(world.job(columns, |_| {})).end else {
        panic!("it was accepted: {columns}");
    };
    assert_eq!(error.code().as_str(), "column-unsuitable");
    error.message().into()
}

#[test]
fn what_is_missing_is_named() {
    assert_eq!(
        refusal("", USERS),
        "the table users: there is none of this name"
    );
    let table = "CREATE TABLE users (id INTEGER PRIMARY KEY)";
    assert_eq!(
        refusal(table, USERS),
        "the table users: it has no column ssn"
    );
    let table = "CREATE TABLE users (k INTEGER PRIMARY KEY, ssn)";
    assert_eq!(
        refusal(table, USERS),
        "the table users: it has no column id"
    );
}

#[test]
fn a_row_id_that_is_not_unique_is_refused_with_the_keys_there_are() {
    let none =
        "the table users: the row id (id) may stand in several rows; the table has no unique key";
    assert_eq!(refusal("CREATE TABLE users (id, ssn)", USERS), none);
    let partial = "CREATE TABLE users (id, ssn); CREATE UNIQUE INDEX u ON users (id) WHERE id > 3";
    assert_eq!(refusal(partial, USERS), none);
    let expression =
        "CREATE TABLE users (id, ssn); CREATE UNIQUE INDEX u ON users (id, lower(ssn))";
    assert_eq!(refusal(expression, USERS), none);
    let others = "CREATE TABLE users (a, b, id, ssn, PRIMARY KEY (a, b), UNIQUE (id, a))";
    let message = refusal(others, USERS);
    assert!(
        message.contains("its unique keys are (id, a) and (a, b)")
            || message.contains("its unique keys are (a, b) and (id, a)"),
        "{message}"
    );
}

#[test]
fn a_row_without_a_row_id_is_refused() {
    let table =
        "CREATE TABLE users (id TEXT PRIMARY KEY, ssn); INSERT INTO users VALUES (NULL, 'x')";
    assert!(refusal(table, USERS).contains("NULL in its row id"));
}

/// What becomes of plaintexts in a column of SQLite of some type, which is to be plaintext again.
fn written_into(declared: &str, texts: &[&str]) -> Vec<Option<String>> {
    let world = World::new(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn {declared})"
    ));
    for text in texts {
        let insert = "INSERT INTO users (ssn) VALUES (?)";
        world.db.execute(insert, [world.seal(text)]).unwrap();
    }
    let columns = USERS
        .replace("'app'", "'plain'")
        .replace("['plain']", "['app']");
    let report = world.run(world.job(&columns, |_| {}));
    assert_eq!(report.end, End::Complete);
    let mut all = world
        .db
        .prepare("SELECT ssn FROM users ORDER BY id")
        .unwrap();
    let stored = all.query_map([], |row| row.get::<_, rusqlite::types::Value>(0));
    let stored: Vec<Option<String>> = stored
        .unwrap()
        .map(|value| match value.unwrap() {
            rusqlite::types::Value::Text(text) if text.starts_with("rs1.") => None,
            rusqlite::types::Value::Text(text) => Some(text),
            rusqlite::types::Value::Integer(number) => Some(number.to_string()),
            other => panic!("{other:?}"),
        })
        .collect();
    let refused = stored.iter().filter(|it| it.is_none()).count();
    assert_eq!(report.refused(), refused as u64);
    stored
}

#[test]
fn plaintext_that_sqlite_would_take_for_another_number_stays_sealed() {
    let texts = ["abc", "01234", "7", "-7", "1e5", "1.50", " 7", "555-0100"];
    let text: Vec<_> = texts.iter().map(|it| Some((*it).to_owned())).collect();
    assert_eq!(written_into("TEXT", &texts), text);
    assert_eq!(written_into("BLOB", &texts), text);
    let only = |kept: &[&str]| -> Vec<Option<String>> {
        let keep = |it: &&str| kept.contains(it).then(|| (*it).to_owned());
        texts.iter().map(keep).collect()
    };
    let integers = only(&["abc", "7", "-7", "555-0100"]);
    assert_eq!(written_into("STRING", &texts), integers);
    assert_eq!(written_into("INTEGER", &texts), integers);
    assert_eq!(written_into("REAL", &texts), only(&["abc", "555-0100"]));
}
