//! Runs one job from its current step to its end.
//!
//! The runner does a step, writes its result together with the events and the next
//! step, and goes on. Trouble of the infrastructure parks the job; a refusal ends it. The
//! runner stops without writing anything when another maintainer has the job, and when the
//! process stops: the row holds everything that the next runner needs.

mod cancel;
mod control;
mod definition;
mod fence;
mod look;
mod park;
mod password;
mod step;
mod transfer;
mod watch;

use std::sync::Arc;

use compute_db::{LeaseToken, Progress, StoreError};
use compute_domain::{
    ids::UserId,
    job::{Cause, Change, Intent, Job, NewEvent, State, Step},
};

use tokio::time::Instant;

use crate::{
    active_jobs::Signals,
    backoff::{backoff, jittered},
    context::Context,
    definition::Definition,
    hpc_handle::HpcHandle,
    kinds::{self, Kind, kind_of},
    lease_permit::LeasePermit,
    meters::{self, Lease},
};

/// Why a runner stopped before its job ended.
#[derive(Debug, thiserror::Error)]
enum StopReason {
    #[error("the lease of the job is lost")]
    LeaseLost,
    #[error("the HPC knows a newer fence than the restored database: fence raised")]
    FenceRaised,
    #[error("the process stops")]
    Stopping,
    #[error("the database failed: {0}")]
    Store(StoreError),
}

/// Runs one job.
struct JobRunner<'a> {
    context: &'a Context,
    /// The HPC. Where the job has a login of its own, each call carries it.
    hpc: HpcHandle,
    kind: &'static dyn Kind,
    /// Whether the job's maintainer is in `maintainer.json`.
    is_configured: bool,
    /// Computed once, when a step first needs it.
    definition: Option<Arc<Definition>>,
    job: Job,
    signals: Signals,
    /// Whether this runner itself began the current step: only then it knows that nobody has
    /// tried the step before.
    step_is_untried: bool,
    /// Whether this runner has the job from the queue: nobody has run it before.
    is_claimed: bool,
    /// Whether no call of an earlier holder of the lease can change anything at the HPC.
    fence_is_raised: bool,
    /// How often raising it failed.
    fence_tries: u32,
    /// The login that `hpc` has, as it was sealed.
    sealed: Option<String>,
    /// Lets the calls through that change something outside of the database. `hpc` has it, too.
    permit: Arc<LeasePermit>,
}

/// Runs `job`, whose lease this process holds, until it ends or the runner must stop. A job
/// that `is_claimed` comes from the queue; any other was run before.
pub async fn run(context: Arc<Context>, job: Job, is_claimed: bool, signals: Signals) {
    let (id, fence) = (job.id.clone(), job.fence);
    let _lease = Lease::of(&job.hpc);
    // Boxed: it is large, and there is one for each job.
    let ran = Box::pin(run_to_end(&context, job, is_claimed, signals)).await;
    match ran {
        Ok(()) => {}
        Err(reason @ (StopReason::Store(_) | StopReason::FenceRaised)) => {
            tracing::error!(%reason, "runner stopped; it starts again with the next renewal");
        }
        Err(reason) => tracing::info!(%reason, "runner stopped"),
    }
    context.active_jobs.leave(&id, fence);
}

async fn run_to_end(
    context: &Context,
    job: Job,
    is_claimed: bool,
    signals: Signals,
) -> Result<(), StopReason> {
    let Some(hpc) = context.hpcs.get(&job.hpc) else {
        tracing::error!(
            hpc = job.hpc,
            "leased a job of an HPC that is not served here: released"
        );
        let release = Progress {
            release: true,
            ..Progress::default()
        };
        let released = context
            .store
            .advance(&context.token(&job), &job, release)
            .await;
        return released.map(drop).map_err(StopReason::Store);
    };
    let config = hpc.site.maintainers.get(&job.maintainer);
    let token = context.token(&job);
    let lost = context.own_lease.lost(token.holder.epoch);
    let own_lease = Arc::clone(&context.own_lease);
    let permit = Arc::new(LeasePermit::new(own_lease, context.store.clone(), token));
    let mut bound = hpc.for_job(&job);
    bound.connector = bound.connector.with_permit(permit.clone());
    let mut runner = JobRunner {
        context,
        hpc: bound,
        kind: config.map_or_else(kinds::unconfigured, |config| kind_of(config.kind)),
        is_configured: config.is_some(),
        definition: None,
        step_is_untried: job.step == Step::Prepare,
        is_claimed,
        // Nobody has called the HPC for a job that comes from the queue.
        fence_is_raised: is_claimed,
        fence_tries: 0,
        job,
        signals,
        sealed: None,
        permit,
    };
    if runner.job.account.is_some() {
        let (id, time) = (runner.job.id.clone(), hpc.site.server.credential_time);
        tokio::select! {
            biased;
            () = lost.cancelled() => return Err(StopReason::LeaseLost),
            ran = runner.run() => ran?,
            never = password::keep_login(&context.queue, hpc.name(), &id, time) => match never {},
        }
        if let Err(error) = context.queue.remove_credential(hpc.name(), &id).await {
            tracing::warn!(%error, "a login is kept until it expires");
        }
    } else {
        tokio::select! {
            biased;
            () = lost.cancelled() => return Err(StopReason::LeaseLost),
            ran = runner.run() => ran?,
        }
    }
    if let Err(error) = context.queue.notify_slot_freed(hpc.name()).await {
        tracing::warn!(hpc = hpc.name(), %error, "could not announce a free place");
    }
    Ok(())
}

