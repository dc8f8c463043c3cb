//! What the model keeps of the system: one job with its row, two maintainers, the calls that
//! are on their way to the HPC, the job's private folder there, and Slurm.

use compute_domain::job::{Intent, State, Step};

use crate::{folder::JobFolder, runner::Runner, scenario::Budget, slurm::Slurm};

/// A maintainer process.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, PartialOrd, Ord)]
pub enum Who {
    /// The first one.
    A,
    /// The second one.
    B,
}

impl Who {
    /// Both.
    pub const ALL: [Self; 2] = [Self::A, Self::B];
}

/// The lease of a process, as time passes without a renewal.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Lease {
    /// Renewed in time.
    Live,
    /// The process counts it as over, the database does not yet.
    Doubtful,
    /// Over by the database's clock.
    Expired,
}

/// A maintainer process and its row in `maintainers`. That it is stopped or cut off is not
/// kept: it is one that does nothing for a while, which every process may do at every point.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Process {
    /// Whether it runs.
    pub is_up: bool,
    /// Its lease.
    pub lease: Lease,
    /// The runner of the job, if it has one.
    pub runner: Option<Runner>,
}

/// What the row says of a job that is over, or that Slurm has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum End {
    /// The program ended well.
    Well,
    /// Slurm has cancelled it.
    Cancelled,
    /// Slurm refused it.
    Refused,
    /// Cancelled before Slurm had it.
    BeforeSlurm,
    /// Slurm does not know it any more.
    Lost,
}

/// Number of events of each kind in the database.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub struct Events {
    /// A step begins: how often the same one was told.
    pub step: u8,
    /// Slurm has accepted the job.
    pub submitted: u8,
    /// The owner's pause was carried out.
    pub paused: u8,
    /// The job is over.
    pub end: u8,
}

/// The job's row.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct Row {
    /// Where the job stands.
    pub state: State,
    /// What is done next.
    pub step: Step,
    /// Who holds the lease. Nobody, too, if the holder has registered again since: its epoch
    /// is another one then.
    pub holder: Option<Who>,
    /// Of the lease.
    pub fence: u8,
    /// Number of writes.
    pub revision: u8,
    /// What the owner wants.
    pub intent: Option<Intent>,
    /// Slurm's id.
    pub slurm_id: Option<u8>,
    /// How it ended.
    pub end: Option<End>,
    /// Its events.
    pub events: Events,
}

/// A transaction that is not answered: its COMMIT is under way, and its lock is held.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct LateCommit {
    /// The row as it will be.
    pub row: Row,
}

/// A state of the whole system.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub struct World {
    /// The row of the job.
    pub row: Row,
    /// The row in a dump of the database.
    pub dump: Option<Row>,
    /// Whether the row comes from a dump: no claim of it is known to be fresh.
    pub is_restored: bool,
    /// A COMMIT under way.
    pub late_commit: Option<LateCommit>,
    /// The largest fence ever given.
    pub last_fence: u8,
    /// The first maintainer.
    pub a: Process,
    /// The second one.
    pub b: Process,
    /// Calls on their way to the HPC, in no order.
    pub calls: Vec<crate::call::Call>,
    /// The private folder of the job on the HPC.
    pub folder: JobFolder,
    /// The scheduler.
    pub slurm: Slurm,
    /// The largest fence with which the HPC was called.
    pub raised: u8,
    /// What may still go wrong, and what the owner may still want.
    pub left: Budget,
    /// What must not have happened.
    pub fault: Option<&'static str>,
}

impl World {
    /// A queued job, and two maintainers that serve its HPC.
    pub fn new(first: Step, budget: Budget) -> Self {
        let process = Process {
            is_up: true,
            lease: Lease::Live,
            runner: None,
        };
        Self {
            row: Row {
                state: State::Queued,
                step: first,
                holder: None,
                fence: 0,
                revision: 0,
                intent: None,
                slurm_id: None,
                end: None,
                events: Events::default(),
            },
            dump: None,
            is_restored: false,
            late_commit: None,
            last_fence: 0,
            a: process.clone(),
            b: process,
            calls: Vec::new(),
            folder: JobFolder::default(),
            slurm: Slurm::default(),
            raised: 0,
            left: budget,
            fault: None,
        }
    }

    /// A process.
    pub fn process(&self, who: Who) -> &Process {
        match who {
            Who::A => &self.a,
            Who::B => &self.b,
        }
    }

    /// A process, to change it.
    pub fn process_mut(&mut self, who: Who) -> &mut Process {
        match who {
            Who::A => &mut self.a,
            Who::B => &mut self.b,
        }
    }

    /// Records what must not happen; the first counts.
    pub fn must_not(&mut self, what: &'static str) {
        self.fault.get_or_insert(what);
    }

    /// The leases of `who` are of an epoch that is over.
    pub fn end_epoch(&mut self, who: Who) {
        let late = self.late_commit.as_mut().map(|late| &mut late.row);
        for row in [&mut self.row]
            .into_iter()
            .chain(&mut self.dump)
            .chain(late)
        {
            row.holder = row.holder.filter(|&holder| holder != who);
        }
    }

    /// Counts revisions from the smallest one that is still known, and without large gaps: it
    /// matters only whether one is another one, or the next one.
    pub fn normalize(&mut self) {
        let runners = [&mut self.a, &mut self.b];
        let runners = runners
            .into_iter()
            .filter_map(|process| process.runner.as_mut());
        let late = self.late_commit.as_mut().map(|late| &mut late.row);
        let rows = [&mut self.row]
            .into_iter()
            .chain(&mut self.dump)
            .chain(late);
        let mut revisions: Vec<&mut u8> = rows
            .map(|row| &mut row.revision)
            .chain(runners.map(|runner| &mut runner.known.revision))
            .collect();
        revisions.sort_unstable();
        let (mut last, mut short) = (0, 0);
        for (at, revision) in revisions.into_iter().enumerate() {
            let gap = if at == 0 {
                0
            } else {
                (*revision - last).min(2)
            };
            (last, short) = (*revision, short + gap);
            *revision = short;
        }
    }

    /// The runner of `who` is gone; nobody waits for its call any more.
    pub fn drop_runner(&mut self, who: Who) {
        self.process_mut(who).runner = None;
        self.abandon_call(who);
    }

    /// Nobody waits for the call of `who` any more. It stays on its way.
    pub fn abandon_call(&mut self, who: Who) {
        for call in &mut self.calls {
            if call.from == Some(who) {
                call.from = None;
            }
        }
        self.calls.sort_unstable();
    }
}
