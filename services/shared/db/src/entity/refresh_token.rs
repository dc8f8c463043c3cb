//! Table `globus_transfer_refresh_token`: sealed refresh tokens, by Globus identity.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "globus_transfer_refresh_token")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub identity: String,
    #[sea_orm(column_type = "Text")]
    pub transfer_refresh_token: String,
    pub created_at: i64,
    pub updated_at: Option<i64>,
    pub deleted_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
