//! Jobs, and what is said about them.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{
    counter, flag, life, long, long_or_null, number_or_null, short, short_or_null, table,
};

pub(crate) fn jobs(backend: DbBackend) -> TableCreateStatement {
    let mut jobs = table(backend, "jobs");
    jobs.col(short("id").primary_key())
        .col(short("user_id"))
        .col(short_or_null("name"))
        .col(short("maintainer"))
        .col(short("hpc"))
        .col(long_or_null(backend, "local_executable_folder"))
        .col(long_or_null(backend, "local_data_folder"))
        .col(long(backend, "param"))
        .col(long(backend, "env"))
        .col(long(backend, "slurm"))
        .col(short_or_null("slurm_id"))
        .col(short("state"))
        .col(short("step"))
        .col(short_or_null("owner"))
        .col(number_or_null("lease_until"))
        .col(counter("fence"))
        .col(short_or_null("intent"))
        .col(short_or_null("intent_by"))
        .col(long_or_null(backend, "cause"))
        .col(long_or_null(backend, "blocked_reason"))
        .col(number_or_null("next_probe_at"))
        .col(ColumnDef::new("attempts").integer().not_null().default(0))
        .col(short_or_null("template_id"))
        .col(short_or_null("template_sha"))
        .col(long_or_null(backend, "manifest"))
        .col(long_or_null(backend, "result_listing"))
        .col(short_or_null("remote_executable_folder_id"))
        .col(short_or_null("remote_data_folder_id"))
        .col(short_or_null("remote_result_folder_id"))
        .col(number_or_null("nodes"))
        .col(number_or_null("cpus"))
        .col(number_or_null("cpu_time"))
        .col(number_or_null("memory"))
        .col(number_or_null("memory_usage"))
        .col(number_or_null("walltime"))
        .col(flag("is_failed"));
    life(&mut jobs);
    jobs.col(number_or_null("submitted_at"))
        .col(number_or_null("queued_at"))
        .col(number_or_null("initialized_at"))
        .col(number_or_null("started_at"))
        .col(number_or_null("finished_at"));
    for (name, column) in [
        ("fk_jobs_executable_folder", "remote_executable_folder_id"),
        ("fk_jobs_data_folder", "remote_data_folder_id"),
        ("fk_jobs_result_folder", "remote_result_folder_id"),
    ] {
        let mut key = ForeignKey::create();
        jobs.foreign_key(key.name(name).from("jobs", column).to("folders", "id"));
    }
    jobs
}

pub(crate) fn events(backend: DbBackend) -> TableCreateStatement {
    let mut events = said_about_jobs(backend, "events", "fk_events_job");
    events.col(short("type"));
    events
}

pub(crate) fn logs(backend: DbBackend) -> TableCreateStatement {
    said_about_jobs(backend, "logs", "fk_logs_job")
}

fn said_about_jobs(
    backend: DbBackend,
    name: &'static str,
    key_name: &'static str,
) -> TableCreateStatement {
    let mut said = table(backend, name);
    let mut key = ForeignKey::create();
    said.col(
        ColumnDef::new("id")
            .big_integer()
            .not_null()
            .auto_increment()
            .primary_key(),
    )
    .col(short("job_id"))
    .col(long(backend, "message"))
    .foreign_key(key.name(key_name).from(name, "job_id").to("jobs", "id"));
    life(&mut said);
    said
}
