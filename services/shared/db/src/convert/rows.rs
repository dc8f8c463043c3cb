//! Events, logs and templates.

use compute_domain::{Timestamp, ids::JobId};

use crate::{
    entity::{event, log, template},
    store::{EventRow, LogRow, Template},
};

impl From<event::Model> for EventRow {
    fn from(row: event::Model) -> Self {
        let event::Model {
            id,
            job_id,
            kind,
            message,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            job_id: JobId::from_text(job_id),
            kind,
            message,
            created_at: Timestamp::from_millis(created_at),
            updated_at: updated_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
        }
    }
}

impl From<log::Model> for LogRow {
    fn from(row: log::Model) -> Self {
        let log::Model {
            id,
            job_id,
            message,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            job_id: JobId::from_text(job_id),
            message,
            created_at: Timestamp::from_millis(created_at),
            updated_at: updated_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
        }
    }
}

impl From<template::Model> for Template {
    fn from(row: template::Model) -> Self {
        let template::Model {
            id,
            address,
            sha,
            is_approved,
            is_raw_approved,
            is_mpi_approved,
            created_at,
            updated_at,
            deleted_at,
        } = row;
        Self {
            id,
            address,
            sha,
            is_approved,
            is_raw_approved,
            is_mpi_approved,
            created_at: Timestamp::from_millis(created_at),
            updated_at: updated_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
        }
    }
}
