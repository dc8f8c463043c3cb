//! Conversions of files and listings.

use compute_domain::job::JobFile;

use crate::wire;

/// Directories below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Each as `/relative/path`, `/` first, sorted by name.
    pub folders: Vec<String>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The bytes from the offset on; empty at or behind the end.
    pub content: Vec<u8>,
    /// Size of the whole file in bytes.
    pub size: u64,
}

impl From<Listing> for wire::ListFolderResponse {
    fn from(Listing { folders, is_cut }: Listing) -> Self {
        Self {
            directories: folders,
            is_cut,
        }
    }
}

impl From<wire::ListFolderResponse> for Listing {
    fn from(wire: wire::ListFolderResponse) -> Self {
        let wire::ListFolderResponse {
            directories: folders,
            is_cut,
        } = wire;
        Self { folders, is_cut }
    }
}

impl From<FilePart> for wire::ReadFileResponse {
    fn from(FilePart { content, size }: FilePart) -> Self {
        Self {
            content: content.into(),
            size,
        }
    }
}

impl From<wire::ReadFileResponse> for FilePart {
    fn from(wire::ReadFileResponse { content, size }: wire::ReadFileResponse) -> Self {
        Self {
            content: content.into(),
            size,
        }
    }
}

impl From<JobFile> for wire::JobFile {
    fn from(file: JobFile) -> Self {
        match file {
            JobFile::Script => Self::Script,
            JobFile::Environment => Self::Environment,
            JobFile::Stdout => Self::Stdout,
            JobFile::Stderr => Self::Stderr,
            JobFile::ExitCode => Self::ExitCode,
        }
    }
}

/// The file that `wire` names; `None` if this side does not know it.
pub fn job_file(wire: wire::JobFile) -> Option<JobFile> {
    Some(match wire {
        wire::JobFile::Unspecified => return None,
        wire::JobFile::Script => JobFile::Script,
        wire::JobFile::Environment => JobFile::Environment,
        wire::JobFile::Stdout => JobFile::Stdout,
        wire::JobFile::Stderr => JobFile::Stderr,
        wire::JobFile::ExitCode => JobFile::ExitCode,
    })
}
