//! Lists the directories below a folder.

use std::time::Duration;

use compute_proto::Listing;

use crate::{
    error::Error,
    paths::RemotePath,
    remote::{Remote, Script, Shell},
};

/// Maximum number of folders in a listing.
const MAX_FOLDERS: usize = 10_000;

/// Maximum length of a listing in bytes: it must fit in one message.
const MAX_LISTING: usize = 2 << 20;

/// Maximum depth of a listing.
const MAX_DEPTH: usize = 64;

/// Maximum duration of a walk in seconds.
const MAX_WALK: usize = 10;

static LIST_FOLDER: Script = Script {
    name: "list_folder",
    body: include_str!("../scripts/list_folder.sh"),
    shell: Shell::Plain,
    limit: Duration::from_secs(25),
    max_output: MAX_LISTING + (64 << 10),
};

/// Lists the directories below a folder, without dot names, within [`MAX_FOLDERS`],
/// [`MAX_LISTING`], [`MAX_DEPTH`] and [`MAX_WALK`]. A listing that is cut lacks what the
/// walk would have reached last.
///
/// # Errors
/// [`Error::Missing`] if the folder does not exist; those of [`Remote::run`].
pub(crate) async fn list_folder(remote: &Remote, path: &RemotePath) -> Result<Listing, Error> {
    let mut arguments = path.arguments();
    let limits = [MAX_FOLDERS, MAX_LISTING, MAX_DEPTH, MAX_WALK];
    arguments.extend(limits.map(|limit| limit.to_string()));
    let reply = remote
        .run(&LIST_FOLDER, arguments)
        .await?
        .content(path.as_str())?;
    Ok(listing(&reply))
}

/// Parses paths that end with NUL, in any order. An empty path means that the walk was
/// cut, possibly within the path before it; so does a last path without a NUL.
fn listing(reply: &[u8]) -> Listing {
    let mut paths: Vec<&[u8]> = reply.split(|&byte| byte == 0).collect();
    let mut is_cut = paths.pop().is_some_and(|rest| !rest.is_empty());
    if let Some(at) = paths.iter().position(|path| path.is_empty()) {
        paths.truncate(at.saturating_sub(1));
        is_cut = true;
    }
    let depth = |path: &&[u8]| path.split(|&byte| byte == b'/').count();
    is_cut |= paths.len() >= MAX_FOLDERS || reply.len() >= MAX_LISTING;
    is_cut |= paths.iter().any(|path| depth(path) >= MAX_DEPTH);
    paths.sort_unstable();
    paths.truncate(MAX_FOLDERS - 1);
    let mut folders = vec!["/".to_owned()];
    let mut bytes = 0;
    for path in paths {
        let folder = format!("/{}", String::from_utf8_lossy(path));
        // Replacing invalid UTF-8 makes a path longer.
        bytes += folder.len();
        if bytes > MAX_LISTING {
            is_cut = true;
            break;
        }
        folders.push(folder);
    }
    Listing { folders, is_cut }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn listed(reply: &[u8]) -> (Vec<String>, bool) {
        let Listing { folders, is_cut } = listing(reply);
        (folders, is_cut)
    }

    #[test]
    fn listings() {
        let all = |folders: &[&str]| folders.iter().map(|&f| f.to_owned()).collect::<Vec<_>>();
        assert_eq!(listed(b""), (all(&["/"]), false));
        assert_eq!(
            listed(b"new\nline\0a\0a/b\0"),
            (all(&["/", "/a", "/a/b", "/new\nline"]), false)
        );
    }

    #[test]
    fn cut_listings() {
        let a = vec!["/".to_owned(), "/a".to_owned()];
        assert_eq!(listed(b"a\0b/half"), (a.clone(), true));
        assert_eq!(listed(b"a\0b/half\0\0"), (a, true));
        assert_eq!(listed(b"\0\0"), (vec!["/".to_owned()], true));
        let not_utf8 = [&[0xff; 255][..], b"\0"].concat().repeat(8000);
        let (folders, is_cut) = listed(&not_utf8);
        let bytes: usize = folders.iter().map(String::len).sum();
        assert!(bytes <= MAX_LISTING + 1 && is_cut);
        let many: String = (0..20_000).map(|n| format!("{n}\0")).collect();
        let (folders, is_cut) = listed(many.as_bytes());
        assert_eq!((folders.len(), is_cut), (MAX_FOLDERS, true));
    }
}
