//! The SQL store, the source of truth for every job. All queries are here; they run
//! unchanged on SQLite, PostgreSQL and MariaDB (or MySQL).
//!
//! - Functions take and return domain types; rows stay inside, except in [`import`].
//! - Functions for a job's owner take the [`compute_domain::ids::UserId`] first and see
//!   nothing of other users. Functions for maintainers and operators have no such filter
//!   and are for services only.
//! - A state and the events that report it are written in one transaction.
//! - Points in time come from the [`compute_domain::Clock`] given at
//!   [`Store::connect`]. Leases and heartbeats follow the database's clock alone.

mod connect;
mod convert;
#[expect(
    missing_docs,
    unreachable_pub,
    reason = "fields are named like their columns; what the macro of sea_orm makes is public"
)]
mod entity;
mod error;
pub mod import;
mod lease_clock;
mod progress;
mod store;
mod transaction;

pub use error::StoreError;
pub use progress::Progress;
pub use store::{
    ChangeOutcome, Checked, Claim, EventRow, FolderPatch, FolderTransfer, IdempotencyKey,
    JobFilter, JobPatch, JobStatus, LISTED_JOBS, LeaseHolder, LeaseRow, LeaseToken, Leases,
    LimitReached, Listed, ListedUntil, LogRow, NAME_LIMIT, NewJob, NewTemplate, OpenJobs, Pinned,
    Places, Reservation, Runtime, Store, SubmitOutcome, Template, TemplatePatch, TransferOutcome,
    UnconfiguredJob, UserLimits, Waiting,
};
