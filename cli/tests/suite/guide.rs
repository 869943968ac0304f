//! The steps of a change.

use serde_json::Value;

use crate::host::Memory;

const APP: &str = "version = 1
[codecs.app]
kind = 'reseal'
keyring = 'keyset:my ring.json'
kek = 'env:APP_KEK'
[codecs.tokens]
kind = 'fernet'
keys = ['env:FERNET_KEY']
";
const USERS: &str = "[[columns]]
table = 'users'
column = 'ssn'
row_id = ['id']
context = { table = 'users', column = 'ssn' }
bind_row = true
";

/// The titles, and all commands.
fn guide(codecs: &str, column: &str, line: &str) -> (Vec<String>, Vec<String>, String) {
    let mut memory = Memory::new();
    memory.add("reseal.toml", format!("{codecs}{USERS}{column}"));
    memory.set("RESEAL_DATABASE_URL", "postgresql://ann:s3cret@db/shop");
    let text = memory.ok(line);
    assert!(!text.contains("s3cret"), "{text}");
    let steps: Vec<Value> = serde_json::from_str(&memory.ok(&format!("{line} --json"))).unwrap();
    let titles = steps
        .iter()
        .map(|it| it["title"].as_str().unwrap().to_owned());
    let commands = steps
        .iter()
        .flat_map(|it| it["commands"].as_array().unwrap());
    let commands = commands.map(|it| it.as_str().unwrap().to_owned());
    let (titles, commands): (Vec<_>, Vec<_>) = (titles.collect(), commands.collect());
    for (place, title) in titles.iter().enumerate() {
        assert!(
            text.contains(&format!("## {}. {title}\n", place + 1)),
            "{text}"
        );
    }
    for command in &commands {
        assert!(text.contains(&format!("\n    {command}")), "{text}");
    }
    (titles, commands, text)
}

#[test]
fn a_rotation_has_its_steps_in_order() {
    let (titles, commands, text) = guide(APP, "write = 'app'\n", "guide");
    let expected = [
        "Back up",
        "Rehearse on staging",
        "Rotate: introduce",
        "Rotate: roll",
        "Rotate: promote",
        "Rotate: roll",
        "Rotate: apply",
        "Rotate: verify",
        "Rotate: retire",
        "Rotate: clean up",
    ];
    assert_eq!(titles, expected);
    let backup = "pg_dump --host=db --username=ann --table=users --file=before-reseal.sql shop";
    assert_eq!(commands[0], backup);
    let keyset = |words: &str| {
        format!("RESEAL_KEK=\"$APP_KEK\" reseal keyset {words} --keyset 'my ring.json'")
    };
    let new = format!(
        "NEW=$({} | awk '{{print substr($4, 1, 32)}}')",
        keyset("introduce")
    );
    assert!(commands.contains(&new), "{commands:?}");
    assert!(
        commands.contains(&keyset("promote \"$NEW\"")),
        "{commands:?}"
    );
    assert!(commands.contains(&"reseal apply".to_owned()));
    assert!(commands.contains(&"reseal retire \"$OLD\"".to_owned()));
    let gone = format!("reseal retire \"$OLD\" && {}", keyset("destroy \"$OLD\""));
    assert_eq!(commands.last().unwrap(), &gone);
    assert!(text.contains("bound to their row ids"), "{text}");
}

#[test]
fn a_process_without_a_live_ring_is_restarted() {
    let rolls = |codecs: &str, column: &str| {
        let (.., text) = guide(codecs, column, "guide");
        let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
        let parts = text.split("Rotate: roll ").skip(1);
        let rolls: Vec<String> = parts
            .map(|it| it.split(" ## ").next().unwrap().to_owned())
            .collect();
        assert_eq!(rolls.len(), 2, "{text}");
        rolls
    };
    let restart = |what: &str| format!("Restart every process, so that each one {what}.");
    let learns = restart("learns of the new key");
    let seals = restart("seals under the new key");
    let live = "Only one with a LiveKeyring may be left running: wait for the lease of the keyset, which \
                reseal keyset show prints, or for ten seconds where it has none.";
    let of_keyset = [format!("{learns} {live}"), format!("{seals} {live}")];
    assert_eq!(rolls(APP, "write = 'app'\n"), of_keyset);

    let environment = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n";
    let every = [learns, seals];
    assert_eq!(rolls(environment, "write = 'app'\n"), every);
    let more = "[[columns]]\ntable = 'users'\ncolumn = 'mail'\nrow_id = ['id']\nwrite = 'tokens'\n";
    assert_eq!(rolls(APP, &format!("write = 'app'\n{more}")), every);
}

