//! What a commit holds: its size, and where its symbolic links lead. Pure; git's
//! takes output, returns what is wrong with it.

use std::collections::BTreeMap;

/// Links that one path may lead through, as the kernel has it (path_resolution(7)).
const HOPS: usize = 40;

/// One entry of `git ls-tree -r -t -l -z`.
#[derive(Debug, PartialEq, Eq)]
pub(crate) struct Entry<'a> {
    /// A symbolic link.
    pub(crate) is_link: bool,
    /// Name of its object.
    pub(crate) object: &'a str,
    /// Bytes; 0 for a folder, and for a submodule, which is not fetched.
    pub(crate) size: u64,
    /// Path from the top.
    pub(crate) path: &'a [u8],
}

/// Reads `MODE SP TYPE SP OBJECT SP SIZE TAB PATH`; `None` if it is none.
pub(crate) fn entry(line: &[u8]) -> Option<Entry<'_>> {
    let tab = line.iter().position(|b| *b == b'\t')?;
    let (head, path) = line.split_at_checked(tab)?;
    let mut fields = std::str::from_utf8(head).ok()?.split_ascii_whitespace();
    let (mode, kind, object, size) = (
        fields.next()?,
        fields.next()?,
        fields.next()?,
        fields.next()?,
    );
    let size = if matches!(kind, "commit" | "tree") {
        0
    } else {
        size.parse().ok()?
    };
    Some(Entry {
        is_link: mode == "120000",
        object,
        size,
        path: path.get(1..)?,
    })
}

/// Whether a path may be written below a folder: no `..`, no empty or absolute
/// part, and nothing that git would take for its own.
pub(crate) fn is_plain(path: &[u8]) -> bool {
    path.split(|b| *b == b'/').all(|part| {
        !part.is_empty() && part != b"." && part != b".." && !part.eq_ignore_ascii_case(b".git")
    })
}

/// Symbolic links by path, with their targets.
pub(crate) type Links = BTreeMap<Vec<u8>, Vec<u8>>;

/// The first link that leads out of the tree, also by way of others: a link to
/// `..` inside a folder is harmless alone, and a second one through it is not.
pub(crate) fn first_that_leaves(links: &Links) -> Option<&[u8]> {
    links
        .keys()
        .find(|path| leaves(path, links))
        .map(Vec::as_slice)
}

fn leaves(path: &[u8], links: &Links) -> bool {
    let mut ahead: Vec<&[u8]> = parts(path);
    let mut at: Vec<&[u8]> = Vec::new();
    let mut hops = 0;
    while let Some(part) = ahead.pop() {
        match part {
            b"" | b"." => continue,
            b".." => {
                if at.pop().is_none() {
                    return true;
                }
                continue;
            }
            part => at.push(part),
        }
        if let Some(target) = links.get(&at.join(&b'/')) {
            hops += 1;
            // A circle leads nowhere, so not out either.
            if hops > HOPS {
                return false;
            }
            if target.starts_with(b"/") {
                return true;
            }
            at.pop();
            ahead.extend(parts(target));
        }
    }
    false
}

/// The parts of a path, last first.
fn parts(path: &[u8]) -> Vec<&[u8]> {
    path.split(|b| *b == b'/').rev().collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_of_ls_tree() {
        let file = entry(b"100644 blob 0a1b     12\tsub/a b").unwrap();
        assert_eq!(
            file,
            Entry {
                is_link: false,
                object: "0a1b",
                size: 12,
                path: b"sub/a b"
            }
        );
        assert!(entry(b"120000 blob 0a1b      4\tlink").unwrap().is_link);
        assert_eq!(entry(b"040000 tree 0a1b      -\tsub").unwrap().size, 0);
        assert_eq!(entry(b"160000 commit 0a1b      -\tmodule").unwrap().size, 0);
        assert_eq!(entry(b"100644 blob 0a1b"), None);
        assert_eq!(entry(b"100644 blob 0a1b many\tx"), None);
    }

    #[test]
    fn plain_paths() {
        for path in ["a", "a/b.c", ".gitignore", "a/...", "ä"] {
            assert!(is_plain(path.as_bytes()), "{path}");
        }
        for path in [
            "",
            "/a",
            "a//b",
            "../a",
            "a/..",
            "./a",
            ".git/config",
            "a/.GIT/hooks/x",
        ] {
            assert!(!is_plain(path.as_bytes()), "{path}");
        }
    }

    #[test]
    fn links_that_leave() {
        for (links, leaving) in [
            (vec![("link", "main.py")], None),
            (vec![("a/link", "../main.py")], None),
            (vec![("a/link", "..")], None),
            (vec![("link", ".")], None),
            (vec![("link", "../x")], Some("link")),
            (vec![("link", "a/../../x")], Some("link")),
            (vec![("a/link", "../../x")], Some("a/link")),
            (vec![("link", "/etc/passwd")], Some("link")),
            // Each stays inside by its letters; together they do not.
            (vec![("a/up", ".."), ("out", "a/up/../x")], Some("out")),
            (vec![("a/up", ".."), ("in", "a/up/x")], None),
            (vec![("one", "two"), ("two", "one")], None),
            (
                vec![("b", "a/up"), ("a/up", ".."), ("c", "b/..")],
                Some("c"),
            ),
        ] {
            let links: Links = links
                .into_iter()
                .map(|(path, to)| (path.into(), to.into()))
                .collect();
            assert_eq!(
                first_that_leaves(&links),
                leaving.map(str::as_bytes),
                "{links:?}"
            );
        }
    }
}
