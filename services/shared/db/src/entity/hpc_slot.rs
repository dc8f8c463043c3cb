//! Table `hpc_slots`: one row for each HPC, locked while a place there is given away.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "hpc_slots")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub hpc: String,
    pub seq: i64,
}

impl ActiveModelBehavior for ActiveModel {}