#[test]
fn a_migration_comes_before_the_rotation() {
    let column = "readers = { billing = ['fernet'], mail = ['reseal', 'fernet'] }
indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 }]
write = 'app'
read = ['plain', 'tokens']\n";
    let (titles, commands, text) = guide(APP, column, "guide");
    let migrate = titles
        .iter()
        .position(|it| it == "Migrate: introduce")
        .unwrap();
    let rotate = titles
        .iter()
        .position(|it| it == "Rotate: introduce")
        .unwrap();
    assert!(migrate < rotate, "{titles:?}");
    for command in [
        "reseal retire tokens",
        "reseal retire plain",
        "reseal apply --reindex",
        "reseal retire \"$OLD_INDEX\"",
    ] {
        assert!(
            commands.iter().any(|it| it == command),
            "{command}: {commands:?}"
        );
    }
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "billing reads users.ssn, and cannot read that yet: teach it first.",
        "mail reads users.ssn, and can read that.",
        "A program that takes its columns from the manifest would write app at once. Until the step promote \
         it gets a copy with write and read exchanged: write = \"tokens\" and read = [\"app\", \"plain\"], if tokens is \
         what it writes today, for users.ssn.",
        "in another format. A program with such a copy gets the manifest itself.",
        "blind indexes of users.ssn",
    ] {
        assert!(squeezed.contains(sentence), "{sentence}: {text}");
    }
}

#[test]
fn another_system_rotates_in_its_own_format() {
    let (titles, commands, text) = guide(APP, "write = 'tokens'\n", "guide");
    assert!(titles.contains(&"Rotate: promote".to_owned()), "{titles:?}");
    assert!(
        commands.contains(&"reseal retire tokens".to_owned()),
        "{commands:?}"
    );
    assert!(
        !commands.iter().any(|it| it.contains("keyset")),
        "{commands:?}"
    );
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(
        squeezed.contains("describe it as [codecs.tokens_new]"),
        "{text}"
    );
    let off = "read = ['tokens']\nwrite = 'plain'\n";
    let (titles, ..) = guide(APP, off, "guide");
    assert!(
        !titles.iter().any(|it| it.starts_with("Rotate")),
        "{titles:?}"
    );
}

#[test]
fn a_key_of_sentry_is_one_more_file() {
    let fields = "version = 1
[codecs.fields]
kind = 'sentry'
key_dir = 'keys'
primary = 'key_2024_02'
";
    let (_, commands, text) = guide(fields, "write = 'fields'\n", "guide");
    let place = |command: &str| commands.iter().position(|it| it == command).unwrap();
    let retire = place("reseal retire \"$OLD_KEY_ID\"");
    assert!(place("OLD_KEY_ID=key_2024_02") < retire, "{commands:?}");
    let copies =
        "sed -e 's|\\(key_dir *= *.\\)keys|\\1rehearsal-keys|g' reseal.toml >rehearsal-reseal.toml";
    assert!(
        place("mkdir -m 700 rehearsal-keys && cp -RL keys/. rehearsal-keys") < place(copies),
        "{commands:?}"
    );
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "reseal keys new --for fernet --out",
        "Let primary of [codecs.fields] name the new key",
        "Take the old key out of the key directory of [codecs.fields].",
    ] {
        assert!(squeezed.contains(sentence), "{sentence}: {text}");
    }
    assert!(!text.contains("fields_new"), "{text}");
}

#[test]
fn keys_of_the_environment_and_of_directories_have_their_own_commands() {
    let environment = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n";
    let (_, commands, _) = guide(environment, "write = 'app'\n", "guide");
    let decrypt = "export RESEAL_DECRYPT_KEYS=\"${RESEAL_DECRYPT_KEYS:+$RESEAL_DECRYPT_KEYS,}$RESEAL_PRIMARY_KEY\"";
    let primary = "export RESEAL_PRIMARY_KEY=\"$NEW\"";
    let place = |command: &str| commands.iter().position(|it| it == command).unwrap();
    assert!(place(decrypt) < place(primary), "{commands:?}");

    let directory =
        "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'dir:keys'\nprimary = 'a.key'\n";
    let (_, commands, text) = guide(directory, "write = 'app'\n", "guide");
    let new = "reseal keys new --use data --out keys/$(date +%Y-%m-%d)-data.key";
    assert!(commands.iter().any(|it| it == new), "{commands:?}");
    assert!(
        text.contains("RESEAL_KEY_DIR=keys RESEAL_PRIMARY=a.key reseal doctor"),
        "{text}"
    );
    let squeezed = |text: &str| text.split_whitespace().collect::<Vec<_>>().join(" ");
    let primary = "Write the name of the new file as primary of codecs.app into the manifest, and into RESEAL_PRIMARY of \
                   every process";
    let alone = format!("{primary}; old files stay.");
    assert!(squeezed(&text).contains(&alone), "{text}");

    let indexes =
        "indexes = [{ name = 'eq', column = 'ssn_eq', normalizer = 'digits', bits = 64 }]\n";
    let both = format!("{directory}index_primary = 'i.key'\n");
    let (.., text) = guide(&both, &format!("{indexes}write = 'app'\n"), "guide");
    let both = format!(
        "{primary}. That of the new index key is index_primary and RESEAL_INDEX_PRIMARY; old files stay."
    );
    assert!(squeezed(&text).contains(&both), "{text}");
}

