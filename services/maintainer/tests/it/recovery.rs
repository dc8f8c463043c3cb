//! Jobs of maintainers that are gone, and leases that are lost.

use std::sync::Arc;

use compute_domain::job::{Intent, State, Step};
use compute_maintainer::lease;
use rstest::rstest;

use crate::{
    fake_connector::{Scripted::Hang, Shown},
    world::{LEASE, World},
};

#[rstest]
#[case(Step::Prepare, 1)]
#[case(Step::UploadExecutable, 1)]
#[case(Step::CreateResult, 1)]
#[case(Step::WriteScript, 1)]
#[case(Step::Submit, 1)]
#[case(Step::Watch, 0)]
#[case(Step::Collect, 0)]
#[tokio::test]
async fn a_job_is_taken_over_at_its_step(#[case] step: Step, #[case] submits: usize) {
    let world = World::new().await;
    let id = world.queued().await;
    world.abandoned(&id, step).await;
    world.sweep();
    let job = world.until_over(&id).await;
    assert_eq!(job.state, State::Ended);
    assert_eq!(job.slurm_id.as_deref(), Some("17"));
    assert_eq!(world.connector.calls_of("submit"), submits);
}

#[tokio::test]
async fn while_redis_is_away_queued_jobs_are_taken_from_the_database() {
    let world = World::new().await;
    let id = world.queued().await;
    world.clock.advance(LEASE);
    world.sweep();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[tokio::test]
async fn a_cancelled_job_is_taken_from_the_queue_by_the_sweep() {
    let world = World::new().await;
    let id = world.queued().await;
    let user = crate::world::alice();
    let wanted = world.store().set_intent(&user, &id, Intent::Cancel).await;
    wanted.unwrap();
    world.sweep();
    assert_eq!(world.until_over(&id).await.state, State::Cancelled);
}

#[tokio::test]
async fn whoever_has_lost_the_lease_stops_and_writes_nothing() {
    let world = World::new().await;
    world.connector.script("make_folder", &[Hang]);
    let id = world.running().await;
    world.until_called("make_folder").await;
    world.lease_clock.advance(LEASE * 2);
    let other = world.other("other").await;
    let taken = world.store().take_over(&id, &other).await.unwrap();
    assert!(taken.is_some());
    world.connector.release();
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    let job = world.job(&id).await;
    assert_eq!(
        (job.step, job.lease_holder),
        (Step::UploadExecutable, Some(other.id))
    );
}

#[tokio::test]
async fn a_renewal_stops_runners_of_jobs_that_others_have() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.lease_clock.advance(LEASE * 2);
    let other = world.other("other").await;
    let taken = world.store().take_over(&id, &other).await.unwrap();
    assert!(taken.is_some());
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    assert_eq!(world.job(&id).await.lease_holder, Some(other.id));
}

/// The runner met an error of the database and stopped: the next renewal starts another.
#[tokio::test]
async fn a_job_without_a_runner_is_resumed_by_the_renewal() {
    let world = World::new().await;
    let id = world.queued().await;
    let places = compute_db::Places {
        all: 1,
        per_user: 1,
    };
    let me = world.context.holder().unwrap();
    let claim = world.store().claim(&id, &me, places);
    assert!(matches!(claim.await.unwrap(), compute_db::Claim::Taken(_)));
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}
