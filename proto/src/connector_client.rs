//! Client of the connector, bound to one target. No call is repeated here: the
//! caller decides about that, once.

mod accounts;
mod files;
mod job_files;
mod jobs;
mod methods;
mod permit;

use std::{sync::Arc, time::Duration};

use compute_domain::ids::JobId;
use tonic::{Request, transport::Channel};
use tonic_health::pb::{HealthCheckRequest, health_client::HealthClient};

use crate::{
    MAX_MESSAGE_BYTES, ids,
    status::RemoteError,
    wire::{Credential, Fence, Target, connector_client::ConnectorClient as Generated},
};
use methods::Method;

pub use permit::{Permit, Permitted};

/// Maximum number of bytes that one call reads.
pub const MAX_READ_BYTES: u32 = 1024 * 1024;

/// Maximum size in bytes of a file that one call writes.
pub const MAX_WRITE_BYTES: usize = 1024 * 1024;

const PING_DEADLINE: Duration = Duration::from_secs(1);

/// An HPC, as other services see it: its connector, and the account to use. Cheap to
/// clone. Paths are absolute, below the root path of the HPC.
///
/// All methods fail with the error kind that the connector reports, with
/// [`Unavailable`](compute_domain::ErrorKind::Unavailable) if the connector cannot be
/// reached, and with [`Uncertain`](compute_domain::ErrorKind::Uncertain) if it did not
/// respond before the deadline of the method.
#[derive(Debug, Clone)]
pub struct ConnectorClient {
    rpc: Generated<Channel>,
    channel: Channel,
    target: Target,
    permit: Option<Arc<dyn Permit>>,
}

impl ConnectorClient {
    /// A client for `hpc` over a channel to its connector. It uses the community
    /// account, if the HPC has one.
    pub fn for_hpc(channel: Channel, hpc: &str) -> Self {
        let rpc = Generated::new(channel.clone())
            .max_decoding_message_size(MAX_MESSAGE_BYTES)
            .max_encoding_message_size(MAX_MESSAGE_BYTES);
        let target = Target {
            hpc: hpc.to_owned(),
            credential: None,
            fence: None,
        };
        Self {
            rpc,
            channel,
            target,
            permit: None,
        }
    }

    /// The same HPC with the private account whose login
    /// [`check_login`](Self::check_login) has `sealed` for `job`.
    #[must_use]
    pub fn with_credential(&self, job: &JobId, sealed: &str) -> Self {
        let mut bound = self.clone();
        bound.target.credential = Some(Credential {
            job_id: job.to_string(),
            sealed: sealed.to_owned(),
        });
        bound
    }

    /// The same target; each call that changes something there is made only if `permit` lets it
    /// through.
    #[must_use]
    pub fn with_permit(&self, permit: Arc<dyn Permit>) -> Self {
        Self {
            permit: Some(permit),
            ..self.clone()
        }
    }

    /// The same HPC for a maintainer that holds the lease of `job` with this fence. What a call
    /// would change for the job is rejected with
    /// [`Fenced`](compute_domain::ErrorKind::Fenced) after a call with a newer fence.
    #[must_use]
    pub fn with_fence(&self, job: &JobId, number: i64) -> Self {
        let mut bound = self.clone();
        bound.target.fence = Some(Fence {
            job_id: job.to_string(),
            number,
        });
        bound
    }

    /// Checks that the connector responds (grpc.health.v1). Does not contact the HPC.
    pub async fn ping(&self) -> Result<(), RemoteError> {
        let request = request(PING_DEADLINE, HealthCheckRequest::default());
        HealthClient::new(self.channel.clone())
            .check(request)
            .await?;
        Ok(())
    }

    /// Calls the method that takes `message`, for the target and with the deadline of
    /// the method.
    async fn call<M: Method>(&self, mut message: M) -> Result<M::Response, RemoteError> {
        if M::CHANGES {
            self.permitted().await?;
        }
        message.set_target(&self.target);
        let request = request(M::DEADLINE, message);
        let response = M::call(self.rpc.clone(), request).await?;
        Ok(response.into_inner())
    }

    /// Must resolve right before each call that changes something.
    async fn permitted(&self) -> Result<(), RemoteError> {
        match &self.permit {
            Some(permit) => permit.permitted().await,
            None => Ok(()),
        }
    }
}

/// A request with a deadline and the ids of the current span.
fn request<T>(deadline: Duration, message: T) -> Request<T> {
    let mut request = Request::new(message);
    request.set_timeout(deadline);
    ids::attach(&mut request);
    request
}

#[cfg(test)]
mod tests {
    use compute_domain::ErrorKind;

    use super::*;

    #[tokio::test]
    async fn a_connector_that_is_down_is_unavailable() {
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        drop(listener);
        let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
        let client = ConnectorClient::for_hpc(endpoint.connect_lazy(), "local");
        let error = client.check().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Unavailable, "{error}");
        assert_eq!(
            client.ping().await.unwrap_err().kind(),
            ErrorKind::Unavailable
        );
        let uploaded = client.upload_folder("/scratch/1", &b"tar"[..]).await;
        assert_eq!(uploaded.unwrap_err().kind(), ErrorKind::Unavailable);
    }

    #[tokio::test]
    async fn a_connector_that_does_not_respond_is_uncertain_after_the_deadline() {
        // Connections are established, and never read.
        let listener = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let endpoint = tonic::transport::Endpoint::from_shared(address).unwrap();
        let client = ConnectorClient::for_hpc(endpoint.connect_lazy(), "local");
        let error = client.ping().await.unwrap_err();
        assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
    }
}
