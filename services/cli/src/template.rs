//! `template`: what users may run.

mod list;
mod runnable;
mod show;

use std::path::Path;

use anyhow::{Context as _, bail};
use clap::Subcommand;
use compute_config::Site;
use compute_db::{NewTemplate, Store, Template, TemplatePatch};
use compute_templates::Mirrors;
use serde_json::json;

use self::show::row;
use crate::{Output, site};

/// Commands about templates.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Add a template; users see it once it is approved
    Add {
        /// Its name, as users will know it
        id: String,
        /// Its git repository: https://HOST/PATH, ssh://USER@HOST/PATH or USER@HOST:PATH
        address: String,
        /// Use this commit instead of the newest one
        #[arg(long)]
        sha: Option<String>,
        /// Approve it at once
        #[arg(long)]
        approve: bool,
        /// Approve as well what runs outside of a container, as with `approve`
        #[arg(long, requires = "approve")]
        raw_sbatch: bool,
        /// Approve it for MPI as well, as with `approve`
        #[arg(long, requires = "approve")]
        mpi: bool,
    },
    /// Change a template's address or commit, or fetch it anew
    Update {
        /// Its name
        id: String,
        /// Its new address
        #[arg(long)]
        address: Option<String>,
        /// Use this commit instead of the newest one
        #[arg(long, conflicts_with = "newest")]
        sha: Option<String>,
        /// Use the newest commit again
        #[arg(long)]
        newest: bool,
    },
    /// Show a template to users
    Approve {
        /// Its name
        id: String,
        /// Approve as well what runs outside of a container, with all that the account may
        /// do: `*_in_raw_sbatch`; other connectors where programs are contained
        #[arg(long)]
        raw_sbatch: bool,
        /// Approve as well that its contained tasks work together by MPI. Over the interface that
        /// they get for it, a program can have Slurm start others outside of the container
        #[arg(long)]
        mpi: bool,
    },
    /// Hide a template from users; jobs that use it go on
    Withdraw {
        /// Its name
        id: String,
        /// Withdraw only what `approve --raw-sbatch` has approved
        #[arg(long)]
        raw_sbatch: bool,
        /// Withdraw only what `approve --mpi` has approved
        #[arg(long)]
        mpi: bool,
    },
    /// Remove a template; jobs that use it go on
    Remove {
        /// Its name
        id: String,
    },
    /// All templates
    List,
}

pub(crate) async fn run(command: Command, folder: &Path) -> anyhow::Result<Output> {
    let site = site::load(folder)?;
    let commands = TemplateCommands {
        store: site::store(&site.server).await?,
        mirrors: site::mirrors(&site.server),
        site,
    };
    match command {
        Command::Add {
            id,
            address,
            sha,
            approve,
            raw_sbatch,
            mpi,
        } => {
            let new = NewTemplate {
                id,
                address,
                sha,
                is_approved: approve,
                is_raw_approved: raw_sbatch,
                is_mpi_approved: mpi,
            };
            commands.add(new).await
        }
        Command::Update {
            id,
            address,
            sha,
            newest,
        } => {
            let sha = if newest { Some(None) } else { sha.map(Some) };
            commands
                .change(
                    &id,
                    TemplatePatch {
                        address,
                        sha,
                        ..TemplatePatch::default()
                    },
                    "updated",
                )
                .await
        }
        Command::Approve {
            id,
            raw_sbatch,
            mpi,
        } => {
            let patch = TemplatePatch {
                is_approved: Some(true),
                is_raw_approved: raw_sbatch.then_some(true),
                is_mpi_approved: mpi.then_some(true),
                ..TemplatePatch::default()
            };
            commands.change(&id, patch, "approved").await
        }
        Command::Withdraw {
            id,
            raw_sbatch,
            mpi,
        } => commands.withdraw(&id, raw_sbatch, mpi).await,
        Command::Remove { id } => commands.remove(&id).await,
        Command::List => commands.list().await,
    }
}

struct TemplateCommands {
    store: Store,
    mirrors: Mirrors,
    site: Site,
}

impl TemplateCommands {
    async fn add(&self, mut new: NewTemplate) -> anyhow::Result<Output> {
        let id = &new.id;
        if self.store.template(id).await?.is_some() {
            bail!("there is a template {id} already: use `template update {id}`");
        }
        let verified = self.verify(id, &new.address, new.sha.as_deref()).await?;
        // The full name: an abbreviation may mean another commit later.
        if let Some(sha) = &mut new.sha {
            sha.clone_from(&verified.snapshot.sha);
        }
        let added = self.store.add_template(new).await?;
        let template = added.context("somebody else has just added a template of that name")?;
        Ok(self.done(&template, &verified, "added"))
    }

    /// Changes what `patch` says, provided that what comes of it can be run.
    async fn change(
        &self,
        id: &str,
        mut patch: TemplatePatch,
        what: &str,
    ) -> anyhow::Result<Output> {
        let before = self.template(id).await?;
        let address = patch.address.as_deref().unwrap_or(&before.address);
        let sha = patch.sha.clone().unwrap_or(before.sha);
        let verified = self.verify(id, address, sha.as_deref()).await?;
        if let Some(Some(sha)) = &mut patch.sha {
            sha.clone_from(&verified.snapshot.sha);
        }
        let template = self
            .store
            .set_template(id, patch)
            .await?
            .with_context(|| unknown(id))?;
        Ok(self.done(&template, &verified, what))
    }

    /// Takes back all approvals, or only those that are named.
    async fn withdraw(&self, id: &str, raw: bool, mpi: bool) -> anyhow::Result<Output> {
        let all = !raw && !mpi;
        let patch = TemplatePatch {
            is_approved: all.then_some(false),
            is_raw_approved: (all || raw).then_some(false),
            is_mpi_approved: (all || mpi).then_some(false),
            ..TemplatePatch::default()
        };
        let template = self
            .store
            .set_template(id, patch)
            .await?
            .with_context(|| unknown(id))?;
        let text = match (raw, mpi) {
            (false, false) => format!("template {id} is hidden from users"),
            (true, false) => format!("template {id} may run in a container only"),
            (false, true) => format!("contained tasks of template {id} are independent programs"),
            (true, true) => format!(
                "template {id} may run in a container only, and its tasks are independent programs there"
            ),
        };
        Ok(Output::good(json!({"template": row(&template, [])}), text))
    }

    async fn remove(&self, id: &str) -> anyhow::Result<Output> {
        if !self.store.remove_template(id).await? {
            bail!(unknown(id));
        }
        Ok(Output::good(
            json!({"removed": id}),
            format!("template {id} has been removed"),
        ))
    }

    async fn template(&self, id: &str) -> anyhow::Result<Template> {
        self.store.template(id).await?.with_context(|| unknown(id))
    }
}

fn unknown(id: &str) -> String {
    format!("there is no template {id}: `template list` shows all")
}
