//! The rules of key sources.

use crate::common::key;
use reseal::{
    Error, ErrorCode, Expect, Key, KeyState, KeyUse, Keyring, Keyset, Loaded, NewKek, OsEntropy,
    Promotion, Source, SourceFile, SourceKind, Timestamp, Unlock, WantKind, Zeroizing,
};

fn read(variables: &[(&str, &str)]) -> Result<Source, Error> {
    Source::from_env(|name| {
        let found = variables.iter().find(|(there, _)| *there == name);
        found.map(|(_, value)| (*value).to_owned())
    })
}

fn file(name: &str, content: &str) -> SourceFile {
    SourceFile {
        name: name.to_owned(),
        content: Zeroizing::new(content.as_bytes().to_vec()),
    }
}

fn load(source: &mut Source, contents: &[Vec<SourceFile>]) -> Result<Loaded, Error> {
    source.load(contents, reseal::Argon2id::derive)
}

fn ring(variables: &[(&str, &str)]) -> Result<Keyring, Error> {
    Ok(load(&mut read(variables)?, &[])?.ring.unwrap())
}

fn refusal(variables: &[(&str, &str)]) -> Error {
    ring(variables).unwrap_err()
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
    let ring = ring(&[
        ("RESEAL_PRIMARY_KEY", &format!(" {}\n", *data.export())),
        ("RESEAL_INDEX_KEY", &index.export()),
        ("RESEAL_DECRYPT_KEYS", &old_keys),
        ("RESEAL_INTRODUCED_KEYS", &new.export()),
        ("RESEAL_KEY_DIR", " "),
    ])
    .unwrap();
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
    let unopened = refusal(&[("RESEAL_KEYSET", "x")]);
    assert_eq!(unopened.code(), ErrorCode::SourceMissing);
    for name in ["KEK", "KEK_FILE", "PASSPHRASE", "PASSPHRASE_FILE"] {
        assert!(unopened.to_string().contains(name), "{unopened}");
    }
}

