//! Moves of keys, and what asks first.

use reseal::KeyUse;

use crate::host::{DAY, Memory, START, key};

fn init() -> Memory {
    let mut memory = Memory::with_kek();
    memory.ok("keyset init --label first --lease 3600");
    memory
}

#[test]
fn a_fleet_rotates_in_two_phases() {
    let mut memory = init();
    memory.ok("keyset introduce --label second");
    let second = memory.labelled("second");
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
    assert!(question.contains(&first), "{question}");
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
    memory.ok("keyset rewrap-keys --new-kek-file new --keep");
    let missing = memory.fails(3, "keyset rotate --early");
    assert!(missing.contains(&new), "{missing}");
    assert!(missing.ends_with("[kek-mismatch]\n"), "{missing}");
    memory.fails(3, "keyset verify");
    memory.ok("keyset verify --kek-file new");
    memory.ok("keyset rotate --early --kek-file new");

    memory.set("RESEAL_KEK_FILE", "new");
    let done = memory.ok(&format!("keyset rewrap-keys --remove {}", &old[..6]));
    assert_eq!(
        done,
        format!("removed {old}\nwrapped under {new}; generation 4\n")
    );
    memory.ok("keyset verify");
    let last = memory.fails(3, &format!("keyset rewrap-keys --remove {new}"));
    assert!(last.ends_with("[keyset-transition]\n"), "{last}");
    let done = memory.ok("keyset rewrap-keys --new-kek-file kek");
    assert!(done.contains(&format!("added {old}\nremoved {new}\n")));
}

#[test]
fn a_passphrase_is_replaced_by_another_one() {
    let mut memory = Memory::new();
    memory.set("RESEAL_KEYSET", "ring.json");
    memory.add("old", "correct horse\n");
    memory.add("new", "battery staple");
    memory.ok("keyset init --new-passphrase-file old");
    memory.ok("keyset rewrap-keys --passphrase-file old --new-passphrase-file new");
    let wrong = memory.fails(3, "keyset verify --passphrase-file old");
    assert!(wrong.ends_with("[kek-mismatch]\n"), "{wrong}");
    memory.ok("keyset verify --passphrase-file new");

    memory.answers = Some(vec!["battery staple".to_owned()]);
    memory.ok("keyset verify --passphrase");
    assert_eq!(memory.questions, ["passphrase: "]);
    memory.answers = Some(vec![
        "b".to_owned(),
        "a".to_owned(),
        "battery staple".to_owned(),
    ]);
    let differ = memory.fails(2, "keyset rewrap-keys --passphrase --new-passphrase");
    assert!(differ.contains("differ"), "{differ}");
    memory.answers = Some(vec![String::new(); 2]);
    memory.files.remove("ring.json");
    let empty = memory.fails(3, "keyset init --new-passphrase");
    assert!(empty.ends_with("[invalid-key]\n"), "{empty}");
    assert!(!memory.files.contains_key("ring.json"));
}

#[test]
fn a_keyset_that_somebody_else_changed_meanwhile_is_left_alone() {
    let mut memory = init();
    memory.ok("keyset rotate --label second --early");
    memory.changes_while_asking = Some(("ring.json", b"another one".to_vec()));
    memory.answers = Some(vec!["yes".to_owned()]);
    let conflict = memory.fails(3, "keyset revert");
    assert!(conflict.ends_with("[keyset-conflict]\n"), "{conflict}");
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
