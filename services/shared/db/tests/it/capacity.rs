//! `job_pool_capacity` holds over any number of processes.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU32, Ordering},
    },
    time::Duration,
};

use compute_db::{Claim, LeaseHolder, Progress, Store};
use compute_domain::{ids::JobId, job::Change};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use tokio::task::JoinSet;

use crate::world::{HPC, World, alice, places, token};

const CAPACITY: u32 = 10;
const JOBS: usize = 40;
const CLAIMERS: usize = 8;

struct Race {
    jobs: Vec<JobId>,
    taken: Mutex<BTreeSet<JobId>>,
    running: AtomicU32,
}

/// Goes through all jobs again and again until each was taken by somebody, and
/// holds the lease of each one that it gets for a moment.
async fn claimer(me: LeaseHolder, number: usize, store: Store, race: Arc<Race>) {
    while race.taken.lock().unwrap().len() < JOBS {
        let mut was_full = false;
        for id in race.jobs.iter().cycle().skip(number * 5).take(JOBS) {
            let job = match store.claim(id, &me, places(CAPACITY)).await.unwrap() {
                Claim::Taken(job) => job,
                Claim::Full => {
                    was_full = true;
                    continue;
                }
                Claim::Gone | Claim::Paused | Claim::UserFull => continue,
            };
            assert!(
                race.taken.lock().unwrap().insert(id.clone()),
                "{id} was taken twice"
            );
            assert!(
                race.running.fetch_add(1, Ordering::SeqCst) < CAPACITY,
                "too many"
            );
            assert!(
                store.places_taken(HPC).await.unwrap() <= CAPACITY,
                "too many rows"
            );
            tokio::time::sleep(Duration::from_millis(20)).await;
            race.running.fetch_sub(1, Ordering::SeqCst);
            let end = Progress {
                change: Some(Change::Fail),
                ..Progress::default()
            };
            store.advance(&token(&job), &job, end).await.unwrap();
        }
        if was_full {
            tokio::time::sleep(Duration::from_millis(10)).await;
        }
    }
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn never_more_than_the_capacity(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let other = world.another_store().await;
    let mut jobs = Vec::new();
    for _ in 0..JOBS {
        jobs.push(world.queued(&alice()).await.id);
    }
    // All at once, and nobody gives a place back.
    let mut rush = JoinSet::new();
    for (number, id) in jobs.iter().cloned().enumerate() {
        let store = if number % 2 == 0 {
            world.store.clone()
        } else {
            other.clone()
        };
        let me = world.holder(&format!("rush{}", number % CLAIMERS)).await;
        rush.spawn(async move { store.claim(&id, &me, places(CAPACITY)).await.unwrap() });
    }
    let outcomes = rush.join_all().await;
    let taken: Vec<_> = outcomes
        .into_iter()
        .filter_map(|claim| match claim {
            Claim::Taken(job) => Some(job),
            Claim::Full => None,
            other => panic!("{other:?}"),
        })
        .collect();
    assert_eq!(taken.len(), usize::try_from(CAPACITY).unwrap());
    for job in &taken {
        let end = Progress {
            change: Some(Change::Fail),
            ..Progress::default()
        };
        world.advance(&token(job), end).await;
    }
    // The rest, with places coming and going.
    let race = Arc::new(Race {
        taken: Mutex::new(taken.into_iter().map(|job| job.id).collect()),
        running: AtomicU32::new(0),
        jobs,
    });
    let mut claimers = JoinSet::new();
    for number in 0..CLAIMERS {
        let store = if number % 2 == 0 {
            world.store.clone()
        } else {
            other.clone()
        };
        let me = world.holder(&format!("m{number}")).await;
        claimers.spawn(claimer(me, number, store, race.clone()));
    }
    claimers.join_all().await;
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 0);
}
