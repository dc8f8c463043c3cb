//! The report of `/readyz`: the checks that decide about readiness, and informational ones.

use std::{collections::BTreeMap, future::Future, pin::Pin, sync::Arc, time::Duration};

use axum::{Json, http::StatusCode};
use futures::future::join_all;
use serde_json::{Value, json};

/// `Ok`, or a description of what is wrong.
pub type CheckResult = Result<(), String>;

type Later<T> = Pin<Box<dyn Future<Output = T> + Send>>;
type Probe = Arc<dyn Fn() -> Later<CheckResult> + Send + Sync>;
type Look = Arc<dyn Fn() -> Later<Vec<(String, CheckResult)>> + Send + Sync>;

/// Time limit of the informational checks; a response does not wait longer for them.
const INFORMATIONAL_TIMEOUT: Duration = Duration::from_secs(2);

/// The checks of a process, by name.
#[derive(Clone, Default)]
pub struct HealthChecks {
    needed: BTreeMap<&'static str, Probe>,
    notes: Vec<Look>,
}

impl HealthChecks {
    /// Adds a check that has to succeed before the process is ready.
    #[must_use]
    pub fn with<F>(
        mut self,
        name: &'static str,
        probe: impl Fn() -> F + Send + Sync + 'static,
    ) -> Self
    where
        F: Future<Output = CheckResult> + Send + 'static,
    {
        self.needed
            .insert(name, Arc::new(move || Box::pin(probe())));
        self
    }

    /// Adds checks that appear in the report and do not affect readiness: without such a
    /// part the process does less, and waits for it.
    #[must_use]
    pub fn informational<F>(mut self, look: impl Fn() -> F + Send + Sync + 'static) -> Self
    where
        F: Future<Output = Vec<(String, CheckResult)>> + Send + 'static,
    {
        self.notes.push(Arc::new(move || Box::pin(look())));
        self
    }

    pub(super) async fn report(self) -> (StatusCode, Json<Value>) {
        let needed = self.needed.into_iter();
        let needed = needed.map(async |(name, probe)| (name.to_owned(), probe().await));
        let notes = self.notes.into_iter().map(async |look| {
            let seen = tokio::time::timeout(INFORMATIONAL_TIMEOUT, look()).await;
            seen.unwrap_or_default()
        });
        let (needed, notes) = tokio::join!(join_all(needed), join_all(notes));
        let ready = needed.iter().all(|(_, finding)| finding.is_ok());
        let status = if ready {
            StatusCode::OK
        } else {
            StatusCode::SERVICE_UNAVAILABLE
        };
        let (parts, noted) = (shown(needed), shown(notes.into_iter().flatten()));
        let report = json!({"ready": ready, "parts": parts, "noted": noted});
        (status, Json(report))
    }
}

fn shown(findings: impl IntoIterator<Item = (String, CheckResult)>) -> BTreeMap<String, Value> {
    let shown = |(name, finding)| match finding {
        Ok(()) => (name, json!({"ok": true})),
        Err(detail) => (name, json!({"ok": false, "detail": detail})),
    };
    findings.into_iter().map(shown).collect()
}

#[cfg(test)]
mod tests {
    use std::future::ready;

    use super::*;

    fn finding(wrong: Option<&str>) -> CheckResult {
        wrong.map_or(Ok(()), |words| Err(words.to_owned()))
    }

    async fn report(database: Option<&'static str>, hpc: Option<&'static str>) -> (u16, Value) {
        let parts = HealthChecks::default()
            .with("database", move || ready(finding(database)))
            .informational(move || ready(vec![("hpc".to_owned(), finding(hpc))]));
        let (status, Json(report)) = parts.report().await;
        (status.as_u16(), report)
    }

    #[tokio::test]
    async fn what_is_needed_decides_and_what_is_noted_does_not() {
        let (status, report_of_all) = report(None, None).await;
        let well = json!({"ok": true});
        let expected = json!({"ready": true, "parts": {"database": well}, "noted": {"hpc": well}});
        assert_eq!((status, report_of_all), (200, expected));
        let (status, noted) = report(None, Some("refused")).await;
        assert_eq!((status, &noted["ready"]), (200, &json!(true)));
        assert_eq!(
            noted["noted"]["hpc"],
            json!({"ok": false, "detail": "refused"})
        );
        let (status, missed) = report(Some("away"), None).await;
        assert_eq!((status, &missed["ready"]), (503, &json!(false)));
        assert_eq!(missed["parts"]["database"]["detail"], "away");
    }

    #[tokio::test]
    async fn a_note_that_does_not_come_holds_nobody_up() {
        let parts = HealthChecks::default().informational(std::future::pending);
        let (status, Json(report)) = parts.report().await;
        assert_eq!((status.as_u16(), &report["noted"]), (200, &json!({})));
    }
}
