//! The maintainer processes that are there, and their leases. Each process registers itself,
//! so that nobody has to keep a list of them.

use std::{collections::BTreeSet, time::Duration};

use compute_domain::{ids::MaintainerId, job::Job};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set, sea_query::Expr,
};

use super::lease_rules::{LeaseHolder, of_holder};
use crate::{
    Store, StoreError,
    convert::{read_json, write_json},
    entity::maintainer,
    lease_clock::{earlier, later},
};

/// A process that said nothing for this long is forgotten when another registers.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Registers a process: where it listens, which HPCs it serves, and that it begins a
    /// `lease` now. Jobs that it has taken under an earlier lease are free.
    ///
    /// # Errors
    /// [`StoreError`] if it was not registered, or it is not known whether it was.
    pub async fn register_maintainer(
        &self,
        holder: &LeaseHolder,
        address: &str,
        hpcs: &[String],
        lease: Duration,
    ) -> Result<(), StoreError> {
        let id = holder.id.as_str();
        let row = &maintainer::ActiveModel {
            id: Set(id.to_owned()),
            address: Set(address.to_owned()),
            hpcs: Set(write_json(&hpcs)),
            epoch: Set(holder.epoch),
            lease_until: Set(None),
            created_at: Set(0),
            heartbeat_at: Set(0),
        };
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                let long_ago = earlier(now.clone(), FORGOTTEN_AFTER);
                // By key: a search by time would wait for rows that others have locked.
                let mut forgotten: Vec<String> = maintainer::Entity::find()
                    .select_only()
                    .column(maintainer::Column::Id)
                    .filter(Expr::col(maintainer::Column::HeartbeatAt).lt(long_ago))
                    .into_tuple()
                    .all(&*transaction)
                    .await?;
                forgotten.push(id.to_owned());
                maintainer::Entity::delete_many()
                    .filter(maintainer::Column::Id.is_in(forgotten))
                    .exec(&*transaction)
                    .await?;
                maintainer::Entity::insert(row.clone())
                    .exec_without_returning(&*transaction)
                    .await?;
                maintainer::Entity::update_many()
                    .col_expr(maintainer::Column::CreatedAt, now.clone())
                    .col_expr(maintainer::Column::HeartbeatAt, now.clone())
                    .col_expr(maintainer::Column::LeaseUntil, later(now, lease))
                    .filter(maintainer::Column::Id.eq(id))
                    .exec(&*transaction)
                    .await?;
                Ok(())
            }
        })
        .await
    }

    /// Renews the lease of `holder`, with which all its jobs are leased, and says that the
    /// process is there.
    ///
    /// # Errors
    /// [`StoreError::LeaseLost`] if the lease is over: it cannot be renewed any more. Others if
    /// it was not renewed, or it is not known whether it was.
    pub async fn renew(&self, holder: &LeaseHolder, lease: Duration) -> Result<(), StoreError> {
        let now = self.lease_now();
        self.write(|transaction| {
            let now = now.clone();
            async move {
                let renewed = maintainer::Entity::update_many()
                    .col_expr(maintainer::Column::HeartbeatAt, now.clone())
                    .col_expr(maintainer::Column::LeaseUntil, later(now.clone(), lease))
                    .filter(of_holder(holder, &now))
                    .exec(&*transaction)
                    .await?;
                if renewed.rows_affected == 0 {
                    return Err(StoreError::LeaseLost);
                }
                Ok(())
            }
        })
        .await
    }

    /// Takes a process that stops off the list.
    ///
    /// # Errors
    /// [`StoreError`] if it was not, or it is not known whether it was.
    pub async fn forget_maintainer(&self, id: &MaintainerId) -> Result<(), StoreError> {
        self.write(|transaction| async move {
            maintainer::Entity::delete_by_id(id.as_str())
                .exec(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    /// Address of the maintainer to notify about `job`: the one that holds its lease, else
    /// the one of its HPC with the newest heartbeat. `None` if no heartbeat is younger than
    /// `alive_within`.
    ///
    /// # Errors
    /// [`StoreError`] if the list could not be read.
    pub async fn maintainer_for(
        &self,
        job: &Job,
        alive_within: Duration,
    ) -> Result<Option<String>, StoreError> {
        let since = earlier(self.lease_now(), alive_within);
        let alive = maintainer::Entity::find()
            .filter(Expr::col(maintainer::Column::HeartbeatAt).gte(since))
            .order_by_desc(maintainer::Column::HeartbeatAt)
            .order_by_asc(maintainer::Column::Id)
            .all(&self.connection)
            .await?;
        let holder = job.lease_holder.as_ref().map(MaintainerId::as_str);
        let mut of_hpc = None;
        for maintainer::Model {
            id,
            address,
            hpcs,
            created_at: _,
            heartbeat_at: _,
            epoch: _,
            lease_until: _,
        } in alive
        {
            if holder == Some(id.as_str()) {
                return Ok(Some(address));
            }
            match read_json::<Vec<String>>("maintainers", &id, "hpcs", &hpcs) {
                Ok(hpcs) if of_hpc.is_none() && hpcs.contains(&job.hpc) => {
                    of_hpc = Some(address);
                }
                Ok(_) => {}
                Err(error) => tracing::warn!(%error, "maintainer left out"),
            }
        }
        Ok(of_hpc)
    }

    /// Names of the HPCs that some maintainer serves whose heartbeat is younger than
    /// `alive_within`.
    ///
    /// # Errors
    /// [`StoreError`] if the list could not be read.
    pub async fn served_hpcs(
        &self,
        alive_within: Duration,
    ) -> Result<BTreeSet<String>, StoreError> {
        let since = earlier(self.lease_now(), alive_within);
        let rows: Vec<(String, String)> = maintainer::Entity::find()
            .select_only()
            .columns([maintainer::Column::Id, maintainer::Column::Hpcs])
            .filter(Expr::col(maintainer::Column::HeartbeatAt).gte(since))
            .into_tuple()
            .all(&self.connection)
            .await?;
        let mut served = BTreeSet::new();
        for (id, hpcs) in rows {
            match read_json::<Vec<String>>("maintainers", &id, "hpcs", &hpcs) {
                Ok(hpcs) => served.extend(hpcs),
                Err(error) => tracing::warn!(%error, "maintainer left out"),
            }
        }
        Ok(served)
    }
}
