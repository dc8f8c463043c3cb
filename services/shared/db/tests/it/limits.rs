//! Limits of a user, counted by many at once, and lists of bounded size.

use compute_db::{
    ChangeOutcome, Checked, JobPatch, LISTED_JOBS, LimitReached, ListedUntil, Pinned, StoreError,
    SubmitOutcome, UserLimits,
};
use compute_domain::job::Job;
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;
use tokio::task::JoinSet;

use crate::world::{World, alice, bob};

/// Of many submits, and of many new jobs, at once, through several gateways, no more than
/// the limit pass.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn limits_hold_whoever_counts_at_once(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    const LIMIT: u64 = 3;
    let world = World::new(kind).await;
    let mut jobs = Vec::new();
    for _ in 0..12 {
        jobs.push(world.created(&alice()).await);
    }
    let limits = UserLimits {
        open_jobs: LIMIT,
        drafts: 14,
        ..UserLimits::default()
    };
    let stores = [
        world.store.clone().with_user_limits(limits),
        world.another_store().await.with_user_limits(limits),
    ];
    let mut submits = JoinSet::new();
    for (number, job) in jobs.into_iter().enumerate() {
        let store = stores[number % 2].clone();
        submits.spawn(async move {
            let submitted = store
                .submit_job(&Checked::of(&job), Pinned::default())
                .await;
            match submitted {
                Ok(SubmitOutcome::Queued(_)) => true,
                Err(StoreError::Limit(LimitReached::OpenJobs(LIMIT))) => false,
                other => panic!("{other:?}"),
            }
        });
    }
    let queued = submits.join_all().await.into_iter().filter(|q| *q).count();
    assert_eq!(u64::try_from(queued).unwrap(), LIMIT);
    assert_eq!(world.store.open_jobs_of(&alice()).await.unwrap(), LIMIT);

    // Nine drafts are left, and five more may be made.
    let mut made = JoinSet::new();
    for number in 0..12 {
        let store = stores[number % 2].clone();
        made.spawn(async move {
            let new = World::new_job(&store, &alice());
            match store.create_job(new).await {
                Ok(_) => true,
                Err(StoreError::Limit(LimitReached::Drafts(14))) => false,
                other => panic!("{other:?}"),
            }
        });
    }
    let made = made
        .join_all()
        .await
        .into_iter()
        .filter(|made| *made)
        .count();
    assert_eq!(made, 5);
    let new = World::new_job(&stores[0], &bob());
    stores[0].create_job(new).await.unwrap();
    world.clock.advance(std::time::Duration::from_hours(25));
    stores[0].check_draft_limit(&alice()).await.unwrap();
}

#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn drafts_hold_so_many_bytes_in_all(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let limits = UserLimits {
        draft_bytes: 10_000,
        ..UserLimits::default()
    };
    let store = world.store.clone().with_user_limits(limits);
    let mut jobs = Vec::new();
    for _ in 0..6 {
        jobs.push(world.created(&alice()).await);
    }
    let large = |letter: &str| JobPatch {
        param: json!({"a": letter.repeat(1500)}).as_object().cloned(),
        ..JobPatch::default()
    };
    let mut changes = JoinSet::new();
    for job in &jobs {
        let (store, id) = (store.clone(), job.id.clone());
        // Two bytes each.
        changes.spawn(async move {
            match store.change_job(&alice(), &id, large("ü")).await {
                Ok(ChangeOutcome::Changed(_)) => true,
                Err(StoreError::Limit(LimitReached::DraftBytes(10_000))) => false,
                other => panic!("{other:?}"),
            }
        });
    }
    let changed = changes.join_all().await.into_iter().filter(|c| *c).count();
    assert_eq!(changed, 3, "three times 3,000 bytes fit into 10,000");
    let mut kept = 0;
    for job in &jobs {
        let job = store.job_of(&alice(), &job.id).await.unwrap().unwrap();
        kept += usize::from(!job.param.is_empty());
    }
    assert_eq!(kept, 3, "what was refused is not kept");
    let job = world.created(&bob()).await;
    store.change_job(&bob(), &job.id, large("x")).await.unwrap();
}

/// Rows of the time before there were limits, and pages.
#[rstest]
#[tokio::test]
async fn a_list_of_jobs_comes_in_bounded_pages(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let mut ids = Vec::new();
    // All of one millisecond: the clock stands still.
    for _ in 0..LISTED_JOBS * 2 + 3 {
        ids.push(world.created(&alice()).await.id);
    }
    let huge = JobPatch {
        name: Some("huge".to_owned()),
        param: json!({"a": "x".repeat(300 << 10)}).as_object().cloned(),
        env: json!({"a": "x".repeat(1000)}).as_object().cloned(),
        slurm: json!({"a": "x".repeat(20 << 10)}).as_object().cloned(),
        local_data_folder: Some(json!({"type": "x".repeat(20 << 10)})),
        local_executable_folder: Some(json!({"type": "git", "gitId": "x"})),
        ..JobPatch::default()
    };
    let changed = world.store.change_job(&alice(), &ids[0], huge).await;
    assert!(matches!(changed, Ok(ChangeOutcome::Changed(_))));
    let (mut after, mut listed): (Option<ListedUntil>, Vec<Job>) = (None, Vec::new());
    loop {
        let page = world.store.jobs_of(&alice(), after.as_ref()).await.unwrap();
        let Some(last) = page.last() else { break };
        after = Some(ListedUntil::of(last));
        listed.extend(page);
    }
    let mut sorted = ids.clone();
    sorted.sort();
    let found: Vec<_> = listed.iter().map(|job| job.id.clone()).collect();
    assert_eq!(found.len(), ids.len());
    let mut found_sorted = found.clone();
    found_sorted.sort();
    assert_eq!(found_sorted, sorted);
    let huge = listed.iter().find(|job| job.name.is_some()).unwrap();
    assert!(huge.param.is_empty() && huge.slurm.is_empty());
    assert_eq!((huge.env.len(), &huge.local_data_folder), (1, &None));
    assert!(huge.local_executable_folder.is_some());
    let whole = world
        .store
        .job_of(&alice(), &huge.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(whole.param.len(), 1, "its own route has it");
}
