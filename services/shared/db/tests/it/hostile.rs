//! Whatever people write comes back byte for byte.

use compute_db::{ChangeOutcome, Checked, JobPatch, Pinned, Progress, SubmitOutcome};
use compute_domain::{
    ErrorKind,
    ids::UserId,
    job::{EventKind, NewEvent},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::{World, alice};

const HOSTILE: &str = "Robert'); DROP TABLE jobs;-- \"$(touch x)\" `y` \\ \\' %s ? $1 :a\r\n\t\
                       zwölf 日本語 🦀👩‍👩‍👧 \u{202e}rtl \u{1} trailing  ";

#[rstest]
#[tokio::test]
async fn texts_of_users(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let user = UserId::from_text(format!("{HOSTILE}@hub"));
    let job = world.created(&user).await;
    let map = json!({HOSTILE: HOSTILE, "nul": "a\0b"})
        .as_object()
        .unwrap()
        .clone();
    let patch = JobPatch {
        name: Some(HOSTILE.to_owned()),
        param: Some(map.clone()),
        env: Some(map.clone()),
        slurm: Some(map.clone()),
        local_data_folder: Some(json!({"type": HOSTILE})),
        ..JobPatch::default()
    };
    let changed = world.store.change_job(&user, &job.id, patch).await.unwrap();
    let ChangeOutcome::Changed(changed) = changed else {
        panic!("{changed:?}")
    };
    assert_eq!(changed.name.as_deref(), Some(HOSTILE));
    assert_eq!(
        (&changed.param, &changed.env, &changed.slurm),
        (&map, &map, &map)
    );
    assert_eq!(changed.local_data_folder.unwrap()["type"], HOSTILE);
    let read = world.store.jobs_of(&user, None).await.unwrap();
    assert_eq!(read[0].user_id, user);
}

#[rstest]
#[tokio::test]
async fn messages_and_logs(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (job, token) = world.leased("m1").await;
    let long = HOSTILE.repeat((2 << 20) / HOSTILE.len() + 1);
    assert!(long.len() >= 2 << 20);
    let progress = Progress {
        events: vec![NewEvent::new(EventKind::JobRetry, HOSTILE)],
        logs: vec![long.clone(), String::new(), "a\0b".to_owned()],
        cause: Some(long.clone()),
        ..Progress::default()
    };
    let written = world.advance(&token, progress).await;
    assert_eq!(written.cause.as_ref(), Some(&long));
    let events = world.store.events_of(&job.id).await.unwrap();
    assert_eq!(events.last().unwrap().message, HOSTILE);
    let logs = world.store.logs_of(&job.id).await.unwrap();
    assert!(logs[0].message == long, "the long log has changed");
    assert_eq!(logs[1].message, "");
    assert_eq!(
        logs[2].message, "a\u{fffd}b",
        "not every database keeps NUL"
    );
}

#[rstest]
#[tokio::test]
async fn a_large_manifest(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.created(&alice()).await;
    let manifest = json!({"z": 1, "a": HOSTILE.repeat(2000), "m": {"y": [0, 0.5, 1e30]}});
    let pinned = Pinned {
        manifest: Some(manifest.clone()),
        ..Pinned::default()
    };
    let queued = world
        .store
        .submit_job(&Checked::of(&job), pinned)
        .await
        .unwrap();
    let SubmitOutcome::Queued(queued) = queued else {
        panic!("{queued:?}")
    };
    let kept = serde_json::to_string(&queued.manifest.unwrap()).unwrap();
    assert_eq!(kept, manifest.to_string(), "keys in their order, too");
}

/// SQLite has no limits here: the gateway has them.
#[rstest]
#[tokio::test]
async fn what_does_not_fit_is_the_callers_fault(#[values(Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.created(&alice()).await;
    let name = "x".repeat(compute_db::NAME_LIMIT);
    let patch = |name: String| JobPatch {
        name: Some(name),
        ..JobPatch::default()
    };
    let fits = world
        .store
        .change_job(&alice(), &job.id, patch(name.clone()))
        .await
        .unwrap();
    assert!(matches!(fits, ChangeOutcome::Changed(_)));
    let refused = world
        .store
        .change_job(&alice(), &job.id, patch(name + "x"))
        .await
        .unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
}
