//! The gRPC contract between the services: generated code, conversions between
//! wire and domain, the error ↔ status table, and clients with deadlines.
//!
//! Types of prost and tonic stop here and at each service's `grpc.rs`.

mod connector_client;
mod ids;
mod maintainer_client;
mod pb_conversions;
mod status;
mod target;
mod upload;

pub use connector_client::{ConnectorClient, MAX_READ_BYTES, MAX_WRITE_BYTES, Permit, Permitted};
pub use maintainer_client::notice;
pub use pb_conversions::{CheckItem, FilePart, Listing, LiveJob, Submitted, job_file};
pub use status::{RemoteError, kind_of, status_of};
pub use target::Targeted;
pub use upload::CHUNK_BYTES;

/// Generated messages, clients and server traits.
#[expect(
    clippy::allow_attributes_without_reason,
    missing_docs,
    reason = "generated code"
)]
pub mod wire {
    tonic::include_proto!("cybergis.compute.v1");
}

/// The contract's descriptors, for the reflection service.
pub const FILE_DESCRIPTOR_SET: &[u8] = include_bytes!(concat!(env!("OUT_DIR"), "/descriptors.bin"));

/// Maximum size in bytes of a message. Files travel in chunks far below it.
pub const MAX_MESSAGE_BYTES: usize = 4 * 1024 * 1024;
