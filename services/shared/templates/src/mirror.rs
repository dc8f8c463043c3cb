//! One bare mirror on disk.

mod contents;

use std::{
    fs::{self, File},
    io,
    path::{Path, PathBuf},
    time::Duration,
};

use tokio::{
    process::Command,
    task::spawn_blocking,
    time::{interval, timeout},
};

use self::contents::CHECKED_FOLDER;
use crate::{
    Address, TemplateError,
    git::{Git, LIMIT, words},
};

/// How often a running fetch is measured.
const MEASURE: Duration = Duration::from_millis(100);

/// Bytes that a small file takes on disk.
const BLOCK: u64 = 4096;

/// What the newest commit of the repository's own branch is called here.
const HEAD: &str = "refs/mirror/head";
/// The address of the last fetch.
const ADDRESS_FILE: &str = "mirrored-address";

/// Files leave as they are in the commit, whatever its `.gitattributes` say.
const ATTRIBUTES: &str =
    "* -text -ident -filter -working-tree-encoding -export-ignore -export-subst\n";

/// A mirror that is there, or that can be made.
pub(crate) struct Mirror<'a> {
    pub(crate) id: &'a str,
    pub(crate) git: &'a Git,
    /// Its folder.
    pub(crate) path: PathBuf,
    /// Largest mirror, and largest content of one commit, bytes.
    pub(crate) size_limit: u64,
}

impl Mirror<'_> {
    /// Whether it was fetched from `address`.
    pub(crate) fn is_of(&self, address: &str) -> bool {
        fs::read_to_string(self.path.join(ADDRESS_FILE)).is_ok_and(|fetched| fetched == address)
    }

    /// Fetches all branches, and `wanted` even if no branch leads to it any more.
    pub(crate) async fn fetch(
        &self,
        address: &Address,
        wanted: Option<&str>,
    ) -> Result<(), TemplateError> {
        let root = self.path.parent().unwrap_or(Path::new("."));
        fs::create_dir_all(root).map_err(|error| self.broken(error))?;
        self.git
            .write_settings()
            .map_err(|error| self.broken(error))?;
        let _lock = lock(self.path.with_extension("lock"))
            .await
            .map_err(|e| self.broken(e))?;
        self.make_ready().await?;
        let branches = [&format!("+HEAD:{HEAD}"), "+refs/heads/*:refs/heads/*"];
        self.fetch_refs(address, &branches).await?;
        if let Some(sha) = wanted
            && self.commit(sha).await?.is_none()
        {
            let found = self.fetch_refs(address, &[sha]).await;
            found.map_err(|error| match error {
                TemplateError::Fetch { .. } => self.no_commit(sha),
                error => error,
            })?;
        }
        fs::write(self.path.join(ADDRESS_FILE), address.given()).map_err(|e| self.broken(e))
    }

    async fn make_ready(&self) -> Result<(), TemplateError> {
        if !self.path.join("HEAD").exists() {
            let mut init = self.git.command(&self.path);
            init.args([
                "init",
                "--quiet",
                "--bare",
                "--template=",
                "--initial-branch=none",
            ]);
            self.run(init).await?;
        }
        let info = self.path.join("info");
        let attributes = info.join("attributes");
        if !attributes.exists() {
            let written = fs::create_dir_all(self.path.join(CHECKED_FOLDER))
                .and_then(|()| fs::create_dir_all(info))
                .and_then(|()| fs::write(attributes, ATTRIBUTES));
            written.map_err(|error| self.broken(error))?;
        }
        // What a fetch that was killed has left.
        let packs = fs::read_dir(self.path.join("objects/pack"))
            .into_iter()
            .flatten()
            .flatten();
        for pack in packs.filter(|pack| pack.file_name().to_string_lossy().starts_with("tmp_")) {
            fs::remove_file(pack.path()).map_err(|error| self.broken(error))?;
        }
        Ok(())
    }

    async fn fetch_refs(&self, address: &Address, refs: &[&str]) -> Result<(), TemplateError> {
        let mut fetch = self.git.command_for(&self.path, address);
        fetch.args([
            "fetch",
            "--quiet",
            "--force",
            "--prune",
            "--no-tags",
            "--no-write-fetch-head",
        ]);
        fetch.args(["--", address.url()]).args(refs);
        let outcome = tokio::select! {
            outcome = self.run(fetch) => outcome,
            () = self.grown_too_large() => Err(self.too_large()),
        };
        if outcome.is_ok() && self.size().await > self.size_limit {
            return self.remove_too_large();
        }
        if matches!(outcome, Err(TemplateError::TooLarge { .. })) {
            return self.remove_too_large();
        }
        outcome
    }

    /// Kept, it would be served from the disk and fill it.
    fn remove_too_large(&self) -> Result<(), TemplateError> {
        fs::remove_dir_all(&self.path).map_err(|error| self.broken(error))?;
        Err(self.too_large())
    }

    async fn grown_too_large(&self) {
        let mut ticks = interval(MEASURE);
        loop {
            ticks.tick().await;
            if self.size().await > self.size_limit {
                return;
            }
        }
    }

    /// Bytes on disk. What vanishes while it is measured counts nothing.
    async fn size(&self) -> u64 {
        let path = self.path.clone();
        spawn_blocking(move || size_of(&path)).await.unwrap_or(0)
    }

    async fn run(&self, mut command: Command) -> Result<(), TemplateError> {
        let ended = timeout(LIMIT, command.output())
            .await
            .map_err(|_| self.slow())?;
        let output = ended.map_err(|error| self.broken(error))?;
        if output.status.success() {
            return Ok(());
        }
        Err(TemplateError::Fetch {
            id: self.id.to_owned(),
            reason: words(&output.stderr),
        })
    }

    fn broken(&self, source: io::Error) -> TemplateError {
        TemplateError::Mirror {
            id: self.id.to_owned(),
            source,
        }
    }

    fn slow(&self) -> TemplateError {
        let reason = format!("git took longer than {} s", LIMIT.as_secs());
        TemplateError::Fetch {
            id: self.id.to_owned(),
            reason,
        }
    }

    pub(crate) fn no_commit(&self, sha: &str) -> TemplateError {
        TemplateError::NoCommit {
            id: self.id.to_owned(),
            sha: sha.to_owned(),
        }
    }

    fn too_large(&self) -> TemplateError {
        TemplateError::TooLarge {
            id: self.id.to_owned(),
            limit_mib: self.size_limit >> 20,
        }
    }

    fn outside(&self, path: &[u8]) -> TemplateError {
        let path = String::from_utf8_lossy(path).into_owned();
        TemplateError::Outside {
            id: self.id.to_owned(),
            path,
        }
    }
}

/// Waits for the lock without holding up other tasks; it is free when dropped.
async fn lock(path: PathBuf) -> io::Result<File> {
    let locked = spawn_blocking(move || {
        let file = File::options()
            .create(true)
            .truncate(false)
            .write(true)
            .open(path)?;
        file.lock()?;
        Ok(file)
    });
    locked.await.map_err(io::Error::other)?
}

fn size_of(folder: &Path) -> u64 {
    let entries = fs::read_dir(folder).into_iter().flatten().flatten();
    let size = |entry: fs::DirEntry| match entry.metadata() {
        Ok(metadata) if metadata.is_dir() => size_of(&entry.path()),
        // A file takes a block, however small: a repository may have any number of branches.
        Ok(metadata) => metadata.len().max(BLOCK),
        Err(_) => 0,
    };
    entries.map(size).sum()
}
