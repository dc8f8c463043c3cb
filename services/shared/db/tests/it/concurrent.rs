//! Several at once: one wins, nobody is lost.

use compute_db::{Checked, Pinned, Progress, SubmitOutcome};
use compute_domain::job::{EventKind, NewEvent};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::world::{LEASE, World, alice};

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_submits_one_wins(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let other = world.another_store().await;
    for _ in 0..5 {
        let job = world.created(&alice()).await;
        let id = job.id.clone();
        let mut submits = JoinSet::new();
        for store in [&world.store, &other, &world.store, &other] {
            let (store, checked) = (store.clone(), Checked::of(&job));
            submits
                .spawn(async move { store.submit_job(&checked, Pinned::default()).await.unwrap() });
        }
        let outcomes = submits.join_all().await;
        let won = outcomes
            .iter()
            .filter(|o| matches!(o, SubmitOutcome::Queued(_)))
            .count();
        let lost = outcomes
            .iter()
            .filter(|o| **o == SubmitOutcome::AlreadySubmitted)
            .count();
        assert_eq!((won, lost), (1, 3));
        assert_eq!(world.kinds_of_events(&id).await, ["JOB_QUEUED"]);
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn of_many_who_take_over_one_wins(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let other = world.another_store().await;
    let (job, old) = world.leased("m1").await;
    world.clock.advance(LEASE * 2);
    let mut rush = JoinSet::new();
    for number in 0..6 {
        let store = if number % 2 == 0 {
            world.store.clone()
        } else {
            other.clone()
        };
        let id = job.id.clone();
        let me = world.holder(&format!("n{number}")).await;
        rush.spawn(async move { store.take_over(&id, &me).await.unwrap() });
    }
    let won: Vec<_> = rush.join_all().await.into_iter().flatten().collect();
    assert_eq!(won.len(), 1);
    assert!(won[0].fence > old.fence);
}

/// Job runners, renewals and owners' intents write to the same rows all the time.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn writers_do_not_fail_each_other(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    const STEPS: usize = 10;
    let world = World::new(kind).await;
    let other = world.another_store().await;
    let mut writers = JoinSet::new();
    let mut jobs = Vec::new();
    for _ in 0..6 {
        let (job, token) = world.leased("m1").await;
        jobs.push(job.id.clone());
        let (first, second) = (world.store.clone(), other.clone());
        let mut mine = job.clone();
        let me = world.holder("m1").await;
        writers.spawn(async move {
            for number in 0..STEPS {
                let event = NewEvent::new(EventKind::JobRetry, number.to_string());
                let progress = Progress {
                    events: vec![event],
                    ..Progress::default()
                };
                mine = first.advance(&token, &mine, progress).await.unwrap();
            }
        });
        writers.spawn(async move {
            for _ in 0..STEPS {
                second.renew(&me, LEASE).await.unwrap();
                let intent = compute_domain::job::Intent::Pause;
                second.set_intent(&alice(), &job.id, intent).await.unwrap();
            }
        });
    }
    writers.join_all().await;
    for id in jobs {
        let events = world.store.events_of(&id).await.unwrap();
        let reported: Vec<_> = events
            .iter()
            .skip(2)
            .map(|event| event.message.clone())
            .collect();
        let expected: Vec<_> = (0..STEPS).map(|number| number.to_string()).collect();
        assert_eq!(reported, expected, "in the order in which they happened");
    }
}
