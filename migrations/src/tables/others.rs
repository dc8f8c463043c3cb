//! Everything around jobs.

use sea_orm_migration::{prelude::*, sea_orm::DbBackend};

use crate::columns::{
    counter, flag, life, long, long_or_null, number_or_null, short, short_or_null, table, time,
};

pub(crate) fn folders(backend: DbBackend) -> TableCreateStatement {
    let mut folders = table(backend, "folders");
    folders
        .col(short("id").primary_key())
        .col(short_or_null("name"))
        .col(short("hpc"))
        .col(long(backend, "hpc_path"))
        .col(long(backend, "globus_path"))
        .col(short("user_id"))
        .col(flag("is_writable"));
    life(&mut folders);
    folders
}

/// The templates; the legacy server's name is kept.
pub(crate) fn gits(backend: DbBackend) -> TableCreateStatement {
    let mut gits = table(backend, "gits");
    gits.col(short("id").primary_key())
        .col(long(backend, "address"))
        .col(short_or_null("sha"))
        .col(flag("is_approved"));
    life(&mut gits);
    gits
}

pub(crate) fn globus_tokens(backend: DbBackend) -> TableCreateStatement {
    let mut tokens = table(backend, "globus_transfer_refresh_token");
    tokens
        .col(short("identity").primary_key())
        .col(long(backend, "transfer_refresh_token"));
    life(&mut tokens);
    tokens
}

/// The latest Globus transfer out of each folder.
pub(crate) fn folder_transfers(backend: DbBackend) -> TableCreateStatement {
    let mut transfers = table(backend, "folder_transfers");
    transfers
        .col(short("folder_id").primary_key())
        .col(short("submission_id"))
        .col(long(backend, "transfer"))
        .col(short_or_null("task_id"))
        .col(time("created_at"));
    transfers
}

/// Maintainer processes that are there.
pub(crate) fn maintainers(backend: DbBackend) -> TableCreateStatement {
    let mut maintainers = table(backend, "maintainers");
    maintainers
        .col(short("id").primary_key())
        .col(long(backend, "address"))
        .col(long(backend, "hpcs"))
        .col(time("created_at"))
        .col(time("heartbeat_at"));
    maintainers
}

/// One row for each HPC, locked while a place there is given away.
pub(crate) fn hpc_slots(backend: DbBackend) -> TableCreateStatement {
    let mut slots = table(backend, "hpc_slots");
    slots.col(short("hpc").primary_key()).col(counter("seq"));
    slots
}

/// One row for each user, locked while what they have is counted.
pub(crate) fn user_slots(backend: DbBackend) -> TableCreateStatement {
    let mut slots = table(backend, "user_slots");
    slots
        .col(short("user_id").primary_key())
        .col(counter("seq"));
    slots
}

/// Requests with an `Idempotency-Key`, and how they were answered.
pub(crate) fn idempotency_keys(backend: DbBackend) -> TableCreateStatement {
    let mut keys = table(backend, "idempotency_keys");
    keys.col(short("user_id"))
        .col(short("key_hash"))
        .col(short("fingerprint"))
        .col(short("job_id"))
        .col(flag("is_done"))
        .col(number_or_null("status"))
        .col(long_or_null(backend, "answer"))
        .col(time("created_at"))
        .col(time("claimed_at"))
        .primary_key(Index::create().col("user_id").col("key_hash"));
    keys
}
