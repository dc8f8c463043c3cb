//! What a command answers: for people and for programs.

use std::io::IsTerminal as _;

use comfy_table::{ContentArrangement, Table, presets};
use serde_json::Value;

/// An answer.
#[derive(Debug, Clone, PartialEq)]
pub struct Answer {
    /// For programs.
    pub json: Value,
    /// For people.
    pub text: String,
    /// Whether all is well; decides the exit code.
    pub is_good: bool,
}

impl Answer {
    /// An answer that says that all is well.
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

/// Text without what a terminal would obey: users choose names, programs write
/// logs.
pub(crate) fn printable(text: &str, keep_lines: bool) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if keep_lines => clean.push(c),
            c if c.is_control() => clean.extend(c.escape_default()),
            c => clean.push(c),
        }
    }
    clean
}

#[cfg(test)]
mod tests {
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
    fn a_terminal_obeys_nothing() {
        assert_eq!(printable("a\x1b[2J\nb", false), "a\\u{1b}[2J\\nb");
        assert_eq!(printable("a\r\n\tb\u{9b}1m", true), "a\\r\n\tb\\u{9b}1m");
    }
}
