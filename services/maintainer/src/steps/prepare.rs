//! `prepare`: allocate the folders' ids and paths. They are saved before
//! anything is made on the HPC, so that a second try uses the same ones.

use compute_db::Progress;
use compute_domain::{
    Timestamp,
    ids::FolderId,
    job::{Folder, Job},
    site::Hpc,
};

use super::data_source;
use crate::launcher::path_of;

/// The folders that `job` still lacks.
pub fn prepare(job: &Job, hpc: &Hpc, now: Timestamp) -> Progress {
    let mut progress = Progress::default();
    // What another job has run in is not run in again: it is copied.
    match job.remote_executable_folder_id {
        None => progress.executable_folder = Some(new_folder(job, hpc, now)),
        Some(_) if job.executable_copy_id.is_none() => {
            progress.executable_copy = Some(new_folder(job, hpc, now));
        }
        Some(_) => {}
    }
    if job.remote_result_folder_id.is_none() {
        progress.result_folder = Some(new_folder(job, hpc, now));
    }
    let brings_data = matches!(data_source(job), Ok(Some(_)));
    if job.remote_data_folder_id.is_none() && brings_data {
        progress.data_folder = Some(new_folder(job, hpc, now));
    }
    progress
}

fn new_folder(job: &Job, hpc: &Hpc, now: Timestamp) -> Folder {
    let id = FolderId::generate(now);
    Folder {
        name: None,
        hpc: hpc.name.clone(),
        hpc_path: path_of(hpc, &id),
        globus_path: format!("{}/{id}", hpc.globus.root_path.trim_end_matches('/')),
        user_id: job.user_id.clone(),
        is_writable: false,
        created_at: now,
        updated_at: None,
        deleted_at: None,
        id,
    }
}
