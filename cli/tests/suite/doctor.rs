//! What the doctor finds.

use reseal::KeyUse;

use crate::host::{DAY, Ended, Memory, START, key};

/// That the findings are these, apart from those that are ok.
#[track_caller]
fn finds(memory: &mut Memory, code: u8, expected: &[&str]) -> Ended {
    let ended = memory.run("doctor");
    assert_eq!(ended.code, code, "{}", ended.out);
    assert_eq!(ended.err, "");
    let found: Vec<_> = ended
        .out
        .lines()
        .filter(|line| !line.starts_with("ok "))
        .collect();
    let (last, found) = found.split_last().unwrap();
    assert!(last.trim_end_matches('s').ends_with("warning"), "{last}");
    assert_eq!(found.len(), expected.len(), "{}", ended.out);
    for (found, expected) in found.iter().zip(expected) {
        let (level, text) = expected.split_once(' ').unwrap();
        assert!(
            found.starts_with(level) && found.contains(text),
            "{found} is not {expected}"
        );
    }
    ended
}

fn healthy() -> Memory {
    let mut memory = Memory::with_kek();
    memory.ok("keyset init --label first --lease 3600");
    memory
}

#[test]
fn all_is_well() {
    let ended = finds(&mut healthy(), 0, &[]);
    assert!(
        ended.out.contains(
            "the keys come from a keyset: RESEAL_KEYSET ring.json, RESEAL_KEK_FILE kek\n"
        )
    );
    assert!(ended.out.contains("primary data (first)"));
    assert!(ended.out.contains("a lease of 3600 seconds"));
}

#[test]
fn without_keys() {
    finds(&mut Memory::new(), 3, &["error [source-missing]"]);
    let mut memory = healthy();
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    finds(&mut memory, 3, &["error [source-conflict]"]);
    memory.variables.remove("RESEAL_PRIMARY_KEY");
    memory.files.remove("ring.json");
    finds(&mut memory, 3, &["error [source-unreadable]"]);
}

#[test]
fn names_and_values_of_variables() {
    let mut memory = healthy();
    memory.set("RESEAL_PRIMARY_KEY_OLD", "x");
    memory.set("RESEAL_NEW_KEK", "x");
    memory.set("RESEAL_KEYST", "x");
    memory.set("RESEAL_PRIMARY", "first");
    memory.set("RESEAL_INDEX_KEY", "  ");
    let expected = [
        "warning RESEAL_INDEX_KEY is set but empty",
        "warning RESEAL_KEYST is read by nothing",
        "warning RESEAL_NEW_KEK is left over",
        "warning RESEAL_PRIMARY_KEY_OLD is left over",
        "warning RESEAL_PRIMARY has no effect",
    ];
    finds(&mut memory, 0, &expected);
}

/// What a keyset left behind is named; with its path set but empty, it is more than a leftover.
#[test]
fn variables_of_a_keyset_without_one() {
    let mut memory = Memory::new();
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    memory.set("RESEAL_KEK_FILE", "kek");
    memory.set("RESEAL_RING", "x");
    memory.set("RESEAL_MIN_GENERATION", "12");
    let expected = [
        "warning RESEAL_KEK_FILE has no effect",
        "warning RESEAL_RING has no effect",
        "warning RESEAL_MIN_GENERATION has no effect",
    ];
    finds(&mut memory, 0, &expected);
    memory.set("RESEAL_KEYSET", "");
    finds(&mut memory, 3, &["error [source-conflict]"]);
    memory.set("RESEAL_INDEX_KEY", "");
    let expected = [
        "warning RESEAL_INDEX_KEY is set but empty",
        "error [source-conflict]",
    ];
    finds(&mut memory, 3, &expected);
}

#[test]
fn quotation_marks() {
    let mut memory = Memory::new();
    let text = key(KeyUse::Data, 1).export();
    memory.set("RESEAL_PRIMARY_KEY", &format!("\"{}\"", *text));
    let ended = finds(
        &mut memory,
        3,
        &[
            "error RESEAL_PRIMARY_KEY has quotation marks",
            "error [invalid-key]",
        ],
    );
    assert!(!ended.out.contains("rsk1.data."));
    let mut memory = healthy();
    memory.set("RESEAL_KEYSET", "'ring.json'");
    finds(
        &mut memory,
        3,
        &[
            "error RESEAL_KEYSET has quotation",
            "error [source-unreadable]",
        ],
    );
}

#[test]
fn rights_of_files() {
    let mut memory = healthy();
    for (mode, expected) in [
        (
            0o644,
            "warning everybody on this machine may read kek (644)",
        ),
        (0o660, "warning its group may change kek (660)"),
        (0o602, "error everybody may change kek (602)"),
    ] {
        memory.files.get_mut("kek").unwrap().facts.mode = Some(mode);
        let code = if expected.starts_with("error") { 3 } else { 0 };
        finds(&mut memory, code, &[expected]);
    }
    memory.files.get_mut("kek").unwrap().facts.mode = None;
    memory.files.get_mut("ring.json").unwrap().facts.is_link = true;
    memory.add("ring.json.lock", "{}");
    finds(
        &mut memory,
        0,
        &[
            "warning ring.json is a symbolic link",
            "warning ring.json.lock is there",
        ],
    );
}

