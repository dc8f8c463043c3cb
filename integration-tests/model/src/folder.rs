//! The HPC's side: the scripts that work in the private folder of a job, under its lock. A
//! script is one step, apart from where it can be killed or overtaken.

use crate::{
    call::{Answer, Call, Progress, Request},
    faults,
    rules::Rules,
    slurm::Phase,
    world::World,
};

/// The private folder of a job, and what is kept when it is removed.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct JobFolder {
    /// The newest fence that was seen.
    pub fence: u8,
    /// There is a batch script.
    pub has_script: bool,
    /// `sbatch` was called, and its outcome was not stored.
    pub is_tried: bool,
    /// The stored Slurm id.
    pub slurm_id: Option<u8>,
    /// Slurm has refused the job to a runner with this fence.
    pub refused: Option<u8>,
    /// A search by a runner with this fence found nothing.
    pub closed: Option<u8>,
    /// Number of the newest upload.
    pub upload: u8,
    /// The folder was removed after the job's end: its Slurm id, and the fence.
    pub tombstone: Option<(Option<u8>, u8)>,
}

/// What becomes of a call to `sbatch`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Sbatch {
    /// Slurm accepts the job.
    Accepts,
    /// Slurm refuses the job.
    Refuses,
    /// The script is killed before Slurm has the job.
    KilledBefore,
    /// The script is killed after that, before it has stored the id.
    KilledAfter,
}

/// How far a call came.
pub(crate) enum Carried {
    /// It is not over.
    Further(Progress),
    /// It is over, with this answer; `None` if its script was killed.
    Over(Option<Answer>),
}

/// Carries out `call` at the HPC.
pub(crate) fn carry_out(world: &mut World, rules: &Rules, call: Call, sbatch: Sbatch) -> Carried {
    let kept = world.folder.tombstone.filter(|_| rules.tombstone);
    let newest = world.folder.fence.max(kept.map_or(0, |(_, fence)| fence));
    let is_checked = call.progress == Progress::Checked;
    if rules.fence_at_hpc && !is_checked {
        if call.fence < newest {
            return Carried::Over(Some(Answer::Stale));
        }
        world.folder.fence = call.fence;
    }
    world.raised = world.raised.max(call.fence);
    if !rules.fence_under_lock && !is_checked && call.request != Request::Raise {
        return Carried::Further(Progress::Checked);
    }
    let answer = match call.request {
        Request::Raise => Answer::Done,
        Request::Upload => return upload(world, rules, call),
        Request::Write { is_fresh } => write(world, rules, call, is_fresh),
        Request::Submit { is_fresh } => match submit(world, rules, call, is_fresh, sbatch) {
            Some(answer) => answer,
            None => return Carried::Over(None),
        },
        Request::Find => find(world, rules, call),
        Request::Cancel(id) => control(world, rules, call, id, |phase| {
            Some(if phase.is_live() {
                Phase::Cancelled
            } else {
                phase
            })
        }),
        Request::Pause(id) => control(world, rules, call, id, |phase| match phase {
            Phase::Pending | Phase::Held => Some(Phase::Held),
            Phase::Running | Phase::Suspended => Some(Phase::Suspended),
            Phase::Completed | Phase::Cancelled => None,
        }),
        Request::Resume(id) => control(world, rules, call, id, |phase| match phase {
            Phase::Pending | Phase::Held => Some(Phase::Pending),
            Phase::Running | Phase::Suspended => Some(Phase::Running),
            Phase::Completed | Phase::Cancelled => None,
        }),
    };
    Carried::Over(Some(answer))
}

/// Something changes at the HPC: not for a runner whose successor has called already.
fn changes(world: &mut World, call: Call) {
    if call.fence < world.raised {
        world.must_not(faults::LATE_EFFECT);
    }
}

/// The Slurm id that is stored.
fn submitted(world: &World, rules: &Rules) -> Option<u8> {
    let tombstone = world.folder.tombstone.filter(|_| rules.tombstone);
    world.folder.slurm_id.or(tombstone.and_then(|(id, _)| id))
}

