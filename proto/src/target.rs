//! The target of a request, written and read in this one place.
//!
//! For one version, requests carry it twice: in `target`, and in the fields `hpc`
//! and `credential` that services of the version before read and write. So services
//! of both versions understand each other while they are being replaced.

use crate::wire::{self, Target};

/// A request to the connector that names its target.
pub trait Targeted {
    /// Addresses the request to `target`.
    fn set_target(&mut self, target: &Target);

    /// Takes the target out of the request. A request of the version before has it
    /// in its deprecated fields.
    fn take_target(&mut self) -> Target;
}

macro_rules! targeted {
    ($($request:ty),+ $(,)?) => {$(
        impl Targeted for $request {
            #[expect(deprecated, reason = "services of the version before")]
            fn set_target(&mut self, target: &Target) {
                self.hpc = target.hpc.clone();
                self.credential = target.credential.clone();
                self.target = Some(target.clone());
            }

            #[expect(deprecated, reason = "services of the version before")]
            fn take_target(&mut self) -> Target {
                let (hpc, credential) = (std::mem::take(&mut self.hpc), self.credential.take());
                self.target.take().unwrap_or(Target {
                    hpc,
                    credential,
                    fence: None,
                })
            }
        }
    )+};
}

/// For requests that take no credential: it is never sent, and ignored if received.
macro_rules! targeted_without_credential {
    ($($request:ty),+ $(,)?) => {$(
        impl Targeted for $request {
            #[expect(deprecated, reason = "services of the version before")]
            fn set_target(&mut self, target: &Target) {
                let hpc = target.hpc.clone();
                self.hpc = hpc.clone();
                self.target = Some(Target {
                    hpc,
                    credential: None,
                    fence: None,
                });
            }

            #[expect(deprecated, reason = "services of the version before")]
            fn take_target(&mut self) -> Target {
                let before = std::mem::take(&mut self.hpc);
                let hpc = self.target.take().map_or(before, |target| target.hpc);
                Target {
                    hpc,
                    credential: None,
                    fence: None,
                }
            }
        }
    )+};
}

targeted!(
    wire::CheckRequest,
    wire::MakeFolderRequest,
    wire::upload_folder_request::Header,
    wire::WriteFileRequest,
    wire::CopyFolderRequest,
    wire::ReadFileRequest,
    wire::ListFolderRequest,
    wire::RemoveFolderRequest,
    wire::CheckFolderRequest,
    wire::WriteJobFileRequest,
    wire::ReadJobFileRequest,
    wire::StoreLogsRequest,
    wire::RemoveJobRequest,
    wire::SubmitRequest,
    wire::FindSubmissionRequest,
    wire::JobStatesRequest,
    wire::CancelRequest,
    wire::SuspendRequest,
    wire::ResumeRequest,
    wire::UsageRequest,
);
impl Targeted for wire::RaiseFenceRequest {
    fn set_target(&mut self, target: &Target) {
        self.target = Some(target.clone());
    }

    fn take_target(&mut self) -> Target {
        self.target.take().unwrap_or_default()
    }
}
targeted_without_credential!(wire::CheckLoginRequest, wire::DeploymentJobsRequest);

#[cfg(test)]
mod tests {
    use prost::Message as _;

    use super::*;
    use crate::wire::{Credential, DeploymentJobsRequest, Fence, MakeFolderRequest};

    /// [`MakeFolderRequest`] as the version before declares it.
    #[derive(Clone, PartialEq, prost::Message)]
    struct Before {
        #[prost(string, tag = "1")]
        hpc: String,
        #[prost(string, tag = "2")]
        path: String,
        #[prost(message, optional, tag = "15")]
        credential: Option<Credential>,
    }

    fn target() -> Target {
        Target {
            hpc: "keeling".to_owned(),
            credential: Some(Credential {
                job_id: "1".to_owned(),
                sealed: "v1:x".to_owned(),
            }),
            fence: None,
        }
    }

    fn addressed() -> MakeFolderRequest {
        let mut request = MakeFolderRequest {
            path: "/scratch/1".to_owned(),
            ..Default::default()
        };
        request.set_target(&target());
        request
    }

    #[test]
    fn a_target_arrives() {
        let sent = addressed().encode_to_vec();
        let mut received = MakeFolderRequest::decode(sent.as_slice()).unwrap();
        assert_eq!(received.take_target(), target());
        assert_eq!(received.path, "/scratch/1");
    }

    #[test]
    fn a_fence_arrives_and_an_absent_one_is_none() {
        let mut fenced = target();
        fenced.fence = Some(Fence {
            job_id: "1".to_owned(),
            number: 7,
        });
        let mut request = MakeFolderRequest::default();
        request.set_target(&fenced);
        let sent = request.encode_to_vec();
        let mut received = MakeFolderRequest::decode(sent.as_slice()).unwrap();
        assert_eq!(received.take_target(), fenced);
        assert_eq!(received.take_target().fence, None);
    }

    #[test]
    fn a_connector_of_the_version_before_reads_the_target() {
        let sent = addressed().encode_to_vec();
        let read = Before::decode(sent.as_slice()).unwrap();
        assert_eq!(read.hpc, "keeling");
        assert_eq!(read.credential, target().credential);
        assert_eq!(read.path, "/scratch/1");
    }

    #[test]
    fn a_request_of_the_version_before_has_a_target() {
        let sent = Before {
            hpc: "keeling".to_owned(),
            path: "/scratch/1".to_owned(),
            credential: target().credential,
        };
        let sent = sent.encode_to_vec();
        let mut received = MakeFolderRequest::decode(sent.as_slice()).unwrap();
        assert_eq!(received.take_target(), target());
        assert_eq!(received.path, "/scratch/1");
    }

    #[test]
    fn deployment_jobs_carry_no_credential() {
        let mut request = DeploymentJobsRequest::default();
        request.set_target(&target());
        let sent = request.take_target();
        assert_eq!((sent.hpc.as_str(), sent.credential), ("keeling", None));
        request.set_target(&target());
        request.target = None;
        assert_eq!(request.take_target().hpc, "keeling");
    }
}
