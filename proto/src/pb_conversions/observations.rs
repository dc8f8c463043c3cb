//! Conversions of observations of jobs.

use compute_domain::{
    ErrorKind, Timestamp,
    job::{EndState, JobObservation, Phase},
};

use crate::{status::RemoteError, wire};

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
            Phase::Absent => wire::JobPhase::Absent,
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
            Phase::Unknown | Phase::Absent | Phase::Pending | Phase::Running | Phase::Suspended => {
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
            // A phase that this side does not know yet is not an end either.
            wire::JobPhase::Unspecified | wire::JobPhase::Unknown => Phase::Unknown,
            wire::JobPhase::Absent => Phase::Absent,
            wire::JobPhase::Pending => Phase::Pending,
            wire::JobPhase::Running => Phase::Running,
            wire::JobPhase::Suspended => Phase::Suspended,
            wire::JobPhase::Ended if slurm_state.is_empty() => {
                let message = format!(
                    "slurm job {slurm_id} has ended without a Slurm state: the connector and this service must have the same version"
                );
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
            Phase::Absent,
            Phase::Pending,
            Phase::Running,
            Phase::Suspended,
            Phase::Ended(end),
        ];
        for phase in phases {
            let observed = JobObservation {
                slurm_id: "17".to_owned(),
                phase,
                started_at: Some(Timestamp::from_millis(1_795_674_683_000)),
                reason: "Resources".to_owned(),
            };
            let back = JobObservation::try_from(wire::JobObservation::from(observed.clone()));
            assert_eq!(back, Ok(observed));
        }
    }

    #[test]
    fn an_unknown_phase_is_never_an_end() {
        let wire = wire::JobObservation {
            phase: 77,
            ..Default::default()
        };
        assert_eq!(
            JobObservation::try_from(wire).map(|observed| observed.phase),
            Ok(Phase::Unknown)
        );
    }

    #[test]
    fn an_end_without_a_state_is_rejected() {
        let wire = wire::JobObservation {
            phase: wire::JobPhase::Ended.into(),
            ..Default::default()
        };
        assert!(JobObservation::try_from(wire).is_err());
    }
}
