//! May a key, or a codec, go?

use reseal::KeyUse;
use serde_json::{Value, json};

use crate::database::Sqlite;
use crate::host::{Ended, Memory, key};

const CODECS: &str = "
version = 1

[codecs.app]
kind = 'reseal'
keyring = 'keyset:ring.json'
kek = 'file:kek'

[codecs.tokens]
kind = 'fernet'
keys = ['env:FERNET_KEY']

[codecs.unused]
kind = 'fernet'
keys = ['env:FERNET_KEY']
";
const COLUMNS: &str = "
[[columns]]
table = 'users'
column = 'ssn'
row_id = ['id']
context = { table = 'users', column = 'ssn' }
indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 }]
write = 'app'
read = ['tokens', 'plain']

[[columns]]
table = 'notes'
column = 'body'
row_id = ['id']
context = { table = 'notes', column = 'body' }
write = 'app'
read = ['plain']
";
const TOKEN: &str = "gAAAAABrSdIAAAECAwQFBgcICQoLDA0OD3Sy";

/// Two tables with values under the first key, and a second one that seals.
fn rotated(lease: u32) -> Memory {
    let mut memory = Memory::with_kek();
    memory.ok(&format!("keyset init --label first --lease {lease}"));
    memory.ok("keyset introduce --use index --label first-terms");
    let terms = memory.labelled("first-terms");
    memory.ok(&format!("keyset promote {terms} --early"));
    memory.variables.clear();
    memory.set("RESEAL_DATABASE_URL", "sqlite:///app.db");
    memory.set("FERNET_KEY", "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=");
    memory.add("reseal.toml", format!("{CODECS}{COLUMNS}"));
    let database = Sqlite::new(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT, ssn_eq TEXT);
         CREATE TABLE notes (id INTEGER PRIMARY KEY, body TEXT);
         CREATE TABLE spare (ssn TEXT, ssn_eq TEXT);
         WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n WHERE i < 7)
         INSERT INTO users (ssn) SELECT 'secret-' || i FROM n;
         INSERT INTO users (ssn) VALUES (NULL);
         INSERT INTO notes (body) SELECT ssn FROM users WHERE id < 4",
    );
    memory.database = Some(database);
    memory.ok("apply");
    sql(
        &memory,
        "INSERT INTO spare SELECT ssn, ssn_eq FROM users WHERE id = 1",
    );
    keyset(&mut memory, "rotate --label second --early");
    memory
}

fn sql(memory: &Memory, sql: &str) {
    memory
        .database
        .as_ref()
        .unwrap()
        .0
        .execute_batch(sql)
        .unwrap();
}

fn keyset(memory: &mut Memory, words: &str) -> String {
    memory.ok(&format!("keyset {words} --keyset ring.json --kek-file kek"))
}

fn id(memory: &mut Memory, label: &str) -> String {
    let shown = keyset(memory, "show");
    let line = shown.lines().find(|line| line.ends_with(label)).unwrap();
    line.split(' ').next().unwrap().to_owned()
}

fn state(memory: &mut Memory, label: &str) -> String {
    let shown = keyset(memory, "show");
    let line = shown.lines().find(|line| line.ends_with(label)).unwrap();
    line.split_whitespace().nth(2).unwrap().to_owned()
}

/// The report, and the documents on standard error.
fn json_of(ended: &Ended) -> (Value, Vec<Value>) {
    let lines = ended.err.lines();
    let events = lines.map(|line| serde_json::from_str(line).unwrap());
    (serde_json::from_str(&ended.out).unwrap(), events.collect())
}

fn events(documents: &[Value]) -> Vec<&str> {
    let names = documents.iter().filter_map(|it| it["event"].as_str());
    let mut names: Vec<&str> = names
        .filter(|it| !matches!(*it, "began" | "progress"))
        .collect();
    names.dedup();
    names
}

