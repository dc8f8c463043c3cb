//! A folder of this machine on its way to an HPC, as a tar stream.
//!
//! It is opened below one of the operator's roots and never left again: every
//! step is resolved inside that root (`cap_std`), so that no symbolic link,
//! however it is changed meanwhile, leads out. Links to files are followed, and
//! what they lead to is sent; links to folders are refused.

use std::{
    io,
    path::{Path, PathBuf},
    pin::Pin,
    task::{Context, Poll, ready},
};

use cap_std::{
    ambient_authority,
    fs::{Dir, DirEntry, Metadata},
};
use tokio::io::{AsyncRead, DuplexStream, ReadBuf};
use tokio_util::{io::SyncIoBridge, task::TaskTracker};

/// Maximum depth of folders.
const DEPTH: usize = 64;

/// Between the packer and the upload, bytes.
const BUFFER: usize = 256 << 10;

/// Why a folder cannot be sent. Trying again changes nothing.
#[derive(Debug, thiserror::Error)]
pub enum LocalFolderError {
    /// Not there, not readable, or a link that leads out of the root.
    #[error("{path} cannot be read: {source}")]
    Unreadable {
        /// Path below the folder.
        path: String,
        /// Why.
        source: io::Error,
    },
    /// A link to a folder.
    #[error("{0} is a symbolic link to a folder, which is not followed")]
    LinkToFolder(String),
    /// A socket, a pipe or a device.
    #[error("{0} is neither a file nor a folder")]
    Special(String),
    /// Too large.
    #[error("the folder holds more than {0} MiB, which is the limit")]
    TooLarge(u64),
    /// Folders in folders without end.
    #[error("{0} is too deep")]
    TooDeep(String),
}

/// A folder that may be sent: everything in it was looked at.
#[derive(Debug)]
pub struct LocalFolder {
    top: Dir,
    /// Relative paths; folders before what is in them.
    entries: Vec<(PathBuf, Metadata)>,
}

impl LocalFolder {
    /// Looks at all of `path` below `root`.
    ///
    /// # Errors
    /// [`LocalFolderError`].
    pub fn open(root: &Path, path: &Path, limit_mb: u64) -> Result<Self, LocalFolderError> {
        let top = Dir::open_ambient_dir(root, ambient_authority()).and_then(|root| {
            if path.as_os_str().is_empty() {
                Ok(root)
            } else {
                root.open_dir(path)
            }
        });
        let mut survey = Survey {
            entries: Vec::new(),
            left: limit_mb << 20,
            limit_mb,
        };
        let top = top.map_err(|source| unreadable(path, source))?;
        survey.visit(&top, Path::new(""), 0)?;
        Ok(Self {
            top,
            entries: survey.entries,
        })
    }

    /// The folder's content as a tar stream, packed while it is read. If a file
    /// cannot be read to its end, neither can the stream.
    pub fn pack(self, tasks: &TaskTracker) -> impl AsyncRead + Send + Unpin + use<> {
        let (reader, writer) = tokio::io::duplex(BUFFER);
        let (outcome, read) = tokio::sync::oneshot::channel();
        tasks.spawn_blocking(move || {
            // If nobody reads any more, nobody wants to know.
            let _ = outcome.send(self.write(SyncIoBridge::new(writer)));
        });
        Packed {
            reader,
            outcome: Some(read),
        }
    }

    fn write(&self, writer: SyncIoBridge<DuplexStream>) -> io::Result<()> {
        let mut tar = tar::Builder::new(writer);
        for (path, metadata) in &self.entries {
            if metadata.is_dir() {
                let mut header = tar::Header::new_gnu();
                header.set_entry_type(tar::EntryType::Directory);
                header.set_mode(0o755);
                header.set_size(0);
                tar.append_data(&mut header, path, io::empty())?;
            } else {
                tar.append_file(path, &mut self.top.open(path)?.into_std())?;
            }
        }
        tar.finish()
    }
}

struct Survey {
    entries: Vec<(PathBuf, Metadata)>,
    left: u64,
    limit_mb: u64,
}

impl Survey {
    fn visit(&mut self, folder: &Dir, at: &Path, depth: usize) -> Result<(), LocalFolderError> {
        if depth > DEPTH {
            return Err(LocalFolderError::TooDeep(at.display().to_string()));
        }
        let failed = |source| unreadable(at, source);
        let mut entries: Vec<_> = folder
            .entries()
            .and_then(|entries| entries.collect::<io::Result<Vec<DirEntry>>>())
            .map_err(failed)?;
        entries.sort_by_key(DirEntry::file_name);
        for entry in entries {
            let (name, path) = (entry.file_name(), at.join(entry.file_name()));
            let failed = |source| unreadable(&path, source);
            let is_link = entry.file_type().map_err(failed)?.is_symlink();
            let metadata = folder.metadata(&name).map_err(failed)?;
            let shown = path.display().to_string();
            if metadata.is_dir() {
                if is_link {
                    return Err(LocalFolderError::LinkToFolder(shown));
                }
                let inner = folder.open_dir(&name).map_err(failed)?;
                self.entries.push((path.clone(), metadata));
                self.visit(&inner, &path, depth + 1)?;
            } else if metadata.is_file() {
                let left = self.left.checked_sub(metadata.len());
                self.left = left.ok_or(LocalFolderError::TooLarge(self.limit_mb))?;
                self.entries.push((path, metadata));
            } else {
                return Err(LocalFolderError::Special(shown));
            }
        }
        Ok(())
    }
}

