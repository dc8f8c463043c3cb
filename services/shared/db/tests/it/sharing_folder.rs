//! Jobs that have each other's programs in their hands.

use compute_db::{ChangeOutcome, JobPatch, Progress};
use compute_domain::{
    ids::FolderId,
    job::{Cause, Change, Job, NewEvent, Step},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{World, alice};

/// A job that was made with these folders.
async fn with(world: &World, program: Option<&FolderId>, data: Option<&FolderId>) -> Job {
    let job = world.created(&alice()).await;
    let patch = JobPatch {
        remote_executable_folder_id: program.cloned(),
        remote_data_folder_id: data.cloned(),
        ..JobPatch::default()
    };
    match world.store.change_job(&alice(), &job.id, patch).await {
        Ok(ChangeOutcome::Changed(job)) => *job,
        other => panic!("not changed: {other:?}"),
    }
}

#[rstest]
#[tokio::test]
async fn one_that_shares_a_program_is_seen_until_it_is_over(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (running, token) = world.leased("m1").await;
    let [program, data, result] = [(); 3].map(|()| world.folder(&alice()));
    let folders = Progress {
        step: Some(Step::UploadExecutable),
        executable_folder: Some(program.clone()),
        data_folder: Some(data.clone()),
        result_folder: Some(result.clone()),
        ..Progress::default()
    };
    world.advance(&token, folders).await;
    let (program, data, result) = (&program.id, &data.id, &result.id);
    let beside = async |job: Job| world.store.job_sharing_folder(&job, true).await.unwrap();

    for (own_program, own_data, is_shared) in [
        (Some(program), None, true),
        (None, Some(program), true),
        // It is copied, and the running one only reads it.
        (Some(data), None, false),
        (Some(result), None, true),
        (None, Some(data), false),
        (None, Some(result), true),
        (None, None, false),
    ] {
        let found = beside(with(&world, own_program, own_data).await).await;
        let expected = is_shared.then(|| running.id.clone());
        assert_eq!(found, expected, "{own_program:?} {own_data:?}");
    }
    // Where nothing keeps a program from writing to its data, nobody shares it; nor does
    // anybody if it is writable.
    let shares = with(&world, None, Some(data)).await;
    let unprotected = world
        .store
        .job_sharing_folder(&shares, false)
        .await
        .unwrap();
    assert_eq!(unprotected, Some(running.id.clone()));
    let writable = format!("UPDATE folders SET is_writable = true WHERE id = '{data}'");
    world.database.execute(&writable).await;
    assert_eq!(beside(shares).await, Some(running.id.clone()));

    let again = with(&world, Some(program), None).await;
    let itself = world.store.job_of(&alice(), &running.id).await.unwrap();
    assert_eq!(
        beside(itself.unwrap()).await,
        None,
        "not itself, nor one that is not submitted"
    );

    let over = Progress {
        change: Some(Change::Fail),
        events: vec![NewEvent::failed(&running.id, &Cause::new("over"))],
        ..Progress::default()
    };
    world.advance(&token, over).await;
    assert_eq!(beside(again).await, None, "it is over");
}