#[test]
fn a_key_stays_while_a_value_of_any_column_is_under_it() {
    let mut memory = rotated(0);
    let first = id(&mut memory, "first");
    let refused = memory.run(&format!("retire {}", &first[..4]));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused
            .out
            .starts_with("users.ssn: 7 values\nnotes.body: 3 values\n"),
        "{refused:?}"
    );
    let verdict = format!("the key {first} is still needed: 10 values under it\n");
    assert!(refused.out.ends_with(&verdict), "{refused:?}");
    assert!(refused.err.ends_with("hint: reseal apply\n"), "{refused:?}");

    memory.ok("apply --column users.ssn");
    let (report, _) = json_of(&memory.run(&format!("retire {first} --json")));
    let left = json!([{"table": "notes", "column": "body", "values": 3}]);
    assert_eq!((&report["end"], &report["left"]), (&json!("in-use"), &left));
    assert_eq!(report["state"], "decrypt_only");
    assert_eq!(state(&mut memory, "first"), "decrypt_only");
}

#[test]
fn a_key_that_nothing_is_under_is_disabled_and_then_only_counted() {
    let mut memory = rotated(0);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    let done = memory.run(&format!("retire {first}"));
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(
        done.out,
        format!("nothing is under the key {first}: it is disabled now\n")
    );
    let places = "counted in sqlite:///app.db; to be disabled in ring.json\n";
    let told = format!("{places}the key {first} is disabled\n");
    assert!(done.err.starts_with(&told), "{done:?}");
    let destroy = format!("reseal keyset destroy {first} --keyset ring.json");
    assert!(done.err.contains(&destroy), "{done:?}");
    assert_eq!(state(&mut memory, "first"), "disabled");

    let before = memory.files["ring.json"].content.clone();
    let again = memory.ok(&format!("retire {first}"));
    assert_eq!(
        again,
        format!("nothing is under the key {first}: it may go\n")
    );
    sql(&memory, "INSERT INTO notes (body) SELECT ssn FROM spare");
    let found = memory.run(&format!("retire {first}"));
    assert_eq!(found.code, 1);
    assert!(
        found.err.contains(&format!("reseal keyset enable {first}")),
        "{found:?}"
    );
    assert!(
        memory.files["ring.json"].content == before,
        "nothing was changed"
    );

    keyset(&mut memory, &format!("destroy {first} --yes"));
    let lost = memory.run(&format!("retire {first}"));
    assert_eq!(lost.code, 1);
    assert!(lost.out.contains("never opens again"), "{lost:?}");
    sql(&memory, "DELETE FROM notes");
    memory.ok(&format!("retire {first}"));
}

#[test]
fn the_report_names_the_database_and_the_keyset_and_no_password() {
    let mut memory = rotated(600);
    memory.ok("apply");
    let url = "postgresql://ann:s3cret@db:5433/shop?sslmode=require";
    memory.set("RESEAL_DATABASE_URL", url);
    let first = id(&mut memory, "first");
    memory.tick = 60;
    let told = memory.run(&format!("retire {first}")).err;
    let expected =
        "counted in postgresql://ann@db:5433/shop; to be disabled in ring.json\nwaiting ";
    assert!(told.starts_with(expected), "{told}");
    assert_eq!(told.matches("counted in").count(), 1, "{told}");
    let ended = memory.run(&format!("retire {first} --json"));
    assert!(!ended.out.contains("s3cret"), "{ended:?}");
    let (report, _) = json_of(&ended);
    assert_eq!(report["database"], "postgresql://ann@db:5433/shop");
    assert_eq!(report["keyset"], Value::Null, "it is only counted");
    keyset(&mut memory, &format!("enable {first} --yes"));
    let (report, _) = json_of(&memory.run(&format!("retire {first} --early --json")));
    assert_eq!(report["keyset"], "ring.json");
    let options = json!({"connected": true, "target": "unused"});
    let (report, _) = json_of(&memory.call("retire", &options));
    assert_eq!(report["database"], Value::Null, "nobody named one");
}

