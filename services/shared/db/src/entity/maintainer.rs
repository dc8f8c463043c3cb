//! Table `maintainers`: the maintainer processes that are there.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "maintainers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    #[sea_orm(column_type = "Text")]
    pub address: String,
    #[sea_orm(column_type = "Text")]
    pub hpcs: String,
    pub created_at: i64,
    pub heartbeat_at: i64,
    /// 0 for a process of the version before, which leases each job on its own.
    pub epoch: i64,
    pub lease_until: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