#[test]
fn a_keyset_may_be_read_by_everybody_unless_it_has_a_passphrase() {
    let mut memory = healthy();
    memory.files.get_mut("ring.json").unwrap().facts.mode = Some(0o644);
    finds(&mut memory, 0, &[]);
    memory.add("pass", "correct horse battery");
    memory.ok("keyset rewrap-keys --keep --new-passphrase-file pass");
    memory.files.get_mut("ring.json").unwrap().facts.mode = Some(0o644);
    finds(
        &mut memory,
        0,
        &["warning everybody on this machine may read ring.json (644)"],
    );
    memory.files.get_mut("ring.json").unwrap().facts.mode = Some(0o600);
    memory.variables.remove("RESEAL_KEK_FILE");
    memory.set("RESEAL_PASSPHRASE", "correct horse battery");
    let ended = finds(&mut memory, 0, &[]);
    assert!(
        ended
            .out
            .contains("a keyset: RESEAL_KEYSET ring.json, RESEAL_PASSPHRASE\n"),
        "{}",
        ended.out
    );
    assert!(ended.out.ends_with("\n0 errors, 0 warnings\n"));
    memory.set("RESEAL_TYPO", "x");
    assert!(memory.ok("doctor").ends_with("\n0 errors, 1 warning\n"));
}

#[test]
fn states_and_ages_of_keys() {
    let mut memory = healthy();
    let first = memory.labelled("first");
    memory.now = START + 365 * DAY;
    finds(&mut memory, 0, &[]);
    memory.now += 1;
    finds(
        &mut memory,
        0,
        &[&format!(
            "warning {first} is older than a year and still seals"
        )],
    );

    memory.ok("keyset introduce --label second");
    let second = memory.labelled("second");
    let ended = memory.run("doctor");
    assert!(
        ended.out.contains(&format!(
            "{second} came at 2027-11-20T00:00:01Z, and not every process knows it yet: wait for the lease, and restart \
             every process without a live ring\n"
        )),
        "{}",
        ended.out
    );
    memory.now += 3600;
    let ended = memory.run("doctor");
    assert!(
        ended.out.contains(&format!(
            "{second} came at 2027-11-20T00:00:01Z, and may be promoted, if every process without a live ring was \
             restarted since\n"
        )),
        "{}",
        ended.out
    );
    memory.ok(&format!("keyset promote {second}"));
    finds(&mut memory, 0, &[]);
    memory.now += 365 * DAY;
    memory.ok(&format!("keyset disable {second} --emergency --yes"));
    let expected = format!("warning {first} has only opened for more than a year");
    finds(&mut memory, 3, &["error no data key is primary"]);
    memory.now += 1;
    finds(&mut memory, 3, &["error no data key is primary", &expected]);
}

#[test]
fn clocks_and_leases() {
    let mut memory = healthy();
    memory.now = START - 3600;
    finds(&mut memory, 0, &["warning it was issued in the future"]);
    memory.now = START;
    memory.ok("keyset lease 59");
    finds(&mut memory, 0, &["warning its lease is very short"]);
}

#[test]
fn ages_of_key_files() {
    let mut memory = Memory::new();
    memory.set("RESEAL_PRIMARY_KEY_FILE", "first");
    memory.add("first", &*key(KeyUse::Data, 1).export());
    memory.now += 365 * DAY;
    finds(&mut memory, 0, &[]);
    memory.now += 1;
    finds(&mut memory, 0, &["warning first is older than a year"]);
}

#[test]
fn a_directory() {
    let mut memory = Memory::new();
    memory.set("RESEAL_KEY_DIR", "keys");
    memory.set("RESEAL_PRIMARY", "new");
    memory.add("keys/new", &*key(KeyUse::Data, 1).export());
    memory.add("keys/old", &*key(KeyUse::Data, 2).export());
    memory.add("keys/index", &*key(KeyUse::Index, 3).export());
    finds(&mut memory, 0, &["warning no index key is primary"]);
    memory.set("RESEAL_INDEX_PRIMARY", "index");
    finds(&mut memory, 0, &[]);
    memory.now += 366 * DAY;
    memory.add("keys/new", &*key(KeyUse::Data, 1).export());
    finds(
        &mut memory,
        0,
        &["warning keys/index is older", "warning keys/old is older"],
    );
    memory.add("keys/broken", "rsk1.data.");
    let ended = memory.run("doctor");
    assert_eq!(ended.code, 3);
    assert!(ended.out.contains("broken: "), "{}", ended.out);
}
