//! The recorded hello-world job and its HPC, for unit tests.

pub(crate) use compute_testing::community_hpc as hpc;

use compute_domain::{
    Timestamp,
    ids::{FolderId, JobId, UserId},
    job::{Job, State, Step, Usage},
};
use serde_json::{Map, json};

/// The job of the recording, at the step `prepare`, with its folders.
pub(crate) fn job() -> Job {
    Job {
        id: JobId::from_text("1795457659HIT7v"),
        user_id: UserId::from_text("alice@127.0.0.1:8000"),
        name: None,
        maintainer: "community_contribution".to_owned(),
        hpc: "local_hpc".to_owned(),
        account: None,
        local_executable_folder: Some(json!({"type": "git", "gitId": "hello_world"})),
        local_data_folder: None,
        param: serde_json::from_value(json!({"input_a": 50, "input_b": "foo"})).unwrap(),
        env: Map::new(),
        slurm: serde_json::from_value(json!({"num_of_task": 2, "time": "00:10:00"})).unwrap(),
        slurm_id: None,
        state: State::Preparing,
        step: Step::Prepare,
        lease_holder: None,
        lease_until: None,
        lease_epoch: Some(1),
        fence: 1,
        revision: 0,
        intent: None,
        intent_by: None,
        cause: None,
        blocked_reason: None,
        next_probe_at: None,
        attempts: 0,
        template_id: Some("hello_world".to_owned()),
        template_sha: Some("0123456789abcdef0123456789abcdef01234567".to_owned()),
        template_address: None,
        manifest: None,
        is_mpi_approved: false,
        result_listing: None,
        remote_executable_folder_id: Some(FolderId::from_text("1795457662sRX9w")),
        executable_copy_id: None,
        remote_data_folder_id: None,
        remote_result_folder_id: Some(FolderId::from_text("1795457664M8dLB")),
        usage: Usage::default(),
        is_failed: false,
        secret_token: None,
        data_transfer: None,
        created_at: Timestamp::from_millis(1_795_457_659_167),
        updated_at: None,
        deleted_at: None,
        submitted_at: None,
        queued_at: None,
        initialized_at: None,
        started_at: None,
        finished_at: None,
    }
}
