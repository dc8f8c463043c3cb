//! Table `folders`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "folders")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub name: Option<String>,
    pub hpc: String,
    #[sea_orm(column_type = "Text")]
    pub hpc_path: String,
    #[sea_orm(column_type = "Text")]
    pub globus_path: String,
    pub user_id: String,
    pub is_writable: bool,
    pub created_at: i64,
    pub updated_at: Option<i64>,
    pub deleted_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
