//! The schedule of faults: a pure function of the seed and the duration.

use std::time::Duration;

use super::{
    faults::{Fault, Part, Peer, Process},
    random::Random,
};

/// Pause between the beginnings of two faults, milliseconds.
const PAUSE: (u64, u64) = (200, 1200);

/// Duration of a fault, milliseconds: from a moment to well beyond a lease of 2 s.
const LENGTH: (u64, u64) = (100, 5000);

/// A fault that is to occur.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Planned {
    /// When it begins, from the start of the run.
    pub at: Duration,
    /// How long it lasts.
    pub length: Duration,
    /// What happens.
    pub fault: Fault,
}

/// The faults of a run of that duration, in order. All end within it.
pub fn schedule(seed: u64, time: Duration) -> Vec<Planned> {
    let mut random = Random::new(seed);
    let mut plan: Vec<Planned> = Vec::new();
    let mut at = Duration::ZERO;
    loop {
        at += random.millis(PAUSE.0, PAUSE.1);
        let length = random.millis(LENGTH.0, LENGTH.1);
        let Some(fault) = draw(&mut random) else {
            return plan;
        };
        if at >= time {
            return plan;
        }
        let is_busy = plan
            .iter()
            .any(|other| other.at + other.length > at && other.fault.struck() == fault.struck());
        if !is_busy && at + length <= time {
            plan.push(Planned { at, length, fault });
        }
    }
}

/// One fault. Those of processes and connections are more frequent than those of parts, which all services
/// share.
fn draw(random: &mut Random) -> Option<Fault> {
    let process = *random.choose(&Process::ALL)?;
    let peer = *random.choose(process.peers())?;
    let has_database = process.peers().contains(&Peer::Database);
    Some(match random.below(20) {
        0..=3 => Fault::Kill(process),
        4 => Fault::Restart(process),
        5..=7 => Fault::Freeze(process),
        8..=9 => Fault::Cut(process, peer),
        10..=12 => Fault::Stall(process, peer),
        13..=14 if has_database => Fault::LoseCommits(process),
        13..=14 => Fault::Kill(process),
        _ => Fault::Stop(*random.choose(&[
            Part::Redis,
            Part::EmptiedRedis,
            Part::Postgres,
            Part::Sshd,
            Part::SshSessions,
            Part::Slurmctld,
            Part::KilledSlurmctld,
        ])?),
    })
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;

    use super::*;

    const MINUTE: Duration = Duration::from_secs(60);

    #[test]
    fn the_seed_decides() {
        assert_eq!(schedule(3, MINUTE), schedule(3, MINUTE));
        assert_ne!(schedule(3, MINUTE), schedule(4, MINUTE));
    }

    #[test]
    fn all_faults_end_in_time_and_none_strikes_twice_at_once() {
        for seed in 0..20 {
            let plan = schedule(seed, MINUTE);
            assert!(plan.len() > 20, "{}", plan.len());
            for (n, one) in plan.iter().enumerate() {
                assert!(one.at + one.length <= MINUTE);
                for other in &plan[n + 1..] {
                    let apart = other.at >= one.at + one.length;
                    assert!(apart || one.fault.struck() != other.fault.struck());
                }
            }
        }
    }

    #[test]
    fn ten_minutes_have_all_kinds() {
        let plan = schedule(1, 10 * MINUTE);
        let kinds: BTreeSet<_> = plan.iter().map(|planned| planned.fault.kind()).collect();
        assert_eq!(kinds.len(), 15, "{kinds:?}");
    }
}
