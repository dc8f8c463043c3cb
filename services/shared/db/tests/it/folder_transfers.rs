//! Transfers out of folders: one at a time is begun.

use compute_db::{Checked, FolderTransfer, Pinned, SubmitOutcome, TransferOutcome};
use compute_domain::{
    Clock as _,
    job::{Folder, Job},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::{World, alice};

/// A new transfer of the folder.
fn new(world: &World, folder: &Folder, submission: &str) -> FolderTransfer {
    FolderTransfer {
        folder_id: folder.id.clone(),
        submission_id: submission.to_owned(),
        transfer: json!({"to": "endpoint", "path": "/a\u{1f980}"}),
        task_id: None,
        created_at: world.clock.now(),
        is_over: false,
    }
}

async fn begin(
    world: &World,
    folder: &Folder,
    submission: &str,
    instead_of: Option<&str>,
) -> TransferOutcome {
    let new = new(world, folder, submission);
    world
        .store
        .begin_folder_transfer(&alice(), new, instead_of, true)
        .await
        .unwrap()
}

#[rstest]
#[tokio::test]
async fn one_of_several_is_begun(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let store = &world.store;
    let folder = &world.folder(&alice());
    let latest = async || store.folder_transfer(&folder.id).await.unwrap();
    assert_eq!(latest().await, None);
    let begun = begin(&world, folder, "s1", None).await;
    assert_eq!(begun, TransferOutcome::Begun);
    let begun = begin(&world, folder, "s2", None).await;
    assert_eq!(begun, TransferOutcome::Another);
    assert_eq!(latest().await, Some(new(&world, folder, "s1")));

    for (submission, task) in [("s1", "t1"), ("s2", "t2")] {
        let accepted = store.folder_transfer_accepted(&folder.id, submission, task);
        accepted.await.unwrap();
    }
    assert_eq!(latest().await.unwrap().task_id.as_deref(), Some("t1"));

    // Of two that replace the same one, the second finds it gone.
    for (submission, outcome) in [
        ("s3", TransferOutcome::Begun),
        ("s4", TransferOutcome::Another),
    ] {
        assert_eq!(begin(&world, folder, submission, Some("s1")).await, outcome);
    }
    assert_eq!(latest().await, Some(new(&world, folder, "s3")));

    // The end of one that was replaced says nothing of the one that replaced it.
    for (submission, is_over) in [("s1", false), ("s3", true)] {
        let over = store.folder_transfer_is_over(&folder.id, submission);
        over.await.unwrap();
        assert_eq!(latest().await.unwrap().is_over, is_over);
    }
    begin(&world, folder, "s5", Some("s3")).await;
    assert!(!latest().await.unwrap().is_over);

    // One that was refused is over, until Globus accepts it after all; a refusal that
    // comes late says nothing.
    let refused = async || {
        store
            .folder_transfer_refused(&folder.id, "s5")
            .await
            .unwrap()
    };
    refused().await;
    assert!(latest().await.unwrap().is_over);
    let accepted = store.folder_transfer_accepted(&folder.id, "s5", "t5");
    accepted.await.unwrap();
    assert!(!latest().await.unwrap().is_over);
    refused().await;
    assert!(!latest().await.unwrap().is_over);
}

async fn add(world: &World, folder: &Folder) {
    let Folder {
        id, is_writable, ..
    } = folder;
    let added = format!(
        "INSERT INTO folders (id, hpc, hpc_path, globus_path, user_id, is_writable, created_at) \
         VALUES ('{id}', 'local_hpc', '/x', '/x', '{}', {is_writable}, 1)",
        alice()
    );
    world.database.execute(&added).await;
}

/// A draft of Alice with its data in `folder`.
async fn draft(world: &World, folder: &Folder) -> Job {
    let job = world.created(&alice()).await;
    let data = format!(
        "UPDATE jobs SET remote_data_folder_id = '{}' WHERE id = '{}'",
        folder.id, job.id
    );
    world.database.execute(&data).await;
    let job = world.store.job_of(&alice(), &job.id).await.unwrap();
    job.unwrap()
}

async fn submit(world: &World, job: &Job, keeps_read_only: bool) -> SubmitOutcome {
    let checked = Checked {
        keeps_read_only,
        ..Checked::of(job)
    };
    let submitted = world.store.submit_job(&checked, Pinned::default()).await;
    submitted.unwrap()
}

/// What Globus reads with all rights of the HPC's account is not written to meanwhile: of a
/// transfer and a job that may write to the folder, the second is refused.
#[rstest]
#[tokio::test]
async fn nobody_writes_to_what_is_transferred(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let mut folder = world.folder(&alice());
    folder.is_writable = true;
    add(&world, &folder).await;
    begin(&world, &folder, "s1", None).await;
    let job = draft(&world, &folder).await;
    let refused = SubmitOutcome::Transferred(folder.id.clone());
    assert_eq!(submit(&world, &job, true).await, refused);
    let over = world.store.folder_transfer_is_over(&folder.id, "s1");
    over.await.unwrap();
    let submitted = submit(&world, &job, true).await;
    assert!(
        matches!(submitted, SubmitOutcome::Queued(_)),
        "{submitted:?}"
    );

    let begun = begin(&world, &folder, "s2", Some("s1")).await;
    assert_eq!(begun, TransferOutcome::Written(job.id));
    let latest = world.store.folder_transfer(&folder.id).await.unwrap();
    assert_eq!(latest.unwrap().submission_id, "s1");
}

#[rstest]
#[tokio::test]
async fn what_is_only_read_is_transferred_too(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let folder = world.folder(&alice());
    add(&world, &folder).await;
    begin(&world, &folder, "s1", None).await;
    let job = draft(&world, &folder).await;
    let refused = submit(&world, &job, false).await;
    assert_eq!(refused, SubmitOutcome::Transferred(folder.id.clone()));
    let submitted = submit(&world, &job, true).await;
    assert!(
        matches!(submitted, SubmitOutcome::Queued(_)),
        "{submitted:?}"
    );
}

/// Of a submit and a transfer at once, one is refused.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn one_of_a_submit_and_a_transfer_wins(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let other = world.another_store().await;
    for _ in 0..20 {
        let mut folder = world.folder(&alice());
        folder.is_writable = true;
        add(&world, &folder).await;
        let job = draft(&world, &folder).await;
        let (submitting, beginning) = (world.store.clone(), other.clone());
        let new = new(&world, &folder, "s");
        let (submitted, begun) = tokio::join!(
            tokio::spawn(async move {
                submitting
                    .submit_job(&Checked::of(&job), Pinned::default())
                    .await
            }),
            tokio::spawn(async move {
                beginning
                    .begin_folder_transfer(&alice(), new, None, true)
                    .await
            }),
        );
        let is_queued = matches!(submitted.unwrap().unwrap(), SubmitOutcome::Queued(_));
        let is_begun = begun.unwrap().unwrap() == TransferOutcome::Begun;
        assert_ne!(is_queued, is_begun);
    }
}
