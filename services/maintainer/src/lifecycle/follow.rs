//! The part of a job's life on the HPC: follow it, and carry out what its owner
//! wants meanwhile.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{
        Cause, Change, EndState, EventKind, Intent, JobFile, JobObservation, NewEvent, SlurmJob,
        State,
    },
};
use compute_proto::{FilePart, RemoteError};
use tokio::time::Instant;

use super::{
    Carrier, PutDown,
    password::{self, Kept},
};
use crate::{
    launcher::Folders,
    patience::{backoff, jittered},
    steps::{StepError, is_legacy},
    verdict::Verdict,
    watch::Refused,
};

/// How long the scheduler may not know a job before its own exit file is read.
const EXIT_FILE_AFTER: Duration = Duration::from_secs(30);

/// How long it may not know it, with no exit file either, before it is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(15 * 60);

/// A wish that the HPC could not be told of yet.
struct Pending {
    intent: Intent,
    tries: u32,
    at: Instant,
}

impl Carrier<'_> {
    /// Follows the job until it has left the scheduler.
    pub(super) async fn watch(&mut self) -> Result<(), PutDown> {
        let Some(slurm_job) = self.port.slurm_job(&self.job) else {
            return self.fail(Cause::new("its Slurm id is not known")).await;
        };
        let account = self.job.account.as_deref();
        let mut following = self
            .boards
            .follow(self.context, &self.port, account, &slurm_job);
        let mut look_at_login = tokio::time::interval(password::LOOK_EVERY);
        let mut wishes = self.signals.wish.clone();
        wishes.mark_unchanged();
        let mut pending = self.pending(0);
        let mut unknown_since: Option<Instant> = None;
        loop {
            let due = pending
                .as_ref()
                .map_or_else(Instant::now, |pending| pending.at);
            tokio::select! {
                reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
                _ = wishes.changed() => pending = self.pending(0),
                () = tokio::time::sleep_until(due), if pending.is_some() => {
                    let Some(now) = pending.take() else { continue };
                    if !self.control(now.intent, &slurm_job).await? {
                        if self.job.state == State::Blocked {
                            return Ok(());
                        }
                        pending = self.pending(now.tries + 1);
                    }
                }
                _ = look_at_login.tick() => match self.kept_login().await {
                    Ok(Kept::Same) => {}
                    // Taken up before the job is watched again.
                    Ok(Kept::Other(_)) => return Ok(()),
                    Ok(Kept::Missing) => return self.password_is_missing().await,
                    Err(reason) => tracing::warn!(reason, "looking again"),
                },
                seen = following.next() => {
                    let seen = match seen {
                        Ok(seen) => seen,
                        Err(Refused(words)) => return self.password_is_refused(&words).await,
                    };
                    if let Some(end) = self.look(&seen, &mut unknown_since).await? {
                        return self.finish(&end, seen.started_at).await;
                    }
                    if self.job.state.is_terminal() {
                        return Ok(());
                    }
                }
            }
        }
    }

    fn pending(&self, tries: u32) -> Option<Pending> {
        let (intent, _) = self.signals.wish.borrow().clone()?;
        let wait = if tries == 0 {
            Duration::ZERO
        } else {
            jittered(backoff(tries - 1))
        };
        Some(Pending {
            intent,
            tries,
            at: Instant::now() + wait,
        })
    }

    async fn look(
        &mut self,
        seen: &JobObservation,
        unknown_since: &mut Option<Instant>,
    ) -> Result<Option<EndState>, PutDown> {
        match self.kind.on_maintain(&self.job, seen) {
            Verdict::Nothing => {}
            Verdict::Change(change) => {
                self.save(Progress {
                    change: Some(change),
                    started_at: seen.started_at,
                    ..Progress::default()
                })
                .await?;
            }
            Verdict::Ended(end) => return Ok(Some(end)),
            Verdict::NotKnown => {
                let since = *unknown_since.get_or_insert_with(Instant::now);
                return self.not_known(since.elapsed()).await;
            }
        }
        *unknown_since = None;
        Ok(None)
    }

    /// The scheduler has answered and does not know the job: a site without
    /// accounting, or one that forgets quickly. The batch script leaves its exit
    /// code beside the logs.
    async fn not_known(&mut self, for_how_long: Duration) -> Result<Option<EndState>, PutDown> {
        if for_how_long < EXIT_FILE_AFTER {
            return Ok(None);
        }
        match self.exit_file().await {
            Ok(file) => Ok(end_of_exit_file(&file.content)),
            Err(error) if error.kind == ErrorKind::NotFound && for_how_long > GIVEN_UP_AFTER => {
                let cause = Cause::new(
                    "the scheduler no longer knows it, and it left no exit code: \
                     look at its logs in the result folder",
                );
                self.fail(cause).await?;
                Ok(None)
            }
            Err(_) => Ok(None),
        }
    }

    async fn exit_file(&self) -> Result<FilePart, RemoteError> {
        let (port, job) = (&self.port, &self.job);
        let (hpc, connector) = (port.hpc_name(), &port.connector);
        let file = connector.read_job_file(hpc, &job.id, JobFile::ExitCode, 16);
        match file.await {
            Err(error) if error.kind == ErrorKind::NotFound && is_legacy(port, job).await? => {
                let result = Folders::of(job, &port.hpc).result;
                let path = format!("{result}/slurm_log/{}", JobFile::ExitCode.name());
                connector.read_file(hpc, &path, 0, 16).await
            }
            file => file,
        }
    }

    /// Tells the HPC what the owner wants; false if it could not be told now, or the
    /// job is parked because of that.
    async fn control(&mut self, intent: Intent, slurm_job: &SlurmJob) -> Result<bool, PutDown> {
        let done = match intent {
            Intent::Cancel => self.kind.on_cancel(&self.port, slurm_job).await,
            Intent::Pause => self.kind.on_pause(&self.port, slurm_job).await,
            Intent::Resume => self.kind.on_resume(&self.port, slurm_job).await,
        };
        let id = self.job.id.clone();
        let progress = match (done, intent) {
            // The wish stays: it decides what the end means.
            (Ok(()), Intent::Cancel) => return Ok(true),
            (Ok(()), Intent::Pause) => Progress {
                change: (self.job.state != State::Paused).then_some(Change::Pause),
                events: vec![NewEvent::new(
                    EventKind::JobPaused,
                    format!("job [{id}] is paused"),
                )],
                clear_intent: Some(intent),
                ..Progress::default()
            },
            (Ok(()), Intent::Resume) => Progress {
                change: (self.job.state == State::Paused).then_some(Change::Requeue),
                events: vec![NewEvent::new(
                    EventKind::JobResumed,
                    format!("job [{id}] goes on"),
                )],
                clear_intent: Some(intent),
                ..Progress::default()
            },
            (Err(StepError::Refused(cause)), intent) => {
                let words = format!("job [{id}]: cannot {}: {cause}", intent.as_str());
                Progress {
                    events: vec![NewEvent::new(EventKind::JobControlRefused, words)],
                    clear_intent: Some(intent).filter(|intent| *intent != Intent::Cancel),
                    ..Progress::default()
                }
            }
            (Err(StepError::Trouble(reason)), _) => {
                tracing::warn!(intent = intent.as_str(), reason, "not told yet");
                return Ok(false);
            }
            (Err(StepError::Password(words)), _) => {
                self.password_is_refused(&words).await?;
                return Ok(false);
            }
            (Err(StepError::Store(error)), _) => return Err(PutDown::Store(error)),
        };
        self.save(progress).await?;
        Ok(true)
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
