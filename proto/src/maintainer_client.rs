//! Client of a maintainer: one call, to whichever replica carries the job.

use std::time::Duration;

use compute_domain::ids::JobId;
use tonic::Request;

use crate::{
    connector_client::endpoint,
    status::RemoteError,
    wire::{NoticeRequest, maintainer_client::MaintainerClient},
};

/// The intent is in the job's row already: nobody should wait long for this.
const DEADLINE: Duration = Duration::from_secs(3);

/// Asks the maintainer at `address` (e.g. `http://10.0.0.7:41234`) to look at
/// the job's intent now. False if it does not carry the job.
///
/// # Errors
/// If the maintainer cannot be reached or does not answer in time; it then finds
/// the intent by itself.
pub async fn notice(address: &str, job: &JobId) -> Result<bool, RemoteError> {
    let channel = endpoint(address)?.connect_lazy();
    let mut request = Request::new(NoticeRequest {
        job_id: job.as_str().to_owned(),
    });
    request.set_timeout(DEADLINE);
    let response = MaintainerClient::new(channel).notice(request).await?;
    Ok(response.into_inner().carried)
}
