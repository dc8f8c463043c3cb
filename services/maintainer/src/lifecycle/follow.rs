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
    cancel::CANCEL_AGAIN,
    password::{self, Kept},
};
use crate::{
    launcher::Folders,
    patience::{backoff, jittered, worth_telling},
    steps::{StepError, is_legacy},
    verdict::Verdict,
    watch::Refused,
};

/// How long the scheduler may not know a job before its own exit file is read.
const EXIT_FILE_AFTER: Duration = Duration::from_secs(30);

/// How long it may not know it, with no exit file either, before it is given up.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(15 * 60);

/// How long after Slurm was told to end a job it may not know it before that is the end.
const CANCELLED_AFTER: Duration = Duration::from_secs(10);

/// How long a cancelled job may still be there before Slurm is told once more.
const CANCEL_ONCE_MORE: Duration = Duration::from_secs(30);

/// A wish that the HPC is to be told of.
struct Pending {
    intent: Intent,
    tries: u32,
    at: Instant,
}

/// What came of telling the HPC.
enum Told {
    /// It has done it, or has said that it never will.
    Done,
    /// It could not be told, or does not want to now.
    NotNow,
    /// The job is parked because of that.
    Parked,
}

/// Since when something is so, on the way through the looks at the scheduler.
#[derive(Default)]
struct Since {
    unknown: Option<Instant>,
    cancelled: Option<Instant>,
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
        let mut since = Since::default();
        loop {
            let due = pending
                .as_ref()
                .map_or_else(Instant::now, |pending| pending.at);
            tokio::select! {
                reason = Self::interrupted(&self.signals, self.context) => return Err(reason),
                _ = wishes.changed() => pending = self.pending(0),
                () = tokio::time::sleep_until(due), if pending.is_some() => {
                    let Some(now) = pending.take() else { continue };
                    match self.control(now.intent, now.tries, &slurm_job).await? {
                        Told::Parked => return Ok(()),
                        Told::NotNow => pending = self.pending(now.tries + 1),
                        Told::Done if now.intent == Intent::Cancel => {
                            since.cancelled.get_or_insert_with(Instant::now);
                            let at = Instant::now() + CANCEL_ONCE_MORE;
                            pending = Some(Pending { at, ..now });
                        }
                        Told::Done => {}
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

    fn pending(&self, tries: u32) -> Option<Pending> {
        let (intent, _) = self.signals.wish.borrow().clone()?;
        let wait = match (tries, intent) {
            (0, _) => Duration::ZERO,
            (_, Intent::Cancel) => jittered(backoff(tries - 1)).min(CANCEL_AGAIN),
            _ => jittered(backoff(tries - 1)),
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
        since: &mut Since,
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
    async fn not_known(&mut self, for_how_long: Duration) -> Result<Option<EndState>, PutDown> {
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
        let (port, job) = (&self.port, &self.job);
        let connector = &port.connector;
        let file = connector.read_job_file(&job.id, JobFile::ExitCode, 16);
        match file.await {
            Err(error) if error.kind == ErrorKind::NotFound && is_legacy(port, job).await? => {
                let result = Folders::of(job, &port.hpc).result;
                let path = format!("{result}/slurm_log/{}", JobFile::ExitCode.name());
                connector.read_file(&path, 0, 16).await
            }
            file => file,
        }
    }

    /// Tells the HPC what the owner wants, after `tries` in vain.
    async fn control(
        &mut self,
        intent: Intent,
        tries: u32,
        slurm_job: &SlurmJob,
    ) -> Result<Told, PutDown> {
        let done = match intent {
            Intent::Cancel => self.kind.on_cancel(&self.port, slurm_job).await,
            Intent::Pause => self.kind.on_pause(&self.port, slurm_job).await,
            Intent::Resume => self.kind.on_resume(&self.port, slurm_job).await,
        };
        let id = self.job.id.clone();
        let progress = match (done, intent) {
            // The wish stays: it decides what the end means.
            (Ok(()), Intent::Cancel) => return Ok(Told::Done),
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
            (Err(StepError::Refused(cause)), Intent::Cancel) => {
                return self.cancel_not_now(tries, &cause.to_string()).await;
            }
            (Err(StepError::Refused(cause)), intent) => {
                let words = format!("job [{id}]: cannot {}: {cause}", intent.as_str());
                Progress {
                    events: vec![NewEvent::new(EventKind::JobControlRefused, words)],
                    clear_intent: Some(intent),
                    ..Progress::default()
                }
            }
            (Err(StepError::Trouble(reason)), Intent::Cancel) => {
                return self.cancel_not_now(tries, &reason).await;
            }
            (Err(StepError::Trouble(reason)), _) => {
                tracing::warn!(intent = intent.as_str(), reason, "not told yet");
                return Ok(Told::NotNow);
            }
            (Err(StepError::Password(words)), _) => {
                self.password_is_refused(&words).await?;
                return Ok(Told::Parked);
            }
            (Err(StepError::Store(error)), _) => return Err(PutDown::Store(error)),
        };
        self.save(progress).await?;
        Ok(Told::Done)
    }

    /// The HPC does not end the job now: its owner is told, and it is asked again.
    async fn cancel_not_now(&mut self, tries: u32, reason: &str) -> Result<Told, PutDown> {
        tracing::warn!(reason, "not cancelled yet");
        if worth_telling(tries + 1) {
            let words = format!("it is to be cancelled, and is not yet ({reason})");
            let event = NewEvent::retry(&self.job.id, &words, CANCEL_AGAIN.as_secs());
            self.save(Progress {
                events: vec![event],
                ..Progress::default()
            })
            .await?;
        }
        Ok(Told::NotNow)
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
