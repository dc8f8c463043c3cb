//! The connector against a real sshd and a real Slurm.
//!
//! `CYBERGIS_PARTS` names the folder of the parts (`deploy/local`); `make test`
//! starts them. Tests share one cluster, so each has job names of its own, and
//! faults are asked for by a file in the job's folder.

#![expect(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::unwrap_used,
    reason = "helpers of tests, which clippy does not take for tests"
)]

mod check_folder;
mod copies;
mod faults;
mod files;
mod jobs;
mod links;
mod logins;
mod measured;
mod parts;
mod private_logins;
mod process;
mod submissions;
mod waiting;
