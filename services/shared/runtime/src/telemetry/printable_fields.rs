//! Fields of events and spans for people. They hold what users and programs have
//! written, and are read on the operator's terminal: one line each, and nothing that
//! a terminal would obey.

use std::fmt;

use compute_domain::printable::printable;
use tracing_subscriber::{
    field::RecordFields,
    fmt::{
        FormatFields,
        format::{DefaultFields, Writer},
    },
};

pub(super) struct PrintableFields;

impl<'writer> FormatFields<'writer> for PrintableFields {
    fn format_fields<R: RecordFields>(
        &self,
        mut writer: Writer<'writer>,
        fields: R,
    ) -> fmt::Result {
        let mut written = String::new();
        DefaultFields::new().format_fields(Writer::new(&mut written), fields)?;
        writer.write_str(&printable(&written, false))
    }
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use tracing_subscriber::layer::SubscriberExt as _;

    use super::*;

    #[test]
    fn a_line_of_the_log_is_one_line_and_harmless() {
        let hostile = "alice\u{1b}[31m\u{9b}2J\u{7f}\u{202e}\n2026-11-26 INFO forged";
        let written = tempfile::NamedTempFile::new().unwrap();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(Arc::new(written.reopen().unwrap()))
            .with_ansi(false)
            .fmt_fields(PrintableFields);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || {
            let _inside = tracing::info_span!("request", user.id = hostile).entered();
            tracing::warn!(said = %hostile, also = hostile, "{hostile}");
        });
        let text = fs::read_to_string(written.path()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        let is_hidden = compute_domain::printable::is_hidden;
        assert!(!line.chars().any(is_hidden), "{line:?}");
        assert_eq!(line.matches("forged").count(), 4, "{line}");
    }
}
