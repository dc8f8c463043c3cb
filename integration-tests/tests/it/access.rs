//! Who may do what: hubs, users, job tokens, private accounts, services, and secrets that stay hidden.

mod access_lists;
mod hubs;
pub(crate) mod job_tokens;
mod mutual_tls;
mod not_yours;
mod private_accounts;
mod secrets_hidden;
