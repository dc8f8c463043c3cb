//! A runner: what a maintainer does next for the job, and what follows from an answer.

use compute_domain::job::{Change, Intent, State, Step};

use crate::{
    call::{Answer, Request},
    rules::Rules,
    scenario::Scenario,
    slurm::Phase,
    world::{End, Row, Who, World},
};

/// What the runner knows of the row. It may be older than the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Known {
    /// Where the job stands.
    pub state: State,
    /// What is done next.
    pub step: Step,
    /// Of its lease.
    pub fence: u8,
    /// The row's at the last write.
    pub revision: u8,
    /// Slurm's id.
    pub slurm_id: Option<u8>,
    /// How Slurm ended it.
    pub end: Option<End>,
}

impl From<&Row> for Known {
    fn from(row: &Row) -> Self {
        Self {
            state: row.state,
            step: row.step,
            fence: row.fence,
            revision: row.revision,
            slurm_id: row.slurm_id,
            end: row.end,
        }
    }
}

/// What a runner writes to the row.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Write {
    /// A step is done; the next one begins.
    Step(Step),
    /// Slurm has the job.
    Accepted(u8),
    /// The job is over without Slurm.
    Over(Change, End),
    /// The owner's intent was carried out.
    Carried(Intent),
    /// Slurm refuses the owner's intent.
    NotCarried(Intent),
    /// Slurm shows a change.
    Seen(Change),
    /// Slurm has ended the job.
    Finished(End),
    /// The results are there.
    Collected,
}

/// What a runner is at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Doing {
    /// It decides what is next.
    Ready,
    /// It waits for an answer of the HPC.
    Waiting,
    /// It writes to the row.
    Saving {
        /// What it writes.
        write: Write,
        /// Whether the answer to the first attempt was lost.
        is_repeated: bool,
    },
}

/// A runner of the job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Runner {
    /// The job as it knows it.
    pub known: Known,
    /// The latest intent that it was told.
    pub intent: Option<Intent>,
    /// Whether this intent is still to be carried out.
    pub is_pending: bool,
    /// Whether nobody has tried the current step before.
    pub is_untried: bool,
    /// Whether nobody has tried any step before: it took the job from the queue itself, soon
    /// after it was submitted.
    pub is_fresh: bool,
    /// Whether the batch script is missing, and is written again.
    pub writes_again: bool,
    /// Whether the HPC knows its fence.
    pub has_raised: bool,
    /// What it is at.
    pub doing: Doing,
}

/// What a runner does next.
pub enum Decision {
    /// It calls the HPC.
    Send(Request),
    /// It writes to the row.
    Save(Write),
}

impl World {
    /// What the runner of `who` does next, if it is ready for something.
    pub fn decision(&self, rules: &Rules, who: Who) -> Option<Decision> {
        let runner = self
            .process(who)
            .runner
            .filter(|r| r.doing == Doing::Ready)?;
        let Known { step, slurm_id, .. } = runner.known;
        if !runner.has_raised {
            return Some(Decision::Send(Request::Raise));
        }
        let intent = runner.intent.filter(|_| runner.is_pending);
        if intent == Some(Intent::Cancel) && step < Step::Watch {
            let may_be_on_hpc = (step == Step::Submit && !runner.is_untried)
                || (rules.look_unless_fresh && !runner.is_fresh);
            return Some(if may_be_on_hpc {
                Decision::Send(Request::Find)
            } else {
                Decision::Save(Write::Over(Change::Cancel, End::BeforeSlurm))
            });
        }
        let is_fresh = runner.is_fresh && runner.is_untried;
        match step {
            _ if step < Step::Submit && runner.intent == Some(Intent::Pause) => None,
            Step::UploadExecutable => Some(Decision::Send(Request::Upload)),
            Step::WriteScript => Some(Decision::Send(Request::Write { is_fresh })),
            Step::Submit if runner.writes_again => {
                Some(Decision::Send(Request::Write { is_fresh }))
            }
            Step::Submit => Some(Decision::Send(Request::Submit { is_fresh })),
            Step::Watch => match (intent, slurm_id) {
                (Some(Intent::Cancel), Some(id)) => Some(Decision::Send(Request::Cancel(id))),
                (Some(Intent::Pause), Some(id)) => Some(Decision::Send(Request::Pause(id))),
                (Some(Intent::Resume), Some(id)) => Some(Decision::Send(Request::Resume(id))),
                (None, Some(id)) if rules.released_hold && self.is_held_by_mistake(id, &runner) => {
                    Some(Decision::Send(Request::Resume(id)))
                }
                _ => None,
            },
            Step::Collect => Some(Decision::Save(Write::Collected)),
            Step::Prepare | Step::UploadData | Step::CreateResult => None,
        }
    }

