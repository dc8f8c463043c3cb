//! A reader of one stream.

use std::time::Duration;

use redis::{
    AsyncCommands as _, RedisError, Script,
    aio::MultiplexedConnection,
    streams::{
        StreamAutoClaimOptions, StreamAutoClaimReply, StreamId, StreamMaxlen,
        StreamPendingCountReply, StreamReadOptions, StreamReadReply,
    },
};

use crate::{
    Entry, Queue, QueueError,
    entry::{FIELD, job_of, payload_of},
    keys::{GROUP, Keys},
};

/// Additional time that a blocking read may take.
const MARGIN: Duration = Duration::from_secs(5);

/// Dead letters that are kept, about.
const DEAD_KEPT: usize = 1000;

/// Removes a reader, unless it has entries that it has not finished: they would be
/// lost for all readers.
const LEAVE: &str = "
    if redis.call('EXISTS', KEYS[1]) == 0 then return 0 end
    local pending = redis.call('XPENDING', KEYS[1], ARGV[1], '-', '+', 1, ARGV[2])
    if #pending > 0 then return 0 end
    return redis.call('XGROUP', 'DELCONSUMER', KEYS[1], ARGV[1], ARGV[2])
";

/// One reader in the group of all readers of an HPC's stream.
#[derive(Debug)]
pub struct Consumer {
    queue: Queue,
    keys: Keys,
    name: String,
    /// For blocking reads only.
    connection: Option<MultiplexedConnection>,
}

impl Consumer {
    pub(crate) fn new(queue: Queue, keys: Keys, name: &str) -> Self {
        Self {
            queue,
            keys,
            name: name.to_owned(),
            connection: None,
        }
    }

    /// Up to `max` entries that no reader was given yet; waits up to `block` for
    /// the first. Makes the stream and the group if they are not there, as after
    /// the loss of everything in Redis.
    ///
    /// If the call is given up while it waits, entries may have been given to this
    /// reader without it knowing; [`Consumer::stale`] finds them.
    ///
    /// # Errors
    /// [`QueueError`] if Redis does not answer.
    pub async fn next(&mut self, max: usize, block: Duration) -> Result<Vec<Entry>, QueueError> {
        match self.read(max, block).await {
            Err(QueueError::Refused(error)) if has_no_group(&error) => {
                self.make_group().await?;
                self.read(max, block).await
            }
            read => read,
        }
    }

    /// Up to `max` entries that some reader was given at least `min_idle` ago and
    /// has not finished; they are this one's from now on.
    ///
    /// # Errors
    /// [`QueueError`] if Redis does not answer.
    pub async fn stale(
        &mut self,
        min_idle: Duration,
        max: usize,
    ) -> Result<Vec<Entry>, QueueError> {
        let mut shared = self.queue.shared();
        let (key, idle) = (self.keys.jobs(), milliseconds(min_idle));
        let options = StreamAutoClaimOptions::default().count(max);
        let claimed: Result<StreamAutoClaimReply, RedisError> = shared
            .xautoclaim_options(&key, GROUP, &self.name, idle, "0-0", options)
            .await;
        let claimed = match claimed {
            Err(error) if has_no_group(&error) => return Ok(Vec::new()),
            claimed => claimed?.claimed,
        };
        let mut entries = Vec::new();
        for entry in claimed {
            // The reply does not say how often the entry was given out.
            let pending: StreamPendingCountReply = shared
                .xpending_count(&key, GROUP, &entry.id, &entry.id, 1)
                .await?;
            let deliveries = pending
                .ids
                .first()
                .map_or(1, |pending| pending.times_delivered);
            entries.extend(self.readable(entry, deliveries).await?);
        }
        Ok(entries)
    }

    /// The entry is finished: it leaves the stream.
    ///
    /// # Errors
    /// [`QueueError`] if it was not removed, or it is not known whether it was; it
    /// may come again then.
    pub async fn done(&self, entry: &Entry) -> Result<(), QueueError> {
        let key = self.keys.jobs();
        let ids = [entry.entry_id.as_str()];
        let mut both = redis::pipe();
        both.atomic()
            .xack(&key, GROUP, &ids)
            .ignore()
            .xdel(&key, &ids)
            .ignore();
        Ok(both.exec_async(&mut self.queue.shared()).await?)
    }

