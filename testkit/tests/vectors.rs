//! Every file of `spec/vectors/` passes, and as many cases run as the files hold.

#![expect(
    clippy::unwrap_used,
    clippy::indexing_slicing,
    reason = "a test that panics is a test that fails"
)]

use reseal_testkit::vectors::run_file;
use serde_json::Value;
use std::{
    fs,
    path::{Path, PathBuf},
};

const ROOT: &str = concat!(env!("CARGO_MANIFEST_DIR"), "/../spec/vectors");

#[test]
fn all_files_pass_and_every_case_runs() {
    let files = files(Path::new(ROOT));
    assert!(files.len() >= 5, "{files:?}");
    for file in files {
        let report = run_file(&file, 10_000).unwrap();
        assert_eq!(report.failed, [] as [&str; 0], "{}", file.display());
        let left_out: usize = report.left_out.iter().map(|(cases, _)| cases).sum();
        assert_eq!(report.run() + left_out, cases(&file), "{}", file.display());
        assert!(report.run() > 0, "{}", file.display());
    }
}

#[test]
fn a_broken_file_fails() {
    let text = fs::read_to_string(Path::new(ROOT).join("reseal/v1.json")).unwrap();
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, from, to) in [
        (
            "plaintext",
            "\"plaintext\": \"b3\"",
            "\"plaintext\": \"b4\"",
        ),
        (
            "expectation",
            "\"expect\": \"Malformed\"",
            "\"expect\": \"AuthFailed\"",
        ),
        ("term", "rx1.zdc5dnkc.fi", "rx1.zdc5dnkc.fa"),
        ("key text", "lW3zxPmfq", "lW3zxPmfr"),
        ("kek", "ljurzoPdbiomYMuT", "ljurzoPdbiomYMuU"),
        ("passphrase", "correct horse", "wrong horse"),
        ("wrap", "\"kek\": \"kek2\"", "\"kek\": \"kek3\""),
        ("keyset label", "\"2026-q4\"", "\"2026-q5\""),
    ] {
        let broken = text
            .replace(from, to)
            .replace(&from.replace(": ", ":"), &to.replace(": ", ":"));
        assert_ne!(broken, text, "{name}");
        let path = folder.join(format!("{name}.json"));
        fs::write(&path, broken).unwrap();
        let report = run_file(&path, 0);
        assert!(
            report.is_err() || report.is_ok_and(|report| !report.failed.is_empty()),
            "{name}"
        );
    }
}

#[test]
fn an_unknown_shape_or_group_is_refused() {
    let folder = Path::new(env!("CARGO_TARGET_TMPDIR"));
    for (name, text) in [
        ("shape", r#"{"format":"RS9 vectors"}"#),
        ("group", r#"{"format":"RS1 vectors","surprise":[]}"#),
        ("no object", "[]"),
        ("no json", "{"),
    ] {
        let path = folder.join(format!("unknown {name}.json"));
        fs::write(&path, text).unwrap();
        assert!(run_file(&path, 0).is_err(), "{name}");
    }
}

/// A wrong tag, a missing padding marker and a foreign nonce in mode d: one and the same error.
#[test]
fn whatever_depends_on_a_secret_is_one_error() {
    let text = fs::read_to_string(Path::new(ROOT).join("reseal/v1.json")).unwrap();
    let file: Value = serde_json::from_str(&text).unwrap();
    let bytes = |value: &Value| {
        data_encoding::HEXLOWER
            .decode(value.as_str().unwrap().as_bytes())
            .unwrap()
    };
    let key = reseal::Key::from_bytes(reseal::KeyUse::Data, &bytes(&file["keys"]["A"]["secret"]))
        .unwrap();
    let ring = reseal::Keyring::builder().primary(key).build().unwrap();
    let cases = file["negative"].as_array().unwrap();
    let error = |id: &str| {
        let case = cases.iter().find(|case| case["id"] == id).unwrap();
        let pairs = case["context"].as_array().unwrap().iter();
        let context = pairs.fold(reseal::Context::new(), |context, pair| {
            context
                .with(pair[0].as_str().unwrap(), bytes(&pair[1]))
                .unwrap()
        });
        ring.open_binary(&bytes(&case["binary"]), &context)
            .unwrap_err()
    };
    for id in [
        "n-pad-none",
        "n-pad-junk",
        "n-det-foreign-nonce",
        "n-det-ct",
    ] {
        assert_eq!(error(id), error("n-tag"), "{id}");
    }
}

/// Two values of one salt under two keys, opened in one batch.
#[test]
fn a_batch_that_opens_takes_the_key_of_each_value() {
    use reseal::{
        Context, EntropyKind, Key, KeyUse, Keyring, Mode, OpenBatch, hazmat::FixedEntropy,
    };
    let keys = [[1; 32], [2; 32]].map(|bytes| Key::from_bytes(KeyUse::Data, &bytes).unwrap());
    let context = Context::new();
    let sealed = keys.clone().map(|key| {
        let ring = Keyring::builder().primary(key).build().unwrap();
        let mut entropy = FixedEntropy::new(EntropyKind::Direct, vec![7; 24]);
        ring.seal(b"x", &context, Mode::Random, &mut entropy)
            .unwrap()
    });
    let [one, two] = keys;
    let ring = Keyring::builder()
        .primary(one)
        .decrypt_only(two)
        .build()
        .unwrap();
    let mut batch = OpenBatch::new(&ring);
    for stored in &sealed {
        assert_eq!(*batch.open(stored, &context).unwrap(), b"x");
    }
}

/// The cases of a file, counted without the runner.
fn cases(file: &Path) -> usize {
    let value: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let len = |value: &Value| value.as_array().map_or(0, Vec::len);
    let names = [
        "cases",
        "vectors",
        "negative",
        "hedged",
        "blind_index",
        "envelopes",
        "index_terms",
    ];
    let lists: usize = names.iter().map(|name| len(&value[name])).sum();
    let texts = len(&value["key_text"]["valid"]) + len(&value["key_text"]["invalid"]);
    let keyset = value.get("keyset").map_or(0, |group| {
        3 + len(&group["negative"]) + len(&group["hedged"])
    });
    let hashes = value["accumulated"].as_object().map_or(0, |hashes| {
        hashes
            .keys()
            .filter(|name| name.starts_with("iterations_"))
            .count()
    });
    let groups = value["testGroups"].as_array().into_iter().flatten();
    let wycheproof: usize = groups.map(|group| len(&group["tests"])).sum();
    lists + texts + keyset + hashes + wycheproof
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in fs::read_dir(folder).unwrap() {
        let path = entry.unwrap().path();
        if path.is_dir() && !path.ends_with("schema") {
            found.extend(files(&path));
        } else if path
            .extension()
            .is_some_and(|extension| extension == "json")
        {
            found.push(path);
        }
    }
    found
}
