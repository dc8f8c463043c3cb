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

/// For a method that changes nothing on the HPC.
const READS: bool = false;
/// For a method that changes something there: it is called only with a permit.
const CHANGES: bool = true;

/// A method of the connector, known by its request.
pub(super) trait Method: Targeted + Sized {
    /// What the method responds with.
    type Response;

    /// When the caller gives up.
    const DEADLINE: Duration;

    /// Whether it changes anything on the HPC.
    const CHANGES: bool;

    /// Sends the request.
    fn call(
        rpc: Generated<Channel>,
        request: Request<Self>,
    ) -> impl Future<Output = Result<Response<Self::Response>, Status>> + Send;
}

macro_rules! methods {
    ($($request:ident => $method:ident -> $response:ident within $deadline:ident, $effect:ident;)+) => {$(
        impl Method for wire::$request {
            type Response = wire::$response;

            const DEADLINE: Duration = $deadline;
            const CHANGES: bool = $effect;

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
    CheckRequest => check -> CheckResponse within QUERY, READS;
    CheckLoginRequest => check_login -> CheckLoginResponse within LOGIN, READS;

    MakeFolderRequest => make_folder -> MakeFolderResponse within SHORT, CHANGES;
    WriteFileRequest => write_file -> WriteFileResponse within SHORT, CHANGES;
    CopyFolderRequest => copy_folder -> CopyFolderResponse within TRANSFER, CHANGES;
    ReadFileRequest => read_file -> ReadFileResponse within SHORT, READS;
    ListFolderRequest => list_folder -> ListFolderResponse within QUERY, READS;
    RemoveFolderRequest => remove_folder -> RemoveFolderResponse within REMOVE, CHANGES;
    CheckFolderRequest => check_folder -> CheckFolderResponse within SHORT, READS;

    WriteJobFileRequest => write_job_file -> WriteJobFileResponse within SHORT, CHANGES;
    ReadJobFileRequest => read_job_file -> ReadFileResponse within SHORT, READS;
    StoreLogsRequest => store_logs -> StoreLogsResponse within SHORT, CHANGES;
    RemoveJobRequest => remove_job -> RemoveJobResponse within REMOVE, CHANGES;

    RaiseFenceRequest => raise_fence -> RaiseFenceResponse within SHORT, CHANGES;
    SubmitRequest => submit -> SubmitResponse within SUBMIT, CHANGES;
    FindSubmissionRequest => find_submission -> FindSubmissionResponse within SUBMIT, READS;
    JobStatesRequest => job_states -> JobStatesResponse within QUERY, READS;
    DeploymentJobsRequest => deployment_jobs -> DeploymentJobsResponse within QUERY, READS;
    CancelRequest => cancel -> CancelResponse within SHORT, CHANGES;
    SuspendRequest => suspend -> SuspendResponse within SHORT, CHANGES;
    ResumeRequest => resume -> ResumeResponse within SHORT, CHANGES;
    UsageRequest => usage -> UsageResponse within QUERY, READS;
}
