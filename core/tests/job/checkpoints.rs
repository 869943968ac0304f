//! A job that ends early goes on from where it was.

use crate::support::{USERS, World, assert_adds_up};
use reseal::ErrorCode;
use reseal::job::{Checkpoint, End, Event, Failure, Reply, Report, Step};

#[test]
fn a_job_that_is_dropped_at_any_step_is_resumed_and_its_counts_add_up() {
    for at in 0.. {
        let world = World::users(100);
        let report = world.drive(world.job(USERS, |_| {}), &mut |step, _| {
            (step == at).then_some(Reply::Start)
        });
        if report.is_some() {
            assert!(at > 20, "the job has only {at} steps");
            return;
        }
        world.rollback().unwrap();
        let report = world.run(world.job(USERS, |_| {}));
        assert_eq!(report.end, End::Complete, "dropped at step {at}");
        let passes = &report.columns[0].passes;
        passes.iter().for_each(assert_adds_up);
        let resealed: u64 = passes.iter().map(reseal::job::Counts::resealed).sum();
        assert_eq!(resealed, 100, "dropped at step {at}");
        let opened = world.opened();
        assert_eq!(opened.len(), 100);
        for (id, text) in opened {
            assert_eq!(text, format!("secret {id}"), "dropped at step {at}");
        }
    }
}

fn stopped(world: &World, batches: usize) -> Report {
    world.stopped(world.job(USERS, |_| {}), batches)
}

#[test]
fn a_job_that_is_stopped_ends_its_batch_and_goes_on_later() {
    let world = World::users(200);
    assert_eq!(stopped(&world, 0).end, End::Stopped);
    let id = world.text("SELECT id FROM reseal_jobs");
    assert_eq!(id.as_deref(), Some(world.job(USERS, |_| {}).id()));

    assert_eq!(stopped(&world, 1).end, End::Stopped);
    let sealed = "SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'";
    assert_eq!(world.number(sealed), 32);
    let report = world.run(world.job(USERS, |_| {}));
    let rows = Some(32);
    assert!(
        world
            .told
            .borrow()
            .contains(&Event::Resumed { pass: 1, rows })
    );
    assert_eq!(report.columns[0].passes[0].resealed(), 200);
}

#[test]
fn a_pass_that_another_run_began_is_never_the_last() {
    let world = World::users(100);
    world.run(world.job(USERS, |_| {}));
    // Nothing is left to do, and the next run is stopped in the middle of its pass.
    assert_eq!(stopped(&world, 1).end, End::Stopped);
    let late = "UPDATE users SET ssn = 'late' WHERE id = 1";
    world.db.execute_batch(late).unwrap();
    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete);
    let stored = world.text("SELECT ssn FROM users WHERE id = 1").unwrap();
    assert_eq!(world.open(&stored), "late");
}

#[test]
fn a_second_run_at_the_same_time_is_told_and_writes_nothing() {
    let world = World::users(100);
    let mut is_done = false;
    let report = world.drive(world.job(USERS, |_| {}), &mut |_, step| {
        if matches!(step, Step::Begin) && !is_done {
            is_done = true;
            let report = world.run(world.job(USERS, |_| {}));
            assert_eq!(report.end, End::Complete);
        }
        None
    });
    let End::Failed(error) = report.unwrap().end else {
        panic!("both runs ended well");
    };
    assert_eq!(error.code(), ErrorCode::JobConflict);
    assert_eq!(world.opened().len(), 100);
}

#[test]
fn a_file_keeps_the_checkpoint_in_place_of_the_table() {
    let world = World::users(100);
    let mut saved: Option<String> = None;
    let file = |state| {
        move |options: &mut reseal::job::JobOptions| options.checkpoint = Checkpoint::File { state }
    };
    let report = world.drive(world.job(USERS, file(None)), &mut |_, step| {
        let Step::Save(state) = step else {
            return None;
        };
        let is_second = saved.is_some();
        saved = Some(state.clone());
        is_second.then_some(Reply::Start)
    });
    assert!(report.is_none());
    let report = world.run(world.job(USERS, file(saved)));
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.columns[0].passes[0].resealed(), 100);
    let tables = world.number("SELECT count(*) FROM sqlite_schema WHERE name = 'reseal_jobs'");
    assert_eq!(tables, 0);
}

#[test]
fn a_checkpoint_that_cannot_be_read_begins_anew() {
    let world = World::users(10);
    let id = world.job(USERS, |_| {}).id().to_owned();
    let job = world.job(USERS, |options| {
        options.checkpoint = Checkpoint::File {
            state: Some(format!("{{\"job\":\"{id}\",\"progress\":\"{{}}\"}}")),
        };
    });
    let report = world.run(job);
    assert_eq!(
        (report.end, report.columns[0].passes[0].scanned),
        (End::Complete, 10)
    );
}

