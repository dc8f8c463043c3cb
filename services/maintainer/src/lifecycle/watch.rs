//! The step `watch`: follows the job on the HPC until it has left the scheduler, and cancels,
//! suspends or resumes it there when its owner wants so.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, EndState, Intent, JobFile, JobObservation, log_path},
};
use compute_proto::{FilePart, RemoteError};
use tokio::time::Instant;

use super::{
    JobRunner, StopReason,
    control::{Control, PendingIntent},
    password::{self, Kept},
};
use crate::{
    launcher::Folders, status_poller::LoginRefused, steps::is_legacy, transition::Transition,
};

/// How long the scheduler may not know a job before its own exit file is read.
const EXIT_FILE_AFTER: Duration = Duration::from_secs(30);

/// How long it may not know it, without an exit file, before the job is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(15 * 60);

/// How long Slurm may not know a job after `scancel` before the job counts as ended.
const CANCELLED_AFTER: Duration = Duration::from_secs(10);

/// How long a cancelled job may still be there before `scancel` is run again.
const CANCEL_ONCE_MORE: Duration = Duration::from_secs(30);

/// Since when something has been observed without interruption.
#[derive(Default)]
struct Since {
    unknown: Option<Instant>,
    cancelled: Option<Instant>,
}

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
                        Control::Done if now.intent == Intent::Cancel => {
                            since.cancelled.get_or_insert_with(Instant::now);
                            let at = Instant::now() + CANCEL_ONCE_MORE;
                            pending = Some(PendingIntent { at, ..now });
                        }
                        Control::Done => {}
                    }
                }
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
                    if let Some(end) = self.look(&seen, &mut since).await? {
                        return self.finish(&end, seen.started_at).await;
                    }
                    if self.job.state.is_terminal() {
                        return Ok(());
                    }
                }
            }
        }
    }

    async fn look(
        &mut self,
        seen: &JobObservation,
        since: &mut Since,
    ) -> Result<Option<EndState>, StopReason> {
        match self.kind.on_maintain(&self.job, seen) {
            Transition::Nothing => {}
            Transition::Change(change) => {
                self.save(Progress {
                    change: Some(change),
                    started_at: seen.started_at,
                    ..Progress::default()
                })
                .await?;
            }
            Transition::Ended(end) => return Ok(Some(end)),
            Transition::NotKnown => {
                let unknown = *since.unknown.get_or_insert_with(Instant::now);
                let cancelled = since.cancelled.map(|at| at.max(unknown));
                if cancelled.is_some_and(|at| at.elapsed() >= CANCELLED_AFTER) {
                    return Ok(Some(cancelled_end()));
                }
                return self.not_known(unknown.elapsed()).await;
            }
        }
        since.unknown = None;
        Ok(None)
    }

    /// The scheduler has answered and does not know the job: a site without
    /// accounting, or one that forgets quickly. The batch script leaves its exit
    /// code beside the logs.
    async fn not_known(&mut self, for_how_long: Duration) -> Result<Option<EndState>, StopReason> {
        if for_how_long < EXIT_FILE_AFTER {
            return Ok(None);
        }
        match self
            .exit_file()
            .await
            .map(|file| end_of_exit_file(&file.content))
        {
            Ok(Some(end)) => Ok(Some(end)),
            // What stands in the place of the file is the job's own trouble.
            Ok(None)
            | Err(RemoteError {
                kind: ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::InvalidArgument,
                ..
            }) if for_how_long > GIVEN_UP_AFTER => {
                let cause = Cause::new(
                    "the scheduler no longer knows it, and it left no exit code: \
                     look at its logs in the result folder",
                );
                self.fail(cause).await?;
                Ok(None)
            }
            Ok(None) | Err(_) => Ok(None),
        }
    }

    async fn exit_file(&self) -> Result<FilePart, RemoteError> {
        let (hpc, job, connector) = (&self.hpc, &self.job, &self.hpc.connector);
        let file = connector.read_job_file(&job.id, JobFile::ExitCode, 16);
        match file.await {
            Err(error) if error.kind == ErrorKind::NotFound && is_legacy(hpc, job).await? => {
                let result = Folders::of(job, &hpc.config).result;
                let path = log_path(&result, JobFile::ExitCode);
                connector.read_file(&path, 0, 16).await
            }
            file => file,
        }
    }
}

/// What Slurm says of a cancelled job, where it says nothing any more.
fn cancelled_end() -> EndState {
    EndState {
        slurm_state: "CANCELLED".to_owned(),
        exit_code: None,
        signal: None,
    }
}

/// `None` as long as the file holds no number: it may be half written.
fn end_of_exit_file(content: &[u8]) -> Option<EndState> {
    let code: i32 = std::str::from_utf8(content).ok()?.trim().parse().ok()?;
    let slurm_state = if code == 0 { "COMPLETED" } else { "FAILED" };
    Some(EndState {
        slurm_state: slurm_state.to_owned(),
        exit_code: Some(code),
        signal: None,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn exit_files() {
        assert_eq!(end_of_exit_file(b"0\n").unwrap().slurm_state, "COMPLETED");
        assert_eq!(end_of_exit_file(b"3\n").unwrap().exit_code, Some(3));
        assert_eq!(end_of_exit_file(b""), None);
        assert_eq!(end_of_exit_file(b"\xff"), None);
    }
}
