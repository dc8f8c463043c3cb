//! The system as a model: all that can happen in a state of the world.

use compute_domain::job::{Change, Intent, State};

use crate::{
    action::Action,
    call::{Call, Progress, Request},
    explorer::Model,
    faults,
    folder::{Carried, JobFolder, Sbatch, carry_out},
    rules::Rules,
    runner::{Decision, Doing},
    scenario::{Budget, Scenario},
    slurm::Phase,
    world::{Lease, Who, World},
};

/// A scenario under rules.
#[derive(Debug, Clone, Copy)]
pub struct System {
    /// What may happen.
    pub scenario: Scenario,
    /// The rules in force.
    pub rules: Rules,
    /// Faults that are not looked for, to find what comes after them.
    pub ignored: &'static [&'static str],
}

type Next = Vec<(Action, World)>;

impl Model for System {
    type State = World;
    type Action = Action;

    fn initial(&self) -> World {
        World::new(self.scenario.first(), self.scenario.budget)
    }

    fn next(&self, world: &World) -> Next {
        let mut next = Next::new();
        self.owner(world, &mut next);
        for who in Who::ALL {
            self.time(world, who, &mut next);
            self.lease(world, who, &mut next);
            self.runner(world, who, &mut next);
        }
        self.calls(world, &mut next);
        if let Some(late) = &world.late_commit {
            freely(world, &mut next, Action::CommitArrives, |after| {
                after.row = late.row.clone();
                after.late_commit = None;
            });
        }
        scheduler(world, &mut next);
        operator(world, &self.rules, &mut next);
        for (_, after) in &mut next {
            self.forget_refused(after);
            after.normalize();
        }
        next
    }

    fn fault(&self, world: &World) -> Option<&'static str> {
        let ignored = [self.scenario.unpromised, self.ignored];
        faults::of(world).filter(|what| !ignored.iter().any(|some| some.contains(what)))
    }

    fn is_end(&self, world: &World) -> bool {
        world.row.state.is_terminal()
    }

    fn is_sure(&self, action: Action) -> bool {
        match action {
            Action::Wish(intent) => intent == Intent::Resume,
            Action::Claim(_)
            | Action::TakeOver(_)
            | Action::Restart(_)
            | Action::Look(_)
            | Action::Send(..)
            | Action::Decide(..)
            | Action::Observe(..)
            | Action::Save(..)
            | Action::Expire(_)
            | Action::Register(_)
            | Action::Renew(_)
            | Action::Start
            | Action::Complete => true,
            Action::CarryOut {
                is_awaited, sbatch, ..
            } => is_awaited && sbatch == Sbatch::Accepts,
            Action::SaveUnanswered(..)
            | Action::CommitArrives
            | Action::GiveUp(_)
            | Action::Stop(_)
            | Action::Kill(_)
            | Action::Lapse(_)
            | Action::Forget
            | Action::LoseJob
            | Action::Dump
            | Action::Restore
            | Action::Wipe
            | Action::Clean => false,
        }
    }
}

/// Adds what follows from `action` if `left` allows it once more.
fn once_more(
    world: &World,
    next: &mut Next,
    action: Action,
    left: fn(&mut Budget) -> &mut u8,
    then: impl FnOnce(&mut World),
) {
    let mut after = world.clone();
    let left = left(&mut after.left);
    if let Some(rest) = left.checked_sub(1) {
        *left = rest;
        then(&mut after);
        next.push((action, after));
    }
}

/// Adds what follows from `action`.
fn freely(world: &World, next: &mut Next, action: Action, then: impl FnOnce(&mut World)) {
    let mut after = world.clone();
    then(&mut after);
    next.push((action, after));
}

impl System {
    /// Pauses and cancels; resumes whenever the row says that the job is paused.
    fn owner(&self, world: &World, next: &mut Next) {
        let row = &world.row;
        let wishes = row.state == State::Queued || row.state.is_leased();
        if !wishes || row.intent == Some(Intent::Cancel) {
            return;
        }
        let wish = |intent| {
            move |after: &mut World| {
                after.row.intent = Some(intent);
                after.row_is_written();
            }
        };
        let (pause, cancel) = (Intent::Pause, Intent::Cancel);
        once_more(
            world,
            next,
            Action::Wish(pause),
            |b| &mut b.pauses,
            wish(pause),
        );
        once_more(
            world,
            next,
            Action::Wish(cancel),
            |b| &mut b.cancels,
            wish(cancel),
        );
        if row.state == State::Paused || row.intent == Some(Intent::Pause) {
            freely(world, next, Action::Wish(Intent::Resume), |after| {
                let is_queued = after.row.state == State::Queued;
                after.row.intent = (!is_queued).then_some(Intent::Resume);
                after.row_is_written();
            });
        }
    }

