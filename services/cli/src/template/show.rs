//! Templates as the operator reads them.

use compute_db::Template;
use compute_domain::Timestamp;
use serde_json::{Value, json};

use super::{TemplateCommands, runnable::Verified};
use crate::Output;

impl TemplateCommands {
    /// What was done, and what users would stumble over.
    pub(super) fn done(&self, template: &Template, verified: &Verified, what: &str) -> Output {
        let Verified { snapshot, manifest } = verified;
        let more = [
            ("name", json!(manifest.name)),
            ("commit", json!(snapshot.sha)),
        ];
        let entry = row(template, more);
        let mut lines = vec![format!(
            "template {} ({:?}) has been {what}, at commit {}{}",
            template.id,
            manifest.name,
            abbreviated(&snapshot.sha),
            if template.sha.is_some() {
                ", pinned"
            } else {
                ""
            },
        )];
        if !template.is_approved {
            lines.push(format!(
                "users do not see it yet: `template approve {}`",
                template.id
            ));
        }
        let mut warnings = self.warnings(manifest);
        warnings.extend(self.unapproved(template, manifest));
        lines.extend(warnings.iter().map(|warning| format!("warning: {warning}")));
        Output::good(
            json!({"template": entry, "warnings": warnings}),
            lines.join("\n"),
        )
    }
}

/// The row, and what is known beyond it.
pub(super) fn row<const N: usize>(template: &Template, more: [(&str, Value); N]) -> Value {
    let own = [
        ("id", json!(template.id)),
        ("address", json!(template.address)),
        ("sha", json!(template.sha)),
        ("isApproved", json!(template.is_approved)),
        ("isRawApproved", json!(template.is_raw_approved)),
        ("isMpiApproved", json!(template.is_mpi_approved)),
        ("createdAt", json!(template.created_at.to_iso())),
        (
            "updatedAt",
            json!(template.updated_at.map(Timestamp::to_iso)),
        ),
    ];
    own.into_iter()
        .chain(more)
        .map(|(key, value)| (key.to_owned(), value))
        .collect()
}

/// As git abbreviates it for people.
pub(super) fn abbreviated(sha: &str) -> String {
    sha.chars().take(12).collect()
}

/// What a template is approved for, in a word or two.
pub(super) fn approvals(template: &Template) -> &'static str {
    match (template.is_raw_approved, template.is_mpi_approved) {
        _ if !template.is_approved => "no",
        (false, false) => "yes",
        (true, false) => "yes, raw too",
        (false, true) => "yes, MPI too",
        (true, true) => "yes, raw and MPI too",
    }
}
