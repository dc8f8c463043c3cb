//! Conversions between wire and domain: `From` out, `TryFrom` in.

use compute_domain::{
    ErrorKind, Timestamp,
    ids::JobId,
    job::{EndState, JobFile, JobObservation, Mark, Phase, SlurmJob, Usage},
};

use crate::{status::RemoteError, wire};

/// One thing that was looked at when an HPC was checked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Finding {
    /// What was looked at, e.g. `login`, `scheduler`.
    pub subject: String,
    /// Whether it is as it should be.
    pub ok: bool,
    /// What was found, or what is wrong and what to do about it.
    pub detail: String,
}

/// A job that the scheduler has accepted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Submitted {
    /// Slurm's id.
    pub slurm_id: String,
    /// Whether an earlier attempt had already submitted it.
    pub adopted: bool,
}

/// A job that the scheduler has and that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LiveJob {
    /// Slurm's id.
    pub slurm_id: String,
    /// The job that it says it is.
    pub job: JobId,
}

/// Directories below a folder.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Listing {
    /// Each as `/relative/path`, `/` first, in order of name.
    pub folders: Vec<String>,
    /// Whether there are more.
    pub is_cut: bool,
}

/// A part of a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct FilePart {
    /// The bytes from the offset on; empty at or behind the end.
    pub content: Vec<u8>,
    /// Size of the whole file in bytes.
    pub size: u64,
}

impl From<Finding> for wire::check_response::Finding {
    fn from(
        Finding {
            subject,
            ok,
            detail,
        }: Finding,
    ) -> Self {
        Self {
            subject,
            ok,
            detail,
        }
    }
}

impl From<wire::check_response::Finding> for Finding {
    fn from(wire: wire::check_response::Finding) -> Self {
        let wire::check_response::Finding {
            subject,
            ok,
            detail,
        } = wire;
        Self {
            subject,
            ok,
            detail,
        }
    }
}

impl From<Submitted> for wire::SubmitResponse {
    fn from(Submitted { slurm_id, adopted }: Submitted) -> Self {
        Self { slurm_id, adopted }
    }
}

impl From<LiveJob> for wire::deployment_jobs_response::Job {
    fn from(LiveJob { slurm_id, job }: LiveJob) -> Self {
        let job_id = job.to_string();
        Self { slurm_id, job_id }
    }
}

impl From<wire::deployment_jobs_response::Job> for LiveJob {
    fn from(wire: wire::deployment_jobs_response::Job) -> Self {
        let wire::deployment_jobs_response::Job { slurm_id, job_id } = wire;
        let job = JobId::from_text(job_id);
        Self { slurm_id, job }
    }
}

impl From<wire::SubmitResponse> for Submitted {
    fn from(wire::SubmitResponse { slurm_id, adopted }: wire::SubmitResponse) -> Self {
        Self { slurm_id, adopted }
    }
}

impl From<FilePart> for wire::ReadFileResponse {
    fn from(FilePart { content, size }: FilePart) -> Self {
        Self {
            content: content.into(),
            size,
        }
    }
}

impl From<wire::ReadFileResponse> for FilePart {
    fn from(wire::ReadFileResponse { content, size }: wire::ReadFileResponse) -> Self {
        Self {
            content: content.into(),
            size,
        }
    }
}

impl From<&SlurmJob> for wire::SlurmJob {
    fn from(SlurmJob { slurm_id, mark }: &SlurmJob) -> Self {
        Self {
            slurm_id: slurm_id.clone(),
            job_id: mark.job.to_string(),
            deployment: mark.deployment.clone(),
        }
    }
}

impl From<wire::SlurmJob> for SlurmJob {
    fn from(wire: wire::SlurmJob) -> Self {
        let wire::SlurmJob {
            slurm_id,
            job_id,
            deployment,
        } = wire;
        let job = JobId::from_text(job_id);
        Self {
            slurm_id,
            mark: Mark { deployment, job },
        }
    }
}

impl From<JobFile> for wire::JobFile {
    fn from(file: JobFile) -> Self {
        match file {
            JobFile::Script => Self::Script,
            JobFile::Environment => Self::Environment,
            JobFile::Stdout => Self::Stdout,
            JobFile::Stderr => Self::Stderr,
            JobFile::ExitCode => Self::ExitCode,
        }
    }
}

/// The file that is meant, if this side knows it.
pub fn job_file(wire: wire::JobFile) -> Option<JobFile> {
    Some(match wire {
        wire::JobFile::Unspecified => return None,
        wire::JobFile::Script => JobFile::Script,
        wire::JobFile::Environment => JobFile::Environment,
        wire::JobFile::Stdout => JobFile::Stdout,
        wire::JobFile::Stderr => JobFile::Stderr,
        wire::JobFile::ExitCode => JobFile::ExitCode,
    })
}

