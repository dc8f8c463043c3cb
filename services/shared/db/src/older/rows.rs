//! Folders, templates, tokens, events and logs of the older server as ours.

use sea_orm::{NotSet, Set};
use secrecy::SecretString;

use super::{
    report::Reason,
    tables,
    time::{deleted_at, made_at, read_optional},
};
use crate::{
    convert::storable,
    entity::{event, folder, log, refresh_token, template},
};

/// Seals the refresh token of a Globus identity; `None` if it cannot.
pub type Seal<'a> = dyn Fn(&SecretString, &str) -> Option<String> + Sync + 'a;

pub(super) fn folder_of(older: tables::folder::Model) -> Result<folder::Model, Reason> {
    let user_id = older.user_id.filter(|user| !user.is_empty());
    let user_id = user_id.ok_or(Reason::Ownerless)?;
    let created_at = made_at(older.created_at, &older.id);
    let updated_at = read_optional(older.updated_at);
    Ok(folder::Model {
        id: older.id,
        name: storable_of(older.name),
        hpc: older.hpc,
        hpc_path: older.hpc_path,
        globus_path: older.globus_path,
        user_id,
        is_writable: older.is_writable,
        created_at,
        updated_at,
        deleted_at: deleted_at(older.deleted_at, updated_at, created_at),
    })
}

pub(super) fn template_of(older: tables::template::Model) -> template::Model {
    let created_at = made_at(older.created_at, &older.id);
    let updated_at = read_optional(older.updated_at);
    template::Model {
        id: older.id,
        address: older.address,
        sha: older.sha.filter(|sha| !sha.is_empty()),
        is_approved: older.is_approved,
        // The older server asked for no approval of raw stages, nor of MPI.
        is_raw_approved: false,
        is_mpi_approved: false,
        created_at,
        updated_at,
        deleted_at: deleted_at(older.deleted_at, updated_at, created_at),
    }
}

pub(super) fn token_of(
    older: tables::refresh_token::Model,
    seal: &Seal<'_>,
) -> Result<refresh_token::Model, Reason> {
    let created_at = made_at(older.created_at, "");
    let updated_at = read_optional(older.updated_at);
    if deleted_at(older.deleted_at, updated_at, created_at).is_some() {
        return Err(Reason::Deleted);
    }
    let token = SecretString::from(older.transfer_refresh_token);
    let sealed = seal(&token, &older.identity);
    Ok(refresh_token::Model {
        identity: older.identity,
        transfer_refresh_token: sealed.ok_or(Reason::NotSealed)?,
        created_at,
        updated_at,
        deleted_at: None,
    })
}

/// The row of an event; its id is given anew, in the order in which rows are written.
pub(super) fn event_of(older: tables::event::Model) -> event::ActiveModel {
    let created_at = made_at(older.created_at, &older.job_id);
    let updated_at = read_optional(older.updated_at);
    event::ActiveModel {
        id: NotSet,
        job_id: Set(older.job_id),
        kind: Set(storable(&older.kind)),
        message: Set(storable(&older.message)),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        deleted_at: Set(deleted_at(older.deleted_at, updated_at, created_at)),
    }
}

/// The row of a log; its id as that of an event.
pub(super) fn log_of(older: tables::log::Model) -> log::ActiveModel {
    let created_at = made_at(older.created_at, &older.job_id);
    let updated_at = read_optional(older.updated_at);
    log::ActiveModel {
        id: NotSet,
        job_id: Set(older.job_id),
        message: Set(storable(&older.message)),
        created_at: Set(created_at),
        updated_at: Set(updated_at),
        deleted_at: Set(deleted_at(older.deleted_at, updated_at, created_at)),
    }
}

pub(super) fn storable_of(text: Option<String>) -> Option<String> {
    text.as_deref().map(storable)
}
