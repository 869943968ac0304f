//! Moves of keys, and what asks first.

use reseal::KeyUse;

use crate::database::Sqlite;
use crate::host::{DAY, Memory, START, key};

fn init() -> Memory {
    let mut memory = Memory::with_kek();
    memory.ok("keyset init --label first --lease 3600");
    memory
}

#[test]
fn a_fleet_rotates_in_two_phases() {
    let mut memory = init();
    let introduced = memory.run("keyset introduce --label second");
    let second = memory.labelled("second");
    let hint = format!(
        "hint: restart every process without a live ring, and in 3600 seconds or later: reseal keyset promote {second}\n"
    );
    assert_eq!(introduced.err, hint);
    let refused = memory.fails(3, &format!("keyset promote {second}"));
    assert!(refused.contains("wait 3600 seconds"), "{refused}");
    assert!(refused.ends_with("[keyset-transition]\n"), "{refused}");

    memory.now = START + 3600;
    let done = memory.ok(&format!("keyset promote {}", &second[..4]));
    assert_eq!(
        done,
        format!("promoted data key {second} (second), now primary; generation 3\n")
    );
    let shown = memory.ok("keyset show");
    assert!(shown.contains("decrypt_only"), "{shown}");
}

#[test]
fn one_step_rotates_where_there_is_no_lease_or_it_is_asked_for() {
    let mut memory = init();
    let refused = memory.fails(3, "keyset rotate --label second");
    assert!(refused.ends_with("[keyset-transition]\n"), "{refused}");
    assert!(memory.ok("keyset show").contains("generation 1,"));
    memory.ok("keyset rotate --label second --early");
    memory.ok("keyset lease 0");
    memory.ok("keyset rotate --label third");
    let shown = memory.ok("keyset show");
    assert!(shown.contains("no lease"), "{shown}");
    assert_eq!(shown.matches("primary").count(), 1, "{shown}");
}

#[test]
fn what_is_dangerous_asks_and_no_is_no() {
    let mut memory = init();
    memory.ok("keyset rotate --label second --early");
    let first = memory.labelled("first");
    let second = memory.labelled("second");
    memory.ok(&format!("keyset disable {first}"));
    let before = memory.files["ring.json"].content.clone();
    let moves = [
        format!("keyset enable {first}"),
        format!("keyset destroy {first}"),
        format!("keyset disable {second} --emergency"),
        "keyset export-keys".to_owned(),
    ];
    for line in &moves {
        let refused = memory.fails(2, line);
        assert!(refused.contains("give --yes"), "{line}: {refused}");
        for answer in ["", "no", "y", "YES"] {
            memory.answers = Some(vec![answer.to_owned()]);
            let refused = memory.fails(2, line);
            assert!(refused.contains("nothing was changed"), "{line}: {refused}");
        }
        memory.answers = None;
    }
    assert_eq!(memory.files["ring.json"].content, before);

    memory.answers = Some(vec!["yes".to_owned()]);
    memory.ok(&moves[0]);
    let question = memory.questions.last().unwrap();
    let named = format!("the data key {first} (first)");
    assert!(question.starts_with("ring.json of the ring "), "{question}");
    assert!(question.contains(&named), "{question}");
    for line in ["keyset revert", &format!("keyset promote {second} --back")] {
        memory.now += 3600;
        memory.answers = None;
        memory.fails(2, line);
        memory.ok(&format!("{line} --yes"));
    }
}

#[test]
fn no_move_asks_before_it_is_known_to_be_legal() {
    let mut memory = init();
    let first = memory.labelled("first");
    memory.answers = Some(Vec::new());
    for line in ["enable", "destroy", "disable"] {
        let refused = memory.fails(3, &format!("keyset {line} {first}"));
        assert!(refused.ends_with("[keyset-transition]\n"), "{refused}");
    }
    memory.fails(3, "keyset revert");
    assert!(memory.questions.is_empty());
}

