//! Rows of the legacy server, with the names that its columns have. Only read.

/// Table `jobs`.
pub(crate) mod job {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "jobs", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub user_id: Option<String>,
        pub name: Option<String>,
        pub maintainer: String,
        pub hpc: String,
        pub local_executable_folder: Option<String>,
        pub local_data_folder: Option<String>,
        pub param: Option<String>,
        pub env: Option<String>,
        pub slurm: Option<String>,
        pub slurm_id: Option<String>,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
        pub initialized_at: Option<i64>,
        pub finished_at: Option<i64>,
        pub queued_at: Option<i64>,
        pub is_failed: bool,
        pub nodes: Option<i64>,
        pub cpus: Option<i64>,
        pub cpu_time: Option<i64>,
        pub memory: Option<i64>,
        pub memory_usage: Option<i64>,
        pub walltime: Option<i64>,
        pub remote_executable_folder_id: Option<String>,
        pub remote_data_folder_id: Option<String>,
        pub remote_result_folder_id: Option<String>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `events`.
pub(crate) mod event {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "events", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub job_id: String,
        #[sea_orm(column_name = "type")]
        pub kind: String,
        pub message: String,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `logs`.
pub(crate) mod log {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "logs", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key)]
        pub id: i64,
        pub job_id: String,
        pub message: String,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `folders`.
pub(crate) mod folder {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "folders", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub name: Option<String>,
        pub hpc: String,
        pub hpc_path: String,
        pub globus_path: String,
        pub user_id: Option<String>,
        pub is_writable: bool,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `gits`.
pub(crate) mod template {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "gits", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub id: String,
        pub address: String,
        pub sha: Option<String>,
        pub is_approved: bool,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}

/// Table `globus_transfer_refresh_token`; holds tokens as they are: never printed.
pub(crate) mod refresh_token {
    use sea_orm::entity::prelude::*;

    #[sea_orm::model]
    #[derive(Clone, Debug, PartialEq, Eq, DeriveEntityModel)]
    #[sea_orm(table_name = "globus_transfer_refresh_token", rename_all = "camelCase")]
    pub struct Model {
        #[sea_orm(primary_key, auto_increment = false)]
        pub identity: String,
        pub transfer_refresh_token: String,
        pub created_at: i64,
        pub updated_at: Option<i64>,
        pub deleted_at: Option<i64>,
    }

    impl ActiveModelBehavior for ActiveModel {}
}
