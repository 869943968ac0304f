//! What is read before its turn, and the work that is done beside a step.

use crate::support::{USERS, World, assert_adds_up};
use reseal::job::{End, JobOptions, Reply, Report, Step};
use std::thread;

/// Runs a job over 200 rows as drivers do, and changes a row of the second page before the first is
/// written. Gives the report, and how often there was work.
fn worked(world: &World, change: impl FnOnce(&mut JobOptions)) -> (Report, usize) {
    let mut job = world.job(USERS, change);
    let other = world.other();
    let (mut reply, mut offers, mut is_changed) = (Reply::Start, 0, false);
    loop {
        let step = job.next(reply, 0);
        if matches!(step, Step::Begin) && !is_changed {
            let sql = "UPDATE users SET ssn = 'new' WHERE id = 60";
            assert_eq!(other.execute(sql, []).unwrap(), 1);
            is_changed = true;
        }
        reply = match step {
            Step::Finished(report) => return (report, offers),
            step @ (Step::Query(_) | Step::Execute(_)) => {
                let beside = job.ahead().map(|ahead| thread::spawn(move || ahead.run()));
                offers += usize::from(beside.is_some());
                assert!(job.ahead().is_none(), "it is offered once");
                let reply = world.perform(step);
                if let Some(beside) = beside {
                    beside.join().unwrap();
                }
                reply
            }
            step => world.perform(step),
        };
    }
}

fn assert_all_sealed(world: &World) {
    let opened = world.opened();
    assert_eq!(opened.len(), 200);
    for (id, text) in opened {
        let expected = if id == 60 {
            "new".into()
        } else {
            format!("secret {id}")
        };
        assert_eq!(text, expected);
    }
}

#[test]
fn work_is_done_beside_the_steps_and_what_changed_meanwhile_is_taken_again() {
    let world = World::users(200);
    let (report, offers) = worked(&world, |_| {});
    assert_eq!(report.end, End::Complete);
    let first = &report.columns[0].passes[0];
    assert_eq!(
        (first.scanned, first.raced, first.resealed()),
        (200, 1, 200)
    );
    assert_adds_up(first);
    assert_all_sealed(&world);
    // Five pages and more in each of two passes; the first page of all is the first offer.
    assert!(offers >= 8, "only {offers} offers");
}

#[test]
fn work_that_nobody_does_is_done_by_the_job() {
    let world = World::users(200);
    let report = world.run(world.job(USERS, |_| {}));
    assert_eq!(report.end, End::Complete);
    assert_eq!(report.columns[0].passes[0].resealed(), 200);
}

#[test]
fn nothing_is_read_ahead_where_batches_are_held_back() {
    for change in [
        (|options: &mut JobOptions| options.pause_ms = 1) as fn(&mut JobOptions),
        |options| options.rows_per_second = Some(1_000_000),
    ] {
        let world = World::users(200);
        let (report, offers) = worked(&world, change);
        let first = &report.columns[0].passes[0];
        assert_eq!((offers, first.raced, first.resealed()), (0, 0, 200));
        assert_all_sealed(&world);
    }
}
