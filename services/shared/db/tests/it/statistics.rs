//! Sums and counts over jobs.

use std::time::Duration;

use compute_db::{Progress, Runtime};
use compute_domain::job::{Change, DataTransfer, Intent, State, Step, Usage};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, World, alice, bob, change};

#[rstest]
#[tokio::test]
async fn runtimes_and_usage_are_summed(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    assert_eq!(world.store.runtimes().await.unwrap(), []);
    assert_eq!(
        world.store.usage_of(&alice()).await.unwrap(),
        Usage::default()
    );
    for seconds in [2, 3] {
        let (_, token) = world.leased("m1").await;
        world.advance(&token, change(Change::Accept)).await;
        world.clock.advance(Duration::from_secs(seconds));
        world.advance(&token, change(Change::Finish)).await;
        let ended = Progress {
            usage: Some(Usage {
                nodes: Some(1),
                cpus: Some(2),
                memory: Some(4_000_000_000),
                walltime: None,
                ..Usage::default()
            }),
            ..change(Change::Succeed)
        };
        world.advance(&token, ended).await;
    }
    let (hpc, millis) = (HPC.to_owned(), 5000);
    assert_eq!(
        world.store.runtimes().await.unwrap(),
        [Runtime { hpc, millis }]
    );
    let usage = world.store.usage_of(&alice()).await.unwrap();
    assert_eq!((usage.nodes, usage.cpus), (Some(2), Some(4)));
    assert_eq!((usage.memory, usage.walltime), (Some(8_000_000_000), None));
    assert_eq!(
        world.store.usage_of(&bob()).await.unwrap(),
        Usage::default()
    );
}

#[rstest]
#[tokio::test]
async fn open_jobs_are_counted(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    world.created(&alice()).await;
    let queued = world.queued(&alice()).await;
    world.queued(&bob()).await;
    let (_, token) = world.leased("m1").await;
    world.advance(&token, change(Change::Fail)).await;
    let store = &world.store;
    assert_eq!(store.open_jobs_of(&alice()).await.unwrap(), 1);
    let open = store.open_jobs(&[HPC]).await.unwrap();
    let [counted] = &open[..] else {
        panic!("{open:?}");
    };
    assert_eq!((counted.hpc.as_str(), counted.state), (HPC, State::Queued));
    assert_eq!((counted.jobs, counted.oldest), (2, queued.submitted_at));
    assert_eq!(store.open_jobs(&["another"]).await.unwrap(), []);
    store
        .set_intent(&alice(), &queued.id, Intent::Pause)
        .await
        .unwrap();
    assert_eq!(store.open_jobs_of(&alice()).await.unwrap(), 1);
}

#[rstest]
#[tokio::test]
async fn the_transfer_of_data_is_kept(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    assert_eq!(job.data_transfer, None);
    let transfer = DataTransfer {
        submission_id: "s".to_owned(),
        task_id: None,
    };
    let begun = Progress {
        data_transfer: Some(transfer.clone()),
        ..Progress::default()
    };
    let job = world.advance(&token, begun).await;
    assert_eq!(job.data_transfer.as_ref(), Some(&transfer));
    let next = Progress {
        step: Some(Step::CreateResult),
        ..Progress::default()
    };
    let job = world.advance(&token, next).await;
    assert_eq!(job.data_transfer, Some(transfer));
}
