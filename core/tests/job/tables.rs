//! Tables of keys, read for the manifest that names them.

use crate::support::World;
use reseal::{
    Context, Error, Mode, OsEntropy, Timestamp,
    codec::{Form, Fresh, N8nDataKey, Place, Stored},
    job::{Cell, Dialect, TableRows, table_columns, table_rows},
    manifest::{Manifest, Secrets, Want},
};

fn manifest(rows: &str) -> Manifest {
    let codec = "version = 1\n[codecs.credentials]\nkind = 'n8n'\ninstance_keys = ['env:KEY']";
    Manifest::parse(&format!("{codec}\nrows = \"{rows}\"\nwrite = 'prefixed'")).unwrap()
}

fn want(manifest: &Manifest, kind: &str) -> Want {
    let mut wants = manifest.wants().into_iter();
    wants.find(|want| want.kind.as_str() == kind).unwrap()
}

fn table(world: &World, want: &Want) -> Result<TableRows, Error> {
    let columns = table_columns(Dialect::Sqlite, &want.name);
    table_rows(Dialect::Sqlite, want, &world.query(&columns).unwrap())
}

/// The rows of `deployment_key`, as JSON.
fn json(world: &World) -> Result<String, Error> {
    let table = table(world, &want(&manifest("table:deployment_key"), "table"))?;
    let rows = world.query(&table.statement).unwrap();
    table.to_json(&rows).map(|json| json.to_string())
}

#[test]
fn a_codec_opens_with_keys_from_a_table_of_the_database() {
    let key = N8nDataKey::generate(&mut OsEntropy).unwrap();
    let value = key.wrap("the instance key", &mut OsEntropy).unwrap();
    let world = World::new(
        "CREATE TABLE \"the \"\"keys\" (more BLOB, status TEXT, value TEXT, type TEXT, id TEXT,
         algorithm TEXT);
         INSERT INTO \"the \"\"keys\" VALUES (x'ff', 'active', 'y', 'instance.id', 'x', NULL)",
    );
    let insert = "INSERT INTO \"the \"\"keys\"
        VALUES (1.5, 'active', ?, 'data_encryption', 'bEc5AmLGiLrtdybl', 'aes-256-gcm')";
    world.db.execute(insert, [&value]).unwrap();

    let manifest = manifest("table:the \\\"keys");
    let wanted = want(&manifest, "table");
    let table = table(&world, &wanted).unwrap();
    let rows = table
        .to_json(&world.query(&table.statement).unwrap())
        .unwrap();
    let mut secrets = Secrets::new();
    secrets.give(&wanted, rows.as_bytes());
    secrets.give(&want(&manifest, "env"), "the instance key");
    let codec = manifest.codec("credentials", &secrets).unwrap().codec;
    let place = Place {
        context: &Context::new(),
        mode: Mode::Random,
        form: Form::Text,
    };
    let mut fresh = Fresh {
        entropy: &mut OsEntropy,
        now: Timestamp::from_unix(1_800_000_000).unwrap(),
    };
    let sealed = codec.seal(b"secret", &place, &mut fresh).unwrap();
    let text = sealed.as_stored().as_text().unwrap().to_owned();
    assert!(text.starts_with("bEc5AmLGiLrtdybl:"), "{text}");
    let opened = codec.open(Stored::Text(&text), &Context::new()).unwrap();
    assert_eq!(*opened.plaintext, b"secret");
}

#[test]
fn integers_are_numbers_null_is_null_and_all_else_is_text() {
    let world = World::new(
        "CREATE TABLE deployment_key (id INTEGER, type TEXT, value, algorithm TEXT, status TEXT);
         INSERT INTO deployment_key VALUES
             (9007199254740993, 'a\"b\\c' || char(10, 0, 31) || '\u{e9}\u{1f600}', x'c3a9', NULL, '')",
    );
    let text = json(&world).unwrap();
    assert_eq!(
        text,
        "[{\"id\":9007199254740993,\"type\":\"a\\\"b\\\\c\\u000a\\u0000\\u001f\u{e9}\u{1f600}\",\
         \"value\":\"\u{e9}\",\"algorithm\":null,\"status\":\"\"}]"
    );
    let parsed: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(parsed[0]["type"], "a\"b\\c\n\0\u{1f}\u{e9}\u{1f600}");
    world
        .db
        .execute_batch("DELETE FROM deployment_key")
        .unwrap();
    assert_eq!(json(&world).unwrap(), "[]");
}

