//! What a job of some kind consists of.

use compute_domain::slurm::SlurmOptions;
use serde_json::{Map, Value};

use crate::script::{Launcher, ProgramFolders, Stages};

/// The definition of a job, made by its kind.
#[derive(Debug, Clone)]
pub struct Definition {
    /// What goes into the executable folder.
    pub executable: Executable,
    /// What is run.
    pub stages: Stages,
    /// What starts a stage.
    pub launcher: Launcher,
    /// The folders as the program sees them.
    pub program_folders: ProgramFolders,
    /// The job's parameters, defaults filled in.
    pub param: Map<String, Value>,
    /// What the scheduler is asked for.
    pub options: SlurmOptions,
    /// Lines of `kernel_init.sh`, if it is needed.
    pub kernel_init: Option<Vec<String>>,
    /// Result folder that is listed first.
    pub listed_first: Option<String>,
}

/// Where the program comes from.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Executable {
    /// A template at a commit.
    Template {
        /// Key of the templates table.
        id: String,
        /// Commit.
        sha: String,
        /// Address of the repository when the job was submitted; jobs of older versions have
        /// none.
        address: Option<String>,
    },
    /// Files of the kind itself: name and content.
    Files(Vec<(&'static str, &'static str)>),
}
