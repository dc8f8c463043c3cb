//! The lease of a maintainer process: one row for all its jobs, judged by the database's clock.

use std::{
    sync::{Arc, Mutex},
    time::Duration,
};

use compute_db::{Claim, LeaseHolder, Progress, Store, StoreError};
use compute_domain::{
    Clock as _, SystemClock,
    clock::ManualClock,
    ids::JobId,
    job::{Change, Intent, NewEvent},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, LEASE, PLENTY, World, alice, change, maintainer, token};

const HOUR: Duration = Duration::from_secs(3600);

/// A deadline that a slow machine meets.
const DEADLINE: Duration = Duration::from_secs(60);

async fn register(store: &Store, holder: &LeaseHolder, lease: Duration) {
    let hpcs = [HPC.to_owned()];
    let registered = store.register_maintainer(holder, "http://m:1", &hpcs, lease);
    registered.await.unwrap();
}

#[rstest]
#[tokio::test]
async fn a_renewal_updates_one_row_whatever_the_number_of_jobs(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    for _ in 0..3 {
        world.leased("m1").await;
    }
    let holder = world.holder("m1").await;
    let seen = Arc::<Mutex<Vec<String>>>::default();
    let observed = Arc::clone(&seen);
    let store = (world.another_store().await)
        .with_statement_observer(move |sql| observed.lock().unwrap().push(sql.to_owned()));
    store.renew(&holder, LEASE).await.unwrap();
    assert_eq!(store.leases(&holder).await.unwrap().leases.len(), 3);
    let seen = seen.lock().unwrap();
    let updates: Vec<_> = seen
        .iter()
        .filter(|sql| sql.starts_with("UPDATE"))
        .collect();
    assert_eq!(updates.len(), 1, "{seen:#?}");
    assert!(updates[0].contains("maintainers"), "{seen:#?}");
}

/// A process whose clock is an hour ahead, or behind, takes a job and dies.
#[rstest]
#[case::ahead(true)]
#[case::behind(false)]
#[tokio::test]
async fn the_clock_of_a_process_decides_nothing(
    #[case] is_ahead: bool,
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let now = SystemClock.now();
    let wrong = if is_ahead {
        now.plus(HOUR)
    } else {
        now.minus(HOUR)
    };
    let url = &world.database.url;
    let wrong = Store::connect(url, Arc::new(ManualClock::at(wrong))).await;
    let wrong = wrong.unwrap();
    let right = Store::connect(url, Arc::new(SystemClock)).await.unwrap();
    let mine = LeaseHolder {
        id: maintainer("wrong"),
        epoch: 1,
    };
    let other = LeaseHolder {
        id: maintainer("right"),
        epoch: 1,
    };
    register(&wrong, &mine, HOUR / 2).await;
    register(&right, &other, HOUR / 2).await;
    let job = world.queued(&alice()).await;
    let Claim::Taken(job) = wrong.claim(&job.id, &mine, PLENTY).await.unwrap() else {
        panic!("not taken")
    };
    assert!(wrong.expired_on(HPC, 10).await.unwrap().is_empty());
    assert!(right.expired_on(HPC, 10).await.unwrap().is_empty());
    assert!(right.take_over(&job.id, &other).await.unwrap().is_none());
    wrong
        .advance(&token(&job), &job, Progress::default())
        .await
        .unwrap();
    for store in [&wrong, &right] {
        assert!(store.served_hpcs(HOUR / 2).await.unwrap().contains(HPC));
        let notified = store.maintainer_for(&job, HOUR / 2).await.unwrap();
        assert_eq!(notified.as_deref(), Some("http://m:1"));
    }

    wrong.renew(&mine, Duration::from_millis(50)).await.unwrap();
    let taking = async {
        loop {
            if let Some(taken) = right.take_over(&job.id, &other).await.unwrap() {
                return taken;
            }
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    let taken = tokio::time::timeout(DEADLINE, taking).await.unwrap();
    assert!(taken.fence > job.fence);
}

/// Even if no other maintainer has taken the job over.
#[rstest]
#[tokio::test]
async fn nothing_is_written_after_the_lease_is_over(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let queued = world.queued(&alice()).await;
    world.clock.advance(LEASE);
    let event = Progress {
        events: vec![NewEvent::init(&job.id)],
        ..Progress::default()
    };
    let store = &world.store;
    let written = store.advance(&token, &job, event.clone()).await;
    assert!(matches!(written, Err(StoreError::LeaseLost)), "{written:?}");
    let back = store.come_back(&token, &job, event, 10).await;
    assert!(matches!(back, Err(StoreError::LeaseLost)), "{back:?}");
    let taken = store.claim(&queued.id, &token.holder, PLENTY).await;
    assert!(matches!(taken, Err(StoreError::LeaseLost)), "{taken:?}");
    let renewed = store.renew(&token.holder, LEASE).await;
    assert!(matches!(renewed, Err(StoreError::LeaseLost)), "{renewed:?}");
    assert_eq!(world.kinds_of_events(&job.id).await.len(), 2);
    assert_eq!(world.kinds_of_events(&queued.id).await.len(), 1);
}

/// A process that was stopped for longer than its lease comes back under another epoch.
#[rstest]
#[tokio::test]
async fn another_epoch_is_another_lease(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, old) = world.leased("m1").await;
    let store = &world.store;
    let new = LeaseHolder {
        epoch: 2,
        ..old.holder.clone()
    };
    register(store, &new, LEASE).await;
    let refused = store.advance(&old, &job, Progress::default()).await;
    assert!(matches!(refused, Err(StoreError::LeaseLost)), "{refused:?}");
    assert!(!store.still_held(&old).await.unwrap());
    assert!(store.renew(&old.holder, LEASE).await.is_err());
    assert!(store.leases(&new).await.unwrap().leases.is_empty());
    let expired = store.expired_on(HPC, 10).await.unwrap();
    assert_eq!(expired, std::slice::from_ref(&job.id));
    let taken = store.take_over(&job.id, &new).await.unwrap().unwrap();
    assert!(taken.fence > job.fence && taken.lease_epoch == Some(2));
}

async fn run_by_version_before(world: &World, id: &JobId, until: &str) {
    let sql = format!("UPDATE jobs SET owner = 'before', lease_until = {until} WHERE id = '{id}'");
    world.database.execute(&sql).await;
}

/// Both versions run side by side during an upgrade.
#[rstest]
#[tokio::test]
async fn jobs_of_the_version_before_expire_by_their_own_lease(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (store, me) = (&world.store, world.holder("m1").await);
    let now = world.clock.now();
    let sql = format!(
        "INSERT INTO maintainers (id, address, hpcs, created_at, heartbeat_at) VALUES \
         ('before', '', '[]', {now}, {now})",
        now = now.millis()
    );
    world.database.execute(&sql).await;
    // One that it has claimed, and one that it has taken over from this version.
    let (claimed, _) = world.leased("m2").await;
    let sql = format!(
        "UPDATE jobs SET lease_epoch = NULL WHERE id = '{}'",
        claimed.id
    );
    world.database.execute(&sql).await;
    let (taken_over, _) = world.leased("m2").await;
    for id in [&claimed.id, &taken_over.id] {
        let later = now.plus(LEASE / 2).millis().to_string();
        run_by_version_before(&world, id, &later).await;
        assert_eq!(store.take_over(id, &me).await.unwrap(), None);
    }
    assert!(store.expired_on(HPC, 10).await.unwrap().is_empty());
    world.clock.advance(LEASE / 2);
    assert_eq!(store.expired_on(HPC, 10).await.unwrap().len(), 2);
    for id in [&claimed.id, &taken_over.id] {
        assert!(store.take_over(id, &me).await.unwrap().is_some());
    }
}

/// The version before knows only `jobs.lease_until`.
#[rstest]
#[tokio::test]
async fn the_version_before_leaves_jobs_of_this_one_alone_until_they_are_handed_back(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, _) = world.leased("m1").await;
    let until = async || world.store.job(&job.id).await.unwrap().unwrap().lease_until;
    assert!(until().await.unwrap() >= world.clock.now().plus(HOUR * 24));
    let released = world.store.release(&maintainer("m1")).await.unwrap();
    assert_eq!(released, 1);
    assert!(until().await.unwrap() <= world.clock.now());
}

