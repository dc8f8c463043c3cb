//! Files on their way out.

use std::{
    fs,
    os::unix::fs::PermissionsExt as _,
    path::{Path, PathBuf},
};

use compute_templates::TemplateError;
use tokio::io::AsyncReadExt as _;

use crate::place::{Place, unpack};

#[tokio::test]
async fn an_archive_is_the_commit_without_git() {
    let place = Place::new();
    place.write("main.py", "print('hi')\n");
    place.write("sub/run.sh", "#!/bin/sh\n");
    place.link("sub/link", "../main.py");
    let script = place.repository().join("sub/run.sh");
    fs::set_permissions(script, fs::Permissions::from_mode(0o755)).unwrap();
    let sha = place.manifest("t");
    place.write("main.py", "newer");
    place.manifest("newer");

    // Not mirrored yet: fetched on the way.
    let archive = place
        .mirrors()
        .archive("t", &place.address(), &sha)
        .await
        .unwrap();
    let into = tempfile::tempdir().unwrap();
    unpack(archive, into.path()).await;
    let text = |name: &str| fs::read_to_string(into.path().join(name)).unwrap();
    assert_eq!(text("main.py"), "print('hi')\n");
    assert_eq!(text("sub/link"), "print('hi')\n");
    let mode = |name: &str| {
        fs::metadata(into.path().join(name))
            .unwrap()
            .permissions()
            .mode()
    };
    assert_eq!(
        (mode("sub/run.sh") & 0o777, mode("main.py") & 0o777),
        (0o755, 0o644)
    );
    assert!(!into.path().join(".git").exists());
}

#[tokio::test]
async fn files_arrive_byte_for_byte() {
    let place = Place::new();
    place.write("crlf.txt", "a\r\nb\n");
    place.write("id.txt", "$Id$ $Format:%H$");
    place.write("tests/only.txt", "x");
    let sha = place.manifest("t");
    place.write(
        ".gitattributes",
        "*.txt text eol=crlf ident export-subst\ntests export-ignore\n",
    );
    place.git(&["add", ".gitattributes"]);
    place.git(&["commit", "--quiet", "--message=attributes"]);
    let attributes = place.git(&["rev-parse", "HEAD"]);
    assert_ne!(sha, attributes);
    let archive = place
        .mirrors()
        .archive("t", &place.address(), &attributes)
        .await
        .unwrap();
    let into = tempfile::tempdir().unwrap();
    unpack(archive, into.path()).await;
    let text = |name: &str| fs::read_to_string(into.path().join(name)).unwrap();
    assert_eq!(text("crlf.txt"), "a\r\nb\n");
    assert_eq!(text("id.txt"), "$Id$ $Format:%H$");
    assert_eq!(text("tests/only.txt"), "x");
}

#[tokio::test]
async fn a_mirrored_commit_costs_one_process() {
    let place = Place::new();
    let sha = place.manifest("t");
    let (program, log) = counting_git(place.folder.path());
    let mirrors = place.mirrors().with_git(program);
    let count = || fs::read_to_string(&log).unwrap_or_default().lines().count();
    mirrors.refresh("t", &place.address(), None).await.unwrap();
    let before = count();
    for _ in 0..3 {
        let archive = mirrors.archive("t", &place.address(), &sha).await.unwrap();
        unpack(archive, tempfile::tempdir().unwrap().path()).await;
    }
    assert_eq!(count() - before, 3, "{}", fs::read_to_string(&log).unwrap());
}

/// A git that writes a line for each start.
fn counting_git(folder: &Path) -> (PathBuf, PathBuf) {
    let (program, log) = (folder.join("counting-git"), folder.join("log"));
    fs::write(
        &program,
        format!(
            "#!/bin/sh\necho \"$@\" >> {}\nexec git \"$@\"\n",
            log.display()
        ),
    )
    .unwrap();
    fs::set_permissions(&program, fs::Permissions::from_mode(0o755)).unwrap();
    (program, log)
}

#[tokio::test]
async fn an_unknown_commit_is_named() {
    let place = Place::new();
    let sha = place.manifest("t");
    let mirrors = place.mirrors();
    for unknown in [
        "0".repeat(40),
        sha[..12].to_owned(),
        "--output=/tmp/x".to_owned(),
    ] {
        let error = mirrors
            .archive("t", &place.address(), &unknown)
            .await
            .unwrap_err();
        assert!(matches!(error, TemplateError::NoCommit { .. }), "{error}");
    }
}

#[tokio::test]
async fn a_stream_that_breaks_off_is_an_error() {
    let place = Place::new();
    place.write("large", &"x".repeat(300_000));
    let sha = place.manifest("t");
    let mirrors = place.mirrors();
    mirrors.refresh("t", &place.address(), None).await.unwrap();
    fs::remove_dir_all(place.mirror_folder().join("t.git/objects")).unwrap();
    fs::create_dir(place.mirror_folder().join("t.git/objects")).unwrap();
    let mut archive = mirrors.archive("t", &place.address(), &sha).await.unwrap();
    let error = archive.read_to_end(&mut Vec::new()).await.unwrap_err();
    assert!(error.to_string().contains("git archive ended"), "{error}");
}
