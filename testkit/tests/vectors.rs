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

/// The cases of a file, counted without the runner.
fn cases(file: &Path) -> usize {
    let value: Value = serde_json::from_str(&fs::read_to_string(file).unwrap()).unwrap();
    let len = |value: &Value| value.as_array().map_or(0, Vec::len);
    let names = [
        "vectors",
        "negative",
        "hedged",
        "blind_index",
        "envelopes",
        "index_terms",
    ];
    let lists: usize = names.iter().map(|name| len(&value[name])).sum();
    let texts = len(&value["key_text"]["valid"]) + len(&value["key_text"]["invalid"]);
    let keyset = value
        .get("keyset")
        .map_or(0, |group| 1 + len(&group["negative"]));
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
