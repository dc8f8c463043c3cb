//! The legacy server's statuses for an unknown caller, job or folder, one row for each
//! group of routes.

use compute_domain::ids::{FolderId, JobId};

use crate::{
    auth::HubError,
    error::{DownloadRejection, GatewayError},
};

/// How a group of routes answers a caller, job or folder that it does not know.
#[derive(Debug)]
pub struct Rules {
    /// Whether a job's own token is enough, on routes about that job.
    pub job_tokens: bool,
    /// The token names no hub of this deployment.
    pub unknown_host: GatewayErrorOf,
    /// The hub refuses the token.
    pub refused_token: GatewayErrorOf,
    /// The caller has no such job.
    pub unknown_job: fn(JobId) -> GatewayError,
    /// The caller has no such folder.
    pub unknown_folder: fn(FolderId) -> GatewayError,
}

/// Makes an error without fields.
pub type GatewayErrorOf = fn() -> GatewayError;

/// Names the rules of a group of routes, in the type of an extractor.
pub trait RouteGroup: Send + Sync + 'static {
    /// Its rules.
    const RULES: Rules;
}

/// Most routes: 402 for an unknown caller, 401 for an unknown job, 404 for an unknown
/// folder.
const ACCOUNT: Rules = Rules {
    job_tokens: false,
    unknown_host: || GatewayError::InvalidToken,
    refused_token: || GatewayError::InvalidToken,
    unknown_job: GatewayError::NoSuchJob,
    unknown_folder: GatewayError::NoSuchFolder,
};

/// Routes about one job: 401 for an unknown caller.
const JOB: Rules = Rules {
    job_tokens: true,
    unknown_host: || GatewayError::NoLogin,
    refused_token: || GatewayError::NoLogin,
    ..ACCOUNT
};

macro_rules! groups {
    ($($(#[$doc:meta])+ $group:ident: $rules:expr;)+) => {$(
        $(#[$doc])+
        #[derive(Debug)]
        pub struct $group;

        impl RouteGroup for $group {
            const RULES: Rules = $rules;
        }
    )+};
}

groups! {
    /// `GET /user`, `/user/jupyter-globus`, `/user/job`.
    ForUser: Rules { unknown_host: || GatewayError::UnknownHub, ..ACCOUNT };
    /// `POST /job`, usage, folders, and `GET /statistic/job/:id`.
    ForAccount: ACCOUNT;
    /// `POST /folder/:id/download/globus-init` and `GET …/globus-status`.
    ForDownload: Rules {
        unknown_folder: |id| DownloadRejection::UnknownFolder(id).into(),
        ..ACCOUNT
    };
    /// `GET /job/:id`, its logs and result folder, `POST /job/:id/submit`.
    ForJob: JOB;
    /// `GET /job/:id/events`.
    ForJobEvents: Rules { unknown_job: GatewayError::NoSuchJobEvents, ..JOB };
    /// `PUT /job/:id/cancel`, `/pause`, `/resume`.
    ForJobControl: Rules { unknown_job: |_| GatewayError::NotRunning, ..JOB };
    /// `PUT /job/:id`.
    ForJobChange: Rules {
        job_tokens: true,
        unknown_job: GatewayError::NoSuchJobToChange,
        ..ACCOUNT
    };
    /// `PUT /job/:id/credential`.
    ForCredential: Rules { unknown_job: GatewayError::NoSuchJobToChange, ..ACCOUNT };
}

impl Rules {
    /// The error for a caller who is not known.
    pub fn unknown_caller(&self, error: HubError) -> GatewayError {
        match error {
            HubError::UnknownHost => (self.unknown_host)(),
            HubError::Refused => (self.refused_token)(),
            HubError::NotAUser(reason) => GatewayError::NotAUser(reason),
            HubError::Away(host) => GatewayError::HubAway(host),
            HubError::TooMany { retry_after } => GatewayError::ComeBack {
                reason: "too many tokens from this address were refused",
                retry_after,
            },
        }
    }
}
