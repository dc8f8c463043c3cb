//! Carrying out an intent on the HPC: `scancel`, suspend or hold, resume or release.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::job::{Change, Intent, NewEvent, SlurmJob, State};
use tokio::time::Instant;

use super::{JobRunner, StopReason, cancel::CANCEL_AGAIN};
use crate::{
    backoff::{backoff, is_worth_an_event, jittered},
    steps::StepError,
};

/// An intent that is to be carried out on the HPC.
pub(super) struct PendingIntent {
    pub(super) intent: Intent,
    pub(super) tries: u32,
    pub(super) at: Instant,
}

/// The outcome of carrying out an intent.
pub(super) enum Control {
    /// The HPC has done it, or has refused it for good.
    Done,
    /// The HPC could not be asked, or refuses for now.
    NotNow,
    /// The job is parked because of that.
    Parked,
}

impl JobRunner<'_> {
    /// The latest intent, after `tries` to carry it out that failed.
    pub(super) fn pending(&self, tries: u32) -> Option<PendingIntent> {
        let (intent, _) = self.signals.intent.borrow().clone()?;
        let wait = match (tries, intent) {
            (0, _) => Duration::ZERO,
            (_, Intent::Cancel) => jittered(backoff(tries - 1)).min(CANCEL_AGAIN),
            _ => jittered(backoff(tries - 1)),
        };
        Some(PendingIntent {
            intent,
            tries,
            at: Instant::now() + wait,
        })
    }

    /// Carries out an intent on the HPC, after `tries` that failed.
    pub(super) async fn control(
        &mut self,
        intent: Intent,
        tries: u32,
        slurm_job: &SlurmJob,
    ) -> Result<Control, StopReason> {
        let done = match intent {
            Intent::Cancel => self.kind.on_cancel(&self.hpc, slurm_job).await,
            Intent::Pause => self.kind.on_pause(&self.hpc, slurm_job).await,
            Intent::Resume => self.kind.on_resume(&self.hpc, slurm_job).await,
        };
        let id = self.job.id.clone();
        let progress = match (done, intent) {
            // The intent stays: it decides what the end means.
            (Ok(()), Intent::Cancel) => return Ok(Control::Done),
            (Ok(()), Intent::Pause) => Progress {
                change: (self.job.state != State::Paused).then_some(Change::Pause),
                events: vec![NewEvent::paused(&id)],
                clear_intent: Some(intent),
                ..Progress::default()
            },
            (Ok(()), Intent::Resume) => Progress {
                change: (self.job.state == State::Paused).then_some(Change::Requeue),
                events: vec![NewEvent::resumed(&id)],
                clear_intent: Some(intent),
                ..Progress::default()
            },
            (Err(StepError::Refused(cause)), Intent::Cancel) => {
                return self.cancel_not_now(tries, &cause.to_string()).await;
            }
            (Err(StepError::Refused(cause)), intent) => Progress {
                events: vec![NewEvent::control_refused(&id, intent, &cause)],
                clear_intent: Some(intent),
                ..Progress::default()
            },
            (Err(StepError::Trouble(reason)), Intent::Cancel) => {
                return self.cancel_not_now(tries, &reason).await;
            }
            (Err(StepError::Trouble(reason)), _) => {
                tracing::warn!(
                    intent = intent.as_str(),
                    reason,
                    "intent not carried out yet"
                );
                return Ok(Control::NotNow);
            }
            (Err(StepError::Fenced(newest)), _) => return Err(self.fenced(newest).await),
            (Err(StepError::Password(message)), _) => {
                self.password_is_refused(&message).await?;
                return Ok(Control::Parked);
            }
        };
        self.save(progress).await?;
        Ok(Control::Done)
    }

    /// The HPC does not end the job now: an event says so, and it is asked again.
    async fn cancel_not_now(&mut self, tries: u32, reason: &str) -> Result<Control, StopReason> {
        tracing::warn!(reason, "not cancelled yet");
        if is_worth_an_event(tries + 1) {
            let message = format!("it is to be cancelled, and is not yet ({reason})");
            let event = NewEvent::retry(&self.job.id, &message, CANCEL_AGAIN.as_secs());
            self.save(Progress {
                events: vec![event],
                ..Progress::default()
            })
            .await?;
        }
        Ok(Control::NotNow)
    }
}
