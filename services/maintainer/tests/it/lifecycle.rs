//! The life of a job from the queue to its end.

use compute_domain::{
    ErrorKind,
    job::{State, Step},
};
use compute_proto::wire::JobPhase;
use rstest::rstest;

use crate::{
    fake_connector::{Scripted::Fail, Shown},
    world::{HPC, World},
};

#[tokio::test]
async fn a_job_runs_from_the_queue_to_its_end() {
    let world = World::new().await;
    let id = world.running().await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.step), (State::Ended, Step::Collect));
    assert_eq!((job.is_failed, job.cause), (false, None));
    assert_eq!(job.slurm_id.as_deref(), Some("17"));
    assert_eq!(job.usage.walltime, Some(3));
    assert_eq!(
        job.result_listing.as_deref(),
        Some(["/".to_owned()].as_slice())
    );
    assert_eq!((job.lease_holder, job.lease_until), (None, None));
    assert_eq!(
        world.events(&id).await,
        [
            "JOB_QUEUED",
            "JOB_REGISTERED",
            "SLURM_UPLOAD_EXECUTABLE",
            "SLURM_CREATE_RESULT",
            "SLURM_SUBMIT",
            "SLURM_SUBMIT_SUCCESS",
            "JOB_INIT",
            "JOB_ENDED",
        ]
    );
    let logs = world.store().logs_of(&id).await.unwrap();
    assert_eq!(logs.len(), 2);
    let methods = world.connector.methods();
    assert_eq!(
        methods[..6],
        [
            "make_folder",
            "write_file",
            "write_job_file",
            "submit",
            "job_states",
            "store_logs",
        ]
    );
    assert_eq!(world.connector.calls_of("submit"), 1);
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    assert_eq!(world.store().places_taken(HPC).await.unwrap(), 0);
}

/// Accounting lags behind the scheduler.
#[tokio::test]
async fn usage_is_waited_for() {
    let world = World::new().await;
    let not_yet = Fail(ErrorKind::Uncertain, "not yet");
    world.connector.script("usage", &[not_yet, not_yet]);
    let id = world.running().await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.usage.walltime), (State::Ended, Some(3)));
}

/// A row can be large: nothing is read that this process wrote itself.
#[tokio::test]
async fn the_row_of_a_job_is_read_once_on_its_way_to_slurm() {
    let world = World::new().await;
    // It stays there: what comes after its end is not counted.
    world.connector.show(Shown::running());
    let id = world.queued().await;
    world.take_statements();
    world.claim(&id).await;
    world.until_called("job_states").await;
    let statements = world.take_statements();
    let is_row = |sql: &&String| sql.starts_with("SELECT") && sql.contains("\"param\"");
    let rows: Vec<_> = statements.iter().filter(is_row).collect();
    assert_eq!(rows.len(), 1, "{rows:#?}");
    assert!(statements.len() <= 30, "{statements:#?}");
}

#[tokio::test]
async fn the_states_of_the_scheduler_are_followed() {
    let world = World::new().await;
    world.connector.show(Shown::phase(JobPhase::Pending));
    let id = world.running().await;
    world.until_state(&id, State::Submitted).await;
    for (phase, state) in [
        (JobPhase::Running, State::Running),
        (JobPhase::Suspended, State::Paused),
        (JobPhase::Running, State::Running),
        (JobPhase::Pending, State::Submitted),
    ] {
        world.connector.show(Shown::phase(phase));
        world.until_state(&id, state).await;
    }
    assert!(world.job(&id).await.started_at.is_some());
    world.connector.show(Shown::ended("COMPLETED", 0));
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[rstest]
#[case("FAILED", 3, "exit code 3")]
#[case("TIMEOUT", 0, "TIMEOUT")]
#[case("OUT_OF_MEMORY", 0, "OUT_OF_MEMORY")]
#[case("CANCELLED", 0, "cancelled on the HPC")]
#[tokio::test]
async fn an_end_that_is_not_good_has_a_cause(
    #[case] slurm_state: &'static str,
    #[case] exit_code: i32,
    #[case] cause: &str,
) {
    let world = World::new().await;
    world.connector.show(Shown::ended(slurm_state, exit_code));
    let id = world.running().await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.is_failed), (State::Failed, true));
    assert!(job.cause.as_deref().unwrap().contains(cause), "{job:?}");
    assert_eq!(world.events(&id).await.last().unwrap(), "JOB_FAILED");
    let logs = world.store().logs_of(&id).await.unwrap();
    assert_eq!(logs.len(), 2, "its logs are there all the same");
}
