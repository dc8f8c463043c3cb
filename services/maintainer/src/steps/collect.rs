//! `collect`: stdout and stderr, which are put into the result folder as well, usage
//! and the listing of that folder, then the job's end.
//!
//! What lies in the job's folder is its program's. A part of it that cannot be read
//! for its own sake is left out, with a note; only trouble of the HPC is waited for.

mod part;

use std::time::Duration;

use compute_db::Progress;
use compute_domain::{
    Backoff, ErrorKind,
    ids::UserId,
    job::{Cause, Change, Job, JobFile, NewEvent, Usage, log_path},
};
use compute_proto::Listing;

use self::part::Part;
use super::{StepError, is_legacy};
use crate::{hpc_handle::HpcHandle, launcher::Folders};

/// What is kept of each of stdout and stderr, bytes. The whole is in the result
/// folder.
const LOG_LIMIT: u32 = 1 << 20;

/// Accounting lags behind the scheduler: how long the end of a job waits for its usage.
const USAGE_TIMEOUT: Duration = Duration::from_secs(15);

/// The same for a job that is to be cancelled.
const LAST_USAGE_TIMEOUT: Duration = Duration::from_secs(2);

/// Before usage is asked for again: each time is a command on the login node.
const USAGE_BACKOFF: Backoff = Backoff::new(Duration::from_secs(1), Duration::from_secs(5));

/// How often, and with which pause, the results of a job that is to be cancelled are
/// fetched.
const LAST_TRIES: usize = 3;
const LAST_PAUSE: Duration = Duration::from_secs(1);

/// Fetches everything, and says how the job ended.
///
/// # Errors
/// [`StepError::Trouble`] if something could not be fetched now, and may be later.
pub async fn collect(
    hpc: &HpcHandle,
    job: &Job,
    listed_first: Option<&str>,
) -> Result<Progress, StepError> {
    let fetched = fetch(hpc, job, USAGE_TIMEOUT).await;
    fetched.trouble(job.attempts)?;
    Ok(fetched.finish(job, conclusion(job), listed_first))
}

/// The same for a job that `by` wants cancelled: what is not fetched soon is left
/// out, and then the job is cancelled even if its program had ended well.
pub async fn collect_at_once(
    hpc: &HpcHandle,
    job: &Job,
    listed_first: Option<&str>,
    by: &UserId,
) -> Progress {
    let mut fetched = fetch(hpc, job, LAST_USAGE_TIMEOUT).await;
    for _ in 1..LAST_TRIES {
        if fetched.trouble(0).is_ok() {
            break;
        }
        tokio::time::sleep(LAST_PAUSE).await;
        fetched = fetch(hpc, job, LAST_USAGE_TIMEOUT).await;
    }
    let end = match fetched.trouble(job.attempts) {
        Ok(()) => conclusion(job),
        Err(_) => cut_short(job, by),
    };
    fetched.finish(job, end, listed_first)
}

/// The end of a job that `by` wants cancelled, where nothing can be fetched.
pub fn nothing_collected(job: &Job, by: &UserId) -> Progress {
    let mut progress = cut_short(job, by);
    let reasons = ["the HPC did not answer in time".to_owned()];
    let note = NewEvent::result_incomplete(&job.id, &reasons);
    progress.events.insert(0, note);
    progress
}

/// What there is in the result folder, as far as it was fetched.
struct Fetched {
    /// The logs, in the result folder.
    stored: Part<bool>,
    stdout: Part<Option<String>>,
    stderr: Part<Option<String>>,
    listing: Part<Listing>,
    usage: Usage,
}

async fn fetch(hpc: &HpcHandle, job: &Job, usage_timeout: Duration) -> Fetched {
    let result = Folders::of(job, &hpc.config).result;
    let stored = store_logs(hpc, job, &result).await;
    let legacy = matches!(stored, Part::Fetched(true));
    let (stdout, stderr, listing, usage) = tokio::join!(
        log(hpc, job, JobFile::Stdout, legacy.then_some(&result)),
        log(hpc, job, JobFile::Stderr, legacy.then_some(&result)),
        listing(hpc, &result),
        usage(hpc, job, usage_timeout),
    );
    Fetched {
        stored,
        stdout,
        stderr,
        listing,
        usage,
    }
}

