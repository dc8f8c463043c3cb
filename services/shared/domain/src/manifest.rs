//! A template's `manifest.json`: what a job of that template runs and what its
//! users may set.

mod outside;
mod parse;
mod parse_rules;
mod rules;
mod software;

pub use parse::ManifestError;
pub(crate) use parse_rules::{is_name, shortest};
pub use rules::{ParamRule, ParamRules, SlurmInputRules, SlurmRule};
pub use software::{Software, SoftwareError};

use serde_json::{Map, Value};

/// What a stage runs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Stage {
    /// A command line for the container's shell: `bash -c "cd /job/executable && …"`.
    Command(String),
    /// Lines of the batch script itself (`*_in_raw_sbatch`).
    RawSbatch(Vec<String>),
}

/// Which renderer runs the stages (`connector` in the manifest).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ConnectorVariant {
    /// `SlurmConnector`: no container.
    Slurm,
    /// `SingularityConnector` (default): the container runtime of the HPC.
    Singularity,
    /// `SingCVMFSConnector`: `singcvmfs` with a kernel.
    SingCvmfs,
}

/// Keys of `manifest.json` that mean something to us, in the order of the reference
/// for authors of templates. Others are shown to clients as they are.
pub const MANIFEST_KEYS: [&str; 18] = [
    "name",
    "description",
    "estimated_runtime",
    "container",
    "connector",
    "pre_processing_stage",
    "execution_stage",
    "post_processing_stage",
    "pre_processing_stage_in_raw_sbatch",
    "execution_stage_in_raw_sbatch",
    "post_processing_stage_in_raw_sbatch",
    "continue_on_error",
    "supported_hpc",
    "default_hpc",
    "param_rules",
    "slurm_input_rules",
    "require_upload_data",
    "default_result_folder_downloadable_path",
];

/// A manifest with its defaults filled in.
#[derive(Debug, Clone, PartialEq)]
pub struct Manifest {
    /// Name for people.
    pub name: String,
    /// Key of `container.json`, or of `kernel.json` for [`ConnectorVariant::SingCvmfs`].
    pub container: String,
    /// Which renderer runs the stages.
    pub connector: ConnectorVariant,
    /// Before the main stage, once.
    pub pre_processing: Option<Stage>,
    /// The program, under `srun`.
    pub execution: Stage,
    /// After the main stage, once.
    pub post_processing: Option<Stage>,
    /// HPCs it is made for.
    pub supported_hpc: Vec<String>,
    /// The one that is picked first.
    pub default_hpc: String,
    /// Whether users must give data.
    pub require_upload_data: bool,
    /// Run all stages even if one fails; the first failure still decides.
    pub continue_on_error: bool,
    /// Shown first in the list of result folders.
    pub default_result_folder_downloadable_path: Option<String>,
    /// Rules for parameters.
    pub param_rules: ParamRules,
    /// Rules for Slurm options.
    pub slurm_input_rules: SlurmInputRules,
    /// Everything as `GET /git` shows it: the file's own keys, defaults filled in.
    pub public: Map<String, Value>,
}
