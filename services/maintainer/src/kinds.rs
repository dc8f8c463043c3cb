//! Maintainer kinds: what differs from one sort of job to another.
//!
//! A kind knows nothing of queues, leases or the database. The supervisor calls
//! its hooks and keeps what they return. To add one: a file here, a name in
//! [`KindName`], a line in [`kind_of`].

mod community;
mod hello_world;

use async_trait::async_trait;
use compute_config::Site;
use compute_domain::{
    job::{Cause, Job, JobObservation, SlurmJob, Step},
    manifest::Stage,
    site::{Hpc, KindName},
    slurm::{SlurmOptions, ValidationError, check_allowed},
};
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
        Ok(port.connector.suspend(job).await?)
    }

    /// Goes on with a job that is suspended or held.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_resume(&self, port: &HpcPort, job: &SlurmJob) -> Result<(), StepError> {
        Ok(port.connector.resume(job).await?)
    }

    /// Ends the job on the HPC.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_cancel(&self, port: &HpcPort, job: &SlurmJob) -> Result<(), StepError> {
        Ok(port.connector.cancel(job).await?)
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

/// The job's options, checked once more: the row may have been written by a gateway
/// that took what this one refuses.
fn options_of(job: &Job, hpc: &Hpc) -> Result<SlurmOptions, Cause> {
    let options = SlurmOptions::parse(&job.slurm).map_err(|errors| {
        let words: Vec<_> = errors.iter().map(ToString::to_string).collect();
        words.join("; ")
    });
    let checked = options.and_then(|options| {
        check_allowed(hpc, &options).map_err(|ValidationError(words)| words)?;
        Ok(options)
    });
    match checked {
        // What the scheduler has accepted is followed to its end; nothing is written anew.
        Err(_) if job.slurm_id.is_some() => Ok(SlurmOptions::default()),
        checked => checked.map_err(Cause::new),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;
    use crate::fixtures;

    fn slurm(options: &Value) -> Map<String, Value> {
        options.as_object().cloned().unwrap_or_default()
    }

    /// A row that a gateway of an older version has let pass is not run; one that the
    /// scheduler has is followed.
    #[test]
    fn options_are_checked_again_when_a_script_is_written() {
        let mut hpc = fixtures::hpc();
        hpc.modules = Some(vec!["gcc".to_owned()]);
        for (options, reason) in [
            (
                json!({"modules": ["/scratch/x/evil"]}),
                "must be names of modules",
            ),
            (json!({"modules": ["evil"]}), "must be one of gcc"),
            (
                json!({"mail_user": ["a@b,c@d"]}),
                "must be one mail address",
            ),
        ] {
            let mut job = fixtures::job();
            job.slurm = slurm(&options);
            let refused = options_of(&job, &hpc).unwrap_err().to_string();
            assert!(refused.contains(reason), "{options}: {refused}");
            job.slurm_id = Some("1".to_owned());
            assert_eq!(options_of(&job, &hpc), Ok(SlurmOptions::default()));
        }
        let mut job = fixtures::job();
        job.slurm = slurm(&json!({"modules": ["gcc"]}));
        assert_eq!(options_of(&job, &hpc).unwrap().modules, ["gcc"]);
    }
}
