//! Workers with other keys in a format that shows no key: whoever joins last decides, if it knows the others' keys.

use crate::{
    support::World,
    workers::{Did, Worker, all, of},
};
use reseal::{
    ErrorCode,
    job::{End, Target, Work},
    manifest::{Manifest, Secrets},
};

/// The newest key comes first.
const NEWER: &str = "['env:NEW', 'env:OLD']";
const OLDER: &str = "['env:OLD']";

/// Options of a codec, and of its column.
const FORMATS: [(&str, &str); 16] = [
    ("kind = 'fernet'\nkeys = KEYS", ""),
    ("kind = 'sentry'\nkeys = NAMED", ""),
    (
        "kind = 'sentry'\nfield = 'json'\nkeys = NAMED",
        "type = 'json'",
    ),
    (
        "kind = 'rails'\nprimary_keys = LAST\nkey_derivation_salt = 'env:SALT'",
        "",
    ),
    ("kind = 'metabase'\nkeys = KEYS", ""),
    (
        "kind = 'metabase'\nkeys = KEYS\naad = '{table}/{row}'",
        "context = { table = 'users' }\nbind_row = true",
    ),
    ("kind = 'n8n'\ninstance_keys = KEYS\nexpect = 'utf8'", ""),
    ("kind = 'n8n'\ninstance_keys = KEYS\nexpect = 'json'", ""),
    ("kind = 'freeboard'\nkeys = KEYS", "type = 'json'"),
    (
        "kind = 'django-fernet'\nsecrets = KEYS\nsalts = ['env:SALT']",
        "",
    ),
    ("kind = 'fernet-fields'\nsecrets = KEYS", ""),
    ("kind = 'django-cryptography'\nsecrets = KEYS", ""),
    (
        "kind = 'django-cryptography'\nsecrets = KEYS\nfield = 'boolean'",
        "type = 'boolean'",
    ),
    (
        "kind = 'django-cryptography'\nsecrets = KEYS\nfield = 'integer'",
        "type = 'integer'",
    ),
    (
        "kind = 'sqlalchemy-utils'\nkeys = KEYS\nengine = 'aes'\nexpect = 'utf8'",
        "",
    ),
    (
        "kind = 'sqlalchemy-utils'\nkeys = KEYS\nengine = 'aes-gcm'",
        "",
    ),
];

fn targets((codec, column): (&str, &str), keys: &str) -> Vec<Target> {
    let named = match keys {
        NEWER => "{ new = 'env:NEW', old = 'env:OLD' }\nprimary = 'new'",
        _ => "{ old = 'env:OLD' }\nprimary = 'old'",
    };
    let last = keys.replace("'env:NEW', 'env:OLD'", "'env:OLD', 'env:NEW'");
    let codec = codec.replace("KEYS", keys).replace("NAMED", named);
    let manifest = Manifest::parse(&format!(
        "version = 1\n[codecs.there]\n{}\n[[columns]]\ntable = 'users'\ncolumn = 'ssn'\nrow_id = ['id']\n\
         write = 'there'\nread = ['plain']\n{column}",
        codec.replace("LAST", &last)
    ));
    let manifest = manifest.unwrap();
    let is_board = codec.contains("freeboard");
    let mut secrets = Secrets::new();
    for want in manifest.wants() {
        let secret = match (want.name.as_str(), is_board) {
            ("NEW", false) => "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=",
            ("NEW", true) => "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
            (_, false) => "B9IqD_3LAFlcSPXnMYzUyWXuhQKADXPWgbaKslfwZ78=",
            (_, true) => "HwECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=",
        };
        secrets.give(&want, secret);
    }
    Target::of(&manifest, &secrets).unwrap()
}

fn world(codec: &str) -> World {
    let form = if codec.contains("cryptography") {
        "BLOB"
    } else {
        "TEXT"
    };
    let world = World::new(&format!(
        "CREATE TABLE users (id INTEGER PRIMARY KEY, ssn {form})"
    ));
    for id in 1..=20 {
        let insert = format!("INSERT INTO users VALUES (?, CAST('true' AS {form}))");
        world.db.execute(&insert, [id]).unwrap();
    }
    world
}

fn worker(world: &World, format: (&str, &str), keys: &str, run: &str) -> Worker {
    let job = World::job_of(Work::Apply, targets(format, keys), of(run));
    Worker::of_job(world, job)
}

#[test]
fn who_does_not_know_the_key_of_the_others_has_no_part_in_their_job() {
    for format in FORMATS {
        let world = world(format.0);
        let mut first = worker(&world, format, NEWER, "a");
        assert_eq!(first.turn(0), Did::Batch);
        let mut late = worker(&world, format, OLDER, "b");
        assert_eq!(late.turn(0), Did::Ended, "{format:?}");
        let error = late.error();
        assert_eq!(error.code(), ErrorCode::JobConflict);
        assert!(error.message().contains("does not know"), "{error}");

        // Whoever has the same keys may come.
        let mut both = [first, worker(&world, format, NEWER, "c")];
        all(&mut both, 2_000);
        for worker in &both {
            assert_eq!(*worker.end(), End::Complete, "{format:?}");
        }
    }
}

#[test]
fn a_newer_key_ends_the_workers_with_the_older_one() {
    for format in FORMATS {
        let world = world(format.0);
        let mut before = worker(&world, format, OLDER, "a");
        assert_eq!(before.turn(0), Did::Batch);
        let mut after = worker(&world, format, NEWER, "b");
        assert_ne!(after.turn(0), Did::Ended, "{format:?}");
        while before.turn(2_000) != Did::Ended {}
        assert_eq!(before.error().code(), ErrorCode::JobConflict, "{format:?}");
        let mut last = [after];
        all(&mut last, 2_000);
        assert_eq!(*last[0].end(), End::Complete, "{format:?}");
    }
}

#[test]
fn a_canary_is_no_value_that_a_row_may_have() {
    let format = FORMATS[14];
    let world = world(format.0);
    let mut first = [worker(&world, format, NEWER, "a")];
    all(&mut first, 0);
    let stored = world.text("SELECT ssn FROM users WHERE id = 1").unwrap();
    let bytes = stored.bytes();
    let hex = bytes.fold(String::new(), |hex, byte| hex + &format!("{byte:02x}"));
    let state = world.text("SELECT state FROM reseal_jobs").unwrap();
    assert!(state.contains("\"canaries\":[\""), "{state}");
    assert!(
        !state.contains(&hex),
        "equal values are equal ciphertexts here"
    );
}

#[test]
fn who_was_not_asked_to_reindex_ends_those_who_were_and_the_other_way_round() {
    for is_first in [true, false] {
        let world = World::users(100);
        let ask = |run: &str, reindex: bool| {
            Worker::with(&world, crate::support::USERS, |options| {
                of(run)(options);
                options.reindex = reindex;
            })
        };
        let mut before = ask("a", is_first);
        assert_eq!(before.turn(0), Did::Batch);
        let mut after = ask("b", !is_first);
        assert_eq!(after.turn(0), Did::Batch);
        while before.turn(2_000) != Did::Ended {}
        assert!(before.error().message().contains("reindex"));
    }
}