impl Fetched {
    /// Whether to try again, after `attempts` in vain.
    fn trouble(&self, attempts: i32) -> Result<(), StepError> {
        let others_answered =
            self.stdout.is_answered() || self.stderr.is_answered() || self.listing.is_answered();
        self.stored.trouble(attempts, others_answered)?;
        self.stdout.trouble(attempts, others_answered)?;
        self.stderr.trouble(attempts, others_answered)?;
        self.listing.trouble(attempts, others_answered)
    }

    fn finish(self, job: &Job, end: Progress, listed_first: Option<&str>) -> Progress {
        let mut progress = end;
        let mut notes = Vec::new();
        let mut noted = |what: &str, note: Option<String>| {
            notes.extend(note.map(|note| format!("{what}: {note}")));
        };
        let (_, note) = self.stored.take();
        noted("logs in the result folder", note);
        let (stdout, note) = self.stdout.take();
        noted("stdout", note);
        let (stderr, note) = self.stderr.take();
        noted("stderr", note);
        let (listing, note) = self.listing.take();
        noted("list of folders", note);
        if listing.is_cut {
            noted(
                "list of folders",
                Some("it is too long, and cut".to_owned()),
            );
        }
        progress.logs = [stdout, stderr].into_iter().flatten().collect();
        progress.result_listing = Some(put_first(listing.folders, listed_first));
        progress.usage = Some(self.usage);
        if !notes.is_empty() {
            let note = NewEvent::result_incomplete(&job.id, &notes);
            progress.events.insert(0, note);
        }
        progress
    }
}

/// A job whose results were not fetched to the end because `by` wants it cancelled.
fn cut_short(job: &Job, by: &UserId) -> Progress {
    if job.cause.is_some() {
        return conclusion(job);
    }
    let cause = Cause::cancelled_by(by.as_str());
    Progress {
        change: Some(Change::Cancel),
        events: vec![
            NewEvent::cancelled(&job.id, by),
            NewEvent::failed(&job.id, &cause),
        ],
        cause: Some(cause.as_str().to_owned()),
        ..Progress::default()
    }
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
/// whose logs are there already.
async fn store_logs(hpc: &HpcHandle, job: &Job, result: &str) -> Part<bool> {
    let stored = hpc.connector.store_logs(&job.id, result);
    match stored.await {
        Err(error) if error.kind == ErrorKind::NotFound => Part::of(is_legacy(hpc, job).await),
        stored => Part::of(stored.map(|()| false)),
    }
}

/// What is kept of `file`; in the result folder if the job is of the version before.
async fn log(
    hpc: &HpcHandle,
    job: &Job,
    file: JobFile,
    legacy_result: Option<&String>,
) -> Part<Option<String>> {
    let connector = &hpc.connector;
    let read = match legacy_result {
        None => connector.read_job_file(&job.id, file, LOG_LIMIT).await,
        Some(result) => {
            let path = log_path(result, file);
            connector.read_file(&path, 0, LOG_LIMIT).await
        }
    };
    Part::of(read.map(|part| {
        if part.content.is_empty() {
            return None;
        }
        // NUL cannot be kept by every database.
        let mut text = String::from_utf8_lossy(&part.content).replace('\0', "\u{fffd}");
        if part.size > u64::from(LOG_LIMIT) {
            let size = part.size;
            text.push_str(&format!(
                "\n[the first {LOG_LIMIT} of {size} bytes; the whole log is in the result folder]"
            ));
        }
        Some(text)
    }))
}

async fn listing(hpc: &HpcHandle, result: &str) -> Part<Listing> {
    Part::of(hpc.connector.list_folder(result).await)
}

/// Does not delay the job's end for longer than `timeout`: what is not known then is left out.
async fn usage(hpc: &HpcHandle, job: &Job, timeout: Duration) -> Usage {
    let Some(job) = hpc.slurm_job(job) else {
        return Usage::default();
    };
    let mut reason = String::from("accounting does not respond");
    let asking = async {
        let mut failures = 0;
        loop {
            match hpc.connector.usage(&job).await {
                Ok(usage) => return usage,
                // Waiting does not help.
                Err(error) if !error.kind.is_transient() => {
                    tracing::warn!(slurm.id = job.slurm_id, %error, "no usage");
                    return Usage::default();
                }
                Err(error) => reason = error.to_string(),
            }
            failures += 1;
            tokio::time::sleep(USAGE_BACKOFF.delay(failures)).await;
        }
    };
    match tokio::time::timeout(timeout, asking).await {
        Ok(usage) => usage,
        Err(_) => {
            tracing::warn!(slurm.id = job.slurm_id, reason, "no usage");
            Usage::default()
        }
    }
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
