//! Repositories and addresses made to do harm.

use std::{fs, os::unix::fs::PermissionsExt as _};

use compute_domain::ErrorKind;
use compute_templates::TemplateError;

use crate::place::{Place, unpack};

#[tokio::test]
async fn hooks_and_submodules_are_left_alone() {
    let (place, other) = (Place::new(), Place::new());
    other.write("inner.txt", "inner");
    other.commit();
    place.git(&["submodule", "--quiet", "add", &other.address(), "sub"]);
    let sha = place.manifest("t");
    let witness = place.folder.path().join("ran");
    let script = format!("#!/bin/sh\ntouch {}\n", witness.display());
    for hook in [
        "post-checkout",
        "post-merge",
        "pre-receive",
        "update",
        "reference-transaction",
    ] {
        let path = place.repository().join(".git/hooks").join(hook);
        fs::write(&path, &script).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o755)).unwrap();
    }
    let hook = place.repository().join(".git/hooks/update");
    place.git(&[
        "config",
        "uploadpack.packObjectsHook",
        hook.to_str().unwrap(),
    ]);

    let mirrors = place.mirrors();
    mirrors.refresh("t", &place.address(), None).await.unwrap();
    let into = tempfile::tempdir().unwrap();
    unpack(
        mirrors.archive("t", &place.address(), &sha).await.unwrap(),
        into.path(),
    )
    .await;
    assert!(!witness.exists(), "a hook ran");
    assert!(
        !into.path().join("sub/inner.txt").exists(),
        "a submodule was fetched"
    );
    assert!(!place.mirror_folder().join("t.git/modules").exists());
}

#[tokio::test]
async fn links_that_leave_the_template_are_refused() {
    for (links, good) in [
        (vec![("link", "manifest.json")], true),
        (vec![("sub/link", "../manifest.json")], true),
        (vec![("link", "../../etc/passwd")], false),
        (vec![("link", "/etc/passwd")], false),
        (vec![("sub/up", ".."), ("out", "sub/up/../x")], false),
    ] {
        let place = Place::new();
        for (path, target) in &links {
            place.link(path, target);
        }
        let sha = place.manifest("t");
        let mirrors = place.mirrors();
        let refreshed = mirrors.refresh("t", &place.address(), None).await;
        let archive = mirrors.archive("t", &place.address(), &sha).await;
        assert_eq!(
            (refreshed.is_ok(), archive.is_ok()),
            (good, good),
            "{links:?}"
        );
        if let Err(error) = archive {
            // The refresh has found it out, and that is remembered.
            assert!(
                matches!(error, TemplateError::RefusedBefore { .. }),
                "{error}"
            );
            assert!(
                error.to_string().contains("leads out of the template"),
                "{error}"
            );
        }
    }
}

#[tokio::test]
async fn a_path_that_leaves_the_template_is_refused() {
    let place = Place::new();
    place.manifest("t");
    let blob = place.git(&["hash-object", "-w", "manifest.json"]);
    let object: Vec<u8> = (0..40)
        .step_by(2)
        .map(|at| u8::from_str_radix(&blob[at..at + 2], 16).unwrap())
        .collect();
    // Git makes no such tree by itself.
    let tree = [
        &b"100644 ..\0"[..],
        &object,
        b"100644 manifest.json\0",
        &object,
    ]
    .concat();
    let file = place.folder.path().join("tree");
    fs::write(&file, tree).unwrap();
    let tree = place.git(&[
        "hash-object",
        "-w",
        "-t",
        "tree",
        "--literally",
        file.to_str().unwrap(),
    ]);
    let sha = place.git(&["commit-tree", "-m", "hostile", &tree]);
    place.git(&["update-ref", "refs/heads/main", &sha]);
    let error = place
        .mirrors()
        .refresh("t", &place.address(), None)
        .await
        .unwrap_err();
    assert!(matches!(error, TemplateError::Outside { .. }), "{error}");
}

#[tokio::test]
async fn addresses_that_would_run_or_read_something() {
    let place = Place::new();
    place.manifest("t");
    let outside = Place::new();
    outside.manifest("outside");
    std::os::unix::fs::symlink(outside.repository(), place.folder.path().join("link")).unwrap();
    let witness = place.folder.path().join("ran");
    let touch = format!("touch {}", witness.display());
    for address in [
        format!("ext::sh -c {touch}"),
        format!("ext::sh% -c% {}", touch.replace(' ', "% ")),
        format!("--upload-pack={touch}"),
        format!("ssh://-oProxyCommand={touch}/x"),
        format!("-u{touch}"),
        "fd::0".to_owned(),
        "http://127.0.0.1/x".to_owned(),
        "git://127.0.0.1/x".to_owned(),
        outside.address(),
        format!("file://{}/link", place.folder.path().display()),
        format!(
            "{}/../../{}",
            place.address(),
            outside.repository().display()
        ),
    ] {
        let error = place
            .mirrors()
            .refresh("t", &address, None)
            .await
            .unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::InvalidArgument,
            "{address}: {error}"
        );
        assert!(
            matches!(error, TemplateError::Address { .. }),
            "{address}: {error}"
        );
    }
    assert!(!witness.exists());
}

#[tokio::test]
async fn a_manifest_that_is_a_link_or_a_folder_is_none() {
    let place = Place::new();
    place.write("manifest.json/x", "{}");
    place.commit();
    let mirrors = place.mirrors();
    let error = mirrors
        .refresh("t", &place.address(), None)
        .await
        .unwrap_err();
    assert!(
        error.to_string().ends_with("manifest.json is missing"),
        "{error}"
    );
    fs::remove_dir_all(place.repository().join("manifest.json")).unwrap();
    place.link("manifest.json", "/etc/passwd");
    place.commit();
    let error = mirrors
        .refresh("t", &place.address(), None)
        .await
        .unwrap_err();
    assert!(
        error
            .to_string()
            .contains("manifest.json is not valid JSON"),
        "{error}"
    );
}
