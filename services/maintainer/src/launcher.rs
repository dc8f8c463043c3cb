//! Which launcher a job gets on its HPC, and which folders are bound.

use compute_domain::{
    ids::FolderId,
    job::Job,
    site::{Container, ContainerRuntime, Hpc},
};

use crate::script::{Bind, Launcher, ProgramFolders};

/// The job's folders on the HPC.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Folders {
    /// The template, and what is rendered beside it.
    pub executable: String,
    /// The data, if there is any.
    pub data: Option<String>,
    /// What is kept.
    pub result: String,
}

impl Folders {
    /// The folders of `job`; they have ids once the job is prepared.
    pub fn of(job: &Job, hpc: &Hpc) -> Self {
        let path = |id: Option<&FolderId>| id.map(|id| path_of(hpc, id));
        Self {
            executable: path(job.executable_folder()).unwrap_or_default(),
            data: path(job.remote_data_folder_id.as_ref()),
            result: path(job.remote_result_folder_id.as_ref()).unwrap_or_default(),
        }
    }

    /// The folders as a program outside of any container sees them.
    pub fn on_hpc(&self) -> ProgramFolders {
        ProgramFolders {
            executable: self.executable.clone(),
            data: self.data.clone().unwrap_or_default(),
            result: self.result.clone(),
        }
    }

    fn binds(&self) -> Vec<Bind> {
        let inside = ProgramFolders::in_container();
        let mut binds = vec![
            Bind {
                from: self.executable.clone(),
                to: inside.executable,
                is_read_only: false,
            },
            Bind {
                from: self.result.clone(),
                to: inside.result,
                is_read_only: false,
            },
        ];
        // Unless the folder is writable: `Launcher::writing_to`.
        binds.extend(self.data.clone().map(|from| Bind {
            from,
            to: inside.data,
            is_read_only: true,
        }));
        binds
    }
}

/// Absolute path of a folder of ours on `hpc`.
pub fn path_of(hpc: &Hpc, id: &FolderId) -> String {
    format!("{}/{id}", hpc.root_path.trim_end_matches('/'))
}

/// No container: the stages run as the account itself.
pub fn bare() -> Launcher {
    Launcher::Bare
}

/// `singcvmfs`, with the job's folders bound.
pub fn sing_cvmfs(folders: &Folders) -> Launcher {
    Launcher::SingCvmfs {
        binds: folders.binds(),
    }
}

/// `container` under the runtime of `hpc`, with the job's folders, the HPC's and
/// the container's own mounts bound. `mpi` tells whether a contained program gets the
/// launcher's MPI interface; `image` is the path of the container's image on `hpc`.
pub fn in_container(
    container: &Container,
    image: &str,
    hpc: &Hpc,
    folders: &Folders,
    mpi: bool,
) -> Launcher {
    let image = image.to_owned();
    let mut binds = folders.binds();
    let of_container = container.mount.get(&hpc.name).into_iter().flatten();
    binds.extend(hpc.mount.iter().chain(of_container).map(|(from, to)| Bind {
        from: from.clone(),
        to: to.clone(),
        is_read_only: false,
    }));
    match hpc.container_runtime {
        ContainerRuntime::Apptainer => Launcher::Apptainer {
            image,
            binds,
            contained: hpc.containment,
            mpi,
        },
        ContainerRuntime::Charliecloud => Launcher::Charliecloud {
            image,
            binds,
            contained: hpc.containment,
            mpi,
        },
        ContainerRuntime::None => Launcher::Bare,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn folders() -> Folders {
        Folders {
            executable: "/scratch/e".to_owned(),
            data: Some("/scratch/d".to_owned()),
            result: "/scratch/r".to_owned(),
        }
    }

    fn line(launcher: &Launcher) -> String {
        launcher.command_line(
            "true",
            &ProgramFolders::in_container(),
            "/scratch/.cgc/jobs/1/job.env",
        )
    }

    #[test]
    fn data_is_bound_read_only_unless_it_is_writable() {
        let (image, binds) = ("/images/python".to_owned(), folders().binds());
        let apptainer = Launcher::Apptainer {
            image: image.clone(),
            binds: binds.clone(),
            contained: true,
            mpi: false,
        };
        assert!(line(&apptainer).contains("/scratch/d:/job/data:ro"));
        assert!(!line(&apptainer).contains("/scratch/r:/job/result:ro"));
        let writable = apptainer.writing_to("/job/data");
        assert!(!line(&writable).contains("/job/data:ro"), "{writable:?}");

        let charliecloud = Launcher::Charliecloud {
            image,
            binds,
            contained: true,
            mpi: false,
        };
        let given = |launcher: &Launcher| {
            let setup = launcher.setup().concat();
            let at = setup.rfind("contained ").unwrap();
            setup[at..].to_owned()
        };
        let images = "contained none /images/python";
        assert_eq!(
            given(&charliecloud),
            format!("{images} /scratch/d --)"),
            "what is bound cannot say so: it is mounted so before"
        );
        let writable = charliecloud.writing_to("/job/data");
        assert_eq!(given(&writable), format!("{images} --)"));
    }
}