/// Whether Slurm has, or had, the job. A try whose outcome was not stored may have been accepted.
fn has_been_submitted(world: &mut World, rules: &Rules, is_fresh: bool) -> bool {
    let must_look = must_look(world, rules, is_fresh);
    submitted(world, rules).is_some() || (must_look && look(world).is_some())
}

fn must_look(world: &World, rules: &Rules, is_fresh: bool) -> bool {
    world.folder.is_tried || (rules.look_unless_fresh && !is_fresh)
}

/// Finds the job in Slurm by name and mark, and stores its id.
fn look(world: &mut World) -> Option<u8> {
    let found = world.slurm.find();
    if found.is_some() {
        world.folder.slurm_id = found;
    }
    found
}

fn upload(world: &mut World, rules: &Rules, call: Call) -> Carried {
    let closed = rules.upload_token && has_been_submitted(world, rules, true);
    let Progress::Unpacking(number) = call.progress else {
        if closed {
            return Carried::Over(Some(Answer::Closed));
        }
        world.folder.upload += 1;
        return Carried::Further(Progress::Unpacking(world.folder.upload));
    };
    if rules.upload_token && number != world.folder.upload {
        return Carried::Over(Some(Answer::Trouble));
    }
    changes(world, call);
    if world.slurm.ours().any(|job| job.phase.is_live()) {
        world.must_not(faults::OVERWRITTEN);
    }
    Carried::Over(Some(Answer::Done))
}

fn write(world: &mut World, rules: &Rules, call: Call, is_fresh: bool) -> Answer {
    if rules.closed_files && has_been_submitted(world, rules, is_fresh) {
        return Answer::Closed;
    }
    changes(world, call);
    if world.slurm.ours().any(|job| job.phase.is_live()) {
        world.must_not(faults::OVERWRITTEN);
    }
    world.folder.has_script = true;
    if !rules.lasting_refusal {
        world.folder.refused = None;
    }
    Answer::Done
}

fn submit(
    world: &mut World,
    rules: &Rules,
    call: Call,
    is_fresh: bool,
    sbatch: Sbatch,
) -> Option<Answer> {
    if let Some(id) = submitted(world, rules) {
        return Some(Answer::Accepted(id));
    }
    let bars = |by: Option<u8>| by.is_some_and(|by| by >= call.fence);
    let is_refused = rules.kept_refusal && bars(world.folder.refused);
    if is_refused || (rules.closing_search && bars(world.folder.closed)) {
        return Some(Answer::Refused);
    }
    if !world.folder.has_script {
        return Some(Answer::NoScript);
    }
    if must_look(world, rules, is_fresh)
        && let Some(id) = look(world)
    {
        return Some(Answer::Accepted(id));
    }
    changes(world, call);
    world.folder.is_tried = rules.mark_before_sbatch;
    // No upload that has begun is put in place any more.
    world.folder.upload += 1;
    match sbatch {
        Sbatch::Accepts => {
            let id = world.slurm.accept(true);
            world.folder.slurm_id = Some(id);
            Some(Answer::Accepted(id))
        }
        Sbatch::Refuses => {
            world.folder.is_tried = false;
            world.folder.refused = Some(call.fence);
            Some(Answer::Refused)
        }
        Sbatch::KilledBefore => None,
        Sbatch::KilledAfter => {
            world.slurm.accept(true);
            None
        }
    }
}

fn find(world: &mut World, rules: &Rules, call: Call) -> Answer {
    if let Some(id) = submitted(world, rules).or_else(|| look(world)) {
        return Answer::Accepted(id);
    }
    world.folder.closed = Some(call.fence);
    Answer::Nowhere
}

fn control(
    world: &mut World,
    rules: &Rules,
    call: Call,
    id: u8,
    after: fn(Phase) -> Option<Phase>,
) -> Answer {
    let Some(job) = world.slurm.with_id(id, rules.whole_name) else {
        return Answer::Refused;
    };
    let Some(phase) = after(job.phase) else {
        return Answer::Refused;
    };
    if job.phase != phase {
        job.phase = phase;
        let is_ours = job.is_ours;
        changes(world, call);
        if !is_ours {
            world.must_not(faults::OTHER_JOB);
        }
    }
    Answer::Done
}
