//! Names that differ from the recorded ones: hosts, tokens, folders, ids.

use std::collections::BTreeMap;

use base64::{Engine as _, prelude::BASE64_STANDARD};
use serde_json::Value;

/// Recorded names and ours.
#[derive(Debug, Clone, Default)]
pub(crate) struct Names {
    /// The longest first, so that none is replaced within another.
    fixed: Vec<(String, String)>,
    /// Of jobs and folders.
    ids: BTreeMap<String, String>,
}

impl Names {
    /// Maps `recorded` to `ours`.
    pub(crate) fn add(&mut self, recorded: &str, ours: &str) {
        self.fixed.push((recorded.to_owned(), ours.to_owned()));
        self.fixed
            .sort_by_key(|(recorded, _)| usize::MAX - recorded.len());
    }

    /// A caller's token, in all forms in which the recording has it.
    pub(crate) fn add_token(&mut self, (host, token): (&str, &str), ours: (&str, &str)) {
        let encoded = |host: &str, token: &str| BASE64_STANDARD.encode(format!("{host}@{token}"));
        let in_form = |encoded: &str| encoded.replace('=', "%3D").replace('+', "%2B");
        let (recorded, ours) = (encoded(host, token), encoded(ours.0, ours.1));
        if recorded.contains('=') {
            self.add(&in_form(&recorded), &in_form(&ours));
        }
        self.add(&recorded, &ours);
    }

    /// Maps a recorded id to ours.
    pub(crate) fn bind(&mut self, recorded: &str, ours: &str) {
        self.ids.insert(recorded.to_owned(), ours.to_owned());
    }

    /// Our id for a recorded one. An id that is new is mapped to `ours`.
    pub(crate) fn meet(&mut self, recorded: &str, ours: &str) -> &str {
        self.ids
            .entry(recorded.to_owned())
            .or_insert_with(|| ours.to_owned())
    }

    /// A recorded text with our names.
    pub(crate) fn text(&self, recorded: &str) -> String {
        let fixed = self.fixed.iter().map(|(recorded, ours)| (recorded, ours));
        fixed
            .chain(&self.ids)
            .fold(recorded.to_owned(), |text, (recorded, ours)| {
                text.replace(recorded, ours)
            })
    }

    /// A recorded value with our names.
    pub(crate) fn value(&self, recorded: &Value) -> Value {
        match recorded {
            Value::String(text) => Value::String(self.text(text)),
            Value::Array(items) => items.iter().map(|item| self.value(item)).collect(),
            Value::Object(fields) => fields
                .iter()
                .map(|(key, value)| (self.text(key), self.value(value)))
                .collect(),
            other => other.clone(),
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn names_in_every_form() {
        let mut names = Names::default();
        names.add("127.0.0.1:8000", "127.0.0.1:4711");
        names.add("/hpc", "/tmp/wrong");
        names.add("/hpc/scratch", "/tmp/scratch");
        names.add_token(
            ("127.0.0.1:8000", "alicetoken"),
            ("127.0.0.1:4711", "secret"),
        );
        let ours = BASE64_STANDARD.encode("127.0.0.1:4711@secret");
        assert_eq!(names.text("MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg=="), ours);
        assert_eq!(
            names.text("t=MTI3LjAuMC4xOjgwMDBAYWxpY2V0b2tlbg%3D%3D"),
            format!("t={}", ours.replace('=', "%3D"))
        );
        assert_eq!(
            names.meet("1795457551sZyxD", "1800000000abcde"),
            "1800000000abcde"
        );
        assert_eq!(names.meet("1795457551sZyxD", "other"), "1800000000abcde");
        assert_eq!(
            names
                .value(&json!({"alice@127.0.0.1:8000": ["/hpc/scratch/1795457551sZyxD", 1, null]})),
            json!({"alice@127.0.0.1:4711": ["/tmp/scratch/1800000000abcde", 1, null]})
        );
        names.bind("1795457551sZyxD", "2");
        assert_eq!(names.text("/job/1795457551sZyxD"), "/job/2");
    }
}
