//! The tables as they were first made. Never changed here: what is added to a
//! table later is a migration of its own.

mod jobs;
mod others;

pub(crate) use jobs::{events, jobs, logs};
pub(crate) use others::{
    folder_transfers, folders, gits, globus_tokens, hpc_slots, idempotency_keys, maintainers,
    user_slots,
};
