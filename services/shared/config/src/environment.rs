//! The environment, which overrides `config.json`: `CYBERGIS__REDIS__PORT` is
//! `redis.port`.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

const PREFIX: &str = "CYBERGIS__";

/// Variables of a process.
pub trait Environment {
    /// The value of one.
    fn get(&self, name: &str) -> Option<String>;
    /// All of them.
    fn all(&self) -> Vec<(String, String)>;
}

/// Those of this process.
#[derive(Debug, Clone, Copy)]
pub struct ProcessEnvironment;

impl Environment for ProcessEnvironment {
    fn get(&self, name: &str) -> Option<String> {
        std::env::var(name).ok()
    }

    fn all(&self) -> Vec<(String, String)> {
        let text = |os: std::ffi::OsString| os.into_string().ok();
        std::env::vars_os()
            .filter_map(|(key, value)| Some((text(key)?, text(value)?)))
            .collect()
    }
}

impl Environment for BTreeMap<String, String> {
    fn get(&self, name: &str) -> Option<String> {
        BTreeMap::get(self, name).cloned()
    }

    fn all(&self) -> Vec<(String, String)> {
        self.iter()
            .map(|(key, value)| (key.clone(), value.clone()))
            .collect()
    }
}

/// Puts the variables over `config`.
pub(super) fn overlay(config: &mut Map<String, Value>, environment: &dyn Environment) {
    for (name, value) in environment.all() {
        let Some(path) = name.strip_prefix(PREFIX) else {
            continue;
        };
        let path: Vec<_> = path.split("__").map(str::to_lowercase).collect();
        put(config, &path, value);
    }
}

/// Truth values and lists as JSON writes them; everything else is text, and numbers
/// are read from it.
fn typed(value: String) -> Value {
    match serde_json::from_str(&value) {
        Ok(typed @ (Value::Bool(_) | Value::Array(_))) => typed,
        _ => Value::String(value),
    }
}

fn put(object: &mut Map<String, Value>, path: &[String], value: String) {
    match path {
        [] => {}
        [key] => {
            object.insert(key.clone(), typed(value));
        }
        [key, rest @ ..] => {
            let inner = object
                .entry(key.clone())
                .or_insert_with(|| Value::Object(Map::new()));
            if !inner.is_object() {
                *inner = Value::Object(Map::new());
            }
            if let Value::Object(inner) = inner {
                put(inner, rest, value);
            }
        }
    }
}
