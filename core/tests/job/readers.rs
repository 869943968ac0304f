//! Other applications that read a column: nothing is written that one of them cannot read.

use crate::support::{USERS, World};
use reseal::job::{Dialect, End, Job, JobOptions, Work};
use reseal::{ErrorCode, OsEntropy, Timestamp};

fn with(readers: &str) -> String {
    format!("{USERS}readers = {{ {readers} }}\n")
}

fn job(world: &World, work: Work, columns: &str) -> reseal::Result<Job> {
    let options = JobOptions::new(Dialect::Sqlite);
    let now = Timestamp::from_unix(1_800_000_000).unwrap();
    let targets = world.targets(columns);
    Job::new(work, targets, options, Box::new(OsEntropy), now)
}

#[test]
fn what_a_reader_cannot_read_is_not_written_and_the_plan_says_so() {
    let world = World::users(3);
    let columns = with("billing = ['rails', 'plain'], shop = ['reseal'], ledger = ['fernet']");
    let why = "billing and ledger cannot read reseal, which users.ssn writes with the codec app";
    for work in [Work::Apply, Work::Reopen] {
        let error = job(&world, work, &columns).unwrap_err();
        assert_eq!(error.code(), ErrorCode::ReaderUnable);
        assert!(error.message().starts_with(why), "{error}");
    }
    let report = world.run(job(&world, Work::Plan, &columns).unwrap());
    assert_eq!(report.end, End::Complete);
    let finding = &report.columns[0].findings[0];
    assert_eq!(
        (finding.code, finding.message.as_str()),
        ("reader-unable", why)
    );
}

#[test]
fn work_that_writes_nothing_has_no_such_bound() {
    let world = World::users(3);
    let columns = with("billing = ['rails']");
    for work in [Work::Census, Work::Verify] {
        assert_eq!(
            world.run(job(&world, work, &columns).unwrap()).end,
            End::Complete
        );
    }
}

#[test]
fn readers_that_can_read_it_are_in_nobodys_way() {
    let world = World::users(3);
    let columns = with("billing = ['reseal', 'plain']");
    let report = world.run(job(&world, Work::Apply, &columns).unwrap());
    assert_eq!(report.columns[0].total().resealed(), 3);
    assert!(report.columns[0].findings.is_empty());
}
