//! The files of other systems, of typed values and of manifests: every case counts, and a changed case fails.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use reseal_testkit::vectors::{Report, run_file};
use serde_json::{Value, json};
use std::{fs, path::Path};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors");
const FILES: [(&str, usize); 13] = [
    ("fernet/public", 53),
    ("sentry/public", 42),
    ("rails/public", 25),
    ("metabase/public", 19),
    ("n8n/public", 52),
    ("freeboard/public", 12),
    ("django-fernet/public", 18),
    ("fernet-fields/public", 12),
    ("django-cryptography/public", 115),
    ("sqlalchemy-utils/public", 42),
    ("values/v1", 188),
    ("manifest/v1", 106),
    ("rails/own", 22),
];

#[test]
fn each_file_has_its_number_of_cases() {
    for (name, cases) in FILES {
        let path = Path::new(ROOT).join(format!("{name}.json"));
        let report = run_file(&path, 0).unwrap();
        assert_eq!(report.failed, [] as [&str; 0], "{name}");
        assert_eq!((report.run(), report.left_out.len()), (cases, 0), "{name}");
    }
}

/// A change of a case: its file, its id, the member and what it becomes.
const CHANGES: [(&str, &str, &str, &str); 58] = [
    ("django-fernet", "ascii", "/plaintext", r#""other""#),
    ("django-fernet", "ascii", "/current", "false"),
    ("django-fernet", "json", "/returned/a", r#""2""#),
    ("django-fernet", "changed", "/code", r#""malformed""#),
    ("fernet-fields", "prefix", "/prefix", r#""another""#),
    ("fernet-fields", "without-hkdf", "/hkdf", "true"),
    ("django-cryptography", "str", "/field", r#""json""#),
    ("django-cryptography", "date", "/code", r#""malformed""#),
    (
        "sqlalchemy-utils",
        "aes-pkcs5-ascii",
        "/padding",
        r#""zeroes""#,
    ),
    ("sqlalchemy-utils", "aesgcm-ascii", "/engine", r#""aes""#),
    (
        "sqlalchemy-utils",
        "aes-oneandzeroes-unicode",
        "/lossy",
        "false",
    ),
    ("fernet", "no-padding", "/op", r#""guess""#),
    ("fernet", "no-padding", "/expect", r#""perhaps""#),
    ("fernet", "no-padding", "/expect", r#""ok_lenient""#),
    ("fernet", "key-empty", "/expect", r#""ok""#),
    ("fernet", "lenient-trailing-newline", "/expect", r#""ok""#),
    (
        "fernet",
        "lenient-trailing-newline",
        "/plaintext",
        r#""other""#,
    ),
    ("fernet", "multifernet-rotate", "/iv_hex", r#""00""#),
    ("fernet", "multifernet-rotate", "/plaintext", r#""other""#),
    ("fernet", "spec-invalid-0", "/expect_without_ttl", r#""ok""#),
    (
        "fernet",
        "spec-invalid-6",
        "/expect_without_ttl",
        r#""error""#,
    ),
    ("sentry", "text-ascii", "/op", r#""guess""#),
    (
        "sentry",
        "text-ascii",
        "/token_iv_hex",
        r#""e7bc16537d0d746ea1a7b513c2061a45""#,
    ),
    ("sentry", "text-ascii", "/token_timestamp", "1795197803"),
    ("sentry", "text-ascii", "/plaintext", r#""other""#),
    ("sentry", "text-ascii", "/field", r#""json""#),
    (
        "sentry",
        "text-ascii",
        "/strict_class",
        r#""double_encrypted""#,
    ),
    (
        "sentry",
        "unknown-key-id",
        "/strict_class",
        r#""invalid_token""#,
    ),
    ("sentry", "tink-marker", "/strict_class", r#""wishful""#),
    (
        "sentry",
        "json-wrapper-holding-unmarked-json",
        "/plaintext_json",
        r#"{"a": 2}"#,
    ),
    (
        "sentry",
        "key-directory",
        "/loaded_key_ids",
        r#"["good_1"]"#,
    ),
    ("rails", "rails-pub-01", "/kind", r#""guess""#),
    ("rails", "rails-pub-01", "/plaintext/value", r#""other""#),
    ("rails", "rails-pub-01", "/plaintext/encoding", r#""rot13""#),
    ("rails", "rails-pub-01", "/column", r#""blob""#),
    (
        "rails",
        "rails-pub-01",
        "/attribute",
        r#"{"surprise": true}"#,
    ),
    (
        "rails",
        "rails-pub-01",
        "/settings/key_provider",
        r#""other""#,
    ),
    (
        "rails",
        "rails-pub-01",
        "/settings/hash_digest_class",
        r#""SHA1""#,
    ),
    ("rails", "rails-pub-03", "/plaintext/value", r#""other""#),
    ("rails", "rails-pub-16", "/kind", r#""decrypt""#),
    ("rails", "rails-pub-20", "/id", r#""rails-pub-19""#),
    ("metabase", "metabase-pub-02", "/keys/kek_hex", r#""00""#),
    ("metabase", "metabase-pub-04", "/kind", r#""guess""#),
    (
        "metabase",
        "metabase-pub-04",
        "/settings/format",
        r#""v2-envelope""#,
    ),
    (
        "metabase",
        "metabase-pub-04",
        "/settings/container",
        r#""drawer""#,
    ),
    ("metabase", "metabase-pub-12", "/kind", r#""passthrough""#),
    (
        "metabase",
        "metabase-pub-14",
        "/settings/aad",
        r#""setting.other""#,
    ),
    (
        "metabase",
        "metabase-pub-19",
        "/keys/secret_key",
        r#""sixteen characters""#,
    ),
    ("n8n", "api-metadata", "/ciphertext", r#""a value""#),
    ("n8n", "cbc-truncated", "/op", r#""guess""#),
    ("n8n", "cbc-truncated", "/id", r#""gcm-bad-version""#),
    ("n8n", "cbc-truncated", "/expect", r#""perhaps""#),
    (
        "n8n",
        "cbc-tampered-undetected",
        "/n8n_returns",
        r#""other""#,
    ),
    ("n8n", "dek-wrapped-gcm", "/salt_hex", r#""00""#),
    (
        "n8n",
        "dek-raw-instance-key",
        "/repaired_value",
        r#""AAAA""#,
    ),
    (
        "freeboard",
        "freeboard-pub-10",
        "/plaintext/value",
        r#""other""#,
    ),
    (
        "freeboard",
        "freeboard-pub-10",
        "/kind",
        r#""decrypt_fail""#,
    ),
    (
        "freeboard",
        "freeboard-pub-09",
        "/ciphertext/algorithm",
        r#""aes-256-gcm""#,
    ),
];

#[test]
fn a_changed_case_fails_and_stops_no_other() {
    for (system, id, member, value) in CHANGES {
        let mut case = case(system, id);
        let changed = serde_json::from_str(value).unwrap();
        match case.pointer_mut(member) {
            Some(member) => *member = changed,
            None => case[member.trim_start_matches('/')] = changed,
        }
        let untouched = json!({ "id": "a" });
        let file =
            json!({ "system": system, "vectors": [untouched, case, self::case(system, id)] });
        let report = run(&format!("{system} changed"), &file).unwrap();
        assert_eq!(
            (report.passed, report.failed.len()),
            (1, 2),
            "{id} {member} {value}"
        );
    }
}

#[test]
fn a_changed_typed_value_fails() {
    for (case, passes) in [
        (
            json!({ "id": "a", "type": "integer", "input": "+1", "canonical": "+1" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "1", "canonical": "1" }),
            true,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "1", "canonical": "2" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "x", "canonical": "x" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "x", "expect": "value-invalid" }),
            true,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "x", "expect": "malformed" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "1", "expect": "value-invalid" }),
            false,
        ),
        (json!({ "id": "a", "type": "integer", "input": "1" }), false),
        (
            json!({ "id": "a", "type": "number", "input": "1", "canonical": "1" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "mode": "odd", "input": "1", "canonical": "1" }),
            false,
        ),
        (
            json!({ "id": "a", "type": "integer", "input": "1", "canonical": "1", "more": 1 }),
            false,
        ),
        (json!([]), false),
    ] {
        let file = json!({ "values": "v1", "cases": [case] });
        let report = run("values changed", &file).unwrap();
        assert_eq!(
            (report.run(), report.passed),
            (1, usize::from(passes)),
            "{file}"
        );
    }
}

#[test]
fn a_changed_manifest_fails() {
    let path = Path::new(ROOT).join("manifest/v1.json");
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let cases = file["cases"].as_array().unwrap();
    let case = |id: &str| cases.iter().find(|case| case["id"] == id).unwrap().clone();
    for (id, member, value) in [
        ("every-kind-and-option", "/toml", json!("version = 1")),
        (
            "every-kind-and-option",
            "/valid/codecs/0/kind",
            json!("rails"),
        ),
        (
            "every-kind-and-option",
            "/valid/columns/0/context/tenant",
            json!("tenant_id"),
        ),
        (
            "every-kind-and-option",
            "/valid/columns/0/earlier_contexts/0/column",
            json!("other"),
        ),
        (
            "every-kind-and-option",
            "/valid/columns/0/indexes/0/bits",
            json!(8),
        ),
        (
            "every-kind-and-option",
            "/valid/columns/0/path",
            json!("$.codes"),
        ),
        ("every-kind-and-option", "/invalid", json!({})),
        ("six-warnings", "/valid/warnings/5", json!("another one")),
        (
            "one-column-twice",
            "/invalid/code",
            json!("unsupported-version"),
        ),
        (
            "one-column-twice",
            "/invalid/message",
            json!("the manifest is not valid"),
        ),
        ("one-column-twice", "/invalid", json!(null)),
        ("nothing-but-a-version", "/valid", json!(null)),
        ("nothing-but-a-version", "/more", json!(1)),
    ] {
        let mut changed = case(id);
        match changed.pointer_mut(member) {
            Some(member) => *member = value,
            None => changed[member.trim_start_matches('/')] = value,
        }
        let file = json!({ "format": "reseal-manifest-v1", "cases": [changed, case(id)] });
        let report = run("manifests changed", &file).unwrap();
        assert_eq!(
            (report.passed, report.failed.len()),
            (1, 1),
            "{id} {member}"
        );
    }
}

#[test]
fn an_unknown_system_group_or_case_is_refused() {
    for file in [
        json!({ "system": "fernet" }),
        json!({ "system": "vault", "vectors": [] }),
        json!({ "system": "fernet", "vectors": [], "negative": [] }),
        json!({ "values": "v1", "cases": [], "more": [] }),
        json!({ "values": "v2", "cases": [] }),
        json!({ "format": "reseal-manifest-v1", "cases": [], "more": [] }),
        json!({ "format": "reseal-manifest-v2", "cases": [] }),
    ] {
        assert!(run("unknown", &file).is_err(), "{file}");
    }
    for (system, _) in &FILES[..10] {
        let system = system.split_once('/').unwrap().0;
        let cases = [json!(null), json!("text"), json!({}), json!({ "id": "a" })];
        let report = run("no case", &json!({ "system": system, "vectors": cases })).unwrap();
        assert_eq!((report.passed, report.failed.len()), (0, 4), "{system}");
    }
}

fn case(system: &str, id: &str) -> Value {
    let path = Path::new(ROOT).join(format!("{system}/public.json"));
    let file: Value = serde_json::from_str(&fs::read_to_string(path).unwrap()).unwrap();
    let mut cases = file["vectors"].as_array().unwrap().iter();
    cases.find(|case| case["id"] == id).unwrap().clone()
}

fn run(name: &str, file: &Value) -> Result<Report, String> {
    let path = Path::new(env!("CARGO_TARGET_TMPDIR")).join(format!("systems {name}.json"));
    fs::write(&path, file.to_string()).unwrap();
    run_file(&path, 0)
}
