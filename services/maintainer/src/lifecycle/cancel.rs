//! Cancelling, wherever the job stands. Where the HPC has to be asked and does not
//! answer, the wish stays in the row, and the HPC is asked again soon.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::job::{Cause, Change, Intent, NewEvent, State, Step};

use super::{Carrier, PutDown, password::Kept};
use crate::{
    launcher::Folders,
    steps::{self, StepError},
};

/// Longest pause before an HPC is asked again to end a job.
pub(super) const CANCEL_AGAIN: Duration = Duration::from_secs(5);

/// How long the results of a job that is to be cancelled are fetched.
const LAST_FETCH: Duration = Duration::from_secs(20);

impl Carrier<'_> {
    /// Takes a job that is to be cancelled a step nearer to its end; false if it is not
    /// to be cancelled, or is for the rest of the life cycle: a blocked job waits for its
    /// next probe, and one that Slurm has is followed.
    pub(super) async fn cancel_here(&mut self) -> Result<bool, PutDown> {
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
            self.look_for_it().await?;
        }
        Ok(true)
    }

    pub(super) fn is_to_be_cancelled(&self) -> bool {
        self.wish(Intent::Cancel).is_some()
    }

    /// Resolves when somebody wants the job cancelled.
    pub(super) async fn cancel_wanted(&self) {
        let mut wishes = self.signals.wish.clone();
        let wanted = wishes.wait_for(|wish| matches!(wish, Some((Intent::Cancel, _))));
        if wanted.await.is_err() {
            std::future::pending::<()>().await;
        }
    }

    /// Whether a submit may have been tried. Before, cancelling is only a matter of the
    /// row.
    fn may_be_on_hpc(&self) -> bool {
        match self.job.step {
            Step::Watch | Step::Collect => true,
            Step::Submit => !(self.fresh && self.job.attempts == 0),
            Step::Prepare
            | Step::UploadExecutable
            | Step::UploadData
            | Step::CreateResult
            | Step::WriteScript => false,
        }
    }

    /// The end of a cancelled job, with `cause` if there is more to say than who wanted
    /// so.
    async fn end_cancelled(&mut self, cause: Option<Cause>) -> Result<(), PutDown> {
        self.stop_transfer().await;
        let by = self
            .wish(Intent::Cancel)
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

    /// Nobody can log in to end it on the HPC, and nobody may ever again.
    async fn end_without_login(&mut self) -> Result<(), PutDown> {
        let by = self
            .wish(Intent::Cancel)
            .unwrap_or_else(|| self.job.user_id.clone());
        let account = self.job.account.clone().unwrap_or_default();
        let slurm_id = self.job.slurm_id.as_deref();
        let cause = Cause::cancelled_without_login(by.as_str(), &account, slurm_id);
        self.end_cancelled(Some(cause)).await
    }

    /// A submit was tried, and its answer is not known: Slurm is asked whether it has
    /// the job. If it has, the job is followed and ended there.
    async fn look_for_it(&mut self) -> Result<(), PutDown> {
        let folder = Folders::of(&self.job, &self.port.hpc).executable;
        let connector = &self.port.connector;
        let mark = self.port.mark(&self.job);
        let found = connector.find_submission(&mark, &folder).await;
        match found.map_err(StepError::from) {
            Ok(Some(submitted)) => {
                let progress = Progress {
                    step: Some(Step::Watch),
                    attempts: Some(0),
                    ..steps::accepted(&self.job.id, submitted)
                };
                self.save(progress).await
            }
            Ok(None) => self.end_cancelled(None).await,
            Err(StepError::Password(words)) => self.password_is_refused(&words).await,
            // It will never be known: what was to be asked about is not there any more.
            Err(StepError::Refused(reason)) => {
                let by = self.wish(Intent::Cancel);
                let by = by.unwrap_or_else(|| self.job.user_id.clone());
                let cause = Cause::new(format!(
                    "cancelled by {by}; whether Slurm has it is not known ({reason})"
                ));
                self.end_cancelled(Some(cause)).await
            }
            Err(error) => self.park(&error.to_string()).await,
        }
    }

    /// It is over on the HPC: its results are fetched once, as far as that goes.
    async fn collect_at_once(&mut self) -> Result<(), PutDown> {
        let Some(by) = self.wish(Intent::Cancel) else {
            return Ok(());
        };
        let definition = self
            .kind
            .on_define(&self.job, &self.port.hpc, &self.port.site);
        let listed_first = definition.ok().and_then(|of| of.listed_first);
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
            let fetch = steps::collect_at_once(&self.port, &self.job, first, &by);
            tokio::time::timeout(LAST_FETCH, fetch).await.ok()
        } else {
            None
        };
        let progress = fetched.unwrap_or_else(|| steps::nothing_collected(&self.job, &by));
        self.save(progress).await
    }
}
