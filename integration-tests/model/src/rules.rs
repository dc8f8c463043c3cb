//! The rules that keep a job from being lost or doubled, each with a switch. Those that the
//! code does not follow yet are among the known gaps in `docs/reliability.md`.

/// Which rules are in force.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// A write to the row names holder, epoch and fence, and the lease must be live.
    pub conditional_writes: bool,
    /// The database's clock decides whether a lease has expired.
    pub database_clock: bool,
    /// A process that could not renew drops its runners before it sends anything.
    pub self_fencing: bool,
    /// The HPC refuses a call with an older fence than it has seen.
    pub fence_at_hpc: bool,
    /// Fence and effect are one step there, under the lock of the job.
    pub fence_under_lock: bool,
    /// A fence is larger than all before it, those that a restore has forgotten included.
    pub growing_fence: bool,
    /// Each runner has a fence of its own, also one that starts again under the same lease.
    pub fence_per_runner: bool,
    /// A write whose answer was lost is recognised by the revision of the row.
    pub revision: bool,
    /// A mark is left before `sbatch` is called; whoever finds it asks Slurm first.
    pub mark_before_sbatch: bool,
    /// Slurm is asked first too if the claim is not known to be fresh.
    pub look_unless_fresh: bool,
    /// What Slurm has refused is refused to late requests.
    pub kept_refusal: bool,
    /// The refusal stays when the batch script is written again.
    pub lasting_refusal: bool,
    /// A search that finds nothing for a cancel refuses what comes later.
    pub closing_search: bool,
    /// Slurm id and fence outlive the folder of the job.
    pub tombstone: bool,
    /// The fence of the last runner is too old after that.
    pub higher_tombstone: bool,
    /// Only the newest upload is put in place, and none after the submission.
    pub upload_token: bool,
    /// A write of the job's files is refused after the submission.
    pub closed_files: bool,
    /// A runner forgets an intent that it has carried out, so that the same wish is a new one.
    pub forgotten_intent: bool,
    /// A job that Slurm holds although nobody wants it paused is released.
    pub released_hold: bool,
    /// A Slurm id counts only with the name and the mark of the job.
    pub whole_name: bool,
}

impl Rules {
    /// All rules in force.
    pub const ALL: Self = Self {
        conditional_writes: true,
        database_clock: true,
        self_fencing: true,
        fence_at_hpc: true,
        fence_under_lock: true,
        growing_fence: true,
        fence_per_runner: true,
        revision: true,
        mark_before_sbatch: true,
        look_unless_fresh: true,
        kept_refusal: true,
        lasting_refusal: true,
        closing_search: true,
        tombstone: true,
        higher_tombstone: true,
        upload_token: true,
        closed_files: true,
        forgotten_intent: true,
        released_hold: true,
        whole_name: true,
    };
}