/// Values of Sentry and n8n, and the keys that they name.
fn foreign() -> Memory {
    let mut memory = Memory::new();
    memory.set("RESEAL_DATABASE_URL", "sqlite:///app.db");
    memory.add("keys/key_2024", "one");
    memory.add("keys/key_2026", "two");
    memory.add(
        "reseal.toml",
        "version = 1
[codecs.fields]
kind = 'sentry'
key_dir = 'keys'
primary = 'key_2026'
[codecs.n8n]
kind = 'n8n'
instance_keys = ['env:N8N_ENCRYPTION_KEY']
rows = 'table:deployment_key'
write = 'prefixed'
expect = 'utf8'
[[columns]]
table = 'a'
column = 'v'
row_id = ['id']
write = 'fields'
[[columns]]
table = 'b'
column = 'v'
row_id = ['id']
write = 'n8n'
",
    );
    memory.database = Some(Sqlite::new(&format!(
        "CREATE TABLE a (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE b (id INTEGER PRIMARY KEY, v TEXT);
         CREATE TABLE deployment_key (id TEXT, type TEXT, value TEXT, algorithm TEXT, status TEXT);
         INSERT INTO a (v) VALUES ('enc:fernet:key_2026:{TOKEN}');
         INSERT INTO b (v) VALUES ('bEc5AmLGiLrtdybl:aGVsbG8gd29ybGQgdGhpcyBpcyBsb25nIGVub3VnaA==');
         INSERT INTO deployment_key VALUES
           ('oldAmLGiLrtdyblx', 'data_encryption', 'x', 'aes-256-gcm', 'inactive'),
           ('bEc5AmLGiLrtdybl', 'data_encryption', 'x', 'aes-256-gcm', 'active'),
           ('signingAmLGiLrtd', 'signing.hmac', 'x', NULL, 'active')"
    )));
    memory
}

#[test]
fn a_key_of_another_system_may_go_when_nothing_names_it() {
    let mut memory = foreign();
    for id in ["key_2024", "oldAmLGiLrtdyblx", "oldA"] {
        let done = memory.run(&format!("retire {id}"));
        assert_eq!(done.code, 0, "{id}: {done:?}");
        let start = format!("nothing is under the key {id}");
        assert!(done.out.starts_with(&start), "{done:?}");
        assert!(done.out.ends_with(": it may go\n"), "{done:?}");
        assert!(done.err.contains("as long as backups need it"), "{done:?}");
    }
    sql(
        &memory,
        &format!("INSERT INTO a (v) VALUES ('enc:fernet:key_2024:{TOKEN}')"),
    );
    let refused = memory.run("retire key_2024");
    assert_eq!(refused.code, 1, "{refused:?}");
    let verdict = "the key key_2024 is still needed: 1 value under it, in fields\n";
    assert!(refused.out.ends_with(verdict), "{refused:?}");
}

#[test]
fn a_key_of_another_system_that_is_written_under_stays() {
    let mut memory = foreign();
    sql(&memory, "DELETE FROM a; DELETE FROM b");
    for id in ["key_2026", "bEc5AmLGiLrtdybl"] {
        let refused = memory.fails(1, &format!("retire {id}"));
        assert!(refused.ends_with("[still-in-use]\n"), "{refused}");
        assert!(
            refused.contains(&format!("under the key {id}")),
            "{refused}"
        );
    }
    for id in ["key_2023", "signingAmLGiLrtd"] {
        let unknown = memory.fails(2, &format!("retire {id}"));
        assert!(unknown.contains("no value that shows it"), "{unknown}");
    }
}

#[test]
fn keys_of_another_system_that_cannot_be_read_are_told() {
    let mut memory = foreign();
    sql(&memory, "DROP TABLE deployment_key");
    let done = memory.run("retire key_2024");
    assert_eq!(done.code, 0, "{done:?}");
    let warning = "warning: keys are not known here: codecs.n8n.rows: the table deployment_key";
    assert!(done.err.starts_with(warning), "{done:?}");
}

