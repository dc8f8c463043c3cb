//! What an observation of the scheduler means for a job. Pure.

use compute_domain::job::{Change, EndState, Intent, Job, JobObservation, Phase, State};

/// What follows from an observation.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Transition {
    /// Nothing new.
    Nothing,
    /// The job's state changes.
    Change(Change),
    /// The scheduler runs the job anew: it ran, and waits again.
    Requeued,
    /// The job is suspended or held by the site, for this reason; its owner did not ask for it.
    PausedBySite(String),
    /// A hold of its account keeps the job from running, and its row does not say so.
    HeldUnasked,
    /// The job was held for its owner, and somebody has released it.
    ReleasedUnasked,
    /// The scheduler has ended the job.
    Ended(EndState),
    /// The scheduler could not tell: its parts contradict each other, or one did not answer.
    NotKnown,
    /// All parts of the scheduler have answered, and none has the job.
    Absent,
}

/// What keeps a job from running, although its turn may have come.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Hold {
    None,
    /// `scontrol hold`, by the job's account.
    ByAccount,
    /// By an administrator, or by Slurm itself after a failure.
    BySite,
}

/// The transition of `job`, which the scheduler shows as `seen`.
pub fn of(job: &Job, seen: &JobObservation) -> Transition {
    match (&seen.phase, job.state) {
        (Phase::Unknown, _) => Transition::NotKnown,
        (Phase::Absent, _) => Transition::Absent,
        (Phase::Ended(end), _) => Transition::Ended(end.clone()),
        (Phase::Running, State::Submitted | State::Paused) => Transition::Change(Change::Start),
        (Phase::Suspended, State::Submitted | State::Running) => {
            Transition::PausedBySite("it is suspended".to_owned())
        }
        (Phase::Pending, state @ (State::Submitted | State::Running)) => match hold(seen) {
            Hold::ByAccount => Transition::HeldUnasked,
            Hold::BySite => Transition::PausedBySite(seen.reason.clone()),
            Hold::None if state == State::Running => Transition::Requeued,
            Hold::None => Transition::Nothing,
        },
        (Phase::Pending, State::Paused) if hold(seen) == Hold::None => Transition::ReleasedUnasked,
        (Phase::Pending | Phase::Running | Phase::Suspended, _) => Transition::Nothing,
    }
}

/// Whether the scheduler shows that it has done what the intent asks for.
pub fn is_carried_out(intent: Intent, seen: &JobObservation) -> bool {
    match (intent, &seen.phase) {
        (Intent::Pause, Phase::Suspended) | (Intent::Resume, Phase::Running) => true,
        (Intent::Pause, Phase::Pending) => hold(seen) != Hold::None,
        (Intent::Resume, Phase::Pending) => hold(seen) == Hold::None,
        _ => false,
    }
}

/// squeue(1), JOB REASON CODES. Slurm tells a hold of the job's account from one of an
/// administrator; jobs that it holds itself have other reasons with the word in them.
fn hold(seen: &JobObservation) -> Hold {
    let reason = seen.reason.to_ascii_lowercase();
    match reason.as_str() {
        "jobhelduser" => Hold::ByAccount,
        "jobholdmaxrequeue" => Hold::BySite,
        // `JobHeldAdmin`, `launch_failed_requeued_held`, `job requeued in held state`
        reason if reason.contains("held") => Hold::BySite,
        _ => Hold::None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::fixtures;

    fn seen(phase: Phase, reason: &str) -> JobObservation {
        JobObservation {
            slurm_id: "4".to_owned(),
            phase,
            started_at: None,
            reason: reason.to_owned(),
        }
    }

    #[test]
    fn phases_against_states() {
        let end = EndState {
            slurm_state: "COMPLETED".to_owned(),
            exit_code: Some(0),
            signal: Some(0),
        };
        let by_site = |reason: &str| Transition::PausedBySite(reason.to_owned());
        let started = Transition::Change(Change::Start);
        for (state, phase, reason, expected) in [
            (
                State::Submitted,
                Phase::Pending,
                "Resources",
                Transition::Nothing,
            ),
            (State::Submitted, Phase::Running, "", started.clone()),
            (State::Running, Phase::Running, "", Transition::Nothing),
            (
                State::Running,
                Phase::Pending,
                "BeginTime",
                Transition::Requeued,
            ),
            (
                State::Running,
                Phase::Suspended,
                "",
                by_site("it is suspended"),
            ),
            (State::Paused, Phase::Suspended, "", Transition::Nothing),
            (
                State::Paused,
                Phase::Pending,
                "JobHeldUser",
                Transition::Nothing,
            ),
            (
                State::Paused,
                Phase::Pending,
                "JobHeldAdmin",
                Transition::Nothing,
            ),
            (
                State::Paused,
                Phase::Pending,
                "Priority",
                Transition::ReleasedUnasked,
            ),
            (State::Paused, Phase::Running, "", started),
            (State::Running, Phase::Unknown, "", Transition::NotKnown),
            (State::Running, Phase::Absent, "", Transition::Absent),
            (
                State::Submitted,
                Phase::Ended(end.clone()),
                "",
                Transition::Ended(end),
            ),
        ] {
            let mut job = fixtures::job();
            job.state = state;
            let seen = seen(phase, reason);
            assert_eq!(of(&job, &seen), expected, "{state} {seen:?}");
        }
    }

    /// Our own hold may be released, the site's may not: Slurm's reason tells them apart.
    #[test]
    fn holds_that_nobody_asked_for() {
        for state in [State::Submitted, State::Running] {
            let mut job = fixtures::job();
            job.state = state;
            let held = |reason: &str| of(&job, &seen(Phase::Pending, reason));
            assert_eq!(held("JobHeldUser"), Transition::HeldUnasked);
            for reason in [
                "JobHeldAdmin",
                "JobHoldMaxRequeue",
                "launch_failed_requeued_held",
                "job requeued in held state",
            ] {
                let expected = Transition::PausedBySite(reason.to_owned());
                assert_eq!(held(reason), expected);
            }
        }
    }

    #[test]
    fn what_shows_that_an_intent_is_carried_out() {
        for (intent, phase, reason, expected) in [
            (Intent::Pause, Phase::Suspended, "", true),
            (Intent::Pause, Phase::Running, "", false),
            (Intent::Pause, Phase::Pending, "Priority", false),
            (Intent::Pause, Phase::Pending, "JobHeldUser", true),
            (Intent::Resume, Phase::Pending, "JobHeldUser", false),
            (Intent::Resume, Phase::Pending, "", true),
            (Intent::Resume, Phase::Suspended, "", false),
            (Intent::Resume, Phase::Running, "", true),
            (Intent::Resume, Phase::Unknown, "", false),
            (Intent::Cancel, Phase::Pending, "", false),
        ] {
            let seen = seen(phase, reason);
            assert_eq!(
                is_carried_out(intent, &seen),
                expected,
                "{intent:?} {seen:?}"
            );
        }
    }
}
