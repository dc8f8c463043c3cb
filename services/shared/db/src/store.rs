//! The store and its queries, one file for each table or theme.

mod events;
mod folder_transfers;
mod folders;
mod globus_tokens;
mod idempotency_keys;
mod job_statistics;
mod job_status;
mod jobs_advance;
mod jobs_claim;
mod jobs_fence;
mod jobs_intent;
mod jobs_lease;
mod jobs_list;
mod jobs_of_folder;
mod jobs_operator;
mod jobs_owner;
mod jobs_places;
mod jobs_sharing_folder;
mod jobs_submit;
mod jobs_unconfigured;
mod jobs_waiting;
mod lease_rules;
mod maintainers;
mod templates;
mod user_limits;

pub use events::{EventRow, LogRow};
pub use folder_transfers::{FolderTransfer, TransferOutcome};
pub use folders::FolderPatch;
pub use idempotency_keys::{IdempotencyKey, Reservation};
pub use job_statistics::{OpenJobs, Runtime};
pub use job_status::JobStatus;
pub use jobs_advance::LeaseToken;
pub use jobs_claim::Claim;
pub use jobs_lease::{LeaseRow, Leases};
pub use jobs_list::{LISTED_JOBS, Listed, ListedUntil};
pub use jobs_operator::JobFilter;
pub use jobs_owner::{ChangeOutcome, JobPatch, NAME_LIMIT, NewJob};
pub use jobs_places::Places;
pub use jobs_submit::{Checked, Pinned, SubmitOutcome};
pub use jobs_unconfigured::UnconfiguredJob;
pub use jobs_waiting::Waiting;
pub use lease_rules::LeaseHolder;
pub use templates::{NewTemplate, Template, TemplatePatch};
pub use user_limits::{LimitReached, UserLimits};

use std::{sync::Arc, time::Duration};

use compute_domain::{Clock, Timestamp, ids::JobId, job::State};
use sea_orm::{DatabaseConnection, DbBackend, EntityTrait as _, sea_query::SimpleExpr};
use secrecy::SecretString;
use tokio::sync::Semaphore;

use crate::{StoreError, connect, entity::schema_version, lease_clock::LeaseClock};

/// Newest migration that the queries here need. Newer ones only add to it.
const NEEDED_MIGRATION: &str = "m000027_create_idempotency_keys";

/// How often a database that is not ready is looked at again.
const LOOK_AGAIN: Duration = Duration::from_secs(1);

/// The store. Clones share their connections.
#[derive(Debug, Clone)]
pub struct Store {
    pub(crate) connection: DatabaseConnection,
    /// One place, for SQLite only.
    pub(crate) writers: Option<Arc<Semaphore>>,
    clock: Arc<dyn Clock>,
    lease_clock: LeaseClock,
    limits: UserLimits,
    /// Of the request that this store serves.
    key: Option<IdempotencyKey>,
}

impl Store {
    /// The store at `url`: `sqlite:///FOLDER/FILE`,
    /// `postgres://USER:PASSWORD@HOST:PORT/DATABASE` or `mysql://…`. The database
    /// need not be there yet; each call connects when it must.
    ///
    /// # Errors
    /// [`StoreError::Address`] if it is none of those.
    pub async fn connect(url: &SecretString, clock: Arc<dyn Clock>) -> Result<Self, StoreError> {
        let connection = connect::open(url).await?;
        let is_sqlite = connection.get_database_backend() == DbBackend::Sqlite;
        let writers = is_sqlite.then(|| Arc::new(Semaphore::new(1)));
        Ok(Self {
            connection,
            writers,
            clock,
            lease_clock: LeaseClock::Database,
            limits: UserLimits::default(),
            key: None,
        })
    }

    /// The same store, which keeps users within `limits`.
    #[must_use]
    pub fn with_user_limits(self, limits: UserLimits) -> Self {
        Self { limits, ..self }
    }

    /// The same store, in which `clock` decides about leases and heartbeats instead of the
    /// database's: for tests that move it.
    #[must_use]
    pub fn with_lease_clock(self, clock: Arc<dyn Clock>) -> Self {
        let lease_clock = LeaseClock::Given(clock);
        Self {
            lease_clock,
            ..self
        }
    }

    /// The same store, which passes the SQL of every statement to `observer`: for tests that
    /// count statements.
    #[must_use]
    pub fn with_statement_observer(
        mut self,
        observer: impl Fn(&str) + Send + Sync + 'static,
    ) -> Self {
        let observe = move |info: &sea_orm::metric::Info<'_>| observer(&info.statement.sql);
        self.connection.set_metric_callback(observe);
        self
    }

    /// An id for a job that is to be made.
    pub fn new_job_id(&self) -> JobId {
        JobId::generate(self.now())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// [`StoreError`] if not.
    pub async fn ping(&self) -> Result<(), StoreError> {
        Ok(self.connection.ping().await?)
    }

    /// Whether `compute-migrate up` has brought the schema to where this program
    /// needs it, or further. False as well for an empty database.
    ///
    /// # Errors
    /// [`StoreError::Unavailable`] if the database does not answer.
    pub async fn schema_is_current(&self) -> Result<bool, StoreError> {
        let needed = schema_version::Entity::find_by_id(NEEDED_MIGRATION.to_owned());
        match needed.one(&self.connection).await.map_err(StoreError::from) {
            Ok(version) => Ok(version.is_some()),
            // No such table: nothing has been migrated yet.
            Err(StoreError::Database(error)) => {
                tracing::debug!(%error, "no list of migrations");
                Ok(false)
            }
            Err(error) => Err(error),
        }
    }

    /// Waits until the database answers and its schema is current: services and the
    /// migration may be started in any order.
    pub async fn wait_for_schema(&self) {
        let mut tick = tokio::time::interval(LOOK_AGAIN);
        loop {
            tick.tick().await;
            match self.schema_is_current().await {
                Ok(true) => return,
                Ok(false) => tracing::warn!("the schema is old: run `compute-migrate up`"),
                Err(error) => tracing::warn!(%error, "waiting for the database"),
            }
        }
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }

    /// The time by which leases and heartbeats are judged.
    pub(crate) fn lease_now(&self) -> SimpleExpr {
        self.lease_clock.now(self.connection.get_database_backend())
    }
}

/// Characters that the column of an id holds.
const ID_LIMIT: usize = 255;

/// Whether a row could have this id. PostgreSQL refuses a text with a NUL in it, and
/// MariaDB compares without the blanks at the end: no id of ours has either.
fn may_be_id(id: &str) -> bool {
    fits(id) && !id.chars().any(char::is_control)
}

/// Whether every database keeps `id` as it is, and tells it from all others.
fn fits(id: &str) -> bool {
    id.chars().count() <= ID_LIMIT && !id.contains('\0') && id.trim() == id
}

/// Names of the states in which a maintainer holds the lease of a job.
fn leased_states() -> impl Iterator<Item = &'static str> {
    State::ALL
        .into_iter()
        .filter(|state| state.is_leased())
        .map(State::as_str)
}
