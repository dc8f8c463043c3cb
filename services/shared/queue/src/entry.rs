//! Entries of a stream: their payload, and its format.

use compute_domain::ids::JobId;
use redis::{from_redis_value_ref, streams::StreamId};
use serde::{Deserialize, Serialize};

/// Name of the field that holds the payload.
pub(crate) const FIELD: &str = "entry";

/// Version of the payload that is written.
const VERSION: u32 = 1;

/// An entry that was read and is not finished.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its id in the stream.
    pub entry_id: String,
    /// The job that is queued.
    pub job_id: JobId,
    /// How many times it was given to a reader, this time included.
    pub deliveries: u64,
}

/// What an entry carries: ids only, so that it cannot be out of date.
#[derive(Serialize, Deserialize)]
struct Payload {
    v: u32,
    job: JobId,
}

/// The payload for a job.
pub(crate) fn payload_of(job: &JobId) -> String {
    // A number and a text can always be written.
    serde_json::to_string(&Payload {
        v: VERSION,
        job: job.clone(),
    })
    .unwrap_or_default()
}

/// The job that an entry names, or what is wrong with it.
pub(crate) fn job_of(entry: &StreamId) -> Result<JobId, String> {
    let field = entry.map.get(FIELD).ok_or("it has no payload")?;
    let text: String = from_redis_value_ref(field).map_err(|error| error.to_string())?;
    let payload: Payload = serde_json::from_str(&text).map_err(|error| error.to_string())?;
    if payload.v != VERSION {
        return Err(format!("its version is {}, expected {VERSION}", payload.v));
    }
    Ok(payload.job)
}

#[cfg(test)]
mod tests {
    use redis::Value;

    use super::*;

    fn entry(text: &str) -> StreamId {
        let mut entry = StreamId::default();
        entry.map.insert(
            FIELD.to_owned(),
            Value::BulkString(text.as_bytes().to_vec()),
        );
        entry
    }

    #[test]
    fn payloads_read_back() {
        let job = JobId::from_text("1795457659sRX9w");
        assert_eq!(payload_of(&job), r#"{"v":1,"job":"1795457659sRX9w"}"#);
        assert_eq!(job_of(&entry(&payload_of(&job))), Ok(job));
    }

    #[test]
    fn what_is_not_ours_says_why() {
        for (text, reason) in [
            ("hello", "expected"),
            (r#"{"v":2,"job":"x"}"#, "version is 2"),
        ] {
            assert!(job_of(&entry(text)).unwrap_err().contains(reason), "{text}");
        }
        assert_eq!(
            job_of(&StreamId::default()).unwrap_err(),
            "it has no payload"
        );
    }
}
