//! The commands that work on a database.

use std::collections::BTreeSet;

use reseal::{Context, KeyUse, Keyring, Mode, OsEntropy};
use serde_json::{Value, json};

use crate::database::Sqlite;
use crate::host::{Ended, KILLED, Memory, key};

const MANIFEST: &str = "
version = 1

[codecs.app]
kind = 'reseal'
keyring = 'env'

[[columns]]
table = 'users'
column = 'ssn'
row_id = ['id']
bind_row = true
write = 'app'
read = ['app', 'plain']
";

/// A table of plaintexts, and one with NULL.
fn users(rows: usize) -> Memory {
    let mut memory = Memory::new();
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    memory.set("RESEAL_DATABASE_URL", "sqlite:///app.db");
    memory.add("reseal.toml", MANIFEST);
    let database = Sqlite::new("CREATE TABLE users (id INTEGER PRIMARY KEY, ssn TEXT)");
    for row in 1..=rows {
        let insert = "INSERT INTO users (ssn) VALUES (?)";
        database
            .0
            .execute(insert, [format!("secret-{row}")])
            .unwrap();
    }
    database
        .0
        .execute_batch("INSERT INTO users (ssn) VALUES (NULL)")
        .unwrap();
    memory.database = Some(database);
    memory
}

fn text(memory: &Memory, sql: &str) -> String {
    memory.database.as_ref().unwrap().text(sql)
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

fn plain(memory: &Memory) -> String {
    text(
        memory,
        "SELECT count(*) FROM users WHERE ssn LIKE 'secret%'",
    )
}

/// The first line that is a document of this name.
fn said(ended: &Ended, name: &str) -> Value {
    let lines = ended.err.lines();
    let mut documents = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    documents
        .find(|it| it.get(name).is_some())
        .unwrap_or_default()
}

#[test]
fn a_table_is_planned_encrypted_counted_and_verified() {
    let mut memory = users(1200);
    let plan = memory.ok("plan");
    assert!(
        plan.contains("users.ssn: 1,201 values, 1,200 to be resealed, 1 null"),
        "{plan}"
    );
    assert!(plan.contains("1,200  plain"), "{plan}");
    assert!(
        plan.contains("the longest has 11, becomes 1") && plan.contains(", at most 1"),
        "{plan}"
    );
    assert_eq!(plain(&memory), "1200");

    let dry = memory.ok("apply --dry-run");
    assert!(dry.contains("nothing was written"), "{dry}");
    assert_eq!(plain(&memory), "1200");

    let applied = memory.ok("apply");
    assert!(applied.contains("1,200 resealed"), "{applied}");
    assert_eq!(plain(&memory), "0");
    let again = memory.ok("apply");
    assert!(again.contains("nothing is left to do"), "{again}");
    let plan = memory.ok("plan");
    assert!(plan.contains("the longest has 1"), "{plan}");
    assert!(!plan.contains("becomes"), "nothing does: {plan}");

    let census = memory.ok("census");
    assert!(census.starts_with("COLUMN"), "{census}");
    assert!(census.contains("users.ssn  app"), "{census}");
    let keys_only = memory.ok("census --keys-only");
    assert!(keys_only.contains("CREATE INDEX"), "{keys_only}");
    let verified = memory.ok("verify");
    assert!(verified.contains("every value opens"), "{verified}");
}

#[test]
fn reports_are_json_for_programs() {
    let mut memory = users(10);
    let report: Value = serde_json::from_str(&memory.ok("apply --json")).unwrap();
    assert_eq!(report["end"], "complete");
    assert_eq!(report["columns"][0]["total"]["resealed"][0]["values"], 10);
    assert_eq!(report["columns"][0]["total"]["null"], 1);
    assert!(report["milliseconds"].is_u64());

    let called = memory.call("census", &json!({"connected": true}));
    assert_eq!(called.code, 0, "{called:?}");
    let report: Value = serde_json::from_str(&called.out).unwrap();
    assert_eq!(report["columns"][0]["total"]["found"][0]["values"], 10);
}

#[test]
fn what_cannot_be_opened_is_listed_and_left() {
    let mut memory = users(3);
    memory.ok("apply");
    sql(
        &memory,
        "UPDATE users SET ssn = (SELECT ssn FROM users WHERE id = 1) WHERE id = 2",
    );
    let before = text(&memory, "SELECT group_concat(ssn) FROM users");
    let said = memory.run("verify --refused refused.jsonl");
    assert_eq!(said.code, 1, "{said:?}");
    assert!(said.out.contains("1 value does not open"), "{said:?}");
    let listed = String::from_utf8(memory.files["refused.jsonl"].content.clone()).unwrap();
    let line: Value = serde_json::from_str(listed.trim_end()).unwrap();
    let expected = json!({
        "table": "users", "column": "ssn", "row_id": ["2"], "code": "auth-failed", "pass": 1,
    });
    assert_eq!(line, expected);

    memory.set(
        "RESEAL_DECRYPT_KEYS",
        &memory.variables["RESEAL_PRIMARY_KEY"].clone(),
    );
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 2).export());
    let stopped = memory.run("apply --max-refused 0 --refused again.jsonl");
    assert_eq!(stopped.code, 1, "{stopped:?}");
    assert!(
        stopped.err.contains("more values were refused"),
        "{stopped:?}"
    );
    let kept = "SELECT ssn FROM users WHERE id = 2";
    assert!(before.contains(&text(&memory, kept)), "it stays");
    assert_eq!(memory.run("apply").code, 1, "the others are done");
    let verified = memory.run("verify --json --max-refused 5");
    assert_eq!(verified.code, 1);
    let refused = events(&verified, "refused");
    assert_eq!(refused.len(), 1, "{verified:?}");
    assert_eq!(refused[0]["code"], "auth-failed");
    assert_eq!(events(&verified, "began")[0]["tables"][0]["rows"], 4);
}

