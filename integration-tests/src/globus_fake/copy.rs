//! Copying between the folders that stand for endpoints.

use std::{
    fs, io,
    os::unix::fs::{MetadataExt as _, chown},
    path::{Component, Path, PathBuf},
};

/// Totals of a copy.
#[derive(Debug, Default)]
pub(super) struct Copied {
    /// Files that were found.
    pub(super) files: u64,
    /// Bytes of files that did not exist at the destination.
    pub(super) bytes: u64,
}

/// Copies a file, or a folder with its content. Equal files at the destination
/// are kept. New files belong to the owner of the folder that contains them, as at
/// an endpoint that maps identities to accounts.
pub(super) fn copy(
    from_root: &Path,
    from: &str,
    to_root: &Path,
    to: &str,
    is_folder: bool,
) -> io::Result<Copied> {
    let (from, to) = (below(from_root, from)?, below(to_root, to)?);
    if from.is_dir() != is_folder {
        let words = format!("{}: no such file or folder", from.display());
        return Err(io::Error::other(words));
    }
    let mut copied = Copied::default();
    visit(&from, &to, &mut copied)?;
    Ok(copied)
}

/// An endpoint never shows files outside its root.
fn below(root: &Path, path: &str) -> io::Result<PathBuf> {
    let path = Path::new(path);
    if path.components().any(|part| part == Component::ParentDir) {
        return Err(io::Error::other("a path with .. in it"));
    }
    Ok(root.join(path.strip_prefix("/").unwrap_or(path)))
}

fn visit(from: &Path, to: &Path, copied: &mut Copied) -> io::Result<()> {
    if from.is_dir() {
        make(to)?;
        for entry in fs::read_dir(from)? {
            let entry = entry?;
            visit(&entry.path(), &to.join(entry.file_name()), copied)?;
        }
        return Ok(());
    }
    copied.files += 1;
    let content = fs::read(from)?;
    if fs::read(to).is_ok_and(|there| there == content) {
        return Ok(());
    }
    if let Some(parent) = to.parent() {
        make(parent)?;
    }
    fs::write(to, &content)?;
    copied.bytes += content.len() as u64;
    own(to)
}

fn make(folder: &Path) -> io::Result<()> {
    if folder.is_dir() {
        return Ok(());
    }
    if let Some(parent) = folder.parent() {
        make(parent)?;
    }
    fs::create_dir(folder)?;
    own(folder)
}

fn own(path: &Path) -> io::Result<()> {
    let Some(parent) = path.parent() else {
        return Ok(());
    };
    let owner = fs::metadata(parent)?;
    chown(path, Some(owner.uid()), Some(owner.gid()))
}
