//! Who is calling. A handler that needs to know takes an [`Authorized`] with the
//! way in which its route refuses and the schema of its body; without one it
//! learns nothing of anybody.

mod caller;
mod hub;
pub mod job_token;
mod refusals;
mod token;

pub use caller::Authorized;
pub use hub::{HubClient, HubError};
pub use refusals::{ForChange, ForJob, ForJobChange, ForStatistic, ForUser, Refusals};
pub use token::HubToken;
