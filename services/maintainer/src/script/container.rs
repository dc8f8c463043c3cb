//! How one stage is started: the words of the command line for each container
//! runtime.

use compute_domain::shell::quote;

use super::{ENV_FILE, ProgramFolders};

/// A folder of the HPC as the container sees it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Bind {
    /// Absolute path on the HPC.
    pub from: String,
    /// Absolute path in the container.
    pub to: String,
    /// Whether the program is kept from writing to it.
    pub is_read_only: bool,
}

/// What starts a stage.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Launcher {
    /// `apptainer exec`, or `singularity exec` where only that is there.
    Apptainer {
        /// Image on the HPC.
        image: String,
        /// Folders bound.
        binds: Vec<Bind>,
        /// Whether the program is kept from everything else.
        contained: bool,
        /// Whether a contained program gets the launcher's MPI interface all the same.
        mpi: bool,
    },
    /// `ch-run`; the bind points must exist in the image.
    Charliecloud {
        /// Image directory on the HPC.
        image: String,
        /// Folders bound.
        binds: Vec<Bind>,
        /// Whether the program is kept from everything else.
        contained: bool,
        /// Whether a contained program gets the launcher's MPI interface all the same.
        mpi: bool,
    },
    /// `singcvmfs`, whose kernel is set up by `kernel_init.sh`.
    SingCvmfs {
        /// Folders bound.
        binds: Vec<Bind>,
    },
    /// The account's own shell.
    Bare,
}

/// Image of the CVMFS kernels.
const CVMFS_IMAGE: &str = "docker://cybergisx/compute-cvmfs:0.1.0";

/// Shell programs that start a contained stage, under `srun` once for each task:
/// only there are the task's own variables known. They lie in the batch script,
/// since a program can write to all files that it sees.
const CONTAINED_APPTAINER: &str = include_str!("contained_apptainer.sh");
const CONTAINED_CHARLIECLOUD: &str = include_str!("contained_charliecloud.sh");

/// MPI interface of `srun` that a program may use (srun(1), `--mpi`).
const WITH_MPI: &str = "pmi2";
const WITHOUT_MPI: &str = "none";

/// What the setup of a contained launcher has made.
const CONTAINED: &str = "\"${cgc_contained[@]}\"";

impl Launcher {
    /// The same with the folder that the container has at `to` bound for writing.
    #[must_use]
    pub fn writing_to(mut self, to: &str) -> Self {
        if let Self::Apptainer { binds, .. }
        | Self::Charliecloud { binds, .. }
        | Self::SingCvmfs { binds } = &mut self
        {
            for bind in binds.iter_mut().filter(|bind| bind.to == to) {
                bind.is_read_only = false;
            }
        }
        self
    }

    /// The MPI interface under which `srun` starts the main stage. Over `pmi2` a task can
    /// have `srun` start any program, outside of the container: one that is contained
    /// gets it only if its template is approved for it.
    pub fn mpi(&self) -> &'static str {
        match self {
            Self::Apptainer { contained, mpi, .. } | Self::Charliecloud { contained, mpi, .. }
                if *contained && !mpi =>
            {
                WITHOUT_MPI
            }
            Self::Apptainer { .. }
            | Self::Charliecloud { .. }
            | Self::SingCvmfs { .. }
            | Self::Bare => WITH_MPI,
        }
    }

    /// Lines that the batch script needs once, after the modules are loaded.
    pub fn setup(&self) -> Vec<String> {
        let runtime = "cgc_runtime=$(command -v apptainer || command -v singularity)";
        let contained = |program: &str, of: &str| {
            // Only `srun` says where its interface is: to the main stage.
            format!(
                "unset -v PMI_FD\ncgc_contained=(bash -u -c {} contained {} {of})",
                quote(program),
                self.mpi()
            )
        };
        match self {
            Self::Apptainer {
                contained: false, ..
            } => vec![runtime.to_owned()],
            Self::Apptainer { .. } => vec![
                runtime.to_owned(),
                contained(CONTAINED_APPTAINER, "\"$cgc_runtime\""),
            ],
            Self::Charliecloud {
                contained: true,
                image,
                binds,
                ..
            } => {
                let read_only = binds.iter().filter(|bind| bind.is_read_only);
                let of = [image].into_iter().chain(read_only.map(|bind| &bind.from));
                let of: Vec<_> = of.map(|path| quote(path)).collect();
                vec![contained(
                    CONTAINED_CHARLIECLOUD,
                    &format!("{} --", of.join(" ")),
                )]
            }
            Self::Charliecloud { .. } | Self::SingCvmfs { .. } | Self::Bare => Vec::new(),
        }
    }

    /// The command line that runs `stage` in the program's folder, with the variables
    /// of the file `environment` on the HPC. The stage's own `$x` are expanded by the
    /// shell in the container, not before.
    pub fn command_line(&self, stage: &str, at: &ProgramFolders, environment: &str) -> String {
        let kernel = match self {
            Self::SingCvmfs { .. } => "source kernel_init.sh && ",
            Self::Apptainer { .. } | Self::Charliecloud { .. } | Self::Bare => "",
        };
        let folder = quote(&at.executable);
        let variables = match self {
            Self::Bare => quote(environment),
            // A copy, which the program itself may change. Under Apptainer the file
            // lies over it, read-only.
            Self::Apptainer { .. } | Self::Charliecloud { .. } | Self::SingCvmfs { .. } => {
                format!("./{ENV_FILE}")
            }
        };
        let inner = quote(&format!("cd {folder} && . {variables} && {kernel}{stage}"));
        match self {
            Self::Apptainer {
                image,
                binds,
                contained,
                mpi: _,
            } => {
                let exec = if *contained {
                    CONTAINED
                } else {
                    "\"$cgc_runtime\" exec --no-home"
                };
                let binds = bind_list(binds);
                let image = quote(image);
                let environment = quote(&format!("{environment}:{}/{ENV_FILE}:ro", at.executable));
                format!(
                    "{exec} --pwd {folder} --bind {binds} --bind {environment} {image} \
                     bash -c {inner}"
                )
            }
            Self::Charliecloud {
                image,
                binds,
                contained,
                mpi: _,
            } => {
                let run = if *contained { CONTAINED } else { "ch-run" };
                let binds = binds
                    .iter()
                    .map(|bind| format!("--bind {}", quote(&format!("{}:{}", bind.from, bind.to))))
                    .collect::<Vec<_>>()
                    .join(" ");
                format!("{run} {binds} {} -- bash -c {inner}", quote(image))
            }
            Self::SingCvmfs { binds } => {
                let binds = bind_list(binds);
                format!(
                    "singcvmfs -s exec -B \"$tmp_path\":/tmp/cvmfs,{binds} \
                     -cip {CVMFS_IMAGE} bash -c {inner}"
                )
            }
            Self::Bare => format!("bash -c {inner}"),
        }
    }
}

fn bind_list(binds: &[Bind]) -> String {
    let binds: Vec<_> = binds
        .iter()
        .map(|bind| {
            let mode = if bind.is_read_only { ":ro" } else { "" };
            format!("{}:{}{mode}", bind.from, bind.to)
        })
        .collect();
    quote(&binds.join(","))
}
