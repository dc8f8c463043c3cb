//! A check right before each call that changes something on an HPC.

use std::{fmt::Debug, pin::Pin};

use crate::status::RemoteError;

/// The outcome of a check: the call is made, or fails with this error.
pub type Permitted<'a> = Pin<Box<dyn Future<Output = Result<(), RemoteError>> + Send + 'a>>;

/// Decides whether a call that changes something on an HPC may be made now.
pub trait Permit: Debug + Send + Sync {
    /// Resolves as soon as it is known whether the call may be made.
    fn permitted(&self) -> Permitted<'_>;
}
