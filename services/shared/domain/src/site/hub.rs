//! JupyterHubs: one entry of `jupyter-globus-map.json` each.

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
}
