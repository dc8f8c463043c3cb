//! What commands work with, as the configuration says.

use std::{path::Path, sync::Arc};

use anyhow::{Context as _, bail};
use compute_config::{ProcessEnvironment, Server, Site, Stores};
use compute_db::Store;
use compute_domain::{SystemClock, site::Hpc};
use compute_templates::Mirrors;

/// The configuration; its warnings are left to `config check`.
pub(crate) fn load(folder: &Path) -> anyhow::Result<Site> {
    let loaded = compute_config::load(folder, &ProcessEnvironment, Stores::Database);
    let loaded = loaded
        .with_context(|| format!("the configuration in {} has mistakes", folder.display()))?;
    Ok(loaded.site)
}

/// The database.
pub(crate) async fn store(server: &Server) -> anyhow::Result<Store> {
    let store = Store::connect(&server.database.url, Arc::new(SystemClock)).await?;
    if !store.schema_is_current().await? {
        bail!("the database has not the schema of this version: run `compute-migrate up`");
    }
    Ok(store)
}

/// The mirrors of templates, the same that the services use.
pub(crate) fn mirrors(server: &Server) -> Mirrors {
    Mirrors::new(server.mirrors.clone())
}

/// The HPC of that name.
pub(crate) fn hpc<'a>(site: &'a Site, name: &str) -> anyhow::Result<&'a Hpc> {
    let known = || {
        site.hpcs
            .keys()
            .map(String::as_str)
            .collect::<Vec<_>>()
            .join(", ")
    };
    site.hpcs
        .get(name)
        .with_context(|| format!("hpc.json has no {name}; it has {}", known()))
}
