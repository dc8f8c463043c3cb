//! The lease of the process: lost, and begun anew.

use std::{sync::Arc, time::Duration};

use compute_domain::job::{State, Step};
use compute_maintainer::lease;

use crate::{
    fake_connector::{Scripted::Hang, Shown},
    world::{LEASE, World},
};

fn renew(world: &World) {
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
}

/// As after SIGSTOP: the process still has its timers and runners, and others count it as gone.
#[tokio::test]
async fn a_process_without_a_lease_calls_nothing_and_begins_anew() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    world.connector.script("make_folder", &[Hang]);
    let id = world.running().await;
    world.until_called("make_folder").await;
    let first = world.context.holder().unwrap();
    assert!(world.context.own_lease.end(&first));
    world.connector.release();
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    assert_eq!(world.connector.calls_of("write_file"), 0);
    assert_eq!(world.job(&id).await.step, Step::UploadExecutable);
    let claimed = world.queued().await;
    let hpc = world.hpc();
    let claimed = compute_maintainer::intake::claim(&world.context, hpc, &claimed).await;
    assert!(claimed.is_err(), "it takes no jobs: {claimed:?}");

    renew(&world);
    world.sweep();
    let job = world.until_state(&id, State::Running).await;
    assert_eq!(job.lease_epoch, Some(first.epoch + 1));
    assert_eq!(world.connector.calls_of("submit"), 1);
}

#[tokio::test]
async fn a_lease_that_the_database_counts_as_over_is_begun_anew() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    let fence = world.until_state(&id, State::Running).await.fence;
    world.lease_clock.advance(LEASE);
    renew(&world);
    world.sweep();
    let taken_again = async || world.job(&id).await.fence > fence;
    world.eventually("another fence", taken_again).await;
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    assert_eq!(world.connector.calls_of("submit"), 1);
}

/// The lease is over by the database's clock between two steps; no renewal has said so yet.
#[tokio::test]
async fn a_call_that_changes_something_is_made_under_a_valid_lease_only() {
    let world = World::new().await;
    world.connector.script("make_folder", &[Hang]);
    let id = world.running().await;
    world.until_called("make_folder").await;
    world.lease_clock.advance(LEASE);
    // For so long counts what the runner has read before it called.
    tokio::time::sleep(Duration::from_secs(1)).await;
    world.connector.release();
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    assert_eq!(world.connector.calls_of("write_file"), 0);
    assert_eq!(world.job(&id).await.step, Step::UploadExecutable);
}
