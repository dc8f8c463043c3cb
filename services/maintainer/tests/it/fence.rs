//! The fence of the lease at the HPC.

use std::sync::Arc;

use compute_domain::{
    ErrorKind,
    job::{Intent, State, Step},
};
use compute_maintainer::lease;
use rstest::rstest;

use crate::{
    fake_connector::{
        Scripted::{Fail, HangThenFail},
        Shown,
    },
    world::{LEASE, World},
};

const NEWER: &str = "the job has another holder by now";

#[tokio::test]
async fn every_call_of_a_runner_carries_it() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let id = world.running().await;
    let own = world.until_state(&id, State::Running).await.fence;
    world.want(&id, Intent::Pause).await;
    world.until_state(&id, State::Paused).await;
    world.want(&id, Intent::Cancel).await;
    world.until_over(&id).await;
    for method in [
        "make_folder",
        "write_file",
        "write_job_file",
        "submit",
        "suspend",
        "cancel",
        "store_logs",
    ] {
        let fences = world.connector.fences_of(method);
        assert!(!fences.is_empty(), "{method}");
        assert!(fences.iter().all(|fence| *fence == Some(own)), "{method}");
    }
    let raised = world.connector.calls_of("raise_fence");
    assert_eq!(raised, 0, "nobody had the job before");
}

/// What the earlier holder has under way is rejected before the new one does anything.
#[rstest]
#[case(Step::UploadExecutable)]
#[case(Step::Submit)]
#[case(Step::Watch)]
#[case(Step::Collect)]
#[tokio::test]
async fn whoever_takes_a_job_over_raises_it_first(#[case] step: Step) {
    let world = World::new().await;
    let down = Fail(ErrorKind::Unavailable, "down");
    world.connector.script("raise_fence", &[down]);
    let id = world.queued().await;
    world.abandoned(&id, step).await;
    world.sweep();
    let job = world.until_over(&id).await;
    // A job in Slurm is not parked.
    let is_parked = world.events(&id).await.contains(&"JOB_RETRY".to_owned());
    assert_eq!(is_parked, step != Step::Watch);
    assert_eq!((job.state, job.step), (State::Ended, Step::Collect));
    let fences = world.connector.fences_of("raise_fence");
    assert_eq!(fences, [Some(job.fence); 2]);
    // Calls in a row count once.
    let calls = world.connector.calls();
    let raises = calls.iter().filter(|call| **call == "raise_fence");
    assert_eq!((calls[0], raises.count()), ("raise_fence", 1), "{calls:?}");
}

/// A connector of the version before does not know the call.
#[rstest]
#[tokio::test]
async fn a_connector_without_fences_is_used_as_before(
    #[values(ErrorKind::Unsupported, ErrorKind::PermissionDenied)] kind: ErrorKind,
) {
    let world = World::new().await;
    let unknown = Fail(kind, "unimplemented");
    world.connector.script("raise_fence", &[unknown]);
    let id = world.queued().await;
    world.abandoned(&id, Step::Watch).await;
    world.sweep();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

/// The HPC knows a newer holder before this process has noticed it.
#[rstest]
#[case::at_a_step("make_folder", Step::UploadExecutable)]
#[case::at_submit("submit", Step::Submit)]
#[tokio::test]
async fn whoever_is_fenced_stops_and_writes_nothing(
    #[case] method: &'static str,
    #[case] step: Step,
) {
    let world = World::new().await;
    let fenced = HangThenFail(ErrorKind::Fenced(2), NEWER);
    world.connector.script(method, &[fenced]);
    let id = world.running().await;
    world.until_called(method).await;
    world.lease_clock.advance(LEASE * 2);
    let other = world.other("other").await;
    let taken = world.store().take_over(&id, &other).await.unwrap();
    let taken = taken.unwrap();
    let events = world.events(&id).await;
    world.connector.release();
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    let job = world.job(&id).await;
    assert_eq!((job.step, job.fence), (step, taken.fence));
    assert_eq!(job.lease_holder, Some(other.id));
    assert_eq!(world.events(&id).await, events);
}

/// The database was restored from a dump: its fence is older than that of the HPC, though this
/// process holds the lease.
#[tokio::test]
async fn a_restored_job_gets_a_newer_fence_than_the_hpc_knows() {
    let world = World::new().await;
    let newest = 9_000_000_000_000;
    let fenced = Fail(ErrorKind::Fenced(newest), NEWER);
    world.connector.script("make_folder", &[fenced]);
    let id = world.running().await;
    let no_runner = async || world.context.active_jobs.is_empty();
    world.eventually("the end of its runner", no_runner).await;
    assert_eq!(world.job(&id).await.fence, newest + 1);
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    assert_eq!(world.connector.fences_of("submit"), [Some(newest + 2)]);
}
