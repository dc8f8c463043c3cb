//! How each group of routes refuses a caller: the older server's statuses, in one
//! table.

use super::HubError;
use crate::error::GatewayError;

/// A way of refusing.
pub trait Refusals: Send + Sync + 'static {
    /// The answer to a caller who is not known.
    fn refuse(error: HubError) -> GatewayError;
}

/// `GET /user`, `/user/jupyter-globus`, `/user/job`.
#[derive(Debug)]
pub struct ForUser;

/// `POST /job`, `PUT /job/:id`, and what belongs to folders.
#[derive(Debug)]
pub struct ForChange;

/// What is about one job.
#[derive(Debug)]
pub struct ForJob;

impl Refusals for ForUser {
    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost => GatewayError::UnknownHub,
            HubError::Refused => GatewayError::InvalidToken,
            HubError::Away(host) => GatewayError::HubAway(host),
        }
    }
}

impl Refusals for ForChange {
    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost | HubError::Refused => GatewayError::InvalidToken,
            HubError::Away(host) => GatewayError::HubAway(host),
        }
    }
}

impl Refusals for ForJob {
    fn refuse(error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost | HubError::Refused => GatewayError::NoLogin,
            HubError::Away(host) => GatewayError::HubAway(host),
        }
    }
}