#[test]
fn an_index_key_stays_while_a_term_is_under_it() {
    let mut memory = rotated(0);
    let first = id(&mut memory, "first-terms");
    let primary = memory.fails(1, &format!("retire {first}"));
    assert!(
        primary.contains("makes the terms of blind indexes"),
        "{primary}"
    );
    assert!(primary.ends_with("[still-in-use]\n"), "{primary}");
    keyset(&mut memory, "rotate --use index --label second-terms");
    let refused = memory.run(&format!("retire {first}"));
    assert_eq!(refused.code, 1, "{refused:?}");
    let expected = format!(
        "users.ssn: 7 terms of the index eq\nthe key {first} is still needed: 7 terms under it\n"
    );
    assert_eq!(refused.out, expected);
    assert!(
        refused.err.ends_with("hint: reseal apply --reindex\n"),
        "{refused:?}"
    );
    let census = memory.ok("census --keys-only");
    let row = format!("users.ssn   index   {}  eq", &first[..8]);
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed(&census).contains(&squeezed(&row)), "{census}");

    memory.ok("apply --reindex");
    memory.ok(&format!("retire {first}"));
    assert_eq!(state(&mut memory, "first-terms"), "disabled");
}

#[test]
fn the_member_that_names_the_primary_of_a_directory_is_told() {
    let mut memory = rotated(0);
    let (data, terms) = (key(KeyUse::Data, 1), key(KeyUse::Index, 2));
    memory.add("keys/a.key", &*data.export());
    memory.add("keys/i.key", &*terms.export());
    let directory = "keyring = 'dir:keys'\nprimary = 'a.key'\nindex_primary = 'i.key'";
    let codecs = CODECS.replace("keyring = 'keyset:ring.json'\nkek = 'file:kek'", directory);
    memory.add("reseal.toml", format!("{codecs}{COLUMNS}"));
    for (key, member) in [(data, "primary"), (terms, "index_primary")] {
        let refused = memory.fails(1, &format!("retire {}", key.id()));
        let how = format!(": name another file as {member} in the manifest first [still-in-use]\n");
        assert!(refused.ends_with(&how), "{refused}");
    }
}

#[test]
fn terms_to_be_written_are_left_to_do() {
    let mut memory = rotated(0);
    memory.ok("apply");
    keyset(&mut memory, "rotate --use index --label second-terms");
    for (words, said) in [
        (
            "--reindex --dry-run",
            "0 values to be resealed, 7 to be indexed; nothing was written",
        ),
        ("--reindex", "0 values resealed, 7 indexed ("),
        ("--reindex --dry-run", "nothing is left to do"),
    ] {
        let applied = memory.ok(&format!("apply {words}"));
        assert!(applied.contains(said), "{applied}");
    }
}

#[test]
fn a_key_under_which_somebody_writes_meanwhile_is_enabled_again() {
    let mut memory = rotated(0);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    memory.done_at_save = Some("INSERT INTO notes (body) SELECT ssn FROM spare");
    let ended = memory.run(&format!("retire {first} --json"));
    assert_eq!(ended.code, 1, "{ended:?}");
    let (report, told) = json_of(&ended);
    assert_eq!(events(&told), ["disabled", "enabled"], "{told:?}");
    assert_eq!(report["action"], "enabled-again");
    assert_eq!(report["state"], "decrypt_only");
    assert_eq!(report["left"][0]["values"], 1);
    assert_eq!(state(&mut memory, "first"), "decrypt_only");
    let said = memory.run(&format!("retire {first}"));
    assert!(said.out.contains("1 value under it"), "{said:?}");
}

#[test]
fn what_fails_after_the_key_was_disabled_enables_it_again() {
    let mut memory = rotated(0);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    memory.done_at_save = Some("ALTER TABLE notes RENAME TO hidden");
    let failed = memory.fails(2, &format!("retire {first}"));
    assert!(failed.ends_with("[column-unsuitable]\n"), "{failed}");
    assert!(
        failed.contains(&format!("the key {first} is enabled")),
        "{failed}"
    );
    assert_eq!(state(&mut memory, "first"), "decrypt_only");
}

