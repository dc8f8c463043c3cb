//! The life cycle of a job as a pure function:
//!
//! ```text
//! created → queued → preparing → submitted → running ⇄ paused
//!                        │           └───────────┴──→ collecting → ended | failed | cancelled
//!                        └──→ failed | cancelled
//! ```
//!
//! Any state between `preparing` and `collecting` may be parked (`blocked`) by
//! trouble of the infrastructure, and returns to where its step belongs.

use std::{fmt, str::FromStr};

use super::Step;

/// Where a job stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum State {
    /// Made, not submitted; may still be changed by its owner.
    Created,
    /// Submitted, waiting for a maintainer with a free place.
    Queued,
    /// A maintainer uploads and writes what the job needs.
    Preparing,
    /// Accepted by the scheduler, not started yet.
    Submitted,
    /// Running on the HPC.
    Running,
    /// Held or suspended in Slurm at its owner's request.
    Paused,
    /// Ended on the HPC; logs, usage and listing are being fetched.
    Collecting,
    /// Parked: the infrastructure is in trouble. Never an end.
    Blocked,
    /// Ended well.
    Ended,
    /// Ended otherwise; the cause says how.
    Failed,
    /// Ended by its owner.
    Cancelled,
}

/// What happens to a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Change {
    /// Its owner submits it.
    Submit,
    /// A maintainer takes it from the queue.
    Claim,
    /// The scheduler accepts it.
    Accept,
    /// The scheduler starts it, or goes on with it.
    Start,
    /// The scheduler puts it back to waiting (requeue, or release of a held job).
    Requeue,
    /// It is suspended or held.
    Pause,
    /// The scheduler has ended it.
    Finish,
    /// The infrastructure is in trouble.
    Park,
    /// The trouble is over; the job stands at this step.
    Unpark(Step),
    /// All is fetched, and the program ended well.
    Succeed,
    /// The job is over and did not end well.
    Fail,
    /// The job is over because its owner wanted so.
    Cancel,
}

/// A change that the state does not allow.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("a job that is {from} cannot change by {change:?}")]
pub struct IllegalChange {
    /// The job's state.
    pub from: State,
    /// What was to happen.
    pub change: Change,
}

impl State {
    /// All states, in the order of a job's life.
    pub const ALL: [Self; 11] = [
        Self::Created,
        Self::Queued,
        Self::Preparing,
        Self::Submitted,
        Self::Running,
        Self::Paused,
        Self::Collecting,
        Self::Blocked,
        Self::Ended,
        Self::Failed,
        Self::Cancelled,
    ];

    /// The state after `change`.
    ///
    /// # Errors
    /// [`IllegalChange`] if this state does not allow it.
    pub fn after(self, change: Change) -> Result<Self, IllegalChange> {
        use State as S;
        let next = match (self, change) {
            (S::Created, Change::Submit) => S::Queued,
            (S::Queued, Change::Claim) => S::Preparing,
            (S::Preparing, Change::Accept) => S::Submitted,
            (S::Submitted | S::Paused | S::Running, Change::Start) => S::Running,
            (S::Submitted | S::Paused | S::Running, Change::Requeue) => S::Submitted,
            (S::Submitted | S::Running | S::Paused, Change::Pause) => S::Paused,
            (S::Submitted | S::Running | S::Paused, Change::Finish) => S::Collecting,
            (
                S::Preparing | S::Submitted | S::Running | S::Paused | S::Collecting | S::Blocked,
                Change::Park,
            ) => S::Blocked,
            (S::Blocked, Change::Unpark(step)) => step.state(),
            (S::Collecting, Change::Succeed) => S::Ended,
            (state, Change::Fail) if state.is_leased() => S::Failed,
            (state, Change::Cancel) if state.is_leased() || state == S::Queued => S::Cancelled,
            (from, change) => return Err(IllegalChange { from, change }),
        };
        Ok(next)
    }

    /// Whether the job is over.
    pub fn is_terminal(self) -> bool {
        matches!(self, Self::Ended | Self::Failed | Self::Cancelled)
    }

    /// Whether the job is submitted and not over.
    pub fn is_open(self) -> bool {
        self != Self::Created && !self.is_terminal()
    }

    /// Whether the job takes one of the places on its HPC. One that is blocked or paused
    /// gives its place back until it goes on.
    pub fn takes_place(self) -> bool {
        self.is_leased() && !matches!(self, Self::Blocked | Self::Paused)
    }

    /// Whether a maintainer leases and runs jobs in this state.
    pub fn is_leased(self) -> bool {
        matches!(
            self,
            Self::Preparing
                | Self::Submitted
                | Self::Running
                | Self::Paused
                | Self::Collecting
                | Self::Blocked
        )
    }

    /// The state's name in the database and on the wire.
    pub fn as_str(self) -> &'static str {
        match self {
            Self::Created => "created",
            Self::Queued => "queued",
            Self::Preparing => "preparing",
            Self::Submitted => "submitted",
            Self::Running => "running",
            Self::Paused => "paused",
            Self::Collecting => "collecting",
            Self::Blocked => "blocked",
            Self::Ended => "ended",
            Self::Failed => "failed",
            Self::Cancelled => "cancelled",
        }
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// A name that is not one of a state.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
#[error("unknown name {0:?}")]
pub struct UnknownName(pub String);

impl FromStr for State {
    type Err = UnknownName;

    fn from_str(text: &str) -> Result<Self, UnknownName> {
        Self::ALL
            .into_iter()
            .find(|state| state.as_str() == text)
            .ok_or_else(|| UnknownName(text.to_owned()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const CHANGES: [Change; 12] = [
        Change::Submit,
        Change::Claim,
        Change::Accept,
        Change::Start,
        Change::Requeue,
        Change::Pause,
        Change::Finish,
        Change::Park,
        Change::Unpark(Step::Watch),
        Change::Succeed,
        Change::Fail,
        Change::Cancel,
    ];

    /// One row for each state, one letter for each of `CHANGES`: `.` is illegal.
    const TABLE: [(State, &str); 11] = [
        (State::Created, "q..........."),
        (State::Queued, ".p.........x"),
        (State::Preparing, "..s....b..fx"),
        (State::Submitted, "...rsPcb..fx"),
        (State::Running, "...rsPcb..fx"),
        (State::Paused, "...rsPcb..fx"),
        (State::Collecting, ".......b.efx"),
        (State::Blocked, ".......bs.fx"),
        (State::Ended, "............"),
        (State::Failed, "............"),
        (State::Cancelled, "............"),
    ];

    fn letter(state: State) -> char {
        match state {
            State::Created => 'n',
            State::Queued => 'q',
            State::Preparing => 'p',
            State::Submitted => 's',
            State::Running => 'r',
            State::Paused => 'P',
            State::Collecting => 'c',
            State::Blocked => 'b',
            State::Ended => 'e',
            State::Failed => 'f',
            State::Cancelled => 'x',
        }
    }

    #[test]
    fn every_legal_and_illegal_change() {
        for (state, row) in TABLE {
            let seen: String = CHANGES
                .iter()
                .map(|&change| state.after(change).map_or('.', letter))
                .collect();
            assert_eq!(seen, row, "changes of {state}");
        }
    }

    #[test]
    fn names_read_back() {
        for state in State::ALL {
            assert_eq!(state.as_str().parse(), Ok(state));
        }
        assert!("done".parse::<State>().is_err());
    }

    #[test]
    fn nothing_leaves_an_end() {
        for state in State::ALL.into_iter().filter(|s| s.is_terminal()) {
            assert!(CHANGES.iter().all(|&change| state.after(change).is_err()));
        }
    }
}
