//! The fence of the lease at the HPC. Each call of the runner carries it, and the HPC rejects
//! what an earlier holder of the lease still has under way, as soon as it knows the newer one.

use std::time::Duration;

use compute_domain::{ErrorKind, job::Step};

use super::{JobRunner, StopReason};
use crate::{
    backoff::{backoff, jittered},
    steps::StepError,
};

/// How long after its submit a job may have been queued to count as fresh. A dump of the
/// database that is older than the job is not noticed otherwise.
const FRESH_FOR: Duration = Duration::from_secs(600);

/// Pause before the database is asked again.
const AGAIN: Duration = Duration::from_secs(1);

impl JobRunner<'_> {
    /// After a take-over: makes the HPC reject calls of the earlier holder of the lease that
    /// are still under way. False if that failed: then the job is parked, or, in Slurm, tried
    /// again after a pause, since a parked job would no longer show that it is paused.
    pub(super) async fn raise_fence(&mut self) -> Result<bool, StopReason> {
        if self.fence_is_raised {
            return Ok(true);
        }
        if !self.has_login().await? {
            return Ok(false);
        }
        match self.hpc.connector.raise_fence().await {
            Ok(()) => {}
            // A connector of the version before knows no such method, or allows it to nobody.
            Err(error)
                if matches!(
                    error.kind,
                    ErrorKind::Unsupported | ErrorKind::PermissionDenied
                ) =>
            {
                tracing::warn!(%error, "could not raise the fence at the HPC");
            }
            Err(error) => {
                match StepError::from(error) {
                    StepError::Trouble(reason) if self.job.step == Step::Watch => {
                        tracing::warn!(reason, "could not raise the fence at the HPC");
                        let wait = jittered(backoff(self.fence_tries));
                        self.fence_tries += 1;
                        self.pause_for(wait).await?;
                    }
                    error => self.step_failed(error).await?,
                }
                return Ok(false);
            }
        }
        self.fence_is_raised = true;
        Ok(true)
    }

    /// Whether nobody can have submitted the job: this runner claimed it for the first time,
    /// has not tried before, and it was not queued for long.
    pub(super) fn is_fresh(&self) -> bool {
        let queued_at = self.job.submitted_at;
        let queued_for = queued_at.map(|at| self.context.clock.now().since(at));
        self.step_is_untried
            && self.job.attempts == 0
            && self.is_claimed
            && queued_for.is_some_and(|time| time < FRESH_FOR)
    }

    /// Why the runner stops after the HPC has shown it a newer fence. If the database still
    /// names this lease, the database was restored from a dump: then the fence is raised there,
    /// and the job runs on with the next renewal.
    pub(super) async fn fenced(&self, newest: i64) -> StopReason {
        let token = self.token();
        loop {
            match self.context.store.raise_fence(&token, newest).await {
                Ok(true) => return StopReason::FenceRaised,
                Ok(false) => return StopReason::LeaseLost,
                Err(error) if error.kind().is_transient() => {
                    tracing::warn!(%error, "could not compare the fence, trying again");
                    tokio::select! {
                        () = tokio::time::sleep(jittered(AGAIN)) => {}
                        reason = Self::interrupted(&self.signals, self.context) => return reason,
                    }
                }
                Err(error) => return StopReason::Store(error),
            }
        }
    }
}
