//! A secret in a wrong place is not shown, and what is shown does not steer the terminal.

use reseal::KeyUse;

use crate::host::{DAY, Memory, key};

/// The commands that look at the environment.
const LINES: [&str; 8] = [
    "seal a",
    "open a",
    "canary make",
    "doctor",
    "keyset show",
    "keyset init",
    "keyset rotate",
    "keyset export-keys --yes",
];

#[track_caller]
fn shows_nothing(memory: &mut Memory, line: &str, secret: &str) {
    for line in [line.to_owned(), format!("--json {line}")] {
        let ended = memory.run(&line);
        let said = ended.out + &ended.err;
        assert_ne!(ended.code, 0, "{line}: {said}");
        assert!(!said.contains(secret), "{line}: {said}");
        assert!(!said.is_empty(), "{line}");
    }
}

#[test]
fn a_key_in_a_variable_of_something_else() {
    for key_use in [KeyUse::Data, KeyUse::Kek] {
        let text = key(key_use, 7).export();
        let secret = &text[text.len() - 20..];
        for name in [
            "RESEAL_KEYSET",
            "RESEAL_KEK_FILE",
            "RESEAL_PASSPHRASE_FILE",
            "RESEAL_RING",
            "RESEAL_MIN_GENERATION",
        ] {
            let mut memory = Memory::with_kek();
            memory.ok("keyset init --lease 5");
            if name == "RESEAL_PASSPHRASE_FILE" {
                memory.variables.remove("RESEAL_KEK_FILE");
            }
            memory.set(name, &text);
            for line in LINES {
                shows_nothing(&mut memory, line, secret);
            }
        }
        for name in [
            "RESEAL_PRIMARY_KEY_FILE",
            "RESEAL_KEY_DIR",
            "RESEAL_PRIMARY",
        ] {
            let mut memory = Memory::new();
            memory.set("RESEAL_KEY_DIR", "keys");
            memory.set("RESEAL_PRIMARY", "new");
            memory.set(name, &text);
            for line in LINES {
                shows_nothing(&mut memory, line, secret);
            }
        }
    }
}

#[test]
fn a_key_in_an_argument_of_something_else() {
    let text = key(KeyUse::Kek, 7).export();
    let secret = &text[text.len() - 20..];
    let mut memory = Memory::with_kek();
    memory.ok("keyset init");
    for line in [
        "seal {}",
        "open -- {}",
        "seal -c {} a",
        "seal -c a={} a",
        "canary check {}",
        "keys new --out {}",
        "keys new --use {}",
        "keys new {}",
        "keyset show --kek-file {}",
        "keyset show --kek-file={}",
        "keyset show --kek {}",
        "keyset show --passphrase {}",
        "keyset show --keyset x{}",
        "keyset promote {}",
        "keyset introduce --key-file {}",
        "keyset introduce --label {}",
        "keyset rewrap-keys --remove {}",
        "completion {}",
        "{}",
        "--{}",
    ] {
        shows_nothing(&mut memory, &line.replace("{}", &text), secret);
    }
}

#[test]
fn a_file_that_is_named_after_its_key() {
    let text = key(KeyUse::Data, 7).export();
    let secret = &text[text.len() - 20..];
    let mut memory = Memory::new();
    memory.set("RESEAL_KEY_DIR", "keys");
    memory.set("RESEAL_PRIMARY", "new");
    memory.add("keys/new", &*key(KeyUse::Data, 1).export());
    let path = format!("keys/{}", *text);
    memory.add(&path, &*text);
    memory.files.get_mut(&path).unwrap().facts.mode = Some(0o666);
    memory.now += 400 * DAY;
    memory.set(&format!("RESEAL_{}", *text), "x");
    shows_nothing(&mut memory, "doctor", secret);
    let report = memory.run("doctor").out;
    assert!(report.contains("keys/rsk1.… (666)"), "{report}");
    assert!(report.contains("the key in keys/rsk1.… is"), "{report}");
    assert!(report.contains("RESEAL_rsk1.… is read by"), "{report}");
    memory.add(&path, "junk");
    shows_nothing(&mut memory, "seal a", secret);
    memory.warnings = vec![format!("{path} is open")];
    shows_nothing(&mut memory, "seal a", secret);
}

#[test]
fn a_passphrase_in_the_place_of_a_command() {
    let mut memory = Memory::with_kek();
    memory.ok("keyset init");
    for line in [
        "keyset show --passphrase Secret!",
        "keyset show --passphrase=Secret!",
        "keyset --passphrase Secret! show",
        "keyset rewrap-keys --new-passphrase Secret!",
        "keyset lease --passphrase Secret!",
        "seal --mode Secret!",
        "seal -c Secret! a",
        "Secret!",
    ] {
        shows_nothing(&mut memory, line, "Secret!");
    }
}

#[test]
fn nothing_steers_the_terminal() {
    let steering = "\u{1b}[2J\u{9b}31m\u{202e}\u{7f}\u{7}";
    let mut memory = Memory::with_kek();
    memory.add(&format!("kek{steering}"), &*key(KeyUse::Kek, 9).export());
    memory.set("RESEAL_KEK_FILE", &format!("kek{steering}"));
    memory.set("RESEAL_KEYSET", &format!("ring{steering}"));
    memory.set(&format!("RESEAL_{steering}"), "x");
    let lines = [
        "keyset init".to_owned(),
        "keyset init".to_owned(),
        "keyset show".to_owned(),
        "keyset introduce".to_owned(),
        "keyset export-keys".to_owned(),
        format!("keyset export-keys --yes --out out{steering}"),
        format!("keyset promote {steering}"),
        format!("keyset show --keyset {steering}"),
        format!("keys new --out new{steering}"),
        format!("keys new --for rails --out rails{steering}"),
        format!("keyset {steering}"),
        format!("seal --mode {steering}"),
        format!("--{steering}"),
        format!("--kek-file={steering}"),
        format!("inspect a{steering}"),
        format!("seal -c {steering}=a x"),
        "doctor".to_owned(),
    ];
    for line in lines {
        for line in [line.clone(), format!("--json {line}")] {
            let ended = memory.run(&line);
            let said = ended.out + &ended.err;
            let steers = |c: char| (c.is_control() && c != '\n') || c == '\u{202e}';
            assert!(!said.contains(steers), "{line:?}: {said:?}");
        }
    }
    memory.answers = Some(Vec::new());
    memory.run(&format!("keyset export-keys --out {steering}"));
    let question = memory.questions.last().unwrap();
    assert!(!question.contains(char::is_control), "{question:?}");
}

#[test]
fn an_opened_value_steers_no_terminal_and_is_whole_elsewhere() {
    let mut memory = Memory::new();
    memory.set("RESEAL_PRIMARY_KEY", &key(KeyUse::Data, 1).export());
    memory.input = vec![b"a\x1b[2J\xc2\x9b\tb".to_vec()];
    let sealed = memory.ok("seal");
    let opened = memory.ok(&format!("open {sealed}"));
    assert_eq!(opened, "a\u{1b}[2J\u{9b}\tb\n");
    let line = memory.ok(&format!("open --json {sealed}"));
    assert!(
        !line.contains(|c: char| c.is_control() && c != '\n'),
        "{line:?}"
    );
    let read: serde_json::Value = serde_json::from_str(&line).unwrap();
    assert_eq!(read["value"], "a\u{1b}[2J\u{9b}\tb");
    memory.terminal_output = true;
    let shown = memory.ok(&format!("open {sealed}"));
    assert_eq!(shown, "a\\u{1b}[2J\\u{9b}\tb\n");
}
