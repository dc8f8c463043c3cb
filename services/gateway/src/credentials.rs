//! The login of a user's own account on an HPC with private accounts: checked by
//! the connector, which logs in with it once, and kept as the connector has sealed
//! it. Nothing here can open it again.

use std::time::Duration;

use compute_domain::{
    ErrorKind,
    ids::{JobId, UserId},
    site::{Hpc, is_account_name},
};
use compute_proto::RemoteError;
use compute_queue::{LoginAttempt, LoginCount, QueueError};
use secrecy::SecretString;
use serde_json::{Map, Value};

use crate::{error::GatewayError, state::AppState};

/// Logins that a user may try on an HPC within [`WINDOW`]: sites lock accounts, and
/// nobody is to guess passwords through us.
const MOST_TRIES: u32 = 3;
/// Logins that may fail on an account within [`WINDOW`], whoever tries.
const MOST_FAILURES: u32 = 5;
const WINDOW: Duration = Duration::from_secs(60);

/// What a user gives.
#[derive(Debug)]
pub struct Login {
    /// The account.
    pub account: String,
    /// Its password.
    pub password: SecretString,
}

impl Login {
    /// Takes `user` and `password` out of a body; `account` stands for a user that
    /// is not given.
    ///
    /// # Errors
    /// [`GatewayError::NoCredentials`] if one is missing or cannot be one.
    pub fn take(
        body: &mut Map<String, Value>,
        account: Option<&str>,
        hpc: &Hpc,
    ) -> Result<Self, GatewayError> {
        let mut text = |key: &str| match body.remove(key) {
            Some(Value::String(text)) if !text.is_empty() => Some(text),
            _ => None,
        };
        let (user, password) = (text("user"), text("password").map(SecretString::from));
        let (Some(account), Some(password)) = (user.or(account.map(str::to_owned)), password)
        else {
            return Err(GatewayError::NoCredentials(format!(
                "{} has private accounts: user and password of your own account there are needed",
                hpc.name
            )));
        };
        if !is_account_name(&account) {
            return Err(GatewayError::NoCredentials(
                "user is not the name of an account: small letters, digits, _ and -, not more \
                 than 32"
                    .to_owned(),
            ));
        }
        Ok(Self { account, password })
    }

    /// Logs in with it once, and keeps it, sealed, for `job`.
    ///
    /// # Errors
    /// [`GatewayError::NoCredentials`] if the HPC refuses it, or too many were tried;
    /// [`GatewayError::Away`] if it could not be checked or kept.
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
            .count_login(attempt, MOST_TRIES, MOST_FAILURES, WINDOW)
            .await
            .map_err(|error| queue_away(&error))?;
        let try_id = match counted {
            LoginCount::Counted(try_id) => try_id,
            LoginCount::UserMustWait(wait) => {
                return Err(too_many(
                    format!(
                        "at most {MOST_TRIES} logins a minute may be tried on {}",
                        hpc.name
                    ),
                    wait,
                ));
            }
            LoginCount::AccountMustWait(wait) => {
                return Err(too_many(
                    format!(
                        "{MOST_FAILURES} logins to {} on {} have failed within a minute",
                        self.account, hpc.name
                    ),
                    wait,
                ));
            }
        };
        let connector = state.connectors.of_hpc(&hpc.name);
        let connector = connector.ok_or(GatewayError::Internal)?;
        let checked = connector
            .check_login(job, &self.account, &self.password)
            .await;
        // A login that was right is no guess, and neither is one that the HPC was not asked
        // about.
        let is_guess = checked.as_ref().is_err_and(|error| {
            matches!(
                error.kind,
                ErrorKind::Unauthenticated | ErrorKind::InvalidArgument
            )
        });
        if !is_guess && let Err(error) = state.queue.forgive_login(attempt, try_id).await {
            tracing::warn!(%error, "a login counts as failed for a minute");
        }
        let sealed = checked.map_err(|error| not_checked(hpc, error))?;
        let time = state.site.server.credential_time;
        state
            .queue
            .keep_credential(&hpc.name, job, &sealed, time)
            .await
            .map_err(|error| queue_away(&error))
    }
}

fn too_many(words: String, wait: Duration) -> GatewayError {
    let seconds = wait.as_secs() + 1;
    GatewayError::NoCredentials(format!("{words}: try again in {seconds} s"))
}

fn not_checked(hpc: &Hpc, error: RemoteError) -> GatewayError {
    match error.kind() {
        ErrorKind::Unauthenticated | ErrorKind::InvalidArgument => {
            GatewayError::NoCredentials(error.message)
        }
        kind => {
            tracing::warn!(hpc = hpc.name, ?kind, %error, "could not check a login");
            GatewayError::Away(
                format!(
                    "{} cannot be logged in to now: try again in a moment",
                    hpc.name
                ),
                vec![error.message],
            )
        }
    }
}

fn queue_away(error: &QueueError) -> GatewayError {
    tracing::warn!(%error, "no Redis");
    let words = "logins cannot be kept now: try again in a moment";
    GatewayError::Away(words.to_owned(), Vec::new())
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn what_is_missing_or_no_account_is_refused() {
        let take = |body: Value, account: Option<&str>| {
            let mut body = body.as_object().cloned().unwrap();
            Login::take(&mut body, account, &compute_testing::private_hpc())
                .map(|login| login.account)
        };
        let given = json!({"user": "alice", "password": "p"});
        assert_eq!(take(given, None).unwrap(), "alice");
        assert_eq!(take(json!({"password": "p"}), Some("bob")).unwrap(), "bob");
        for body in [
            json!({}),
            json!({"user": "alice"}),
            json!({"user": "alice", "password": ""}),
            json!({"password": "p"}),
            json!({"user": "-oProxyCommand=x", "password": "p"}),
            json!({"user": "alice\n", "password": "p"}),
        ] {
            assert!(take(body.clone(), None).is_err(), "{body}");
        }
    }
}
