//! Folders, templates, tokens, events and logs of the legacy server as ours.

use compute_db::import::{event, folder, log, refresh_token, storable, template};
use sea_orm::{NotSet, Set};
use secrecy::SecretString;

use crate::{
    report::Reason,
    tables,
    time::{deleted_at, made_at, read_optional},
};

/// Seals the refresh token of a Globus identity; `None` if it cannot.
pub type Seal<'a> = dyn Fn(&SecretString, &str) -> Option<String> + Sync + 'a;

pub(crate) fn folder_of(legacy: tables::folder::Model) -> Result<folder::Model, Reason> {
    let user_id = legacy.user_id.filter(|user| !user.is_empty());
    let user_id = user_id.ok_or(Reason::Ownerless)?;
    let created_at = made_at(legacy.created_at, &legacy.id);
    let updated_at = read_optional(legacy.updated_at);
    Ok(folder::Model {
        id: legacy.id,
        name: storable_of(legacy.name),
        hpc: legacy.hpc,
        hpc_path: legacy.hpc_path,
        globus_path: legacy.globus_path,
        user_id,
        is_writable: legacy.is_writable,
        created_at,
        updated_at,
        deleted_at: deleted_at(legacy.deleted_at, updated_at, created_at),
    })
}

pub(crate) fn template_of(legacy: tables::template::Model) -> template::Model {
    let created_at = made_at(legacy.created_at, &legacy.id);
    let updated_at = read_optional(legacy.updated_at);
    template::Model {
        id: legacy.id,
        address: legacy.address,
        sha: legacy.sha.filter(|sha| !sha.is_empty()),
        is_approved: legacy.is_approved,
        // The legacy server asked for no approval of raw stages, nor of MPI.
        is_raw_approved: false,
        is_mpi_approved: false,
        created_at,
        updated_at,
        deleted_at: deleted_at(legacy.deleted_at, updated_at, created_at),
    }
}

pub(crate) fn token_of(
    legacy: tables::refresh_token::Model,
    seal: &Seal<'_>,
) -> Result<refresh_token::Model, Reason> {
    let created_at = made_at(legacy.created_at, "");
    let updated_at = read_optional(legacy.updated_at);
    if deleted_at(legacy.deleted_at, updated_at, created_at).is_some() {
        return Err(Reason::Deleted);
    }
    let token = SecretString::from(legacy.transfer_refresh_token);
    let sealed = seal(&token, &legacy.identity);
    Ok(refresh_token::Model {
        identity: legacy.identity,
        transfer_refresh_token: sealed.ok_or(Reason::NotSealed)?,
        created_at,
        updated_at,
        deleted_at: None,
    })
}

/// The row of an event; its id is given anew, in the order in which rows are written.
pub(crate) fn event_of(legacy: tables::event::Model) -> event::ActiveModel {
    let created_at = made_at(legacy.created_at, &legacy.job_id);
    let updated_at = read_optional(legacy.updated_at);
    event::ActiveModel {
        id: NotSet,
        job_id: Set(legacy.job_id),
        kind: Set(storable(&legacy.kind)),
        message: Set(storable(&legacy.message)),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        deleted_at: Set(deleted_at(legacy.deleted_at, updated_at, created_at)),
    }
}

/// The row of a log; its id as that of an event.
pub(crate) fn log_of(legacy: tables::log::Model) -> log::ActiveModel {
    let created_at = made_at(legacy.created_at, &legacy.job_id);
    let updated_at = read_optional(legacy.updated_at);
    log::ActiveModel {
        id: NotSet,
        job_id: Set(legacy.job_id),
        message: Set(storable(&legacy.message)),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        deleted_at: Set(deleted_at(legacy.deleted_at, updated_at, created_at)),
    }
}

pub(crate) fn storable_of(text: Option<String>) -> Option<String> {
    text.as_deref().map(storable)
}
