//! `reseal manifest check`.

use serde_json::{Value, json};

use crate::host::Memory;

const VALID: &str = "version = 1
[codecs.app]
kind = 'reseal'
keyring = 'env'
[[columns]]
table = 'users'
column = 'ssn'
row_id = ['id']
context = { table = 'users', column = 'ssn' }
write = 'app'
";

fn with(text: &str) -> Memory {
    let mut memory = Memory::new();
    memory.add("reseal.toml", text);
    memory
}

fn report(memory: &mut Memory, code: u8) -> Value {
    let ended = memory.run("manifest check --json");
    assert_eq!(
        (ended.code, ended.err.as_str()),
        (code, ""),
        "{}",
        ended.out
    );
    serde_json::from_str(&ended.out).unwrap()
}

#[test]
fn a_valid_manifest_needs_no_key_and_no_variable() {
    let mut memory = with(VALID);
    assert_eq!(memory.ok("manifest check"), "0 errors, 0 warnings\n");
    let expected =
        json!({"valid": true, "file": "reseal.toml", "errors": [], "more": false, "warnings": []});
    assert_eq!(report(&mut memory, 0), expected);
    memory.add("other.toml", VALID);
    memory.files.remove("reseal.toml");
    memory.ok("manifest check other.toml");
    let said = memory.fails(4, "manifest check");
    assert!(said.ends_with("[source-unreadable]\n"), "{said}");
}

#[test]
fn every_problem_has_its_place_on_a_line_of_its_own() {
    let text = VALID.replace("'app'\n", "'ap'\nmode = 'rndom'\n") + "colum = true\n";
    let mut memory = with(&text);
    let ended = memory.run("manifest check");
    assert_eq!((ended.code, ended.err.as_str()), (2, ""));
    assert_eq!(
        ended.out,
        "reseal.toml:10:9: error: columns[0].write: there is no codec \"ap\"; did you mean \"app\"? [manifest-invalid]
reseal.toml:11:8: error: columns[0].mode: there is no mode \"rndom\"; did you mean \"random\"? [manifest-invalid]
reseal.toml:12:1: error: columns[0].colum: there is no member \"colum\" of a column; did you mean \"column\"? [manifest-invalid]
3 errors, 0 warnings
"
    );
    let found = report(&mut memory, 2);
    assert_eq!(found["errors"].as_array().unwrap().len(), 3);
    assert_eq!(found["errors"][1]["place"], "columns[0].mode");
    assert_eq!(
        (&found["errors"][1]["line"], &found["errors"][1]["column"]),
        (&json!(11), &json!(8))
    );
    assert_eq!(found["errors"][1]["code"], "manifest-invalid");
}

#[test]
fn what_is_no_toml_and_another_version() {
    let out = with("version = 1\n[codecs\n").run("manifest check").out;
    assert!(
        out.starts_with("reseal.toml:2:8: error: this is no TOML: "),
        "{out}"
    );
    let found = report(&mut with("version = 2\n"), 2);
    assert_eq!(found["errors"][0]["code"], "unsupported-version");
    let mut memory = Memory::new();
    memory.add("reseal.toml", b"version = 1 # \xff");
    let said = memory.fails(2, "manifest check");
    assert!(
        said.contains("no text (UTF-8) [manifest-invalid]"),
        "{said}"
    );
}

#[test]
fn more_problems_than_are_told() {
    let lines: Vec<_> = (0..30).map(|number| format!("a{number} = 1")).collect();
    let mut memory = with(&("version = 1\n".to_owned() + &lines.join("\n")));
    let out = memory.run("manifest check").out;
    assert!(out.ends_with("20 errors and more, 0 warnings\n"), "{out}");
    assert_eq!(report(&mut memory, 2)["more"], true);
}

#[test]
fn warnings_alone_are_shown_and_give_0() {
    let mut memory = with(&VALID.replace("'app'\n", "'plain'\n"));
    let out = memory.ok("manifest check");
    let levels: Vec<_> = out
        .lines()
        .map(|line| line.contains(": warning: "))
        .collect();
    assert_eq!(levels, [true, true, false], "{out}");
    assert!(out.ends_with("0 errors, 2 warnings\n"), "{out}");
    let found = report(&mut memory, 0);
    assert_eq!(found["warnings"].as_array().unwrap().len(), 2);
    assert_eq!(found["warnings"][0].get("code"), None);
}

#[test]
fn plaintext_where_encryption_is_required() {
    let text = VALID.replace("'app'\n", "'plain'\nread = ['app']\n");
    let mut memory = with(&text);
    for (value, code) in [("1", 2), ("yes", 2), ("", 0), (" ", 0), ("0", 0)] {
        memory.set("RESEAL_REQUIRE_ENCRYPTION", value);
        assert_eq!(memory.run("manifest check").code, code, "{value:?}");
    }
    memory.set("RESEAL_REQUIRE_ENCRYPTION", "1");
    assert_eq!(
        memory.run("manifest check").out,
        "reseal.toml:10:9: error: columns[0].write: plain writes plaintext, and encryption is required here (RESEAL_REQUIRE_ENCRYPTION) [encryption-required]
1 error, 0 warnings
"
    );
    let found = report(&mut memory, 2);
    assert_eq!(
        (&found["valid"], &found["errors"][0]["code"]),
        (&json!(false), &json!("encryption-required"))
    );
    assert_eq!(with(VALID).run("manifest check").code, 0);
    // It is no variable of a key source, and no mistyped one either.
    let findings = memory.run("doctor").out;
    assert!(!findings.contains("REQUIRE_ENCRYPTION"), "{findings}");
}

#[test]
fn a_secret_in_the_manifest_and_a_name_that_steers_are_not_shown() {
    let text = format!(
        "version = 1\n[codecs.\"a\\u001b[2J\"]\nkind = 'fernet'\nkeys = ['cw_0x689RpI-jtRR7oE8h']\n{}",
        "[[columns]]\ntable = \"\\u001b\"\n"
    );
    for line in ["manifest check", "manifest check --json"] {
        let ended = with(&text).run(line);
        assert_eq!(ended.code, 2);
        assert!(!ended.out.contains("cw_0x689"), "{}", ended.out);
        assert!(!ended.out.contains('\u{1b}'), "{:?}", ended.out);
    }
    let ended = Memory::new().run("manifest check a\u{1b}[2J");
    assert!(!ended.err.contains('\u{1b}'), "{:?}", ended.err);
}
