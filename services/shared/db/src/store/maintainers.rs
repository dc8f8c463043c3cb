//! The maintainer processes that are there: each registers itself, so that nobody
//! has to keep a list of them.

use std::{collections::BTreeSet, time::Duration};

use compute_domain::{ids::MaintainerId, job::Job};
use sea_orm::{
    ColumnTrait as _, EntityTrait as _, ExprTrait as _, QueryFilter as _, QueryOrder as _,
    QuerySelect as _, Set, sea_query::Expr,
};

use crate::{
    Store, StoreError,
    convert::{read_json, write_json},
    entity::maintainer,
};

/// A process that said nothing for this long is forgotten when another registers.
const FORGOTTEN_AFTER: Duration = Duration::from_secs(24 * 60 * 60);

impl Store {
    /// Registers a process: where it listens, and which HPCs it serves.
    ///
    /// # Errors
    /// [`StoreError`] if it was not registered, or it is not known whether it was.
    pub async fn register_maintainer(
        &self,
        id: &MaintainerId,
        address: &str,
        hpcs: &[String],
    ) -> Result<(), StoreError> {
        let now = self.now();
        let row = &maintainer::ActiveModel {
            id: Set(id.to_string()),
            address: Set(address.to_owned()),
            hpcs: Set(write_json(&hpcs)),
            created_at: Set(now.millis()),
            heartbeat_at: Set(now.millis()),
        };
        let long_ago = now.minus(FORGOTTEN_AFTER).millis();
        self.write(|transaction| async move {
            maintainer::Entity::delete_many()
                .filter(
                    maintainer::Column::Id
                        .eq(id.as_str())
                        .or(maintainer::Column::HeartbeatAt.lt(long_ago)),
                )
                .exec(&*transaction)
                .await?;
            maintainer::Entity::insert(row.clone())
                .exec_without_returning(&*transaction)
                .await?;
            Ok(())
        })
        .await
    }

    /// Says that the process is there.
    ///
    /// # Errors
    /// [`StoreError`] if it could not be said.
    pub async fn heartbeat(&self, id: &MaintainerId) -> Result<(), StoreError> {
        let now = self.now();
        self.write(|transaction| async move {
            maintainer::Entity::update_many()
                .col_expr(maintainer::Column::HeartbeatAt, Expr::value(now.millis()))
                .filter(maintainer::Column::Id.eq(id.as_str()))
                .exec(&*transaction)
                .await?;
            Ok(())
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
        let since = self.now().minus(alive_within).millis();
        let alive = maintainer::Entity::find()
            .filter(maintainer::Column::HeartbeatAt.gte(since))
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
        let since = self.now().minus(alive_within).millis();
        let rows: Vec<(String, String)> = maintainer::Entity::find()
            .select_only()
            .columns([maintainer::Column::Id, maintainer::Column::Hpcs])
            .filter(maintainer::Column::HeartbeatAt.gte(since))
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