#[test]
fn a_manifest_elsewhere_is_named_in_each_command() {
    let mut memory = Memory::new();
    memory.add("db/reseal.toml", format!("{APP}{USERS}write = 'app'\n"));
    let text = memory.ok("guide --manifest db/reseal.toml --db sqlite:///app.db");
    for command in [
        "plan",
        "apply",
        "verify --refused refused.jsonl",
        "retire \"$OLD\"",
    ] {
        let line = format!("    reseal {command} --manifest db/reseal.toml");
        assert!(text.contains(&line), "{text}");
    }
    assert!(
        text.contains("sqlite3 app.db '.backup before-reseal.db'"),
        "{text}"
    );
    let text = memory.ok("guide --manifest db/reseal.toml");
    assert!(text.contains("set RESEAL_DATABASE_URL"), "{text}");
}

#[test]
fn two_codecs_that_name_their_keys_have_each_its_own() {
    let both = "version = 1
[codecs.json-fields]
kind = 'sentry'
field = 'json'
key_dir = 'keys'
primary = 'key one'
[codecs.fields]
kind = 'sentry'
keys = { key_2024_02 = 'env:OLD' }
primary = 'key_2024_02'
";
    let more = "write = 'fields'\n[[columns]]\ntable = 'notes'\ncolumn = 'body'\nrow_id = ['id']\ntype = 'json'\nwrite = 'json-fields'\n";
    let (_, commands, _) = guide(both, more, "guide");
    for command in [
        "OLD_KEY_ID_FIELDS=key_2024_02",
        "OLD_KEY_ID_JSON_FIELDS='key one'",
        "reseal retire \"$OLD_KEY_ID_FIELDS\"",
        "reseal retire \"$OLD_KEY_ID_JSON_FIELDS\"",
    ] {
        assert!(commands.iter().any(|it| it == command), "{commands:?}");
    }
}

#[test]
fn a_rehearsal_works_on_copies() {
    let (_, commands, text) = guide(APP, "write = 'app'\n", "guide");
    let copies = [
        "cp 'my ring.json' 'rehearsal-my ring.json'",
        "sed -e 's|\\(keyset:\\)my ring\\.json|\\1rehearsal-my ring.json|g' reseal.toml >rehearsal-reseal.toml",
        "reseal manifest check rehearsal-reseal.toml",
        "reseal census --manifest rehearsal-reseal.toml",
        "reseal plan --manifest rehearsal-reseal.toml",
        "reseal apply --dry-run --manifest rehearsal-reseal.toml",
        "reseal guide --manifest rehearsal-reseal.toml",
    ];
    assert_eq!(commands[1..8], copies);
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    assert!(squeezed.contains("In a shell of its own"), "{text}");

    let environment = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n";
    let (_, commands, _) = guide(environment, "write = 'app'\n", "guide");
    assert_eq!(commands[1], "cp reseal.toml rehearsal-reseal.toml");
    let directory = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'dir:/etc/keys'\nprimary = 'a.key'\n";
    let (_, commands, _) = guide(directory, "write = 'app'\n", "guide");
    assert_eq!(
        commands[1],
        "mkdir -m 700 /etc/rehearsal-keys && cp -RL /etc/keys/. /etc/rehearsal-keys"
    );
    let database = APP.replace("keyset:my ring.json", "sql:");
    let (_, commands, _) = guide(&database, "write = 'app'\n", "guide");
    assert_eq!(commands[1], "cp reseal.toml rehearsal-reseal.toml");
}