/// The events of this name.
fn events(ended: &Ended, name: &str) -> Vec<Value> {
    let lines = ended.err.lines();
    let documents = lines.map(|line| serde_json::from_str::<Value>(line).unwrap());
    documents.filter(|it| it["event"] == name).collect()
}

#[test]
fn what_is_stopped_goes_on() {
    for options in ["", " --checkpoint job.json"] {
        let mut memory = users(3000);
        memory.interrupt_after = Some(60);
        let line = format!("apply --batch 100{options}");
        let stopped = memory.run(&line);
        assert_eq!(stopped.code, 5, "{stopped:?}");
        assert!(
            stopped.err.contains("the same command goes on from there"),
            "{stopped:?}"
        );
        let left: usize = plain(&memory).parse().unwrap();
        assert!(left > 0 && left < 3000, "{left}");

        memory.interrupt_after = None;
        let resumed = memory.run(&line);
        assert_eq!(resumed.code, 0, "{resumed:?}");
        assert!(
            resumed
                .err
                .contains("goes on from where an earlier run stopped"),
            "{resumed:?}"
        );
        assert_eq!(plain(&memory), "0");
        assert!(memory.ok("verify").contains("every value opens"));
    }
    let mut memory = users(1);
    memory.add("job.json", "{\"job\": \"another\", \"progress\": \"{}\"}");
    for path in ["job.json", "reseal.toml"] {
        let wrong = memory.fails(2, &format!("apply --checkpoint {path}"));
        assert!(
            wrong.starts_with("error: the file of the checkpoint is"),
            "{wrong}"
        );
        assert!(wrong.ends_with("[invalid-argument]\n"), "{wrong}");
    }
}

#[test]
fn what_was_refused_before_a_kill_is_listed() {
    for options in ["", " --checkpoint job.json"] {
        let mut memory = users(300);
        let other = Keyring::builder().primary(key(KeyUse::Data, 9));
        let mut entropy = OsEntropy;
        let other = other.build().unwrap();
        let foreign = other.seal(b"x", &Context::new(), Mode::Random, &mut entropy);
        let foreign = foreign.unwrap();
        let update = format!("UPDATE users SET ssn = '{foreign}' WHERE id % 10 = 0");
        sql(&memory, &update);
        let line = format!("apply --batch 20 --refused refused.jsonl{options}");
        memory.killed_after = Some(5);
        assert_eq!(memory.run(&line).code, KILLED);
        memory.killed_after = None;
        let resumed = memory.run(&line);
        assert_eq!(resumed.code, 1, "{resumed:?}");
        let content = String::from_utf8(memory.files["refused.jsonl"].content.clone()).unwrap();
        let lines = content
            .lines()
            .map(|line| serde_json::from_str::<Value>(line).unwrap());
        let listed: BTreeSet<u64> = lines
            .map(|line| line["row_id"][0].as_str().unwrap().parse().unwrap())
            .collect();
        assert_eq!(listed, (1..=30).map(|n| n * 10).collect::<BTreeSet<_>>());
    }
}

