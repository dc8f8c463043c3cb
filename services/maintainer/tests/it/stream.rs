//! The stream of an HPC, on the shared Redis.

use std::sync::Arc;

use compute_domain::job::{Intent, State};
use compute_maintainer::intake::{self, Claimed};
use compute_testing::{Facts, redis_options};
use rstest::rstest;

use crate::{
    fake_connector::Shown,
    world::{HPC, World, bob},
};

async fn world() -> World {
    World::with_redis(redis_options(&Facts::of("redis"))).await
}

fn read(world: &World) {
    let reading = intake::stream::run(Arc::clone(&world.context), world.hpc().clone());
    world.context.shutdown.tasks.spawn(reading);
}

/// Waits until so many entries are in the stream, and in the dead letter stream.
async fn until_stream(world: &World, length: u64, dead: u64) {
    let is_so = async || {
        let stats = world.context.queue.stats(HPC).await.unwrap();
        (stats.length, stats.dead) == (length, dead)
    };
    world.eventually("the stream", is_so).await;
}

#[tokio::test]
async fn an_entry_is_a_job_that_runs() {
    let world = world().await;
    read(&world);
    let id = world.queued().await;
    world.context.queue.publish(HPC, &id).await.unwrap();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    until_stream(&world, 0, 0).await;
}

#[tokio::test]
async fn the_entry_of_a_row_that_cannot_be_read_is_a_dead_letter() {
    let world = world().await;
    let (broken, good) = (world.queued().await, world.queued().await);
    world.break_row(&broken, "slurm").await;
    for id in [&broken, &good] {
        world.context.queue.publish(HPC, id).await.unwrap();
    }
    read(&world);
    assert_eq!(world.until_over(&good).await.state, State::Ended);
    until_stream(&world, 0, 1).await;
}

#[tokio::test]
async fn the_entry_of_a_paused_job_leaves_the_stream_and_its_resume_runs_it() {
    let world = world().await;
    let id = world.queued().await;
    world.want(&id, Intent::Pause).await;
    world.context.queue.publish(HPC, &id).await.unwrap();
    read(&world);
    until_stream(&world, 0, 0).await;
    assert_eq!(world.job(&id).await.state, State::Queued);
    world.want(&id, Intent::Resume).await;
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

/// What was lost with Redis comes back: the sweep publishes it.
#[tokio::test]
async fn a_queued_job_that_is_not_in_the_stream_is_published_again() {
    let world = world().await;
    let id = world.queued().await;
    world.clock.advance(crate::world::LEASE);
    read(&world);
    world.sweep();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
}

/// Jobs of one user that are paused or cannot be read hide no job of another, however many
/// they are, once the stream is lost.
#[tokio::test]
async fn a_lost_stream_comes_back_behind_many_jobs_that_nobody_takes() {
    let world = world().await;
    for _ in 0..410 {
        world.queued().await;
    }
    let paused = "UPDATE jobs SET intent = 'pause', intent_by = user_id WHERE state = 'queued'";
    world.database.execute(paused).await;
    let broken = "UPDATE jobs SET intent = NULL, env = 'snooze' WHERE id IN \
                  (SELECT id FROM jobs ORDER BY id LIMIT 205)";
    world.database.execute(broken).await;
    world.clock.advance(crate::world::LEASE);
    let good = world.queued_for(&bob()).await;
    world.clock.advance(crate::world::LEASE);
    read(&world);
    world.sweep();
    assert_eq!(world.until_over(&good).await.state, State::Ended);
    // Nobody asked for the others, and none is a dead letter.
    until_stream(&world, 0, 0).await;
}

/// As many rows that cannot be read as are claimed at once do not keep a job from its turn that
/// waited for its user's other jobs.
#[tokio::test]
async fn a_job_that_was_passed_over_runs_behind_rows_that_cannot_be_read() {
    let redis = redis_options(&Facts::of("redis"));
    let world = World::with(redis, |hpc| hpc.jobs_per_user = 1).await;
    for _ in 0..9 {
        let broken = world.queued_for(&bob()).await;
        world.break_row(&broken, "env").await;
    }
    world.clock.advance(crate::world::LEASE);
    world.connector.show(Shown::running());
    let (first, second) = (world.queued().await, world.queued().await);
    for id in [&first, &second] {
        world.context.queue.publish(HPC, id).await.unwrap();
    }
    read(&world);
    world.until_state(&first, State::Running).await;
    until_stream(&world, 0, 0).await;
    world.connector.show(Shown::ended("COMPLETED", 0));
    for id in [&first, &second] {
        assert_eq!(world.until_over(id).await.state, State::Ended);
    }
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    Capacity,
    JobsPerUser,
}

/// The entry of a job that must wait for its own user's jobs does not block the others; that
/// of a job that waits for a place stays.
#[rstest]
#[case(Limit::Capacity)]
#[case(Limit::JobsPerUser)]
#[tokio::test]
async fn a_job_without_a_place_runs_when_another_ends(#[case] limit: Limit) {
    let redis = redis_options(&Facts::of("redis"));
    let world = World::with(redis, |hpc| match limit {
        Limit::Capacity => hpc.job_pool_capacity = 1,
        Limit::JobsPerUser => hpc.jobs_per_user = 1,
    })
    .await;
    world.connector.show(Shown::running());
    let (first, second) = (world.queued().await, world.queued().await);
    for id in [&first, &second] {
        world.context.queue.publish(HPC, id).await.unwrap();
    }
    read(&world);
    world.until_state(&first, State::Running).await;
    assert_eq!(world.job(&second).await.state, State::Queued);
    let claimed = world.claim(&second).await;
    match limit {
        Limit::Capacity => assert_eq!(claimed, Claimed::Full),
        Limit::JobsPerUser => {
            assert_eq!(claimed, Claimed::UserFull);
            until_stream(&world, 0, 0).await;
        }
    }
    world.connector.show(Shown::ended("COMPLETED", 0));
    for id in [&first, &second] {
        assert_eq!(world.until_over(id).await.state, State::Ended);
    }
}