#[test]
fn a_way_back_that_the_dates_do_not_show_is_named() {
    let mut memory = init();
    // All in one second: one of the two may have been enabled then.
    memory.ok("keyset rotate --label second --early");
    memory.ok("keyset rotate --label third --early");
    let [first, second] = ["first", "second"].map(|label| memory.labelled(label));
    let refused = memory.fails(3, "keyset revert --yes");
    let named = format!("with --back only: {first}, {second} [keyset-transition]\n");
    assert!(refused.ends_with(&named), "{refused}");
    memory.now += 3600;
    memory.ok(&format!("keyset promote {second} --back --yes"));
    assert!(memory.ok("keyset revert --yes").contains("(third)"));
}

#[test]
fn a_destroyed_key_is_gone_and_its_id_stays() {
    let mut memory = init();
    memory.ok("keyset rotate --label second --early");
    let first = memory.labelled("first");
    memory.ok(&format!("keyset disable {first}"));
    memory.ok(&format!("keyset destroy {first} --yes"));
    assert!(memory.ok("keyset show").contains(&first));
    let exported = memory.ok("keyset export-keys --yes");
    assert!(!exported.contains(&first), "{exported}");
    assert_eq!(exported.matches("rsk1.data.").count(), 1);
}

#[test]
fn a_key_text_can_be_taken_in() {
    let mut memory = init();
    memory.add("key", &*key(KeyUse::Index, 3).export());
    let id = key(KeyUse::Index, 3).id();
    let done = memory.ok("keyset introduce --key-file key --label ours");
    assert!(done.starts_with(&format!("introduced index key {id} (ours)")));
    let first = memory.run(&format!("keyset promote {id} --early"));
    assert!(
        !first.err.contains("reindex"),
        "there was none before: {first:?}"
    );
    let rotated = memory.run("keyset rotate --use index --early").err;
    let hint = format!("reseal apply --reindex, and then reseal retire {id}; where no manifest");
    assert!(rotated.contains(&hint), "{rotated}");
    let made = memory.run("keys new --use index").err;
    assert!(
        made.contains("gets it first as RESEAL_INTRODUCED_KEYS"),
        "{made}"
    );
    let twice = memory.fails(3, "keyset introduce --key-file key");
    assert!(twice.ends_with("[duplicate-key]\n"), "{twice}");
    let kek = memory.fails(3, "keyset introduce --key-file kek");
    assert!(kek.ends_with("[key-wrong-use]\n"), "{kek}");
}

#[test]
fn keks_are_replaced_kept_and_removed() {
    let mut memory = init();
    let old = key(KeyUse::Kek, 9).id().to_string();
    let new = key(KeyUse::Kek, 8).id().to_string();
    memory.add("new", &*key(KeyUse::Kek, 8).export());
    memory.fails(2, "keyset rewrap-keys");
    let done = memory.ok("keyset rewrap-keys --new-kek-file new --keep");
    assert_eq!(
        done,
        format!(
            "added {new}\nwrapped under {old} (RESEAL_KEK_FILE kek)\nwrapped under {new} (--new-kek-file new)\ngeneration 2\n"
        )
    );
    let missing = memory.fails(3, "keyset rotate --early");
    let expected = format!(
        "error: the keyset is also wrapped under {new} (key): give --kek-file; or take it away with reseal keyset rewrap-keys --remove {} [kek-mismatch]\n",
        &new[..4]
    );
    assert_eq!(missing, expected);
    assert_eq!(memory.fails(3, "keyset verify"), expected);
    memory.ok("keyset verify --kek-file new");
    memory.ok("keyset rotate --early --kek-file new");

    memory.set("RESEAL_KEK_FILE", "new");
    let ended = memory.run(&format!("keyset rewrap-keys --remove {} --yes", &old[..6]));
    assert_eq!(
        ended.out,
        format!("removed {old}\nwrapped under {new} (RESEAL_KEK_FILE new)\ngeneration 4\n")
    );
    assert_eq!(
        ended.err,
        format!("hint: processes that have only {old} cannot read this keyset any more\n")
    );
    memory.ok("keyset verify");
    let last = memory.fails(3, &format!("keyset rewrap-keys --remove {new}"));
    assert!(last.ends_with("[keyset-transition]\n"), "{last}");
    let done = memory.ok("keyset rewrap-keys --new-kek-file kek --yes");
    assert!(done.contains(&format!("added {old}\nremoved {new}\n")));

    // What takes its own place is not taken away.
    memory.set("RESEAL_KEK_FILE", "kek");
    memory.ok("keyset rewrap-keys --new-kek-file new --keep");
    let before = memory.files["ring.json"].content.clone();
    for options in ["--yes", "--keep", &format!("--remove {old} --yes")] {
        let line = format!("keyset rewrap-keys --kek-file new --new-kek-file kek {options}");
        let twice = memory.fails(3, &line);
        assert!(
            twice.contains(&format!("is wrapped under {old} already")),
            "{twice}"
        );
        assert!(twice.ends_with("[duplicate-key]\n"), "{twice}");
    }
    assert_eq!(memory.files["ring.json"].content, before);
}

