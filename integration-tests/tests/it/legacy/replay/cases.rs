//! The recorded requests and responses of the legacy server.

use std::{collections::BTreeMap, fs, path::Path};

use anyhow::Context as _;
use serde::Deserialize;
use serde_json::Value;

/// A request and its response.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Case {
    /// `NNN-what-it-is-about`; the numbers have gaps.
    #[serde(rename = "case")]
    pub(crate) name: String,
    pub(crate) request: Request,
    /// `None`: the connection was closed, or timed out.
    status: Option<u16>,
    content_type: Option<String>,
    body: Option<Value>,
    body_text: Option<String>,
}

/// The request.
#[derive(Debug, Clone, Deserialize)]
pub(crate) struct Request {
    pub(crate) method: String,
    pub(crate) path: String,
    #[serde(default)]
    pub(crate) headers: BTreeMap<String, String>,
    /// Sent as JSON.
    pub(crate) body: Option<Value>,
    /// Sent as it is.
    pub(crate) raw_body: Option<String>,
}

/// The response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) content: Content,
}

/// The body of a response.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Content {
    Json(Value),
    /// With its content type.
    Text {
        media: String,
        text: String,
    },
}

impl Content {
    /// A body of that content type.
    pub(crate) fn read(content_type: &str, text: &str) -> Self {
        match serde_json::from_str(text) {
            Ok(value) if content_type == "application/json; charset=utf-8" => Self::Json(value),
            _ => Self::Text {
                media: content_type.to_lowercase(),
                text: text.to_owned(),
            },
        }
    }
}

impl Case {
    /// The three digits.
    pub(crate) fn number(&self) -> &str {
        self.name.get(..3).unwrap_or_default()
    }

    /// The recorded response, if there was one.
    pub(crate) fn reply(&self) -> Option<Reply> {
        let media = self.content_type.as_deref().unwrap_or_default();
        let content = match &self.body {
            Some(body) => Content::Json(body.clone()),
            None => Content::read(media, self.body_text.as_deref().unwrap_or_default()),
        };
        Some(Reply {
            status: self.status?,
            content,
        })
    }
}

/// All recorded cases, in order.
///
/// # Errors
/// If the recording cannot be read.
pub(crate) fn all() -> anyhow::Result<Vec<Case>> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures/recorded/wire.jsonl");
    let lines = fs::read_to_string(path)?;
    lines
        .lines()
        .map(|line| serde_json::from_str(line).with_context(|| line.to_owned()))
        .collect()
}
