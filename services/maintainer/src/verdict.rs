//! What a look at the scheduler means for a job. Pure.

use compute_domain::job::{Change, EndState, Job, JobObservation, Phase, State};

/// What to do about an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Nothing new.
    Nothing,
    /// The job's state changes.
    Change(Change),
    /// The scheduler has ended the job.
    Ended(EndState),
    /// The scheduler answered, and does not know the job.
    NotKnown,
}

/// The verdict for `job`, which the scheduler shows as `seen`.
pub fn of(job: &Job, seen: &JobObservation) -> Verdict {
    match (&seen.phase, job.state) {
        (Phase::Unknown, _) => Verdict::NotKnown,
        (Phase::Ended(end), _) => Verdict::Ended(end.clone()),
        (Phase::Running, State::Submitted | State::Paused) => Verdict::Change(Change::Start),
        (Phase::Suspended, State::Submitted | State::Running) => Verdict::Change(Change::Pause),
        (Phase::Pending, State::Running) => Verdict::Change(Change::Requeue),
        (Phase::Pending | Phase::Running | Phase::Suspended, _) => Verdict::Nothing,
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
            (State::Submitted, Phase::Pending, Verdict::Nothing),
            (
                State::Submitted,
                Phase::Running,
                Verdict::Change(Change::Start),
            ),
            (State::Running, Phase::Running, Verdict::Nothing),
            (
                State::Running,
                Phase::Pending,
                Verdict::Change(Change::Requeue),
            ),
            (
                State::Running,
                Phase::Suspended,
                Verdict::Change(Change::Pause),
            ),
            (State::Paused, Phase::Pending, Verdict::Nothing),
            (
                State::Paused,
                Phase::Running,
                Verdict::Change(Change::Start),
            ),
            (State::Running, Phase::Unknown, Verdict::NotKnown),
            (
                State::Submitted,
                Phase::Ended(end.clone()),
                Verdict::Ended(end.clone()),
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
