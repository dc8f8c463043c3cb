//! Jobs.

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, MaintainerId, UserId},
    job::{Intent, Job, Usage},
};

use super::read_json;
use crate::{StoreError, entity::job};

impl TryFrom<job::Model> for Job {
    type Error = StoreError;

    fn try_from(row: job::Model) -> Result<Self, StoreError> {
        let job::Model {
            id,
            user_id,
            name,
            maintainer,
            hpc,
            account,
            local_executable_folder,
            local_data_folder,
            param,
            env,
            slurm,
            slurm_id,
            state,
            step,
            lease_holder,
            lease_until,
            lease_epoch,
            fence,
            revision,
            intent,
            intent_by,
            cause,
            blocked_reason,
            next_probe_at,
            attempts,
            template_id,
            template_sha,
            template_address,
            manifest,
            is_mpi_approved,
            result_listing,
            remote_executable_folder_id,
            executable_copy_id,
            remote_data_folder_id,
            remote_result_folder_id,
            nodes,
            cpus,
            cpu_time,
            memory,
            memory_usage,
            walltime,
            is_failed,
            secret_token,
            data_transfer,
            created_at,
            updated_at,
            deleted_at,
            submitted_at,
            queued_at,
            initialized_at,
            started_at,
            finished_at,
        } = row;
        let optional = |column, text: Option<String>| {
            text.map(|text| read_json("jobs", &id, column, &text))
                .transpose()
        };
        Ok(Self {
            user_id: UserId::from_text(user_id),
            name,
            maintainer,
            hpc,
            account,
            local_executable_folder: optional("local_executable_folder", local_executable_folder)?,
            local_data_folder: optional("local_data_folder", local_data_folder)?,
            param: read_json("jobs", &id, "param", &param)?,
            env: read_json("jobs", &id, "env", &env)?,
            slurm: read_json("jobs", &id, "slurm", &slurm)?,
            slurm_id,
            state: state
                .parse()
                .map_err(|error| unknown(&id, "state", error))?,
            step: step.parse().map_err(|error| unknown(&id, "step", error))?,
            lease_holder: lease_holder.map(MaintainerId::from_text),
            lease_until: lease_until.map(Timestamp::from_millis),
            lease_epoch,
            fence,
            revision,
            intent: intent.map(|name| read_intent(&id, &name)).transpose()?,
            intent_by: intent_by.map(UserId::from_text),
            cause,
            blocked_reason,
            next_probe_at: next_probe_at.map(Timestamp::from_millis),
            attempts,
            template_id,
            template_sha,
            template_address,
            manifest: optional("manifest", manifest)?,
            is_mpi_approved,
            result_listing: result_listing
                .map(|text| read_json("jobs", &id, "result_listing", &text))
                .transpose()?,
            remote_executable_folder_id: remote_executable_folder_id.map(FolderId::from_text),
            executable_copy_id: executable_copy_id.map(FolderId::from_text),
            remote_data_folder_id: remote_data_folder_id.map(FolderId::from_text),
            remote_result_folder_id: remote_result_folder_id.map(FolderId::from_text),
            usage: Usage {
                nodes,
                cpus,
                cpu_time,
                memory,
                memory_usage,
                walltime,
            },
            is_failed,
            secret_token,
            data_transfer: data_transfer
                .map(|text| read_json("jobs", &id, "data_transfer", &text))
                .transpose()?,
            created_at: Timestamp::from_millis(created_at),
            updated_at: updated_at.map(Timestamp::from_millis),
            deleted_at: deleted_at.map(Timestamp::from_millis),
            submitted_at: submitted_at.map(Timestamp::from_millis),
            queued_at: queued_at.map(Timestamp::from_millis),
            initialized_at: initialized_at.map(Timestamp::from_millis),
            started_at: started_at.map(Timestamp::from_millis),
            finished_at: finished_at.map(Timestamp::from_millis),
            id: JobId::from_text(id),
        })
    }
}

/// The intent of that name in the job `id`.
pub(crate) fn read_intent(id: &str, name: &str) -> Result<Intent, StoreError> {
    Intent::from_name(name).ok_or_else(|| unknown(id, "intent", format!("unknown name {name:?}")))
}

fn unknown(id: &str, column: &'static str, reason: impl ToString) -> StoreError {
    StoreError::Corrupt {
        table: "jobs",
        id: id.to_owned(),
        column,
        reason: reason.to_string(),
    }
}
