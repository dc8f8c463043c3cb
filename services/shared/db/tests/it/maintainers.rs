//! Whom to tell about a job.

use std::time::Duration;

use compute_db::LeaseHolder;
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, World, alice, maintainer};

const ALIVE: Duration = Duration::from_secs(30);

fn holder(name: &str) -> LeaseHolder {
    LeaseHolder {
        id: maintainer(name),
        epoch: 1,
    }
}

#[rstest]
#[tokio::test]
async fn the_carrier_or_else_any_of_the_hpc(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let store = &world.store;
    let (here, there) = ([HPC.to_owned()], ["other_hpc".to_owned()]);
    let queued = world.queued(&alice()).await;
    let (leased, _) = world.leased("m1").await;
    store.forget_maintainer(&maintainer("m1")).await.unwrap();
    assert_eq!(store.maintainer_for(&leased, ALIVE).await.unwrap(), None);

    store
        .register_maintainer(&holder("m3"), "http://m3:1", &there, ALIVE)
        .await
        .unwrap();
    assert_eq!(
        store.maintainer_for(&queued, ALIVE).await.unwrap(),
        None,
        "not of its HPC"
    );
    store
        .register_maintainer(&holder("m1"), "http://m1:1", &here, ALIVE)
        .await
        .unwrap();
    world.clock.advance(ALIVE / 2);
    store
        .register_maintainer(&holder("m2"), "http://m2:1", &here, ALIVE)
        .await
        .unwrap();
    assert_eq!(
        store.maintainer_for(&leased, ALIVE).await.unwrap().unwrap(),
        "http://m1:1"
    );
    assert_eq!(
        store.maintainer_for(&queued, ALIVE).await.unwrap().unwrap(),
        "http://m2:1"
    );

    world.clock.advance(ALIVE * 2 / 3);
    let other = store.maintainer_for(&leased, ALIVE).await.unwrap();
    assert_eq!(
        other.unwrap(),
        "http://m2:1",
        "its maintainer has no heartbeat"
    );
    store
        .register_maintainer(&holder("m1"), "http://m1:1", &here, ALIVE)
        .await
        .unwrap();
    assert_eq!(
        store.maintainer_for(&leased, ALIVE).await.unwrap().unwrap(),
        "http://m1:1"
    );
    store.forget_maintainer(&maintainer("m1")).await.unwrap();
    store.forget_maintainer(&maintainer("m2")).await.unwrap();
    assert_eq!(store.maintainer_for(&leased, ALIVE).await.unwrap(), None);
}

#[rstest]
#[tokio::test]
async fn registering_twice_replaces(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let queued = world.queued(&alice()).await;
    for address in ["http://old:1", "http://new:1"] {
        let hpcs = [HPC.to_owned()];
        world
            .store
            .register_maintainer(&holder("m1"), address, &hpcs, ALIVE)
            .await
            .unwrap();
    }
    let address = world.store.maintainer_for(&queued, ALIVE).await.unwrap();
    assert_eq!(address.unwrap(), "http://new:1");
}
