//! Stories: what researchers and operators rely on, told against the real parts.
#![expect(
    clippy::indexing_slicing,
    reason = "a story fails where something is not there; also in what its tests share"
)]

mod access_lists;
mod cancel;
mod clean;
mod client_methods;
mod containers;
mod faults;
mod figures;
mod fuzz;
mod globus;
mod globus_fake;
mod import;
mod job_tokens;
mod limits;
mod local_data;
mod main_path;
mod measured;
mod not_yours;
mod older_checks;
mod operator;
mod pause;
mod private_accounts;
mod refusals;
mod replay;
mod site;
mod ui;
mod values;

use std::time::Duration;

/// Long enough for any short job on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);
