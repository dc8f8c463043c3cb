//! The carrier of one job: from where its row stands to its end.
//!
//! It does a step, saves what came of it together with the events and the next
//! step, and goes on. Trouble parks the job; a refusal ends it. It stops without
//! a word when another maintainer has the job, and when the process stops: the
//! row says everything that the next carrier needs.

mod cancel;
mod follow;
mod password;
mod transfer;
mod wait;

use std::{sync::Arc, time::Instant};

use compute_db::{Held, Progress, StoreError};
use compute_domain::{
    Timestamp,
    ids::UserId,
    job::{Cause, Change, EndState, EventKind, Intent, Job, NewEvent, State, Step},
};

use crate::{
    carried::Signals,
    context::Context,
    hpc_port::HpcPort,
    kinds::{Definition, Kind, kind_of},
    meters::{self, Lease},
    patience::{backoff, jittered},
    steps::{self, StepError},
    watch::Boards,
};

/// Why a carrier put its job down before the end.
#[derive(Debug, thiserror::Error)]
pub(crate) enum PutDown {
    #[error("another maintainer has the job")]
    Lost,
    #[error("the process stops")]
    Stopping,
    #[error("the store refuses: {0}")]
    Store(StoreError),
}

/// Carries one job.
pub(crate) struct Carrier<'a> {
    pub(crate) context: &'a Context,
    /// The HPC; where the job has a login of its own, that goes with each call.
    pub(crate) port: HpcPort,
    pub(crate) boards: &'a Arc<Boards>,
    pub(crate) kind: &'static dyn Kind,
    pub(crate) job: Job,
    pub(crate) signals: Signals,
    /// Whether this carrier itself began the current step: only then is it known
    /// that nobody has tried it before.
    fresh: bool,
    /// The login that `port` has, as it was sealed.
    sealed: Option<String>,
}

/// Carries `job`, which this process has leased, until it ends or is put down.
pub async fn carry(context: Arc<Context>, job: Job, signals: Signals) {
    let (id, fence) = (job.id.clone(), job.fence);
    let _lease = Lease::of(&job.hpc);
    // Boxed: it is large, and there is one for each job.
    let carried = Box::pin(carry_on(&context, job, signals)).await;
    match carried {
        Ok(()) => {}
        Err(reason @ PutDown::Store(_)) => {
            tracing::error!(%reason, "put the job down");
        }
        Err(reason) => tracing::info!(%reason, "put the job down"),
    }
    context.carried.leave(&id, fence);
}

async fn carry_on(context: &Context, job: Job, signals: Signals) -> Result<(), PutDown> {
    let Some((port, boards)) = context.hpc_of(&job) else {
        tracing::error!(hpc = job.hpc, "leased a job of an HPC not served here");
        return Ok(());
    };
    let Some(config) = port.site.maintainers.get(&job.maintainer) else {
        tracing::error!(maintainer = job.maintainer, "unknown maintainer");
        return Ok(());
    };
    let fresh = job.step == Step::Prepare;
    let kind = kind_of(config.kind);
    let mut carrier = Carrier {
        context,
        port: port.clone(),
        boards,
        kind,
        job,
        signals,
        fresh,
        sealed: None,
    };
    let (hpc, id) = (carrier.job.hpc.clone(), carrier.job.id.clone());
    if carrier.job.account.is_some() {
        let time = port.site.server.credential_time;
        tokio::select! {
            carried = carrier.run() => carried?,
            never = password::keep_login(&context.queue, &hpc, &id, time) => match never {},
        }
        if let Err(error) = context.queue.remove_credential(&hpc, &id).await {
            tracing::warn!(%error, "a login is kept until its time is over");
        }
    } else {
        carrier.run().await?;
    }
    if let Err(error) = context.queue.notify_slot_freed(&hpc).await {
        tracing::warn!(hpc, %error, "could not tell that a place is free");
    }
    Ok(())
}

