//! Files and folders.

use std::{
    io,
    os::unix::fs::PermissionsExt as _,
    pin::Pin,
    process::Stdio,
    task::{Context, Poll},
};

use compute_domain::ErrorKind;
use tokio::{
    io::{AsyncRead, AsyncReadExt as _, ReadBuf},
    process::Command,
};

use crate::parts::Site;

/// A tar stream of a folder.
fn tar_of(folder: &std::path::Path) -> impl AsyncRead + Send + Unpin + 'static {
    let mut tar = Command::new("tar");
    tar.args(["-c", "-f", "-", "-C"])
        .arg(folder)
        .arg(".")
        .stdout(Stdio::piped());
    let mut child = tar.spawn().unwrap();
    child.stdout.take().unwrap()
}

#[tokio::test]
async fn a_folder_goes_up_as_it_is() {
    let site = Site::start().await;
    let source = tempfile::tempdir().unwrap();
    let big = vec![7_u8; 3 << 20];
    std::fs::write(source.path().join("big"), &big).unwrap();
    std::fs::create_dir_all(source.path().join("a/b c/$(touch x)")).unwrap();
    std::fs::write(source.path().join("a/b c/it's"), "x\ny").unwrap();
    std::fs::write(source.path().join("run.sh"), "#!/bin/sh\n").unwrap();
    let executable = std::fs::Permissions::from_mode(0o755);
    std::fs::set_permissions(source.path().join("run.sh"), executable).unwrap();
    for n in 0..300 {
        std::fs::write(source.path().join(format!("small-{n}")), n.to_string()).unwrap();
    }
    let folder = site.new_folder();
    for _ in 0..2 {
        let sent = site
            .client
            .upload_folder(&folder, tar_of(source.path()))
            .await
            .unwrap();
        assert!(sent > big.len() as u64);
    }
    let there = std::path::Path::new(&folder);
    assert_eq!(std::fs::read(there.join("big")).unwrap(), big);
    assert_eq!(
        std::fs::read_to_string(there.join("a/b c/it's")).unwrap(),
        "x\ny"
    );
    assert_eq!(
        std::fs::read_to_string(there.join("small-299")).unwrap(),
        "299"
    );
    let mode = std::fs::metadata(there.join("run.sh"))
        .unwrap()
        .permissions()
        .mode();
    assert_eq!(mode & 0o111, 0o111);
    let listed = site.client.list_folder(&folder).await.unwrap();
    assert_eq!(listed.folders, ["/", "/a", "/a/b c", "/a/b c/$(touch x)"]);
    site.stop().await;
}

/// A reader that fails.
struct Failing;

impl AsyncRead for Failing {
    fn poll_read(
        self: Pin<&mut Self>,
        _: &mut Context<'_>,
        _: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Poll::Ready(Err(io::Error::other("git archive failed")))
    }
}

#[tokio::test]
async fn a_cut_upload_is_no_upload() {
    let site = Site::start().await;
    let source = tempfile::tempdir().unwrap();
    std::fs::write(source.path().join("one"), "1").unwrap();
    let mut whole = Vec::new();
    tar_of(source.path()).read_to_end(&mut whole).await.unwrap();
    let folder = site.new_folder();
    let cut = io::Cursor::new(whole.clone()).chain(Failing);
    let error = site.client.upload_folder(&folder, cut).await.unwrap_err();
    assert!(error.message.contains("git archive failed"), "{error}");

    let no_tar = site
        .client
        .upload_folder(&folder, &b"no tar at all"[..])
        .await;
    let error = no_tar.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Unavailable);
    assert!(error.message.contains("tar: "), "{error}");

    let sent = site
        .client
        .upload_folder(&folder, io::Cursor::new(whole))
        .await;
    assert!(sent.is_ok());
    site.stop().await;
}

#[tokio::test]
async fn files_are_written_whole_and_read_in_parts() {
    let site = Site::start().await;
    let folder = site.new_folder();
    let path = format!("{folder}/slurm_log/it's a \"log\" $HOME");
    let content: Vec<u8> = (0..=255).cycle().take(700_000).collect();
    for _ in 0..2 {
        site.client
            .write_file(&path, content.clone())
            .await
            .unwrap();
    }
    let read =
        async |offset: u64, max: u32| site.client.read_file(&path, offset, max).await.unwrap();
    assert_eq!(read(0, 0).await.content, content);
    let part = read(699_990, 1000).await;
    assert_eq!(
        (part.content.as_slice(), part.size),
        (&content[699_990..], 700_000)
    );
    assert_eq!(read(255, 3).await.content, content[255..258]);
    for beyond in [700_000, 800_000, u64::MAX / 2] {
        let part = read(beyond, 10).await;
        assert_eq!((part.content.len(), part.size), (0, 700_000));
    }
    site.client.write_file(&path, Vec::new()).await.unwrap();
    assert_eq!(read(0, 0).await.size, 0);
    let left: Vec<_> = std::fs::read_dir(format!("{folder}/slurm_log"))
        .unwrap()
        .collect();
    assert_eq!(left.len(), 1, "no parts are left: {left:?}");

    let missing = site.client.read_file(&format!("{folder}/none"), 0, 0).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    let a_folder = site.client.read_file(&folder, 0, 0).await.unwrap_err();
    assert_eq!(a_folder.kind(), ErrorKind::Refused);
    let too_large = site.client.write_file(&path, vec![0; (1 << 20) + 1]).await;
    assert_eq!(too_large.unwrap_err().kind(), ErrorKind::InvalidArgument);
    site.stop().await;
}