#[test]
fn a_passphrase_is_replaced_by_another_one() {
    let mut memory = Memory::new();
    memory.set("RESEAL_KEYSET", "ring.json");
    memory.add("old", "correct horse battery\n");
    memory.add("new", "battery staple clip");
    memory.ok("keyset init --new-passphrase-file old");
    memory.ok("keyset rewrap-keys --passphrase-file old --new-passphrase-file new --yes");
    let wrong = memory.fails(3, "keyset verify --passphrase-file old");
    assert!(wrong.ends_with("[kek-mismatch]\n"), "{wrong}");
    memory.ok("keyset verify --passphrase-file new");

    memory.answers = Some(vec!["battery staple clip".to_owned()]);
    memory.ok("keyset verify --passphrase");
    assert_eq!(memory.questions, ["passphrase: "]);
    memory.answers = Some(vec![
        "b".repeat(12),
        "a".repeat(12),
        "battery staple clip".to_owned(),
    ]);
    let differ = memory.fails(2, "keyset rewrap-keys --passphrase --new-passphrase");
    assert!(differ.contains("differ"), "{differ}");
    memory.answers = Some(vec!["batte\u{1b}[Dry staple".to_owned()]);
    let typed = memory.fails(
        2,
        "keyset rewrap-keys --passphrase-file new --new-passphrase",
    );
    assert!(
        typed.contains("a control character is in the new passphrase"),
        "{typed}"
    );
    assert!(typed.contains("nothing was changed"), "{typed}");
    memory.answers = Some(vec![String::new(); 2]);
    memory.files.remove("ring.json");
    let empty = memory.fails(2, "keyset init --new-passphrase");
    assert!(empty.ends_with("[invalid-argument]\n"), "{empty}");
    assert!(!memory.files.contains_key("ring.json"));
}

#[test]
fn a_keyset_that_somebody_else_changed_meanwhile_is_left_alone() {
    let mut memory = init();
    memory.ok("keyset rotate --label second --early");
    memory.changes_while_asking = Some(("ring.json", b"another one".to_vec()));
    memory.answers = Some(vec!["yes".to_owned()]);
    let conflict = memory.fails(3, "keyset revert");
    assert!(
        conflict.ends_with(": nothing was changed: run the command again [keyset-conflict]\n"),
        "{conflict}"
    );
    assert_eq!(memory.files["ring.json"].content, b"another one");
}

#[test]
fn another_ring_or_an_old_copy_is_refused() {
    let mut memory = init();
    memory.set("RESEAL_MIN_GENERATION", " 7 ");
    let old = memory.fails(3, "keyset show");
    assert!(old.ends_with("[keyset-outdated]\n"), "{old}");
    memory.set("RESEAL_MIN_GENERATION", "seven");
    memory.fails(2, "keyset show");
    memory.variables.remove("RESEAL_MIN_GENERATION");
    memory.set("RESEAL_RING", "aaaaaaaaaaaaaaaaaaaaaaaaaa");
    let other = memory.fails(3, "keyset rotate --early");
    assert!(other.ends_with("[keyset-wrong-ring]\n"), "{other}");
}

