//! Cancelling, at every step. If the HPC must be asked and does not answer, the intent stays
//! in the row, and the HPC is asked again soon.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::job::{Cause, Change, Intent, NewEvent, State, Step};

use super::{JobRunner, StopReason, password::Kept};
use crate::{
    launcher::Folders,
    steps::{self, StepError},
};

/// Longest pause before an HPC is asked again to end a job.
pub(super) const CANCEL_AGAIN: Duration = Duration::from_secs(5);

/// How long the results of a job that is to be cancelled are fetched.
const LAST_FETCH: Duration = Duration::from_secs(20);

/// The outcome of asking Slurm for a job.
pub(super) enum Found {
    /// Slurm has it, and it is followed from now on; or Slurm could not be asked, and the job
    /// is parked.
    Handled,
    /// Slurm does not have it.
    Nowhere,
    /// It will never be known, for this reason.
    Unknowable(Cause),
}

impl JobRunner<'_> {
    /// Takes a job that is to be cancelled a step nearer to its end. False if it is not
    /// to be cancelled, or if the rest of the life cycle sees to it: a blocked job waits for
    /// its next probe, and a job that Slurm has is followed.
    pub(super) async fn cancel_here(&mut self) -> Result<bool, StopReason> {
        if !self.is_to_be_cancelled() {
            return Ok(false);
        }
        let is_blocked = self.job.state == State::Blocked;
        if !self.may_be_on_hpc() {
            self.end_cancelled(None).await?;
        } else if self.job.step == Step::Collect {
            if is_blocked {
                self.unpark().await?;
            } else {
                self.collect_at_once().await?;
            }
        } else if is_blocked && self.waits_for_password() {
            self.end_without_login().await?;
        } else if is_blocked || self.job.step == Step::Watch {
            return Ok(false);
        } else if self.has_login().await? {
            self.cancel_unanswered_submit().await?;
        }
        Ok(true)
    }

    pub(super) fn is_to_be_cancelled(&self) -> bool {
        self.intent_by(Intent::Cancel).is_some()
    }

    /// Resolves when somebody wants the job cancelled.
    pub(super) async fn cancel_wanted(&self) {
        let mut intents = self.signals.intent.clone();
        let wanted = intents.wait_for(|intent| matches!(intent, Some((Intent::Cancel, _))));
        if wanted.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether a submit may have been tried. Before that, cancelling changes the row only.
    pub(super) fn may_be_on_hpc(&self) -> bool {
        match self.job.step {
            Step::Watch | Step::Collect => true,
            Step::Submit => !(self.step_is_untried && self.job.attempts == 0),
            Step::Prepare
            | Step::UploadExecutable
            | Step::UploadData
            | Step::CreateResult
            | Step::WriteScript => false,
        }
    }

    /// Ends a cancelled job, with `cause` if there is more to say than who cancelled it.
    async fn end_cancelled(&mut self, cause: Option<Cause>) -> Result<(), StopReason> {
        self.stop_transfer().await;
        let by = self
            .intent_by(Intent::Cancel)
            .unwrap_or_else(|| self.job.user_id.clone());
        let cause = cause.unwrap_or_else(|| Cause::cancelled_by(by.as_str()));
        self.save(Progress {
            change: Some(Change::Cancel),
            events: vec![
                NewEvent::cancelled(&self.job.id, &by),
                NewEvent::failed(&self.job.id, &cause),
            ],
            cause: Some(cause.as_str().to_owned()),
            ..Progress::default()
        })
        .await
    }

    /// Ends a job whose login is missing: it cannot be ended on the HPC.
    async fn end_without_login(&mut self) -> Result<(), StopReason> {
        let by = self
            .intent_by(Intent::Cancel)
            .unwrap_or_else(|| self.job.user_id.clone());
        let account = self.job.account.clone().unwrap_or_default();
        let slurm_id = self.job.slurm_id.as_deref();
        let cause = Cause::cancelled_without_login(by.as_str(), &account, slurm_id);
        self.end_cancelled(Some(cause)).await
    }

    /// A submit was tried, and its outcome is not known. If Slurm has the job, it is followed
    /// and ended there; if not, it ends here.
    async fn cancel_unanswered_submit(&mut self) -> Result<(), StopReason> {
        match self.find_in_slurm().await? {
            Found::Handled => Ok(()),
            Found::Nowhere => self.end_cancelled(None).await,
            Found::Unknowable(reason) => {
                let by = self.intent_by(Intent::Cancel);
                let by = by.unwrap_or_else(|| self.job.user_id.clone());
                let cause = Cause::new(format!(
                    "cancelled by {by}; whether Slurm has it is not known ({reason})"
                ));
                self.end_cancelled(Some(cause)).await
            }
        }
    }

    /// Asks Slurm whether it has the job, whose submit was tried and not answered.
    pub(super) async fn find_in_slurm(&mut self) -> Result<Found, StopReason> {
        let folder = Folders::of(&self.job, &self.hpc.config).executable;
        let connector = &self.hpc.connector;
        let mark = self.hpc.mark(&self.job);
        let found = connector.find_submission(&mark, &folder).await;
        match found.map_err(StepError::from) {
            Ok(Some(submitted)) => {
                let progress = Progress {
                    step: Some(Step::Watch),
                    attempts: Some(0),
                    ..steps::accepted(&self.job.id, submitted)
                };
                self.save(progress).await?;
            }
            Ok(None) => return Ok(Found::Nowhere),
            // What would have to be asked about is gone.
            Err(StepError::Refused(reason)) => return Ok(Found::Unknowable(reason)),
            Err(error) => self.step_failed(error).await?,
        }
        Ok(Found::Handled)
    }

    /// The job has ended on the HPC: its results are fetched once, as far as possible.
    async fn collect_at_once(&mut self) -> Result<(), StopReason> {
        let Some(by) = self.intent_by(Intent::Cancel) else {
            return Ok(());
        };
        let listed_first = self.listed_first();
        let has_login = match self.kept_login().await {
            Ok(Kept::Same) => true,
            Ok(Kept::Other(sealed)) => {
                self.take_up(sealed);
                true
            }
            Ok(Kept::Missing) | Err(_) => false,
        };
        let fetched = if has_login {
            let first = listed_first.as_deref();
            let fetch = steps::collect_at_once(&self.hpc, &self.job, first, &by);
            tokio::time::timeout(LAST_FETCH, fetch).await.ok()
        } else {
            None
        };
        let progress = fetched.unwrap_or_else(|| steps::nothing_collected(&self.job, &by));
        self.save(progress).await
    }
}
