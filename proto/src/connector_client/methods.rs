//! The methods of the connector, by their request: response and deadline.

use std::{future::Future, time::Duration};

use tonic::{Request, Response, Status, transport::Channel};

use crate::{
    target::Targeted,
    wire::{self, connector_client::ConnectorClient as Generated},
};

/// For an operation that is short, including a login.
const SHORT: Duration = Duration::from_secs(30);
/// For a login while a user waits.
const LOGIN: Duration = Duration::from_secs(20);
/// For a query of scheduler and accounting, which may be slow, or a walk of a folder.
const QUERY: Duration = Duration::from_secs(60);
/// For a submission. The connector completes it even after the deadline.
const SUBMIT: Duration = Duration::from_secs(90);
/// For the removal of many files.
const REMOVE: Duration = Duration::from_secs(600);
/// For a transfer of many files. Keep-alive detects a dead connection long before.
pub(super) const TRANSFER: Duration = Duration::from_secs(3600);

/// A method of the connector, known by its request.
pub(super) trait Method: Targeted + Sized {
    /// What the method responds with.
    type Response;

    /// When the caller gives up.
    const DEADLINE: Duration;

    /// Sends the request.
    fn call(
        rpc: Generated<Channel>,
        request: Request<Self>,
    ) -> impl Future<Output = Result<Response<Self::Response>, Status>> + Send;
}

macro_rules! methods {
    ($($request:ident => $method:ident -> $response:ident within $deadline:ident;)+) => {$(
        impl Method for wire::$request {
            type Response = wire::$response;

            const DEADLINE: Duration = $deadline;

            async fn call(
                mut rpc: Generated<Channel>,
                request: Request<Self>,
            ) -> Result<Response<Self::Response>, Status> {
                rpc.$method(request).await
            }
        }
    )+};
}

// UploadFolder is not here: it takes a stream (files.rs).
methods! {
    CheckRequest => check -> CheckResponse within QUERY;
    CheckLoginRequest => check_login -> CheckLoginResponse within LOGIN;

    MakeFolderRequest => make_folder -> MakeFolderResponse within SHORT;
    WriteFileRequest => write_file -> WriteFileResponse within SHORT;
    CopyFolderRequest => copy_folder -> CopyFolderResponse within TRANSFER;
    ReadFileRequest => read_file -> ReadFileResponse within SHORT;
    ListFolderRequest => list_folder -> ListFolderResponse within QUERY;
    RemoveFolderRequest => remove_folder -> RemoveFolderResponse within REMOVE;
    CheckFolderRequest => check_folder -> CheckFolderResponse within SHORT;

    WriteJobFileRequest => write_job_file -> WriteJobFileResponse within SHORT;
    ReadJobFileRequest => read_job_file -> ReadFileResponse within SHORT;
    StoreLogsRequest => store_logs -> StoreLogsResponse within SHORT;
    RemoveJobRequest => remove_job -> RemoveJobResponse within REMOVE;

    RaiseFenceRequest => raise_fence -> RaiseFenceResponse within SHORT;
    SubmitRequest => submit -> SubmitResponse within SUBMIT;
    FindSubmissionRequest => find_submission -> FindSubmissionResponse within SUBMIT;
    JobStatesRequest => job_states -> JobStatesResponse within QUERY;
    DeploymentJobsRequest => deployment_jobs -> DeploymentJobsResponse within QUERY;
    CancelRequest => cancel -> CancelResponse within SHORT;
    SuspendRequest => suspend -> SuspendResponse within SHORT;
    ResumeRequest => resume -> ResumeResponse within SHORT;
    UsageRequest => usage -> UsageResponse within QUERY;
}
