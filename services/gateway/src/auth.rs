//! Who is calling, and what is theirs. A handler that needs the caller takes an
//! [`Authorized`], one about a job an [`OwnJob`], one about a folder an [`OwnFolder`]: the
//! extractors load only what is the caller's own, so that no handler can forget to check.
//! The type names the [`RouteGroup`](crate::legacy::route_groups::RouteGroup), which decides
//! the status of a rejection, and the type of the body.

mod caller;
mod hub;
mod identified;
mod own_folder;
mod own_job;
mod token;

pub use caller::{Authorized, TokenOnly};
pub use hub::{HubClient, HubError};
pub use identified::{Identified, identify};
pub use own_folder::OwnFolder;
pub use own_job::{OwnJob, OwnJobInTurn};
pub use token::HubToken;
