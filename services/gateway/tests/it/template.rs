//! Templates as git repositories.

use std::{fs, path::Path, process::Command};

use serde_json::Value;

/// A repository in `folder` with `manifest`, committed; its address.
pub(crate) fn repository(folder: &Path, manifest: &Value) -> String {
    fs::create_dir_all(folder).unwrap();
    fs::write(folder.join("manifest.json"), manifest.to_string()).unwrap();
    for arguments in [
        &["init", "--quiet", "--initial-branch=main"][..],
        &["add", "--all"],
        &["commit", "--quiet", "--message=template"],
    ] {
        let done = Command::new("git")
            .arg("-C")
            .arg(folder)
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
            .args(arguments)
            .output()
            .unwrap();
        assert!(done.status.success(), "git {arguments:?}: {done:?}");
    }
    format!("file://{}", folder.display())
}
