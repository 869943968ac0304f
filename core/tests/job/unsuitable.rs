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
