//! The list of migrations.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::{
    columns::{counter, flag, long_or_null, number_or_null, short_or_null},
    tables,
};

/// All migrations. Only ever added to at the end.
pub(crate) struct Migrations;

impl MigratorTrait for Migrations {
    fn migrations() -> Vec<Box<dyn MigrationTrait>> {
        vec![
            Box::new(NewTable("m000001_create_folders", tables::folders)),
            Box::new(NewTable("m000002_create_gits", tables::gits)),
            Box::new(NewTable(
                "m000003_create_globus_tokens",
                tables::globus_tokens,
            )),
            Box::new(NewTable("m000004_create_jobs", tables::jobs)),
            Box::new(NewTable("m000005_create_events", tables::events)),
            Box::new(NewTable("m000006_create_logs", tables::logs)),
            Box::new(NewTable("m000007_create_maintainers", tables::maintainers)),
            Box::new(NewTable("m000008_create_hpc_slots", tables::hpc_slots)),
            Box::new(NewIndex(
                "m000009_index_jobs_of_user",
                "jobs",
                &["user_id", "created_at"],
            )),
            Box::new(NewIndex(
                "m000010_index_jobs_of_hpc",
                "jobs",
                &["hpc", "state"],
            )),
            Box::new(NewIndex("m000011_index_jobs_of_owner", "jobs", &["owner"])),
            Box::new(NewIndex(
                "m000012_index_folders_of_user",
                "folders",
                &["user_id"],
            )),
            Box::new(NewIndex(
                "m000013_index_events_of_job",
                "events",
                &["job_id"],
            )),
            Box::new(NewIndex("m000014_index_logs_of_job", "logs", &["job_id"])),
            Box::new(NewColumn(
                "m000015_jobs_have_a_secret_token",
                "jobs",
                |backend| long_or_null(backend, "secret_token"),
            )),
            Box::new(NewColumn(
                "m000016_jobs_have_a_data_transfer",
                "jobs",
                |backend| long_or_null(backend, "data_transfer"),
            )),
            Box::new(NewTable(
                "m000017_create_folder_transfers",
                tables::folder_transfers,
            )),
            Box::new(NewColumn("m000018_jobs_have_an_account", "jobs", |_| {
                short_or_null("account")
            })),
            Box::new(NewColumn(
                "m000019_gits_have_a_raw_approval",
                "gits",
                |_| flag("is_raw_approved"),
            )),
            Box::new(NewColumn(
                "m000020_jobs_have_an_executable_copy",
                "jobs",
                |_| short_or_null("executable_copy_id"),
            )),
            Box::new(NewColumn(
                "m000021_gits_have_an_mpi_approval",
                "gits",
                |_| flag("is_mpi_approved"),
            )),
            Box::new(NewColumn(
                "m000022_jobs_have_an_mpi_approval",
                "jobs",
                |_| flag("is_mpi_approved"),
            )),
            Box::new(NewTable("m000023_create_user_slots", tables::user_slots)),
            Box::new(NewColumn(
                "m000024_folder_transfers_have_an_end",
                "folder_transfers",
                |_| short_or_null("over_submission_id"),
            )),
            Box::new(NewColumn(
                "m000025_jobs_have_a_template_address",
                "jobs",
                |backend| long_or_null(backend, "template_address"),
            )),
            Box::new(NewColumns(
                "m000026_leases_belong_to_processes",
                &[
                    ("maintainers", |_| counter("epoch")),
                    ("maintainers", |_| number_or_null("lease_until")),
                    ("jobs", |_| number_or_null("lease_epoch")),
                    ("jobs", |_| counter("revision")),
                ],
            )),
            Box::new(NewTable(
                "m000027_create_idempotency_keys",
                tables::idempotency_keys,
            )),
        ]
    }
}

/// Names of all migrations, in their order.
pub fn all_names() -> Vec<String> {
    Migrations::migrations()
        .iter()
        .map(|migration| migration.name().to_owned())
        .collect()
}

/// Makes a table: name, and what it looks like.
struct NewTable(&'static str, fn(DbBackend) -> TableCreateStatement);

impl MigrationName for NewTable {
    fn name(&self) -> &str {
        self.0
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes them this way")]
#[async_trait::async_trait]
impl MigrationTrait for NewTable {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        manager
            .create_table(self.1(manager.get_database_backend()))
            .await
    }
}

/// Adds a column: name, table, and what it looks like.
struct NewColumn(&'static str, &'static str, fn(DbBackend) -> ColumnDef);

impl MigrationName for NewColumn {
    fn name(&self) -> &str {
        self.0
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes them this way")]
#[async_trait::async_trait]
impl MigrationTrait for NewColumn {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        add_column(manager, self.1, self.2).await
    }
}

/// Adds columns that belong together: name, and for each its table and what it looks like.
struct NewColumns(
    &'static str,
    &'static [(&'static str, fn(DbBackend) -> ColumnDef)],
);

impl MigrationName for NewColumns {
    fn name(&self) -> &str {
        self.0
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes them this way")]
#[async_trait::async_trait]
impl MigrationTrait for NewColumns {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        for (table, column) in self.1 {
            add_column(manager, table, *column).await?;
        }
        Ok(())
    }
}

async fn add_column(
    manager: &SchemaManager<'_>,
    table: &'static str,
    column: fn(DbBackend) -> ColumnDef,
) -> Result<(), DbErr> {
    let column = column(manager.get_database_backend());
    let name = column.get_column_name();
    // SQLite and MySQL have no `ADD COLUMN IF NOT EXISTS`.
    if manager.has_column(table, name.as_str()).await? {
        return Ok(());
    }
    let change = Table::alter().table(table).add_column(column).to_owned();
    manager.alter_table(change).await
}

/// Makes an index: name, table, columns.
struct NewIndex(&'static str, &'static str, &'static [&'static str]);

impl NewIndex {
    /// The name without its number, as the database knows it.
    fn index(&self) -> &'static str {
        self.0.split_once('_').map_or(self.0, |(_, index)| index)
    }
}

impl MigrationName for NewIndex {
    fn name(&self) -> &str {
        self.0
    }
}

#[expect(elided_lifetimes_in_paths, reason = "the trait fixes them this way")]
#[async_trait::async_trait]
impl MigrationTrait for NewIndex {
    async fn up(&self, manager: &SchemaManager) -> Result<(), DbErr> {
        // MySQL has no `CREATE INDEX IF NOT EXISTS`.
        if manager.has_index(self.1, self.index()).await? {
            return Ok(());
        }
        let mut index = Index::create();
        index.name(self.index()).table(self.1);
        for column in self.2 {
            index.col(*column);
        }
        manager.create_index(index).await
    }
}
