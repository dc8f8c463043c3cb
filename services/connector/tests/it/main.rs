//! The connector against a real sshd and a real Slurm.
//!
//! `CYBERGIS_PARTS` names the folder of the parts (`deploy/local`); `make test`
//! starts them. The tests share one cluster: each uses its own job names, and a file in
//! the folder of a job requests a fault.

#![expect(
    clippy::indexing_slicing,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod check_folder;
mod contract;
mod copies;
mod faults;
mod fences;
mod files;
mod jobs;
mod late_transfers;
mod links;
mod logins;
mod measured;
mod pam_node;
mod parts;
mod private_logins;
mod process;
mod submissions;
mod waiting;