fn unreadable(path: &Path, source: io::Error) -> LocalFolderError {
    LocalFolderError::Unreadable {
        path: format!("/{}", path.display()),
        source,
    }
}

/// A tar stream that ends well only if it was written well.
struct Packed {
    reader: DuplexStream,
    outcome: Option<tokio::sync::oneshot::Receiver<io::Result<()>>>,
}

impl AsyncRead for Packed {
    fn poll_read(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
        buffer: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        let before = buffer.filled().len();
        ready!(Pin::new(&mut self.reader).poll_read(context, buffer))?;
        if buffer.filled().len() > before || buffer.remaining() == 0 {
            return Poll::Ready(Ok(()));
        }
        let Some(outcome) = self.outcome.as_mut() else {
            return Poll::Ready(Ok(()));
        };
        let written = ready!(Pin::new(outcome).poll(context));
        self.outcome = None;
        Poll::Ready(written.unwrap_or_else(|_| Err(io::Error::other("the packer was stopped"))))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, os::unix::fs::symlink};

    use tokio::io::AsyncReadExt as _;

    use super::*;

    fn folder() -> tempfile::TempDir {
        let folder = tempfile::tempdir().unwrap();
        let root = folder.path().join("root");
        fs::create_dir_all(root.join("set/deep")).unwrap();
        fs::create_dir(root.join("set/empty")).unwrap();
        fs::write(root.join("set/a"), "one").unwrap();
        fs::write(root.join("set/deep/b"), vec![7; 3 << 20]).unwrap();
        fs::write(folder.path().join("secret"), "s").unwrap();
        folder
    }

    fn open(folder: &tempfile::TempDir, path: &str) -> Result<LocalFolder, LocalFolderError> {
        LocalFolder::open(&folder.path().join("root"), Path::new(path), 4)
    }

    #[tokio::test]
    async fn everything_in_it_is_packed() {
        let folder = folder();
        symlink("deep/b", folder.path().join("root/set/link")).unwrap();
        fs::write(folder.path().join("root/set/deep/b"), "two").unwrap();
        let mut packed = open(&folder, "set").unwrap().pack(&TaskTracker::new());
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).await.unwrap();
        let to = tempfile::tempdir().unwrap();
        tar::Archive::new(bytes.as_slice()).unpack(&to).unwrap();
        let read = |path: &str| fs::read_to_string(to.path().join(path)).unwrap();
        assert_eq!(
            (read("a"), read("deep/b"), read("link")),
            ("one".into(), "two".into(), "two".into())
        );
        assert!(to.path().join("empty").is_dir());
        assert!(!to.path().join("link").is_symlink());
    }

    #[tokio::test]
    async fn a_file_that_vanishes_cuts_the_stream() {
        let folder = folder();
        let local = open(&folder, "set").unwrap();
        fs::remove_file(folder.path().join("root/set/deep/b")).unwrap();
        let mut packed = local.pack(&TaskTracker::new());
        let mut bytes = Vec::new();
        packed.read_to_end(&mut bytes).await.unwrap_err();
    }

    #[test]
    fn no_link_leads_out() {
        for (target, name) in [
            ("../../secret", "set/out"),
            ("/etc/passwd", "set/absolute"),
            ("../../..", "set/up"),
            ("nothing", "set/broken"),
            ("deep", "set/to_folder"),
        ] {
            let folder = folder();
            symlink(target, folder.path().join("root").join(name)).unwrap();
            let refused = open(&folder, "set").unwrap_err().to_string();
            let name = name.trim_start_matches("set/");
            assert!(refused.contains(name), "{refused}");
        }
        let folder = folder();
        symlink("..", folder.path().join("root/way")).unwrap();
        open(&folder, "way").unwrap_err();
        open(&folder, "nothing").unwrap_err();
    }

    #[test]
    fn what_is_too_large_is_refused() {
        let folder = folder();
        fs::write(folder.path().join("root/set/c"), vec![7; 2 << 20]).unwrap();
        let refused = open(&folder, "set").unwrap_err().to_string();
        assert!(refused.contains("4 MiB"), "{refused}");
    }
}
