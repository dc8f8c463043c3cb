//! What an owner sees and does.

use compute_db::{ChangeOutcome, Checked, JobPatch, Pinned, SubmitOutcome};
use compute_domain::{
    ids::{FolderId, JobId, UserId},
    job::{Intent, Job, State, Step, Usage},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::{World, alice, bob};

#[rstest]
#[tokio::test]
async fn a_new_job_is_empty(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.created(&alice()).await;
    assert_eq!(
        (job.state, job.step, job.fence),
        (State::Created, Step::Prepare, 0)
    );
    assert!(job.param.is_empty() && job.env.is_empty() && job.slurm.is_empty());
    assert_eq!(job.usage, Usage::default());
    assert_eq!(
        (job.is_failed, job.submitted_at, job.lease_holder.clone()),
        (false, None, None)
    );
    assert_eq!(
        world.store.job_of(&alice(), &job.id).await.unwrap(),
        Some(job.clone())
    );
    assert!(world.store.events_of(&job.id).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn a_job_is_changed_until_it_is_submitted(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.created(&alice()).await;
    let param = json!({"b": 1, "a": {"nested": [1.5, null, "x"]}})
        .as_object()
        .unwrap()
        .clone();
    let patch = JobPatch {
        name: Some("first".to_owned()),
        param: Some(param.clone()),
        local_executable_folder: Some(json!({"type": "git", "gitId": "hello"})),
        ..JobPatch::default()
    };
    let changed = world
        .store
        .change_job(&alice(), &job.id, patch.clone())
        .await
        .unwrap();
    let ChangeOutcome::Changed(changed) = changed else {
        panic!("{changed:?}")
    };
    assert_eq!(changed.name.as_deref(), Some("first"));
    assert_eq!(
        serde_json::to_string(&changed.param).unwrap(),
        json!(param).to_string()
    );
    assert_eq!(changed.local_executable_folder.unwrap()["gitId"], "hello");
    assert!(changed.updated_at.is_some());

    let again = JobPatch {
        env: Some(param),
        ..JobPatch::default()
    };
    let again = world
        .store
        .change_job(&alice(), &job.id, again)
        .await
        .unwrap();
    let ChangeOutcome::Changed(again) = again else {
        panic!("{again:?}")
    };
    assert_eq!(again.param, changed.param, "what is not given stays");

    world
        .store
        .submit_job(&Checked::of(&again), Pinned::default())
        .await
        .unwrap();
    let late = world
        .store
        .change_job(&alice(), &job.id, patch)
        .await
        .unwrap();
    assert_eq!(late, ChangeOutcome::AlreadySubmitted);
}

#[rstest]
#[tokio::test]
async fn a_job_is_submitted_once(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.created(&alice()).await;
    let pinned = Pinned {
        template_id: Some("hello".to_owned()),
        template_sha: Some("f00d".to_owned()),
        template_address: Some("https://example.org/t".to_owned()),
        manifest: Some(json!({"name": "hello", "execution_stage": "python main.py"})),
        is_mpi_approved: true,
        notice: Some("its 4 tasks are alone".to_owned()),
    };
    let queued = world
        .store
        .submit_job(&Checked::of(&job), pinned.clone())
        .await
        .unwrap();
    let SubmitOutcome::Queued(queued) = queued else {
        panic!("{queued:?}")
    };
    assert_eq!(queued.state, State::Queued);
    assert_eq!(queued.manifest, pinned.manifest);
    assert!(queued.submitted_at.is_some() && queued.queued_at.is_none());

    let second = world
        .store
        .submit_job(&Checked::of(&job), Pinned::default())
        .await
        .unwrap();
    assert_eq!(second, SubmitOutcome::AlreadySubmitted);
    let kept = world
        .store
        .job_of(&alice(), &job.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(kept.template_sha.as_deref(), Some("f00d"));
    assert_eq!(
        kept.template_address.as_deref(),
        Some("https://example.org/t")
    );
    assert!(!job.is_mpi_approved && kept.is_mpi_approved);
    let events = world.store.events_of(&job.id).await.unwrap();
    assert_eq!(events.len(), 1);
    let words = format!(
        "job [{}] is queued, waiting for registration; its 4 tasks are alone",
        job.id
    );
    assert_eq!(
        (events[0].kind.as_str(), &events[0].message),
        ("JOB_QUEUED", &words)
    );
    assert_eq!(events[0].job_id, job.id);
}

#[rstest]
#[tokio::test]
async fn nobody_sees_what_is_not_theirs(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let job = world.queued(&alice()).await;
    // Names that differ in case or trailing blanks only are others' names.
    for other in [
        bob(),
        UserId::from_text("Alice@hub:8000"),
        UserId::from_text("alice@hub:800"),
    ] {
        assert_eq!(world.store.job_of(&other, &job.id).await.unwrap(), None);
        assert!(world.store.jobs_of(&other, None).await.unwrap().is_empty());
        assert_eq!(
            world
                .store
                .set_intent(&other, &job.id, Intent::Cancel)
                .await
                .unwrap(),
            None
        );
        let patch = JobPatch {
            name: Some("mine".to_owned()),
            ..JobPatch::default()
        };
        let changed = world
            .store
            .change_job(&other, &job.id, patch)
            .await
            .unwrap();
        assert_eq!(changed, ChangeOutcome::NotFound);
        let theirs = Checked::of(&Job {
            user_id: other.clone(),
            ..job.clone()
        });
        let submitted = world
            .store
            .submit_job(&theirs, Pinned::default())
            .await
            .unwrap();
        assert_eq!(submitted, SubmitOutcome::NotFound);
    }
    let other_case = JobId::from_text(swap_case(job.id.as_str()));
    for id in [
        other_case,
        JobId::from_text("none"),
        JobId::from_text("a\0b"),
    ] {
        assert_eq!(
            world.store.job_of(&alice(), &id).await.unwrap(),
            None,
            "{id:?}"
        );
    }
    let nul = JobId::from_text("a\0b");
    assert_eq!(world.store.job(&nul).await.unwrap(), None);
    assert_eq!(
        world.store.job_of(&alice(), &job.id).await.unwrap(),
        Some(job)
    );
}

fn swap_case(text: &str) -> String {
    let swap = |c: char| {
        if c.is_lowercase() {
            c.to_ascii_uppercase()
        } else {
            c.to_ascii_lowercase()
        }
    };
    let swapped: String = text.chars().map(swap).collect();
    // All digits, once in a thousand: then any other id will do.
    if swapped == text {
        format!("{text}x")
    } else {
        swapped
    }
}

#[rstest]
#[tokio::test]
async fn jobs_come_in_the_order_in_which_they_were_made(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let mut made = Vec::new();
    for _ in 0..4 {
        made.push(world.created(&alice()).await.id);
        world.clock.advance(std::time::Duration::from_millis(1));
    }
    world.created(&bob()).await;
    let seen = world.store.jobs_of(&alice(), None).await.unwrap();
    assert_eq!(seen.into_iter().map(|job| job.id).collect::<Vec<_>>(), made);
}

#[rstest]
#[tokio::test]
async fn folders_are_renamed_and_deleted_by_their_owner(
    #[values(Sqlite, Postgres, MariaDb)] kind: Kind,
) {
    let world = World::new(kind).await;
    let (_, token) = world.leased("m1").await;
    let folder = world.folder(&alice());
    let progress = compute_db::Progress {
        result_folder: Some(folder.clone()),
        ..compute_db::Progress::default()
    };
    world.advance(&token, progress).await;
    let store = &world.store;
    let renamed = |name: &str| compute_db::FolderPatch {
        name: Some(name.to_owned()),
        is_writable: Some(false),
    };
    let bobs = store.change_folder(&bob(), &folder.id, renamed("b")).await;
    assert_eq!(bobs.unwrap(), None);
    let mine = store.change_folder(&alice(), &folder.id, renamed("")).await;
    assert_eq!(mine.unwrap().unwrap().name.as_deref(), Some(""));
    assert!(store.folders_of(&bob()).await.unwrap().is_empty());
    assert_eq!(store.folders_of(&alice()).await.unwrap().len(), 1);
    assert!(!store.delete_folder(&bob(), &folder.id).await.unwrap());
    assert!(store.delete_folder(&alice(), &folder.id).await.unwrap());
    assert!(!store.delete_folder(&alice(), &folder.id).await.unwrap());
    assert!(store.folders_of(&alice()).await.unwrap().is_empty());
}

#[rstest]
#[tokio::test]
async fn folders_are_their_owners(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let (_, token) = world.leased("m1").await;
    let folder = world.folder(&alice());
    let progress = compute_db::Progress {
        result_folder: Some(folder.clone()),
        ..compute_db::Progress::default()
    };
    let job = world.advance(&token, progress).await;
    assert_eq!(job.remote_result_folder_id, Some(folder.id.clone()));
    let mine = world.store.folder_of(&alice(), &folder.id).await.unwrap();
    assert_eq!(mine.as_ref(), Some(&folder));
    assert_eq!(
        world.store.folder_of(&bob(), &folder.id).await.unwrap(),
        None
    );
    let ids = [folder.id.clone(), FolderId::from_text("none")];
    let found = world.store.folders(&ids).await.unwrap();
    assert_eq!(
        found.into_iter().collect::<Vec<_>>(),
        [(folder.id.clone(), folder)]
    );
}
