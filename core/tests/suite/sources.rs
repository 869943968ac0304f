//! The rules of key sources.

use crate::common::key;
use reseal::{EnvSource, Error, ErrorCode, Key, KeyDirectory, KeyState, KeyUse, Zeroizing};

fn read(variables: &[(&str, &str)]) -> Result<EnvSource, Error> {
    EnvSource::read(|name| {
        let found = variables.iter().find(|(there, _)| *there == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn refusal(variables: &[(&str, &str)]) -> Error {
    read(variables).unwrap_err()
}

#[test]
fn variables_make_a_ring() {
    let [data, old, older, new] = [(); 4].map(|()| key(KeyUse::Data));
    let [index, old_index] = [(); 2].map(|()| key(KeyUse::Index));
    let old_keys = format!(
        "{} ,{}\n,{}",
        *old.export(),
        *older.export(),
        *old_index.export()
    );
    let source = read(&[
        ("RESEAL_PRIMARY_KEY", &format!(" {}\n", *data.export())),
        ("RESEAL_INDEX_KEY", &index.export()),
        ("RESEAL_DECRYPT_KEYS", &old_keys),
        ("RESEAL_INTRODUCED_KEYS", &new.export()),
        ("RESEAL_KEY_DIR", " "),
    ]);
    let EnvSource::Ring(ring) = source.unwrap() else {
        panic!("not a ring")
    };
    assert_eq!(ring.primary_id(), Some(data.id()));
    assert_eq!(ring.index_primary_id(), Some(index.id()));
    let state = |key: &Key| ring.keys().find(|info| info.id == key.id()).unwrap().state;
    for key in [&old, &older, &old_index] {
        assert_eq!(state(key), KeyState::DecryptOnly);
    }
    assert_eq!(state(&new), KeyState::Introduced);
}

#[test]
fn a_missing_or_doubled_source_names_the_variables() {
    let data = key(KeyUse::Data).export();
    for variables in [
        &[] as &[_],
        &[("RESEAL_PRIMARY_KEY", "")],
        &[("RESEAL_PRIMARY_KEY", " \n")],
    ] {
        let error = refusal(variables);
        assert_eq!(error.code(), ErrorCode::SourceMissing);
        for name in ["RESEAL_PRIMARY_KEY", "RESEAL_KEY_DIR", "RESEAL_PRIMARY"] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    for second in [
        [("RESEAL_KEY_DIR", "/keys")],
        [("RESEAL_KEYSET", "/keyset.json")],
    ] {
        let error =
            refusal(&[&[("RESEAL_PRIMARY_KEY", data.as_str())], second.as_slice()].concat());
        assert_eq!(error.code(), ErrorCode::SourceConflict);
        for name in ["RESEAL_PRIMARY_KEY", "RESEAL_KEY_DIR", "RESEAL_KEYSET"] {
            assert!(error.to_string().contains(name), "{error}");
        }
    }
    let both = refusal(&[("RESEAL_KEY_DIR", "/keys"), ("RESEAL_KEYSET", "x")]);
    assert_eq!(both.code(), ErrorCode::SourceConflict);
    let no_primary = refusal(&[("RESEAL_DECRYPT_KEYS", &data)]);
    assert_eq!(no_primary.code(), ErrorCode::SourceMissing);
    assert!(no_primary.to_string().contains("RESEAL_PRIMARY_KEY"));
    assert_eq!(
        refusal(&[("RESEAL_KEY_DIR", "/keys")]).code(),
        ErrorCode::SourceMissing
    );
    assert_eq!(
        refusal(&[("RESEAL_KEYSET", "x")]).code(),
        ErrorCode::SourceUnreadable
    );
}

#[test]
fn bad_keys_name_their_variable_and_show_nothing() {
    let [data, index] = [key(KeyUse::Data).export(), key(KeyUse::Index).export()];
    let good = ("RESEAL_PRIMARY_KEY", data.as_str());
    let quoted = format!("\"{}\"", *data);
    for (variables, code, name) in [
        (
            vec![("RESEAL_PRIMARY_KEY", quoted.as_str())],
            ErrorCode::InvalidKey,
            "RESEAL_PRIMARY_KEY",
        ),
        (
            vec![("RESEAL_PRIMARY_KEY", &index)],
            ErrorCode::KeyWrongUse,
            "RESEAL_PRIMARY_KEY",
        ),
        (
            vec![good, ("RESEAL_INDEX_KEY", &data)],
            ErrorCode::KeyWrongUse,
            "RESEAL_INDEX_KEY",
        ),
        (
            vec![good, ("RESEAL_DECRYPT_KEYS", "x")],
            ErrorCode::InvalidKey,
            "RESEAL_DECRYPT_KEYS",
        ),
        (
            vec![good, ("RESEAL_DECRYPT_KEYS", ",")],
            ErrorCode::InvalidKey,
            "RESEAL_DECRYPT_KEYS",
        ),
        (
            vec![good, ("RESEAL_INTRODUCED_KEYS", &data[..30])],
            ErrorCode::InvalidKey,
            "RESEAL_INTRODUCED_KEYS",
        ),
    ] {
        let error = refusal(&variables);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().starts_with(name), "{error}");
        assert!(!error.to_string().contains(&data[12..18]), "{error}");
    }
    let doubled = refusal(&[good, ("RESEAL_DECRYPT_KEYS", &format!("{0},{0}", *index))]);
    assert_eq!(doubled.code(), ErrorCode::DuplicateKey);
}

#[test]
fn a_directory_makes_a_ring() {
    let [new, old] = [(); 2].map(|()| key(KeyUse::Data));
    let index = key(KeyUse::Index);
    let file = |name: &str, text: &str| (name.to_owned(), Zeroizing::new(text.to_owned()));
    let files = vec![
        file("..data", "hidden"),
        file(".profile", "hidden"),
        file("2026-q3", &format!("{}\n", *old.export())),
        file("2026-q4", &new.export()),
        file("search", &index.export()),
    ];
    let source = read(&[
        ("RESEAL_KEY_DIR", "/keys"),
        ("RESEAL_PRIMARY", "2026-q4\n"),
        ("RESEAL_INDEX_PRIMARY", "search"),
    ]);
    let EnvSource::Directory(directory) = source.unwrap() else {
        panic!("not a directory")
    };
    assert_eq!(directory.path, "/keys");
    let ring = directory.ring(&files).unwrap();
    assert_eq!(
        (ring.primary_id(), ring.index_primary_id()),
        (Some(new.id()), Some(index.id()))
    );
    assert_eq!(ring.keys().count(), 3);

    let with = |primary: &str, index: Option<&str>| KeyDirectory {
        path: "/keys".to_owned(),
        primary: primary.to_owned(),
        index_primary: index.map(str::to_owned),
    };
    let code = |directory: KeyDirectory| directory.ring(&files).unwrap_err().code();
    assert_eq!(code(with("2027-q1", None)), ErrorCode::SourceUnreadable);
    assert_eq!(code(with("search", None)), ErrorCode::KeyWrongUse);
    assert_eq!(
        code(with("2026-q4", Some("2026-q3"))),
        ErrorCode::KeyWrongUse
    );
    let broken = [files.as_slice(), &[file("notes.txt", "hello")]].concat();
    let error = with("2026-q4", None).ring(&broken).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidKey);
    assert!(error.to_string().starts_with("notes.txt"), "{error}");
}

#[test]
fn a_directory_keeps_its_rules() {
    let (data, index, kek) = (key(KeyUse::Data), key(KeyUse::Index), key(KeyUse::Kek));
    let file = |name: &str, key: &Key| (name.to_owned(), key.export());
    let ring = |primary: &str, index: Option<&str>, files: &[(String, Zeroizing<String>)]| {
        let directory = KeyDirectory {
            path: "/keys".to_owned(),
            primary: primary.to_owned(),
            index_primary: index.map(str::to_owned),
        };
        directory
            .ring(files)
            .map_err(|error| (error.code(), error.to_string()))
    };
    let both = [file("a", &data), file("b", &index)];
    assert!(ring("a", Some("b"), &both).is_ok());
    let (code, _) = ring("a", Some("a"), &both).unwrap_err();
    assert_eq!(code, ErrorCode::KeyWrongUse, "one file for both");
    let (code, message) = ring("a", Some("c"), &both).unwrap_err();
    assert_eq!(code, ErrorCode::SourceUnreadable);
    assert!(message.contains("RESEAL_INDEX_PRIMARY"), "{message}");
    let (code, message) = ring("a", None, &[file("a", &data), file("kek", &kek)]).unwrap_err();
    assert_eq!(code, ErrorCode::KeyWrongUse);
    assert!(message.starts_with("kek"), "{message}");
    let long = "x".repeat(65);
    for name in ["line\nfeed", "esc\x1B[2J", "del\x7F", long.as_str()] {
        let (code, message) = ring("a", None, &[file("a", &data), file(name, &index)]).unwrap_err();
        assert_eq!(code, ErrorCode::SourceUnreadable);
        assert!(!message.contains(name), "{message}");
    }
    assert!(
        ring(
            "é",
            None,
            &[file("é", &data), file(&"x".repeat(64), &index)]
        )
        .is_ok()
    );
}

#[test]
fn a_key_in_the_place_of_a_name_is_not_shown() {
    let text = key(KeyUse::Data).export();
    for variables in [
        [
            ("RESEAL_KEY_DIR", "/keys"),
            ("RESEAL_PRIMARY", &text),
            ("", ""),
        ],
        [("RESEAL_KEY_DIR", &text), ("RESEAL_PRIMARY", "a"), ("", "")],
        [
            ("RESEAL_KEY_DIR", "/keys"),
            ("RESEAL_PRIMARY", "a"),
            ("RESEAL_INDEX_PRIMARY", &text),
        ],
    ] {
        let error = refusal(&variables);
        assert_eq!(error.code(), ErrorCode::SourceUnreadable);
        assert!(
            !format!("{error} {error:?}").contains("rsk1.data."),
            "{error}"
        );
        assert!(error.to_string().contains("RESEAL_PRIMARY_KEY"), "{error}");
    }
}