#[test]
fn a_backup_has_the_tables_of_the_keys() {
    let codecs = "version = 1
[codecs.app]
kind = 'reseal'
keyring = 'sql:'
kek = 'env:APP_KEK'
[codecs.n8n]
kind = 'n8n'
instance_keys = ['env:N8N_ENCRYPTION_KEY']
rows = 'table:deployment_key'
expect = 'utf8'
";
    let (_, commands, text) = guide(codecs, "write = 'app'\nread = ['n8n']\n", "guide");
    let tables = "--table=deployment_key --table=reseal_keysets --table=users";
    assert!(commands[0].contains(tables), "{commands:?}");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence = "those of deployment_key, reseal_keysets: keep what opens them";
    assert!(squeezed.contains(sentence), "{text}");
    let (.., text) = guide(APP, "write = 'app'\n", "guide");
    assert!(!text.contains("keys as well"), "{text}");
}

#[test]
fn a_column_whose_name_begins_another_is_named() {
    let moved = "write = 'app'\nread = ['tokens']\n";
    let ss = "[[columns]]\ntable = 'users'\ncolumn = 'ss'\nrow_id = ['id']\n";
    let (.., text) = guide(APP, &format!("{moved}{ss}{moved}"), "guide");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    let sentence =
        "read = [\"app\"] for users.ssn; write = \"tokens\" and read = [\"app\"] for users.ss.";
    assert!(squeezed.contains(sentence), "{text}");
}

#[test]
fn a_migration_goes_column_by_column() {
    let moved = "write = 'app'\nread = ['tokens']\n";
    let still =
        "[[columns]]\ntable = 'users'\ncolumn = 'mail'\nrow_id = ['id']\nwrite = 'tokens'\n";
    let (_, commands, text) = guide(APP, &format!("{moved}{still}"), "guide");
    assert!(
        commands.iter().any(|it| it == "reseal verify"),
        "{commands:?}"
    );
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "write app, and go on reading tokens:",
        "exchanged: write = \"tokens\" and read = [\"app\"] for users.ssn.",
        "Other columns write tokens, so that it stays: take it out of read of users.ssn here",
        "Take tokens out of read of users.ssn, here",
    ] {
        assert!(squeezed.contains(sentence), "{sentence}: {text}");
    }
    let (titles, ..) = guide(APP, "write = 'app'\nread = ['app']\n", "guide");
    let migrates = titles.iter().any(|it| it.starts_with("Migrate"));
    assert!(!migrates, "nothing is left behind: {titles:?}");
}

#[test]
fn keys_in_files_come_into_the_shell_first() {
    let mut memory = Memory::new();
    let codec = "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n";
    memory.add("reseal.toml", format!("{codec}{USERS}write = 'app'\n"));
    memory.set("RESEAL_PRIMARY_KEY_FILE", "/run/primary");
    memory.set("RESEAL_DECRYPT_KEYS_FILE", " ");
    let text = memory.ok("guide");
    let from_file = "
    export RESEAL_PRIMARY_KEY=\"$(cat \"$RESEAL_PRIMARY_KEY_FILE\")\"
    unset RESEAL_PRIMARY_KEY_FILE
    OLD=$(reseal doctor";
    assert!(text.contains(from_file), "{text}");
    assert!(!text.contains("RESEAL_DECRYPT_KEYS_FILE"), "{text}");
    memory.variables.clear();
    memory.set("RESEAL_KEYSET", "ring.json");
    let text = memory.ok("guide");
    let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
    for sentence in [
        "RESEAL_KEYSET is set: let keyring of codecs.app name that place",
        "RESEAL_KEYSET has to name a copy as well",
    ] {
        assert!(squeezed.contains(sentence), "{sentence}: {text}");
    }
}

#[test]
fn no_program_is_told_to_write_what_is_read_alone() {
    let streams = "[codecs.cache]
kind = 'metabase'
keys = ['env:MB_ENCRYPTION_SECRET_KEY']
streams = true
expect = 'utf8'
";
    for (read, expected) in [
        (
            "'cache', 'plain'",
            "write = \"plain\" and read = [\"app\", \"cache\"]",
        ),
        ("'cache'", "goes on writing what it writes. "),
    ] {
        let column = format!("write = 'app'\nread = [{read}]\n");
        let (_, _, text) = guide(&format!("{APP}{streams}"), &column, "guide");
        let squeezed = text.split_whitespace().collect::<Vec<_>>().join(" ");
        assert!(squeezed.contains(expected), "{read}: {text}");
        assert!(!squeezed.contains("write = \"cache\""), "{read}: {text}");
        assert_eq!(
            squeezed.contains("a copy with write and read exchanged"),
            read.contains("plain"),
            "{text}"
        );
    }
}