    fn time(&self, world: &World, who: Who, next: &mut Next) {
        let process = world.process(who);
        match process.lease {
            Lease::Live if process.is_up => {
                if process.runner.is_none() {
                    return;
                }
                let lapse = |after: &mut World| after.process_mut(who).lease = Lease::Doubtful;
                once_more(world, next, Action::Lapse(who), |b| &mut b.lapses, lapse);
            }
            Lease::Live | Lease::Doubtful => {
                let is_ahead = self.scenario.is_skewed && who == Who::A;
                if self.rules.database_clock || !is_ahead {
                    freely(world, next, Action::Expire(who), |after| {
                        after.process_mut(who).lease = Lease::Expired;
                    });
                }
            }
            Lease::Expired => {}
        }
        let is_over = process.lease != Lease::Live;
        if process.is_up && is_over && self.rules.self_fencing {
            freely(world, next, Action::Register(who), |after| {
                after.drop_runner(who);
                after.end_epoch(who);
                after.process_mut(who).lease = Lease::Live;
            });
        } else if process.is_up && is_over {
            freely(world, next, Action::Renew(who), |after| {
                after.process_mut(who).lease = Lease::Live;
            });
        }
        if process.is_up && process.runner.is_some() {
            once_more(
                world,
                next,
                Action::Kill(who),
                |b| &mut b.kills,
                |after| {
                    after.drop_runner(who);
                    after.process_mut(who).is_up = false;
                },
            );
        }
    }

    fn lease(&self, world: &World, who: Who, next: &mut Next) {
        let take = |change| {
            move |after: &mut World| {
                if after.take(&self.rules, who, change).is_err() {
                    after.must_not("a claim that the life cycle does not allow");
                }
            }
        };
        if world.may_claim(who) {
            freely(world, next, Action::Claim(who), take(Some(Change::Claim)));
        }
        if world.may_take_over(who) {
            freely(world, next, Action::TakeOver(who), take(None));
        }
        if world.may_restart(who) {
            freely(world, next, Action::Restart(who), |after| {
                if self.rules.fence_per_runner {
                    take(None)(after);
                } else {
                    after.start_runner(who, false);
                }
            });
        }
        let Some(runner) = world.process(who).runner else {
            return;
        };
        let row = &world.row;
        if row.holder != Some(who) || row.fence != runner.known.fence {
            freely(world, next, Action::Look(who), |after| {
                after.drop_runner(who)
            });
        } else if row.intent != runner.intent {
            freely(world, next, Action::Look(who), |after| {
                let intent = after.row.intent;
                if let Some(runner) = &mut after.process_mut(who).runner {
                    runner.intent = intent;
                    runner.is_pending = intent.is_some();
                }
            });
        }
    }

    fn runner(&self, world: &World, who: Who, next: &mut Next) {
        let Some(runner) = world.process(who).runner else {
            return;
        };
        let saving = |write| {
            move |after: &mut World| {
                if let Some(runner) = &mut after.process_mut(who).runner {
                    runner.doing = Doing::Saving {
                        write,
                        is_repeated: false,
                    };
                }
            }
        };
        match world.decision(&self.rules, who) {
            Some(Decision::Send(request)) => self.send(world, who, request, next),
            Some(Decision::Save(write)) => {
                freely(world, next, Action::Decide(who, write), saving(write));
            }
            None => {}
        }
        if let Some(write) = world.observation(&self.rules, who) {
            freely(world, next, Action::Observe(who, write), saving(write));
        }
        match runner.doing {
            Doing::Ready => {}
            Doing::Waiting => {
                once_more(
                    world,
                    next,
                    Action::GiveUp(who),
                    |b| &mut b.timeouts,
                    |after| {
                        after.abandon_call(who);
                        if let Some(runner) = &mut after.process_mut(who).runner {
                            runner.doing = Doing::Ready;
                            runner.is_untried = false;
                        }
                    },
                );
            }
            Doing::Saving { write, .. } => {
                let save = Action::Save(who, write);
                freely(world, next, save, |after| after.save(&self.rules, who));
                let lost = Action::SaveUnanswered(who, write);
                once_more(
                    world,
                    next,
                    lost,
                    |b| &mut b.lost_commits,
                    |after| {
                        after.save_unanswered(&self.rules, who);
                    },
                );
            }
        }
        once_more(
            world,
            next,
            Action::Stop(who),
            |b| &mut b.stops,
            |after| {
                after.drop_runner(who);
            },
        );
    }

    /// A call that nobody waits for, and that the HPC will refuse, changes nothing any more.
    fn forget_refused(&self, world: &mut World) {
        let rules = &self.rules;
        let is_kept = world.left.wipes == 0 && (rules.tombstone || world.left.cleanups == 0);
        if rules.fence_at_hpc && is_kept {
            let fence = world.folder.fence;
            let matters = |call: &Call| {
                call.from.is_some() || call.fence >= fence || call.progress == Progress::Checked
            };
            world.calls.retain(matters);
        }
    }