impl Carrier<'_> {
    async fn run(&mut self) -> Result<(), PutDown> {
        while !self.job.state.is_terminal() {
            self.check_signals()?;
            if self.cancel_here().await? {
                // Done, or a step nearer.
            } else if self.job.state == State::Blocked {
                self.wait_for_probe().await?;
            } else if self.wish(Intent::Pause).is_some() && self.job.step < Step::Submit {
                self.hold_before_submit().await?;
            } else if !self.has_login().await? {
                // Parked.
            } else if let Some(from) = self.globus_source() {
                self.bring_data(from).await?;
            } else if self.job.step == Step::Watch {
                self.watch().await?;
            } else {
                self.do_step().await?;
            }
        }
        tracing::info!(state = %self.job.state, "job is over");
        Ok(())
    }

    fn check_signals(&self) -> Result<(), PutDown> {
        if self.signals.lost.is_cancelled() {
            return Err(PutDown::Lost);
        }
        if self.context.shutdown.token.is_cancelled() {
            return Err(PutDown::Stopping);
        }
        Ok(())
    }

    /// Resolves when the carrier must put its job down.
    pub(crate) async fn interrupted(signals: &Signals, context: &Context) -> PutDown {
        tokio::select! {
            () = signals.lost.cancelled() => PutDown::Lost,
            () = context.shutdown.token.cancelled() => PutDown::Stopping,
        }
    }

    /// Who wants `intent`, if the owner's latest wish is that.
    pub(crate) fn wish(&self, intent: Intent) -> Option<UserId> {
        let wish = self.signals.wish.borrow();
        wish.as_ref()
            .filter(|(wanted, _)| *wanted == intent)
            .map(|(_, by)| by.clone())
    }

    async fn do_step(&mut self) -> Result<(), PutDown> {
        let definition = match self
            .kind
            .on_define(&self.job, &self.port.hpc, &self.port.site)
        {
            Ok(definition) => definition,
            Err(cause) => return self.fail(cause).await,
        };
        let (step, begun) = (self.job.step, Instant::now());
        let done = tokio::select! {
            done = self.attempt(step, &definition) => done,
            // Looked at by the loop. What was begun may be done again, or not at all.
            () = self.cancel_wanted(), if step != Step::Submit => return Ok(()),
        };
        meters::step(step, begun, &done);
        match done {
            Ok(progress) => self.step_done(step, progress, &definition).await,
            Err(StepError::Trouble(reason)) => self.park(&reason).await,
            Err(StepError::Refused(cause)) => self.refuse(step, cause).await,
            Err(StepError::Password(words)) => self.password_is_refused(&words).await,
            Err(StepError::Store(error)) => self.park(&error.to_string()).await,
        }
    }

    async fn attempt(&self, step: Step, definition: &Definition) -> Result<Progress, StepError> {
        match step {
            Step::Prepare => {
                let now = self.context.clock.now();
                Ok(steps::prepare(&self.job, &self.port.hpc, now))
            }
            Step::Collect => {
                let listed_first = definition.listed_first.as_deref();
                steps::collect(&self.port, &self.job, listed_first).await
            }
            step => {
                self.kind
                    .on_init(step, &self.port, &self.job, definition)
                    .await
            }
        }
    }

    pub(crate) async fn step_done(
        &mut self,
        step: Step,
        mut progress: Progress,
        definition: &Definition,
    ) -> Result<(), PutDown> {
        progress.attempts = Some(0);
        progress.step = steps::following(step, &self.job, definition);
        progress
            .events
            .extend(progress.step.and_then(steps::announcement));
        self.save(progress).await?;
        self.fresh = true;
        Ok(())
    }

    async fn refuse(&mut self, step: Step, cause: Cause) -> Result<(), PutDown> {
        if step == Step::Submit {
            let words = format!("cannot submit job {}: {cause}", self.job.id);
            let event = NewEvent::new(EventKind::SlurmSubmitError, words);
            self.save(Progress {
                events: vec![event],
                ..Progress::default()
            })
            .await?;
        }
        self.fail(cause).await
    }

    pub(crate) async fn fail(&mut self, cause: Cause) -> Result<(), PutDown> {
        self.save(Progress {
            change: Some(Change::Fail),
            events: vec![NewEvent::failed(&self.job.id, &cause)],
            cause: Some(cause.as_str().to_owned()),
            ..Progress::default()
        })
        .await
    }

    /// The scheduler has ended the job: what that means is saved before anything
    /// is fetched. A short job may have begun and ended between two looks.
    pub(crate) async fn finish(
        &mut self,
        end: &EndState,
        started_at: Option<Timestamp>,
    ) -> Result<(), PutDown> {
        meters::slurm_end(&self.job.hpc, &end.slurm_state);
        let canceller = self
            .wish(Intent::Cancel)
            .filter(|_| end.slurm_state == "CANCELLED");
        let cause = match canceller {
            Some(by) => Some(Cause::cancelled_by(by.as_str())),
            None => Cause::of_end(end),
        };
        self.save(Progress {
            change: Some(Change::Finish),
            step: Some(Step::Collect),
            cause: cause.map(|cause| cause.as_str().to_owned()),
            started_at,
            ..Progress::default()
        })
        .await
    }

    /// What the change that was just written means for the metrics.
    fn measure(&self, change: Option<Change>) {
        let Job {
            hpc, state, step, ..
        } = &self.job;
        if change == Some(Change::Park) {
            meters::parked(hpc, *step);
        } else if state.is_terminal() {
            meters::closed(hpc, *state, *step);
        }
    }

    /// What this carrier shows to the store.
    pub(crate) fn held(&self) -> Held {
        Held {
            id: self.job.id.clone(),
            fence: self.job.fence,
            owner: self.context.id.clone(),
        }
    }

    /// Writes `progress`. While the store is away it waits: the lease decides who
    /// may write when it is back.
    pub(crate) async fn save(&mut self, progress: Progress) -> Result<(), PutDown> {
        let held = self.held();
        let mut tries = 0;
        loop {
            // Boxed: each step's future would contain it otherwise.
            let written = Box::pin(self.context.store.advance(&held, progress.clone()));
            match written.await {
                Ok(job) => {
                    self.job = job;
                    self.measure(progress.change);
                    return Ok(());
                }
                Err(StoreError::LeaseLost) => return Err(PutDown::Lost),
                Err(error) if error.kind().is_transient() => {
                    tracing::warn!(%error, "could not write, trying again");
                    let wait = jittered(backoff(tries));
                    tries += 1;
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        reason = Self::interrupted(&self.signals, self.context) => {
                            return Err(reason);
                        }
                    }
                }
                Err(error) => return Err(PutDown::Store(error)),
            }
        }
    }
}
