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
mod containment;
mod documented_api;
mod documented_operations;
mod documented_parts;
mod documented_template;
mod documents;
mod faults;
mod figures;
mod fuzz;
mod globus;
mod globus_fake;
mod health;
mod hostile;
mod hubs;
mod import;
mod job_tokens;
mod limits;
mod local_data;
mod logs;
mod main_path;
mod manifest_reference;
mod measured;
mod metrics;
mod mpi;
mod mutual_tls;
mod not_yours;
mod older_checks;
mod operator;
mod orphans;
mod pause;
mod private_accounts;
mod raw_stages;
mod refusals;
mod replay;
mod secrets_hidden;
mod site;
mod ui;
mod values;

use std::time::Duration;

/// Long enough for any short job on a busy machine.
pub(crate) const SOON: Duration = Duration::from_secs(60);
