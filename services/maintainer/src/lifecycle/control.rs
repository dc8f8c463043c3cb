//! Carrying out an intent on the HPC: `scancel`, suspend or hold, resume or release. That the
//! HPC accepts it is not enough: it is repeated until the scheduler shows the effect.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::job::{Change, Intent, JobObservation, NewEvent, Phase, SlurmJob, State};
use tokio::time::Instant;

use super::{JobRunner, StopReason, cancel::CANCEL_AGAIN};
use crate::{
    backoff::{backoff, is_worth_an_event, jittered},
    steps::StepError,
};

/// Shortest time that the scheduler gets to show the effect of what it has accepted, besides
/// two polls.
const EFFECT_AFTER: Duration = Duration::from_secs(5);

/// An intent that is to be carried out on the HPC.
pub(super) struct PendingIntent {
    pub(super) intent: Intent,
    /// How often the HPC was asked.
    pub(super) tries: u32,
    /// When it is asked (again).
    pub(super) at: Instant,
    /// Whether the HPC has accepted it; its effect is still to be seen.
    pub(super) is_accepted: bool,
}

impl PendingIntent {
    /// The same after the HPC has accepted it: it is asked again unless the effect shows.
    pub(super) fn accepted(self, poll_interval: Duration) -> Self {
        let effect_after = EFFECT_AFTER.max(backoff(self.tries));
        Self {
            tries: self.tries.saturating_add(1),
            at: Instant::now() + poll_interval * 2 + effect_after,
            is_accepted: true,
            ..self
        }
    }
}

/// The outcome of carrying out an intent.
pub(super) enum Control {
    /// The HPC has accepted it.
    Accepted,
    /// The HPC has refused it for good; its owner is told.
    Refused,
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
            is_accepted: false,
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
            // The intent stays until its effect shows. One to cancel decides what the end means.
            (Ok(()), _) => {
                if tries > 0 {
                    let intent = intent.as_str();
                    tracing::warn!(
                        intent,
                        tries,
                        "accepted by Slurm without effect; asked again"
                    );
                }
                return Ok(Control::Accepted);
            }
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
        self.context.active_jobs.clear_intent(&id, intent);
        Ok(Control::Refused)
    }

    /// The scheduler shows the effect of an intent to pause or resume.
    pub(super) async fn carried_out(
        &mut self,
        intent: Intent,
        seen: &JobObservation,
    ) -> Result<(), StopReason> {
        let (is_paused, id) = (self.job.state == State::Paused, &self.job.id);
        let (change, event) = match intent {
            Intent::Pause => ((!is_paused).then_some(Change::Pause), NewEvent::paused(id)),
            Intent::Resume if seen.phase == Phase::Running => {
                (is_paused.then_some(Change::Start), NewEvent::resumed(id))
            }
            Intent::Resume => (is_paused.then_some(Change::Requeue), NewEvent::resumed(id)),
            Intent::Cancel => return Ok(()),
        };
        self.save(Progress {
            change,
            events: vec![event],
            started_at: seen.started_at,
            clear_intent: Some(intent),
            ..Progress::default()
        })
        .await?;
        let active_jobs = &self.context.active_jobs;
        active_jobs.clear_intent(&self.job.id, intent);
        Ok(())
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
