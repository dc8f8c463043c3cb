//! What a running part says of itself, in its `facts.json`.

use std::{
    fs,
    path::{Path, PathBuf},
};

use serde_json::Value;

/// The facts of one part, e.g. its port and its password.
#[derive(Debug, Clone)]
pub struct Facts(Value);

impl Facts {
    /// Reads the facts of `part` (`hpc`, `redis`, `postgres`, `mariadb`) in the folder that
    /// `CYBERGIS_PARTS` names.
    pub fn of(part: &str) -> Self {
        let parts = std::env::var_os("CYBERGIS_PARTS").unwrap_or_else(|| {
            panic!(
                "CYBERGIS_PARTS names no folder with {part}/facts.json: run the tests with \
                 `deploy/local/with-parts COMMAND`, or `make test`"
            )
        });
        Self::in_folder(&PathBuf::from(parts).join(part))
    }

    /// Reads the facts of the part in `folder`.
    pub fn in_folder(folder: &Path) -> Self {
        let path = folder.join("facts.json");
        let text = fs::read_to_string(&path)
            .unwrap_or_else(|error| panic!("cannot read {}: {error}", path.display()));
        Self(serde_json::from_str(&text).unwrap())
    }

    /// Returns a fact.
    pub fn value(&self, key: &str) -> &Value {
        self.0
            .get(key)
            .unwrap_or_else(|| panic!("facts.json has no {key}"))
    }

    /// Returns a fact that is text.
    pub fn text(&self, key: &str) -> &str {
        self.value(key)
            .as_str()
            .unwrap_or_else(|| panic!("{key} in facts.json is not text"))
    }

    /// Returns a fact that is a path.
    pub fn path(&self, key: &str) -> PathBuf {
        self.text(key).into()
    }

    /// Returns the port of the part.
    pub fn port(&self) -> u16 {
        self.value("port").as_u64().unwrap().try_into().unwrap()
    }
}
