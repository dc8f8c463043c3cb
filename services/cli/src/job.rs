//! `job`: jobs of all users.

use std::{path::Path, str::FromStr as _, time::Duration};

use anyhow::{Context as _, bail};
use clap::Subcommand;
use compute_db::{EventRow, JobFilter, LogRow, Store};
use compute_domain::{
    Timestamp,
    ids::{JobId, UserId},
    job::{Intent, Job, State},
};
use compute_runtime::{grpc::Transport, tls::Role};
use serde_json::{Value, json};

use crate::{
    Output,
    output::{printable, table},
    site,
};

/// Who cancels the job, as its owner reads it.
const OPERATOR: &str = "the operator";

/// Commands about jobs.
#[derive(Debug, Subcommand)]
pub enum Command {
    /// Jobs, newest first
    List {
        /// Of this HPC
        #[arg(long)]
        hpc: Option<String>,
        /// In this state
        #[arg(long, value_parser = state)]
        state: Option<State>,
        /// Of this user, NAME@HOST
        #[arg(long)]
        user: Option<String>,
        /// Show at most this many
        #[arg(long, default_value_t = 50)]
        limit: u64,
    },
    /// One job: its row, events and logs
    Show {
        /// Its id
        id: String,
    },
    /// Cancel a job, wherever it is
    Cancel {
        /// Its id
        id: String,
    },
}

fn state(name: &str) -> Result<State, String> {
    State::from_str(name).map_err(|error| error.to_string())
}

pub(crate) async fn run(command: Command, folder: &Path) -> anyhow::Result<Output> {
    let site = site::load(folder)?;
    let store = site::store(&site.server).await?;
    match command {
        Command::List {
            hpc,
            state,
            user,
            limit,
        } => {
            let user = user.map(UserId::from_text);
            list(
                &store,
                JobFilter {
                    hpc,
                    state,
                    user,
                    limit,
                },
            )
            .await
        }
        Command::Show { id } => show(&store, &JobId::from_text(id)).await,
        Command::Cancel { id } => {
            let alive_within = site.server.lease.max(Duration::from_secs(30));
            let transport = Transport::load(site.server.tls.as_ref())?;
            cancel(&store, &transport, &JobId::from_text(id), alive_within).await
        }
    }
}

async fn list(store: &Store, filter: JobFilter) -> anyhow::Result<Output> {
    let jobs = store.list_jobs(filter).await?;
    let line = |job: &Job| {
        [
            job.id.to_string(),
            job.user_id.to_string(),
            job.hpc.clone(),
            job.state.to_string(),
            job.slurm_id.clone().unwrap_or_default(),
            job.template_id.clone().unwrap_or_default(),
            job.created_at.to_iso(),
            job.blocked_reason
                .clone()
                .or_else(|| job.cause.clone())
                .unwrap_or_default(),
        ]
    };
    let header = [
        "id", "user", "hpc", "state", "slurm", "template", "created", "reason",
    ];
    let text = table(header, jobs.iter().map(line).collect());
    Ok(Output::good(
        json!({"jobs": jobs.iter().map(row).collect::<Vec<_>>()}),
        text,
    ))
}

async fn show(store: &Store, id: &JobId) -> anyhow::Result<Output> {
    let job = find(store, id).await?;
    let (events, logs) = (store.events_of(id).await?, store.logs_of(id).await?);
    let event = |e: &EventRow| json!({"type": e.kind, "message": e.message, "createdAt": e.created_at.to_iso()});
    let log = |l: &LogRow| json!({"message": l.message, "createdAt": l.created_at.to_iso()});
    let json = json!({
        "job": row(&job),
        "events": events.iter().map(event).collect::<Vec<_>>(),
        "logs": logs.iter().map(log).collect::<Vec<_>>(),
    });
    let facts = row(&job);
    let facts = facts
        .as_object()
        .into_iter()
        .flatten()
        .filter(|(_, value)| !value.is_null());
    let fact = |(key, value): (&String, &Value)| {
        [
            key.clone(),
            value
                .as_str()
                .map_or_else(|| value.to_string(), str::to_owned),
        ]
    };
    let mut parts = vec![table(["field", "value"], facts.map(fact).collect())];
    let event =
        |e: &compute_db::EventRow| [e.created_at.to_iso(), e.kind.clone(), e.message.clone()];
    parts.push(table(
        ["at", "event", "message"],
        events.iter().map(event).collect(),
    ));
    for log in &logs {
        parts.push(format!(
            "LOG {}\n{}",
            log.created_at.to_iso(),
            printable(&log.message, true)
        ));
    }
    Ok(Output::good(json, parts.join("\n\n")))
}

