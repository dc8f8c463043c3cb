//! The output of a command, for people and for programs.

use std::io::IsTerminal as _;

use comfy_table::{ContentArrangement, Table, presets};
use compute_domain::printable::printable_json;
use serde_json::{Value, json};

pub(crate) use compute_domain::printable::printable;

/// The output of a command.
#[derive(Debug, Clone, PartialEq)]
pub struct Output {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
    /// Whether the command succeeded; decides the exit code.
    pub is_good: bool,
}

impl Output {
    /// The output of a command that succeeded.
    pub(crate) fn good(json: Value, text: impl Into<String>) -> Self {
        Self {
            json,
            text: text.into(),
            is_good: true,
        }
    }
}

/// Rows under a header; on a terminal as wide as it is, else as wide as needed.
pub(crate) fn table<const N: usize>(header: [&str; N], rows: Vec<[String; N]>) -> String {
    let mut table = Table::new();
    table
        .load_style(presets::NOTHING)
        .set_header(header.map(str::to_uppercase));
    let arrangement = if std::io::stdout().is_terminal() {
        ContentArrangement::Dynamic
    } else {
        ContentArrangement::Disabled
    };
    table.set_content_arrangement(arrangement);
    for row in rows {
        table.add_row(row.map(|cell| printable(&cell, false)));
    }
    table.trim_fmt()
}

/// What is written of `outcome`, for programs or for people. Names, logs and manifests
/// are others': nothing in it is obeyed by a terminal, or hidden.
pub fn shown(outcome: &anyhow::Result<Output>, for_programs: bool) -> String {
    match outcome {
        Ok(answer) if for_programs => printable_json(&format!("{:#}", answer.json)),
        Ok(answer) => printable(answer.text.trim_end(), true),
        Err(error) if for_programs => {
            printable_json(&format!("{:#}", json!({"error": format!("{error:#}")})))
        }
        Err(error) => printable(&format!("error: {error:#}"), true),
    }
}

#[cfg(test)]
mod tests {
    use compute_domain::printable::is_hidden;

    use super::*;

    #[test]
    fn a_table_is_rows_of_columns() {
        let rows = vec![
            ["a".to_owned(), "1".to_owned()],
            ["long name".to_owned(), "2".to_owned()],
        ];
        let text = table(["name", "count"], rows);
        let words: Vec<Vec<_>> = text
            .lines()
            .map(|line| line.split_whitespace().collect())
            .collect();
        assert_eq!(
            words,
            [
                vec!["NAME", "COUNT"],
                vec!["a", "1"],
                vec!["long", "name", "2"]
            ]
        );
    }

    #[test]
    fn a_terminal_obeys_nothing_whatever_is_said() {
        let hostile = "\u{1b}[31mX\u{9b}2J\u{7f}\u{202e}\u{200b}";
        let harmless = "\\u{1b}[31mX\\u{9b}2J\\u{7f}\\u{202e}\\u{200b}";
        let good = Output::good(json!({"name": hostile}), format!("{hostile}\n{hostile}\n"));
        let bad = || Err(anyhow::anyhow!("{hostile}").context(hostile));
        assert_eq!(
            shown(&Ok(good.clone()), false),
            format!("{harmless}\n{harmless}")
        );
        assert_eq!(
            shown(&bad(), false),
            format!("error: {harmless}: {harmless}")
        );
        assert!(table(["a"], vec![[format!("{hostile}\nb")]]).contains(&format!("{harmless}\\nb")));
        for (outcome, key, said) in [
            (Ok(good), "name", hostile.to_owned()),
            (bad(), "error", format!("{hostile}: {hostile}")),
        ] {
            let text = shown(&outcome, true);
            assert!(!text.chars().any(|c| c != '\n' && is_hidden(c)), "{text:?}");
            let read: Value = serde_json::from_str(&text).unwrap();
            assert_eq!(read[key], json!(said));
        }
    }
}