#[test]
fn what_a_manifest_does_not_take_is_refused_and_not_shown() {
    let fails = |sql: &str| {
        let error = json(&World::new(sql)).unwrap_err();
        assert!(!error.to_string().contains("hunter2"), "{error}");
        (error.code().as_str(), error.message().to_owned())
    };
    let place = "codecs.credentials.rows: the table deployment_key";
    let not_there = format!("{place} is not there: is it in another schema or database?");
    assert_eq!(fails(""), ("source-missing", not_there));
    let none = format!("{place} has none of the columns id, type, value, algorithm, status");
    let sql = "CREATE TABLE deployment_key (other TEXT)";
    assert_eq!(fails(sql), ("source-unreadable", none));
    let float = format!("{place} has value of the type FLOAT");
    let sql = "CREATE TABLE deployment_key (id TEXT, value FLOAT)";
    assert_eq!(fails(sql), ("source-unreadable", float));
    let neither = format!("{place} holds what is neither text nor an integer");
    for value in ["1.5", "x'ff' || 'hunter2'"] {
        let value = format!(
            "CAST({value} AS {})",
            if value == "1.5" { "REAL" } else { "BLOB" }
        );
        let sql = format!(
            "CREATE TABLE deployment_key (id TEXT, value);
             INSERT INTO deployment_key VALUES ('hunter2', {value})"
        );
        assert_eq!(
            fails(&sql),
            ("source-unreadable", neither.clone()),
            "{value}"
        );
    }
}

#[test]
fn a_table_of_keys_has_ten_thousand_rows_at_most() {
    let world = World::new("CREATE TABLE deployment_key (id INTEGER)");
    let insert = "WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 10000)
                  INSERT INTO deployment_key SELECT i FROM n";
    world.db.execute_batch(insert).unwrap();
    let rows: Vec<serde_json::Value> = serde_json::from_str(&json(&world).unwrap()).unwrap();
    assert_eq!(rows.len(), 10_000);
    world
        .db
        .execute_batch("INSERT INTO deployment_key VALUES (0)")
        .unwrap();
    let error = json(&world).unwrap_err();
    assert_eq!(error.code().as_str(), "source-unreadable");
    assert!(
        error
            .message()
            .ends_with("has more than 10000 rows: it is no table of keys")
    );
}

#[test]
fn each_database_gives_numbers_and_text_of_such_a_table() {
    let manifest = manifest("table:app.keys");
    let wanted = want(&manifest, "table");
    let column = |name: &str, of: &str| -> Vec<Cell> {
        let rest = [Cell::Null, 0.into(), 0.into(), Cell::Null, Cell::Null];
        let start = [name.into(), of.into(), of.into()];
        start.into_iter().chain(rest).collect()
    };
    let of = |dialect, id, value| {
        let columns = [
            column("value", value),
            column("id", id),
            column("x", "bool"),
        ];
        table_rows(dialect, &wanted, &columns).map(|table| table.statement.sql)
    };
    assert_eq!(
        of(Dialect::Postgres, "int8", "uuid").unwrap(),
        "SELECT \"app\".\"keys\".\"id\", \"app\".\"keys\".\"value\"::text FROM \"app\".\"keys\" LIMIT 10001"
    );
    assert_eq!(
        of(Dialect::Mysql, "int", "json").unwrap(),
        "SELECT `app`.`keys`.`id`, CAST(`app`.`keys`.`value` AS CHAR) FROM `app`.`keys` LIMIT 10001"
    );
    let error = of(Dialect::Postgres, "bool", "text").unwrap_err();
    assert_eq!(error.code().as_str(), "source-unreadable");
    let error = table_rows(Dialect::Sqlite, &want(&manifest, "env"), &[]).unwrap_err();
    assert_eq!(error.code().as_str(), "invalid-argument");
}
