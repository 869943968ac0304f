//! Documents that are no keyset: the rules of the schema.

use super::{add, code, keyset, load, store};
use crate::common::key;
use reseal::{Argon2id, ErrorCode, ExternalKek, KeyUse, NewKek};

/// Rules of the schema, each broken alone in a document that is good otherwise.
#[test]
#[expect(clippy::too_many_lines, reason = "a table")]
fn each_rule_of_the_schema_is_checked_by_itself() {
    let (mut keyset, kek, first) = keyset(60);
    let argon2id = Argon2id::new(19_456, 2, 1, &[0; 16]).unwrap();
    let passphrase = NewKek::derived(key(KeyUse::Kek), argon2id).unwrap();
    keyset.add_kek(passphrase).unwrap();
    let external = ExternalKek {
        provider: "vault".to_owned(),
        reference: "r".to_owned(),
        blob: vec![0; 8192],
    };
    keyset
        .add_kek(NewKek::external(key(KeyUse::Kek), external).unwrap())
        .unwrap();
    let good = store(&mut keyset, 1);
    assert!(load(&good, &[&kek]).is_ok());
    let mac = good.rsplit('"').nth(1).unwrap();
    let salt = "A".repeat(22);
    let blob = good
        .split("\"blob\": \"")
        .nth(1)
        .unwrap()
        .split('"')
        .next()
        .unwrap();
    let (first, kek_id) = (first.to_string(), kek.id().to_string());
    // The last character of 43 carries four bits: two more must be zero.
    let loose_mac = format!(
        "{}{}",
        &mac[..42],
        if mac.ends_with('B') { 'C' } else { 'B' }
    );
    let longer_blob = format!("{blob}AA");
    let cases: Vec<(&str, &str, String)> = vec![
        ("base64url that is not canonical", mac, loose_mac),
        (
            "too little memory",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 19455".to_owned(),
        ),
        (
            "too much memory",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 1048577".to_owned(),
        ),
        (
            "a terabyte",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 1073741824".to_owned(),
        ),
        (
            "a fraction",
            "\"memory_kib\": 19456",
            "\"memory_kib\": 19456.0".to_owned(),
        ),
        (
            "a salt in another alphabet",
            &salt,
            format!("{}+", "A".repeat(21)),
        ),
        (
            "a salt with bits left over",
            &salt,
            format!("{}B", "A".repeat(21)),
        ),
        ("a blob of 8193 bytes", blob, longer_blob),
        ("a key id in capitals", &first, first.to_uppercase()),
        ("a KEK id in capitals", &kek_id, kek_id.to_uppercase()),
        ("a KEK id that is cut", &kek_id, kek_id[..31].to_owned()),
        (
            "an escaped lone surrogate",
            "\"label\": \"\"",
            "\"label\": \"\\ud800\"".to_owned(),
        ),
        (
            "a number with a zero before it",
            "\"generation\": 2",
            "\"generation\": 02".to_owned(),
        ),
        (
            "a large number",
            "\"generation\": 2",
            "\"generation\": 9007199254740992".to_owned(),
        ),
        (
            "a member twice",
            "\"generation\": 2",
            "\"generation\": 2, \"generation\": 2".to_owned(),
        ),
        ("something after it", "}\n", "}\n{}".to_owned()),
        (
            "a huge version",
            "\"version\": 1",
            "\"version\": 9007199254740992".to_owned(),
        ),
    ];
    for (what, from, to) in cases {
        let bad = match what {
            "something after it" => format!("{good}{{}}"),
            "a huge version" => good.replacen(from, &to, 1),
            _ => good.replace(from, &to),
        };
        assert_ne!(bad, good, "{what}");
        assert_eq!(
            code(load(&bad, &[&kek])),
            ErrorCode::KeysetMalformed,
            "{what}"
        );
    }
    for version in ["0", "2", "9007199254740991"] {
        let bad = good.replacen("\"version\": 1", &format!("\"version\": {version}"), 1);
        assert_eq!(code(load(&bad, &[&kek])), ErrorCode::UnsupportedVersion);
    }
    let none = "{\"format\":\"reseal-keyset\",\"version\":1,\"ring\":\"aaaaaaaaaaaaaaaaaaaaaaaaaa\",\"generation\":1,\"issued\":\"2026-11-20T00:00:00Z\",\"lease_seconds\":0,\"primary\":{},\"keks\":[],\"keys\":[],\"macs\":{}}";
    assert_eq!(
        code(load(none, &[&kek])),
        ErrorCode::KeysetMalformed,
        "no KEK"
    );
    let deep = "[".repeat(100_000);
    assert_eq!(
        code(load(&deep, &[&kek])),
        ErrorCode::KeysetMalformed,
        "depth"
    );
}

#[test]
fn two_primaries_of_one_use_are_no_keyset() {
    let (mut keyset, kek, first) = keyset(0);
    let second = add(&mut keyset, KeyUse::Data, 1);
    let good = store(&mut keyset, 1);
    let both = good.replace("\"introduced\"", "\"primary\"");
    assert_eq!(code(load(&both, &[&kek])), ErrorCode::KeysetMalformed);
    // Also where `primary` names the second one of the two.
    let (head, keys) = both.split_once("\"keks\"").unwrap();
    let head = head.replace(&first.to_string(), &second.to_string());
    let other = format!("{head}\"keks\"{keys}");
    assert_eq!(code(load(&other, &[&kek])), ErrorCode::KeysetMalformed);
}
