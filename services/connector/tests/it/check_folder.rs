//! Checks of folders that Globus reads or writes: no link is followed.

use std::{fs, os::unix::fs::symlink, path::Path};

use compute_domain::ErrorKind;

use crate::parts::Site;

#[tokio::test]
async fn a_folder_is_there_and_no_link_is_on_the_way_to_it() {
    let site = Site::start().await;
    let folder = site.new_folder();
    let neighbour = site.new_folder();
    site.write(&neighbour, "secret/x", "x").await;
    site.write(&folder, "sub/deep/file", "x").await;
    site.write(&folder, "it's a $(touch x) *?/-n/file", "x")
        .await;
    let top = Path::new(&folder);
    symlink(&neighbour, top.join("absolute")).unwrap();
    let name = Path::new(&neighbour).file_name().unwrap();
    symlink(Path::new("..").join(name), top.join("relative")).unwrap();
    symlink(".", top.join("self")).unwrap();
    symlink("deep", top.join("sub/beside")).unwrap();
    symlink("nowhere", top.join("dangling")).unwrap();
    symlink(&folder, format!("{folder}-link")).unwrap();
    for path in [
        "",
        "/sub",
        "/sub/deep",
        "/it's a $(touch x) *?",
        "/it's a $(touch x) *?/-n",
    ] {
        site.client
            .check_folder(&format!("{folder}{path}"))
            .await
            .unwrap();
    }
    for (path, kind, message) in [
        ("/absolute", ErrorKind::Refused, "leads out of its folder"),
        (
            "/absolute/secret",
            ErrorKind::Refused,
            "leads out of its folder",
        ),
        (
            "/relative/secret",
            ErrorKind::Refused,
            "leads out of its folder",
        ),
        ("/self", ErrorKind::Refused, "leads out of its folder"),
        ("/self/sub", ErrorKind::Refused, "leads out of its folder"),
        ("/sub/beside", ErrorKind::Refused, "leads out of its folder"),
        ("/dangling", ErrorKind::Refused, "leads out of its folder"),
        ("-link", ErrorKind::Refused, "leads out of its folder"),
        ("-link/sub", ErrorKind::Refused, "leads out of its folder"),
        ("/sub/deep/file", ErrorKind::Refused, "is not a folder"),
        ("/sub/deep/file/x", ErrorKind::Refused, "is not a folder"),
        ("/none", ErrorKind::NotFound, "there is no"),
        ("/none/x", ErrorKind::NotFound, "there is no"),
        ("/sub/../..", ErrorKind::InvalidArgument, ".."),
        ("/sub//deep", ErrorKind::InvalidArgument, "empty component"),
    ] {
        let path = format!("{folder}{path}");
        let error = site.client.check_folder(&path).await.unwrap_err();
        assert_eq!(error.kind(), kind, "{path}: {error}");
        assert!(error.message.contains(message), "{path}: {error}");
    }
    fs::remove_file(format!("{folder}-link")).unwrap();
    site.stop().await;
}
