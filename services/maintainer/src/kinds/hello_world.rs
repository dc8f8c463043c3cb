//! A small fixed program, no user code: the example for authors of new kinds,
//! and the canary that shows whether an HPC works.

use compute_config::Site;
use compute_domain::{
    job::{Cause, Job},
    site::{ContainerRuntime, Hpc},
};

use super::{Kind, main_only, options_of};
use crate::{
    definition::{Definition, Executable},
    launcher::{self, Folders},
    script::ProgramFolders,
};

const PROGRAM: &str = "#!/bin/sh\n\
    echo \"hello world from $(hostname), job $job_id of $user_id\"\n\
    echo \"hello world\" > \"$result_folder/hello.txt\"\n";

/// Runs a program that says hello, in the first container that the HPC has.
#[derive(Debug)]
pub(super) struct HelloWorldSingularity;

impl Kind for HelloWorldSingularity {
    fn on_define(&self, job: &Job, hpc: &Hpc, site: &Site) -> Result<Definition, Cause> {
        let folders = Folders::of(job, hpc);
        let container = site
            .containers
            .values()
            .find(|c| c.hpc_path.contains_key(&hpc.name));
        let launcher = match (hpc.container_runtime, container) {
            (ContainerRuntime::None, _) => launcher::bare(),
            (_, Some(container)) => {
                let image = container.image_on(hpc);
                let image = image.map_err(|error| Cause::new(error.to_string()))?;
                launcher::in_container(container, image, hpc, &folders, false)
            }
            (_, None) => {
                return Err(Cause::new(format!(
                    "no container is set up on {}",
                    hpc.name
                )));
            }
        };
        let program_folders = match hpc.container_runtime {
            ContainerRuntime::None => folders.on_hpc(),
            _ => ProgramFolders::in_container(),
        };
        Ok(Definition {
            executable: Executable::Files(vec![("hello.sh", PROGRAM)]),
            stages: main_only("sh hello.sh"),
            launcher,
            program_folders,
            param: job.param.clone(),
            options: options_of(job, hpc)?,
            kernel_init: None,
            listed_first: None,
        })
    }
}