impl From<JobObservation> for wire::JobObservation {
    fn from(
        JobObservation {
            slurm_id,
            phase,
            started_at,
            reason,
        }: JobObservation,
    ) -> Self {
        let wire_phase = match &phase {
            Phase::Unknown => wire::JobPhase::Unknown,
            Phase::Pending => wire::JobPhase::Pending,
            Phase::Running => wire::JobPhase::Running,
            Phase::Suspended => wire::JobPhase::Suspended,
            Phase::Ended(_) => wire::JobPhase::Ended,
        };
        let (slurm_state, exit_code, signal) = match phase {
            Phase::Ended(EndState {
                slurm_state,
                exit_code,
                signal,
            }) => (slurm_state, exit_code, signal),
            Phase::Unknown | Phase::Pending | Phase::Running | Phase::Suspended => {
                (String::new(), None, None)
            }
        };
        Self {
            slurm_id,
            phase: wire_phase.into(),
            slurm_state,
            exit_code,
            signal,
            reason,
            started_at: started_at.map(Timestamp::millis),
        }
    }
}

impl TryFrom<wire::JobObservation> for JobObservation {
    type Error = RemoteError;

    fn try_from(wire: wire::JobObservation) -> Result<Self, RemoteError> {
        let phase = wire.phase();
        let wire::JobObservation {
            slurm_id,
            phase: _,
            slurm_state,
            exit_code,
            signal,
            reason,
            started_at,
        } = wire;
        let phase = match phase {
            // A phase that this side does not know yet is no end either.
            wire::JobPhase::Unspecified | wire::JobPhase::Unknown => Phase::Unknown,
            wire::JobPhase::Pending => Phase::Pending,
            wire::JobPhase::Running => Phase::Running,
            wire::JobPhase::Suspended => Phase::Suspended,
            wire::JobPhase::Ended if slurm_state.is_empty() => {
                let message = format!("slurm job {slurm_id} is said to have ended, but not how");
                return Err(RemoteError::new(ErrorKind::Internal, message));
            }
            wire::JobPhase::Ended => Phase::Ended(EndState {
                slurm_state,
                exit_code,
                signal,
            }),
        };
        Ok(Self {
            slurm_id,
            phase,
            started_at: started_at.map(Timestamp::from_millis),
            reason,
        })
    }
}

impl From<Usage> for wire::UsageResponse {
    fn from(
        Usage {
            nodes,
            cpus,
            cpu_time,
            memory,
            memory_usage,
            walltime,
        }: Usage,
    ) -> Self {
        Self {
            nodes,
            cpus,
            cpu_time_seconds: cpu_time,
            memory_kib: memory,
            memory_usage_kib: memory_usage,
            walltime_seconds: walltime,
        }
    }
}

impl From<wire::UsageResponse> for Usage {
    fn from(wire: wire::UsageResponse) -> Self {
        let wire::UsageResponse {
            nodes,
            cpus,
            cpu_time_seconds: cpu_time,
            memory_kib: memory,
            memory_usage_kib: memory_usage,
            walltime_seconds: walltime,
        } = wire;
        Self {
            nodes,
            cpus,
            cpu_time,
            memory,
            memory_usage,
            walltime,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn observations_come_back_as_they_were() {
        let end = EndState {
            slurm_state: "TIMEOUT".to_owned(),
            exit_code: Some(0),
            signal: Some(15),
        };
        let phases = [
            Phase::Unknown,
            Phase::Pending,
            Phase::Running,
            Phase::Suspended,
            Phase::Ended(end),
        ];
        for phase in phases {
            let seen = JobObservation {
                slurm_id: "17".to_owned(),
                phase,
                started_at: Some(Timestamp::from_millis(1_795_674_683_000)),
                reason: "Resources".to_owned(),
            };
            let back = JobObservation::try_from(wire::JobObservation::from(seen.clone()));
            assert_eq!(back, Ok(seen));
        }
    }

    #[test]
    fn an_unknown_phase_is_never_an_end() {
        let wire = wire::JobObservation {
            phase: 77,
            ..Default::default()
        };
        assert_eq!(
            JobObservation::try_from(wire).map(|seen| seen.phase),
            Ok(Phase::Unknown)
        );
    }

    #[test]
    fn an_end_without_a_state_is_refused() {
        let wire = wire::JobObservation {
            phase: wire::JobPhase::Ended.into(),
            ..Default::default()
        };
        assert!(JobObservation::try_from(wire).is_err());
    }
}
