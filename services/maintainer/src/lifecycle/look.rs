//! What an observation of the scheduler does to a job that is watched. A job ends only on
//! evidence of its end: Slurm's word, its own exit file, or the word of all parts of Slurm, for
//! a long time, that they do not have it.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, Change, EndState, JobFile, JobObservation, NewEvent, SlurmJob, log_path},
};
use compute_proto::{FilePart, RemoteError};
use tokio::time::Instant;

use super::{JobRunner, StopReason, control::PendingIntent};
use crate::{
    launcher::Folders,
    meters,
    steps::{StepError, is_legacy},
    transition::{Transition, is_carried_out},
};

/// How long the scheduler may not show a job before its own exit file is read.
const EXIT_FILE_AFTER: Duration = Duration::from_secs(30);

/// How long no part of the scheduler may have it, without an exit file, before the job is given
/// up; and how long it is in doubt before its owner is told.
const GIVEN_UP_AFTER: Duration = Duration::from_secs(15 * 60);

/// How long Slurm may not have a job after `scancel` before the job counts as ended.
const CANCELLED_AFTER: Duration = Duration::from_secs(10);

/// Observations in a row that contradict the row's wish before a hold is released, or a
/// release is believed: the first may be older than the row.
const CONTRADICTIONS: u32 = 3;

/// Since when something has been observed without interruption.
#[derive(Default)]
pub(super) struct Since {
    /// The scheduler does not show it.
    missing: Option<Instant>,
    /// All parts of the scheduler say that they do not have it.
    absent: Option<Instant>,
    /// Whether its owner was told that it is in doubt.
    doubt_is_told: bool,
    /// `scancel` was accepted.
    pub(super) cancelled: Option<Instant>,
    /// Observations in a row that contradict the row.
    contradictions: u32,
    /// Whether its owner was told of a hold that was released.
    release_is_told: bool,
}

impl JobRunner<'_> {
    /// Acts on an observation of the job; its end, if it is over.
    pub(super) async fn look(
        &mut self,
        seen: &JobObservation,
        slurm_job: &SlurmJob,
        since: &mut Since,
        pending: &mut Option<PendingIntent>,
    ) -> Result<Option<EndState>, StopReason> {
        let carried_out = pending
            .as_ref()
            .filter(|pending| pending.is_accepted && is_carried_out(pending.intent, seen));
        if let Some(intent) = carried_out.map(|pending| pending.intent) {
            self.carried_out(intent, seen).await?;
            *pending = None;
        }
        let transition = self.kind.on_maintain(&self.job, seen);
        match transition {
            Transition::Absent => {
                let missing = *since.missing.get_or_insert_with(Instant::now);
                let absent = *since.absent.get_or_insert_with(Instant::now);
                let cancelled = since.cancelled.map(|at| at.max(absent));
                if cancelled.is_some_and(|at| at.elapsed() >= CANCELLED_AFTER) {
                    return Ok(Some(cancelled_end()));
                }
                let is_given_up = absent.elapsed() > GIVEN_UP_AFTER;
                return self.missing(missing.elapsed(), is_given_up).await;
            }
            Transition::NotKnown => {
                since.absent = None;
                let missing = *since.missing.get_or_insert_with(Instant::now);
                if missing.elapsed() > GIVEN_UP_AFTER && !since.doubt_is_told {
                    self.tell_doubt(seen).await?;
                    since.doubt_is_told = true;
                }
                return self.missing(missing.elapsed(), false).await;
            }
            _ => {}
        }
        (since.missing, since.absent, since.doubt_is_told) = (None, None, false);
        // An intent that is being carried out explains what would contradict the row.
        let is_explained = pending.is_some();
        match transition {
            Transition::HeldUnasked | Transition::ReleasedUnasked if !is_explained => {
                since.contradictions += 1;
                if since.contradictions >= CONTRADICTIONS {
                    since.contradictions = 0;
                    self.contradiction(&transition, slurm_job, since).await?;
                }
                return Ok(None);
            }
            Transition::Ended(end) => return Ok(Some(end)),
            _ => {}
        }
        since.contradictions = 0;
        let (change, event) = match transition {
            Transition::Change(change) => (change, None),
            Transition::Requeued => {
                meters::requeued(&self.job.hpc);
                let event = NewEvent::requeued(&self.job.id, &seen.reason);
                (Change::Requeue, Some(event))
            }
            Transition::PausedBySite(reason) if !is_explained => {
                let event = NewEvent::paused_by_site(&self.job.id, &reason);
                (Change::Pause, Some(event))
            }
            _ => return Ok(None),
        };
        self.save(Progress {
            change: Some(change),
            events: event.into_iter().collect(),
            started_at: seen.started_at,
            ..Progress::default()
        })
        .await?;
        Ok(None)
    }

    /// The scheduler shows a hold, or its absence, that nobody asked for here.
    async fn contradiction(
        &mut self,
        transition: &Transition,
        slurm_job: &SlurmJob,
        since: &mut Since,
    ) -> Result<(), StopReason> {
        let id = &self.job.id;
        let (change, event) = if *transition == Transition::ReleasedUnasked {
            (Some(Change::Requeue), NewEvent::resumed_by_site(id))
        } else if let Some(account) = &self.job.account {
            // Its owner can hold it with their own account.
            let reason = format!("it is held by the account {account}");
            let event = NewEvent::paused_by_site(id, &reason);
            (Some(Change::Pause), event)
        } else {
            match self.kind.on_resume(&self.hpc, slurm_job).await {
                Ok(()) if since.release_is_told => return Ok(()),
                Ok(()) => {
                    since.release_is_told = true;
                    (None, NewEvent::hold_released(id))
                }
                Err(StepError::Refused(reason)) => {
                    let event = NewEvent::paused_by_site(id, &reason.to_string());
                    (Some(Change::Pause), event)
                }
                Err(StepError::Fenced(newest)) => return Err(self.fenced(newest).await),
                Err(error) => {
                    tracing::warn!(?error, "a hold that nobody wants is not released yet");
                    return Ok(());
                }
            }
        };
        self.save(Progress {
            change,
            events: vec![event],
            ..Progress::default()
        })
        .await
    }

    /// The job stays as it is: what is known of it is not evidence of an end.
    async fn tell_doubt(&mut self, seen: &JobObservation) -> Result<(), StopReason> {
        let reason = if seen.reason.is_empty() {
            "Slurm does not say where it is"
        } else {
            seen.reason.as_str()
        };
        tracing::warn!(reason, "the job has been in doubt for long");
        let event = NewEvent::waits(&self.job.id, reason);
        self.save(Progress {
            events: vec![event],
            ..Progress::default()
        })
        .await
    }

    /// The scheduler does not show the job: a site without accounting, one that forgets
    /// quickly, or one in trouble. The batch script leaves its exit code beside the logs.
    async fn missing(
        &mut self,
        for_how_long: Duration,
        is_given_up: bool,
    ) -> Result<Option<EndState>, StopReason> {
        if for_how_long < EXIT_FILE_AFTER {
            return Ok(None);
        }
        let file = self.exit_file().await;
        match file.map(|file| end_of_exit_file(&file.content)) {
            Ok(Some(end)) => Ok(Some(end)),
            // What stands in the place of the file is the job's own trouble.
            Ok(None)
            | Err(RemoteError {
                kind: ErrorKind::NotFound | ErrorKind::Refused | ErrorKind::InvalidArgument,
                ..
            }) if is_given_up => {
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
