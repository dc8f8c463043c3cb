//! The clock that decides about leases and heartbeats: the database's, which all processes
//! share. A process whose own clock is wrong neither keeps a lease nor takes one too early.

use std::{sync::Arc, time::Duration};

use compute_domain::Clock;
use sea_orm::{
    DbBackend,
    sea_query::{Expr, ExprTrait as _, SimpleExpr},
};

/// Where the time of leases comes from.
#[derive(Debug, Clone)]
pub(crate) enum LeaseClock {
    /// The database reads its own clock while it evaluates a statement.
    Database,
    /// This clock, whose time is written into each statement; for tests.
    Given(Arc<dyn Clock>),
}

impl LeaseClock {
    /// The time now as an expression, in milliseconds since 1970-01-01T00:00:00 UTC.
    ///
    /// Not the beginning of the statement or transaction: one that has waited for a lock
    /// must not count a lease as valid that has expired meanwhile.
    pub(crate) fn now(&self, backend: DbBackend) -> SimpleExpr {
        match (self, backend) {
            (Self::Given(clock), _) => Expr::value(clock.now().millis()),
            (Self::Database, DbBackend::Sqlite) => {
                Expr::cust("CAST(unixepoch('subsec') * 1000 AS INTEGER)")
            }
            (Self::Database, DbBackend::MySql) => {
                Expr::cust("CAST(UNIX_TIMESTAMP(SYSDATE(3)) * 1000 AS SIGNED)")
            }
            (Self::Database, _) => {
                Expr::cust("CAST(EXTRACT(EPOCH FROM clock_timestamp()) * 1000 AS BIGINT)")
            }
        }
    }
}

/// `at`, later by `duration`.
pub(crate) fn later(at: SimpleExpr, duration: Duration) -> SimpleExpr {
    at.add(millis(duration))
}

/// `at`, earlier by `duration`.
pub(crate) fn earlier(at: SimpleExpr, duration: Duration) -> SimpleExpr {
    at.sub(millis(duration))
}

fn millis(duration: Duration) -> i64 {
    i64::try_from(duration.as_millis()).unwrap_or(i64::MAX)
}