/// A template that leaves the path of the keyset empty once, beside keys of before.
#[test]
fn an_emptied_keyset_starts_with_no_other_keys() {
    let data = key(KeyUse::Data).export();
    let left = [
        "RESEAL_KEK",
        "RESEAL_KEK_FILE",
        "RESEAL_PASSPHRASE",
        "RESEAL_PASSPHRASE_FILE",
        "RESEAL_RING",
        "RESEAL_MIN_GENERATION",
    ];
    let keys = [("RESEAL_PRIMARY_KEY", data.as_str())];
    let directory = [("RESEAL_KEY_DIR", "/keys"), ("RESEAL_PRIMARY", "a")];
    let file = [("RESEAL_PRIMARY_KEY_FILE", "/run/primary")];
    for others in [&keys[..], &directory, &file] {
        for left in left {
            for empty in ["", " \n"] {
                let set = [("RESEAL_KEYSET", empty), (left, "x")];
                let error = read(&[others, &set].concat()).unwrap_err();
                assert_eq!(error.code(), ErrorCode::SourceConflict, "{error}");
                for name in ["RESEAL_KEYSET", left, others[0].0] {
                    assert!(error.to_string().contains(name), "{error}");
                }
            }
            // What is left over from a keyset says nothing by itself, nor does a variable without one.
            assert!(read(&[others, &[(left, "x")]].concat()).is_ok(), "{left}");
            let empty = [("RESEAL_KEYSET", ""), (left, " ")];
            assert!(read(&[others, &empty].concat()).is_ok(), "{left}");
        }
    }
    let alone = refusal(&[("RESEAL_KEYSET", ""), ("RESEAL_KEK", "x")]);
    assert_eq!(alone.code(), ErrorCode::SourceMissing);
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
fn files_hold_keys_as_well() {
    let [data, old] = [(); 2].map(|()| key(KeyUse::Data));
    let mut source = read(&[
        ("RESEAL_PRIMARY_KEY_FILE", " /run/primary\n"),
        ("RESEAL_DECRYPT_KEYS_FILE", "/run/old"),
    ])
    .unwrap();
    let wants = source.wants();
    let paths: Vec<_> = wants.iter().map(|want| want.path.as_str()).collect();
    assert_eq!(paths, ["/run/primary", "/run/old"]);
    assert!(wants.iter().all(|want| want.kind == WantKind::Secret));
    let files = [
        vec![file("primary", &format!("{}\n", *data.export()))],
        vec![file("old", &old.export())],
    ];
    let ring = load(&mut source, &files).unwrap().ring.unwrap();
    assert_eq!(ring.primary_id(), Some(data.id()));
    assert_eq!(ring.keys().count(), 2);
    assert!(
        load(&mut source, &files).unwrap().ring.is_none(),
        "the same"
    );

    let code = |files: &[Vec<SourceFile>]| {
        let error = load(&mut source_of("/run/primary"), files).unwrap_err();
        assert!(error.to_string().starts_with("RESEAL_PRIMARY_KEY_FILE"));
        error.code()
    };
    assert_eq!(code(&[]), ErrorCode::SourceUnreadable);
    assert_eq!(code(&[vec![]]), ErrorCode::SourceUnreadable);
    assert_eq!(code(&[vec![file("primary", "x")]]), ErrorCode::InvalidKey);
    let binary = SourceFile {
        name: "primary".to_owned(),
        content: Zeroizing::new(vec![0xFF]),
    };
    assert_eq!(code(&[vec![binary]]), ErrorCode::SourceUnreadable);

    for name in [
        "PRIMARY_KEY",
        "INDEX_KEY",
        "DECRYPT_KEYS",
        "INTRODUCED_KEYS",
    ] {
        let [value, path] = ["", "_FILE"].map(|end| format!("RESEAL_{name}{end}"));
        let error = refusal(&[(&value, "x"), (&path, "/x")]);
        assert_eq!(error.code(), ErrorCode::SourceConflict);
        assert!(error.to_string().contains(&path), "{error}");
    }
}

fn source_of(path: &str) -> Source {
    read(&[("RESEAL_PRIMARY_KEY_FILE", path)]).unwrap()
}

fn directory(primary: &str, index: Option<&str>, files: Vec<SourceFile>) -> Result<Keyring, Error> {
    let mut variables = vec![("RESEAL_KEY_DIR", "/keys"), ("RESEAL_PRIMARY", primary)];
    variables.extend(index.map(|index| ("RESEAL_INDEX_PRIMARY", index)));
    let mut source = read(&variables)?;
    let wants = source.wants().into_iter();
    let wants: Vec<_> = wants.map(|want| (want.path, want.kind)).collect();
    assert_eq!(wants, [("/keys".to_owned(), WantKind::Directory)]);
    assert_eq!(source.kind(), SourceKind::Directory);
    Ok(load(&mut source, &[files])?.ring.unwrap())
}

#[test]
fn a_directory_makes_a_ring() {
    let [new, old] = [(); 2].map(|()| key(KeyUse::Data));
    let index = key(KeyUse::Index);
    let files = || {
        vec![
            file("..data", "hidden"),
            file(".profile", "hidden"),
            file("2026-q3", &format!("{}\n", *old.export())),
            file("2026-q4", &new.export()),
            file("search", &index.export()),
        ]
    };
    let ring = directory("2026-q4\n", Some("search"), files()).unwrap();
    assert_eq!(
        (ring.primary_id(), ring.index_primary_id()),
        (Some(new.id()), Some(index.id()))
    );
    let mut labels: Vec<_> = ring.keys().map(|key| key.label).collect();
    labels.sort();
    assert_eq!(labels, ["2026-q3", "2026-q4", "search"]);

    let code = |primary: &str, index| directory(primary, index, files()).unwrap_err().code();
    assert_eq!(code("2027-q1", None), ErrorCode::SourceUnreadable);
    assert_eq!(code("search", None), ErrorCode::KeyWrongUse);
    assert_eq!(code("2026-q4", Some("2026-q3")), ErrorCode::KeyWrongUse);
    let mut broken = files();
    broken.push(file("notes.txt", "hello"));
    let error = directory("2026-q4", None, broken).unwrap_err();
    assert_eq!(error.code(), ErrorCode::InvalidKey);
    assert!(error.to_string().starts_with("notes.txt"), "{error}");
}

#[test]
fn a_directory_keeps_its_rules() {
    let (data, index, kek) = (key(KeyUse::Data), key(KeyUse::Index), key(KeyUse::Kek));
    let of = |name: &str, key: &Key| file(name, &key.export());
    let ring = |primary: &str, index: Option<&str>, files| {
        let ring = directory(primary, index, files);
        ring.map_err(|error| (error.code(), error.to_string()))
    };
    let both = || vec![of("a", &data), of("b", &index)];
    assert!(ring("a", Some("b"), both()).is_ok());
    let (code, _) = ring("a", Some("a"), both()).unwrap_err();
    assert_eq!(code, ErrorCode::KeyWrongUse, "one file for both");
    let (code, message) = ring("a", Some("c"), both()).unwrap_err();
    assert_eq!(code, ErrorCode::SourceUnreadable);
    assert!(message.contains("RESEAL_INDEX_PRIMARY"), "{message}");
    let (code, message) = ring("a", None, vec![of("a", &data), of("kek", &kek)]).unwrap_err();
    assert_eq!(code, ErrorCode::KeyWrongUse);
    assert!(message.starts_with("kek"), "{message}");
    let long = "x".repeat(65);
    for name in ["line\nfeed", "esc\x1B[2J", "del\x7F", long.as_str()] {
        let files = vec![of("a", &data), of(name, &index)];
        let (code, message) = ring("a", None, files).unwrap_err();
        assert_eq!(code, ErrorCode::SourceUnreadable);
        assert!(!message.contains(name), "{message}");
    }
    let files = vec![of("é", &data), of(&"x".repeat(64), &index)];
    assert!(ring("é", None, files).is_ok());
}

/// A keyset with one primary key, saved so often, and what opens it.
fn keyset(kek: NewKek, saves: u32) -> (Vec<String>, Keyset) {
    let now = Timestamp::from_unix(1_795_132_800).unwrap();
    let mut keyset = Keyset::create(kek, 60, now, &mut OsEntropy).unwrap();
    let id = keyset.introduce(key(KeyUse::Data), "first", now).unwrap();
    keyset.promote(id, now, Promotion::default()).unwrap();
    let mut texts = Vec::new();
    for _ in 0..saves {
        texts.push(keyset.save(now, &mut OsEntropy).unwrap());
        keyset.saved(texts.last().unwrap()).unwrap();
    }
    (texts, keyset)
}

#[test]
fn a_keyset_is_followed_and_never_goes_back() {
    let kek = key(KeyUse::Kek);
    let (texts, keyset) = keyset(NewKek::key(kek.clone()).unwrap(), 3);
    let mut source = read(&[
        ("RESEAL_KEYSET", "/etc/keys.json"),
        ("RESEAL_KEK_FILE", "/run/kek"),
    ])
    .unwrap();
    let wants: Vec<_> = source
        .wants()
        .into_iter()
        .map(|want| (want.path, want.kind))
        .collect();
    let expected = [
        ("/etc/keys.json".to_owned(), WantKind::Keyset),
        ("/run/kek".to_owned(), WantKind::Secret),
    ];
    assert_eq!(wants, expected);
    let contents = |text: &str| {
        [
            vec![file("keys.json", text)],
            vec![file("kek", &kek.export())],
        ]
    };

    let loaded = load(&mut source, &contents(&texts[1])).unwrap();
    assert_eq!((loaded.generation, loaded.lease_seconds), (Some(2), 60));
    assert_eq!(loaded.ring_id.as_deref(), Some(keyset.ring_id()));
    let ring = loaded.ring.unwrap();
    assert_eq!(ring.primary_id(), keyset.ring().unwrap().primary_id());
    assert_eq!(ring.keys().next().unwrap().label, "first");
    let same = load(&mut source, &contents(&texts[1])).unwrap();
    assert!(same.ring.is_none());
    assert_eq!((same.generation, same.lease_seconds), (Some(2), 60));

    let old = load(&mut source, &contents(&texts[0])).unwrap_err();
    assert_eq!(old.code(), ErrorCode::KeysetOutdated);
    let (others, _) = self::keyset(NewKek::key(kek.clone()).unwrap(), 3);
    let other = load(&mut source, &contents(&others[2])).unwrap_err();
    assert_eq!(other.code(), ErrorCode::KeysetWrongRing);
    let newer = load(&mut source, &contents(&texts[2])).unwrap();
    assert_eq!(newer.generation, Some(3));
}

#[test]
fn a_passphrase_is_derived_once() {
    let argon2id = reseal::Argon2id::new(19_456, 2, 1, &[7; 16]).unwrap();
    let kek = argon2id.derive("pass word é".as_bytes()).unwrap();
    let (texts, _) = keyset(NewKek::derived(kek, argon2id).unwrap(), 2);
    let unlock = Unlock::PassphraseFile("/run/passphrase".to_owned());
    let mut source = Source::keyset("/k", unlock, Expect::default()).unwrap();
    let mut derived = 0;
    for text in &texts {
        let contents = [
            vec![file("k", text)],
            vec![file("passphrase", "pass word é\n")],
        ];
        let loaded = source.load(&contents, |argon2id, passphrase| {
            derived += 1;
            argon2id.derive(passphrase)
        });
        assert!(loaded.unwrap().ring.is_some());
    }
    assert_eq!(derived, 1);
    let two_line_feeds = [
        vec![file("k", &texts[1])],
        vec![file("p", "pass word é\n\n")],
    ];
    let error = load(&mut source, &two_line_feeds).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KekMismatch);

    let given = [
        ("RESEAL_KEYSET", "/k"),
        ("RESEAL_PASSPHRASE", "pass word é"),
        ("RESEAL_MIN_GENERATION", "2"),
    ];
    let contents = |text: &str| [vec![file("k", text)]];
    let mut source = read(&given).unwrap();
    let error = load(&mut source, &contents(&texts[0])).unwrap_err();
    assert_eq!(error.code(), ErrorCode::KeysetOutdated);
    assert!(load(&mut source, &contents(&texts[1])).is_ok());
}

