//! Client of a maintainer: one call, to whichever replica carries the job.

use std::time::Duration;

use compute_domain::ids::JobId;
use tonic::{Request, transport::Channel};

use crate::{
    ids,
    status::RemoteError,
    wire::{NoticeRequest, maintainer_client::MaintainerClient},
};

/// The intent is in the job's row already: nobody should wait long for this.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks the maintainer that `channel` leads to, to look at the job's intent now.
/// False if it does not carry the job.
///
/// # Errors
/// If the maintainer cannot be reached or does not answer in time; it then finds
/// the intent by itself.
pub async fn notice(channel: Channel, job: &JobId) -> Result<bool, RemoteError> {
    let mut request = Request::new(NoticeRequest {
        job_id: job.as_str().to_owned(),
    });
    request.set_timeout(DEADLINE);
    ids::attach(&mut request);
    let response = MaintainerClient::new(channel).notice(request).await?;
    Ok(response.into_inner().carried)
}
