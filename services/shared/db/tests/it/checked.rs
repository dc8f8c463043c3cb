//! What was checked and what is done are one: changes beside a submit.

use compute_db::{
    ChangeOutcome, Checked, JobPatch, Pinned, Progress, SubmitOutcome, TemplatePatch,
};
use compute_domain::{
    ids::{FolderId, UserId},
    job::Job,
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::{Map, Value, json};

use crate::world::{World, alice, bob};

fn tasks(number: u32) -> Map<String, Value> {
    json!({"num_of_task": number}).as_object().unwrap().clone()
}

async fn add_folder(world: &World, id: &str, user: &UserId) {
    let added = format!(
        "INSERT INTO folders (id, hpc, hpc_path, globus_path, user_id, created_at) \
         VALUES ('{id}', 'local_hpc', '/x', '/x', '{user}', 1)"
    );
    world.database.execute(&added).await;
}

fn change_of_slurm(number: u32) -> JobPatch {
    JobPatch {
        slurm: Some(tasks(number)),
        ..JobPatch::default()
    }
}

/// Whatever is changed beside a submit, what is queued is what was checked.
#[rstest]
#[tokio::test(flavor = "multi_thread")]
async fn a_change_beside_a_submit_is_seen_or_refused(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    const ROUNDS: usize = 40;
    let world = World::new(kind).await;
    let other = world.another_store().await;
    let (mut queued, mut seen) = (0, 0);
    for _ in 0..ROUNDS {
        let job = world.created(&alice()).await;
        let changed = world
            .store
            .change_job(&alice(), &job.id, change_of_slurm(1))
            .await
            .unwrap();
        let ChangeOutcome::Changed(checked) = changed else {
            panic!("{changed:?}")
        };
        let (submitting, changing) = (world.store.clone(), other.clone());
        let (submit, change) = tokio::join!(
            tokio::spawn({
                let checked = Checked::of(&checked);
                async move { submitting.submit_job(&checked, Pinned::default()).await }
            }),
            tokio::spawn({
                let id = job.id.clone();
                async move {
                    changing
                        .change_job(&alice(), &id, change_of_slurm(12))
                        .await
                }
            }),
        );
        let kept = world
            .store
            .job_of(&alice(), &job.id)
            .await
            .unwrap()
            .unwrap();
        match (submit.unwrap().unwrap(), change.unwrap().unwrap()) {
            (SubmitOutcome::Queued(job), ChangeOutcome::AlreadySubmitted) => {
                assert_eq!((&job.slurm, &kept.slurm), (&tasks(1), &tasks(1)));
                queued += 1;
            }
            (SubmitOutcome::JobChanged, ChangeOutcome::Changed(_)) => {
                assert_eq!((kept.slurm, kept.submitted_at), (tasks(12), None));
                seen += 1;
            }
            other => panic!("both, or neither: {other:?}"),
        }
    }
    assert_eq!(queued + seen, ROUNDS);
}

/// A gateway of the version before changes the row and counts nothing.
#[rstest]
#[tokio::test]
async fn each_value_that_decides_what_runs_is_compared(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    add_folder(&world, "x", &alice()).await;
    for (column, value) in [
        ("slurm", "'{\"num_of_task\":12}'"),
        ("param", "'{\"a\":1}'"),
        ("env", "'{\"a\":1}'"),
        (
            "local_data_folder",
            "'{\"type\":\"local\",\"path\":\"/etc\"}'",
        ),
        (
            "local_executable_folder",
            "'{\"type\":\"git\",\"gitId\":\"x\"}'",
        ),
        ("remote_data_folder_id", "'x'"),
        ("remote_executable_folder_id", "'x'"),
        ("hpc", "'other_hpc'"),
        ("maintainer", "'other'"),
    ] {
        let job = world.created(&alice()).await;
        let change = format!("UPDATE jobs SET {column} = {value} WHERE id = '{}'", job.id);
        world.database.execute(&change).await;
        let outcome = world
            .store
            .submit_job(&Checked::of(&job), Pinned::default())
            .await
            .unwrap();
        assert_eq!(outcome, SubmitOutcome::JobChanged, "{column}");
    }
}

#[rstest]
#[tokio::test]
async fn a_template_that_was_changed_meanwhile_is_not_run(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let added = "INSERT INTO gits (id, address, is_approved, created_at) \
        VALUES ('hello', 'https://host/hello', true, 1)";
    world.database.execute(added).await;
    let looked_up = world.store.template("hello").await.unwrap();
    let submitted = async |job: &Job| {
        let checked = Checked {
            job: job.clone(),
            template: looked_up.clone(),
            keeps_read_only: true,
        };
        let submitted = world.store.submit_job(&checked, Pinned::default()).await;
        submitted.unwrap()
    };
    let job = world.created(&alice()).await;
    assert!(matches!(submitted(&job).await, SubmitOutcome::Queued(_)));
    let unapproved = TemplatePatch {
        is_approved: Some(false),
        ..TemplatePatch::default()
    };
    world.store.set_template("hello", unapproved).await.unwrap();
    let job = world.created(&alice()).await;
    assert_eq!(submitted(&job).await, SubmitOutcome::TemplateChanged);
}

#[rstest]
#[tokio::test]
async fn a_folder_that_is_gone_or_retired_takes_no_job(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (_, token) = world.leased("m1").await;
    let [used, free] = [(); 2].map(|()| world.folder(&alice()));
    let progress = Progress {
        data_folder: Some(free.clone()),
        result_folder: Some(used.clone()),
        ..Progress::default()
    };
    world.advance(&token, progress).await;
    let store = &world.store;
    assert!(
        !store.retire_folder(&alice(), &used.id).await.unwrap(),
        "an open job needs it"
    );
    assert!(!store.retire_folder(&bob(), &used.id).await.unwrap());
    let with_data = async |folder: &str| {
        let job = world.created(&alice()).await;
        let patch = JobPatch {
            remote_data_folder_id: Some(FolderId::from_text(folder)),
            ..JobPatch::default()
        };
        match store.change_job(&alice(), &job.id, patch).await.unwrap() {
            ChangeOutcome::Changed(job) => Checked::of(&job),
            other => panic!("{other:?}"),
        }
    };
    let first = with_data(free.id.as_str()).await;
    let second = with_data(free.id.as_str()).await;
    let submitted = store.submit_job(&first, Pinned::default()).await.unwrap();
    assert!(
        matches!(submitted, SubmitOutcome::Queued(_)),
        "{submitted:?}"
    );
    assert!(store.delete_folder(&alice(), &free.id).await.unwrap());
    let submitted = store.submit_job(&second, Pinned::default()).await.unwrap();
    assert_eq!(submitted, SubmitOutcome::NoFolder(free.id.clone()));

    add_folder(&world, "of-bob", &bob()).await;
    let theirs = with_data("of-bob").await;
    let submitted = store.submit_job(&theirs, Pinned::default()).await.unwrap();
    assert_eq!(
        submitted,
        SubmitOutcome::NoFolder(FolderId::from_text("of-bob"))
    );
}
