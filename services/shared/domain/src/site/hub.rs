//! JupyterHubs: one entry of `jupyter-globus-map.json` each.

use crate::{ids::SERVICE_PREFIX, printable::is_hidden};

/// How a hub is reached.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Scheme {
    /// The default.
    Https,
    /// Plain; only where the operator says so.
    Http,
}

impl Scheme {
    /// The scheme as it stands in a URL.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Https => "https",
            Self::Http => "http",
        }
    }
}

/// How a user's name on the hub becomes the name of their folder.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum UserMapping {
    /// The name itself.
    Plain,
    /// `iguide-claim-` and the name escaped as `escapism` does, in lower case.
    Iguide,
}

/// One JupyterHub whose users may log in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Hub {
    /// Host, with port if any: the key in `jupyter-globus-map.json`.
    pub host: String,
    /// How it is reached.
    pub scheme: Scheme,
    /// For people.
    pub comment: String,
    /// Globus endpoint of the hub's files.
    pub endpoint: String,
    /// Folder on that endpoint that holds one folder for each user.
    pub root_path: String,
    /// The user's folder as a notebook sees it.
    pub container_home_path: String,
    /// How names become folders.
    pub user_mapping: UserMapping,
    /// Services of the hub whose tokens are accepted; others are refused.
    pub services: Vec<String>,
}

impl Hub {
    /// The folder of the user `name` on the hub's Globus endpoint; `None` for a name
    /// that is no name of a folder, e.g. `..`, and for services, which have none.
    pub fn folder_of(&self, name: &str) -> Option<String> {
        let folder = self.user_mapping.folder_name(name);
        let is_plain = !matches!(folder.trim(), "" | "." | "..")
            && !folder.starts_with('~')
            && !folder.contains(['/', '\\'])
            && !folder.chars().any(is_hidden);
        let root = self.root_path.trim_end_matches('/');
        (is_plain && !name.starts_with(SERVICE_PREFIX)).then(|| format!("{root}/{folder}"))
    }
}

impl UserMapping {
    /// `iguide-mapping` is what JupyterHub's volume claims are named by: everything
    /// but `a-z0-9` as `-` and the byte in hexadecimal (PyPI `escapism`), all in
    /// lower case.
    fn folder_name(self, name: &str) -> String {
        let escape = |b: u8| match b {
            b'a'..=b'z' | b'0'..=b'9' => char::from(b).to_string(),
            b => format!("-{b:x}"),
        };
        match self {
            Self::Plain => name.to_owned(),
            Self::Iguide => {
                let escaped: String = name.bytes().map(escape).collect();
                format!("iguide-claim-{escaped}")
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn folders_of_users() {
        let folder_of = |user_mapping: UserMapping, name: &str| {
            let hub = Hub {
                host: "hub".to_owned(),
                scheme: Scheme::Https,
                comment: String::new(),
                endpoint: String::new(),
                root_path: "/~/data/".to_owned(),
                container_home_path: String::new(),
                user_mapping,
                services: Vec::new(),
            };
            hub.folder_of(name)
        };
        let plain = |name: &str| folder_of(UserMapping::Plain, name);
        assert_eq!(plain("Alice.B").as_deref(), Some("/~/data/Alice.B"));
        let mapped = |name: &str| folder_of(UserMapping::Iguide, name);
        assert_eq!(
            mapped("alice").as_deref(),
            Some("/~/data/iguide-claim-alice")
        );
        assert_eq!(
            mapped("Al.ü@x").as_deref(),
            Some("/~/data/iguide-claim--41l-2e-c3-bc-40x")
        );
        for name in [
            "",
            ".",
            "..",
            ".. ",
            "a/b",
            "../bob",
            "~",
            "~bob",
            "a\\b",
            "a\0b",
            "service:x",
        ] {
            assert_eq!(plain(name), None, "{name:?}");
        }
    }
}
