//! Whether a template can be run.

use compute_db::Template;
use compute_domain::{
    manifest::{Manifest, ManifestError},
    site::Hpc,
};
use compute_templates::Snapshot;

use super::TemplateCommands;

/// A template that can be run.
pub(super) struct Verified {
    pub(super) snapshot: Snapshot,
    pub(super) manifest: Manifest,
}

impl TemplateCommands {
    /// Fetches the template and reads its manifest.
    pub(super) async fn verify(
        &self,
        id: &str,
        address: &str,
        sha: Option<&str>,
    ) -> anyhow::Result<Verified> {
        let snapshot = self.mirrors.refresh(id, address, sha).await?;
        let manifest = Manifest::parse(&snapshot.manifest, address, Some(&snapshot.sha));
        let manifest = manifest.map_err(|ManifestError(wrong)| {
            let wrong = wrong.join("\n  ");
            anyhow::anyhow!(
                "manifest.json of {id} at {} has mistakes:\n  {wrong}",
                snapshot.sha
            )
        })?;
        Ok(Verified { snapshot, manifest })
    }

    /// What users of a template with this manifest would stumble over.
    pub(super) fn warnings(&self, manifest: &Manifest) -> Vec<String> {
        let (containers, kernels) = (&self.site.containers, &self.site.kernels);
        let hpcs = &self.site.hpcs;
        let supported: Vec<_> = manifest
            .supported_hpc
            .iter()
            .filter_map(|name| hpcs.get(name))
            .collect();
        if supported.is_empty() {
            let named = manifest.supported_hpc.join(", ");
            return vec![format!("hpc.json has none of its HPCs: {named}")];
        }
        let unusable = |hpc: &&Hpc| {
            let error = manifest.software(hpc, containers, kernels).err()?;
            let hpc = &hpc.name;
            Some(format!(
                "{error}: jobs of this template will fail on {hpc}; complete container.json or \
                 kernel.json"
            ))
        };
        supported.iter().filter_map(unusable).collect()
    }

    /// What the template does on one of its HPCs and is not approved for.
    pub(super) fn unapproved(&self, template: &Template, manifest: &Manifest) -> Option<String> {
        let supported = &manifest.supported_hpc;
        let hpcs = self.site.hpcs.values();
        let (hpc, outside) = hpcs
            .filter(|hpc| supported.contains(&hpc.name))
            .find_map(|hpc| Some((hpc, manifest.outside(hpc)?)))?;
        (!template.is_raw_approved).then(|| {
            let id = &template.id;
            format!(
                "it runs outside of a container on {} ({outside}), which is refused: read it, then \
                 `template approve {id} --raw-sbatch`",
                hpc.name
            )
        })
    }
}