impl JobRunner<'_> {
    async fn run(&mut self) -> Result<(), StopReason> {
        while !self.job.state.is_terminal() {
            self.check_signals()?;
            if self.cancel_here().await? {
                // Cancelled, or a step nearer to it.
            } else if self.job.state == State::Blocked {
                self.wait_for_probe().await?;
            } else if !self.raise_fence().await? {
                // Parked, or tried again.
            } else if self.intent_by(Intent::Pause).is_some() && self.job.step < Step::Submit {
                self.pause_before_submit().await?;
            } else if self.has_login().await? {
                self.step().await?;
            }
        }
        tracing::info!(state = %self.job.state, "job ended");
        Ok(())
    }

    /// Does the job's current step.
    async fn step(&mut self) -> Result<(), StopReason> {
        match self.job.step {
            Step::Prepare => self.prepare().await,
            Step::UploadData => match self.globus_source() {
                Some(from) => self.bring_data(from).await,
                None => self.init().await,
            },
            Step::UploadExecutable | Step::CreateResult | Step::WriteScript | Step::Submit => {
                self.init().await
            }
            Step::Watch => self.watch().await,
            Step::Collect => self.collect().await,
        }
    }

    fn check_signals(&self) -> Result<(), StopReason> {
        if self.signals.lost.is_cancelled() {
            return Err(StopReason::LeaseLost);
        }
        if self.context.shutdown.token.is_cancelled() {
            return Err(StopReason::Stopping);
        }
        Ok(())
    }

    /// Resolves when the runner must stop.
    async fn interrupted(signals: &Signals, context: &Context) -> StopReason {
        tokio::select! {
            () = signals.lost.cancelled() => StopReason::LeaseLost,
            () = context.shutdown.token.cancelled() => StopReason::Stopping,
        }
    }

    /// Who wants `intent`, if that is the latest one.
    fn intent_by(&self, intent: Intent) -> Option<UserId> {
        let latest = self.signals.intent.borrow();
        latest
            .as_ref()
            .filter(|(wanted, _)| *wanted == intent)
            .map(|(_, by)| by.clone())
    }

    async fn fail(&mut self, cause: Cause) -> Result<(), StopReason> {
        self.save(Progress {
            change: Some(Change::Fail),
            events: vec![NewEvent::failed(&self.job.id, &cause)],
            cause: Some(cause.as_str().to_owned()),
            ..Progress::default()
        })
        .await
    }

    /// Counts the change that was just written.
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

    fn token(&self) -> LeaseToken {
        self.context.token(&self.job)
    }

    /// Writes `progress`, once even if the response of a write is lost. While the database is
    /// away it waits: the lease decides who may write when it is back.
    async fn save(&mut self, progress: Progress) -> Result<(), StopReason> {
        let token = self.token();
        let mut tries = 0;
        let mut may_be_written = false;
        loop {
            let (store, progress) = (&self.context.store, progress.clone());
            let (change, sent) = (progress.change, Instant::now());
            // Boxed: each step's future would contain it otherwise.
            let written = Box::pin(async {
                if may_be_written {
                    store.advance_again(&token, &self.job, progress).await
                } else {
                    store.advance(&token, &self.job, progress).await
                }
            });
            match written.await {
                Ok(job) => {
                    self.job = job;
                    self.permit.seen(sent);
                    self.measure(change);
                    return Ok(());
                }
                Err(StoreError::LeaseLost) => return Err(StopReason::LeaseLost),
                Err(error) if error.kind().is_transient() => {
                    tracing::warn!(%error, "could not write, trying again");
                    may_be_written |= matches!(error, StoreError::Unavailable(_));
                    let wait = jittered(backoff(tries));
                    tries += 1;
                    tokio::select! {
                        () = tokio::time::sleep(wait) => {}
                        reason = Self::interrupted(&self.signals, self.context) => {
                            return Err(reason);
                        }
                    }
                }
                Err(error) => return Err(StopReason::Store(error)),
            }
        }
    }
}
