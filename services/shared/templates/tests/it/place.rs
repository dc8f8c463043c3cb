//! A repository and a folder of mirrors, gone when dropped.

use std::{
    fs,
    path::{Path, PathBuf},
    process::Command,
};

use compute_templates::{Archive, MirrorOptions, Mirrors};
use tokio::io::AsyncReadExt as _;

pub(crate) struct Place {
    pub(crate) folder: tempfile::TempDir,
}

impl Place {
    pub(crate) fn new() -> Self {
        let place = Self {
            folder: tempfile::tempdir().unwrap(),
        };
        fs::create_dir(place.repository()).unwrap();
        place.git(&["init", "--quiet", "--initial-branch=main"]);
        place
    }

    pub(crate) fn repository(&self) -> PathBuf {
        self.folder.path().join("repository")
    }

    pub(crate) fn address(&self) -> String {
        format!("file://{}", self.repository().display())
    }

    pub(crate) fn git(&self, args: &[&str]) -> String {
        self.git_with_input(args, Path::new("/dev/null"))
    }

    pub(crate) fn git_with_input(&self, args: &[&str], input: &Path) -> String {
        let output = Command::new("git")
            .arg("-C")
            .arg(self.repository())
            .args(["-c", "user.name=t", "-c", "user.email=t@localhost"])
            .args(["-c", "protocol.file.allow=always"])
            .args(args)
            .stdin(fs::File::open(input).unwrap())
            .output()
            .unwrap();
        assert!(
            output.status.success(),
            "{args:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
        String::from_utf8(output.stdout).unwrap().trim().to_owned()
    }

    pub(crate) fn write(&self, name: &str, content: &str) {
        let path = self.repository().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, content).unwrap();
    }

    pub(crate) fn link(&self, name: &str, target: &str) {
        let path = self.repository().join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::os::unix::fs::symlink(target, path).unwrap();
    }

    /// Commits everything; the commit's name.
    pub(crate) fn commit(&self) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message=change"]);
        self.git(&["rev-parse", "HEAD"])
    }

    /// A manifest with that name, committed.
    pub(crate) fn manifest(&self, name: &str) -> String {
        self.write("manifest.json", &format!("{{\"name\": {name:?}}}"));
        self.commit()
    }

    pub(crate) fn mirrors(&self) -> Mirrors {
        self.mirrors_up_to(1 << 20)
    }

    pub(crate) fn mirrors_up_to(&self, size_limit: u64) -> Mirrors {
        Mirrors::new(MirrorOptions {
            root: self.mirror_folder(),
            local_roots: vec![self.folder.path().to_owned()],
            size_limit,
        })
    }

    pub(crate) fn mirror_folder(&self) -> PathBuf {
        self.folder.path().join("mirrors")
    }
}

/// Unpacks as the HPC does.
pub(crate) async fn unpack(mut archive: Archive, into: &Path) {
    let mut tar = Vec::new();
    archive.read_to_end(&mut tar).await.unwrap();
    let packed = tempfile::NamedTempFile::new().unwrap();
    fs::write(packed.path(), tar).unwrap();
    let mut unpack = Command::new("tar");
    unpack.arg("-C").arg(into).arg("-xpf").arg(packed.path());
    assert!(unpack.status().unwrap().success());
}