/// A restored row is older than what the HPC has seen.
#[rstest]
#[tokio::test]
async fn a_fence_is_newer_than_all_before_also_after_a_restore(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, _) = world.leased("m1").await;
    let dump = format!(
        "UPDATE jobs SET fence = {} WHERE id = '{}'",
        job.fence, job.id
    );
    world.clock.advance(LEASE);
    let second = world.holder("m2").await;
    let taken = world.store.take_over(&job.id, &second).await.unwrap();
    world.database.execute(&dump).await;
    world.clock.advance(LEASE);
    let third = world.holder("m3").await;
    let restored = world.store.take_over(&job.id, &third).await.unwrap();
    assert!(restored.unwrap().fence > taken.unwrap().fence);

    // However fast one follows the other, and if the clock is set back.
    let ahead = world.clock.now().plus(HOUR).millis();
    let sql = format!("UPDATE jobs SET fence = {ahead} WHERE id = '{}'", job.id);
    world.database.execute(&sql).await;
    world.store.release(&third.id).await.unwrap();
    let again = world.store.take_over(&job.id, &third).await.unwrap();
    assert_eq!(again.unwrap().fence, ahead + 1);
}

/// What a gateway writes is not a maintainer's write.
#[rstest]
#[tokio::test]
async fn each_write_of_a_maintainer_has_its_number(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    assert_eq!(job.revision, 1);
    world
        .store
        .set_intent(&alice(), &job.id, Intent::Pause)
        .await
        .unwrap();
    let next = world.store.advance(&token, &job, Progress::default()).await;
    let next = next.unwrap();
    assert_eq!((next.revision, next.intent), (2, Some(Intent::Pause)));
    let stale = world
        .store
        .advance(&token, &job, change(Change::Fail))
        .await;
    assert!(matches!(stale, Err(StoreError::Stale)), "{stale:?}");
}

/// Its runner has stopped, and a write of it may still be under way.
#[rstest]
#[tokio::test]
async fn a_job_that_is_taken_again_has_another_fence(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, old) = world.leased("m1").await;
    let (store, fence) = (&world.store, job.fence);
    let again = store.take_again(&job.id, &old.holder, fence).await.unwrap();
    let again = again.unwrap();
    assert!(again.fence > fence);
    let late = store.advance(&old, &job, Progress::default()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    let late = store.advance_again(&old, &job, Progress::default()).await;
    assert!(matches!(late, Err(StoreError::LeaseLost)), "{late:?}");
    let twice = store.take_again(&job.id, &old.holder, fence).await;
    assert_eq!(twice.unwrap(), None);
    let other = world.holder("m2").await;
    let stolen = store.take_again(&job.id, &other, again.fence).await;
    assert_eq!(stolen.unwrap(), None);
}
