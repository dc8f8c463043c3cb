//! `collect`: stdout and stderr, which are put into the result folder as well, usage
//! and the listing of that folder, then the job's end.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, Change, Job, JobFile, NewEvent, Usage},
};
use compute_proto::RemoteError;

use super::{StepError, is_legacy};
use crate::{hpc_port::HpcPort, launcher::Folders};

/// What is kept of each of stdout and stderr, bytes. The whole is in the result
/// folder.
const LOG_LIMIT: u32 = 1 << 20;

/// Accounting lags behind the scheduler: how long it is given for the usage.
const USAGE_PATIENCE: Duration = Duration::from_millis(1500);

/// Fetches everything, and says how the job ended.
///
/// # Errors
/// [`StepError::Trouble`] if something could not be fetched now.
pub async fn collect(
    port: &HpcPort,
    job: &Job,
    listed_first: Option<&str>,
) -> Result<Progress, StepError> {
    let result = Folders::of(job, &port.hpc).result;
    let legacy = store_logs(port, job, &result).await?;
    let (stdout, stderr, listing, usage) = tokio::join!(
        log(port, job, JobFile::Stdout, legacy.then_some(&result)),
        log(port, job, JobFile::Stderr, legacy.then_some(&result)),
        listing(port, &result),
        usage(port, job),
    );
    let mut progress = conclusion(job);
    progress.logs = [stdout?, stderr?].into_iter().flatten().collect();
    progress.result_listing = Some(put_first(listing?, listed_first));
    progress.usage = Some(usage);
    Ok(progress)
}

/// The change and the events that close `job`, whose cause was saved when the
/// scheduler ended it.
fn conclusion(job: &Job) -> Progress {
    let cancelled = job
        .intent_by
        .as_ref()
        .filter(|by| job.cause.as_deref() == Some(Cause::cancelled_by(by.as_str()).as_str()));
    let (change, events) = match (&job.cause, cancelled) {
        (Some(cause), Some(by)) => {
            let cause = Cause::new(cause);
            let events = vec![
                NewEvent::cancelled(&job.id, by),
                NewEvent::failed(&job.id, &cause),
            ];
            (Change::Cancel, events)
        }
        (Some(cause), None) => (
            Change::Fail,
            vec![NewEvent::failed(&job.id, &Cause::new(cause))],
        ),
        (None, _) => (Change::Succeed, vec![NewEvent::ended(&job.id)]),
    };
    Progress {
        change: Some(change),
        events,
        ..Progress::default()
    }
}

/// Puts the logs into the result folder; true if the job is of the version before,
/// whose logs are there already. A folder that does not take them is its owner's doing.
async fn store_logs(port: &HpcPort, job: &Job, result: &str) -> Result<bool, RemoteError> {
    let stored = port.connector.store_logs(port.hpc_name(), &job.id, result);
    match stored.await {
        Ok(()) => Ok(false),
        Err(error) if error.kind == ErrorKind::NotFound => is_legacy(port, job).await,
        Err(error) if error.kind == ErrorKind::Refused => {
            tracing::warn!(%error, "the logs are not in the result folder");
            Ok(false)
        }
        Err(error) => Err(error),
    }
}

/// What is kept of `file`; in the result folder if the job is of the version before.
async fn log(
    port: &HpcPort,
    job: &Job,
    file: JobFile,
    legacy_result: Option<&String>,
) -> Result<Option<String>, RemoteError> {
    let (hpc, connector) = (port.hpc_name(), &port.connector);
    let part = match legacy_result {
        None => connector.read_job_file(hpc, &job.id, file, LOG_LIMIT).await,
        Some(result) => {
            let path = format!("{result}/slurm_log/{}", file.name());
            connector.read_file(hpc, &path, 0, LOG_LIMIT).await
        }
    };
    let part = match part {
        Err(error) if error.kind == ErrorKind::NotFound => return Ok(None),
        part => part?,
    };
    if part.content.is_empty() {
        return Ok(None);
    }
    // NUL cannot be kept by every database.
    let mut text = String::from_utf8_lossy(&part.content).replace('\0', "\u{fffd}");
    if part.size > u64::from(LOG_LIMIT) {
        let size = part.size;
        text.push_str(&format!(
            "\n[the first {LOG_LIMIT} of {size} bytes; the whole log is in the result folder]"
        ));
    }
    Ok(Some(text))
}

async fn listing(port: &HpcPort, result: &str) -> Result<Vec<String>, RemoteError> {
    match port.connector.list_folder(port.hpc_name(), result).await {
        Err(error) if error.kind == ErrorKind::NotFound => Ok(Vec::new()),
        listing => listing,
    }
}

/// Never in the way of the job's end: what is not known is left out.
async fn usage(port: &HpcPort, job: &Job) -> Usage {
    let Some(job) = port.slurm_job(job) else {
        return Usage::default();
    };
    let ask = async || {
        port.connector
            .usage(port.hpc_name(), &job)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(slurm.id = job.slurm_id, %error, "no usage");
                Usage::default()
            })
    };
    let usage = ask().await;
    if usage.walltime.is_some() {
        return usage;
    }
    tokio::time::sleep(USAGE_PATIENCE).await;
    ask().await
}

fn put_first(mut listing: Vec<String>, first: Option<&str>) -> Vec<String> {
    let Some(first) = first else { return listing };
    let first = format!("/{}", first.trim_matches('/'));
    if let Some(at) = listing.iter().position(|folder| *folder == first) {
        let folder = listing.remove(at);
        listing.insert(0, folder);
    }
    listing
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn the_templates_folder_comes_first_if_it_is_there() {
        let listing = || ["/", "/a", "/b"].map(str::to_owned).to_vec();
        assert_eq!(put_first(listing(), Some("b")), ["/b", "/", "/a"]);
        assert_eq!(put_first(listing(), Some("/a/")), ["/a", "/", "/b"]);
        assert_eq!(put_first(listing(), Some("none")), ["/", "/a", "/b"]);
        assert_eq!(put_first(listing(), None), ["/", "/a", "/b"]);
    }

    #[test]
    fn one_of_two_events_closes_a_job() {
        let mut job = fixtures::job();
        assert_eq!(conclusion(&job).change, Some(Change::Succeed));
        job.cause = Some("the program ended with exit code 1".to_owned());
        let failed = conclusion(&job);
        assert_eq!(failed.change, Some(Change::Fail));
        assert!(failed.events[0].message.contains("exit code 1"));
        job.intent_by = Some(job.user_id.clone());
        assert_eq!(
            conclusion(&job).change,
            Some(Change::Fail),
            "failed before it was cancelled"
        );
        job.cause = Some("cancelled by alice@127.0.0.1:8000".to_owned());
        let cancelled = conclusion(&job);
        assert_eq!(cancelled.change, Some(Change::Cancel));
        assert_eq!(cancelled.events.len(), 2);
    }
}