#[tokio::test]
async fn listings_are_sorted_and_without_dot_names() {
    let site = Site::start().await;
    let folder = site.new_folder();
    for name in ["b", "a/z", "a/B", ".hidden/x", "a/.git/y", "é"] {
        site.client
            .make_folder(&format!("{folder}/{name}"))
            .await
            .unwrap();
    }
    site.write(&folder, "file", "no folder").await;
    let listed = site.client.list_folder(&folder).await.unwrap();
    assert_eq!(listed.folders, ["/", "/a", "/a/B", "/a/z", "/b", "/é"]);
    assert!(!listed.is_cut);
    let missing = site.client.list_folder(&format!("{folder}/none")).await;
    assert_eq!(missing.unwrap_err().kind(), ErrorKind::NotFound);
    site.stop().await;
}

#[tokio::test]
async fn folders_are_removed_for_good() {
    let site = Site::start().await;
    let folder = site.new_folder();
    site.client
        .make_folder(&format!("{folder}/a/b"))
        .await
        .unwrap();
    site.write(&folder, "a/b/c", "x").await;
    let locked = std::fs::Permissions::from_mode(0o500);
    std::fs::set_permissions(format!("{folder}/a/b"), locked).unwrap();
    for _ in 0..2 {
        site.client.remove_folder(&folder).await.unwrap();
        assert!(!std::path::Path::new(&folder).exists());
    }
    site.stop().await;
}

#[tokio::test]
async fn no_path_and_no_link_leads_out() {
    let site = Site::start().await;
    let (root, folder) = (site.facts.text("root_path").to_owned(), site.new_folder());
    site.client.make_folder(&folder).await.unwrap();
    for path in [
        "/etc",
        &root,
        &format!("{root}/../x"),
        &format!("{root}/.cgc"),
        &format!("{root}/.cgc/jobs/1/job.sbatch"),
        "relative",
        &format!("{folder}/a\nb"),
    ] {
        for result in [
            site.client.make_folder(path).await,
            site.client.remove_folder(path).await,
            site.client.write_file(path, b"x".to_vec()).await,
            site.client.read_file(path, 0, 0).await.map(drop),
            site.client.list_folder(path).await.map(drop),
        ] {
            assert_eq!(
                result.unwrap_err().kind(),
                ErrorKind::InvalidArgument,
                "{path:?}"
            );
        }
    }
    let neighbour = site.new_folder();
    site.write(&neighbour, "secret", "x").await;
    for target in ["/etc", neighbour.as_str()] {
        let link = format!("{folder}/link");
        std::os::unix::fs::symlink(target, &link).unwrap();
        for result in [
            site.client.make_folder(&format!("{link}/x")).await,
            site.client.remove_folder(&format!("{link}/secret")).await,
            site.client
                .write_file(&format!("{link}/x"), b"x".to_vec())
                .await,
            site.client
                .read_file(&format!("{link}/secret"), 0, 0)
                .await
                .map(drop),
            site.client.list_folder(&link).await.map(drop),
            site.client
                .upload_folder(&link, &[0; 10240][..])
                .await
                .map(drop),
        ] {
            assert_eq!(result.unwrap_err().kind(), ErrorKind::Refused, "{target}");
        }
        site.client.remove_folder(&link).await.unwrap();
        assert!(
            std::path::Path::new(target).exists(),
            "only the link is removed"
        );
    }
    assert_eq!(
        std::fs::read_to_string(format!("{neighbour}/secret")).unwrap(),
        "x"
    );
    site.stop().await;
}

/// Folders as deep as a program can create them: a complete listing would have 100 MB.
#[tokio::test]
async fn a_listing_is_cut_while_it_is_made() {
    let site = Site::start().await;
    let folder = site.new_folder();
    site.client.make_folder(&folder).await.unwrap();
    let nest = "import os, sys\nos.chdir(sys.argv[1])\nfor n in range(900):\n    name = f'{n:03}' + 'x' * 247\n    os.mkdir(name)\n    os.chdir(name)";
    let made = std::process::Command::new("python3")
        .args(["-c", nest, &folder])
        .status();
    assert!(made.unwrap().success());
    // The tests run as root, but programs as the account.
    let owned = std::process::Command::new("chown")
        .args(["-R", &format!("--reference={folder}"), &folder])
        .status();
    assert!(owned.unwrap().success());
    let listed = site.client.list_folder(&folder).await.unwrap();
    assert!(listed.is_cut);
    let longest = listed.folders.iter().map(String::len).max();
    assert!(
        listed.folders.len() > 10 && longest < Some(100_000),
        "{longest:?}"
    );
    site.client.remove_folder(&folder).await.unwrap();
    site.stop().await;
}
