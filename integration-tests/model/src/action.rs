//! What can happen, in words.

use std::fmt;

use compute_domain::job::Intent;

use crate::{call::Request, folder::Sbatch, runner::Write, world::Who};

/// What leads from one state of the world to the next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// The owner wants something.
    Wish(Intent),
    /// A maintainer takes the job from the queue.
    Claim(Who),
    /// A maintainer takes the job over.
    TakeOver(Who),
    /// A maintainer starts a runner for a job that it holds.
    Restart(Who),
    /// A maintainer reads the lease and the intent.
    Look(Who),
    /// A runner sends a call.
    Send(Who, Request),
    /// A runner decides what to write.
    Decide(Who, Write),
    /// A runner has looked at Slurm and decides what to write.
    Observe(Who, Write),
    /// A runner writes to the row.
    Save(Who, Write),
    /// The same, and the answer does not come.
    SaveUnanswered(Who, Write),
    /// The COMMIT arrives after all.
    CommitArrives,
    /// A runner gives up waiting for its call.
    GiveUp(Who),
    /// A runner stops.
    Stop(Who),
    /// A maintainer is killed.
    Kill(Who),
    /// A maintainer could not renew its lease in time.
    Lapse(Who),
    /// The lease of a maintainer is over by the database's clock.
    Expire(Who),
    /// A maintainer whose lease is over registers again.
    Register(Who),
    /// A maintainer renews its lease.
    Renew(Who),
    /// A call is carried out, or a part of it. The sender waits for it, or does not.
    CarryOut {
        /// Which one.
        request: Request,
        /// The fence of its sender.
        fence: u8,
        /// Whether the sender waits for it.
        is_awaited: bool,
        /// What `sbatch` does, if it is called.
        sbatch: Sbatch,
    },
    /// Slurm starts a job.
    Start,
    /// A job ends well.
    Complete,
    /// Slurm shows an ended job no longer.
    Forget,
    /// The controller loses the job; another job gets its id.
    LoseJob,
    /// A dump of the database is taken.
    Dump,
    /// The database goes back to the dump.
    Restore,
    /// The private folder is emptied.
    Wipe,
    /// The folders of the job, which is over, are removed.
    Clean,
}

impl fmt::Display for Action {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Wish(intent) => write!(f, "the owner wants {}", intent.as_str()),
            Self::Claim(who) => write!(f, "{who:?} takes the job from the queue"),
            Self::TakeOver(who) => write!(f, "{who:?} takes the job over"),
            Self::Restart(who) => write!(f, "{who:?} starts a runner for the job that it holds"),
            Self::Look(who) => write!(f, "{who:?} reads lease and intent"),
            Self::Send(who, request) => write!(f, "{who:?} sends {request:?}"),
            Self::Decide(who, write) => write!(f, "{who:?} is about to write {write:?}"),
            Self::Observe(who, write) => {
                write!(f, "{who:?} has asked Slurm and is about to write {write:?}")
            }
            Self::Save(who, write) => write!(f, "{who:?} writes {write:?}"),
            Self::SaveUnanswered(who, write) => {
                write!(
                    f,
                    "{who:?} sends COMMIT of {write:?}, and the connection breaks"
                )
            }
            Self::CommitArrives => f.write_str("the database carries out that COMMIT"),
            Self::GiveUp(who) => {
                write!(f, "{who:?} gives up waiting, its call is still on its way")
            }
            Self::Stop(who) => write!(f, "the runner of {who:?} stops"),
            Self::Kill(who) => write!(f, "{who:?} is killed"),
            Self::Lapse(who) => write!(f, "{who:?} does not renew its lease in time"),
            Self::Expire(who) => write!(f, "the lease of {who:?} expires in the database"),
            Self::Register(who) => write!(f, "{who:?} registers with a new epoch"),
            Self::Renew(who) => write!(f, "{who:?} renews its lease"),
            Self::CarryOut {
                request,
                fence,
                is_awaited,
                sbatch,
            } => {
                let late = if *is_awaited { "" } else { "late: " };
                write!(f, "{late}{request:?} with fence {fence} is carried out")?;
                match (request, sbatch) {
                    (Request::Submit { .. }, Sbatch::Refuses) => f.write_str(", Slurm refuses"),
                    (Request::Submit { .. }, Sbatch::KilledBefore) => {
                        f.write_str(", killed before sbatch")
                    }
                    (Request::Submit { .. }, Sbatch::KilledAfter) => {
                        f.write_str(", killed after sbatch")
                    }
                    _ => Ok(()),
                }
            }
            Self::Start => f.write_str("Slurm starts the job"),
            Self::Complete => f.write_str("the job ends well in Slurm"),
            Self::Forget => f.write_str("Slurm shows the ended job no longer"),
            Self::LoseJob => f.write_str("slurmctld loses the job and gives its id to another"),
            Self::Dump => f.write_str("the database is dumped"),
            Self::Restore => f.write_str("the database is restored from the dump"),
            Self::Wipe => f.write_str("the private folder is emptied"),
            Self::Clean => f.write_str("the folders of the job are removed"),
        }
    }
}
