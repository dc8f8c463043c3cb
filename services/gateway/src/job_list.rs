//! All jobs of a user as one response, written a page at a time, so that its memory does not
//! grow with the number of jobs.

use axum::{
    body::{Body, Bytes},
    http::header::CONTENT_TYPE,
    response::{IntoResponse as _, Response},
};
use compute_db::{LISTED_JOBS, Listed, ListedUntil, Store};
use compute_domain::ids::{FolderId, UserId};
use futures::{StreamExt as _, stream};

use crate::{error::GatewayError, job_view::JobView, response_slots::ResponseSlot};

/// `{"job": […]}` with all jobs of `user`. The slot is taken until the response is sent.
///
/// # Errors
/// [`GatewayError::Store`] if the first page cannot be read. If a later one cannot, the
/// response is cut off, which every client notices.
pub async fn respond(
    store: Store,
    user: UserId,
    slot: ResponseSlot,
) -> Result<Response, GatewayError> {
    let mut list = List {
        store,
        user,
        after: None,
        stage: Stage::Beginning,
        _slot: slot,
    };
    let first = list.next_chunk().await?;
    let rest = stream::try_unfold(list, async |mut list| {
        if list.stage == Stage::Over {
            return Ok(None);
        }
        match list.next_chunk().await {
            Ok(chunk) => Ok(Some((chunk, list))),
            Err(error) => {
                tracing::error!(%error, "a list of jobs is cut off");
                Err(error)
            }
        }
    });
    let body = Body::from_stream(stream::once(async { Ok(first) }).chain(rest));
    Ok(([(CONTENT_TYPE, "application/json")], body).into_response())
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Stage {
    Beginning,
    Middle,
    Over,
}

struct List {
    store: Store,
    user: UserId,
    after: Option<ListedUntil>,
    stage: Stage,
    _slot: ResponseSlot,
}

impl List {
    /// The next page as text, with the beginning or the end of the response where it belongs.
    async fn next_chunk(&mut self) -> Result<Bytes, GatewayError> {
        let jobs = self
            .store
            .listed_of(&self.user, self.after.as_ref())
            .await?;
        let folder_ids: Vec<FolderId> = jobs.iter().flat_map(Listed::folder_ids).collect();
        let folders = self.store.folders(&folder_ids).await?;
        let is_last = u64::try_from(jobs.len()).is_ok_and(|jobs| jobs < LISTED_JOBS);
        self.after = jobs.last().map(Listed::until);
        let mut chunk = Vec::new();
        let is_first = self.stage == Stage::Beginning;
        if is_first {
            chunk.extend_from_slice(b"{\"job\":[");
        }
        // One after the other: a job's values take more in memory than as text.
        for (number, job) in jobs.into_iter().enumerate() {
            if number > 0 || !is_first {
                chunk.push(b',');
            }
            write(&mut chunk, JobView::new(job.into_job()?, &folders))?;
        }
        self.stage = Stage::Middle;
        if is_last {
            chunk.extend_from_slice(b"]}");
            self.stage = Stage::Over;
        }
        Ok(chunk.into())
    }
}

fn write(chunk: &mut Vec<u8>, job: JobView) -> Result<(), GatewayError> {
    let job = job.with(Vec::new(), Vec::new());
    serde_json::to_writer(chunk, &job).map_err(|_| GatewayError::Internal)
}
