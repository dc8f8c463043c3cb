//! Pausing and resuming.

use compute_domain::{
    ErrorKind,
    job::{Intent, Job, State, Step},
};
use compute_maintainer::intake::Claimed;

use crate::{
    fake_connector::{
        Scripted::{Fail, Hang},
        Shown,
    },
    world::World,
};

#[tokio::test]
async fn a_queued_job_that_is_paused_stays_in_the_queue() {
    let world = World::new().await;
    let id = world.queued().await;
    world.want(&id, Intent::Pause).await;
    assert_eq!(world.claim(&id).await, Claimed::Paused);
    world.want(&id, Intent::Resume).await;
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[tokio::test]
async fn before_submit_a_pause_waits_between_two_steps() {
    let world = World::new().await;
    world.connector.script("write_file", &[Hang]);
    let id = world.running().await;
    world.until_called("write_file").await;
    world.want(&id, Intent::Pause).await;
    world.connector.release();
    world
        .until(&id, |job| job.step > Step::UploadExecutable)
        .await;
    assert_eq!(world.connector.calls_of("make_folder"), 1, "no other step");
    world.want(&id, Intent::Resume).await;
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[tokio::test]
async fn a_job_in_slurm_is_suspended_and_resumed() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.want(&id, Intent::Pause).await;
    let is_paused = |job: &Job| job.intent.is_none() && job.state == State::Paused;
    world.until(&id, is_paused).await;
    world.want(&id, Intent::Resume).await;
    world.until_state(&id, State::Running).await;
    let events = world.events(&id).await;
    assert_eq!(events[events.len() - 2..], ["JOB_PAUSED", "JOB_RESUMED"]);
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[tokio::test]
async fn a_pause_that_slurm_refuses_is_an_event() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let refused = Fail(ErrorKind::Refused, "suspend is not allowed");
    world.connector.script("suspend", &[refused]);
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.want(&id, Intent::Pause).await;
    let job = world.until(&id, |job| job.intent.is_none()).await;
    assert_eq!(job.state, State::Running);
    assert_eq!(
        world.events(&id).await.last().unwrap(),
        "JOB_CONTROL_REFUSED"
    );
}
