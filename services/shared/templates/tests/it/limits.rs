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

/// Trees of `width` equal entries with names that begin with `name`, `levels` deep, around
/// `entry`: a huge tree of few objects.
fn bomb(place: &Place, mut entry: String, name: &str, width: usize, levels: usize) -> String {
    place.manifest("t");
    let manifest = place.git(&["hash-object", "-w", "manifest.json"]);
    let file = place.folder.path().join("tree");
    for _ in 0..levels {
        let lines: String = (0..width).map(|n| format!("{entry}{name}{n}\n")).collect();
        fs::write(&file, lines).unwrap();
        let tree = place.git_with_input(&["mktree"], &file);
        entry = format!("040000 tree {tree}\t");
    }
    let top = format!("{entry}bomb\n100644 blob {manifest}\tmanifest.json\n");
    fs::write(&file, top).unwrap();
    let tree = place.git_with_input(&["mktree"], &file);
    let sha = place.git(&["commit-tree", "-m", "bomb", &tree]);
    place.git(&["update-ref", "refs/heads/main", &sha]);
    sha
}

async fn refused(place: &Place) -> TemplateError {
    let mirrors = place.mirrors_up_to(100 << 20);
    let address = place.address();
    let refresh = mirrors.refresh("t", &address, None);
    let outcome = tokio::time::timeout(Duration::from_secs(50), refresh).await;
    let Ok(outcome) = outcome else {
        unreachable!("still walking")
    };
    outcome.unwrap_err()
}

/// Ten folders in ten folders and so on, ten deep: 10^10 files in some ten objects.
#[tokio::test]
async fn a_bomb_of_trees_is_refused_at_once() {
    let place = Place::new();
    place.manifest("t");
    let blob = place.git(&["hash-object", "-w", "manifest.json"]);
    bomb(&place, format!("100644 blob {blob}\t"), "", 10, 10);
    let error = refused(&place).await;
    assert!(
        matches!(error, TemplateError::TooManyFiles { .. }),
        "{error}"
    );
}

/// Nine levels of sixteen equal trees around an empty one: 16^9 folders and not one file.
#[tokio::test]
async fn a_bomb_of_empty_trees_is_refused_and_remembered() {
    let place = Place::new();
    let empty = place.git_with_input(&["mktree"], std::path::Path::new("/dev/null"));
    let sha = bomb(&place, format!("040000 tree {empty}\t"), "", 16, 9);
    let error = refused(&place).await;
    assert!(
        matches!(error, TemplateError::TooManyFiles { .. }),
        "{error}"
    );
    let again = refused(&place).await;
    assert!(
        matches!(again, TemplateError::RefusedBefore { .. }),
        "{again}"
    );
    assert_eq!(again.to_string(), error.to_string());
    let mirrors = place.mirrors_up_to(100 << 20);
    let archive = mirrors.archive("t", &place.address(), &sha).await;
    assert!(matches!(
        archive.unwrap_err(),
        TemplateError::RefusedBefore { .. }
    ));
    // Under another limit it is looked at again.
    let mirrors = place.mirrors_up_to(99 << 20);
    let anew = mirrors.refresh("t", &place.address(), None).await;
    assert!(matches!(
        anew.unwrap_err(),
        TemplateError::TooManyFiles { .. }
    ));
}

/// One folder in one folder, and so on: paths that nothing can open.
#[tokio::test]
async fn folders_nested_too_deep_are_refused() {
    let place = Place::new();
    let empty = place.git_with_input(&["mktree"], std::path::Path::new("/dev/null"));
    let name = "d".repeat(250);
    bomb(&place, format!("040000 tree {empty}\t"), &name, 1, 20);
    let error = refused(&place).await;
    assert!(matches!(error, TemplateError::Outside { .. }), "{error}");
}

/// A hundred thousand branches would be as many files.
#[tokio::test]
async fn many_branches_are_too_large() {
    let place = Place::new();
    let sha = place.manifest("t");
    let updates: String = (0..600)
        .map(|n| format!("create refs/heads/b{n} {sha}\n"))
        .collect();
    let file = place.folder.path().join("refs");
    fs::write(&file, updates).unwrap();
    place.git_with_input(&["update-ref", "--stdin"], &file);
    let mirrors = place.mirrors_up_to(1 << 20);
    let error = mirrors.refresh("t", &place.address(), None).await;
    let error = error.unwrap_err();
    assert!(matches!(error, TemplateError::TooLarge { .. }), "{error}");
}
