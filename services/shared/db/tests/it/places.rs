//! Places on an HPC: of all users, of one user, and of jobs that come back.

use std::collections::BTreeSet;

use compute_db::{Claim, LeaseToken, Places, Progress};
use compute_domain::{
    ids::{JobId, UserId},
    job::{Change, Intent, Job, State, Step},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, World, alice, bob, token};

const PLACES: Places = Places {
    all: 3,
    per_user: 2,
};

async fn claim(world: &World, id: &JobId) -> Claim {
    let mine = world.holder("m1").await;
    let claimed = world.store.claim(id, &mine, PLACES);
    claimed.await.unwrap()
}

async fn taken(world: &World, user: &UserId) -> (Job, LeaseToken) {
    let job = world.queued(user).await;
    match claim(world, &job.id).await {
        Claim::Taken(job) => (*job.clone(), token(&job)),
        other => panic!("not taken: {other:?}"),
    }
}

async fn change(world: &World, token: &LeaseToken, change: Change) -> Job {
    let progress = Progress {
        change: Some(change),
        ..Progress::default()
    };
    world.advance(token, progress).await
}

#[rstest]
#[tokio::test]
async fn one_user_has_some_of_them(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (_, first) = taken(&world, &alice()).await;
    taken(&world, &alice()).await;
    let third = world.queued(&alice()).await.id;
    assert_eq!(claim(&world, &third).await, Claim::UserFull);
    let of_bob = world.queued(&bob()).await.id;

    let ready = async || {
        let ready = world
            .store
            .queued_and_ready(HPC, PLACES.per_user, None, 10)
            .await;
        let ready = ready.unwrap().into_iter().map(|waiting| waiting.id);
        // All were submitted at one moment, and databases differ in the order of ids.
        ready.collect::<BTreeSet<_>>()
    };
    assert_eq!(
        ready().await,
        BTreeSet::from([of_bob.clone()]),
        "not those of alice"
    );
    assert!(matches!(claim(&world, &of_bob).await, Claim::Taken(_)));
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 3);
    let fourth = world.queued(&bob()).await.id;
    assert_eq!(claim(&world, &fourth).await, Claim::Full);

    change(&world, &first, Change::Fail).await;
    assert_eq!(ready().await, BTreeSet::from([third.clone(), fourth]));
    assert!(matches!(claim(&world, &third).await, Claim::Taken(_)));
}

#[rstest]
#[tokio::test]
async fn a_cancelled_job_needs_none(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    for _ in 0..2 {
        taken(&world, &alice()).await;
    }
    let job = world.queued(&alice()).await;
    let owner = alice();
    let cancel = world.store.set_intent(&owner, &job.id, Intent::Cancel);
    assert!(cancel.await.unwrap().is_some());
    let to_cancel = world.store.queued_to_cancel(HPC, None, 10).await.unwrap();
    assert_eq!(to_cancel.len(), 1);
    let ready = world
        .store
        .queued_and_ready(HPC, 10, None, 10)
        .await
        .unwrap();
    assert!(ready.is_empty());
    assert!(matches!(claim(&world, &job.id).await, Claim::Taken(_)));
}

#[rstest]
#[tokio::test]
async fn a_blocked_job_gives_its_place_back(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (_, blocked) = taken(&world, &alice()).await;
    taken(&world, &alice()).await;
    taken(&world, &bob()).await;
    let waits = world.queued(&bob()).await.id;
    assert_eq!(claim(&world, &waits).await, Claim::Full);
    let job = change(&world, &blocked, Change::Park).await;
    let of_alice = world.queued(&alice()).await.id;
    assert_eq!(
        claim(&world, &of_alice).await,
        Claim::UserFull,
        "it comes back: it is still one of alice's"
    );
    assert!(matches!(claim(&world, &waits).await, Claim::Taken(_)));

    let back = Progress {
        change: Some(Change::Unpark(Step::Prepare)),
        ..Progress::default()
    };
    let come_back = async |most| {
        let back = world.store.come_back(&blocked, &job, back.clone(), most);
        back.await.unwrap().map(|job| job.state)
    };
    assert_eq!(come_back(PLACES.all).await, None, "no place is free");
    let still = world.store.job(&job.id).await.unwrap().unwrap();
    assert_eq!(still.state, State::Blocked);
    assert_eq!(come_back(PLACES.all + 1).await, Some(State::Preparing));
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 4);
}

/// A user who pauses as many jobs as there are places keeps nobody out.
#[rstest]
#[tokio::test]
async fn a_paused_job_takes_no_place(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (_, in_slurm) = taken(&world, &alice()).await;
    let (preparing, _) = taken(&world, &alice()).await;
    change(&world, &in_slurm, Change::Accept).await;
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 2);
    change(&world, &in_slurm, Change::Pause).await;
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 1);
    let owner = alice();
    let intend = async |intent| {
        let saved = world.store.set_intent(&owner, &preparing.id, intent);
        assert!(saved.await.unwrap().is_some());
    };
    intend(Intent::Pause).await;
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 0);
    intend(Intent::Resume).await;
    assert_eq!(world.store.places_taken(HPC).await.unwrap(), 1);
}

/// Each page begins behind the last job of the one before, also if all were submitted at one
/// moment.
#[rstest]
#[tokio::test]
async fn the_queue_is_read_page_by_page(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let mut all = BTreeSet::new();
    for n in 0..7 {
        if n == 4 {
            world.clock.advance(std::time::Duration::from_secs(60));
        }
        all.insert(world.queued(&alice()).await.id);
    }
    let paused = world.queued(&alice()).await.id;
    let owner = alice();
    let pause = world.store.set_intent(&owner, &paused, Intent::Pause);
    pause.await.unwrap();
    let (mut seen, mut after) = (Vec::new(), None);
    loop {
        let page = world.store.queued_and_ready(HPC, 10, after.as_ref(), 3);
        let page = page.await.unwrap();
        seen.extend(page.iter().map(|waiting| waiting.id.clone()));
        match page.last() {
            Some(last) => after = Some(last.clone()),
            None => break,
        }
    }
    assert_eq!(seen.len(), 7, "each once");
    assert_eq!(seen.into_iter().collect::<BTreeSet<_>>(), all);
}