#[test]
fn without_a_kek_a_keyset_is_shown_and_not_changed() {
    let mut memory = init();
    memory.variables.remove("RESEAL_KEK_FILE");
    let ended = memory.run("keyset show");
    assert_eq!(ended.code, 0);
    assert!(ended.out.contains("not verified"), "{ended:?}");
    assert!(
        ended
            .err
            .starts_with("warning: nothing of this is verified")
    );
    for line in ["rotate --early", "verify", "export-keys --yes", "lease 1"] {
        let refused = memory.fails(3, &format!("keyset {line}"));
        assert!(refused.ends_with("[source-missing]\n"), "{refused}");
    }
    memory.set("RESEAL_PASSPHRASE", "none of it");
    let refused = memory.fails(3, "keyset verify");
    assert!(refused.ends_with("[kek-mismatch]\n"), "{refused}");
    memory.set("RESEAL_KEK", &key(KeyUse::Kek, 9).export());
    memory.ok("keyset verify");
    memory.set("RESEAL_KEK", &key(KeyUse::Data, 9).export());
    let refused = memory.fails(3, "keyset verify");
    assert!(refused.ends_with("[key-wrong-use]\n"), "{refused}");
}

#[test]
fn dates_follow_the_clock() {
    let mut memory = init();
    memory.now = START + DAY;
    memory.ok("keyset introduce --label second");
    let shown = memory.ok("keyset show");
    assert!(shown.contains("issued 2026-11-21T00:00:00Z"), "{shown}");
    assert!(shown.contains("2026-11-20T00:00:00Z  2026-11-20T00:00:00Z  first"));
    assert!(shown.contains("2026-11-21T00:00:00Z  2026-11-21T00:00:00Z  second"));
}

#[test]
fn options_replace_the_variables_of_a_new_keyset() {
    let mut memory = Memory::with_kek();
    let [kek, own] = [9, 8].map(|byte| key(KeyUse::Kek, byte).id().to_string());
    memory.add("own", &*key(KeyUse::Kek, 8).export());
    memory.add("pass", "correct horse battery");
    let wraps = |text: &str| -> Vec<String> {
        let lines = text
            .lines()
            .filter_map(|line| line.strip_prefix("wrapped under "));
        lines.map(str::to_owned).collect()
    };
    let cases = [
        ("", format!("{kek} (RESEAL_KEK_FILE kek)")),
        (" --kek-file own", format!("{own} (--kek-file own)")),
        (" --new-kek-file own", format!("{own} (--new-kek-file own)")),
    ];
    for (options, expected) in cases {
        memory.files.remove("ring.json");
        let created = memory.ok(&format!("keyset init{options}"));
        assert_eq!(wraps(&created), [expected]);
    }
    memory.files.remove("ring.json");
    let created = memory.ok("keyset init --passphrase-file pass --json");
    let created: serde_json::Value = serde_json::from_str(&created).unwrap();
    assert_eq!(created["keks"].as_array().unwrap().len(), 1);
    assert_eq!(created["keks"][0]["kind"], "passphrase");
    assert_eq!(created["keks"][0]["from"], "--passphrase-file pass");
    memory.files.remove("ring.json");
    memory.answers = Some(vec![
        "typed only once by".into(),
        "somebody in haste".into(),
    ]);
    memory.fails(2, "keyset init --passphrase");
    assert_eq!(memory.questions, ["passphrase: ", "the same again: "]);
}

