//! Failures of every step: trouble is waited for, a refusal ends the job.

use compute_domain::{
    ErrorKind,
    job::{State, Step},
};
use rstest::rstest;

use crate::{
    fake_connector::Scripted::{self, Fail, Pass},
    world::World,
};

const DOWN: &str = "the login node is down";

#[rstest]
#[case::upload_executable(Step::UploadExecutable, "make_folder", &[])]
#[case::its_files(Step::UploadExecutable, "write_file", &[])]
#[case::create_result(Step::CreateResult, "make_folder", &[Pass])]
#[case::write_script(Step::WriteScript, "write_job_file", &[])]
#[case::submit(Step::Submit, "submit", &[])]
#[case::logs(Step::Collect, "store_logs", &[])]
#[case::log(Step::Collect, "read_job_file", &[])]
#[case::listing(Step::Collect, "list_folder", &[])]
#[tokio::test]
async fn trouble_parks_the_job_and_the_step_is_tried_again(
    #[case] step: Step,
    #[case] method: &'static str,
    #[case] before: &'static [Scripted],
    #[values(ErrorKind::Unavailable, ErrorKind::Uncertain)] kind: ErrorKind,
) {
    let world = World::new().await;
    world.connector.script(method, before);
    world.connector.script(method, &[Fail(kind, DOWN)]);
    let id = world.running().await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.blocked_reason), (State::Ended, None));
    let events = world.store().events_of(&id).await.unwrap();
    let retries = events.iter().filter(|event| event.kind == "JOB_RETRY");
    let retries: Vec<_> = retries.map(|event| event.message.as_str()).collect();
    assert_eq!(retries.len(), 1, "{retries:?}");
    assert!(retries[0].contains(DOWN), "{retries:?}");
    let calls = world.connector.calls_of(method);
    assert!(calls > before.len(), "{step:?}: {calls} calls");
}

#[rstest]
#[case::upload_executable(Step::UploadExecutable, "make_folder", &[])]
#[case::create_result(Step::CreateResult, "make_folder", &[Pass])]
#[case::write_script(Step::WriteScript, "write_job_file", &[])]
#[case::submit(Step::Submit, "submit", &[])]
#[tokio::test]
async fn a_refusal_ends_the_job(
    #[case] step: Step,
    #[case] method: &'static str,
    #[case] before: &'static [Scripted],
    #[values(ErrorKind::Refused, ErrorKind::InvalidArgument)] kind: ErrorKind,
) {
    let world = World::new().await;
    world.connector.script(method, before);
    let refusal = Fail(kind, "over quota");
    world.connector.script(method, &[refusal]);
    let id = world.running().await;
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.step), (State::Failed, step));
    assert_eq!(job.cause.as_deref(), Some("over quota"));
    let events = world.events(&id).await;
    assert_eq!(events.last().unwrap(), "JOB_FAILED");
    let says_so = events.iter().any(|kind| kind == "SLURM_SUBMIT_ERROR");
    assert_eq!(says_so, step == Step::Submit);
}

/// What lies in the result folder is the program's: it does not keep the job from its end.
#[rstest]
#[case("store_logs")]
#[case("read_job_file")]
#[case("list_folder")]
#[tokio::test]
async fn results_that_cannot_be_read_are_left_out(#[case] method: &'static str) {
    let world = World::new().await;
    world
        .connector
        .script(method, &[Fail(ErrorKind::Refused, "a link is in the way")]);
    let id = world.running().await;
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    let events = world.events(&id).await;
    assert!(
        events.iter().any(|kind| kind == "JOB_RESULT_INCOMPLETE"),
        "{events:?}"
    );
}

#[tokio::test]
async fn a_look_that_fails_says_nothing_about_the_job() {
    let world = World::new().await;
    let down = Fail(ErrorKind::Unavailable, DOWN);
    world.connector.script("job_states", &[down, down]);
    let id = world.running().await;
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    let events = world.events(&id).await;
    assert!(!events.iter().any(|kind| kind == "JOB_RETRY"), "{events:?}");
}