#[test]
fn a_list_of_refused_values_takes_the_place_of_nothing_else() {
    let mut memory = users(2);
    memory.add("notes", "{\"code\":\"mine\"}\n");
    memory.add("empty", "");
    for path in ["notes", "reseal.toml"] {
        let before = memory.files[path].content.clone();
        for command in ["apply", "verify"] {
            let said = memory.fails(2, &format!("{command} --refused {path}"));
            assert!(said.contains("is no list of refused values"), "{said}");
        }
        assert_eq!(memory.files[path].content, before, "{path}");
    }
    assert_eq!(
        text(&memory, "SELECT ssn FROM users WHERE id = 1"),
        "secret-1"
    );
    let said = memory.fails(2, "apply --refused same --checkpoint same");
    assert!(said.contains("need a file each"), "{said}");
    memory.ok("apply");
    // Bound to its row, it opens nowhere else.
    sql(
        &memory,
        "UPDATE users SET ssn = (SELECT ssn FROM users WHERE id = 1) WHERE id = 2",
    );
    for path in ["empty", "new"] {
        let line = format!("verify --refused {path}");
        assert_eq!(memory.run(&line).code, 1);
        let listed = memory.files[path].content.clone();
        assert!(listed.starts_with(b"{\"code\":"), "{path}");
        assert_eq!(memory.run(&line).code, 1);
        assert_eq!(memory.files[path].content, listed, "begun anew");
    }
}

#[test]
fn plaintext_is_written_only_where_somebody_says_so() {
    let mut memory = users(5);
    memory.ok("apply");
    memory.add(
        "back.toml",
        MANIFEST.replace("write = 'app'", "write = 'plain'"),
    );
    let line = "apply --manifest back.toml";
    let refused = memory.fails(2, line);
    assert!(
        refused.contains("this writes plaintext into users.ssn"),
        "{refused}"
    );
    assert_eq!(plain(&memory), "0");
    let called = memory.call("apply", &json!({"manifest": "back.toml"}));
    assert_eq!(called.code, 2);
    assert!(called.err.contains("allow_plaintext"), "{called:?}");

    memory.answers = Some(vec!["no".to_owned()]);
    memory.fails(2, line);
    memory.answers = Some(vec!["yes".to_owned()]);
    assert!(memory.run(line).code == 0);
    assert_eq!(plain(&memory), "5");
    memory.answers = None;

    memory.ok("apply");
    memory.set("RESEAL_REQUIRE_ENCRYPTION", "1");
    let required = memory.fails(2, &format!("{line} --yes"));
    assert!(required.contains("[encryption-required]"), "{required}");
    memory.set("RESEAL_REQUIRE_ENCRYPTION", "0");
    memory.ok(&format!("{line} --yes"));
    assert_eq!(plain(&memory), "5");
}

#[test]
fn rows_are_repaired_by_name() {
    let mut memory = users(4);
    memory.ok("apply");
    // What was sealed, sealed once more.
    let once = text(&memory, "SELECT ssn FROM users WHERE id = 3");
    memory.input.push(format!("{once}\n").into_bytes());
    let twice = memory.run("seal");
    sql(
        &memory,
        &format!("UPDATE users SET ssn = '{}' WHERE id = 3", twice.out.trim()),
    );
    assert_eq!(memory.run("verify").code, 1);
    let missed = memory.run("apply --repair keep --row nope");
    assert_eq!(missed.code, 1, "{missed:?}");
    assert!(
        missed.out.contains("users.ssn: 1 value, 1 not found\n"),
        "{missed:?}"
    );
    assert!(
        missed.out.contains("1 column: 0 values resealed"),
        "{missed:?}"
    );
    assert_eq!(memory.run("apply --repair unwrap").code, 2);
    assert_eq!(memory.run("apply --row 3").code, 2);
    assert_eq!(memory.run("apply --repair keep --row 3 --reopen").code, 2);
}

#[test]
fn columns_without_a_manifest_are_discovered() {
    let mut memory = users(30);
    memory.ok("apply");
    let nothing = memory.ok("discover");
    assert!(nothing.contains("no column beside those"), "{nothing}");
    memory.files.remove("reseal.toml");
    let found = memory.ok("discover");
    assert!(found.contains("users.ssn"), "{found}");
    assert!(memory.fails(4, "census").contains("[source-unreadable]"));
    assert!(
        memory
            .fails(4, "discover --manifest no.toml")
            .contains("[source-unreadable]")
    );
}

#[test]
fn a_wrong_call_says_what_is_wrong() {
    let mut memory = users(1);
    for (line, code, words) in [
        ("apply --column users.name", 2, "has no column"),
        ("apply --batch 0", 2, "--batch is 1 to 5000"),
        ("census --rate 0", 2, "--rate is"),
        ("plan --sample 0", 2, "--sample is"),
        ("apply --repair sideways --row 1", 2, "unwrap"),
        ("census --dry-run", 2, "unexpected argument"),
        ("apply --dry-run --verify-one-in 2", 2, "cannot be used"),
        ("apply --worker-lease 30", 2, "give --share or --jobs"),
        ("apply --max-passes 0", 2, "--max-passes is at least 1"),
    ] {
        let said = memory.fails(code, line);
        assert!(said.contains(words), "{line}: {said}");
    }
    for (command, options, words) in [
        (
            "census",
            json!({"dry_run": true}),
            "an option of apply alone",
        ),
        ("apply", json!({"dryRun": true}), "unknown field"),
        ("apply", json!({"rows": ["1"]}), "named for a repair"),
        ("apply", json!({"worker_lease": 30}), "several share"),
        ("seal", json!({}), "a program calls"),
    ] {
        let called = memory.call(command, &options);
        assert_eq!(called.code, 2, "{called:?}");
        assert_eq!(said(&called, "error")["error"]["code"], "usage");
        assert!(called.err.contains(words), "{called:?}");
    }
    memory.database = None;
    assert!(memory.fails(4, "census").contains("[database-error]"));
    memory.variables.remove("RESEAL_DATABASE_URL");
    assert!(memory.fails(2, "census").contains("RESEAL_DATABASE_URL"));
    memory.database = Some(Sqlite::new("CREATE TABLE users (id INTEGER, ssn TEXT)"));
    let line = "apply --db sqlite:///app.db";
    assert!(memory.fails(2, line).contains("[column-unsuitable]"));
    assert!(memory.fails(2, "plan --db sqlite:///app.db").is_empty());
}