    fn send(&self, world: &World, who: Who, request: Request, next: &mut Next) {
        let process = world.process(who);
        if self.rules.self_fencing && process.lease != Lease::Live {
            return;
        }
        let Some(fence) = process.runner.map(|runner| runner.known.fence) else {
            return;
        };
        freely(world, next, Action::Send(who, request), |after| {
            if after.process(who).lease == Lease::Expired {
                after.must_not(faults::SENT_LATE);
            }
            if let Some(runner) = &mut after.process_mut(who).runner {
                runner.doing = Doing::Waiting;
            }
            after.calls.push(Call {
                request,
                fence,
                from: Some(who),
                progress: Progress::OnItsWay,
            });
            after.calls.sort_unstable();
        });
    }

    fn calls(&self, world: &World, next: &mut Next) {
        for &call in &world.calls {
            let action = |sbatch| Action::CarryOut {
                request: call.request,
                fence: call.fence,
                is_awaited: call.from.is_some(),
                sbatch,
            };
            let carry = |sbatch| move |after: &mut World| self.carry(after, call, sbatch);
            let accepts = Sbatch::Accepts;
            freely(world, next, action(accepts), carry(accepts));
            if matches!(call.request, Request::Submit { .. }) {
                let refuses = Sbatch::Refuses;
                once_more(
                    world,
                    next,
                    action(refuses),
                    |b| &mut b.refusals,
                    carry(refuses),
                );
                for killed in [Sbatch::KilledBefore, Sbatch::KilledAfter] {
                    once_more(
                        world,
                        next,
                        action(killed),
                        |b| &mut b.killed_scripts,
                        carry(killed),
                    );
                }
            }
        }
    }

    fn carry(&self, after: &mut World, call: Call, sbatch: Sbatch) {
        if let Some(at) = after.calls.iter().position(|&other| other == call) {
            after.calls.remove(at);
        }
        match carry_out(after, &self.rules, call, sbatch) {
            Carried::Further(progress) => {
                after.calls.push(Call { progress, ..call });
                after.calls.sort_unstable();
            }
            Carried::Over(Some(answer)) => {
                if let Some(who) = call.from {
                    after.answer(&self.scenario, who, call.request, answer);
                }
            }
            Carried::Over(None) => {
                if let Some(who) = call.from {
                    let trouble = crate::call::Answer::Trouble;
                    after.answer(&self.scenario, who, call.request, trouble);
                }
            }
        }
    }
}

fn scheduler(world: &World, next: &mut Next) {
    for (at, job) in world
        .slurm
        .jobs
        .iter()
        .enumerate()
        .filter(|(_, j)| j.is_ours)
    {
        let set = |phase| {
            move |after: &mut World| {
                if let Some(job) = after.slurm.jobs.get_mut(at) {
                    job.phase = phase;
                }
            }
        };
        match job.phase {
            Phase::Pending => freely(world, next, Action::Start, set(Phase::Running)),
            Phase::Running => freely(world, next, Action::Complete, set(Phase::Completed)),
            Phase::Completed | Phase::Cancelled if job.is_shown => {
                once_more(
                    world,
                    next,
                    Action::Forget,
                    |b| &mut b.forgets,
                    |after| {
                        if let Some(job) = after.slurm.jobs.get_mut(at) {
                            job.is_shown = false;
                        }
                    },
                );
            }
            _ => {}
        }
        if job.phase == Phase::Pending {
            once_more(
                world,
                next,
                Action::LoseJob,
                |b| &mut b.amnesias,
                |after| {
                    after.slurm.jobs.remove(at);
                    after.slurm.last_id -= 1;
                    after.slurm.accept(false);
                },
            );
        }
    }
}

fn operator(world: &World, rules: &Rules, next: &mut Next) {
    if world.left.restores > 0 && world.dump.is_none() {
        freely(world, next, Action::Dump, |after| {
            after.dump = Some(after.row.clone());
        });
    }
    if let Some(dump) = &world.dump {
        once_more(
            world,
            next,
            Action::Restore,
            |b| &mut b.restores,
            |after| {
                after.row = dump.clone();
                after.is_restored = true;
                after.dump = None;
                after.row_is_written();
            },
        );
    }
    once_more(
        world,
        next,
        Action::Wipe,
        |b| &mut b.wipes,
        |after| {
            after.folder = JobFolder::default();
        },
    );
    if world.row.state.is_terminal() {
        once_more(
            world,
            next,
            Action::Clean,
            |b| &mut b.cleanups,
            |after| {
                let JobFolder {
                    slurm_id, fence, ..
                } = after.folder;
                after.folder = JobFolder::default();
                let fence = fence + u8::from(rules.higher_tombstone);
                after.folder.tombstone = rules.tombstone.then_some((slurm_id, fence));
            },
        );
    }
}
