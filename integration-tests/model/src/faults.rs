//! What must never be.

use compute_domain::job::State;

use crate::{
    slurm::Phase,
    world::{End, World},
};

/// Slurm has accepted the job twice.
pub const DOUBLED: &str = "two Slurm jobs for one job";
/// The owner was told the end of a job that runs or can still run.
pub const RUNS_AFTER_END: &str = "the row has ended, and Slurm still has the job";
/// The row tells an end that was not.
pub const WRONG_END: &str = "the row tells an end that was not";
/// A change at the HPC for a runner whose successor has called already.
pub const LATE_EFFECT: &str = "an older runner changed something after its successor had begun";
/// Something was sent without a lease.
pub const SENT_LATE: &str = "a process whose lease is over sent something to the HPC";
/// Files that a submitted program reads were replaced.
pub const OVERWRITTEN: &str = "files of a submitted program were replaced";
/// The same event twice.
pub const TOLD_TWICE: &str = "an event was written twice";
/// Another job was held, released or cancelled.
pub const OTHER_JOB: &str = "another job in Slurm was changed";

/// Why the world must not be as it is.
pub(crate) fn of(world: &World) -> Option<&'static str> {
    if world.fault.is_some() {
        return world.fault;
    }
    let row = &world.row;
    let ours = || world.slurm.ours();
    let events = row.events;
    if ours().count() > 1 {
        Some(DOUBLED)
    } else if row.state.is_terminal() && ours().any(|job| job.phase.is_live()) {
        Some(RUNS_AFTER_END)
    } else if is_wrong_end(world, ours().any(|job| job.phase == Phase::Completed)) {
        Some(WRONG_END)
    } else if events.step > 1 || events.submitted > 1 || events.end > 1 || events.paused > 1 {
        Some(TOLD_TWICE)
    } else {
        None
    }
}

fn is_wrong_end(world: &World, has_completed: bool) -> bool {
    let row = &world.row;
    match (row.state, row.end) {
        (State::Ended, _) => !has_completed,
        (State::Failed | State::Cancelled, Some(End::Refused | End::BeforeSlurm)) => {
            world.slurm.ours().next().is_some()
        }
        (State::Failed | State::Cancelled, Some(End::Lost)) => false,
        (State::Failed | State::Cancelled, _) => has_completed,
        _ => false,
    }
}
