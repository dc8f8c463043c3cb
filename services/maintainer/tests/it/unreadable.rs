//! A row that cannot be read harms only itself.

use std::sync::Arc;

use compute_domain::job::{Intent, State, Step};
use compute_maintainer::{intake, lease};

use crate::{
    fake_connector::Shown,
    world::{LEASE, World, alice},
};

#[tokio::test]
async fn the_sweep_takes_over_the_jobs_beside_it() {
    let world = World::new().await;
    let (broken, good) = (world.queued().await, world.queued().await);
    world.abandoned(&broken, Step::Watch).await;
    world.abandoned(&good, Step::Watch).await;
    world.break_row(&broken, "param").await;
    world.sweep();
    assert_eq!(world.until_over(&good).await.state, State::Ended);
}

#[tokio::test]
async fn the_sweep_claims_the_queued_jobs_behind_it() {
    let world = World::new().await;
    let broken = world.queued().await;
    world.clock.advance(LEASE);
    let good = world.queued().await;
    world.clock.advance(LEASE);
    world.break_row(&broken, "env").await;
    let refused = intake::claim(&world.context, world.hpc(), &broken).await;
    assert!(refused.unwrap_err().is_of_one_row());
    world.sweep();
    assert_eq!(world.until_over(&good).await.state, State::Ended);
}

#[tokio::test]
async fn an_intent_that_cannot_be_read_keeps_no_other_from_its_runner() {
    let world = World::new().await;
    world.connector.show(Shown::running());
    let (broken, good) = (world.running().await, world.running().await);
    for id in [&broken, &good] {
        world.until_state(id, State::Running).await;
    }
    world.break_row(&broken, "intent").await;
    let user = alice();
    let wanted = world.store().set_intent(&user, &good, Intent::Cancel);
    wanted.await.unwrap();
    world.clock.advance(LEASE / 2);
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
    // The fake ends both: it shows all jobs alike.
    let job = world.until_over(&good).await;
    assert_eq!(job.state, State::Cancelled);
    let ended = async || {
        let open = world.store().places_taken(crate::world::HPC).await;
        open.unwrap() == 0
    };
    world.eventually("the end of the broken one", ended).await;
}
