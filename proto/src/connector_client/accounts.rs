//! Calls about the account itself.

use compute_domain::ids::JobId;
use secrecy::{ExposeSecret as _, SecretString};

use super::ConnectorClient;
use crate::{
    pb_conversions::CheckItem,
    status::RemoteError,
    wire::{CheckLoginRequest, CheckRequest},
};

impl ConnectorClient {
    /// Logs in and checks what jobs need on the HPC.
    pub async fn check(&self) -> Result<Vec<CheckItem>, RemoteError> {
        let response = self.call(CheckRequest::default()).await?;
        Ok(response.items.into_iter().map(CheckItem::from).collect())
    }

    /// Logs in once as `user`, and returns user and password sealed for `job`.
    ///
    /// # Errors
    /// [`ErrorKind::Unauthenticated`](compute_domain::ErrorKind::Unauthenticated) if the
    /// HPC rejects the login.
    pub async fn check_login(
        &self,
        job: &JobId,
        user: &str,
        password: &SecretString,
    ) -> Result<String, RemoteError> {
        let request = CheckLoginRequest {
            job_id: job.to_string(),
            user: user.to_owned(),
            password: password.expose_secret().to_owned(),
            ..Default::default()
        };
        Ok(self.call(request).await?.sealed)
    }
}
