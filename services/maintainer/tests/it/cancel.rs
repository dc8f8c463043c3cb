//! Cancelling at every step.

use compute_domain::{
    ErrorKind,
    job::{Intent, State, Step},
};
use rstest::rstest;

use crate::{
    fake_connector::{
        Scripted::{self, Fail, Hang, Ignore, Pass},
        Shown,
    },
    world::World,
};

#[rstest]
#[case::upload_executable("make_folder", &[], 1)]
#[case::create_result("make_folder", &[Pass], 2)]
#[case::write_script("write_job_file", &[], 1)]
#[tokio::test]
async fn before_submit_it_is_a_matter_of_the_row(
    #[case] method: &'static str,
    #[case] before: &'static [Scripted],
    #[case] calls: usize,
) {
    let world = World::new().await;
    world.connector.script(method, before);
    world.connector.script(method, &[Hang, Hang]);
    let id = world.running().await;
    let hangs = async || world.connector.calls_of(method) >= calls;
    world.eventually("the call that hangs", hangs).await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!(job.state, State::Cancelled);
    assert_eq!(job.cause.as_deref(), Some("cancelled by alice@hub:8000"));
    let events = world.events(&id).await;
    assert_eq!(events[events.len() - 2..], ["JOB_CANCELLED", "JOB_FAILED"]);
    for method in ["submit", "cancel", "find_submission"] {
        assert_eq!(world.connector.calls_of(method), 0, "{method}");
    }
}

#[tokio::test]
async fn a_queued_job_needs_no_place_to_be_cancelled() {
    let world = World::new().await;
    let id = world.queued().await;
    world.want(&id, Intent::Cancel).await;
    assert_eq!(world.until_over(&id).await.state, State::Cancelled);
    assert!(world.connector.methods().is_empty());
}

/// What accounting does not say is left out; what has been fetched is kept.
#[tokio::test]
async fn accounting_that_hangs_does_not_hold_a_cancelled_job() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    world.connector.script("usage", &[Hang]);
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.usage.walltime), (State::Cancelled, None));
    let events = world.events(&id).await;
    assert!(
        !events.contains(&"JOB_RESULT_INCOMPLETE".to_owned()),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_job_in_slurm_is_cancelled_there() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let down = Fail(ErrorKind::Unavailable, "down");
    world.connector.script("cancel", &[down]);
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!(job.state, State::Cancelled);
    assert_eq!(job.cause.as_deref(), Some("cancelled by alice@hub:8000"));
    assert!(world.connector.calls_of("cancel") >= 2, "asked again");
    assert_eq!(world.store().logs_of(&id).await.unwrap().len(), 2);
}

#[derive(Debug, Clone, Copy)]
enum InSlurm {
    Found,
    Nowhere,
    Unknowable,
}

/// A submit was tried and not answered: Slurm decides what cancelling means.
#[rstest]
#[case(InSlurm::Found, "cancelled by alice@hub:8000", 1)]
#[case(InSlurm::Nowhere, "cancelled by alice@hub:8000", 0)]
#[case(InSlurm::Unknowable, "whether Slurm has it is not known", 0)]
#[tokio::test]
async fn a_submit_that_was_not_answered_is_looked_for(
    #[case] in_slurm: InSlurm,
    #[case] cause: &str,
    #[case] cancels: usize,
) {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let cut = Fail(ErrorKind::Uncertain, "the answer did not come");
    world.connector.script("submit", &[cut; 20]);
    match in_slurm {
        InSlurm::Found => world.connector.has_submission("17"),
        InSlurm::Nowhere => {}
        InSlurm::Unknowable => {
            let gone = Fail(ErrorKind::Refused, "its folder is gone");
            world.connector.script("find_submission", &[gone]);
        }
    }
    let id = world.running().await;
    world.until_state(&id, State::Blocked).await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!(job.state, State::Cancelled);
    assert!(job.cause.as_deref().unwrap().contains(cause), "{job:?}");
    assert_eq!(world.connector.calls_of("cancel"), cancels);
}

#[tokio::test]
async fn while_results_are_fetched_they_are_fetched_once_more() {
    let world = World::new().await;
    world.connector.script("store_logs", &[Hang]);
    let id = world.running().await;
    world.until_called("store_logs").await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!(
        (job.state, job.step),
        (State::Ended, Step::Collect),
        "the program had ended well"
    );
    assert_eq!(world.store().logs_of(&id).await.unwrap().len(), 2);
}

/// Slurm accepts it and does nothing: it is told again, without a restart.
#[tokio::test]
async fn a_cancel_without_effect_is_repeated() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    world.connector.script("cancel", &[Ignore]);
    let id = world.running().await;
    world.until_state(&id, State::Running).await;
    world.want(&id, Intent::Cancel).await;
    assert_eq!(world.until_over(&id).await.state, State::Cancelled);
    assert!(world.connector.calls_of("cancel") >= 2, "asked again");
}

/// The HPC is away while the job is cancelled, and comes back: nothing is submitted.
#[tokio::test]
async fn a_job_that_waits_for_its_hpc_is_not_submitted_after_it_was_cancelled() {
    let world = World::new().await;
    let down = Fail(ErrorKind::Unavailable, "down");
    world.connector.script("submit", &[down; 20]);
    world.connector.script("find_submission", &[down; 2]);
    let id = world.running().await;
    world.until_state(&id, State::Blocked).await;
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.slurm_id), (State::Cancelled, None));
    let calls = world.connector.calls();
    let searched = calls.iter().position(|call| *call == "find_submission");
    assert!(!calls[searched.unwrap()..].contains(&"submit"), "{calls:?}");
    assert_eq!(world.connector.calls_of("find_submission"), 3);
}