#[test]
fn a_key_is_counted_again_also_where_nobody_can_be_told_that_it_is_disabled() {
    for (late, state_then) in [
        (
            Some("INSERT INTO notes (body) SELECT ssn FROM spare"),
            "decrypt_only",
        ),
        (None, "disabled"),
    ] {
        let mut memory = rotated(0);
        memory.ok("apply");
        let first = id(&mut memory, "first");
        memory.done_at_save = late;
        memory.broken_errors = Some("disabled");
        let ended = memory.run(&format!("retire {first} --json"));
        assert_ne!(ended.code, 0, "{ended:?}");
        memory.broken_errors = None;
        assert_eq!(state(&mut memory, "first"), state_then);
    }
}

#[test]
fn a_lease_has_to_pass_first() {
    let mut memory = rotated(600);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    memory.tick = 60;
    let ended = memory.run(&format!("retire {first} --json"));
    assert_eq!(ended.code, 0, "{ended:?}");
    let (report, told) = json_of(&ended);
    assert_eq!(events(&told), ["waiting", "disabled"], "{told:?}");
    assert_eq!(report["action"], "disabled");
    let left = told.iter().filter_map(|it| it["seconds_left"].as_u64());
    let left: Vec<u64> = left.collect();
    assert!(
        left.len() > 3 && left.is_sorted_by(|a, b| a > b),
        "{left:?}"
    );
    assert!(left[0] <= 600, "{left:?}");
}

#[test]
fn nobody_waits_early_nor_for_a_key_that_stays_nor_for_one_that_never_sealed() {
    let mut memory = rotated(600);
    let first = id(&mut memory, "first");
    let (report, told) = json_of(&memory.run(&format!("retire {first} --json")));
    assert_eq!(
        (report["end"].as_str(), events(&told).len()),
        (Some("in-use"), 0)
    );
    memory.ok("apply");
    let (report, told) = json_of(&memory.run(&format!("retire {first} --early --json")));
    assert_eq!(report["end"], "complete");
    assert_eq!(events(&told), ["disabled"]);

    keyset(&mut memory, "introduce --label third");
    let third = id(&mut memory, "third");
    let (report, told) = json_of(&memory.run(&format!("retire {third} --json")));
    assert_eq!(report["end"], "complete");
    assert_eq!(events(&told), ["disabled"]);
}

#[test]
fn whoever_stops_it_has_changed_nothing() {
    let mut memory = rotated(600);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    let before = memory.files["ring.json"].content.clone();
    let line = format!("retire {first}");
    // A clock that stands still.
    let mut stopped = 0;
    for turns in [0, 3, 20, 40] {
        memory.interrupt_after = Some(turns);
        let ended = memory.run(&line);
        assert_eq!(ended.code, 5, "{turns}: {ended:?}");
        assert!(
            ended.out.starts_with("stopped: nothing is changed"),
            "{ended:?}"
        );
        stopped += usize::from(ended.err.contains("waiting until a lease has passed"));
    }
    assert!(stopped > 0, "it waited at least once");
    assert!(
        memory.files["ring.json"].content == before,
        "nothing was changed"
    );
    // Also while it counts for the last time.
    let early = format!("{line} --early");
    memory.saves.set(0);
    for turns in 1..200 {
        memory.interrupt_after = Some(turns);
        let ended = memory.run(&early);
        if ended.code == 0 {
            break;
        }
        assert_eq!(ended.code, 5, "{turns}: {ended:?}");
        assert_eq!(state(&mut memory, "first"), "decrypt_only", "{turns}");
    }
    assert!(memory.saves.get() > 2, "it was enabled again at least once");
    memory.interrupt_after = None;
    assert_eq!(state(&mut memory, "first"), "disabled");
}

#[test]
fn a_keyset_that_is_wrapped_twice_is_changed_with_both_keys_alone() {
    let mut memory = rotated(0);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    memory.add("second.kek", &*key(KeyUse::Kek, 8).export());
    keyset(&mut memory, "rewrap-keys --new-kek-file second.kek --keep");
    let refused = memory.fails(3, &format!("retire {first}"));
    assert!(refused.ends_with("[kek-mismatch]\n"), "{refused}");
    assert_eq!(state(&mut memory, "first"), "decrypt_only");
    memory.ok(&format!("retire {first} --kek-file second.kek"));
    assert_eq!(state(&mut memory, "first"), "disabled");
}

