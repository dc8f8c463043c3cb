//! Maintainer kinds: what differs from one sort of job to another.
//!
//! A kind knows nothing of queues, leases or the database: the job runner calls its hooks and
//! writes what they return. To add one: a variant of [`KindName`], what the gateway checks and
//! pins for it at submit (`submit.rs`), a file here with an `impl Kind`, a line in [`kind_of`].

mod community;
mod hello_world;
mod unconfigured;

use async_trait::async_trait;
use compute_config::Site;
use compute_domain::{
    job::{Cause, Job, JobObservation, SlurmJob, Step},
    manifest::Stage,
    site::{Hpc, KindName},
    slurm::{SlurmOptions, ValidationError, check_allowed},
};

use crate::{
    definition::Definition,
    hpc_handle::HpcHandle,
    script::Stages,
    steps::{self, StepError, StepInput, StepOutcome},
    transition::{self, Transition},
};

/// The hooks of a kind.
#[async_trait]
pub trait Kind: Send + Sync {
    /// Defines a job: template, container, launcher, defaults. No I/O. Called once whenever a
    /// maintainer begins to run the job, so it depends on nothing but its arguments.
    ///
    /// # Errors
    /// The reason, for the job's owner, why such a job cannot run.
    fn on_define(&self, job: &Job, hpc: &Hpc, site: &Site) -> Result<Definition, Cause>;

    /// Does one step of bringing the job to the HPC. Another maintainer may do every step
    /// again.
    ///
    /// # Errors
    /// [`StepError`]: trouble to wait for, or a refusal that ends the job.
    async fn on_init(
        &self,
        step: Step,
        hpc: &HpcHandle,
        input: &StepInput<'_>,
    ) -> Result<StepOutcome, StepError> {
        steps::run(step, hpc, input).await
    }

    /// What follows from an observation of the scheduler.
    fn on_maintain(&self, job: &Job, seen: &JobObservation) -> Transition {
        transition::of(job, seen)
    }

    /// Suspends or holds the job on the HPC.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_pause(&self, hpc: &HpcHandle, job: &SlurmJob) -> Result<(), StepError> {
        Ok(hpc.connector.suspend(job).await?)
    }

    /// Goes on with a job that is suspended or held.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_resume(&self, hpc: &HpcHandle, job: &SlurmJob) -> Result<(), StepError> {
        Ok(hpc.connector.resume(job).await?)
    }

    /// Ends the job on the HPC.
    ///
    /// # Errors
    /// [`StepError`], with the scheduler's own words if it refuses.
    async fn on_cancel(&self, hpc: &HpcHandle, job: &SlurmJob) -> Result<(), StepError> {
        Ok(hpc.connector.cancel(job).await?)
    }
}

/// The kind of that name.
pub fn kind_of(name: KindName) -> &'static dyn Kind {
    match name {
        KindName::CommunityContribution => &community::CommunityContribution,
        KindName::HelloWorldSingularity => &hello_world::HelloWorldSingularity,
    }
}

/// Stands in for a maintainer that is not in `maintainer.json` (any more): its jobs cannot be
/// defined, but those that Slurm has are followed, cancelled and collected.
pub fn unconfigured() -> &'static dyn Kind {
    &unconfigured::Unconfigured
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
    use serde_json::{Map, Value, json};

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
