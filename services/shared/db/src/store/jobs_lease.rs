//! The jobs that a maintainer process has leased: listing them, giving them back, finding those
//! whose lease has expired.

use compute_domain::{
    ids::{JobId, MaintainerId, UserId},
    job::Intent,
};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, QueryFilter as _, QueryOrder as _, QuerySelect as _,
    sea_query::Expr,
};

use super::{
    jobs_advance::LeaseToken,
    lease_rules::{LeaseHolder, expired, is_live},
    leased_states,
};
use crate::{Store, StoreError, convert::read_intent, entity::job};

/// A job that a maintainer has leased, and what the job's owner wants.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LeaseRow {
    /// The job.
    pub id: JobId,
    /// Its fence.
    pub fence: i64,
    /// What its owner wants done.
    pub intent: Option<Intent>,
    /// Who wants so.
    pub intent_by: Option<UserId>,
}

/// The jobs that a process has leased.
#[derive(Debug, Default)]
pub struct Leases {
    /// All of them, oldest job first. A job whose intent cannot be read has none here.
    pub leases: Vec<LeaseRow>,
    /// The intents that cannot be read.
    pub unreadable: Vec<StoreError>,
}

impl Store {
    /// Lists the jobs of `holder`, oldest first. An intent that cannot be read harms no other.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn leases(&self, holder: &LeaseHolder) -> Result<Leases, StoreError> {
        let rows = job::Entity::find()
            .select_only()
            .columns([
                job::Column::Id,
                job::Column::Fence,
                job::Column::Intent,
                job::Column::IntentBy,
            ])
            .filter(job::Column::LeaseHolder.eq(holder.id.as_str()))
            .filter(job::Column::LeaseEpoch.eq(holder.epoch))
            .filter(job::Column::State.is_in(leased_states()))
            .order_by_asc(job::Column::SubmittedAt)
            .order_by_asc(job::Column::Id)
            .into_tuple::<Row>()
            .all(&self.connection)
            .await?;
        Ok(leases(rows))
    }

    /// Whether the job still names the lease of `token`, and that lease is valid now: for a
    /// check right before a call to the HPC.
    ///
    /// # Errors
    /// [`StoreError`] if it is not known.
    pub async fn still_held(&self, token: &LeaseToken) -> Result<bool, StoreError> {
        let held: Option<i64> = job::Entity::find_by_id(token.id.as_str())
            .select_only()
            .column(job::Column::Fence)
            .filter(job::Column::Fence.eq(token.fence))
            .filter(job::Column::LeaseHolder.eq(token.holder.id.as_str()))
            .filter(job::Column::LeaseEpoch.eq(token.holder.epoch))
            .filter(is_live(&token.holder, &self.lease_now()))
            .into_tuple()
            .one(&self.connection)
            .await?;
        Ok(held.is_some())
    }

    /// Gives back all jobs of the process `id`, under whichever lease, so that others can go
    /// on with them at once; the number of them. The caller writes to none of them any more.
    ///
    /// # Errors
    /// [`StoreError`] if they were not given back, or it is not known whether they were.
    pub async fn release(&self, id: &MaintainerId) -> Result<u64, StoreError> {
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                // Maintainers of the version before see them, too.
                let released = job::Entity::update_many()
                    .col_expr(job::Column::LeaseUntil, now)
                    .col_expr(job::Column::LeaseEpoch, Expr::value(None::<i64>))
                    .filter(job::Column::LeaseHolder.eq(id.as_str()))
                    .filter(job::Column::State.is_in(leased_states()))
                    .exec(&*transaction)
                    .await?;
                Ok(released.rows_affected)
            }
        })
        .await
    }

    /// Jobs on `hpc` whose lease has expired, longest ago first.
    ///
    /// # Errors
    /// [`StoreError`] if they could not be read.
    pub async fn expired_on(&self, hpc: &str, limit: u64) -> Result<Vec<JobId>, StoreError> {
        let ids = job::Entity::find()
            .select_only()
            .column(job::Column::Id)
            .filter(job::Column::Hpc.eq(hpc))
            .filter(job::Column::State.is_in(leased_states()))
            .filter(expired(&self.lease_now()))
            .order_by_asc(job::Column::LeaseUntil)
            .limit(limit)
            .into_tuple::<String>()
            .all(&self.connection)
            .await?;
        Ok(ids.into_iter().map(JobId::from_text).collect())
    }
}

type Row = (String, i64, Option<String>, Option<String>);

fn leases(rows: Vec<Row>) -> Leases {
    let mut found = Leases::default();
    for (id, fence, intent, intent_by) in rows {
        let intent = match intent.map(|name| read_intent(&id, &name)).transpose() {
            Ok(intent) => intent,
            Err(error) => {
                found.unreadable.push(error);
                None
            }
        };
        found.leases.push(LeaseRow {
            intent,
            intent_by: intent_by.map(UserId::from_text),
            id: JobId::from_text(id),
            fence,
        });
    }
    found
}
