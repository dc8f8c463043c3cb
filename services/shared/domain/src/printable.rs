//! Text for terminals. Users choose names, programs write logs, and templates come
//! with manifests: what a terminal would obey, or would not show, is shown escaped.

use std::fmt::Write as _;

/// `text` with every character escaped that [`is_hidden`]: `\u{1b}`. With
/// `keep_lines`, line feeds and tabs stay.
pub fn printable(text: &str, keep_lines: bool) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        match c {
            '\n' | '\t' if keep_lines => shown.push(c),
            c if c.is_control() => shown.extend(c.escape_default()),
            c if is_hidden(c) => shown.extend(c.escape_unicode()),
            c => shown.push(c),
        }
    }
    shown
}

/// JSON text with the same characters escaped as JSON has it (RFC 8259, 7): what a
/// program reads is unchanged. Line feeds stay: in JSON they only stand between
/// values.
pub fn printable_json(text: &str) -> String {
    let mut shown = String::with_capacity(text.len());
    for c in text.chars() {
        if c == '\n' || !is_hidden(c) {
            shown.push(c);
            continue;
        }
        for unit in c.encode_utf16(&mut [0; 2]) {
            // Writing to a text does not fail.
            let _ = write!(shown, "\\u{unit:04x}");
        }
    }
    shown
}

/// Whether a terminal obeys `c` (C0 and C1 controls, DEL), reorders text because of
/// it (Unicode Standard Annex #9), or shows nothing in its place.
pub fn is_hidden(c: char) -> bool {
    let is_format = matches!(c,
        '\u{ad}' | '\u{34f}' | '\u{61c}' | '\u{115f}'..='\u{1160}' | '\u{17b4}'..='\u{17b5}'
        | '\u{180b}'..='\u{180f}' | '\u{200b}'..='\u{200f}' | '\u{2028}'..='\u{202e}'
        | '\u{2060}'..='\u{206f}' | '\u{3164}' | '\u{feff}' | '\u{ffa0}'
        | '\u{fff9}'..='\u{fffb}' | '\u{e0000}'..='\u{e0fff}');
    c.is_control() || is_format
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn a_terminal_obeys_nothing() {
        for (text, shown) in [
            ("a\x1b[2J\nb", "a\\u{1b}[2J\\nb"),
            ("\x1b]0;title\x07", "\\u{1b}]0;title\\u{7}"),
            ("\u{9b}1m\u{7f}\u{85}", "\\u{9b}1m\\u{7f}\\u{85}"),
            ("ab\u{202e}dc", "ab\\u{202e}dc"),
            ("\u{2066}a\u{2069}\u{61c}", "\\u{2066}a\\u{2069}\\u{61c}"),
            ("al\u{200b}ice\u{feff}", "al\\u{200b}ice\\u{feff}"),
            ("a\u{e0041}\u{ad}", "a\\u{e0041}\\u{ad}"),
            ("zwölf 日本語 🦀", "zwölf 日本語 🦀"),
        ] {
            assert_eq!(printable(text, false), shown, "{text:?}");
        }
        assert_eq!(printable("a\r\n\tb\u{9b}", true), "a\\r\n\tb\\u{9b}");
    }

    proptest! {
        #[test]
        fn nothing_hidden_is_left(text in any::<String>()) {
            let shown = printable(&text, false);
            prop_assert!(!shown.chars().any(is_hidden));
            prop_assert_eq!(printable(&shown, true), shown);
        }

        #[test]
        fn a_program_reads_what_was_written(text in any::<String>()) {
            let written = serde_json::json!({"text": text, "more": ["\u{202e}\u{e0041}\u{9b}"]});
            let shown = printable_json(&format!("{written:#}"));
            prop_assert!(!shown.chars().any(|c| c != '\n' && is_hidden(c)));
            prop_assert_eq!(serde_json::from_str::<serde_json::Value>(&shown).unwrap(), written);
        }
    }
}
