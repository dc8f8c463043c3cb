//! Pausing and resuming.

use compute_domain::{
    ErrorKind,
    job::{Intent, Job, State, Step},
};
use compute_maintainer::intake::Claimed;
use compute_proto::wire::JobPhase;
use rstest::rstest;

use crate::{
    fake_connector::{
        Scripted::{Fail, Hang, Ignore},
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

/// Slurm accepts it and does nothing: the row does not claim an effect that nobody has seen, and
/// Slurm is told again.
#[rstest]
#[case::running(Shown::running(), State::Running)]
#[case::waiting(Shown::pending("Priority"), State::Submitted)]
#[tokio::test]
async fn what_has_no_effect_is_repeated(#[case] shown: Shown, #[case] state: State) {
    let world = World::new().await;
    world.connector.show(shown);
    for method in ["suspend", "resume"] {
        world.connector.script(method, &[Ignore]);
    }
    let id = world.running().await;
    world.until_state(&id, state).await;
    world.until_called("job_states").await;
    world.want(&id, Intent::Pause).await;
    world.until_called("suspend").await;
    let job = world.job(&id).await;
    assert_eq!((job.state, job.intent), (state, Some(Intent::Pause)));
    world.until_state(&id, State::Paused).await;
    world.want(&id, Intent::Resume).await;
    let job = world.until_state(&id, state).await;
    assert_eq!(job.intent, None);
    for method in ["suspend", "resume"] {
        assert!(world.connector.calls_of(method) >= 2, "{method}");
    }
    let events = world.events(&id).await;
    assert_eq!(events[events.len() - 2..], ["JOB_PAUSED", "JOB_RESUMED"]);
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

/// The owner asks once more, and is not told to wait for the next repeat.
#[tokio::test]
async fn a_second_request_acts_at_once() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    world.connector.script("suspend", &[Ignore; 3]);
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    for calls in 1..=3 {
        world.want(&id, Intent::Pause).await;
        let is_called = async || world.connector.calls_of("suspend") >= calls;
        world.eventually("the call", is_called).await;
    }
    world.want(&id, Intent::Pause).await;
    world.until_state(&id, State::Paused).await;
}

/// The hold of a maintainer that lost the job, or of a request that came late.
#[tokio::test]
async fn a_hold_that_nobody_asked_for_is_released() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.connector.show(Shown::pending("JobHeldUser"));
    world.until_called("resume").await;
    let has_event = async || world.events(&id).await.contains(&"JOB_RESUMED".to_owned());
    world.eventually("the event", has_event).await;
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    assert_eq!(world.connector.calls_of("resume"), 1);
}

/// What the site holds is shown, and is the site's to release.
#[rstest]
#[case::held(
    Shown::pending("JobHeldAdmin"),
    Shown::pending("Priority"),
    State::Submitted
)]
#[case::suspended(Shown::phase(JobPhase::Suspended), Shown::running(), State::Running)]
#[tokio::test]
async fn a_hold_of_the_site_is_shown(
    #[case] held: Shown,
    #[case] released: Shown,
    #[case] state: State,
) {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.connector.show(held);
    world.until_state(&id, State::Paused).await;
    world.connector.show(released);
    world.until_state(&id, state).await;
    let events = world.store().events_of(&id).await.unwrap();
    let paused = events.iter().find(|event| event.kind == "JOB_PAUSED");
    let message = &paused.unwrap().message;
    assert!(message.contains("not at your request"), "{message}");
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    assert_eq!(world.connector.calls_of("resume"), 0);
}

#[tokio::test]
async fn slurms_own_requeue_is_an_event() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.connector.show(Shown::pending("BeginTime"));
    world.until_state(&id, State::Submitted).await;
    world.connector.show(Shown::running());
    world.until_state(&id, State::Running).await;
    world.connector.show(Shown::ended("COMPLETED", 0));
    world.until_over(&id).await;
    let events = world.events(&id).await;
    let requeues = events.iter().filter(|kind| *kind == "JOB_REQUEUED");
    assert_eq!(requeues.count(), 1, "{events:?}");
}
