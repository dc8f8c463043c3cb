//! What a mirror holds: commits, manifests, files.

use std::{
    fs::{self, File},
    io,
    path::PathBuf,
    process::Stdio,
    time::Duration,
};

use compute_domain::ErrorKind;
use serde_json::Value;
use tokio::{
    io::{AsyncBufReadExt as _, BufReader},
    time::timeout,
};

use super::{HEAD, Mirror};
use crate::{
    Archive, TemplateError,
    objects::Objects,
    tree::{self, Links},
};

/// Largest manifest, bytes.
const MANIFEST_LIMIT: u64 = 1 << 20;
/// Files and folders in one commit.
const ENTRIES_LIMIT: u64 = 100_000;
/// How long the list of one commit may take.
const LIST_TIME: Duration = Duration::from_secs(60);
/// Longest path, bytes (PATH_MAX): no program could open a longer one.
const PATH_LIMIT: usize = 4096;
/// Longest target of a symbolic link, bytes (PATH_MAX).
const TARGET_LIMIT: u64 = 4096;
/// One empty file for each commit whose files were found harmless; and one `SHA.refused` for
/// each that was refused, with the reason.
pub(super) const CHECKED_FOLDER: &str = "mirrored-checked";

impl Mirror<'_> {
    /// Whether the mirror has the commit `sha`.
    pub(crate) async fn has(&self, sha: &str) -> Result<bool, TemplateError> {
        Ok(self.path.join("HEAD").exists() && self.commit(sha).await?.is_some())
    }

    /// The full name of commit `rev`, if the mirror has it.
    pub(super) async fn commit(&self, rev: &str) -> Result<Option<String>, TemplateError> {
        let mut objects = self.objects()?;
        let found = objects.ask(&format!("info {rev}^{{commit}}")).await;
        Ok(found
            .map_err(|error| self.broken(error))?
            .map(|object| object.name))
    }

    /// The commit `pinned`, or the newest, and its manifest; from the disk alone.
    pub(crate) async fn read(
        &self,
        pinned: Option<&str>,
    ) -> Result<(String, Value), TemplateError> {
        let wrong = |reason: String| TemplateError::Manifest {
            id: self.id.to_owned(),
            reason,
        };
        let rev = pinned.unwrap_or(HEAD);
        let mut objects = self.objects()?;
        let commit = objects.ask(&format!("info {rev}^{{commit}}")).await;
        let commit = commit.map_err(|error| self.broken(error))?;
        let sha = commit
            .ok_or_else(|| self.no_commit(pinned.unwrap_or("yet")))?
            .name;
        let manifest = objects.ask(&format!("contents {sha}:manifest.json")).await;
        let manifest = manifest.map_err(|error| self.broken(error))?;
        let size = match manifest {
            Some(object) if object.kind == "blob" => object.size,
            _ => return Err(wrong("is missing".to_owned())),
        };
        if size > MANIFEST_LIMIT {
            return Err(wrong(format!(
                "is larger than {} MiB",
                MANIFEST_LIMIT >> 20
            )));
        }
        let content = objects
            .content(size)
            .await
            .map_err(|error| self.broken(error))?;
        drop(objects);
        let manifest = serde_json::from_slice(&content)
            .map_err(|error| wrong(format!("is not valid JSON: {error}")))?;
        self.check(&sha).await?;
        Ok((sha, manifest))
    }

    /// Whether the files of `sha` were found harmless before.
    pub(crate) fn is_checked(&self, sha: &str) -> bool {
        self.path.join(CHECKED_FOLDER).join(sha).exists()
    }

    /// Looks at all files of `sha` once: not too many, not too large, and none that
    /// would be written or read outside the folder the template is unpacked to.
    pub(crate) async fn check(&self, sha: &str) -> Result<(), TemplateError> {
        if self.is_checked(sha) {
            return Ok(());
        }
        if let Some(reason) = self.refused_before(sha) {
            return Err(TemplateError::RefusedBefore { reason });
        }
        let looked_at = self.look_at(sha).await;
        if let Err(error) = &looked_at
            && error.kind() == ErrorKind::Refused
        {
            self.remember_refusal(sha, error)?;
        }
        looked_at?;
        let marked = File::create(self.path.join(CHECKED_FOLDER).join(sha));
        marked.map(drop).map_err(|error| self.broken(error))
    }

    async fn look_at(&self, sha: &str) -> Result<(), TemplateError> {
        let links = timeout(LIST_TIME, self.links(sha))
            .await
            .map_err(|_| self.slow())??;
        match tree::first_that_leaves(&links) {
            Some(path) => Err(self.outside(path)),
            None => Ok(()),
        }
    }

    fn refusal_file(&self, sha: &str) -> PathBuf {
        self.path
            .join(CHECKED_FOLDER)
            .join(format!("{sha}.refused"))
    }

    /// Why `sha` was refused, if that was under the present limit of size.
    fn refused_before(&self, sha: &str) -> Option<String> {
        let kept = fs::read_to_string(self.refusal_file(sha)).ok()?;
        let (limit, reason) = kept.split_once('\n')?;
        (limit == self.size_limit.to_string()).then(|| reason.to_owned())
    }

    /// Each refresh, submit and upload would walk through all of it again.
    fn remember_refusal(&self, sha: &str, error: &TemplateError) -> Result<(), TemplateError> {
        let file = self.refusal_file(sha);
        // Whoever reads it must not see half of it.
        let part = file.with_extension(format!("{}.part", std::process::id()));
        fs::write(&part, format!("{}\n{error}", self.size_limit))
            .and_then(|()| fs::rename(part, file))
            .map_err(|error| self.broken(error))
    }

    /// The symbolic links of `sha`. A small repository can unpack to a huge tree, also to one
    /// of folders without any file, so folders are listed as well, and the list is read no
    /// further than the limits.
    async fn links(&self, sha: &str) -> Result<Links, TemplateError> {
        let mut list = self.git.command(&self.path);
        list.args(["ls-tree", "-r", "-t", "-l", "-z", "--full-tree", sha]);
        let mut child = list.spawn().map_err(|error| self.broken(error))?;
        let stdout = child
            .stdout
            .take()
            .ok_or_else(|| self.broken(io::Error::other("no output")))?;
        let mut lines = BufReader::new(stdout);
        let (mut files, mut size, mut found) = (0, 0_u64, Vec::new());
        let mut line = Vec::new();
        while lines
            .read_until(0, &mut line)
            .await
            .map_err(|error| self.broken(error))?
            > 0
        {
            let text = line.strip_suffix(b"\0").unwrap_or(&line);
            let unread = || self.broken(io::Error::other("git ls-tree wrote something unknown"));
            let entry = tree::entry(text).ok_or_else(unread)?;
            files += 1;
            size = size.saturating_add(entry.size);
            if files > ENTRIES_LIMIT {
                return Err(TemplateError::TooManyFiles {
                    id: self.id.to_owned(),
                    limit: ENTRIES_LIMIT,
                });
            }
            if size > self.size_limit {
                return Err(self.too_large());
            }
            let is_long = entry.path.len() > PATH_LIMIT;
            if is_long
                || !tree::is_plain(entry.path)
                || (entry.is_link && entry.size > TARGET_LIMIT)
            {
                return Err(self.outside(entry.path));
            }
            if entry.is_link {
                found.push((entry.path.to_vec(), entry.object.to_owned()));
            }
            line.clear();
        }
        if !child
            .wait()
            .await
            .map_err(|error| self.broken(error))?
            .success()
        {
            return Err(self.no_commit(sha));
        }
        self.targets(found).await
    }

    async fn targets(&self, found: Vec<(Vec<u8>, String)>) -> Result<Links, TemplateError> {
        let mut links = Links::new();
        if found.is_empty() {
            return Ok(links);
        }
        let mut objects = self.objects()?;
        for (path, object) in found {
            let asked = objects.ask(&format!("contents {object}")).await;
            let missing = || self.broken(io::Error::other("a link's target is missing"));
            let size = asked
                .map_err(|error| self.broken(error))?
                .ok_or_else(missing)?
                .size;
            let target = objects
                .content(size)
                .await
                .map_err(|error| self.broken(error))?;
            links.insert(path, target);
        }
        Ok(links)
    }

    /// The files of `sha` as a tar stream.
    pub(crate) fn archive(&self, sha: &str) -> Result<Archive, TemplateError> {
        let mut archive = self.git.command(&self.path);
        archive
            .args(["archive", "--format=tar", sha])
            .stderr(Stdio::null());
        archive
            .spawn()
            .and_then(Archive::of)
            .map_err(|error| self.broken(error))
    }

    fn objects(&self) -> Result<Objects, TemplateError> {
        let mut command = self.git.command(&self.path);
        command.args(["cat-file", "--batch-command"]);
        Objects::start(command).map_err(|error| self.broken(error))
    }
}
