//! `write script`: what is rendered for the job. Script and variables go into the
//! private place; what the program may read goes into its executable folder.

use compute_db::Progress;
use compute_domain::job::{Job, JobFile};
use futures::future::try_join_all;

use super::{StepError, StepInput, StepOutcome};
use crate::{
    definition::Definition,
    hpc_handle::HpcHandle,
    launcher::Folders,
    script::{
        Directives, ENV_FILE, Plan, PrivateFiles, render_environment, render_job_json,
        render_kernel_init, render_sbatch,
    },
};

pub(super) async fn run(hpc: &HpcHandle, input: &StepInput<'_>) -> Result<StepOutcome, StepError> {
    let (job, definition) = (input.job, input.definition);
    let folders = Folders::of(job, &hpc.config);
    let at = &definition.program_folders;
    let mut plan = plan(hpc, job, definition, &folders);
    if input.data_is_writable {
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
        hpc.connector
            .write_job_file(&job.id, file, content.into_bytes())
    }))
    .await?;
    try_join_all(files.into_iter().map(|(name, content)| {
        let path = format!("{}/{name}", folders.executable);
        async move { hpc.connector.write_file(&path, content.into_bytes()).await }
    }))
    .await?;
    Ok(Progress::default())
}

fn plan(hpc: &HpcHandle, job: &Job, definition: &Definition, folders: &Folders) -> Plan {
    Plan {
        directives: Directives {
            job_name: job.id.to_string(),
            comment: hpc.mark(job).to_string(),
            options: definition.options.clone(),
            init_options: hpc.config.init_sbatch_options.clone(),
        },
        files: PrivateFiles::of(job, &hpc.config),
        init_script: hpc.config.init_sbatch_script.clone(),
        launcher: definition.launcher.clone(),
        stages: definition.stages.clone(),
        executable_folder: folders.executable.clone(),
        program_folders: definition.program_folders.clone(),
    }
}
