//! `write script`: what is rendered for the job. Script and variables go into the
//! private place; what the program may read goes into its executable folder.

use compute_db::Progress;
use compute_domain::job::{Job, JobFile};
use futures::future::try_join_all;

use super::{StepError, StepOutcome};
use crate::{
    hpc_port::HpcPort,
    kinds::Definition,
    launcher::Folders,
    script::{
        Directives, ENV_FILE, Plan, PrivateFiles, render_environment, render_job_json,
        render_kernel_init, render_sbatch,
    },
};

pub(super) async fn run(
    port: &HpcPort,
    job: &Job,
    definition: &Definition,
) -> Result<StepOutcome, StepError> {
    let folders = Folders::of(job, &port.hpc);
    let at = &definition.program_folders;
    let mut plan = plan(port, job, definition, &folders);
    if data_is_writable(port, job).await? {
        plan.launcher = plan.launcher.writing_to(&definition.program_folders.data);
    }
    let script = render_sbatch(&plan);
    let environment = render_environment(job, &definition.param, at);
    let private = [
        (JobFile::Script, script),
        (JobFile::Environment, environment.clone()),
    ];
    let mut files = vec![
        ("job.json", render_job_json(job, &definition.param, at)),
        (ENV_FILE, environment),
    ];
    if let Some(lines) = &definition.kernel_init {
        files.push(("kernel_init.sh", render_kernel_init(lines)));
    }
    try_join_all(private.into_iter().map(|(file, content)| {
        port.connector
            .write_job_file(&job.id, file, content.into_bytes())
    }))
    .await?;
    try_join_all(files.into_iter().map(|(name, content)| {
        let path = format!("{}/{name}", folders.executable);
        async move { port.connector.write_file(&path, content.into_bytes()).await }
    }))
    .await?;
    Ok(Progress::default())
}

/// Whether the owner of the data lets programs write to it.
async fn data_is_writable(port: &HpcPort, job: &Job) -> Result<bool, StepError> {
    let Some(id) = &job.remote_data_folder_id else {
        return Ok(false);
    };
    let folders = port.store.folders(std::slice::from_ref(id)).await?;
    Ok(folders.get(id).is_some_and(|folder| folder.is_writable))
}

fn plan(port: &HpcPort, job: &Job, definition: &Definition, folders: &Folders) -> Plan {
    Plan {
        directives: Directives {
            job_name: job.id.to_string(),
            comment: port.mark(job).to_string(),
            options: definition.options.clone(),
            init_options: port.hpc.init_sbatch_options.clone(),
        },
        files: PrivateFiles::of(job, &port.hpc),
        init_script: port.hpc.init_sbatch_script.clone(),
        launcher: definition.launcher.clone(),
        stages: definition.stages.clone(),
        executable_folder: folders.executable.clone(),
        program_folders: definition.program_folders.clone(),
    }
}
