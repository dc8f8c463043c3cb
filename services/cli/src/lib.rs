//! The operator's command: templates, configuration, host keys, jobs.
//!
//! Each group of commands is a file; a command takes values and gives an
//! [`Output`], which is written as a table or as JSON.

mod config;
mod globus;
mod host_keys;
mod hpc;
mod import;
mod job;
mod output;
mod site;
mod template;
mod trust;

use std::path::PathBuf;

use clap::{Parser, Subcommand};

pub use output::{Output, shown};

/// The operator's command of CyberGIS-Compute.
#[derive(Debug, Parser)]
#[command(name = "cybergis-compute", version = compute_config::version::text())]
pub struct Cli {
    /// Folder of the configuration
    #[arg(
        long,
        global = true,
        env = "CYBERGIS_CONFIG",
        default_value = "config",
        value_name = "FOLDER"
    )]
    pub config: PathBuf,
    /// Print JSON, for programs
    #[arg(long, global = true)]
    pub json: bool,
    /// What to do.
    #[command(subcommand)]
    pub group: Group,
}

/// What a command is about.
#[derive(Debug, Subcommand)]
pub enum Group {
    /// Job templates: git repositories with a manifest.json
    #[command(subcommand)]
    Template(template::Command),
    /// The configuration
    #[command(subcommand)]
    Config(config::Command),
    /// HPCs: their host keys, and whether jobs can run there
    #[command(subcommand)]
    Hpc(hpc::Command),
    /// Jobs of all users
    #[command(subcommand)]
    Job(job::Command),
    /// In whose name Globus transfers data
    #[command(subcommand)]
    Globus(globus::Command),
    /// Take over the database of the legacy server; safe to repeat
    Import(import::Command),
}

/// Does what was asked.
///
/// # Errors
/// What went wrong, as a sentence.
pub async fn run(cli: Cli) -> anyhow::Result<Output> {
    match cli.group {
        Group::Template(command) => template::run(command, &cli.config).await,
        Group::Config(command) => Ok(config::run(&command, &cli.config)),
        Group::Hpc(command) => hpc::run(command, &cli.config, cli.json).await,
        Group::Job(command) => job::run(command, &cli.config).await,
        Group::Globus(command) => globus::run(command, &cli.config).await,
        Group::Import(command) => import::run(command, &cli.config).await,
    }
}
