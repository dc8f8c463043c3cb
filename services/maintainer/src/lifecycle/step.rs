//! The steps that bring a job to its HPC and its results back: doing one, and what follows
//! from its outcome.

use std::time::Instant;

use compute_db::{Progress, StoreError};
use compute_domain::{
    Timestamp,
    job::{Cause, Change, EndState, Intent, NewEvent, Step},
};

use super::{JobRunner, StopReason};
use crate::{
    definition::{Definition, Executable},
    meters,
    steps::{self, StepError, StepInput},
};

impl JobRunner<'_> {
    /// `prepare`: no I/O but the write of its result. A job that cannot be defined ends
    /// before it has folders.
    pub(super) async fn prepare(&mut self) -> Result<(), StopReason> {
        let begun = Instant::now();
        let now = self.context.clock.now();
        let progress = steps::prepare(&self.job, &self.hpc.config, now);
        let prepared = steps::with_folders(&self.job, &progress);
        if let Err(cause) = self.define_as(Some(&prepared)) {
            return self.cannot_define(cause).await;
        }
        self.finish_step(Step::Prepare, begun, Ok(progress)).await
    }

    /// The steps that the kind does.
    pub(super) async fn init(&mut self) -> Result<(), StopReason> {
        let Some(definition) = self.define().await? else {
            return Ok(());
        };
        let (step, begun) = (self.job.step, Instant::now());
        let done = tokio::select! {
            done = self.attempt(step, &definition) => done,
            // Handled by the loop. What was begun may be done again, or not at all.
            () = self.cancel_wanted(), if step != Step::Submit => return Ok(()),
        };
        self.finish_step(step, begun, done).await
    }

    /// `collect`. The definition only says what is listed first: a job that cannot be defined
    /// any more is collected all the same.
    pub(super) async fn collect(&mut self) -> Result<(), StopReason> {
        let listed_first = self.listed_first();
        let begun = Instant::now();
        let done = tokio::select! {
            done = steps::collect(&self.hpc, &self.job, listed_first.as_deref()) => done,
            () = self.cancel_wanted() => return Ok(()),
        };
        self.finish_step(Step::Collect, begun, done).await
    }

    async fn attempt(&self, step: Step, definition: &Definition) -> Result<Progress, StepError> {
        let input = self.input(step, definition).await?;
        self.kind.on_init(step, &self.hpc, &input).await
    }

    /// Reads from the database what `step` needs.
    async fn input<'a>(
        &'a self,
        step: Step,
        definition: &'a Definition,
    ) -> Result<StepInput<'a>, StepError> {
        let (store, job) = (&self.context.store, &self.job);
        let mut input = StepInput {
            job,
            definition,
            template_address: None,
            data_is_writable: false,
            is_fresh: self.is_fresh(),
        };
        match step {
            Step::UploadExecutable => {
                if let Executable::Template { id, .. } = &definition.executable {
                    let template = store.template(id).await?;
                    input.template_address = template.map(|template| template.address);
                }
            }
            Step::WriteScript => {
                self.ensure_exclusive_folder().await?;
                input.data_is_writable = self.data_is_writable().await?;
            }
            Step::Submit => input.data_is_writable = self.data_is_writable().await?,
            Step::Prepare | Step::UploadData | Step::CreateResult | Step::Watch | Step::Collect => {
            }
        }
        Ok(input)
    }

    /// Checked once more before the batch script is written: the gateway may have accepted
    /// both of two jobs that were submitted at the same time.
    async fn ensure_exclusive_folder(&self) -> Result<(), StepError> {
        let keeps_read_only = self.hpc.config.keeps_read_only();
        let other = self
            .context
            .store
            .job_sharing_folder(&self.job, keeps_read_only);
        match other.await? {
            None => Ok(()),
            Some(other) => Err(StepError::Refused(Cause::folder_shared_with(&other))),
        }
    }

    /// Whether the owner of the data lets programs write to it.
    async fn data_is_writable(&self) -> Result<bool, StepError> {
        let Some(id) = &self.job.remote_data_folder_id else {
            return Ok(false);
        };
        let folders = self.context.store.folders(std::slice::from_ref(id)).await?;
        Ok(folders.get(id).is_some_and(|folder| folder.is_writable))
    }

    async fn finish_step(
        &mut self,
        step: Step,
        begun: Instant,
        done: Result<Progress, StepError>,
    ) -> Result<(), StopReason> {
        let outcome = match &done {
            Ok(_) => "done",
            Err(StepError::Trouble(_)) => "trouble",
            Err(StepError::Password(_)) => "no_login",
            Err(StepError::Refused(_)) => "refused",
            Err(StepError::Fenced(_)) => "fenced",
        };
        meters::step(step, begun, outcome);
        match done {
            Ok(progress) => self.step_done(step, progress).await,
            Err(StepError::Refused(cause)) if step == Step::Submit => {
                self.submit_refused(cause).await
            }
            Err(error) => self.step_failed(error).await,
        }
    }

    pub(super) async fn step_failed(&mut self, error: StepError) -> Result<(), StopReason> {
        match error {
            StepError::Trouble(reason) => self.park(&reason).await,
            StepError::Password(message) => self.password_is_refused(&message).await,
            StepError::Refused(cause) => self.fail(cause).await,
            StepError::Fenced(newest) => Err(self.fenced(newest).await),
        }
    }

    pub(super) async fn step_done(
        &mut self,
        step: Step,
        mut progress: Progress,
    ) -> Result<(), StopReason> {
        progress.attempts = Some(0);
        progress.step = steps::following(step, &self.job);
        progress
            .events
            .extend(progress.step.and_then(NewEvent::step_begins));
        self.save(progress).await?;
        self.step_is_untried = true;
        Ok(())
    }

    async fn submit_refused(&mut self, cause: Cause) -> Result<(), StopReason> {
        let event = NewEvent::not_submitted(&self.job.id, &cause);
        self.save(Progress {
            events: vec![event],
            ..Progress::default()
        })
        .await?;
        self.fail(cause).await
    }

    /// The scheduler has ended the job: that is written before anything is fetched. A short
    /// job may have started and ended between two observations.
    pub(super) async fn finish(
        &mut self,
        end: &EndState,
        started_at: Option<Timestamp>,
    ) -> Result<(), StopReason> {
        meters::slurm_end(&self.job.hpc, &end.slurm_state);
        let canceller = self
            .intent_by(Intent::Cancel)
            .filter(|_| end.slurm_state == "CANCELLED");
        let cause = match canceller {
            Some(by) => Some(Cause::cancelled_by(by.as_str())),
            None => Cause::of_end(end),
        };
        self.save(Progress {
            change: Some(Change::Finish),
            step: Some(Step::Collect),
            cause: cause.map(|cause| cause.as_str().to_owned()),
            started_at,
            ..Progress::default()
        })
        .await
    }
}

/// The database is part of the infrastructure.
impl From<StoreError> for StepError {
    fn from(error: StoreError) -> Self {
        Self::Trouble(error.to_string())
    }
}
