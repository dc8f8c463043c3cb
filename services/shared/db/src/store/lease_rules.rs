//! The rules of leases, as conditions in SQL.
//!
//! A maintainer process holds one lease, in its row of `maintainers`. A job names the process
//! and the epoch of its lease. Jobs of a process of the version before have no epoch: each has
//! a lease of its own, `jobs.lease_until`.

use std::time::Duration;

use compute_domain::ids::MaintainerId;
use sea_orm::{
    Condition, EntityTrait as _, QueryFilter as _, QuerySelect as _, QueryTrait as _,
    sea_query::{CaseStatement, Expr, ExprTrait as _, SimpleExpr},
};

use crate::entity::{job, maintainer};

/// How long maintainers of the version before leave a job alone that a process of this version
/// has taken: they know only `jobs.lease_until`, which is written once and not renewed. Longer
/// than any upgrade, in which both run side by side; short enough that they go on with the jobs
/// one day after a return to the version before, even if no process of this version has handed
/// its jobs back.
pub(super) const LEASE_FOR_VERSION_BEFORE: Duration = Duration::from_secs(24 * 60 * 60);

/// A maintainer process under one of its leases.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseHolder {
    /// The process.
    pub id: MaintainerId,
    /// Grows with each lease of the process, from 1: whoever has lost a lease gets another one.
    pub epoch: i64,
}

/// The lease of `holder` is valid.
pub(super) fn is_live(holder: &LeaseHolder, now: &SimpleExpr) -> SimpleExpr {
    let lease = maintainer::Entity::find()
        .select_only()
        .column(maintainer::Column::Id)
        .filter(of_holder(holder, now));
    Expr::exists(lease.into_query())
}

/// The row of `holder`, if its lease is valid.
pub(super) fn of_holder(holder: &LeaseHolder, now: &SimpleExpr) -> Condition {
    Condition::all()
        .add(lease_column(maintainer::Column::Id).eq(holder.id.as_str()))
        .add(lease_column(maintainer::Column::Epoch).eq(holder.epoch))
        .add(lease_column(maintainer::Column::LeaseUntil).gt(now.clone()))
}

/// Nobody holds the lease of the job.
pub(super) fn expired(now: &SimpleExpr) -> Condition {
    let until = || job_column(job::Column::LeaseUntil);
    let epoch = || job_column(job::Column::LeaseEpoch);
    // A process of the version before that takes a job over leaves the epoch in the row.
    let of_version_before = Condition::all()
        .add(lease_column(maintainer::Column::LeaseUntil).is_null())
        .add(until().gt(now.clone()));
    let of_this_version = Condition::all()
        .add(lease_column(maintainer::Column::Epoch).eq(epoch()))
        .add(lease_column(maintainer::Column::LeaseUntil).gt(now.clone()));
    let lease = maintainer::Entity::find()
        .select_only()
        .column(maintainer::Column::Id)
        .filter(lease_column(maintainer::Column::Id).eq(job_column(job::Column::LeaseHolder)))
        .filter(Condition::any().add(of_version_before).add(of_this_version));
    Condition::any()
        .add(until().is_null())
        .add(
            Condition::all()
                .add(epoch().is_null())
                .add(until().lte(now.clone())),
        )
        .add(
            Condition::all()
                .add(epoch().is_not_null())
                .add(Expr::exists(lease.into_query()).not()),
        )
}

/// The fence of a job that is taken: greater than all before, also than those that were given
/// after the dump from which the database was restored, and that its HPC may have seen.
pub(super) fn next_fence(now: &SimpleExpr) -> SimpleExpr {
    let fence = || Expr::col(job::Column::Fence);
    CaseStatement::new()
        .case(fence().gte(now.clone()), fence().add(1))
        .finally(now.clone())
        .into()
}

fn job_column(column: job::Column) -> SimpleExpr {
    Expr::col((job::Entity, column))
}

fn lease_column(column: maintainer::Column) -> SimpleExpr {
    Expr::col((maintainer::Entity, column))
}
