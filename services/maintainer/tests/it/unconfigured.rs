//! Jobs whose HPC or maintainer has left the configuration.

use std::sync::Arc;

use compute_db::Pinned;
use compute_domain::{
    ids::JobId,
    job::{Intent, State, Step},
};
use compute_maintainer::intake::{self, Claimed};

use crate::world::{HELLO, HPC, World};

const GONE: &str = "gone";

fn look(world: &World) {
    let looking = intake::unconfigured::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(looking);
}

#[tokio::test]
async fn a_job_of_an_hpc_that_is_gone_is_told_of_once_and_can_be_cancelled() {
    let world = World::new().await;
    let queued = world.created(HELLO, GONE).await;
    let queued = world.submit(&queued, Pinned::default()).await;
    let running = world.created(HELLO, GONE).await;
    let running = world.submit(&running, Pinned::default()).await;
    world.abandoned(&running, Step::Watch).await;
    look(&world);
    let retries = async |id: &JobId| {
        let events = world.events(id).await;
        events.iter().filter(|kind| *kind == "JOB_RETRY").count()
    };
    for id in [&queued, &running] {
        world
            .eventually("its event", async || retries(id).await == 1)
            .await;
        world.want(id, Intent::Cancel).await;
        let job = world.until_over(id).await;
        assert_eq!(job.state, State::Cancelled);
        assert_eq!(retries(id).await, 1);
    }
    let cause = world.job(&running).await.cause.unwrap();
    assert!(cause.contains("scancel 17"), "{cause}");
    let cause = world.job(&queued).await.cause.unwrap();
    assert_eq!(cause, "cancelled by alice@hub:8000");
}

#[tokio::test]
async fn a_job_of_a_maintainer_that_is_gone_waits_and_can_be_cancelled() {
    let world = World::new().await;
    let job = world.created(GONE, HPC).await;
    let id = world.submit(&job, Pinned::default()).await;
    assert_eq!(world.claim(&id).await, Claimed::Taken);
    let parked = world.until_state(&id, State::Blocked).await;
    let reason = parked.blocked_reason.unwrap();
    assert!(
        reason.contains("maintainer gone is not configured"),
        "{reason}"
    );
    assert!(
        world
            .events(&id)
            .await
            .iter()
            .any(|kind| kind == "JOB_RETRY")
    );
    world.want(&id, Intent::Cancel).await;
    assert_eq!(world.until_over(&id).await.state, State::Cancelled);
}

#[tokio::test]
async fn a_job_of_a_maintainer_that_is_gone_is_followed_if_slurm_has_it() {
    let world = World::new().await;
    let job = world.created(GONE, HPC).await;
    let id = world.submit(&job, Pinned::default()).await;
    world.abandoned(&id, Step::Watch).await;
    world.sweep();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}
