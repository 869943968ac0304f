//! What `inspect` tells of values in the formats of other systems: the vectors of those systems.

use serde_json::{Value, json};

use crate::host::{Memory, stored, vector};

/// What is printed for a value, as text and as JSON.
fn inspected(value: &str) -> (String, Value) {
    let mut memory = Memory::new();
    let mut run = |line: &str| {
        memory.input = vec![value.as_bytes().to_vec()];
        memory.ok(line)
    };
    let text = run("inspect").trim_end().to_owned();
    (text, serde_json::from_str(&run("inspect --json")).unwrap())
}

#[test]
fn every_system_is_named_with_its_key_where_the_value_shows_one() {
    for (system, id, expected) in [
        ("fernet", "spec-generate", "fernet fernet, sure"),
        ("rails", "rails-pub-01", "rails json, sure"),
        ("rails", "rails-pub-10", "rails json key 4852, sure"),
        ("metabase", "metabase-pub-03", "metabase legacy, maybe"),
        ("metabase", "metabase-pub-16", "metabase v2 key 1, sure"),
        ("n8n", "cbc-ascii", "n8n cbc, sure"),
        (
            "n8n",
            "gcm-ascii",
            "n8n prefixed-gcm key bEc5AmLGiLrtdybl, sure",
        ),
        ("freeboard", "freeboard-pub-01", "freeboard gcm, sure"),
        (
            "sentry",
            "text-ascii",
            "sentry fernet key key_2024_02, sure",
        ),
        ("sentry", "plaintext-ascii", "sentry plaintext, sure"),
    ] {
        let (text, line) = inspected(&stored(&vector(system, id)));
        let first = text.split("; ").next().unwrap();
        assert_eq!(first, expected, "{id}: {text}");
        let format = &line["formats"][0];
        assert_eq!(
            (&line["ok"], &format["kind"]),
            (&json!(true), &json!(system))
        );
        let sure = expected.rsplit(' ').next().unwrap();
        assert_eq!(format["certainty"], sure);
        assert_eq!(
            format["key"].is_null(),
            !expected.contains(" key "),
            "{line}"
        );
    }
}

#[test]
fn the_surest_comes_first_and_all_are_named() {
    let mut memory = Memory::new();
    // A Fernet token of another age is also 64 bytes or more of base64, 16 at a time or not.
    let mut all = Vec::new();
    for system in ["fernet", "metabase", "n8n", "sentry", "freeboard", "rails"] {
        for case in crate::host::vectors(system) {
            let value = stored(&case);
            if value.is_empty() || value.contains('\n') {
                continue;
            }
            memory.input = vec![value.into_bytes()];
            let ended = memory.run("inspect --json");
            let line: Value = serde_json::from_str(&ended.out).unwrap();
            if line["ok"] == true {
                let formats = line["formats"].as_array().unwrap().clone();
                all.push(formats);
            } else {
                assert_eq!(ended.code, 1);
            }
        }
    }
    assert!(all.len() > 100, "{}", all.len());
    assert!(all.iter().any(|formats| formats.len() > 1));
    for formats in all {
        let certainties: Vec<_> = formats.iter().map(|it| it["certainty"].as_str()).collect();
        assert!(
            certainties.windows(2).all(|pair| pair[0] >= pair[1]),
            "{certainties:?}"
        );
    }
}

#[test]
fn bytes_are_read_as_psql_prints_them() {
    let case = vector("rails", "rails-pub-17");
    let base64 = case["ciphertext"]["value"].as_str().unwrap();
    let bytes = data_encoding::BASE64.decode(base64.as_bytes()).unwrap();
    let hex = data_encoding::HEXLOWER.encode(&bytes);
    let (text, _) = inspected(&format!("\\x{hex}"));
    assert_eq!(text, "rails message-pack+ascii-8bit, sure");
    Memory::new().fails(1, &format!("inspect {hex}"));
    Memory::new().fails(1, "inspect \\xzz \\x \\x00");
}

#[test]
fn what_is_in_no_format_is_refused_as_before() {
    let mut memory = Memory::new();
    memory.input = vec![b"078-05-1120\n\n{\"a\":1}\nrs2.x\nenc:fernet:k:x\n".to_vec()];
    let ended = memory.run("inspect");
    assert_eq!(ended.code, 1);
    assert_eq!(ended.out, "\n\n\n\nsentry fernet key k, sure\n");
    let refused: Vec<_> = ended.err.lines().collect();
    assert_eq!(refused.len(), 4, "{refused:?}");
    assert!(refused[0].ends_with("as far as it shows, it is plain [not-envelope]"));
    assert!(!ended.err.contains("078"));
}

#[test]
fn the_key_of_a_value_steers_no_terminal_and_adds_no_line() {
    let value = "enc:fernet:a\u{1b}[2Jb\u{202e}:Z0FB";
    let (text, line) = inspected(value);
    assert!(
        !text.contains(|c: char| c.is_control() || c == '\u{202e}'),
        "{text:?}"
    );
    assert_eq!(line["formats"][0]["key"], "a\u{1b}[2Jb\u{202e}");
}
