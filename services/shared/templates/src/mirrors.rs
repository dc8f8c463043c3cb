//! The mirrors of all templates, in a folder that several processes may share:
//! whoever writes to a mirror holds its lock.

use std::{path::PathBuf, sync::Arc};

use compute_domain::site::MirrorOptions;
use serde_json::Value;

use crate::{Address, Archive, TemplateError, git::Git, mirror::Mirror};

/// A template at a commit.
#[derive(Debug, Clone, PartialEq)]
pub struct Snapshot {
    /// The commit, its full name.
    pub sha: String,
    /// The content of its `manifest.json`, as it is in the file.
    pub manifest: Value,
}

/// The mirrors. Cheap to clone.
#[derive(Debug, Clone)]
pub struct Mirrors(Arc<Inner>);

#[derive(Debug)]
struct Inner {
    options: MirrorOptions,
    git: Git,
}

impl Mirrors {
    /// Mirrors in `options.root`, which is made when needed.
    pub fn new(options: MirrorOptions) -> Self {
        let git = Git::new("git", &options.root);
        Self(Arc::new(Inner { options, git }))
    }

    /// The same mirrors, with another program than the `git` in `PATH`.
    #[must_use]
    pub fn with_git(&self, program: impl Into<PathBuf>) -> Self {
        let git = self.0.git.with_program(program.into());
        Self(Arc::new(Inner {
            options: self.0.options.clone(),
            git,
        }))
    }

    /// Fetches the template and gives its newest commit, or the `pinned` one.
    ///
    /// # Errors
    /// Any [`TemplateError`]; [`TemplateError::Fetch`] may go away by itself.
    pub async fn refresh(
        &self,
        id: &str,
        address: &str,
        pinned: Option<&str>,
    ) -> Result<Snapshot, TemplateError> {
        let mirror = self.mirror(id)?;
        check_pin(&mirror, pinned)?;
        let address = Address::parse(address, &self.0.options.local_roots)?;
        mirror.fetch(&address, pinned).await?;
        let (sha, manifest) = mirror.read(pinned).await?;
        Ok(Snapshot { sha, manifest })
    }

    /// The template as it was last fetched, without asking anybody; `None` if it
    /// was never fetched from this address.
    ///
    /// # Errors
    /// Any [`TemplateError`] but [`TemplateError::Fetch`].
    pub async fn snapshot(
        &self,
        id: &str,
        address: &str,
        pinned: Option<&str>,
    ) -> Result<Option<Snapshot>, TemplateError> {
        let mirror = self.mirror(id)?;
        check_pin(&mirror, pinned)?;
        if !mirror.is_of(address) {
            return Ok(None);
        }
        let (sha, manifest) = mirror.read(pinned).await?;
        Ok(Some(Snapshot { sha, manifest }))
    }

    /// The template's files at `sha`, a full name, as a tar stream without `.git`.
    /// Fetches only if the mirror does not have that commit.
    ///
    /// # Errors
    /// Any [`TemplateError`].
    pub async fn archive(
        &self,
        id: &str,
        address: &str,
        sha: &str,
    ) -> Result<Archive, TemplateError> {
        let mirror = self.mirror(id)?;
        check_pin(&mirror, Some(sha))?;
        // An abbreviation may mean another commit tomorrow.
        if !matches!(sha.len(), 40 | 64) {
            return Err(mirror.no_commit(sha));
        }
        if !mirror.is_checked(sha) {
            if !mirror.has(sha).await? {
                let address = Address::parse(address, &self.0.options.local_roots)?;
                mirror.fetch(&address, Some(sha)).await?;
            }
            mirror.check(sha).await?;
        }
        mirror.archive(sha)
    }

    fn mirror<'a>(&'a self, id: &'a str) -> Result<Mirror<'a>, TemplateError> {
        let good = |c: char| c.is_ascii_alphanumeric() || "_.-".contains(c);
        if id.is_empty() || id.len() > 128 || id.starts_with(['.', '-']) || !id.chars().all(good) {
            return Err(TemplateError::Id(id.to_owned()));
        }
        let Inner { options, git } = &*self.0;
        let path = options.root.join(format!("{id}.git"));
        Ok(Mirror {
            id,
            git,
            path,
            size_limit: options.size_limit,
        })
    }
}

/// A pinned commit goes into git's arguments: hexadecimal digits and nothing else.
fn check_pin(mirror: &Mirror<'_>, pinned: Option<&str>) -> Result<(), TemplateError> {
    let bad =
        |sha: &&str| !(7..=64).contains(&sha.len()) || !sha.bytes().all(|b| b.is_ascii_hexdigit());
    pinned
        .filter(bad)
        .map_or(Ok(()), |sha| Err(mirror.no_commit(sha)))
}
