//! Fetching, and reading what was fetched.

use std::{fs, time::Instant};

use compute_domain::ErrorKind;
use compute_templates::TemplateError;

use crate::place::Place;

#[tokio::test]
async fn a_branch_moves_and_a_pinned_commit_stays() {
    let place = Place::new();
    let (mirrors, address) = (place.mirrors(), place.address());
    assert_eq!(
        mirrors.snapshot("t", &address, None).await.unwrap(),
        None,
        "never fetched"
    );
    let old = place.manifest("old");
    let first = mirrors.refresh("t", &address, None).await.unwrap();
    assert_eq!(
        (first.sha.as_str(), &first.manifest["name"]),
        (old.as_str(), &"old".into())
    );

    let new = place.manifest("new");
    let known = mirrors
        .snapshot("t", &address, None)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.sha, old, "a snapshot asks nobody");
    assert_eq!(mirrors.refresh("t", &address, None).await.unwrap().sha, new);
    let pinned = mirrors.refresh("t", &address, Some(&old)).await.unwrap();
    assert_eq!(
        (pinned.sha.as_str(), &pinned.manifest["name"]),
        (old.as_str(), &"old".into())
    );
    let short = mirrors
        .snapshot("t", &address, Some(&old[..10]))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(short.sha, old, "the full name of what was abbreviated");
}

#[tokio::test]
async fn a_pinned_commit_survives_a_rewritten_branch() {
    let place = Place::new();
    let (mirrors, address) = (place.mirrors(), place.address());
    let old = place.manifest("old");
    mirrors.refresh("t", &address, Some(&old)).await.unwrap();
    place.git(&["commit", "--quiet", "--amend", "--message=rewritten"]);
    place.git(&["reflog", "expire", "--expire=now", "--all"]);
    place.git(&["gc", "--quiet", "--prune=now"]);
    mirrors.refresh("t", &address, None).await.unwrap();
    assert_eq!(
        mirrors
            .refresh("t", &address, Some(&old))
            .await
            .unwrap()
            .sha,
        old
    );
}

#[tokio::test]
async fn a_commit_that_no_branch_leads_to_is_fetched_by_name() {
    let place = Place::new();
    let old = place.manifest("old");
    place.git(&["commit", "--quiet", "--amend", "--message=rewritten"]);
    let snapshot = place
        .mirrors()
        .refresh("t", &place.address(), Some(&old))
        .await
        .unwrap();
    assert_eq!(snapshot.sha, old);
}

#[tokio::test]
async fn the_default_branch_is_the_repositorys_own() {
    let place = Place::new();
    place.manifest("main");
    place.git(&["checkout", "--quiet", "-b", "stable"]);
    let stable = place.manifest("stable");
    place.git(&["checkout", "--quiet", "main"]);
    let (mirrors, address) = (place.mirrors(), place.address());
    assert_eq!(
        mirrors.refresh("t", &address, None).await.unwrap().manifest["name"],
        "main"
    );
    let pinned = mirrors.refresh("t", &address, Some(&stable)).await.unwrap();
    assert_eq!(pinned.manifest["name"], "stable");
}

#[tokio::test]
async fn another_address_is_another_template() {
    let (one, other) = (Place::new(), Place::new());
    one.manifest("one");
    let mirrors = one.mirrors();
    mirrors.refresh("t", &one.address(), None).await.unwrap();
    assert_eq!(
        mirrors.snapshot("t", &other.address(), None).await.unwrap(),
        None
    );
}

#[tokio::test]
async fn what_is_wrong_is_said() {
    let place = Place::new();
    let (mirrors, address) = (place.mirrors(), place.address());
    let wrong = async |id: &str, address: &str, pinned: Option<&str>| {
        let error = mirrors.refresh(id, address, pinned).await.unwrap_err();
        (error.kind(), error.to_string())
    };
    let (kind, text) = wrong("t", &address, None).await;
    assert_eq!(kind, ErrorKind::Unavailable, "{text}: an empty repository");
    place.write("README", "no manifest");
    place.commit();
    let expected = (
        ErrorKind::Refused,
        "template t: manifest.json is missing".to_owned(),
    );
    assert_eq!(wrong("t", &address, None).await, expected);
    place.write("manifest.json", "{broken");
    place.commit();
    let (kind, text) = wrong("t", &address, None).await;
    assert_eq!(kind, ErrorKind::Refused);
    assert!(
        text.starts_with("template t: manifest.json is not valid JSON: "),
        "{text}"
    );
    let (kind, text) = wrong("../t", &address, None).await;
    assert_eq!(kind, ErrorKind::InvalidArgument, "{text}");
    let (kind, text) = wrong("t", &format!("{address}/.git/objects"), None).await;
    assert_eq!(kind, ErrorKind::Unavailable);
    assert!(
        text.contains("does not appear to be a git repository"),
        "{text}"
    );
    for sha in [
        "0123456789012345678901234567890123456789",
        "main",
        "--help",
        "HEAD~1",
    ] {
        let (kind, text) = wrong("t", &address, Some(sha)).await;
        assert_eq!(
            (kind, text),
            (
                ErrorKind::NotFound,
                format!("template t has no commit {sha}")
            )
        );
    }
}

#[tokio::test]
async fn many_may_refresh_at_once() {
    let place = Place::new();
    let sha = place.manifest("t");
    // Each has its own lock on the file, as another process would.
    let refreshes: Vec<_> = (0..6)
        .map(|_| {
            let (mirrors, address) = (place.mirrors(), place.address());
            tokio::spawn(async move { mirrors.refresh("t", &address, None).await })
        })
        .collect();
    for refresh in refreshes {
        assert_eq!(refresh.await.unwrap().unwrap().sha, sha);
    }
}

#[tokio::test]
async fn a_fetch_that_fails_leaves_what_was_there() {
    let place = Place::new();
    let sha = place.manifest("t");
    let (mirrors, address) = (place.mirrors(), place.address());
    mirrors.refresh("t", &address, None).await.unwrap();
    fs::rename(place.repository(), place.folder.path().join("gone")).unwrap();
    let error = mirrors.refresh("t", &address, None).await.unwrap_err();
    assert!(matches!(error, TemplateError::Address { .. }), "{error}");
    assert_eq!(
        mirrors
            .snapshot("t", &address, None)
            .await
            .unwrap()
            .unwrap()
            .sha,
        sha
    );
}

#[tokio::test]
async fn a_small_repository_is_there_in_a_moment() {
    let place = Place::new();
    place.manifest("t");
    let mirrors = place.mirrors();
    let mut fastest = u128::MAX;
    for id in ["a", "b", "c", "d", "e"] {
        let start = Instant::now();
        mirrors.refresh(id, &place.address(), None).await.unwrap();
        fastest = fastest.min(start.elapsed().as_millis());
    }
    println!("first refresh: {fastest} ms");
    assert!(fastest < 100, "{fastest} ms");
}
