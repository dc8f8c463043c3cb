//! `collect`: stdout and stderr, usage and the listing of the result folder,
//! then the job's end.

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, Change, Job, NewEvent, Usage},
};
use compute_proto::RemoteError;

use super::StepError;
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
    let (stdout, stderr) = (
        format!("{result}/slurm_log/job.stdout"),
        format!("{result}/slurm_log/job.stderr"),
    );
    let (stdout, stderr, listing, usage) = tokio::join!(
        log(port, &stdout),
        log(port, &stderr),
        listing(port, &result),
        usage(port, job.slurm_id.as_deref()),
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

async fn log(port: &HpcPort, path: &str) -> Result<Option<String>, RemoteError> {
    let part = match port
        .connector
        .read_file(port.hpc_name(), path, 0, LOG_LIMIT)
        .await
    {
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
async fn usage(port: &HpcPort, slurm_id: Option<&str>) -> Usage {
    let Some(slurm_id) = slurm_id else {
        return Usage::default();
    };
    let ask = async || {
        port.connector
            .usage(port.hpc_name(), slurm_id)
            .await
            .unwrap_or_else(|error| {
                tracing::warn!(slurm.id = slurm_id, %error, "no usage");
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
