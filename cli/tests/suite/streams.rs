//! Standard streams: in pieces, broken, empty.

use reseal::KeyUse;
use reseal_cli::HostFailure;

use crate::host::{Memory, key};

fn with_ring() -> Memory {
    let mut memory = Memory::new();
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    memory
}

#[test]
fn values_come_in_any_pieces_and_leave_line_by_line() {
    let mut memory = with_ring();
    memory.input = vec![
        b"on".to_vec(),
        b"e\ntw".to_vec(),
        b"o\r\n\nla".to_vec(),
        b"st".to_vec(),
    ];
    let sealed = memory.ok("seal --mode deterministic");
    assert_eq!(sealed.lines().count(), 4);
    memory.input = sealed.bytes().map(|byte| vec![byte]).collect();
    assert_eq!(memory.ok("open"), "one\ntwo\n\nlast\n");
    assert_eq!(memory.ok("open"), "");
}

#[test]
fn a_refused_value_leaves_an_empty_line_and_the_others_are_done() {
    let mut memory = with_ring();
    let sealed = memory.ok("seal --context a=b one two");
    let sealed: Vec<&str> = sealed.lines().collect();
    let lines = [sealed[0], "junk", "", "\u{1F600}", sealed[1]].join("\n");
    memory.input = vec![lines.into_bytes(), b"\n\xFF\xFE".to_vec()];
    let ended = memory.run("open --context a=b");
    assert_eq!(ended.code, 1);
    assert_eq!(ended.out, "one\n\n\n\ntwo\n\n");
    let codes: Vec<_> = ended
        .err
        .lines()
        .map(|line| line.rsplit(' ').next().unwrap())
        .collect();
    assert_eq!(
        codes,
        [
            "[not-envelope]",
            "[not-envelope]",
            "[not-envelope]",
            "[invalid-text]"
        ]
    );
    assert!(ended.err.starts_with("error: value 2: "), "{}", ended.err);
}

#[test]
fn json_lines_carry_contexts_and_ids() {
    let mut memory = with_ring();
    memory.input = vec![
        br#"{"id":"a","value":"one","context":{"row":1}}
{"id":18446744073709551615,"value":"two","context":{"row":-2}}
{"value":null,"id":-3}
{"value":"three","context":{"table":"other"}}
nonsense
"#
        .to_vec(),
    ];
    let ended = memory.run("seal --jsonl --json --context table=users");
    assert_eq!(ended.code, 1);
    assert_eq!(ended.err, "");
    let lines: Vec<serde_json::Value> = ended
        .out
        .lines()
        .map(|line| serde_json::from_str(line).unwrap())
        .collect();
    let seen: Vec<_> = lines
        .iter()
        .map(|line| (&line["id"], &line["ok"], &line["code"]))
        .collect();
    let text = serde_json::to_string(&seen).unwrap();
    assert_eq!(
        text,
        r#"[["a",true,null],[18446744073709551615,true,null],[-3,false,"invalid-argument"],[null,false,"context-invalid"],[null,false,"invalid-argument"]]"#
    );
    let value = lines[0]["value"].as_str().unwrap();
    assert_eq!(
        memory.ok(&format!("open -c table=users -c row=1 {value}")),
        "one\n"
    );
    memory.fails(1, &format!("open -c table=users -c row=2 {value}"));
}

#[test]
fn without_a_primary_nothing_is_tried() {
    let mut memory = Memory::with_kek();
    memory.ok("keyset init --empty");
    memory.input = vec![b"one\ntwo\n".to_vec()];
    let ended = memory.run("seal");
    assert_eq!((ended.code, ended.out.as_str()), (3, ""));
    assert_eq!(ended.err.matches("[no-primary]").count(), 1);
}

#[test]
fn a_reader_that_goes_away_ends_the_command_without_a_word() {
    let mut memory = with_ring();
    memory.broken_output = Some(|| HostFailure::Stopped);
    memory.input = vec![b"one\n".to_vec(); 100_000];
    let ended = memory.run("inspect");
    assert_eq!((ended.code, ended.err.as_str()), (130, ""));
    assert!(!memory.input.is_empty());
}

#[test]
fn an_output_that_fails_is_said_and_is_no_success() {
    let mut memory = with_ring();
    memory.broken_output = Some(|| HostFailure::Stream("standard output is full".to_owned()));
    for line in [
        "seal a",
        "--help",
        "completion bash",
        "keys new",
        "inspect a",
    ] {
        let ended = memory.run(line);
        assert_eq!(ended.code, 4, "{line}");
        assert!(
            ended
                .err
                .ends_with("error: standard output is full [stream]\n"),
            "{ended:?}"
        );
    }
}

#[test]
fn errors_are_json_where_it_is_asked_for() {
    let mut memory = Memory::new();
    for (line, code, exit) in [
        ("--json", "usage", 2),
        ("keyset promote --json", "usage", 2),
        ("keyset --json frobnicate", "usage", 2),
        ("seal a --json", "source-missing", 3),
        ("keyset show --json --keyset none", "source-unreadable", 4),
        ("seal --json -c A=b x", "context-invalid", 2),
    ] {
        let ended = memory.run(line);
        assert_eq!(ended.code, exit, "{line}: {ended:?}");
        assert_eq!(ended.out, "", "{line}");
        let error: serde_json::Value = serde_json::from_str(&ended.err).unwrap();
        assert_eq!(error["error"]["code"], code, "{line}");
        assert_eq!(error["error"]["exit"], exit, "{line}");
        assert!(!error["error"]["message"].as_str().unwrap().is_empty());
    }
    // What follows -- is a value.
    assert!(
        memory
            .fails(1, "inspect -- --json")
            .starts_with("error: value 1")
    );
}

#[test]
fn warnings_of_the_host_come_before_the_result() {
    let mut memory = with_ring();
    memory.warnings = vec!["a file is open to all".to_owned()];
    let ended = memory.run("seal a");
    assert_eq!(ended.err, "warning: a file is open to all\n");
    memory.warnings = vec!["a file is open to all".to_owned()];
    let ended = memory.run("seal a --json");
    assert_eq!(ended.err, "{\"warning\":\"a file is open to all\"}\n");
}