#[test]
fn of_a_connection_that_cannot_be_used_it_says_what_the_driver_says() {
    let (mut memory, why) = (users(100), "the connection is in a transaction");
    memory.unusable_after = Some(20);
    let ended = memory.run("apply --batch 10 --json");
    assert_eq!(ended.code, 2, "{ended:?}");
    let error = json!({"code": "invalid-argument", "message": why, "exit": 2});
    assert_eq!(said(&ended, "error")["error"], error);
    let report: Value = serde_json::from_str(&ended.out).unwrap();
    assert_eq!(report["error"]["message"], why);
    memory.unusable_after = None;
    memory.ok("apply");
}

#[test]
fn jobs_are_processes_that_join_the_run_and_one_that_dies_is_told() {
    let mut memory = users(100);
    memory.worker_codes = vec![0, KILLED];
    let line = "apply --jobs 3 --batch 10 --rate 100000 --column users.ssn --refused out.jsonl \
                --worker-lease 5 --yes";
    let ended = memory.run(line);
    assert_eq!(ended.code, 0, "{ended:?}");
    assert!(ended.out.contains("100 resealed"), "{}", ended.out);
    let warned = "a worker ended with exit code 137: others take over its rows";
    assert!(ended.err.contains(warned), "{}", ended.err);
    assert_eq!(memory.workers.len(), 2);
    let worker = &memory.workers[0];
    assert_eq!(worker[..2], ["apply", "--yes"]);
    assert!(worker[2].starts_with("--worker="));
    let rest = [
        "--column=users.ssn",
        "--batch=10",
        "--rate=33334",
        "--refused=out.jsonl",
        "--worker-lease=5",
    ];
    assert_eq!(worker[3..], rest);
    assert!(memory.files.contains_key("out.jsonl"));

    // One of them finds the job done, and says nothing.
    let line = worker.join(" ");
    let ended = memory.run(&line);
    assert_eq!(
        (ended.code, ended.out.as_str(), ended.err.as_str()),
        (0, "", "")
    );
}

#[test]
fn workers_that_are_still_at_work_are_waited_for() {
    let mut memory = users(100);
    memory.worker_codes = vec![5];
    memory.polls = 100;
    memory.interrupt_after = Some(60);
    let ended = memory.run("apply --jobs 2 --batch 10");
    assert_eq!(ended.code, 5, "{ended:?}");
    assert_eq!((memory.workers.len(), memory.polls), (1, 0));
    let state = text(&memory, "SELECT state FROM reseal_jobs");
    let state: Value = serde_json::from_str(&state).unwrap();
    assert_eq!(state["shared"]["stopped"], state["shared"]["runs"]);
}

#[test]
fn what_is_not_shared_is_refused() {
    let mut memory = users(3);
    for line in [
        "apply --jobs 2 --dry-run",
        "apply --share --checkpoint none",
        "apply --jobs 0",
        "apply --jobs 65",
    ] {
        memory.fails(2, line);
    }
    let ended = memory.call("verify", &json!({"share": true}));
    assert!(
        ended.err.contains("share is an option of apply alone"),
        "{ended:?}"
    );
    let ended = memory.call("apply", &json!({"share": true, "dry_run": true}));
    assert!(ended.err.contains("share is for apply"), "{ended:?}");
}

#[test]
fn settings_come_back_also_where_nobody_can_be_told() {
    for command in ["apply", "census", "plan", "verify"] {
        let mut memory = users(50);
        sql(&memory, "PRAGMA busy_timeout = 4321");
        memory.broken_errors = Some("began");
        let ended = memory.run(&format!("{command} --json --statement-timeout 77"));
        assert_ne!(ended.code, 0, "{ended:?}");
        assert_eq!(text(&memory, "PRAGMA busy_timeout"), "4321", "{command}");
    }
}