#[test]
fn other_ways_in_go_only_after_a_yes() {
    let mut memory = init();
    let old = key(KeyUse::Kek, 9).id().to_string();
    memory.add("new", &*key(KeyUse::Kek, 8).export());
    memory.add("pass", "correct horse battery");
    memory.ok("keyset rewrap-keys --keep --new-passphrase-file pass");
    let shown = memory.ok("keyset show");
    let phrase = shown
        .lines()
        .find(|line| line.contains("passphrase"))
        .unwrap();
    let phrase = phrase.split(' ').next().unwrap().to_owned();
    let before = memory.files["ring.json"].content.clone();
    for line in [
        "keyset rewrap-keys --new-kek-file new".to_owned(),
        format!("keyset rewrap-keys --remove {phrase}"),
    ] {
        let refused = memory.fails(2, &line);
        let named = format!("{phrase} (passphrase)");
        assert!(
            refused.contains(&named) && refused.contains("give --yes"),
            "{refused}"
        );
        memory.answers = Some(vec!["no".to_owned()]);
        memory.fails(2, &line);
        let question = memory.questions.last().unwrap();
        assert!(question.contains(&named), "{question}");
        let of_old = format!("{old} (RESEAL_KEK_FILE kek)");
        assert_eq!(
            question.contains(&of_old),
            line.contains("--new"),
            "{question}"
        );
        memory.answers = None;
    }
    assert_eq!(memory.files["ring.json"].content, before);

    let missing = memory.fails(3, "keyset lease 5");
    assert!(missing.contains(&format!("{phrase} (passphrase): give --passphrase or --passphrase-file; or take it away with reseal keyset rewrap-keys --remove {}", &phrase[..4])), "{missing}");
}

#[test]
fn what_opens_nothing_is_said() {
    let mut memory = init();
    let [old, other] = [9, 8].map(|byte| key(KeyUse::Kek, byte).id().to_string());
    memory.add("other", &*key(KeyUse::Kek, 8).export());
    memory.add("pass", "correct horse battery");
    let ended = memory.run("keyset verify --passphrase-file pass --kek-file other");
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.err,
        format!(
            "warning: --kek-file other ({other}) opens nothing of this keyset\nwarning: --passphrase-file pass opens nothing of this keyset\n"
        )
    );
    memory.set("RESEAL_KEK_FILE", "other");
    assert_eq!(
        memory.fails(3, "keyset show"),
        format!(
            "error: RESEAL_KEK_FILE other ({other}) opens nothing of this keyset, which is wrapped under {old} (key) [kek-mismatch]\n"
        )
    );
    let sealing = memory.fails(3, "seal x");
    assert!(sealing.contains(&format!("given was {other}")), "{sealing}");
}

#[test]
fn a_short_passphrase_is_refused_where_it_is_new() {
    let mut memory = init();
    memory.add("short", "elevenchars\n");
    memory.add("long", "twelve chars\n");
    let before = memory.files["ring.json"].content.clone();
    let line = "keyset rewrap-keys --keep --new-passphrase-file";
    let refused = memory.fails(2, &format!("{line} short"));
    assert!(refused.contains("at least 12 characters"), "{refused}");
    assert!(refused.ends_with("[invalid-argument]\n"), "{refused}");
    assert_eq!(memory.files["ring.json"].content, before);
    memory.ok(&format!("{line} long"));
    memory.files.remove("ring.json");
    memory.fails(2, "keyset init --passphrase-file short");
    memory.set("RESEAL_PASSPHRASE", "elevenchars");
    memory.variables.remove("RESEAL_KEK_FILE");
    memory.fails(2, "keyset init");
    memory.answers = Some(vec!["elevenchars".to_owned()]);
    memory.fails(2, "keyset init --new-passphrase");
}

