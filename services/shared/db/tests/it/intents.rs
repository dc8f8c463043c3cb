//! What owners want done with their jobs.

use compute_db::Progress;
use compute_domain::{
    ids::JobId,
    job::{Change, Intent},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{World, alice};

#[rstest]
#[tokio::test]
async fn intents_are_kept_from_queue_to_end(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let intend = async |id: &JobId, intent| {
        let job = world.store.set_intent(&alice(), id, intent).await.unwrap();
        job.map(|job| (job.intent, job.intent_by))
    };
    let created = world.created(&alice()).await;
    assert_eq!(
        intend(&created.id, Intent::Cancel).await,
        None,
        "never submitted"
    );

    let queued = world.queued(&alice()).await;
    assert_eq!(
        intend(&queued.id, Intent::Pause).await,
        Some((Some(Intent::Pause), Some(alice())))
    );
    assert_eq!(
        intend(&queued.id, Intent::Resume).await,
        Some((None, None)),
        "just goes on"
    );
    assert_eq!(intend(&queued.id, Intent::Resume).await, Some((None, None)));

    let (leased, token) = world.leased("m1").await;
    let resumed = intend(&leased.id, Intent::Resume).await.unwrap();
    assert_eq!(resumed.0, Some(Intent::Resume), "its maintainer resumes it");
    assert_eq!(
        intend(&leased.id, Intent::Cancel).await.unwrap().0,
        Some(Intent::Cancel)
    );
    let late = intend(&leased.id, Intent::Resume).await.unwrap();
    assert_eq!(late.0, Some(Intent::Cancel), "an intent to cancel is final");

    let end = Progress {
        change: Some(Change::Cancel),
        ..Progress::default()
    };
    world.advance(&token, end).await;
    assert_eq!(intend(&leased.id, Intent::Cancel).await, None, "it is over");
}
