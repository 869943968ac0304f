//! A verification without a codec: what still needs it.

use crate::support::World;
use reseal::{
    Context, OsEntropy, Timestamp,
    codec::{Codec, Fernet, FernetKey, Form, Fresh, Place},
    job::{End, Event, Report, Target, Work},
    manifest::{Manifest, Secrets},
};
use std::sync::Arc;

const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

/// A token of a plaintext.
fn token(plaintext: &str) -> String {
    let codec = Fernet::new(vec![FernetKey::parse(KEY).unwrap()]).unwrap();
    let place = Place {
        context: &Context::new(),
        mode: reseal::Mode::Random,
        form: Form::Text,
    };
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let mut fresh = Fresh {
        entropy: &mut OsEntropy,
        now,
    };
    let sealed = codec.seal(plaintext.as_bytes(), &place, &mut fresh);
    let sealed = sealed.unwrap();
    String::from_utf8(sealed.as_stored().as_bytes().to_vec()).unwrap()
}

fn targets(world: &World, column: &str) -> Vec<Target> {
    let text = format!(
        "version = 1\n[codecs.app]\nkind = 'reseal'\nkeyring = 'env'\n\
         [codecs.tokens]\nkind = 'fernet'\nkeys = ['env:FERNET_KEY']\n\
         [codecs.again]\nkind = 'fernet'\nkeys = ['env:FERNET_KEY']\n\
         [[columns]]\ntable = 'users'\nrow_id = ['id']\n{column}"
    );
    let manifest = Manifest::parse(&text).unwrap();
    let mut secrets = Secrets::new();
    for want in manifest.wants() {
        secrets.give(&want, KEY);
    }
    secrets.give_ring("app", Arc::clone(&world.ring));
    Target::of(&manifest, &secrets).unwrap()
}

const SSN: &str = "column = 'ssn'\ncontext = { table = 'users', column = 'ssn' }\nwrite = 'app'\n";

/// Opened, and refused by code.
fn verified(world: &World, column: &str, without: &str) -> (u64, Vec<(String, u64)>) {
    let report = report(world, column, without);
    let total = report.columns[0].total();
    (total.found(), total.refused.into_iter().collect())
}

fn report(world: &World, column: &str, without: &str) -> Report {
    let job = World::job_of(Work::Verify, targets(world, column), |options| {
        options.without = Some(without.to_owned());
    });
    let report = world.run(job);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    report
}

/// Five rows: an envelope, a token, a plaintext, NULL, and a token under another key.
fn mixed() -> World {
    let world = World::users(5);
    for (id, value) in [(1, world.seal("secret-1")), (2, token("secret-2"))] {
        let update = "UPDATE users SET ssn = ? WHERE id = ?";
        world.db.execute(update, (value, id)).unwrap();
    }
    let foreign = token("x").replace("gAAAAABr", "gAAAAABs");
    let rest = format!(
        "UPDATE users SET ssn = NULL WHERE id = 4; UPDATE users SET ssn = '{foreign}' WHERE id = 5"
    );
    world.db.execute_batch(&rest).unwrap();
    world
}

fn refused(counts: &[(&str, u64)]) -> Vec<(String, u64)> {
    let counts = counts.iter();
    counts
        .map(|(code, values)| ((*code).to_owned(), *values))
        .collect()
}

#[test]
fn what_one_codec_alone_opens_still_needs_it() {
    let world = mixed();
    let all = format!("{SSN}read = ['tokens', 'plain']");
    // Without the codec a token is plaintext for the column: that is not what it holds.
    assert_eq!(
        verified(&world, &all, "tokens"),
        (2, refused(&[("auth-failed", 1), ("still-in-use", 1)]))
    );
    assert_eq!(
        verified(&world, &all, "plain"),
        (2, refused(&[("auth-failed", 1), ("still-in-use", 1)]))
    );
    assert_eq!(
        verified(&world, &all, "app"),
        (2, refused(&[("auth-failed", 1), ("still-in-use", 1)]))
    );
    let events = world.told.borrow();
    let told = events.iter().filter_map(|event| match event {
        Event::Refused { row_id, code, .. } => Some((row_id.join(""), *code)),
        _ => None,
    });
    let told: Vec<_> = told.collect();
    assert!(told.contains(&("2".to_owned(), "still-in-use")), "{told:?}");
    assert!(told.contains(&("3".to_owned(), "still-in-use")), "{told:?}");
}

#[test]
fn what_another_codec_opens_to_the_same_needs_none() {
    let world = mixed();
    world
        .db
        .execute_batch("DELETE FROM users WHERE id = 5")
        .unwrap();
    let twice = format!("{SSN}read = ['tokens', 'again', 'plain']");
    assert_eq!(verified(&world, &twice, "tokens"), (3, Vec::new()));
    let found = report(&world, &twice, "tokens").columns[0].total().found;
    let codecs: Vec<&str> = found.keys().map(|(kind, _)| kind.codec.as_str()).collect();
    assert_eq!(
        codecs,
        ["again", "app", "plain"],
        "what opens it from then on"
    );
    assert_eq!(verified(&world, &twice, "nobody"), (3, Vec::new()));
    // Nothing else has the format.
    world
        .db
        .execute_batch("DELETE FROM users WHERE id = 3")
        .unwrap();
    let once = format!("{SSN}read = ['tokens']");
    assert_eq!(
        verified(&world, &once, "tokens"),
        (1, refused(&[("still-in-use", 1)]))
    );
}

#[test]
fn members_of_documents_count_as_well() {
    let world = World::users(2);
    let document = serde_json::json!({"codes": [world.seal("a"), token("b"), null]});
    let update = "UPDATE users SET ssn = ? WHERE id = ?";
    world.db.execute(update, (document.to_string(), 1)).unwrap();
    world.db.execute(update, (r#"{"codes":[]}"#, 2)).unwrap();
    let codes = format!("{SSN}type = 'json'\npath = '$.codes[*]'\nread = ['tokens', 'plain']");
    assert_eq!(
        verified(&world, &codes, "tokens"),
        (1, refused(&[("still-in-use", 1)]))
    );
    assert_eq!(verified(&world, &codes, "plain"), (2, Vec::new()));
}

#[test]
fn other_work_takes_no_codec_away() {
    let world = World::users(1);
    let options = |options: &mut reseal::job::JobOptions| options.without = Some("app".to_owned());
    for work in [Work::Apply, Work::Census, Work::Plan, Work::Reopen] {
        let mut given = reseal::job::JobOptions::new(reseal::job::Dialect::Sqlite);
        options(&mut given);
        let now = Timestamp::from_unix(1_800_000_000).unwrap();
        let targets = targets(&world, SSN);
        let refused = reseal::job::Job::new(work, targets, given, Box::new(OsEntropy), now);
        assert_eq!(refused.unwrap_err().message(), "without is for verify");
    }
}
