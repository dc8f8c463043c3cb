//! Reads the keys of one JSON object. A wrong value is reported and reading goes
//! on, so that all mistakes are found; a key that nobody asked for is unknown.

use std::{cell::RefCell, collections::BTreeSet, ops::RangeInclusive};

use secrecy::SecretString;
use serde_json::{Map, Value};

use super::mistake::Report;

/// One object of one file.
pub(super) struct Reader<'a> {
    file: &'static str,
    prefix: String,
    object: &'a Map<String, Value>,
    report: &'a mut Report,
    asked: RefCell<BTreeSet<String>>,
}

impl<'a> Reader<'a> {
    pub(super) fn root(
        file: &'static str,
        object: &'a Map<String, Value>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            file,
            prefix: String::new(),
            object,
            report,
            asked: RefCell::default(),
        }
    }

    pub(super) fn entry(
        file: &'static str,
        name: &str,
        object: &'a Map<String, Value>,
        report: &'a mut Report,
    ) -> Self {
        Self {
            file,
            prefix: format!("{name}."),
            object,
            report,
            asked: RefCell::default(),
        }
    }

    /// Reads the object at `key` with a reader of its own; an absent one as empty.
    pub(super) fn inside<T>(&mut self, key: &str, read: impl FnOnce(&mut Reader<'_>) -> T) -> T {
        let empty = Map::new();
        let object = match self.get(key) {
            None => &empty,
            Some(Value::Object(object)) => object,
            Some(_) => {
                self.wrong(key, "must be an object");
                &empty
            }
        };
        let mut reader = Reader {
            file: self.file,
            prefix: format!("{}{key}.", self.prefix),
            object,
            report: self.report,
            asked: RefCell::default(),
        };
        let value = read(&mut reader);
        reader.warn_of_unknown_keys();
        value
    }

    /// The value at `key`; `null` is absent.
    pub(super) fn get(&self, key: &str) -> Option<&'a Value> {
        self.asked.borrow_mut().insert(key.to_owned());
        self.object.get(key).filter(|value| !value.is_null())
    }

    pub(super) fn object(&self) -> &'a Map<String, Value> {
        self.object
    }

    pub(super) fn wrong(&mut self, key: &str, reason: &str) {
        self.report
            .mistake(self.file, &format!("{}{key}", self.prefix), reason);
    }

    fn typed<T>(
        &mut self,
        key: &str,
        what: &str,
        read: impl FnOnce(&Value) -> Option<T>,
    ) -> Option<T> {
        let value = self.get(key)?;
        let read = read(value);
        if read.is_none() {
            self.wrong(key, &format!("must be {what}, is {value}"));
        }
        read
    }

    fn needed<T>(&mut self, key: &str, value: Option<T>) -> Option<T> {
        if value.is_none() && self.get(key).is_none() {
            self.wrong(key, "is missing");
        }
        value
    }

    pub(super) fn text(&mut self, key: &str) -> Option<String> {
        self.typed(key, "text", |value| value.as_str().map(str::to_owned))
    }

    /// A text that no message may repeat, whatever is wrong with it.
    pub(super) fn secret(&mut self, key: &str) -> Option<SecretString> {
        let value = self.get(key)?;
        let secret = value
            .as_str()
            .map(|text| SecretString::from(text.to_owned()));
        if secret.is_none() {
            self.wrong(key, "must be text");
        }
        secret
    }

    pub(super) fn needed_text(&mut self, key: &str) -> Option<String> {
        let text = self.text(key);
        if text.as_deref() == Some("") {
            self.wrong(key, "must not be empty");
        }
        self.needed(key, text)
    }

    pub(super) fn flag(&mut self, key: &str) -> Option<bool> {
        self.typed(key, "true or false", Value::as_bool)
    }

    pub(super) fn needed_flag(&mut self, key: &str) -> Option<bool> {
        let flag = self.flag(key);
        self.needed(key, flag)
    }

    pub(super) fn number(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let what = format!("a number from {} to {}", range.start(), range.end());
        // The environment gives text.
        let read = |value: &Value| {
            value
                .as_u64()
                .or_else(|| value.as_str()?.parse().ok())
                .filter(|n| range.contains(n))
        };
        self.typed(key, &what, read)
    }

    pub(super) fn needed_number(&mut self, key: &str, range: RangeInclusive<u64>) -> Option<u64> {
        let number = self.number(key, range);
        self.needed(key, number)
    }

    pub(super) fn texts(&mut self, key: &str) -> Vec<String> {
        let list = self.typed(key, "a list of texts", |value| {
            value
                .as_array()?
                .iter()
                .map(|item| item.as_str().map(str::to_owned))
                .collect()
        });
        list.unwrap_or_default()
    }

    pub(super) fn map(&mut self, key: &str) -> Map<String, Value> {
        self.typed(key, "an object", |value| value.as_object().cloned())
            .unwrap_or_default()
    }

    /// An object of texts.
    pub(super) fn text_map(&mut self, key: &str) -> std::collections::BTreeMap<String, String> {
        let map = self.typed(key, "an object of texts", |value| {
            let entries = value.as_object()?.iter();
            entries
                .map(|(key, value)| Some((key.clone(), value.as_str()?.to_owned())))
                .collect()
        });
        map.unwrap_or_default()
    }

    /// One of some words.
    pub(super) fn choice<T: Copy>(&mut self, key: &str, choices: &[(&str, T)]) -> Option<T> {
        let words: Vec<_> = choices.iter().map(|(word, _)| *word).collect();
        let what = format!("one of {}", words.join(", "));
        self.typed(key, &what, |value| {
            choices
                .iter()
                .find(|(word, _)| value.as_str() == Some(word))
                .map(|(_, choice)| *choice)
        })
    }

    /// Keys that are known and need no reading.
    pub(super) fn ignore(&self, keys: &[&str]) {
        self.asked
            .borrow_mut()
            .extend(keys.iter().map(|&key| key.to_owned()));
    }

    pub(super) fn warn_of_unknown_keys(&mut self) {
        let asked = self.asked.borrow();
        for key in self.object.keys().filter(|key| !asked.contains(*key)) {
            let key = format!("{}{key}", self.prefix);
            self.report
                .warning(self.file, &key, "is unknown and has no effect");
        }
    }
}