#[test]
fn messages_name_the_options_of_the_command() {
    let mut memory = init();
    let first = memory.labelled("first");
    memory.ok("keyset introduce --label second");
    let second = memory.labelled("second");
    for (code, line, said) in [
        (
            3,
            "keyset rotate".to_owned(),
            "reseal keyset introduce, wait 3600 seconds, reseal keyset promote; or rotate --early",
        ),
        (
            3,
            format!("keyset promote {second}"),
            "wait 3600 seconds, or give --early",
        ),
        (
            3,
            format!("keyset disable {first}"),
            "is primary and is disabled with --emergency only",
        ),
        (
            2,
            "keyset label 2222 x".to_owned(),
            "; reseal keyset show lists the ids",
        ),
        (
            2,
            "keyset label x x".to_owned(),
            "; reseal keyset show lists the ids",
        ),
        (
            2,
            "keyset rewrap-keys --remove 2222".to_owned(),
            "; reseal keyset show lists the ids",
        ),
        (
            4,
            "keyset show --keyset none".to_owned(),
            "reseal keyset init creates a keyset",
        ),
        (
            2,
            "keyset lease 1h".to_owned(),
            "whole seconds, such as 3600",
        ),
        (
            2,
            "keyset init --lease 1h".to_owned(),
            "whole seconds, such as 3600",
        ),
        (
            2,
            "keyset show --passphrase Secret!".to_owned(),
            "--passphrase asks, and takes no value",
        ),
        (2, "canary check ".to_owned(), "no canary was given"),
        (
            2,
            "keys new --out -".to_owned(),
            "--out takes the name of a file",
        ),
        (
            2,
            "keyset export-keys --yes --out -".to_owned(),
            "--out takes the name of a file",
        ),
    ] {
        let refused = memory.fails(code, &line);
        assert!(refused.contains(said), "{line}: {refused}");
    }
    memory.now += 3600;
    let ended = memory.run(&format!("keyset promote {second}"));
    assert_eq!(
        ended.err,
        format!(
            "hint: next: reseal canary make, reseal the stored values, and then reseal retire {first}, or reseal keyset disable {first} where no manifest describes them\n"
        )
    );
    let refused = memory.fails(3, &format!("keyset promote {first}"));
    assert!(
        refused.contains("is decrypt_only and is promoted again with --back only"),
        "{refused}"
    );
    memory.variables.remove("RESEAL_KEYSET");
    let unnamed = memory.fails(2, "keyset show");
    assert!(
        unnamed.contains("RESEAL_KEYSET; reseal keyset init"),
        "{unnamed}"
    );
}

#[test]
fn what_is_no_key_is_named() {
    let mut memory = init();
    memory.variables.remove("RESEAL_KEK_FILE");
    for (text, said) in [
        ("./ring.kek", "did you mean RESEAL_KEK_FILE?"),
        ("ring.kek", "did you mean RESEAL_KEK_FILE?"),
        ("/run/secrets/kek", "did you mean RESEAL_KEK_FILE?"),
        ("Zm9v", "make a key with reseal keys new"),
        ("\u{feff}rsk1.kek.", "byte order mark"),
    ] {
        memory.set("RESEAL_KEK", text);
        for line in ["keyset verify", "seal x"] {
            let refused = memory.fails(3, line);
            assert!(refused.contains(said), "{line}: {refused}");
            assert!(!refused.contains("Key.generate"), "{refused}");
        }
    }
    memory.set("RESEAL_KEK", &key(KeyUse::Data, 9).export());
    let refused = memory.fails(3, "seal x");
    assert!(
        refused.contains("a key-encrypting key (rsk1.kek.) is wanted"),
        "{refused}"
    );
    memory.set("RESEAL_KEK", &key(KeyUse::Kek, 9).export());
    for (content, said) in [
        (String::new(), "the file is empty"),
        ("\u{feff}{}".to_owned(), "byte order mark"),
        (key(KeyUse::Kek, 9).export().to_string(), "it holds a key"),
    ] {
        memory.add("ring.json", content);
        let refused = memory.fails(3, "keyset show");
        assert!(refused.contains(said), "{refused}");
        assert!(refused.ends_with("[keyset-malformed]\n"), "{refused}");
    }
}

#[test]
fn a_key_is_not_made_for_nobody() {
    let mut memory = Memory::new();
    memory.loses_output = true;
    for line in ["keys new", "keys new --for rails"] {
        let refused = memory.fails(4, line);
        assert!(refused.contains("give --out FILE"), "{refused}");
    }
    let ended = memory.run("keys new --use kek --out ring.kek");
    assert_eq!(ended.code, 0);
    assert_eq!(
        ended.err,
        "hint: next: reseal keyset init --keyset ring.json --kek-file ring.kek\n"
    );
}

#[test]
fn a_database_is_named_for_a_keyset_in_one() {
    let mut memory = init();
    let said = memory.fails(2, "keyset show --db sqlite:///app.db");
    assert!(said.contains("this one is in a file"), "{said}");
    memory.database = Some(Sqlite::new(""));
    memory.unusable_after = Some(0);
    let said = memory.fails(2, "keyset show --keyset sql: --db sqlite:///app.db");
    assert!(
        said.contains("the connection is in a transaction"),
        "{said}"
    );
}
