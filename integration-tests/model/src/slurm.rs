//! Slurm, as far as it matters who submitted what.

/// Where Slurm has a job.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Phase {
    /// Waiting to start.
    Pending,
    /// Waiting until it is released.
    Held,
    /// Running.
    Running,
    /// Suspended.
    Suspended,
    /// Ended well.
    Completed,
    /// Ended by `scancel`.
    Cancelled,
}

impl Phase {
    /// Whether the job runs, or can still run.
    pub fn is_live(self) -> bool {
        !matches!(self, Self::Completed | Self::Cancelled)
    }
}

/// A job that Slurm has accepted.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct SlurmJob {
    /// Its Slurm id.
    pub id: u8,
    /// Whether it has the name and the mark of our job.
    pub is_ours: bool,
    /// Where it is.
    pub phase: Phase,
    /// Whether queue or accounting still show it.
    pub is_shown: bool,
}

/// All jobs, in the order of their submission.
#[derive(Debug, Clone, PartialEq, Eq, Hash, Default)]
pub struct Slurm {
    /// The jobs.
    pub jobs: Vec<SlurmJob>,
    /// The last id that was given; a controller that lost its state gives it again.
    pub last_id: u8,
}

impl Slurm {
    /// Accepts a job.
    pub fn accept(&mut self, is_ours: bool) -> u8 {
        self.last_id += 1;
        self.jobs.push(SlurmJob {
            id: self.last_id,
            is_ours,
            phase: Phase::Pending,
            is_shown: true,
        });
        self.last_id
    }

    /// The id of our job, searched by name and mark.
    pub fn find(&self) -> Option<u8> {
        let ours = self.jobs.iter().find(|job| job.is_ours && job.is_shown);
        ours.map(|job| job.id)
    }

    /// The job with that id, which must be ours if `whole_name`.
    pub fn with_id(&mut self, id: u8, whole_name: bool) -> Option<&mut SlurmJob> {
        let fits = |job: &&mut SlurmJob| job.id == id && (job.is_ours || !whole_name);
        self.jobs.iter_mut().find(fits)
    }

    /// Our jobs.
    pub fn ours(&self) -> impl Iterator<Item = &SlurmJob> {
        self.jobs.iter().filter(|job| job.is_ours)
    }
}
