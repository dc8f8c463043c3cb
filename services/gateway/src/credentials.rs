//! Logins of users' own accounts on HPCs with private accounts. The connector checks a login
//! by logging in once and seals it; the gateway stores it and cannot open it again.

use std::time::Duration;

use compute_domain::{
    ErrorKind,
    ids::{JobId, UserId},
    site::{Hpc, is_account_name},
};
use compute_proto::RemoteError;
use compute_queue::{LoginAttempt, LoginCount, QueueError};
use secrecy::{ExposeSecret as _, SecretString};

use crate::{
    error::{CredentialRejection, GatewayError, Unavailable},
    state::AppState,
};

/// Logins that a user may try on an HPC within [`WINDOW`]: sites lock accounts, and the
/// gateway is no way to guess passwords.
const MAX_ATTEMPTS: u32 = 3;
/// Logins on an account that may fail within [`WINDOW`], of all users.
const MAX_FAILURES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// The login of an account.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub account: String,
    /// Its password.
    pub password: SecretString,
}

impl Login {
    /// The login of `user`, or of `account` if no user is given.
    ///
    /// # Errors
    /// [`CredentialRejection`] if one is missing or empty, or the user cannot be an account.
    pub fn new(
        user: Option<String>,
        password: Option<SecretString>,
        account: Option<&str>,
        hpc: &Hpc,
    ) -> Result<Self, CredentialRejection> {
        let user = user.filter(|user| !user.is_empty());
        let password = password.filter(|password| !password.expose_secret().is_empty());
        let (Some(account), Some(password)) = (user.or(account.map(str::to_owned)), password)
        else {
            return Err(CredentialRejection::Missing(hpc.name.clone()));
        };
        if !is_account_name(&account) {
            return Err(CredentialRejection::NotAnAccount);
        }
        Ok(Self { account, password })
    }

    /// Checks the login by logging in once, and stores it sealed for `job`.
    ///
    /// # Errors
    /// [`CredentialRejection`] if the HPC refuses it, or too many were tried;
    /// [`Unavailable`] if it could not be checked or kept.
    pub async fn check_and_keep(
        &self,
        state: &AppState,
        user: &UserId,
        hpc: &Hpc,
        job: &JobId,
    ) -> Result<(), GatewayError> {
        let attempt = LoginAttempt {
            hpc: &hpc.name,
            user,
            account: &self.account,
        };
        let counted = state
            .queue
            .count_login(attempt, MAX_ATTEMPTS, MAX_FAILURES, WINDOW)
            .await
            .map_err(|error| queue_unavailable(&error))?;
        let attempt_id = match counted {
            LoginCount::Counted(id) => id,
            LoginCount::UserMustWait(wait) => {
                return Err(CredentialRejection::TooManyAttempts {
                    limit: MAX_ATTEMPTS,
                    hpc: hpc.name.clone(),
                    retry_after: wait.as_secs() + 1,
                }
                .into());
            }
            LoginCount::AccountMustWait(wait) => {
                return Err(CredentialRejection::TooManyFailures {
                    limit: MAX_FAILURES,
                    account: self.account.clone(),
                    hpc: hpc.name.clone(),
                    retry_after: wait.as_secs() + 1,
                }
                .into());
            }
        };
        let connector = state.connectors.of_hpc(&hpc.name);
        let connector = connector.ok_or(GatewayError::Internal)?;
        let checked = connector
            .check_login(job, &self.account, &self.password)
            .await;
        // A valid login does not count, and neither does one that the HPC has not checked.
        let is_rejected = checked.as_ref().is_err_and(|error| {
            matches!(
                error.kind,
                ErrorKind::Unauthenticated | ErrorKind::InvalidArgument
            )
        });
        if !is_rejected && let Err(error) = state.queue.forgive_login(attempt, attempt_id).await {
            tracing::warn!(%error, "a login counts as failed for a minute");
        }
        let sealed = checked.map_err(|error| not_checked(hpc, error))?;
        let time = state.site.server.credential_time;
        state
            .queue
            .keep_credential(&hpc.name, job, &sealed, time)
            .await
            .map_err(|error| queue_unavailable(&error))
    }
}

fn not_checked(hpc: &Hpc, error: RemoteError) -> GatewayError {
    match error.kind() {
        ErrorKind::Unauthenticated | ErrorKind::InvalidArgument => {
            CredentialRejection::Refused(error.message).into()
        }
        kind => {
            tracing::warn!(hpc = hpc.name, ?kind, %error, "could not check a login");
            Unavailable::Hpc {
                hpc: hpc.name.clone(),
                reason: error.message,
            }
            .into()
        }
    }
}

fn queue_unavailable(error: &QueueError) -> GatewayError {
    tracing::warn!(%error, "Redis does not respond");
    Unavailable::CredentialStore.into()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_login_without_a_password_or_account_name_is_rejected() {
        let login = |user: Option<&str>, password: Option<&str>, account: Option<&str>| {
            let (user, password) = (user.map(str::to_owned), password.map(SecretString::from));
            Login::new(user, password, account, &compute_testing::private_hpc())
                .map(|login| login.account)
        };
        assert_eq!(login(Some("alice"), Some("p"), None).unwrap(), "alice");
        assert_eq!(login(None, Some("p"), Some("bob")).unwrap(), "bob");
        for (user, password) in [
            (None, None),
            (Some("alice"), None),
            (Some("alice"), Some("")),
            (Some(""), Some("p")),
            (None, Some("p")),
            (Some("-oProxyCommand=x"), Some("p")),
            (Some("alice\n"), Some("p")),
        ] {
            assert!(login(user, password, None).is_err(), "{user:?}");
        }
    }
}
