//! Maintainer kinds: what differs from one sort of job to another.
//!
//! A kind knows nothing of queues, leases or the database. The supervisor calls
//! its hooks and keeps what they return. To add one: a file here, a name in
//! [`KindName`], a line in [`kind_of`].

mod community;
mod hello_world;

use async_trait::async_trait;
use compute_domain::{
    job::{Cause, Job, JobObservation, SlurmJob, Step},
    manifest::Stage,
    site::{Hpc, KindName},
    slurm::SlurmOptions,
};
use compute_runtime::config::Site;
use serde_json::{Map, Value};

use crate::{
    hpc_port::HpcPort,
    script::{Launcher, ProgramFolders, Stages},
    steps::{self, StepError, StepOutcome},
    verdict::{self, Verdict},
};

/// What a job of some kind consists of.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What goes into the executable folder.
    pub executable: Executable,
    /// What is run.
    pub stages: Stages,
    /// What starts a stage.
    pub launcher: Launcher,
    /// The folders as the program sees them.
    pub program_folders: ProgramFolders,
    /// The job's parameters, defaults filled in.
    pub param: Map<String, Value>,
    /// What the scheduler is asked for.
    pub options: SlurmOptions,
    /// Lines of `kernel_init.sh`, if it is needed.
    pub kernel_init: Option<Vec<String>>,
    /// Result folder that is listed first.
    pub listed_first: Option<String>,
}

/// Where the program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executable {
    /// A template at a commit.
    Template {
        /// Key of the templates table.
        id: String,
        /// Commit.
        sha: String,
    },
    /// Files of the kind itself: name and content.
    Files(Vec<(&'static str, &'static str)>),
    /// A folder that is already on the HPC.
    AlreadyThere,
}

/// The hooks of a kind.
#[async_trait]
pub trait Kind: Send + Sync {
    /// Configures a job: template, container, launcher, defaults. No I/O. Called
    /// again whenever a maintainer takes the job over, so it depends on nothing
    /// but its arguments.
    ///
    /// # Errors
    /// The reason, for the job's owner, why such a job cannot run.
    fn on_define(&self, job: &Job, hpc: &Hpc, site: &Site) -> Result<Definition, Cause>;

    /// Does one step of bringing the job to the HPC. Every step may be done
    /// again by another maintainer.
    ///
    /// # Errors
    /// [`StepError`]: trouble to wait for, or a refusal that ends the job.
    async fn on_init(
        &self,
        step: Step,
        port: &HpcPort,
        job: &Job,
        definition: &Definition,
    ) -> Result<StepOutcome, StepError> {
        steps::run(step, port, job, definition).await
    }

    /// What to conclude from a look at the scheduler.
    fn on_maintain(&self, job: &Job, seen: &JobObservation) -> Verdict {
        verdict::of(job, seen)
    }

    /// Suspends or holds the job on the HPC.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_pause(&self, port: &HpcPort, job: &SlurmJob) -> Result<(), StepError> {
        Ok(port.connector.suspend(port.hpc_name(), job).await?)
    }

    /// Goes on with a job that is suspended or held.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_resume(&self, port: &HpcPort, job: &SlurmJob) -> Result<(), StepError> {
        Ok(port.connector.resume(port.hpc_name(), job).await?)
    }

    /// Ends the job on the HPC.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_cancel(&self, port: &HpcPort, job: &SlurmJob) -> Result<(), StepError> {
        Ok(port.connector.cancel(port.hpc_name(), job).await?)
    }
}

/// The kind of that name.
pub fn kind_of(name: KindName) -> &'static dyn Kind {
    match name {
        KindName::CommunityContribution => &community::CommunityContribution,
        KindName::HelloWorldSingularity => &hello_world::HelloWorldSingularity,
    }
}

fn main_only(command: &str) -> Stages {
    Stages {
        pre: None,
        main: Stage::Command(command.to_owned()),
        post: None,
        continue_on_error: false,
    }
}

fn options_of(job: &Job) -> Result<SlurmOptions, Cause> {
    SlurmOptions::parse(&job.slurm).map_err(|errors| {
        let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
        Cause::new(words.join("; "))
    })
}
