//! A row that holds what no program of ours wrote harms only itself.

use std::time::Duration;

use compute_db::{Claim, StoreError};
use compute_domain::job::{Change, Intent};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, LEASE, PLENTY, World, alice, change};

async fn break_column(world: &World, id: &str, column: &str) {
    let sql = format!("UPDATE jobs SET {column} = 'snooze' WHERE id = '{id}'");
    world.database.execute(&sql).await;
}

#[rstest]
#[tokio::test]
async fn an_intent_that_cannot_be_read_does_not_undo_the_renewal(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (broken, token) = world.leased("m1").await;
    let (good, _) = world.leased("m1").await;
    world
        .store
        .set_intent(&alice(), &good.id, Intent::Pause)
        .await
        .unwrap();
    break_column(&world, broken.id.as_str(), "intent").await;
    world.clock.advance(LEASE - Duration::from_secs(1));
    let holder = world.holder("m1").await;
    world.store.renew(&holder, LEASE).await.unwrap();
    let renewed = world.store.leases(&holder).await.unwrap();
    let of = |id| renewed.leases.iter().find(|lease| lease.id == id).unwrap();
    assert_eq!(of(broken.id.clone()).intent, None);
    assert_eq!(of(good.id.clone()).intent, Some(Intent::Pause));
    let [error] = renewed.unreadable.as_slice() else {
        panic!("{renewed:?}")
    };
    assert!(error.is_of_one_row(), "{error}");
    assert!(error.to_string().contains(broken.id.as_str()), "{error}");
    world.clock.advance(Duration::from_secs(2));
    assert!(world.store.expired_on(HPC, 10).await.unwrap().is_empty());

    // Its maintainer can still bring it to its end.
    let ended = world
        .store
        .advance(&token, &broken, change(Change::Fail))
        .await
        .unwrap();
    assert!(ended.state.is_terminal());
}

#[rstest]
#[tokio::test]
async fn a_queued_row_that_cannot_be_read_is_listed_and_not_taken(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (broken, good) = (world.queued(&alice()).await, world.queued(&alice()).await);
    break_column(&world, broken.id.as_str(), "param").await;
    let ready = world
        .store
        .queued_and_ready(HPC, 10, None, 10)
        .await
        .unwrap();
    assert_eq!(ready.len(), 2);
    let claim = async |id| {
        world
            .store
            .claim(id, &world.holder("m1").await, PLENTY)
            .await
    };
    let refused = claim(&broken.id).await.unwrap_err();
    assert!(matches!(refused, StoreError::Corrupt { .. }), "{refused}");
    assert!(refused.is_of_one_row());
    assert!(matches!(claim(&good.id).await, Ok(Claim::Taken(_))));
    assert!(
        world.store.is_any_queued_on(HPC, []).await.unwrap(),
        "undone"
    );
}

#[rstest]
#[tokio::test]
async fn a_paused_job_is_not_one_that_waits(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.queued(&alice()).await;
    assert!(world.store.is_any_queued_on(HPC, []).await.unwrap());
    world
        .store
        .set_intent(&alice(), &job.id, Intent::Pause)
        .await
        .unwrap();
    assert!(!world.store.is_any_queued_on(HPC, []).await.unwrap());
}

#[rstest]
#[tokio::test]
async fn a_state_that_cannot_be_read_is_unknown(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (broken, good) = (world.queued(&alice()).await, world.queued(&alice()).await);
    break_column(&world, broken.id.as_str(), "state").await;
    let found = world.store.job_status(&[broken.id.clone(), good.id]).await;
    let found = found.unwrap();
    assert_eq!(found.len(), 2);
    let broken = found.iter().find(|row| row.id == broken.id).unwrap();
    assert_eq!(broken.state, None);
}
