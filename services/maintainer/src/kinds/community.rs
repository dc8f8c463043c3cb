//! Git templates: the main kind.

use compute_config::Site;
use compute_domain::{
    job::{Cause, Job},
    manifest::{Manifest, Software},
    site::Hpc,
    slurm::filled_param,
};

use super::{Kind, options_of};
use crate::{
    definition::{Definition, Executable},
    launcher::{self, Folders},
    script::{ProgramFolders, Stages},
};

/// Runs the stages of a template at the commit that was pinned at submit.
#[derive(Debug)]
pub(super) struct CommunityContribution;

impl Kind for CommunityContribution {
    fn on_define(&self, job: &Job, hpc: &Hpc, site: &Site) -> Result<Definition, Cause> {
        let manifest = manifest_of(job)?;
        let folders = Folders::of(job, hpc);
        let software = manifest
            .software(hpc, &site.containers, &site.kernels)
            .map_err(|error| Cause::new(error.to_string()))?;
        let bare = software == Software::Bare;
        let mut kernel_init = None;
        let launcher = match software {
            Software::Bare => launcher::bare(),
            Software::Kernel(kernel) => {
                kernel_init = Some(kernel.init.clone());
                launcher::sing_cvmfs(&folders)
            }
            Software::Image { container, path } => {
                launcher::in_container(container, path, hpc, &folders, job.is_mpi_approved)
            }
        };
        Ok(Definition {
            executable: executable_of(job)?,
            launcher,
            program_folders: if bare {
                folders.on_hpc()
            } else {
                ProgramFolders::in_container()
            },
            param: filled_param(&manifest.param_rules, &job.param),
            options: options_of(job, hpc)?,
            kernel_init,
            listed_first: manifest.default_result_folder_downloadable_path.clone(),
            stages: Stages {
                pre: manifest.pre_processing,
                main: manifest.execution,
                post: manifest.post_processing,
                continue_on_error: manifest.continue_on_error,
            },
        })
    }
}

fn manifest_of(job: &Job) -> Result<Manifest, Cause> {
    let raw = job
        .manifest
        .as_ref()
        .ok_or_else(|| Cause::new("the job names no template"))?;
    Manifest::parse(raw, "", job.template_sha.as_deref())
        .map_err(|error| Cause::new(format!("the template's manifest is broken: {error}")))
}

fn executable_of(job: &Job) -> Result<Executable, Cause> {
    match (&job.template_id, &job.template_sha) {
        (Some(id), Some(sha)) => Ok(Executable::Template {
            id: id.clone(),
            sha: sha.clone(),
            address: job.template_address.clone(),
        }),
        _ => Err(Cause::new("the job names no template")),
    }
}
