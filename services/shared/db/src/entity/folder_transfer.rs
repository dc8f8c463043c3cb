//! Table `folder_transfers`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "folder_transfers")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub folder_id: String,
    pub submission_id: String,
    #[sea_orm(column_type = "Text")]
    pub transfer: String,
    pub task_id: Option<String>,
    pub created_at: i64,
    /// The `submission_id` that is known to be over; that of an earlier transfer says nothing.
    pub over_submission_id: Option<String>,
}

impl ActiveModelBehavior for ActiveModel {}