    fn is_held_by_mistake(&self, id: u8, runner: &Runner) -> bool {
        let mut jobs = self.slurm.jobs.iter();
        let is_held = jobs.any(|job| job.id == id && job.is_ours && job.phase == Phase::Held);
        is_held && runner.known.state != State::Paused && runner.intent != Some(Intent::Pause)
    }

    /// What the runner of `who` writes after a look at Slurm, if something is new.
    pub fn observation(&self, rules: &Rules, who: Who) -> Option<Write> {
        let runner = self
            .process(who)
            .runner
            .filter(|r| r.doing == Doing::Ready)?;
        let Known {
            step,
            state,
            slurm_id,
            ..
        } = runner.known;
        if step != Step::Watch {
            return None;
        }
        let fits = |is_ours: bool| is_ours || !rules.whole_name;
        let jobs = &self.slurm.jobs;
        let job = jobs
            .iter()
            .find(|job| Some(job.id) == slurm_id && fits(job.is_ours));
        let Some(job) = job else {
            return Some(Write::Over(Change::Fail, End::Lost));
        };
        match (job.phase, state) {
            (Phase::Pending | Phase::Held, State::Running) => Some(Write::Seen(Change::Requeue)),
            (Phase::Running, State::Submitted | State::Paused) => Some(Write::Seen(Change::Start)),
            (Phase::Suspended, State::Submitted | State::Running) => {
                Some(Write::Seen(Change::Pause))
            }
            (Phase::Completed, _) if job.is_shown || self.folder.has_script => {
                Some(Write::Finished(End::Well))
            }
            (Phase::Cancelled, _) if job.is_shown => Some(Write::Finished(End::Cancelled)),
            (Phase::Completed | Phase::Cancelled, _) => Some(Write::Over(Change::Fail, End::Lost)),
            _ => None,
        }
    }

    /// The runner of `who` gets an answer to `request`.
    pub fn answer(&mut self, scenario: &Scenario, who: Who, request: Request, answer: Answer) {
        let Some(mut runner) = self.process(who).runner else {
            return;
        };
        let next = scenario.after(runner.known.step);
        let write = match (request, answer) {
            (_, Answer::Stale) => {
                self.drop_runner(who);
                return;
            }
            (Request::Write { .. }, _) if runner.writes_again => {
                runner.writes_again = false;
                None
            }
            (Request::Upload | Request::Write { .. }, Answer::Done) => Some(Write::Step(next)),
            (Request::Upload | Request::Write { .. }, Answer::Closed) => {
                runner.is_fresh = false;
                Some(Write::Step(Step::Submit))
            }
            (_, Answer::Accepted(id)) => Some(Write::Accepted(id)),
            (Request::Submit { .. }, Answer::Refused) => {
                Some(Write::Over(Change::Fail, End::Refused))
            }
            (Request::Submit { .. }, Answer::NoScript) => {
                runner.writes_again = true;
                None
            }
            (Request::Find, Answer::Nowhere) => Some(Write::Over(Change::Cancel, End::BeforeSlurm)),
            (Request::Pause(_), Answer::Done) => Some(Write::Carried(Intent::Pause)),
            (Request::Resume(_), _) if runner.intent != Some(Intent::Resume) => None,
            (Request::Resume(_), Answer::Done) => Some(Write::Carried(Intent::Resume)),
            (Request::Pause(_), Answer::Refused) => Some(Write::NotCarried(Intent::Pause)),
            (Request::Resume(_), Answer::Refused) => Some(Write::NotCarried(Intent::Resume)),
            _ => None,
        };
        runner.has_raised = true;
        runner.is_untried &= answer != Answer::Trouble && answer != Answer::NoScript;
        // A newer intent is still to be carried out.
        runner.is_pending &= request.intent() != runner.intent;
        runner.doing = write.map_or(Doing::Ready, |write| Doing::Saving {
            write,
            is_repeated: false,
        });
        self.process_mut(who).runner = Some(runner);
    }
}