async fn cancel(
    store: &Store,
    transport: &Transport,
    id: &JobId,
    alive_within: Duration,
) -> anyhow::Result<Output> {
    let job = find(store, id).await?;
    if job.state.is_terminal() {
        bail!("job {id} is over already: it is {}", job.state);
    }
    let Some(job) = store.operator_intent(id, Intent::Cancel, OPERATOR).await? else {
        bail!("job {id} was never submitted: there is nothing to cancel");
    };
    // The maintainer finds the intent by itself; asked, it looks at once.
    let asked = match store.maintainer_for(&job, alive_within).await? {
        Some(address) => match transport.channel(&address, Role::Maintainer) {
            Ok(channel) => compute_proto::notice(channel, id).await.is_ok(),
            Err(_) => false,
        },
        None => false,
    };
    let text = if asked {
        format!("job {id} is being cancelled")
    } else {
        format!(
            "job {id} will be cancelled as soon as a maintainer of {} looks at it",
            job.hpc
        )
    };
    Ok(Output::good(
        json!({"job": row(&job), "maintainerAsked": asked}),
        text,
    ))
}

async fn find(store: &Store, id: &JobId) -> anyhow::Result<Job> {
    store
        .job(id)
        .await?
        .with_context(|| format!("there is no job {id}"))
}

/// The row, without the values of the job's environment, which may be secrets.
fn row(job: &Job) -> Value {
    let time = |at: Option<Timestamp>| at.map(Timestamp::to_iso);
    let env: Vec<_> = job.env.keys().collect();
    json!({
        "id": job.id.as_str(),
        "name": job.name,
        "userId": job.user_id.as_str(),
        "maintainer": job.maintainer,
        "hpc": job.hpc,
        "state": job.state.as_str(),
        "step": job.step.as_str(),
        "cause": job.cause,
        "blockedReason": job.blocked_reason,
        "attempts": job.attempts,
        "nextProbeAt": time(job.next_probe_at),
        "slurmId": job.slurm_id,
        "templateId": job.template_id,
        "templateSha": job.template_sha,
        "carriedBy": job.lease_holder.as_ref().map(|holder| holder.as_str()),
        "leaseEpoch": job.lease_epoch,
        "fence": job.fence,
        "intent": job.intent.map(Intent::as_str),
        "intentBy": job.intent_by.as_ref().map(UserId::as_str),
        "param": job.param,
        "envNames": env,
        "slurm": job.slurm,
        "executableFolder": job.remote_executable_folder_id.as_ref().map(|id| id.as_str()),
        "executableCopy": job.executable_copy_id.as_ref().map(|id| id.as_str()),
        "dataFolder": job.remote_data_folder_id.as_ref().map(|id| id.as_str()),
        "resultFolder": job.remote_result_folder_id.as_ref().map(|id| id.as_str()),
        "isFailed": job.is_failed,
        "createdAt": job.created_at.to_iso(),
        "submittedAt": time(job.submitted_at),
        "queuedAt": time(job.queued_at),
        "initializedAt": time(job.initialized_at),
        "startedAt": time(job.started_at),
        "finishedAt": time(job.finished_at),
    })
}
