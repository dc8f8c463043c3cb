//! Where a job's data comes from: `localDataFolder`, as its owner gave it.

use std::path::{Component, Path, PathBuf};

use serde_json::Value;

/// Data that is to be brought to the HPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum DataSource {
    /// From a Globus endpoint: `{"type": "globus", "endpoint": …, "path": …}`.
    Globus {
        /// Endpoint or collection id.
        endpoint: String,
        /// Folder there.
        path: String,
    },
    /// From the services' own machine: `{"type": "local", "path": …}`.
    Local {
        /// Absolute, without `.` and `..`.
        path: PathBuf,
    },
}

impl DataSource {
    /// Reads `localDataFolder`; `None` if there is no data (`null`, or of the type
    /// `empty`).
    ///
    /// # Errors
    /// What is wrong with it, for the job's owner.
    pub fn read(folder: Option<&Value>) -> Result<Option<Self>, String> {
        let Some(folder) = folder.filter(|folder| !folder.is_null()) else {
            return Ok(None);
        };
        let text = |key: &str| folder.get(key).and_then(Value::as_str);
        let needed = |key: &str| {
            let text = text(key).filter(|text| !text.is_empty() && !text.contains('\0'));
            text.ok_or_else(|| format!("localDataFolder lacks its {key}"))
        };
        match text("type") {
            Some("empty") => Ok(None),
            None if folder.as_object().is_some_and(serde_json::Map::is_empty) => Ok(None),
            Some("globus") => Ok(Some(Self::Globus {
                endpoint: needed("endpoint")?.to_owned(),
                path: needed("path")?.to_owned(),
            })),
            Some("local") => Ok(Some(Self::Local {
                path: plain(needed("path")?)?,
            })),
            Some(other) => Err(format!(
                "data folders of type {other} are unknown: there are globus, local and empty"
            )),
            None => Err("localDataFolder lacks its type".to_owned()),
        }
    }
}

/// A path that says where it leads: absolute, and never back up.
fn plain(path: &str) -> Result<PathBuf, String> {
    let path = Path::new(path);
    let is_plain = path
        .components()
        .all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    if !path.is_absolute() || !is_plain {
        let path = path.display();
        return Err(format!(
            "the local data folder {path} must be an absolute path without .."
        ));
    }
    Ok(path.components().collect())
}

/// A local data folder that no root contains.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("local data folder {} is outside the configured local_data_roots", .0.display())]
pub struct OutsideRoots(PathBuf);

/// Returns the first of `roots` that contains `path`, and the path below it. Only the
/// names are compared: the caller has to deal with symbolic links.
///
/// # Errors
/// [`OutsideRoots`] if none of them contains it.
pub fn root_of<'a>(
    roots: &'a [PathBuf],
    path: &'a Path,
) -> Result<(&'a Path, &'a Path), OutsideRoots> {
    roots
        .iter()
        .find_map(|root| Some((root.as_path(), path.strip_prefix(root).ok()?)))
        .ok_or_else(|| OutsideRoots(path.to_owned()))
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn folders_as_clients_give_them() {
        let read = |folder: Value| DataSource::read(Some(&folder));
        for nothing in [json!(null), json!({}), json!({"type": "empty"})] {
            assert_eq!(read(nothing), Ok(None));
        }
        let globus = read(json!({"type": "globus", "endpoint": "e", "path": "/p"}));
        let (endpoint, path) = ("e".to_owned(), "/p".to_owned());
        assert_eq!(globus, Ok(Some(DataSource::Globus { endpoint, path })));
        let local = read(json!({"type": "local", "path": "/data//set/./1/"}));
        let path = PathBuf::from("/data/set/1");
        assert_eq!(local, Ok(Some(DataSource::Local { path })));
        for (folder, words) in [
            (json!({"type": "local", "path": "data"}), "absolute"),
            (
                json!({"type": "local", "path": "/data/../etc"}),
                "without ..",
            ),
            (json!({"type": "local"}), "lacks its path"),
            (
                json!({"type": "globus", "path": "/p"}),
                "lacks its endpoint",
            ),
            (json!({"type": "ftp"}), "ftp are unknown"),
            (json!({"path": "/"}), "lacks its type"),
            (json!({"type": "local", "path": "/a\0b"}), "lacks its path"),
        ] {
            let refused = read(folder).unwrap_err();
            assert!(refused.contains(words), "{refused}");
        }
    }

    #[test]
    fn a_root_is_a_whole_folder() {
        let roots = ["/data".into(), "/home/a".into()];
        let root_of = |path: &str| {
            root_of(&roots, Path::new(path))
                .ok()
                .map(|(_, rest)| rest.display().to_string())
        };
        assert_eq!(root_of("/data/x/y").as_deref(), Some("x/y"));
        assert_eq!(root_of("/data").as_deref(), Some(""));
        assert_eq!(root_of("/database"), None);
        assert_eq!(root_of("/home"), None);
    }
}
