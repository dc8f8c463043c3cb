//! Types and rules of CyberGIS-Compute. Nothing here does I/O: every function
//! takes values and returns values.

pub mod backoff;
pub mod clock;
pub mod error_kind;
#[cfg(test)]
mod fixtures;
pub mod ids;
pub mod job;
pub mod manifest;
pub mod printable;
pub mod shell;
pub mod site;
pub mod slurm;

pub use backoff::Backoff;
pub use clock::{Clock, SystemClock, Timestamp};
pub use error_kind::ErrorKind;
