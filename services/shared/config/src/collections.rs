//! `globus_collections` of `config.json`: collections that all users may name.

use compute_domain::site::OpenCollection;
use serde_json::Value;

use super::reader::Reader;

const KEY: &str = "globus_collections";

pub(super) fn read(r: &mut Reader<'_>) -> Vec<OpenCollection> {
    let entries = match r.get(KEY) {
        None => return Vec::new(),
        Some(Value::Array(entries)) => entries,
        Some(_) => {
            r.wrong(KEY, "must be a list of objects with id and path");
            return Vec::new();
        }
    };
    let read = entries.iter().map(collection);
    let (good, wrong): (Vec<_>, Vec<_>) = read.partition(Result::is_ok);
    for reason in wrong.into_iter().filter_map(Result::err) {
        r.wrong(KEY, &reason);
    }
    good.into_iter().flatten().collect()
}

fn collection(entry: &Value) -> Result<OpenCollection, String> {
    let text = |key: &str| match entry.get(key) {
        None | Some(Value::Null) => Ok(None),
        Some(Value::String(text)) => Ok(Some(text.clone())),
        Some(other) => Err(format!("{key} must be text, is {other}")),
    };
    let known = ["id", "path", "comment"];
    let unknown = |key: &&String| !known.contains(&key.as_str());
    if let Some(key) = entry
        .as_object()
        .and_then(|entry| entry.keys().find(unknown))
    {
        return Err(format!(
            "an entry has the unknown key {key}: there are id, path and comment"
        ));
    }
    let id = text("id")?.filter(|id| !id.trim().is_empty());
    let id = id.ok_or_else(|| format!("an entry must be an object with an id, is {entry}"))?;
    let path = text("path")?;
    if let Some(path) = path.as_ref().filter(|path| !is_folder(path)) {
        return Err(format!("path {path:?} must be absolute and without .."));
    }
    Ok(OpenCollection { id, path })
}

fn is_folder(path: &str) -> bool {
    path.starts_with('/') && !path.split('/').any(|part| part == "..")
}
