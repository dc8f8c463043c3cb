//! The step `watch`: follows the job on the HPC until it has left the scheduler, and cancels,
//! suspends or resumes it there when its owner wants so.

use compute_domain::job::{Cause, Intent};
use tokio::time::Instant;

use super::{
    JobRunner, StopReason,
    control::Control,
    look::Since,
    password::{self, Kept},
};
use crate::status_poller::LoginRefused;

impl JobRunner<'_> {
    /// Follows the job until it has left the scheduler.
    pub(super) async fn watch(&mut self) -> Result<(), StopReason> {
        let Some(slurm_job) = self.hpc.slurm_job(&self.job) else {
            return self.fail(Cause::new("its Slurm id is not known")).await;
        };
        let account = self.job.account.as_deref();
        let connector = self.hpc.connector.clone();
        let mut subscription = self.hpc.status.subscribe(account, &slurm_job, connector);
        let mut look_at_login = tokio::time::interval(password::LOOK_EVERY);
        let mut intents = self.signals.intent.clone();
        intents.mark_unchanged();
        let mut pending = self.pending(0);
        let mut since = Since::default();
        loop {
            let due = pending
                .as_ref()
                .map_or_else(Instant::now, |pending| pending.at);
            tokio::select! {
                reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
                _ = intents.changed() => pending = self.pending(0),
                () = tokio::time::sleep_until(due), if pending.is_some() => {
                    let Some(now) = pending.take() else { continue };
                    match self.control(now.intent, now.tries, &slurm_job).await? {
                        Control::Parked => return Ok(()),
                        Control::NotNow => pending = self.pending(now.tries + 1),
                        Control::Accepted => {
                            if now.intent == Intent::Cancel {
                                since.cancelled.get_or_insert_with(Instant::now);
                            }
                            pending = Some(now.accepted(self.hpc.config.poll_interval));
                        }
                        Control::Refused => {}
                    }
                }
                // Its owner asks once more.
                () = self.signals.look.notified() => if let Some(again) = &mut pending {
                    again.at = Instant::now();
                },
                _ = look_at_login.tick() => match self.kept_login().await {
                    Ok(Kept::Same) => {}
                    // Taken up before the job is watched again.
                    Ok(Kept::Other(_)) => return Ok(()),
                    Ok(Kept::Missing) => return self.password_is_missing().await,
                    Err(reason) => tracing::warn!(reason, "looking again"),
                },
                seen = subscription.next() => {
                    let seen = match seen {
                        Ok(seen) => seen,
                        Err(LoginRefused(message)) => return self.password_is_refused(&message).await,
                    };
                    let seen_end = self.look(&seen, &slurm_job, &mut since, &mut pending);
                    if let Some(end) = seen_end.await? {
                        return self.finish(&end, seen.started_at).await;
                    }
                    if self.job.state.is_terminal() {
                        return Ok(());
                    }
                }
            }
        }
    }
}
