//! A write whose response is lost: the caller repeats it, and it is written once.

use compute_db::{Progress, Store, StoreError};
use compute_domain::job::{Change, Job, NewEvent, State};
use compute_testing::{
    CommitCutter,
    Kind::{self, MariaDb, Postgres, Sqlite},
};
use rstest::rstest;

use crate::world::{World, change};

fn with_event(job: &Job) -> Progress {
    Progress {
        events: vec![NewEvent::init(&job.id)],
        ..Progress::default()
    }
}

#[rstest]
#[tokio::test]
async fn a_repeat_of_a_write_that_happened_writes_nothing(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let store = &world.store;
    let again = async |job: &Job, progress: Progress| {
        let first = store.advance(&token, job, progress.clone()).await.unwrap();
        let second = store.advance_again(&token, job, progress).await.unwrap();
        assert_eq!(first, second);
        second
    };
    let job = again(&job, with_event(&job)).await;
    // It did not happen.
    let job = store.advance_again(&token, &job, with_event(&job)).await;
    let ended = again(&job.unwrap(), change(Change::Fail)).await;
    assert_eq!((ended.state, ended.lease_holder), (State::Failed, None));
    let kinds = world.kinds_of_events(&token.id).await;
    assert_eq!(
        kinds,
        ["JOB_QUEUED", "JOB_REGISTERED", "JOB_INIT", "JOB_INIT"]
    );
}

#[rstest]
#[tokio::test]
async fn a_commit_without_an_answer_is_recognised(#[values(Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let cutter = CommitCutter::start(&world.database.url).await;
    let store = Store::connect(&cutter.url(), world.clock.clone()).await;
    let store = store.unwrap().with_lease_clock(world.clock.clone());
    let (mut job, token) = world.leased("m1").await;
    store.ping().await.unwrap();

    let end = Progress {
        change: Some(Change::Fail),
        ..with_event(&job)
    };
    for progress in [with_event(&job), end] {
        cutter.cut(1);
        let lost = store.advance(&token, &job, progress.clone()).await;
        assert!(matches!(lost, Err(StoreError::Unavailable(_))), "{lost:?}");
        assert_eq!(cutter.left(), 0, "at its COMMIT");
        job = store.advance_again(&token, &job, progress).await.unwrap();
    }
    assert_eq!(job.state, State::Failed);
    let kinds = world.kinds_of_events(&token.id).await;
    assert_eq!(
        kinds,
        ["JOB_QUEUED", "JOB_REGISTERED", "JOB_INIT", "JOB_INIT"]
    );
}
