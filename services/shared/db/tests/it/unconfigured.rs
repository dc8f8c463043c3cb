//! Jobs on HPCs that have left the configuration.

use compute_domain::job::{Change, Intent, NewEvent};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, LEASE, World, alice, change, token};

#[rstest]
#[tokio::test]
async fn open_jobs_outside_the_configuration(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    world.created(&alice()).await;
    let queued = world.queued(&alice()).await.id;
    let (running, _) = world.leased("m1").await;
    let ids = async |hpcs: &[&str]| {
        let jobs = world.store.open_jobs_outside(hpcs, 10).await.unwrap();
        assert!(jobs.iter().all(|job| job.hpc == HPC));
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert!(ids(&[HPC]).await.is_empty());
    assert_eq!(ids(&["other"]).await.len(), 2);
    let count = async |maintainers: &[&str]| {
        let count = world
            .store
            .open_jobs_without_maintainer(&[HPC], maintainers);
        count.await.unwrap()
    };
    assert_eq!(count(&["community_contribution"]).await, 0);
    assert_eq!(count(&["other"]).await, 2);

    let to_cancel = async || world.store.to_cancel_outside(&["other"], 10).await.unwrap();
    assert!(to_cancel().await.is_empty());
    for id in [&queued, &running.id] {
        let intent = world.store.set_intent(&alice(), id, Intent::Cancel).await;
        assert!(intent.unwrap().is_some());
    }
    assert_eq!(
        to_cancel().await,
        std::slice::from_ref(&queued),
        "the other is leased"
    );
    world.clock.advance(LEASE * 2);
    assert_eq!(to_cancel().await.len(), 2);
    let other = world.holder("m2").await;
    let taken = world.store.take_over(&running.id, &other).await.unwrap();
    let token = token(&taken.unwrap());
    world.advance(&token, change(Change::Cancel)).await;
    assert_eq!(ids(&["other"]).await, [queued]);
}

#[rstest]
#[tokio::test]
async fn an_event_is_written_once(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.queued(&alice()).await;
    let event = NewEvent::waits(&job.id, "its HPC is not configured");
    let add = async |event: &NewEvent| world.store.add_event_once(&job.id, event).await.unwrap();
    assert!(add(&event).await);
    assert!(!add(&event).await);
    assert!(add(&NewEvent::waits(&job.id, "another reason")).await);
    assert_eq!(
        world.kinds_of_events(&job.id).await,
        ["JOB_QUEUED", "JOB_RETRY", "JOB_RETRY"]
    );
    let created = world.created(&alice()).await;
    let added = world.store.add_event_once(&created.id, &event).await;
    assert!(!added.unwrap(), "not submitted");
}
