//! Files and folders on an HPC. Every operation may be repeated.

#[cfg(test)]
mod late_files;
mod listing;

use std::time::Duration;

use bytes::Bytes;
use compute_proto::FilePart;
use futures::stream::BoxStream;

use crate::{
    error::Error,
    paths::{Place, RemotePath},
    remote::{Input, Remote, Script, Shell},
};
pub(crate) use listing::list_folder;

static MAKE_FOLDER: Script = Script {
    name: "make_folder",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/make_folder.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static UPLOAD_FOLDER: Script = Script {
    name: "upload_folder",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/upload_folder.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(3600),
    max_output: 64 << 10,
};
static FINISH_UPLOAD: Script = Script {
    name: "finish_upload",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/finish_upload.sh")
    ),
    shell: Shell::Plain,
    // A folder that is discarded may be large.
    limit: Duration::from_secs(590),
    max_output: 64 << 10,
};
/// Maximum size of a folder whose content stays when a stream is unpacked into it, in bytes of
/// its tar stream. Data of users may be large; the time limit of the script ends it first.
const MAX_KEPT_BYTES: u64 = 1 << 40;

/// Maximum size of a folder to copy, in bytes of its tar stream. A copy occupies a session.
const MAX_COPIED_BYTES: u64 = 10 << 30;

