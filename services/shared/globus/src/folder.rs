//! A path that a user gives, kept inside of a folder.

/// A path that leads out of the folder.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("the path {0:?} leads out of the folder")]
pub struct OutOfFolder(String);

/// `from` below `root`; `root` itself if there is none. A slash at the beginning
/// means the folder's own top, as the listing of a result folder has it.
///
/// # Errors
/// If a part of `from` is `..`, or it holds a control character.
pub fn folder_below(root: &str, from: Option<&str>) -> Result<String, OutOfFolder> {
    let root = root.trim_end_matches('/');
    let from = from.unwrap_or_default();
    let out = || OutOfFolder(from.to_owned());
    if from.chars().any(char::is_control) {
        return Err(out());
    }
    let mut path = root.to_owned();
    for part in from.split('/') {
        match part {
            "" | "." => {}
            // Also where it would lead no further up: nobody needs it.
            ".." => return Err(out()),
            part => {
                path.push('/');
                path.push_str(part);
            }
        }
    }
    Ok(path)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn paths_as_users_give_them() {
        for (from, expected) in [
            (None, Some("/root/f")),
            (Some(""), Some("/root/f")),
            (Some("/"), Some("/root/f")),
            (Some("/sub/deep/"), Some("/root/f/sub/deep")),
            (Some("sub//./x"), Some("/root/f/sub/x")),
            (Some("~/x"), Some("/root/f/~/x")),
            (Some("../../../etc"), None),
            (Some("a/../b"), None),
            (Some("a\0b"), None),
            (Some("a\n/.."), None),
        ] {
            assert_eq!(
                folder_below("/root/f/", from).ok().as_deref(),
                expected,
                "{from:?}"
            );
        }
    }

    proptest! {
        #[test]
        fn nothing_leads_out(from in "[a./~ \\\\]{0,30}") {
            if let Ok(path) = folder_below("/root/f", Some(&from)) {
                let rest = path.strip_prefix("/root/f").unwrap();
                prop_assert!(rest.is_empty() || rest.starts_with('/'));
                prop_assert!(!rest.split('/').any(|part| part == ".."));
            }
        }
    }
}
