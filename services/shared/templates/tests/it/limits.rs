//! What is too large.

use std::{fs, time::Duration};

use compute_templates::TemplateError;

use crate::place::Place;

/// Text that does not compress well.
fn noise(length: u64) -> String {
    (0..length / 16)
        .map(|n| format!("{:016x}", n.wrapping_mul(0x9e37_79b9_7f4a_7c15)))
        .collect()
}

#[tokio::test]
async fn a_repository_over_the_limit_is_not_kept() {
    let place = Place::new();
    place.write("large", &noise(4 << 20));
    place.manifest("t");
    // Not in the newest commit any more, and still in the repository.
    fs::remove_file(place.repository().join("large")).unwrap();
    place.commit();
    let mirrors = place.mirrors_up_to(1 << 19);
    let error = mirrors
        .refresh("t", &place.address(), None)
        .await
        .unwrap_err();
    assert!(matches!(error, TemplateError::TooLarge { .. }), "{error}");
    assert_eq!(
        mirrors.snapshot("t", &place.address(), None).await.unwrap(),
        None
    );
    assert!(!place.mirror_folder().join("t.git").exists());
}

#[tokio::test]
async fn a_small_repository_that_unpacks_to_much_is_refused() {
    let place = Place::new();
    place.write("zeros", &"0".repeat(8 << 20));
    let sha = place.manifest("t");
    let mirrors = place.mirrors_up_to(1 << 20);
    for outcome in [
        mirrors.refresh("t", &place.address(), None).await.map(drop),
        mirrors.archive("t", &place.address(), &sha).await.map(drop),
    ] {
        let error = outcome.unwrap_err();
        assert_eq!(error.to_string(), "template t is larger than 1 MiB");
    }
}

/// Ten folders in ten folders and so on, ten deep: 10^10 files in some ten objects.
#[tokio::test]
async fn a_bomb_of_trees_is_refused_at_once() {
    let place = Place::new();
    place.manifest("t");
    let blob = place.git(&["hash-object", "-w", "manifest.json"]);
    let mut entry = format!("100644 blob {blob}\t");
    for _ in 0..10 {
        let lines: String = (0..10).map(|n| format!("{entry}{n}\n")).collect();
        let file = place.folder.path().join("tree");
        fs::write(&file, lines).unwrap();
        let tree = place.git_with_input(&["mktree"], &file);
        entry = format!("040000 tree {tree}\t");
    }
    let file = place.folder.path().join("tree");
    fs::write(
        &file,
        format!("{entry}bomb\n100644 blob {blob}\tmanifest.json\n"),
    )
    .unwrap();
    let tree = place.git_with_input(&["mktree"], &file);
    let sha = place.git(&["commit-tree", "-m", "bomb", &tree]);
    place.git(&["update-ref", "refs/heads/main", &sha]);
    let mirrors = place.mirrors_up_to(100 << 20);
    let address = place.address();
    let refresh = mirrors.refresh("t", &address, None);
    let outcome = tokio::time::timeout(Duration::from_secs(20), refresh).await;
    let error = outcome.unwrap().unwrap_err();
    assert!(
        matches!(error, TemplateError::TooManyFiles { .. }),
        "{error}"
    );
}
