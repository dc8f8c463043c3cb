//! Compares a response with the recorded one: the same status, the same keys and types
//! at each level, the same texts, numbers and booleans.

use serde_json::{Map, Value};

use super::{
    additions::{self, Additions},
    cases::{Content, Reply},
    names::Names,
    redaction::{is_free_number, is_id, same_text},
};

/// One comparison.
#[derive(Debug)]
pub(crate) struct Comparison<'a> {
    /// Learns the ids that occur.
    pub(crate) names: &'a mut Names,
    /// The additions that were seen.
    pub(crate) additions: &'a mut Additions,
    differences: Vec<String>,
}

/// The differences between `ours` and `expected`.
pub(crate) fn differences(
    expected: Option<&Reply>,
    ours: &Reply,
    names: &mut Names,
    additions: &mut Additions,
) -> Vec<String> {
    let mut comparison = Comparison {
        names,
        additions,
        differences: Vec::new(),
    };
    comparison.reply(expected, ours);
    comparison.differences
}

impl Comparison<'_> {
    fn differ(&mut self, at: &str, expected: &impl ToString, ours: &impl ToString) {
        let (expected, ours) = (expected.to_string(), ours.to_string());
        self.differences
            .push(format!("{at}: expected {expected}, is {ours}"));
    }

    fn reply(&mut self, expected: Option<&Reply>, ours: &Reply) {
        let Some(expected) = expected else {
            self.differ("answer", &"none", &ours.status);
            return;
        };
        if expected.status != ours.status {
            self.differ("status", &expected.status, &ours.status);
        }
        match (&expected.content, &ours.content) {
            (Content::Json(expected), Content::Json(ours)) => self.value("", "", expected, ours),
            (expected, ours) if expected == ours => {}
            (expected, ours) => {
                self.differ("body", &format!("{expected:?}"), &format!("{ours:?}"));
            }
        }
    }

    fn value(&mut self, at: &str, key: &str, expected: &Value, ours: &Value) {
        match (expected, ours) {
            (Value::Object(expected), Value::Object(ours)) => self.object(at, expected, ours),
            (Value::Array(expected), Value::Array(ours)) => {
                if expected.len() != ours.len() {
                    let count = |items: &[Value]| format!("{} items", items.len());
                    self.differ(at, &count(expected), &count(ours));
                }
                for (n, (expected, ours)) in expected.iter().zip(ours).enumerate() {
                    self.value(&format!("{at}[{n}]"), key, expected, ours);
                }
            }
            (Value::String(expected), Value::String(ours)) => self.text(at, key, expected, ours),
            (Value::Number(_), Value::Number(_)) if is_free_number(key) => {}
            (expected, ours) if expected == ours => {}
            (expected, ours) => self.differ(at, expected, ours),
        }
    }

    fn text(&mut self, at: &str, key: &str, expected: &str, ours: &str) {
        if is_id(expected) && is_id(ours) && (key == "id" || key == "jobId") {
            let known = self.names.meet(expected, ours).to_owned();
            if known != ours {
                self.differ(at, &known, &ours);
            }
            return;
        }
        let expected = self.names.text(expected);
        if !same_text(key, &expected, ours) {
            self.differ(at, &expected, &ours);
        }
    }

    fn object(&mut self, at: &str, expected: &Map<String, Value>, ours: &Map<String, Value>) {
        let mut keys = Vec::new();
        // The id first, because the other texts contain it.
        let (ids, others): (Vec<_>, Vec<_>) = expected.iter().partition(|(key, _)| *key == "id");
        for (recorded, value) in ids.into_iter().chain(others) {
            let key = self.names.text(recorded);
            let at = format!("{at}.{key}");
            match ours.get(&key) {
                Some(ours) => self.value(&at, recorded, value, ours),
                None => self.differ(&at, value, &"missing"),
            }
            keys.push(key);
        }
        for (key, value) in ours.iter().filter(|(key, _)| !keys.contains(key)) {
            match additions::find(expected, key) {
                Some(addition) => self.additions.met(addition),
                None => self.differ(&format!("{at}.{key}"), &"no such key", value),
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    fn differing(expected: Value, ours: Value) -> Vec<String> {
        let reply = |value| Reply {
            status: 200,
            content: Content::Json(value),
        };
        let mut names = Names::default();
        names.add("old", "new");
        differences(
            Some(&reply(expected)),
            &reply(ours),
            &mut names,
            &mut Additions::default(),
        )
    }

    #[test]
    fn the_same() {
        for (expected, ours) in [
            (
                json!({"a": [1, "x", null, true]}),
                json!({"a": [1, "x", null, true]}),
            ),
            (json!({"old": "an old name"}), json!({"new": "an new name"})),
            (
                json!({"id": "1795457551sZyxD", "m": "job [1795457551sZyxD]"}),
                json!({"id": "1800000000abcde", "m": "job [1800000000abcde]"}),
            ),
            (json!([{"id": 384}]), json!([{"id": 1}])),
            (
                json!({"error": "e"}),
                json!({"error": "e", "messages": ["e"]}),
            ),
        ] {
            assert_eq!(differing(expected, ours), [""; 0]);
        }
    }

    #[test]
    fn each_difference_is_seen() {
        for (expected, ours, words) in [
            (json!({"a": 1}), json!({}), ".a: expected 1, is missing"),
            (json!({}), json!({"a": 1}), ".a: expected no such key, is 1"),
            (json!({"a": 1}), json!({"a": 2}), ".a: expected 1, is 2"),
            (
                json!({"a": 1}),
                json!({"a": "1"}),
                ".a: expected 1, is \"1\"",
            ),
            (
                json!({"a": null}),
                json!({"a": "x"}),
                ".a: expected null, is \"x\"",
            ),
            (json!([1]), json!([]), ": expected 1 items, is 0 items"),
            (
                json!([true]),
                json!([false]),
                "[0]: expected true, is false",
            ),
            (json!({"a": "x"}), json!({"a": "y"}), ".a: expected x, is y"),
            (
                json!([{"id": "1795457551sZyxD"}, {"id": "1795457551sZyxD"}]),
                json!([{"id": "1800000000abcde"}, {"id": "1800000000other"}]),
                "[1].id: expected 1800000000abcde, is 1800000000other",
            ),
        ] {
            assert_eq!(differing(expected, ours), [words]);
        }
    }

    #[test]
    fn no_answer_and_other_media_are_differences() {
        let text = |media: &str| Reply {
            status: 200,
            content: Content::read(media, "{}"),
        };
        let (mut names, mut additions) = (Names::default(), Additions::default());
        let mut compare = |expected: Option<&Reply>, ours: &Reply| {
            differences(expected, ours, &mut names, &mut additions).len()
        };
        assert_eq!(compare(None, &text("application/json; charset=utf-8")), 1);
        assert_eq!(
            compare(
                Some(&text("text/html")),
                &text("application/json; charset=utf-8")
            ),
            1
        );
    }
}
