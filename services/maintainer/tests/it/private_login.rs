//! Jobs that run as their owner's own account: they wait for a login that is missing or
//! refused, and nothing is tried meanwhile.

use std::time::Duration;

use compute_db::Pinned;
use compute_domain::{
    ErrorKind,
    ids::JobId,
    job::{Intent, State, Step},
};
use compute_maintainer::intake::Claimed;
use compute_testing::{Facts, redis_options};

use crate::{
    fake_connector::{Scripted::Fail, Shown},
    world::{HELLO, HPC, World},
};

const REFUSED: &str = "the HPC refuses the password of alice";

async fn world() -> World {
    World::with_redis(redis_options(&Facts::of("redis"))).await
}

async fn queued(world: &World) -> JobId {
    let job = world.created_for(HELLO, HPC, Some("alice")).await;
    world.submit(&job, Pinned::default()).await
}

async fn give(world: &World, id: &JobId, sealed: &str) {
    let queue = &world.context.queue;
    let time = Duration::from_secs(3600);
    queue.keep_credential(HPC, id, sealed, time).await.unwrap();
}

async fn has_login(world: &World, id: &JobId) -> bool {
    let login = world.context.queue.credential(HPC, id).await;
    login.unwrap().is_some()
}

#[tokio::test]
async fn a_missing_login_is_waited_for_and_removed_at_the_end() {
    let world = world().await;
    let id = queued(&world).await;
    assert_eq!(world.claim(&id).await, Claimed::Taken);
    let parked = world.until_state(&id, State::Blocked).await;
    assert_eq!(parked.next_probe_at, None);
    let reason = parked.blocked_reason.unwrap();
    assert!(reason.contains("PUT /job/"), "{reason}");
    assert!(world.connector.methods().is_empty(), "nothing was tried");
    give(&world, &id, "sealed").await;
    world.context.active_jobs.nudge(&id);
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    world
        .eventually("its login is removed", async || {
            !has_login(&world, &id).await
        })
        .await;
}

#[tokio::test]
async fn a_refused_login_is_tried_once_and_another_one_goes_on() {
    let world = world().await;
    let refused = Fail(ErrorKind::Unauthenticated, REFUSED);
    world.connector.script("make_folder", &[refused]);
    let id = queued(&world).await;
    give(&world, &id, "wrong").await;
    assert_eq!(world.claim(&id).await, Claimed::Taken);
    let parked = world.until_state(&id, State::Blocked).await;
    assert!(parked.blocked_reason.unwrap().starts_with(REFUSED));
    assert_eq!(world.connector.calls_of("make_folder"), 1);
    assert!(!has_login(&world, &id).await);
    give(&world, &id, "right").await;
    world.context.active_jobs.nudge(&id);
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

#[tokio::test]
async fn without_a_login_a_job_in_slurm_ends_with_the_command_that_ends_it_there() {
    let world = world().await;
    world.connector.show(Shown::running());
    let refused = Fail(ErrorKind::Unauthenticated, REFUSED);
    world.connector.script("job_states", &[refused]);
    let id = queued(&world).await;
    give(&world, &id, "expired").await;
    assert_eq!(world.claim(&id).await, Claimed::Taken);
    let parked = world.until_state(&id, State::Blocked).await;
    assert_eq!(parked.step, Step::Watch);
    world.want(&id, Intent::Cancel).await;
    let job = world.until_over(&id).await;
    assert_eq!(job.state, State::Cancelled);
    let cause = job.cause.unwrap();
    assert!(cause.contains("without the password"), "{cause}");
    assert!(cause.contains("scancel 17"), "{cause}");
    assert_eq!(world.connector.calls_of("cancel"), 0);
}
