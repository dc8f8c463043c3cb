//! Where a template may come from.

use std::path::{Path, PathBuf};

use crate::TemplateError;

/// An address that is allowed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Address {
    given: String,
    url: String,
    protocol: &'static str,
}

impl Address {
    /// Checks `address`: `https://…`, `ssh://…`, `USER@HOST:PATH`, or `file://…` or
    /// an absolute path below one of `local_roots`.
    ///
    /// # Errors
    /// [`TemplateError::Address`].
    pub fn parse(address: &str, local_roots: &[PathBuf]) -> Result<Self, TemplateError> {
        let refuse = |reason: &str| TemplateError::Address {
            address: without_password(address),
            reason: reason.to_owned(),
        };
        if address.starts_with('-') || address.chars().any(|c| c.is_control() || c == ' ') {
            return Err(refuse(
                "it begins with '-' or holds spaces or control characters",
            ));
        }
        let accept = |url: &str, protocol| {
            Ok(Self {
                given: address.to_owned(),
                url: url.to_owned(),
                protocol,
            })
        };
        let local = address
            .strip_prefix("file://")
            .or(Some(address).filter(|a| a.starts_with('/')));
        if let Some(path) = local {
            let Ok(path) = Path::new(path).canonicalize() else {
                return Err(refuse("there is no such folder"));
            };
            return match below(&path, local_roots) {
                Some(path) => accept(path, "file"),
                None => Err(refuse(
                    "local repositories must lie below template_local_roots",
                )),
            };
        }
        if let Some(rest) = address.strip_prefix("https://") {
            if host(rest).contains('@') {
                return Err(refuse(
                    "a login in it could be read by everyone; use a key and ssh://",
                ));
            }
            if is_host(host(rest)) {
                return accept(address, "https");
            }
        }
        let ssh = address.strip_prefix("ssh://").is_some_and(is_ssh);
        if ssh || is_scp_like(address) {
            return accept(address, "ssh");
        }
        Err(refuse(
            "use https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH",
        ))
    }

    /// The address as it was given.
    pub fn given(&self) -> &str {
        &self.given
    }

    /// The address as git takes it.
    pub fn url(&self) -> &str {
        &self.url
    }

    /// The one protocol that git may use for it.
    pub fn protocol(&self) -> &'static str {
        self.protocol
    }
}

fn host(rest: &str) -> &str {
    rest.split('/').next().unwrap_or_default()
}

/// A host with or without port; never anything that ssh would take for an option.
fn is_host(host: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-:[]".contains(c);
    !host.is_empty() && !host.starts_with('-') && host.chars().all(plain)
}

fn is_ssh(rest: &str) -> bool {
    match host(rest).split_once('@') {
        // A password would need a colon.
        Some((user, host)) => is_word(user) && is_host(host),
        None => is_host(host(rest)),
    }
}

fn is_word(text: &str) -> bool {
    let plain = |c: char| c.is_ascii_alphanumeric() || "._-".contains(c);
    !text.is_empty() && !text.starts_with('-') && text.chars().all(plain)
}

/// `USER@HOST:PATH`, not `TRANSPORT::ADDRESS`, which would run a program.
fn is_scp_like(address: &str) -> bool {
    let Some((login, path)) = address.split_once(':') else {
        return false;
    };
    let login = login
        .split_once('@')
        .is_some_and(|(user, host)| is_word(user) && is_word(host));
    login && !path.is_empty() && !path.starts_with([':', '-'])
}

/// `path`, which holds no links, if it lies below one of `roots`.
fn below<'a>(path: &'a Path, roots: &[PathBuf]) -> Option<&'a str> {
    let mut roots = roots.iter().filter_map(|root| root.canonicalize().ok());
    path.to_str()
        .filter(|_| roots.any(|root| path.starts_with(root)))
}

fn without_password(address: &str) -> String {
    match address.split_once("://") {
        Some((scheme, rest)) => match rest.rsplit_once('@') {
            Some((_, rest)) => format!("{scheme}://…@{rest}"),
            None => address.to_owned(),
        },
        None => address.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_https_ssh_and_listed_folders() {
        let root = tempfile::tempdir().unwrap();
        let inside = root.path().join("repository");
        std::fs::create_dir(&inside).unwrap();
        let outside = tempfile::tempdir().unwrap();
        std::os::unix::fs::symlink(outside.path(), root.path().join("link")).unwrap();
        let local_roots = [root.path().to_owned()];
        let local = |path: &Path| format!("file://{}", path.display());
        for (address, protocol) in [
            ("https://github.com/cybergis/hello.git", Some("https")),
            ("ssh://git@host:22/hello.git", Some("ssh")),
            ("git@github.com:cybergis/hello.git", Some("ssh")),
            (local(&inside).as_str(), Some("file")),
            (inside.to_str().unwrap(), Some("file")),
            (local(outside.path()).as_str(), None),
            (local(&root.path().join("link")).as_str(), None),
            (local(&inside.join("../../etc")).as_str(), None),
            ("http://github.com/x", None),
            ("ext::sh -c touch% x", None),
            ("ext::sh", None),
            ("--upload-pack=touch x", None),
            ("git@-oProxyCommand=x:y", None),
            ("ssh://-oProxyCommand=x/y", None),
            ("https://", None),
            ("https://token@github.com/x", None),
            ("https://me:secret@github.com/x", None),
            ("ssh://me:secret@host/x", None),
            ("file://localhost/etc", None),
            ("git://github.com/x", None),
            ("hello\nworld", None),
            ("", None),
        ] {
            let parsed = Address::parse(address, &local_roots).ok();
            assert_eq!(parsed.map(|a| a.protocol()), protocol, "{address:?}");
        }
    }

    #[test]
    fn a_refusal_holds_no_password() {
        for address in [
            "http://me:secret@host/x",
            "https://secret@host/x",
            "ssh://a:b@secret@host/x",
        ] {
            let error = Address::parse(address, &[]).unwrap_err();
            assert!(!error.to_string().contains("secret"), "{error}");
        }
    }
}
