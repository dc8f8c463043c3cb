//! Transactions: the one place where they begin, and where one is repeated after a
//! conflict with another writer.

use std::{sync::Arc, time::Duration};

use compute_domain::Backoff;
use sea_orm::{
    DatabaseTransaction, DbBackend, DbErr, IsolationLevel, SqliteTransactionMode,
    TransactionOptions, TransactionTrait as _,
};
use tokio::time::Instant;

use crate::{Store, StoreError};

/// Attempts of one transaction.
const ATTEMPTS: u32 = 10;

/// No new attempt begins after this time.
const RETRY_DEADLINE: Duration = Duration::from_secs(20);

/// Delay before a transaction is run again.
const BACKOFF: Backoff = Backoff::new(Duration::from_millis(20), Duration::from_millis(640));

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
        for attempt in 1..ATTEMPTS {
            match self.attempt(&work).await {
                Err(StoreError::Conflict(error)) if began.elapsed() < RETRY_DEADLINE => {
                    tracing::debug!(%error, attempt, "transaction lost against another writer");
                    tokio::time::sleep(BACKOFF.delay(attempt)).await;
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