static COPY_FOLDER: Script = Script {
    name: "copy_folder",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/copy_folder.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(3600),
    max_output: 64 << 10,
};
static WRITE_FILE: Script = Script {
    name: "write_file",
    body: concat!(
        include_str!("scripts/fence.sh"),
        include_str!("scripts/write_file.sh")
    ),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static READ_FILE: Script = Script {
    name: "read_file",
    body: include_str!("scripts/read_file.sh"),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: (1 << 20) + (64 << 10),
};
static REMOVE_FOLDER: Script = Script {
    name: "remove_folder",
    body: include_str!("scripts/remove_folder.sh"),
    shell: Shell::Plain,
    limit: Duration::from_secs(590),
    max_output: 64 << 10,
};
static CHECK_FOLDER: Script = Script {
    name: "check_folder",
    body: include_str!("scripts/check_folder.sh"),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};

/// Creates a folder and its parents.
///
/// # Errors
/// [`Error::Trouble`] if the file system rejects it; those of [`Remote::run`].
pub(crate) async fn make_folder(remote: &Remote, path: &RemotePath) -> Result<(), Error> {
    remote
        .run(&MAKE_FOLDER, path.arguments())
        .await?
        .content(path.as_str())?;
    Ok(())
}

/// Unpacks a tar stream into a folder, which is created if it does not exist. Files that
/// are in the folder and not in the stream stay. The stream is unpacked in `place`: nothing is
/// written through a link of a program. Only a second script renames it, once `is_complete`
/// tells that the end of the stream has come: a transfer whose connector or caller is gone, or
/// that hangs, never replaces the folder.
///
/// # Errors
/// Those of the stream and of `is_complete`; [`Error::Trouble`] if tar or the file system
/// rejects it; [`Error::Uncertain`] if another transfer for the same job began after it; those
/// of [`Remote::run`].
pub(crate) async fn upload_folder<T>(
    remote: &Remote,
    place: &Place,
    path: &RemotePath,
    tar: BoxStream<'static, Result<Bytes, Error>>,
    is_complete: impl Future<Output = Result<T, Error>>,
) -> Result<T, Error> {
    let token = format!("upload-{:016x}", rand::random::<u64>());
    let mut arguments = path.arguments_with(place);
    arguments.extend([MAX_KEPT_BYTES.to_string(), token.clone()]);
    let unpacked = remote
        .feed(&UPLOAD_FOLDER, arguments, Input::Stream(tar))
        .await;
    let unpacked = unpacked.and_then(|reply| reply.content(path.as_str()));
    let complete = match unpacked {
        Ok(_) => is_complete.await,
        Err(error) => Err(error),
    };
    let finish = async |how: &str| {
        let mut arguments = path.arguments_with(place);
        arguments.extend([token.clone(), how.to_owned()]);
        remote.run(&FINISH_UPLOAD, arguments).await
    };
    match complete {
        Ok(value) => {
            finish("rename").await?.content(path.as_str())?;
            Ok(value)
        }
        Err(error) => {
            // Scripts of later calls remove what cannot be removed now.
            let _ = finish("discard").await;
            Err(error)
        }
    }
}

/// Copies a folder to another path and replaces a folder that exists there.
///
/// # Errors
/// [`Error::Missing`] if the folder does not exist, [`Error::Refused`] if something in
/// it cannot be read or it is larger than 10 GiB; those of [`Remote::run`].
pub(crate) async fn copy_folder(
    remote: &Remote,
    place: &Place,
    from: &RemotePath,
    to: &RemotePath,
) -> Result<(), Error> {
    let mut arguments = from.arguments_with(place);
    arguments.extend(to.arguments().pop());
    arguments.push(MAX_COPIED_BYTES.to_string());
    remote
        .run(&COPY_FOLDER, arguments)
        .await?
        .content(from.as_str())?;
    Ok(())
}

/// Writes a file, completely or not at all. Creates its folder if it does not exist.
///
/// # Errors
/// [`Error::Trouble`] if the file system rejects it; those of [`Remote::run`].
pub(crate) async fn write_file(
    remote: &Remote,
    place: &Place,
    path: &RemotePath,
    content: Bytes,
) -> Result<(), Error> {
    let mut arguments = path.arguments_with(place);
    arguments.push(content.len().to_string());
    let reply = remote
        .feed(&WRITE_FILE, arguments, Input::Whole(content))
        .await?;
    reply.content(path.as_str())?;
    Ok(())
}

/// Reads at most `max` bytes of a file from `offset` on.
///
/// # Errors
/// [`Error::Missing`] if the file does not exist, [`Error::Outside`] if a link
/// leads out of the job's folder; those of [`Remote::run`].
pub(crate) async fn read_file(
    remote: &Remote,
    path: &RemotePath,
    offset: u64,
    max: u32,
) -> Result<FilePart, Error> {
    let mut arguments = path.arguments();
    arguments.extend([offset.to_string(), max.to_string()]);
    let content = remote
        .run(&READ_FILE, arguments)
        .await?
        .content(path.as_str())?;
    part(&content).ok_or_else(|| Error::Internal(format!("the reply contains no size of {path}")))
}

/// Parses the size on the first line, and the content after it.
pub(crate) fn part(reply: &[u8]) -> Option<FilePart> {
    let line_end = reply.iter().position(|&byte| byte == b'\n')?;
    let size = std::str::from_utf8(reply.get(..line_end)?)
        .ok()?
        .parse()
        .ok()?;
    Some(FilePart {
        content: reply.get(line_end + 1..)?.to_vec(),
        size,
    })
}

/// Removes a folder and its content. Succeeds if the folder does not exist.
///
/// # Errors
/// [`Error::Trouble`] if something could not be removed; those of [`Remote::run`].
pub(crate) async fn remove_folder(remote: &Remote, path: &RemotePath) -> Result<(), Error> {
    remote
        .run(&REMOVE_FOLDER, path.arguments())
        .await?
        .content(path.as_str())?;
    Ok(())
}

/// Checks that a folder exists and that no link is on the path to it.
///
/// # Errors
/// [`Error::Missing`] if the folder does not exist, [`Error::Outside`] if a link is on the
/// path, [`Error::Refused`] if it is not a folder or cannot be entered; those of
/// [`Remote::run`].
pub(crate) async fn check_folder(remote: &Remote, path: &RemotePath) -> Result<(), Error> {
    remote
        .run(&CHECK_FOLDER, path.arguments())
        .await?
        .content(path.as_str())?;
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_of_a_file() {
        let expected = FilePart {
            content: b"a\nb\0".to_vec(),
            size: 4096,
        };
        assert_eq!(part(b"4096\na\nb\0"), Some(expected));
        assert_eq!(
            part(b"0\n"),
            Some(FilePart {
                content: Vec::new(),
                size: 0
            })
        );
        for broken in [&b"4096"[..], b"", b"x\n", b"-1\nabc"] {
            assert_eq!(part(broken), None);
        }
    }
}
