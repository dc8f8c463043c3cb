//! What of a template runs outside of any container, with all that the account may
//! do: it wants an approval of its own. So does MPI of what runs inside.

use super::{ConnectorVariant, Manifest, Stage};
use crate::site::{ContainerRuntime, Hpc};

impl Manifest {
    /// Whether a stage is lines of the batch script itself.
    pub fn has_raw_stages(&self) -> bool {
        let stages = [
            self.pre_processing.as_ref(),
            Some(&self.execution),
            self.post_processing.as_ref(),
        ];
        let is_raw = |stage: &Stage| matches!(stage, Stage::RawSbatch(_));
        stages.into_iter().flatten().any(is_raw)
    }

    /// Whether the main stage is started by `srun` in a container that it cannot leave
    /// on `hpc`. Its tasks work together only if the template is approved for MPI.
    pub fn is_contained(&self, hpc: &Hpc) -> bool {
        hpc.containment
            && hpc.container_runtime != ContainerRuntime::None
            && self.connector == ConnectorVariant::Singularity
            && matches!(self.execution, Stage::Command(_))
    }

    /// What would run outside of a container on `hpc` and needs approval for it, in
    /// the manifest's own words: raw stages anywhere; another connector than
    /// `SingularityConnector` where programs are contained.
    pub fn outside(&self, hpc: &Hpc) -> Option<&'static str> {
        if self.has_raw_stages() {
            return Some("*_in_raw_sbatch");
        }
        match self.connector {
            ConnectorVariant::Slurm if hpc.containment => Some("SlurmConnector"),
            ConnectorVariant::SingCvmfs if hpc.containment => Some("SingCVMFSConnector"),
            ConnectorVariant::Slurm
            | ConnectorVariant::SingCvmfs
            | ConnectorVariant::Singularity => None,
        }
    }
}
