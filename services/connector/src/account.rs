//! One account on an HPC: its logins, and the operations that use them.

use std::{
    path::{Path, PathBuf},
    sync::Arc,
};

use compute_domain::{Clock, site::Hpc};
use tokio_util::task::TaskTracker;

use crate::{
    error::Error,
    paths::{Place, RemotePath},
    pool::Pool,
    remote::Remote,
    scheduler::{Scheduler, Slurm},
    ssh_target::SshTarget,
    states::States,
    submit::Submissions,
};

/// What all accounts of this process share.
#[derive(Clone)]
pub(crate) struct AccountDeps {
    /// Source of the current time.
    pub(crate) clock: Arc<dyn Clock>,
    /// Folder for the control sockets.
    pub(crate) control_directory: PathBuf,
    /// Commands on HPCs run in these tasks.
    pub(crate) tasks: TaskTracker,
}

/// An account.
pub(crate) struct Account {
    /// Configuration of the HPC.
    pub(crate) hpc: Arc<Hpc>,
    /// The login node.
    pub(crate) remote: Remote,
    /// The private folder, which no program can see.
    pub(crate) place: Place,
    /// The scheduler; it shows the account its own jobs.
    pub(crate) scheduler: Arc<dyn Scheduler>,
    /// Job states from shared queries of the scheduler.
    pub(crate) states: States,
    /// Submissions in progress.
    pub(crate) submissions: Submissions,
}

impl AccountDeps {
    pub(crate) fn new(
        clock: &Arc<dyn Clock>,
        control_directory: &Path,
        tasks: &TaskTracker,
    ) -> Self {
        Self {
            clock: Arc::clone(clock),
            control_directory: control_directory.to_owned(),
            tasks: tasks.clone(),
        }
    }
}

impl Account {
    /// The account that `target` logs in to. Does not connect yet.
    pub(crate) fn new(hpc: Arc<Hpc>, target: SshTarget, deps: &AccountDeps) -> Self {
        let AccountDeps {
            clock,
            control_directory,
            tasks,
        } = deps;
        let account = target.is_private().then_some(target.user.as_str());
        let place = Place::below(&hpc.root_path, account);
        let pool = Pool::new(&hpc, target, Arc::clone(clock), control_directory.clone());
        let remote = Remote::new(Arc::new(pool), tasks.clone());
        let scheduler: Arc<dyn Scheduler> = Arc::new(Slurm::new(remote.clone(), place.clone()));
        Self {
            states: States::new(
                Arc::clone(&scheduler),
                hpc.poll_interval,
                Arc::clone(clock),
                tasks.clone(),
            ),
            submissions: Submissions::new(Arc::clone(&scheduler), tasks.clone()),
            remote,
            place,
            scheduler,
            hpc,
        }
    }

    /// A path on this HPC.
    ///
    /// # Errors
    /// [`Error::Path`] if it is not below the root path.
    pub(crate) fn path(&self, text: &str) -> Result<RemotePath, Error> {
        Ok(RemotePath::below(&self.hpc.root_path, text)?)
    }
}