#[test]
fn a_codec_goes_when_every_value_opens_without_it() {
    let mut memory = rotated(0);
    let unused = memory.ok("retire unused");
    assert_eq!(unused, "no column reads unused: it may go\n");
    let written = memory.fails(1, "retire app");
    assert!(
        written.contains("users.ssn writes it; notes.body writes it"),
        "{written}"
    );
    assert!(written.ends_with("[still-in-use]\n"), "{written}");
    let done = memory.run("retire tokens");
    assert_eq!(done.code, 0, "{done:?}");
    assert_eq!(done.out, "every value opens without tokens: it may go\n");
    assert!(
        done.err.contains("take tokens out of read of users.ssn"),
        "{done:?}"
    );
    // Nothing is plaintext any more.
    for column in ["users.ssn", "notes.body"] {
        let warning =
            format!("warning: {column} still reads plain, and no value of it is plaintext");
        assert!(done.err.contains(&warning), "{done:?}");
    }
    sql(&memory, "INSERT INTO notes (body) VALUES ('secret')");
    let (report, _) = json_of(&memory.run("retire tokens --json"));
    let unused = json!([{"table": "users", "column": "ssn", "values": 0}]);
    assert_eq!(report["plain_unused"], unused);
    let plain = memory.run("retire plain");
    assert_eq!(plain.code, 1, "{plain:?}");
    assert!(
        plain.out.starts_with("notes.body: 1 value: still-in-use\n"),
        "{plain:?}"
    );
    assert!(!plain.out.contains("secret") && !plain.err.contains("secret"));
}

#[test]
fn a_value_that_no_codec_opens_proves_nothing() {
    let mut memory = rotated(0);
    sql(
        &memory,
        &format!("UPDATE users SET ssn = '{TOKEN}' WHERE id = 2"),
    );
    let refused = memory.run("retire tokens --json");
    assert_eq!(refused.code, 1, "{refused:?}");
    let (report, _) = json_of(&refused);
    let left = json!([{"table": "users", "column": "ssn", "code": "malformed", "values": 1}]);
    assert_eq!((&report["end"], &report["left"]), (&json!("in-use"), &left));
    assert!(!refused.out.contains("reseal apply"), "{refused:?}");
}

#[test]
fn the_keys_of_the_environment_are_only_counted() {
    let mut memory = rotated(0);
    let environment = "keyring = 'env'";
    let keyset = "keyring = 'keyset:ring.json'\nkek = 'file:kek'";
    let text = format!("{CODECS}{COLUMNS}").replace(keyset, environment);
    memory.add("reseal.toml", text);
    let (old, new) = (key(KeyUse::Data, 1), key(KeyUse::Data, 2));
    sql(
        &memory,
        "DELETE FROM users; DELETE FROM notes; INSERT INTO notes (body) VALUES ('secret')",
    );
    memory.set("RESEAL_PRIMARY_KEY", &old.export());
    memory.set("RESEAL_INDEX_KEY", &key(KeyUse::Index, 3).export());
    memory.ok("apply");
    let seals = memory.fails(1, &format!("retire {}", old.id()));
    assert!(
        seals.contains("put another one into RESEAL_PRIMARY_KEY"),
        "{seals}"
    );
    memory.set("RESEAL_DECRYPT_KEYS", &old.export());
    memory.set("RESEAL_PRIMARY_KEY", &new.export());
    let refused = memory.run(&format!("retire {}", old.id()));
    assert_eq!(
        (refused.code, refused.out.contains("notes.body: 1 value")),
        (1, true),
        "{refused:?}"
    );
    memory.ok("apply");
    let done = memory.run(&format!("retire {}", old.id()));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.err.contains("take the key out of RESEAL_DECRYPT_KEYS"),
        "{done:?}"
    );
}

