//! Claims, leases and taking over.

use std::time::Duration;

use compute_db::{Claim, LeaseRow, Progress, StoreError};
use compute_domain::{
    ids::JobId,
    job::{Intent, NewEvent, State, Step},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, LEASE, PLENTY, World, alice, maintainer, places, token};

#[rstest]
#[tokio::test]
async fn a_queued_job_is_taken_once(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, _) = world.leased("m1").await;
    let late = world
        .store
        .claim(&job.id, &world.holder("m2").await, PLENTY)
        .await
        .unwrap();
    assert_eq!(late, Claim::Gone);
    let none = JobId::from_text("none");
    let none = world
        .store
        .claim(&none, &world.holder("m2").await, PLENTY)
        .await
        .unwrap();
    assert_eq!(none, Claim::Gone);
    let unsubmitted = world.created(&alice()).await;
    let early = world
        .store
        .claim(&unsubmitted.id, &world.holder("m2").await, PLENTY)
        .await;
    assert_eq!(early.unwrap(), Claim::Gone);
    assert_eq!(
        world.kinds_of_events(&job.id).await,
        ["JOB_QUEUED", "JOB_REGISTERED"]
    );
}

#[rstest]
#[tokio::test]
async fn places_wishes_and_holds(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let me = world.holder("m1").await;
    let claim = async |id: &JobId| world.store.claim(id, &me, places(1)).await.unwrap();
    let [first, second, third] = [
        world.queued(&alice()).await,
        world.queued(&alice()).await,
        world.queued(&alice()).await,
    ];
    world
        .store
        .set_intent(&alice(), &first.id, Intent::Pause)
        .await
        .unwrap();
    assert_eq!(claim(&first.id).await, Claim::Paused);
    let Claim::Taken(second) = claim(&second.id).await else {
        panic!("a place is free")
    };
    world
        .store
        .set_intent(&alice(), &first.id, Intent::Resume)
        .await
        .unwrap();
    assert_eq!(claim(&first.id).await, Claim::Full);
    world
        .store
        .set_intent(&alice(), &third.id, Intent::Cancel)
        .await
        .unwrap();
    assert!(
        matches!(claim(&third.id).await, Claim::Taken(_)),
        "needs no place"
    );
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 2);
    assert_eq!(world.store.places_taken("other_hpc").await.unwrap(), 0);
    let waiting = world.store.queued_on(HPC, None, 10).await.unwrap();
    assert_eq!(
        waiting.iter().map(|w| &w.id).collect::<Vec<_>>(),
        [&first.id]
    );
    assert_eq!(waiting[0].submitted_at, first.submitted_at.unwrap());
    assert_eq!(second.lease_holder, Some(me.id.clone()));
}

#[rstest]
#[tokio::test]
async fn an_expired_lease_is_taken_over_and_the_old_fence_loses(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, old) = world.leased("m1").await;
    let step = Progress {
        step: Some(Step::UploadExecutable),
        ..Progress::default()
    };
    world.advance(&old, step).await;
    let early = world.holder("early").await;
    assert_eq!(
        world.store.take_over(&job.id, &early).await.unwrap(),
        None,
        "still leased"
    );
    assert!(world.store.expired_on(HPC, 10).await.unwrap().is_empty());

    world.clock.advance(LEASE + Duration::from_millis(1));
    assert_eq!(
        world.store.expired_on(HPC, 10).await.unwrap(),
        std::slice::from_ref(&job.id)
    );
    assert!(
        world
            .store
            .expired_on("other_hpc", 10)
            .await
            .unwrap()
            .is_empty()
    );
    let over = world.store.take_over(&job.id, &early).await;
    assert!(
        matches!(over, Err(StoreError::LeaseLost)),
        "its own lease is over, too: {over:?}"
    );
    let me = world.holder("m2").await;
    let taken = world.store.take_over(&job.id, &me).await.unwrap().unwrap();
    assert_eq!(
        (taken.lease_holder.as_ref(), taken.lease_epoch),
        (Some(&me.id), Some(1))
    );
    assert!(taken.fence > old.fence);
    assert_eq!(
        (taken.state, taken.step),
        (State::Preparing, Step::UploadExecutable)
    );
    let third = world.holder("m3").await;
    assert_eq!(
        world.store.take_over(&job.id, &third).await.unwrap(),
        None,
        "leased again"
    );

    let late = Progress {
        events: vec![NewEvent::init(&job.id)],
        ..Progress::default()
    };
    let late = world.store.advance(&old, &job, late).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    assert!(!world.store.still_held(&old).await.unwrap());
    assert!(world.store.still_held(&token(&taken)).await.unwrap());
    let renewed = world.store.renew(&old.holder, LEASE).await;
    assert!(matches!(renewed, Err(StoreError::LeaseLost)), "{renewed:?}");
    assert!(
        world
            .store
            .leases(&old.holder)
            .await
            .unwrap()
            .leases
            .is_empty()
    );
    world.advance(&token(&taken), Progress::default()).await;
    assert_eq!(
        world.kinds_of_events(&job.id).await,
        ["JOB_QUEUED", "JOB_REGISTERED"]
    );
}

#[rstest]
#[tokio::test]
async fn a_lease_that_is_renewed_holds(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, _) = world.leased("m1").await;
    let (other, _) = world.leased("m2").await;
    world.clock.advance(LEASE - Duration::from_secs(1));
    world
        .store
        .set_intent(&alice(), &job.id, Intent::Pause)
        .await
        .unwrap();
    let holder = world.holder("m1").await;
    world.store.renew(&holder, LEASE).await.unwrap();
    let renewed = world.store.leases(&holder).await.unwrap();
    let expected = LeaseRow {
        id: job.id.clone(),
        fence: job.fence,
        intent: Some(Intent::Pause),
        intent_by: Some(alice()),
    };
    assert_eq!(renewed.leases, [expected]);
    world.clock.advance(Duration::from_secs(2));
    assert_eq!(world.store.expired_on(HPC, 10).await.unwrap(), [other.id]);
    let unchanged = world.store.job(&job.id).await.unwrap().unwrap();
    assert_eq!((unchanged.fence, unchanged.state), (job.fence, job.state));
}

#[rstest]
#[tokio::test]
async fn leases_are_given_back(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (first, _) = world.leased("m1").await;
    let (second, _) = world.leased("m1").await;
    world.leased("m2").await;
    assert_eq!(world.store.release(&maintainer("m1")).await.unwrap(), 2);
    let mut expired = world.store.expired_on(HPC, 10).await.unwrap();
    let mut expected = [first.id, second.id];
    expired.sort();
    expected.sort();
    assert_eq!(expired, expected);
    assert_eq!(world.store.expired_on(HPC, 1).await.unwrap().len(), 1);
}
