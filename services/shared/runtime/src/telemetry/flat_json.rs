//! One JSON object a line, with the fields of the spans around an event beside its
//! own: `.["job.id"]` finds a job's lines, whoever wrote them. Of fields with the
//! same name the innermost counts.

use std::fmt;

use compute_domain::printable::printable_json;
use serde_json::{Map, Value, json};
use tracing::{Event, Subscriber};
use tracing_subscriber::{
    fmt::{
        FmtContext, FormatEvent, FormatFields, FormattedFields,
        format::{JsonFields, Writer},
        time::{FormatTime as _, SystemTime},
    },
    registry::{LookupSpan, Scope},
};

pub(super) struct FlatJson;

impl<S> FormatEvent<S, JsonFields> for FlatJson
where
    S: Subscriber + for<'a> LookupSpan<'a>,
{
    fn format_event(
        &self,
        context: &FmtContext<'_, S, JsonFields>,
        mut writer: Writer<'_>,
        event: &Event<'_>,
    ) -> fmt::Result {
        let mut line = Map::new();
        let mut now = String::new();
        SystemTime.format_time(&mut Writer::new(&mut now))?;
        line.insert("timestamp".to_owned(), json!(now));
        let metadata = event.metadata();
        line.insert("level".to_owned(), json!(metadata.level().as_str()));
        line.insert("target".to_owned(), json!(metadata.target()));
        for span in context.event_scope().into_iter().flat_map(Scope::from_root) {
            if let Some(fields) = span.extensions().get::<FormattedFields<JsonFields>>() {
                line.extend(fields_of(fields));
            }
        }
        let mut own = String::new();
        context.format_fields(Writer::new(&mut own), event)?;
        line.extend(fields_of(&own));
        writeln!(
            writer,
            "{}",
            printable_json(&Value::Object(line).to_string())
        )
    }
}

/// What [`JsonFields`] has written; nothing if there is no field.
fn fields_of(written: &str) -> Map<String, Value> {
    serde_json::from_str(written).unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{fs, sync::Arc};

    use tracing::field::Empty;
    use tracing_subscriber::{Layer as _, filter::FilterExt as _, layer::SubscriberExt as _};

    use super::*;

    fn lines_of(filter: &str, speak: impl FnOnce()) -> Vec<Value> {
        let written = tempfile::NamedTempFile::new().unwrap();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(Arc::new(written.reopen().unwrap()))
            .fmt_fields(JsonFields::new())
            .event_format(FlatJson);
        let filter = tracing_subscriber::EnvFilter::new(filter).or(compute_trace::spans());
        let subscriber = tracing_subscriber::registry()
            .with(compute_trace::layer())
            .with(lines.with_filter(filter));
        tracing::subscriber::with_default(subscriber, speak);
        let text = fs::read_to_string(written.path()).unwrap();
        text.lines()
            .map(|line| serde_json::from_str(line).unwrap())
            .collect()
    }

    #[test]
    fn fields_of_spans_are_beside_the_event() {
        let lines = lines_of("info", || {
            let request = tracing::info_span!("request", request.id = "r", job.id = Empty, n = 1);
            let _in_request = request.enter();
            tracing::info!("before");
            request.record("job.id", "a\"b\n");
            let _inner = tracing::info_span!("step", n = 2).entered();
            tracing::warn!(status = 200, "after");
        });
        assert_eq!(lines[0]["message"], "before");
        assert_eq!((&lines[0]["n"], lines[0].get("job.id")), (&json!(1), None));
        let after = &lines[1];
        assert_eq!(after["level"], "WARN");
        assert_eq!(
            (&after["request.id"], &after["n"]),
            (&json!("r"), &json!(2))
        );
        assert_eq!(
            (&after["job.id"], &after["status"]),
            (&json!("a\"b\n"), &json!(200))
        );
    }

    #[test]
    fn a_strict_filter_leaves_the_ids() {
        let lines = lines_of("warn", || {
            let _in_job = compute_trace::job("1").entered();
            tracing::info!("not shown");
            tracing::warn!("shown");
        });
        assert_eq!(lines.len(), 1, "{lines:?}");
        assert_eq!(
            (&lines[0]["message"], &lines[0]["job.id"]),
            (&json!("shown"), &json!("1"))
        );
    }

    #[test]
    fn a_terminal_obeys_nothing_and_a_program_reads_what_was_said() {
        let hostile = "a\u{1b}[2J\u{9b}1m\u{7f}\u{202e}b\nc";
        let written = tempfile::NamedTempFile::new().unwrap();
        let lines = tracing_subscriber::fmt::layer()
            .with_writer(Arc::new(written.reopen().unwrap()))
            .fmt_fields(JsonFields::new())
            .event_format(FlatJson);
        let subscriber = tracing_subscriber::registry().with(lines);
        tracing::subscriber::with_default(subscriber, || tracing::info!(said = hostile, "x"));
        let text = fs::read_to_string(written.path()).unwrap();
        let line = text.strip_suffix('\n').unwrap();
        assert!(
            !line.chars().any(compute_domain::printable::is_hidden),
            "{line:?}"
        );
        assert_eq!(
            serde_json::from_str::<Value>(line).unwrap()["said"],
            hostile
        );
    }
}
