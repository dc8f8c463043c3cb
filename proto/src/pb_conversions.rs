//! Conversions between wire and domain: `From` to the wire, `From` or `TryFrom` back.

mod checks;
mod files;
mod jobs;
mod observations;

pub use checks::CheckItem;
pub use files::{FilePart, Listing, job_file};
pub use jobs::{LiveJob, Submitted};
