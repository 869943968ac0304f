//! Repairs of named rows.

use crate::support::{USERS, World, assert_adds_up, manifest};
use reseal::{
    Context, Mode, OsEntropy, Timestamp,
    codec::{Codec, Fernet, FernetKey, Form, Fresh, Place},
    job::{Cell, Counts, Dialect, End, Job, JobOptions, Target, Work},
    manifest::{Manifest, Secrets},
};
use std::sync::Arc;

const KEY: &str = "cw_0x689RpI-jtRR7oE8h_eQsKImvJapLeSbXpwF4e4=";

fn token(text: &str) -> String {
    let codec = Fernet::new(vec![FernetKey::parse(KEY).unwrap()]).unwrap();
    let context = Context::new();
    let place = Place {
        context: &context,
        mode: Mode::Random,
        form: Form::Text,
    };
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let mut fresh = Fresh {
        entropy: &mut OsEntropy,
        now,
    };
    let sealed = codec.seal(text.as_bytes(), &place, &mut fresh).unwrap();
    sealed.as_stored().as_text().unwrap().into()
}

fn targets(world: &World) -> Vec<Target> {
    let columns = USERS.replace("read = ['plain']", "read = ['tokens']");
    let tokens = "[codecs.tokens]\nkind = 'fernet'\nkeys = ['env:FERNET_KEY']\n";
    let manifest: Manifest = manifest(&format!("{tokens}{columns}"));
    let mut secrets = Secrets::new();
    secrets.give_ring("app", Arc::clone(&world.ring));
    for want in manifest.wants() {
        secrets.give(&want, KEY);
    }
    Target::of(&manifest, &secrets).unwrap()
}

/// Rows 1 to 3 twice encrypted, row 4 once.
fn world() -> World {
    let world = World::users(4);
    for id in 1..=4 {
        let once = token(&format!("secret {id}"));
        let stored = if id < 4 { token(&once) } else { once };
        let update = "UPDATE users SET ssn = ? WHERE id = ?";
        world
            .db
            .execute(update, rusqlite::params![stored, id])
            .unwrap();
    }
    world
}

fn repair(world: &World, work: Work, rows: &[Cell]) -> Counts {
    let job = World::job_of(work, targets(world), |options| {
        options.rows = rows.iter().map(|row| vec![row.clone()]).collect();
        options.verify_one_in = 1;
    });
    let report = world.run(job);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    assert_eq!(report.columns[0].passes.len(), 1);
    assert_adds_up(&report.columns[0].passes[0]);
    report.columns[0].passes[0].clone()
}

fn opened(world: &World, id: i64) -> String {
    let stored = world.text(&format!("SELECT ssn FROM users WHERE id = {id}"));
    world.open(&stored.unwrap())
}

#[test]
fn rows_that_were_encrypted_twice_are_refused_and_each_repair_is_of_named_rows_alone() {
    let world = world();
    let report = world.run(World::job_of(Work::Apply, targets(&world), |_| {}));
    let first = &report.columns[0].passes[0];
    assert_eq!(
        (first.refused["double-encrypted"], first.resealed()),
        (3, 1)
    );

    // Rows are named as events tell them, or as the database has them; 99 is not there.
    let unwrapped = repair(
        &world,
        Work::Unwrap,
        &["1".into(), Cell::Int(4), Cell::Int(99)],
    );
    assert_eq!(
        (unwrapped.resealed(), unwrapped.verified, unwrapped.gone),
        (1, 1, 1)
    );
    assert_eq!(unwrapped.refused["format-mismatch"], 1);
    assert_eq!(
        (opened(&world, 1), opened(&world, 4)),
        ("secret 1".into(), "secret 4".into())
    );

    let kept = repair(&world, Work::Keep, &[Cell::Int(2), Cell::Int(4)]);
    assert_eq!((kept.resealed(), kept.verified, kept.current), (1, 1, 1));
    assert!(opened(&world, 2).starts_with("gAAAAA"));

    let report = world.run(World::job_of(Work::Apply, targets(&world), |_| {}));
    let first = &report.columns[0].passes[0];
    assert_eq!((first.refused["double-encrypted"], first.current), (1, 3));
}

#[test]
fn a_row_that_is_named_twice_is_repaired_once() {
    let world = world();
    let unwrapped = repair(
        &world,
        Work::Unwrap,
        &["1".into(), "2".into(), "1".into(), "2".into()],
    );
    assert_eq!(
        (unwrapped.scanned, unwrapped.resealed(), unwrapped.raced),
        (2, 2, 0)
    );
    // SQLite takes both for the number 3.
    let unwrapped = repair(&world, Work::Unwrap, &["3".into(), "03".into()]);
    assert_eq!((unwrapped.resealed(), unwrapped.raced), (1, 0));
    for id in 1..=3 {
        assert_eq!(opened(&world, id), format!("secret {id}"));
    }
}

#[test]
fn rows_are_for_repairs_and_repairs_need_rows() {
    let world = world();
    let refused = |work, rows: Vec<Vec<Cell>>| {
        let mut options = JobOptions::new(Dialect::Sqlite);
        options.rows = rows;
        let now = Timestamp::from_unix(0).unwrap();
        let job = Job::new(work, targets(&world), options, Box::new(OsEntropy), now);
        assert_eq!(job.unwrap_err().code().as_str(), "invalid-argument");
    };
    refused(Work::Unwrap, Vec::new());
    refused(Work::Apply, vec![vec![Cell::Int(1)]]);
}