#[test]
fn a_key_that_nobody_has_is_counted_as_well_and_a_wrong_word_is_not_repeated() {
    let mut memory = rotated(0);
    let unknown = key(KeyUse::Data, 7).id().to_string();
    let gone = memory.ok(&format!("retire {unknown}"));
    assert!(gone.contains("no codec has it, and it may go"), "{gone}");
    // The ring is another one now.
    let first = id(&mut memory, "first");
    memory.files.remove("ring.json");
    let refused = memory.run(&format!("retire {}", &first[..6]));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(
        refused.out.contains("10 values under it, in app"),
        "{refused:?}"
    );
    assert!(
        refused
            .err
            .contains("warning: the keys of codecs.app are not known here"),
        "{refused:?}"
    );
    // Nothing is under it, but the ring that is not there may have it, and seal under it.
    sql(&memory, "DELETE FROM users; DELETE FROM notes");
    for key in [&first, &unknown] {
        let unproved = memory.run(&format!("retire {key} --json"));
        assert_eq!(unproved.code, 1, "{unproved:?}");
        let (report, _) = json_of(&unproved);
        assert_eq!(
            (&report["end"], &report["left"]),
            (&json!("in-use"), &json!([]))
        );
    }
    let unproved = memory.run(&format!("retire {first}"));
    assert!(
        unproved.out.contains("nothing is proved") && unproved.out.contains("the keys of app are"),
        "{unproved:?}"
    );
    let wrong = memory.fails(2, "retire correct-horse");
    assert!(!wrong.contains("correct-horse"), "{wrong}");
    assert!(
        wrong.contains("the codecs are app, plain, tokens, unused"),
        "{wrong}"
    );
    assert!(
        wrong.contains("values of tokens, unused do not show their key"),
        "{wrong}"
    );
}

#[test]
fn envelopes_count_also_where_their_column_reads_none_and_damage_does_not_block() {
    let mut memory = rotated(0);
    memory.ok("apply");
    let first = id(&mut memory, "first");
    sql(
        &memory,
        "UPDATE notes SET body = 'rs1.wnhox5tzdzqv34o4so5ged4ck7arqvma.A' WHERE id = 1; UPDATE notes SET body = 5.5 WHERE id = 2",
    );
    let done = memory.run(&format!("retire {first} --early"));
    assert_eq!(done.code, 0, "{done:?}");
    assert!(
        done.err
            .contains("notes.body: 1 value in no format that shows a key (malformed)"),
        "{done:?}"
    );
    assert!(
        !done.err.contains("notes.body still reads plain"),
        "{done:?}"
    );

    keyset(&mut memory, &format!("enable {first} --yes"));
    let more = "[[columns]]\ntable = 'old'\ncolumn = 'ssn'\nrow_id = ['id']\nwrite = 'tokens'\nread = ['plain']\n";
    memory.add("reseal.toml", format!("{CODECS}{COLUMNS}{more}"));
    sql(
        &memory,
        "CREATE TABLE old (id INTEGER PRIMARY KEY, ssn TEXT); INSERT INTO old (ssn) SELECT ssn FROM spare",
    );
    let refused = memory.run(&format!("retire {first}"));
    assert_eq!(refused.code, 1, "{refused:?}");
    assert!(refused.out.contains("old.ssn: 1 value\n"), "{refused:?}");
}

#[test]
fn a_program_calls_it_and_is_told_which_options_it_has() {
    let mut memory = rotated(0);
    let options = json!({"connected": true, "target": "unused"});
    let ended = memory.call("retire", &options);
    assert_eq!(ended.code, 0, "{ended:?}");
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(
        (&report["work"], &report["kind"]),
        (&json!("retire"), &json!("codec"))
    );
    for (options, why) in [
        (json!({}), "retire takes the name of a codec"),
        (
            json!({"target": "app", "columns": ["users.ssn"]}),
            "columns is no option of retire",
        ),
        (
            json!({"target": "app", "dry_run": true}),
            "dry_run is an option of apply alone",
        ),
    ] {
        let ended = memory.call("retire", &options);
        assert_eq!(
            (ended.code, ended.err.contains(why)),
            (2, true),
            "{ended:?}"
        );
    }
    let other = memory.call("census", &json!({"target": "app"}));
    assert!(other.err.contains("options of retire alone"), "{other:?}");
}
