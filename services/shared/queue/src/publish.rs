//! Writing to the stream and notifying readers.

use compute_domain::ids::JobId;
use redis::{AsyncCommands as _, streams::StreamMaxlen};

use crate::{
    Queue, QueueError,
    entry::{FIELD, job_of, payload_of},
};

/// Approximate maximum length of a stream. Jobs beyond it wait in the store only, and
/// are added when the stream is shorter.
const LONGEST: usize = 100_000;

/// Entries read at once.
const PAGE: usize = 1000;

impl Queue {
    /// Adds the job to the stream. Adding it twice does no harm.
    ///
    /// # Errors
    /// [`QueueError`] if it was not added, or if that is not known.
    pub async fn publish(&self, hpc: &str, job: &JobId) -> Result<(), QueueError> {
        let key = self.keys(hpc).jobs();
        let payload = [(FIELD, payload_of(job))];
        let limit = StreamMaxlen::Approx(LONGEST);
        let _: Option<String> = self.shared().xadd_maxlen(key, limit, "*", &payload).await?;
        Ok(())
    }

    /// Adds many jobs, in this order.
    ///
    /// # Errors
    /// [`QueueError`] if not all were added, or if that is not known.
    pub async fn publish_all(&self, hpc: &str, jobs: &[JobId]) -> Result<(), QueueError> {
        let key = self.keys(hpc).jobs();
        for some in jobs.chunks(PAGE) {
            let mut all = redis::pipe();
            for job in some {
                let payload = [(FIELD, payload_of(job))];
                let limit = StreamMaxlen::Approx(LONGEST);
                all.xadd_maxlen(&key, limit, "*", &payload).ignore();
            }
            all.exec_async(&mut self.shared()).await?;
        }
        Ok(())
    }

    /// Jobs in the stream of `hpc`, oldest first: not read yet, or read and not
    /// finished.
    ///
    /// # Errors
    /// [`QueueError`] if they could not be read.
    pub async fn waiting(&self, hpc: &str) -> Result<Vec<JobId>, QueueError> {
        let key = self.keys(hpc).jobs();
        let mut jobs = Vec::new();
        let mut start = "-".to_owned();
        loop {
            let page: redis::streams::StreamRangeReply =
                self.shared().xrange_count(&key, &start, "+", PAGE).await?;
            jobs.extend(page.ids.iter().filter_map(|entry| job_of(entry).ok()));
            match page.ids.last() {
                Some(last) if page.ids.len() == PAGE => start = format!("({}", last.id),
                _ => return Ok(jobs),
            }
        }
    }

    /// Notifies the maintainers of `hpc` that a slot is free, or that a job has changed.
    ///
    /// # Errors
    /// [`QueueError`] if they were not notified; they poll as well, but later.
    pub async fn notify_slot_freed(&self, hpc: &str) -> Result<(), QueueError> {
        let _: u64 = self
            .shared()
            .publish(self.keys(hpc).slot_freed(), "freed")
            .await?;
        Ok(())
    }
}
