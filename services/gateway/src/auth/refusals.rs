//! How each group of routes refuses a caller: the older server's statuses, in one
//! table.

use super::HubError;
use crate::error::GatewayError;

/// A way of refusing.
pub trait Refusals: Send + Sync + 'static {
    /// Whether a job's own access token will do, on routes about that job.
    const TAKES_JOB_TOKENS: bool = false;

    /// The answer to a caller who is not known.
    fn refuse(error: HubError) -> GatewayError;
}

/// `GET /user`, `/user/jupyter-globus`, `/user/job`.
#[derive(Debug)]
pub struct ForUser;

/// `POST /job`, usage, and what belongs to folders.
#[derive(Debug)]
pub struct ForChange;

/// `PUT /job/:id`.
#[derive(Debug)]
pub struct ForJobChange;

/// `GET /statistic/job/:id`.
pub type ForStatistic = ForChange;

/// What is about one job.
#[derive(Debug)]
pub struct ForJob;

impl Refusals for ForUser {
    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost => GatewayError::UnknownHub,
            HubError::Refused => GatewayError::InvalidToken,
            HubError::NotAUser(reason) => GatewayError::Forbidden(reason),
            HubError::Away(host) => GatewayError::HubAway(host),
            HubError::TooMany { retry_after } => too_many(retry_after),
        }
    }
}

impl Refusals for ForChange {
    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost | HubError::Refused => GatewayError::InvalidToken,
            HubError::NotAUser(reason) => GatewayError::Forbidden(reason),
            HubError::Away(host) => GatewayError::HubAway(host),
            HubError::TooMany { retry_after } => too_many(retry_after),
        }
    }
}

impl Refusals for ForJobChange {
    const TAKES_JOB_TOKENS: bool = true;

    fn refuse(error: HubError) -> GatewayError {
        ForChange::refuse(error)
    }
}

impl Refusals for ForJob {
    const TAKES_JOB_TOKENS: bool = true;

    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost | HubError::Refused => GatewayError::NoLogin,
            HubError::NotAUser(reason) => GatewayError::Forbidden(reason),
            HubError::Away(host) => GatewayError::HubAway(host),
            HubError::TooMany { retry_after } => too_many(retry_after),
        }
    }
}

fn too_many(retry_after: u64) -> GatewayError {
    GatewayError::ComeBack {
        reason: "too many tokens from this address were refused",
        retry_after,
    }
}
