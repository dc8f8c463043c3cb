//! What the lease holder writes.

use compute_db::{Progress, StoreError};
use compute_domain::{
    Clock, ErrorKind, Timestamp,
    ids::MaintainerId,
    job::{Change, Intent, NewEvent, State, Step, Usage},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{World, alice, token};

#[rstest]
#[tokio::test]
async fn a_whole_life(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    assert_eq!(
        (job.state, job.step, job.lease_epoch),
        (State::Preparing, Step::Prepare, Some(1))
    );
    assert!(job.queued_at.is_some() && job.lease_until.is_some());

    let (executable, result) = (world.folder(&alice()), world.folder(&alice()));
    let prepared = Progress {
        step: Some(Step::Submit),
        executable_folder: Some(executable.clone()),
        result_folder: Some(result.clone()),
        ..Progress::default()
    };
    let job = world.advance(&token, prepared).await;
    assert_eq!((job.state, job.step), (State::Preparing, Step::Submit));
    assert_eq!(job.remote_executable_folder_id, Some(executable.id));

    let accepted = Progress {
        change: Some(Change::Accept),
        step: Some(Step::Watch),
        slurm_id: Some("17".to_owned()),
        events: vec![NewEvent::submitted("17"), NewEvent::init(&job.id)],
        ..Progress::default()
    };
    let job = world.advance(&token, accepted).await;
    assert_eq!(
        (job.state, job.slurm_id.as_deref()),
        (State::Submitted, Some("17"))
    );
    assert!(job.initialized_at.is_some() && job.started_at.is_none());

    let started = || Progress {
        change: Some(Change::Start),
        ..Progress::default()
    };
    let first = world.advance(&token, started()).await.started_at;
    world.clock.advance(std::time::Duration::from_secs(1));
    let again = world.advance(&token, started()).await;
    assert_eq!(
        (again.state, again.started_at),
        (State::Running, first),
        "as first seen"
    );
    assert!(first.is_some());

    let left = Progress {
        change: Some(Change::Finish),
        step: Some(Step::Collect),
        ..Progress::default()
    };
    world.advance(&token, left).await;
    let usage = Usage {
        nodes: Some(1),
        walltime: Some(3),
        ..Usage::default()
    };
    let ended = Progress {
        change: Some(Change::Succeed),
        result_listing: Some(vec!["/".to_owned(), "/sub".to_owned()]),
        usage: Some(usage),
        logs: vec!["out".to_owned(), "err".to_owned()],
        events: vec![NewEvent::ended(&job.id)],
        ..Progress::default()
    };
    let job = world.advance(&token, ended).await;
    assert_eq!(
        (job.state, job.is_failed, job.usage),
        (State::Ended, false, usage)
    );
    assert_eq!((job.lease_holder.clone(), job.lease_until), (None, None));
    assert!(job.finished_at.is_some());
    assert_eq!(job.result_listing.as_deref().unwrap(), ["/", "/sub"]);
    let expected = [
        "JOB_QUEUED",
        "JOB_REGISTERED",
        "SLURM_SUBMIT_SUCCESS",
        "JOB_INIT",
        "JOB_ENDED",
    ];
    assert_eq!(world.kinds_of_events(&job.id).await, expected);
    let logs = world.store.logs_of(&job.id).await.unwrap();
    assert_eq!(
        logs.iter()
            .map(|log| log.message.as_str())
            .collect::<Vec<_>>(),
        ["out", "err"]
    );

    let late = world.store.advance(&token, &job, Progress::default()).await;
    assert!(
        matches!(late, Err(StoreError::LeaseLost)),
        "nothing leaves an end: {late:?}"
    );
}

/// Begun and ended between two looks; what the HPC's clock says may be before the
/// submission or yet to come.
#[rstest]
#[case::in_between(1, 1)]
#[case::before_it_was_accepted(-60, 0)]
#[case::yet_to_come(60, 3)]
#[tokio::test]
async fn a_start_that_nobody_saw(
    #[case] seconds_of_hpc: i64,
    #[case] expected: i64,
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (_, token) = world.leased("m1").await;
    for step in [Step::Submit, Step::Watch] {
        let forward = Progress {
            change: (step == Step::Watch).then_some(Change::Accept),
            step: Some(step),
            ..Progress::default()
        };
        world.advance(&token, forward).await;
    }
    let accepted = world.clock.now().millis();
    world.clock.advance(std::time::Duration::from_secs(3));
    let over = Progress {
        change: Some(Change::Finish),
        started_at: Some(Timestamp::from_millis(accepted + 1000 * seconds_of_hpc)),
        ..Progress::default()
    };
    let job = world.advance(&token, over).await;
    let expected = Timestamp::from_millis(accepted + 1000 * expected);
    assert_eq!(job.started_at, Some(expected));
}

#[rstest]
#[tokio::test]
async fn all_or_nothing(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let folder = world.folder(&alice());
    let impossible = Progress {
        change: Some(Change::Succeed),
        result_folder: Some(folder.clone()),
        logs: vec!["log".to_owned()],
        events: vec![NewEvent::ended(&job.id)],
        ..Progress::default()
    };
    let refused = world
        .store
        .advance(&token, &job, impossible)
        .await
        .unwrap_err();
    assert!(matches!(refused, StoreError::Illegal(_)), "{refused}");
    assert_eq!(refused.kind(), ErrorKind::Refused);
    // The second folder is the first one again: refused in mid-transaction.
    let twice = Progress {
        executable_folder: Some(folder.clone()),
        result_folder: Some(folder.clone()),
        events: vec![NewEvent::ended(&job.id)],
        ..Progress::default()
    };
    assert!(world.store.advance(&token, &job, twice).await.is_err());

    assert_eq!(world.store.job(&job.id).await.unwrap(), Some(job.clone()));
    assert_eq!(
        world.kinds_of_events(&job.id).await,
        ["JOB_QUEUED", "JOB_REGISTERED"]
    );
    assert!(world.store.logs_of(&job.id).await.unwrap().is_empty());
    assert_eq!(
        world.store.folder_of(&alice(), &folder.id).await.unwrap(),
        None
    );
}

#[rstest]
#[tokio::test]
async fn only_the_lease_holder_writes(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let mut old_fence = token.clone();
    old_fence.fence -= 1;
    let mut other_holder = token.clone();
    other_holder.holder.id = MaintainerId::from_text("M1");
    for wrong in [old_fence, other_holder] {
        let progress = Progress {
            events: vec![NewEvent::init(&job.id)],
            ..Progress::default()
        };
        let refused = world.store.advance(&wrong, &job, progress).await;
        assert!(
            matches!(refused, Err(StoreError::LeaseLost)),
            "{wrong:?}: {refused:?}"
        );
    }
    assert_eq!(world.kinds_of_events(&job.id).await.len(), 2);
}

#[rstest]
#[tokio::test]
async fn parked_and_back(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let parked = Progress {
        change: Some(Change::Park),
        blocked_reason: Some(Some("login node away".to_owned())),
        next_probe_at: Some(Some(job.created_at)),
        attempts: Some(3),
        ..Progress::default()
    };
    let parked = world.advance(&token, parked).await;
    assert_eq!((parked.state, parked.step), (State::Blocked, Step::Prepare));
    assert_eq!(parked.next_probe_at, Some(job.created_at));
    let back = Progress {
        change: Some(Change::Unpark(parked.step)),
        blocked_reason: Some(None),
        next_probe_at: Some(None),
        ..Progress::default()
    };
    let back = world.advance(&token, back).await;
    assert_eq!((back.state, back.attempts), (State::Preparing, 3));
    assert_eq!((back.blocked_reason, back.next_probe_at), (None, None));
}

#[rstest]
#[tokio::test]
async fn a_job_that_failed_or_was_cancelled_is_a_failed_one(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    for (change, state) in [
        (Change::Fail, State::Failed),
        (Change::Cancel, State::Cancelled),
    ] {
        let (job, token) = world.leased("m1").await;
        world
            .store
            .set_intent(&alice(), &job.id, Intent::Cancel)
            .await
            .unwrap();
        let end = Progress {
            change: Some(change),
            cause: Some("because".to_owned()),
            clear_intent: Some(Intent::Cancel),
            ..Progress::default()
        };
        let job = world.advance(&token, end).await;
        assert_eq!((job.state, job.is_failed), (state, true));
        assert_eq!(
            (job.cause.as_deref(), job.intent, job.intent_by),
            (Some("because"), None, None)
        );
    }
}

/// Cancelled while the pause was on its way to the HPC.
#[rstest]
#[tokio::test]
async fn a_wish_that_came_meanwhile_stays(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    for intent in [Intent::Pause, Intent::Cancel] {
        world
            .store
            .set_intent(&alice(), &job.id, intent)
            .await
            .unwrap();
    }
    let paused = Progress {
        clear_intent: Some(Intent::Pause),
        ..Progress::default()
    };
    let job = world.advance(&token, paused).await;
    assert_eq!(
        (job.intent, job.intent_by),
        (Some(Intent::Cancel), Some(alice()))
    );
}

#[rstest]
#[tokio::test]
async fn a_job_that_is_put_down_may_be_taken_at_once(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (job, held_by_first) = world.leased("m1").await;
    let down = Progress {
        release: true,
        ..Progress::default()
    };
    assert_eq!(
        world.advance(&held_by_first, down).await.state,
        State::Preparing
    );
    assert_eq!(
        world.store.expired_on(&job.hpc, 10).await.unwrap(),
        std::slice::from_ref(&job.id)
    );
    let second = world.holder("m2").await;
    let job = world
        .store
        .take_over(&job.id, &second)
        .await
        .unwrap()
        .unwrap();
    assert!(token(&job).fence > held_by_first.fence);
}
