//! Table `jobs`.

use sea_orm::entity::prelude::*;

#[sea_orm::model]
#[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
#[sea_orm(table_name = "jobs")]
pub struct Model {
    #[sea_orm(primary_key, auto_increment = false)]
    pub id: String,
    pub user_id: String,
    pub name: Option<String>,
    pub maintainer: String,
    pub hpc: String,
    pub account: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub local_executable_folder: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub local_data_folder: Option<String>,
    #[sea_orm(column_type = "Text")]
    pub param: String,
    #[sea_orm(column_type = "Text")]
    pub env: String,
    #[sea_orm(column_type = "Text")]
    pub slurm: String,
    pub slurm_id: Option<String>,
    pub state: String,
    pub step: String,
    #[sea_orm(column_name = "owner")]
    pub lease_holder: Option<String>,
    pub lease_until: Option<i64>,
    pub lease_epoch: Option<i64>,
    pub fence: i64,
    pub revision: i64,
    pub intent: Option<String>,
    pub intent_by: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub cause: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub blocked_reason: Option<String>,
    pub next_probe_at: Option<i64>,
    pub attempts: i32,
    pub template_id: Option<String>,
    pub template_sha: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub template_address: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub manifest: Option<String>,
    pub is_mpi_approved: bool,
    #[sea_orm(column_type = "Text", nullable)]
    pub result_listing: Option<String>,
    pub remote_executable_folder_id: Option<String>,
    pub executable_copy_id: Option<String>,
    pub remote_data_folder_id: Option<String>,
    pub remote_result_folder_id: Option<String>,
    pub nodes: Option<i64>,
    pub cpus: Option<i64>,
    pub cpu_time: Option<i64>,
    pub memory: Option<i64>,
    pub memory_usage: Option<i64>,
    pub walltime: Option<i64>,
    pub is_failed: bool,
    #[sea_orm(column_type = "Text", nullable)]
    pub secret_token: Option<String>,
    #[sea_orm(column_type = "Text", nullable)]
    pub data_transfer: Option<String>,
    pub created_at: i64,
    pub updated_at: Option<i64>,
    pub deleted_at: Option<i64>,
    pub submitted_at: Option<i64>,
    pub queued_at: Option<i64>,
    pub initialized_at: Option<i64>,
    pub started_at: Option<i64>,
    pub finished_at: Option<i64>,
}

impl ActiveModelBehavior for ActiveModel {}
