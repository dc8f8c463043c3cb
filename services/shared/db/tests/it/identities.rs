//! Whose a row is: ids that a database might take for another's.

use compute_db::{FolderPatch, LimitReached, NewJob, Progress, StoreError};
use compute_domain::{
    ErrorKind,
    ids::{FolderId, JobId, UserId},
    job::Change,
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{HPC, World, alice, bob};

fn job_of(world: &World, user: &str) -> NewJob {
    NewJob {
        id: world.store.new_job_id(),
        user_id: UserId::from_text(user),
        maintainer: "community_contribution".to_owned(),
        hpc: HPC.to_owned(),
        account: None,
        secret_token: None,
    }
}

#[rstest]
#[tokio::test]
async fn a_user_whose_id_cannot_be_kept_is_refused(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let longest = format!("{}@hub", "é".repeat(251));
    world
        .store
        .create_job(job_of(&world, &longest))
        .await
        .unwrap();
    let jobs = world
        .store
        .jobs_of(&UserId::from_text(&longest), None)
        .await
        .unwrap();
    assert_eq!(jobs[0].user_id.as_str(), longest);
    for user in [
        format!("a{longest}"),
        format!("{}@hub", "x".repeat(100_000)),
        "alice@hub ".to_owned(),
        "\u{a0}alice@hub".to_owned(),
        "ali\0ce@hub".to_owned(),
    ] {
        let refused = world
            .store
            .create_job(job_of(&world, &user))
            .await
            .unwrap_err();
        assert_eq!(
            refused.kind(),
            ErrorKind::InvalidArgument,
            "{user:.30?}: {refused}"
        );
    }
}

#[rstest]
#[tokio::test]
async fn ids_are_compared_byte_by_byte(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let names = [
        "alice@hub",
        "ALICE@hub",
        "alice @hub",
        "àlice@hub",
        "a\u{300}lice@hub",
        "alicé@hub",
        "ａlice@hub",
    ];
    for name in names {
        world.store.create_job(job_of(&world, name)).await.unwrap();
    }
    for name in names {
        let user = UserId::from_text(name);
        let jobs = world.store.jobs_of(&user, None).await.unwrap();
        assert_eq!(jobs.len(), 1, "{name}");
        assert_eq!(jobs[0].user_id, user);
        assert_eq!(world.store.open_jobs_of(&user).await.unwrap(), 0);
    }
    let job = world.created(&alice()).await;
    let folder = world.folder(&alice());
    let (_, token) = world.leased("m1").await;
    let progress = Progress {
        result_folder: Some(folder.clone()),
        ..Progress::default()
    };
    world.advance(&token, progress).await;
    for change in [" ", "\t", "\n", "\0", "\u{a0}", "\u{7f}"] {
        let id = JobId::from_text(format!("{}{change}", job.id));
        assert_eq!(
            world.store.job_of(&alice(), &id).await.unwrap(),
            None,
            "{id:?}"
        );
        assert_eq!(world.store.job(&id).await.unwrap(), None, "{id:?}");
        let id = FolderId::from_text(format!("{}{change}", folder.id));
        assert_eq!(
            world.store.folder_of(&alice(), &id).await.unwrap(),
            None,
            "{id:?}"
        );
        assert!(!world.store.delete_folder(&alice(), &id).await.unwrap());
        let template = format!("hello{change}");
        assert!(world.store.template(&template).await.unwrap().is_none());
    }
    for id in ["x".repeat(256), "é".repeat(1_000_000)] {
        let id = JobId::from_text(id);
        assert_eq!(world.store.job_of(&alice(), &id).await.unwrap(), None);
    }
}

#[rstest]
#[tokio::test]
async fn a_folder_is_written_to_by_open_jobs(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (running, token) = world.leased("m1").await;
    let [program, copy, data, result] = [(); 4].map(|()| world.folder(&alice()));
    let folders = Progress {
        executable_copy: Some(copy.clone()),
        executable_folder: Some(program.clone()),
        data_folder: Some(data.clone()),
        result_folder: Some(result.clone()),
        ..Progress::default()
    };
    world.advance(&token, folders).await;
    for (folder, keeps_read_only, writes) in [
        (&program, true, true),
        (&copy, true, true),
        (&result, true, true),
        (&data, true, false),
        (&data, false, true),
    ] {
        let of = |user| {
            let id = folder.id.clone();
            let store = world.store.clone();
            async move { store.job_writing_to(&user, &id, keeps_read_only).await }
        };
        assert_eq!(
            of(alice()).await.unwrap(),
            writes.then(|| running.id.clone())
        );
        assert_eq!(of(bob()).await.unwrap(), None);
    }
    let writable = format!(
        "UPDATE folders SET is_writable = true WHERE id = '{}'",
        data.id
    );
    world.database.execute(&writable).await;
    let writing = world.store.job_writing_to(&alice(), &data.id, true).await;
    assert_eq!(writing.unwrap(), Some(running.id.clone()));
    // How its data is bound was decided when it was submitted.
    let says = async |is_writable: bool| {
        let patch = FolderPatch {
            is_writable: Some(is_writable),
            ..FolderPatch::default()
        };
        world.store.change_folder(&alice(), &data.id, patch).await
    };
    says(true).await.unwrap();
    let refused = says(false).await.unwrap_err();
    assert!(
        matches!(refused, StoreError::Limit(LimitReached::FolderInUse)),
        "{refused}"
    );
    let fail = Progress {
        change: Some(Change::Fail),
        ..Progress::default()
    };
    world.advance(&token, fail).await;
    assert_eq!(
        world
            .store
            .job_writing_to(&alice(), &result.id, true)
            .await
            .unwrap(),
        None
    );
    says(false).await.unwrap();
}
