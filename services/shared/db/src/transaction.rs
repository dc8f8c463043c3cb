//! Writing. The one place where a transaction begins, and where it is tried
//! again when another writer was in the way.

use std::{sync::Arc, time::Duration};

use rand::RngExt as _;
use sea_orm::{
    DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::time::Instant;

use crate::{Store, StoreError};

/// Maximum number of tries of one transaction.
const TRIES: u32 = 10;

/// No new try after this long.
const RETRY_DEADLINE: Duration = Duration::from_secs(20);

/// Longest pause before the second try; doubles from try to try.
const FIRST_PAUSE: Duration = Duration::from_millis(10);

impl Store {
    /// Runs `work` in a transaction: committed if it returns `Ok`, undone if not.
    /// A transaction that lost against another writer is run again as a whole, so
    /// `work` must not do anything but read and write through it, and must not keep
    /// it.
    pub(crate) async fn write<T, F>(
        &self,
        work: impl Fn(Arc<DatabaseTransaction>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        let began = Instant::now();
        for tries in 1..TRIES {
            match self.attempt(&work).await {
                Err(StoreError::Conflict(error)) if began.elapsed() < RETRY_DEADLINE => {
                    tracing::debug!(%error, tries, "transaction lost against another writer");
                    tokio::time::sleep(pause(tries)).await;
                }
                outcome => return outcome,
            }
        }
        self.attempt(&work).await
    }

    async fn attempt<T, F>(
        &self,
        work: impl Fn(Arc<DatabaseTransaction>) -> F,
    ) -> Result<T, StoreError>
    where
        F: Future<Output = Result<T, StoreError>>,
    {
        // SQLite has one writer at a time. Waiting here is first come, first
        // served; its own waiting is not.
        let _turn = match &self.writers {
            Some(writers) => writers.acquire().await.ok(),
            None => None,
        };
        let transaction = self.connection.begin_with_options(self.options()).await?;
        let transaction = Arc::new(transaction);
        let outcome = work(transaction.clone()).await;
        // `work` is over: this is the last one that holds it.
        let transaction = Arc::into_inner(transaction)
            .ok_or_else(|| DbErr::Custom("a transaction was kept beyond its work".to_owned()))?;
        match outcome {
            Ok(value) => {
                transaction.commit().await?;
                Ok(value)
            }
            Err(error) => {
                if let Err(error) = transaction.rollback().await {
                    tracing::debug!(%error, "could not undo a transaction: the database will");
                }
                Err(error)
            }
        }
    }

    /// Each statement sees what was committed before it, also on MariaDB: a count
    /// after a lock must see what the lock's last holder wrote. On SQLite the
    /// write lock is taken at once: a reader cannot become a writer later if
    /// another one wrote meanwhile.
    fn options(&self) -> TransactionOptions {
        match self.connection.get_database_backend() {
            DbBackend::Sqlite => TransactionOptions {
                isolation_level: None,
                access_mode: None,
                sqlite_transaction_mode: Some(SqliteTransactionMode::Immediate),
            },
            _ => TransactionOptions {
                isolation_level: Some(IsolationLevel::ReadCommitted),
                access_mode: None,
                sqlite_transaction_mode: None,
            },
        }
    }
}

fn pause(tries: u32) -> Duration {
    let longest = FIRST_PAUSE * 2_u32.saturating_pow(tries.min(6));
    rand::rng().random_range(longest / 4..=longest)
}
