//! What operators and metrics see.

use compute_db::JobFilter;
use compute_domain::job::{Intent, State};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, World, alice, bob};

const ALL: JobFilter = JobFilter {
    hpc: None,
    state: None,
    user: None,
    limit: 100,
};

#[rstest]
#[tokio::test]
async fn jobs_of_everybody(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let first = world.created(&alice()).await;
    world.clock.advance(std::time::Duration::from_secs(1));
    let second = world.queued(&bob()).await;
    let ids = async |filter| {
        let jobs = world.store.list_jobs(filter).await.unwrap();
        jobs.into_iter().map(|job| job.id).collect::<Vec<_>>()
    };
    assert_eq!(
        ids(ALL).await,
        [second.id.clone(), first.id.clone()],
        "newest first"
    );
    assert_eq!(
        ids(JobFilter { limit: 1, ..ALL }).await,
        std::slice::from_ref(&second.id)
    );
    let of_alice = JobFilter {
        user: Some(alice()),
        ..ALL
    };
    assert_eq!(ids(of_alice).await, std::slice::from_ref(&first.id));
    let queued = JobFilter {
        state: Some(State::Queued),
        hpc: Some(HPC.to_owned()),
        ..ALL
    };
    assert_eq!(ids(queued).await, std::slice::from_ref(&second.id));
    assert!(
        ids(JobFilter {
            hpc: Some("other".to_owned()),
            ..ALL
        })
        .await
        .is_empty()
    );

    let intended = world
        .store
        .operator_intent(&second.id, Intent::Cancel, "operator")
        .await;
    let intended = intended.unwrap().unwrap();
    assert_eq!(intended.intent, Some(Intent::Cancel));
    assert_eq!(intended.intent_by.unwrap().as_str(), "operator");
    let created = world
        .store
        .operator_intent(&first.id, Intent::Cancel, "operator")
        .await;
    assert_eq!(created.unwrap(), None);
}
