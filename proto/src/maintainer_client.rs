//! Client of a maintainer: one call, to the replica that runs the job.

use std::time::Duration;

use compute_domain::ids::JobId;
use tonic::{Request, transport::Channel};

use crate::{
    ids,
    status::RemoteError,
    wire::{NoticeRequest, maintainer_client::MaintainerClient},
};

/// Short, because the intent is stored in the job's row already.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks a maintainer to read the job's intent now. Returns false if it does not run the
/// job.
///
/// # Errors
/// If the maintainer cannot be reached or does not respond in time; it then finds the
/// intent by itself.
pub async fn notice(channel: Channel, job: &JobId) -> Result<bool, RemoteError> {
    let mut request = Request::new(NoticeRequest {
        job_id: job.as_str().to_owned(),
    });
    request.set_timeout(DEADLINE);
    ids::attach(&mut request);
    let response = MaintainerClient::new(channel).notice(request).await?;
    Ok(response.into_inner().carried)
}