#[test]
fn a_checkpoint_whose_key_is_of_another_width_begins_anew() {
    for key in ["[]", r#"[{"int":"9"},{"int":"9"}]"#] {
        let world = World::users(100);
        assert_eq!(stopped(&world, 1).end, End::Stopped);
        let edit = "UPDATE reseal_jobs SET state = json_set(state, '$.after', json(?))";
        assert_eq!(world.db.execute(edit, [key]).unwrap(), 1);
        let report = world.run(world.job(USERS, |_| {}));
        assert_eq!(report.end, End::Complete, "{key}");
        assert_eq!(world.opened().len(), 100, "{key}");
    }
}

#[test]
fn a_file_that_is_no_checkpoint_of_the_job_is_not_overwritten() {
    let world = World::users(10);
    for state in [
        "{\"job\":\"apply-another\",\"progress\":\"{}\"}",
        "{\"progress\":\"{}\"}",
        "version = 1",
        "",
    ] {
        let job = world.job(USERS, |options| {
            options.checkpoint = Checkpoint::File {
                state: Some(state.into()),
            };
        });
        let report = world.drive(job, &mut |_, step| {
            assert!(!matches!(step, Step::Save(_)), "{state}");
            None
        });
        let End::Failed(error) = report.unwrap().end else {
            panic!("{state} was taken");
        };
        assert_eq!(error.code(), ErrorCode::InvalidArgument);
    }
}

#[test]
fn a_connection_gets_its_settings_back() {
    let world = World::users(10);
    let busy = || world.number("PRAGMA busy_timeout");
    let before = busy();
    let job = world.job(USERS, |options| options.statement_timeout_ms = Some(1234));
    let report = world.drive(job, &mut |_, step| {
        if matches!(step, Step::Commit) {
            assert_eq!(busy(), 1234);
        }
        None
    });
    assert_eq!(report.unwrap().end, End::Complete);
    assert_eq!(busy(), before);
}

/// Runs a job whose connection is lost once, in the second pass; what it said before is undone by some SQL.
fn with_lost_commits(world: &World, checkpoint: Checkpoint, sql: &str) -> Report {
    let job = world.job(USERS, |options| options.checkpoint = checkpoint);
    let (mut is_second, mut is_lost) = (false, false);
    let report = world.drive(job, &mut |_, step| {
        is_second |= matches!(step, Step::Tell(Event::Progress { pass: 2, .. }));
        if !is_second || is_lost || !matches!(step, Step::Query(_)) {
            return None;
        }
        is_lost = true;
        world.db.execute_batch(sql).unwrap();
        Some(Reply::Failed(Failure::connection_lost()))
    });
    assert!(is_lost);
    report.unwrap()
}

#[test]
fn what_a_failover_has_lost_is_found_by_one_more_pass_where_no_table_goes_back_with_it() {
    let lost = "UPDATE users SET ssn = 'secret ' || id WHERE id < 10";
    for checkpoint in [Checkpoint::Nowhere, Checkpoint::File { state: None }] {
        let world = World::users(200);
        let report = with_lost_commits(&world, checkpoint, lost);
        assert_eq!(report.end, End::Complete, "{}", report.to_json());
        let sealed = "SELECT count(*) FROM users WHERE ssn LIKE 'rs1.%'";
        assert_eq!(world.number(sealed), 200);
        let passes = &report.columns[0].passes;
        passes.iter().for_each(assert_adds_up);
        let resealed: Vec<u64> = passes.iter().map(reseal::job::Counts::resealed).collect();
        assert_eq!(resealed, [200, 0, 9, 0]);
    }
}

#[test]
fn a_checkpoint_that_is_gone_begins_anew() {
    let lost = "DELETE FROM reseal_jobs; UPDATE users SET ssn = 'secret ' || id WHERE id < 10";
    let world = World::users(200);
    let report = with_lost_commits(&world, Checkpoint::Table, lost);
    assert_eq!(report.end, End::Complete, "{}", report.to_json());
    let passes = &report.columns[0].passes;
    let counted = passes.iter().map(|it| (it.resealed(), it.current));
    assert_eq!(counted.collect::<Vec<_>>(), [(9, 191), (0, 200)]);
    assert_eq!(world.opened().len(), 200);
    assert_eq!(world.number("SELECT count(*) FROM reseal_jobs"), 1);
}