    /// Puts the entry aside, with the reason, for people to look at.
    ///
    /// # Errors
    /// [`QueueError`] if it was not, or it is not known whether it was.
    pub async fn dead_letter(&self, entry: &Entry, reason: &str) -> Result<(), QueueError> {
        tracing::warn!(job.id = %entry.job_id, entry.id = entry.entry_id, reason, "entry moved to the dead-letter stream");
        self.write_dead_letter(&entry.entry_id, &payload_of(&entry.job_id), reason)
            .await
    }

    /// This reader stops. It leaves the group, unless it has entries that it has
    /// not finished: then its name stays, for another to find them.
    ///
    /// # Errors
    /// [`QueueError`] if Redis does not answer.
    pub async fn leave(mut self) -> Result<(), QueueError> {
        // A read that is still open could be given an entry that nobody takes.
        self.connection = None;
        let left: Result<u64, RedisError> = Script::new(LEAVE)
            .key(self.keys.jobs())
            .arg(GROUP)
            .arg(&self.name)
            .invoke_async(&mut self.queue.shared())
            .await;
        match left {
            Err(error) if has_no_group(&error) => Ok(()),
            left => Ok(left.map(drop)?),
        }
    }

    async fn read(&mut self, max: usize, block: Duration) -> Result<Vec<Entry>, QueueError> {
        let mut connection = match self.connection.take() {
            Some(connection) => connection,
            None => self.queue.blocking().await?,
        };
        let options = StreamReadOptions::default()
            .group(GROUP, &self.name)
            .count(max)
            // 0 would be for ever.
            .block(milliseconds(block).max(1));
        let keys = [self.keys.jobs()];
        let read = connection.xread_options(&keys, &[">"], &options);
        let timeout = block + MARGIN;
        // The connection is kept only if its last answer has come.
        let read: Option<StreamReadReply> = match tokio::time::timeout(timeout, read).await {
            Err(_) => return Err(QueueError::Silent(timeout)),
            Ok(Err(error)) if error.is_unrecoverable_error() => return Err(error.into()),
            Ok(read) => {
                self.connection = Some(connection);
                read?
            }
        };
        let mut entries = Vec::new();
        for entry in read
            .into_iter()
            .flat_map(|read| read.keys)
            .flat_map(|stream| stream.ids)
        {
            entries.extend(self.readable(entry, 1).await?);
        }
        Ok(entries)
    }

    /// An unreadable entry becomes a dead letter at once.
    async fn readable(
        &self,
        entry: StreamId,
        deliveries: usize,
    ) -> Result<Option<Entry>, QueueError> {
        match job_of(&entry) {
            Ok(job_id) => {
                let deliveries = u64::try_from(deliveries).unwrap_or(u64::MAX);
                Ok(Some(Entry {
                    entry_id: entry.id,
                    job_id,
                    deliveries,
                }))
            }
            Err(reason) => {
                tracing::warn!(
                    entry.id = entry.id,
                    reason,
                    "unreadable entry moved to the dead-letter stream"
                );
                let payload = format!("{:?}", entry.map);
                self.write_dead_letter(&entry.id, &payload, &reason).await?;
                Ok(None)
            }
        }
    }

    async fn write_dead_letter(
        &self,
        id: &str,
        payload: &str,
        reason: &str,
    ) -> Result<(), QueueError> {
        let key = self.keys.jobs();
        let fields = [(FIELD, payload), ("of", id), ("reason", reason)];
        let limit = StreamMaxlen::Approx(DEAD_KEPT);
        let mut all = redis::pipe();
        all.atomic()
            .xadd_maxlen(self.keys.dead(), limit, "*", &fields)
            .ignore()
            .xack(&key, GROUP, &[id])
            .ignore()
            .xdel(&key, &[id])
            .ignore();
        Ok(all.exec_async(&mut self.queue.shared()).await?)
    }

    /// From the first entry on: what was published before there was a group counts.
    async fn make_group(&self) -> Result<(), QueueError> {
        let made: Result<(), RedisError> = self
            .queue
            .shared()
            .xgroup_create_mkstream(self.keys.jobs(), GROUP, "0")
            .await;
        match made {
            Err(error) if error.code() == Some("BUSYGROUP") => Ok(()),
            made => Ok(made?),
        }
    }
}

/// The group is not there, or its stream was removed while a read was waiting.
pub(crate) fn has_no_group(error: &RedisError) -> bool {
    matches!(error.code(), Some("NOGROUP" | "UNBLOCKED"))
}

fn milliseconds(duration: Duration) -> usize {
    usize::try_from(duration.as_millis()).unwrap_or(usize::MAX)
}