#[test]
fn what_opens_a_keyset_is_given_once_and_right() {
    let text = key(KeyUse::Kek).export();
    let data = key(KeyUse::Data).export();
    let with = |variables: &[(&str, &str)]| {
        let keyset = [("RESEAL_KEYSET", "/k")];
        read(&[&keyset, variables].concat()).unwrap_err()
    };
    for (variables, code) in [
        (
            vec![("RESEAL_KEK", text.as_str()), ("RESEAL_KEK_FILE", "/x")],
            ErrorCode::SourceConflict,
        ),
        (
            vec![("RESEAL_KEK", text.as_str()), ("RESEAL_PASSPHRASE", "x")],
            ErrorCode::SourceConflict,
        ),
        (vec![("RESEAL_KEK", "x")], ErrorCode::InvalidKey),
        (vec![("RESEAL_KEK", data.as_str())], ErrorCode::KeyWrongUse),
        (
            vec![("RESEAL_KEK_FILE", text.as_str())],
            ErrorCode::SourceUnreadable,
        ),
        (
            vec![("RESEAL_KEK", text.as_str()), ("RESEAL_RING", "x")],
            ErrorCode::InvalidArgument,
        ),
        (
            vec![
                ("RESEAL_KEK", text.as_str()),
                ("RESEAL_MIN_GENERATION", "-1"),
            ],
            ErrorCode::InvalidArgument,
        ),
    ] {
        let error = with(&variables);
        assert_eq!(error.code(), code, "{error}");
        assert!(error.to_string().contains("RESEAL_"), "{error}");
        assert!(!format!("{error:?}").contains(&text[10..]), "{error}");
    }
    let quiet = format!(
        "{:?}",
        read(&[("RESEAL_KEYSET", "/k"), ("RESEAL_PASSPHRASE", "geheim")])
    );
    assert!(!quiet.contains("geheim"), "{quiet}");
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
