//! `prepare`: allocates the ids and paths of the job's folders. They are written before
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
    // A folder in which another job has run is copied, not used again.
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

/// `job` as it is once `progress` of [`prepare`] is written.
pub fn with_folders(job: &Job, progress: &Progress) -> Job {
    let id = |folder: &Option<Folder>, now: &Option<FolderId>| {
        let new = folder.as_ref().map(|folder| folder.id.clone());
        new.or_else(|| now.clone())
    };
    let (executable, copy) = (&progress.executable_folder, &progress.executable_copy);
    let (data, result) = (&progress.data_folder, &progress.result_folder);
    Job {
        remote_executable_folder_id: id(executable, &job.remote_executable_folder_id),
        executable_copy_id: id(copy, &job.executable_copy_id),
        remote_data_folder_id: id(data, &job.remote_data_folder_id),
        remote_result_folder_id: id(result, &job.remote_result_folder_id),
        ..job.clone()
    }
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
