//! What an observation of the scheduler means for a job. Pure.

use compute_domain::job::{Change, EndState, Job, JobObservation, Phase, State};

/// What follows from an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Nothing new.
    Nothing,
    /// The job's state changes.
    Change(Change),
    /// The scheduler has ended the job.
    Ended(EndState),
    /// The scheduler answered, and does not know the job.
    NotKnown,
}

/// The transition of `job`, which the scheduler shows as `seen`.
pub fn of(job: &Job, seen: &JobObservation) -> Transition {
    match (&seen.phase, job.state) {
        (Phase::Unknown, _) => Transition::NotKnown,
        (Phase::Ended(end), _) => Transition::Ended(end.clone()),
        (Phase::Running, State::Submitted | State::Paused) => Transition::Change(Change::Start),
        (Phase::Suspended, State::Submitted | State::Running) => Transition::Change(Change::Pause),
        (Phase::Pending, State::Running) => Transition::Change(Change::Requeue),
        (Phase::Pending | Phase::Running | Phase::Suspended, _) => Transition::Nothing,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    #[test]
    fn phases_against_states() {
        let end = EndState {
            slurm_state: "COMPLETED".to_owned(),
            exit_code: Some(0),
            signal: Some(0),
        };
        for (state, phase, expected) in [
            (State::Submitted, Phase::Pending, Transition::Nothing),
            (
                State::Submitted,
                Phase::Running,
                Transition::Change(Change::Start),
            ),
            (State::Running, Phase::Running, Transition::Nothing),
            (
                State::Running,
                Phase::Pending,
                Transition::Change(Change::Requeue),
            ),
            (
                State::Running,
                Phase::Suspended,
                Transition::Change(Change::Pause),
            ),
            (State::Paused, Phase::Pending, Transition::Nothing),
            (
                State::Paused,
                Phase::Running,
                Transition::Change(Change::Start),
            ),
            (State::Running, Phase::Unknown, Transition::NotKnown),
            (
                State::Submitted,
                Phase::Ended(end.clone()),
                Transition::Ended(end.clone()),
            ),
        ] {
            let mut job = fixtures::job();
            job.state = state;
            let seen = JobObservation {
                slurm_id: "4".to_owned(),
                phase,
                started_at: None,
                reason: String::new(),
            };
            assert_eq!(of(&job, &seen), expected, "{state} {seen:?}");
        }
    }
}
