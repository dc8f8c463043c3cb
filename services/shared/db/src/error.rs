//! What can go wrong in the store.

use compute_domain::{ErrorKind, job::IllegalChange};
use sea_orm::{DbErr, RuntimeErr, SqlxError, SqlxMySqlError, SqlxPostgresError, SqlxSqliteError};

use crate::store::LimitReached;

/// A failed operation of the store.
#[derive(Debug, thiserror::Error)]
pub enum StoreError {
    /// The caller does not hold the lease of the job: another maintainer has taken it
    /// over, or the job has ended. Nothing was written.
    #[error("another maintainer has the lease of the job, or the job has ended")]
    LeaseLost,
    /// The caller's copy of the job was read before the latest write to the job under the
    /// same lease. Nothing was written.
    #[error("the job was changed since it was read: read it again")]
    Stale,
    /// The job's state does not allow the change. Nothing was written.
    #[error(transparent)]
    Illegal(#[from] IllegalChange),
    /// The user has reached a limit. Nothing was written.
    #[error(transparent)]
    Limit(#[from] LimitReached),
    /// A value that the database cannot hold: too long, or with a NUL in it.
    /// Nothing was written.
    #[error("the database cannot hold a value: {0}")]
    Unfit(#[source] DbErr),
    /// Others wrote at the same time, again and again. Nothing was written.
    #[error("too many writers at once: {0}")]
    Conflict(#[source] DbErr),
    /// The database does not respond. If the connection was lost during a commit, the
    /// transaction may or may not be committed.
    #[error("the database does not respond: {0}")]
    Unavailable(#[source] DbErr),
    /// The address of the database is not valid. The error does not contain it, since it
    /// may contain a password.
    #[error("not an address of a database: {0}")]
    Address(&'static str),
    /// A row holds a value that cannot be read.
    #[error("{table} {id}: cannot read {column}: {reason}")]
    Corrupt {
        /// Table.
        table: &'static str,
        /// Id of the row.
        id: String,
        /// Column.
        column: &'static str,
        /// What is wrong with it.
        reason: String,
    },
    /// Any other error of the database, e.g. a missing table.
    #[error("database error: {0}")]
    Database(#[source] DbErr),
}

impl StoreError {
    /// Whether the error lies in one row: the others can still be read and written.
    pub fn is_of_one_row(&self) -> bool {
        matches!(
            self,
            Self::Corrupt { .. } | Self::Illegal(_) | Self::Unfit(_)
        )
    }

    /// Returns the kind of the error, from which its status follows.
    pub fn kind(&self) -> ErrorKind {
        match self {
            Self::LeaseLost | Self::Illegal(_) | Self::Limit(_) => ErrorKind::Refused,
            Self::Unfit(_) => ErrorKind::InvalidArgument,
            Self::Conflict(_) | Self::Unavailable(_) => ErrorKind::Unavailable,
            Self::Stale | Self::Address(_) | Self::Corrupt { .. } | Self::Database(_) => {
                ErrorKind::Internal
            }
        }
    }
}

impl From<DbErr> for StoreError {
    fn from(error: DbErr) -> Self {
        match class_of(&error) {
            Class::Unfit => Self::Unfit(error),
            Class::Conflict => Self::Conflict(error),
            Class::Away => Self::Unavailable(error),
            Class::Other => Self::Database(error),
        }
    }
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Class {
    Unfit,
    Conflict,
    Away,
    Other,
}

fn class_of(error: &DbErr) -> Class {
    let sqlx = match error {
        DbErr::ConnectionAcquire(_) => return Class::Away,
        DbErr::Conn(RuntimeErr::SqlxError(error))
        | DbErr::Exec(RuntimeErr::SqlxError(error))
        | DbErr::Query(RuntimeErr::SqlxError(error)) => error,
        _ => return Class::Other,
    };
    match sqlx.as_ref() {
        SqlxError::Database(error) => {
            if let Some(error) = error.try_downcast_ref::<SqlxPostgresError>() {
                postgres(error.code())
            } else if let Some(error) = error.try_downcast_ref::<SqlxMySqlError>() {
                mysql(error.number())
            } else if error.try_downcast_ref::<SqlxSqliteError>().is_some() {
                error
                    .code()
                    .and_then(|code| code.parse().ok())
                    .map_or(Class::Other, sqlite)
            } else {
                Class::Other
            }
        }
        SqlxError::Io(_)
        | SqlxError::Tls(_)
        | SqlxError::Protocol(_)
        | SqlxError::PoolTimedOut
        | SqlxError::PoolClosed
        | SqlxError::WorkerCrashed
        | SqlxError::BeginFailed => Class::Away,
        _ => Class::Other,
    }
}

/// SQLSTATE: PostgreSQL, Appendix A, Error Codes.
fn postgres(code: &str) -> Class {
    match code {
        // serialization_failure, deadlock_detected, lock_not_available
        "40001" | "40P01" | "55P03" => Class::Conflict,
        // admin_shutdown, crash_shutdown, cannot_connect_now
        "25P03" | "57P01" | "57P02" | "57P03" => Class::Away,
        // data exception
        code if code.starts_with("22") => Class::Unfit,
        // connection exception; insufficient resources; system error
        code if ["08", "53", "58"]
            .iter()
            .any(|class| code.starts_with(class)) =>
        {
            Class::Away
        }
        _ => Class::Other,
    }
}

/// Error numbers: MariaDB, Error Code Reference.
fn mysql(number: u16) -> Class {
    match number {
        // record changed since last read, lock wait timeout, deadlock
        1020 | 1205 | 1213 => Class::Conflict,
        // disk full, too many connections, shutdown, table full, read only,
        // server gone, connection lost, connection killed
        1021 | 1040 | 1053 | 1114 | 1290 | 2006 | 2013 | 1927 => Class::Away,
        // incorrect string value, too long for the column, packet too large
        1366 | 1406 | 1153 => Class::Unfit,
        _ => Class::Other,
    }
}

/// Result codes: sqlite.org/rescode.html; the low byte is the primary one.
fn sqlite(code: i32) -> Class {
    match code & 0xff {
        // SQLITE_BUSY, SQLITE_LOCKED
        5 | 6 => Class::Conflict,
        // SQLITE_READONLY, SQLITE_IOERR, SQLITE_FULL, SQLITE_CANTOPEN
        8 | 10 | 13 | 14 => Class::Away,
        // SQLITE_TOOBIG
        18 => Class::Unfit,
        _ => Class::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_of_the_three_databases() {
        assert_eq!(postgres("40P01"), Class::Conflict);
        assert_eq!(postgres("22021"), Class::Unfit);
        assert_eq!(postgres("08006"), Class::Away);
        assert_eq!(postgres("42P01"), Class::Other);
        assert_eq!(mysql(1213), Class::Conflict);
        assert_eq!(mysql(1406), Class::Unfit);
        assert_eq!(mysql(1146), Class::Other);
        assert_eq!(sqlite(517), Class::Conflict, "SQLITE_BUSY_SNAPSHOT");
        assert_eq!(sqlite(1), Class::Other);
    }
}
