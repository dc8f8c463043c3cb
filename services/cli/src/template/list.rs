//! `template list`: all templates, as they are known on this machine.

use compute_db::Template;
use compute_domain::manifest::Manifest;
use compute_templates::Snapshot;
use serde_json::json;

use super::{
    TemplateCommands,
    show::{abbreviated, approvals, row},
};
use crate::{Output, output::table};

impl TemplateCommands {
    pub(super) async fn list(&self) -> anyhow::Result<Output> {
        let (mut entries, mut rows) = (Vec::new(), Vec::new());
        for template in self.store.templates().await? {
            let known = self.known(&template).await;
            let unapproved = known
                .as_ref()
                .ok()
                .and_then(|(_, manifest)| self.unapproved(&template, manifest));
            let (name, commit, problem) = match &known {
                Ok((commit, manifest)) => (
                    manifest.name.as_str(),
                    commit.as_str(),
                    unapproved.as_deref().unwrap_or_default(),
                ),
                Err(problem) => ("", "", problem.as_str()),
            };
            let shown = |text: &str| json!(Some(text).filter(|text| !text.is_empty()));
            let more = [
                ("name", shown(name)),
                ("commit", shown(commit)),
                ("problem", shown(problem)),
            ];
            entries.push(row(&template, more));
            rows.push([
                template.id.clone(),
                approvals(&template).to_owned(),
                abbreviated(commit),
                if template.sha.is_some() {
                    "pinned"
                } else {
                    "newest"
                }
                .to_owned(),
                template.address.clone(),
                if problem.is_empty() { name } else { problem }.to_owned(),
            ]);
        }
        let text = table(
            [
                "id",
                "approved",
                "commit",
                "which",
                "address",
                "name or problem",
            ],
            rows,
        );
        Ok(Output::good(json!({"templates": entries}), text))
    }

    /// Commit and manifest as they were last fetched on this machine.
    async fn known(&self, template: &Template) -> Result<(String, Manifest), String> {
        let Template {
            id, address, sha, ..
        } = template;
        let known = self.mirrors.snapshot(id, address, sha.as_deref()).await;
        let known = known.map_err(|error| error.to_string())?;
        let Snapshot { sha, manifest } =
            known.ok_or_else(|| "not fetched on this machine yet".to_owned())?;
        let manifest = Manifest::parse(&manifest, address, Some(&sha));
        let manifest = manifest.map_err(|error| format!("manifest.json: {error}"))?;
        Ok((sha, manifest))
    }
}
