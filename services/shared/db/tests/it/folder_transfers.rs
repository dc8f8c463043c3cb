//! Transfers out of folders: one at a time is begun.

use compute_db::FolderTransfer;
use compute_domain::{Clock as _, ids::FolderId};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;
use serde_json::json;

use crate::world::World;

#[rstest]
#[tokio::test]
async fn one_of_several_is_begun(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let store = &world.store;
    let folder = FolderId::from_text("f1");
    let new = |submission: &str| FolderTransfer {
        folder_id: folder.clone(),
        submission_id: submission.to_owned(),
        transfer: json!({"to": "endpoint", "path": "/a\u{1f980}"}),
        task_id: None,
        created_at: world.clock.now(),
    };
    assert_eq!(store.folder_transfer(&folder).await.unwrap(), None);
    assert!(store.begin_folder_transfer(new("s1"), None).await.unwrap());
    assert!(!store.begin_folder_transfer(new("s2"), None).await.unwrap());
    let begun = store.folder_transfer(&folder).await.unwrap();
    assert_eq!(begun, Some(new("s1")));

    store
        .folder_transfer_accepted(&folder, "s1", "t1")
        .await
        .unwrap();
    store
        .folder_transfer_accepted(&folder, "s2", "t2")
        .await
        .unwrap();
    let accepted = store.folder_transfer(&folder).await.unwrap().unwrap();
    assert_eq!(accepted.task_id.as_deref(), Some("t1"));

    // Of two that replace the same one, the second finds it gone.
    for (submission, is_first) in [("s3", true), ("s4", false)] {
        let begun = store
            .begin_folder_transfer(new(submission), Some("s1"))
            .await
            .unwrap();
        assert_eq!(begun, is_first);
    }
    let replaced = store.folder_transfer(&folder).await.unwrap();
    assert_eq!(replaced, Some(new("s3")));
}
