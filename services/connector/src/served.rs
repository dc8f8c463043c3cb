//! The HPCs that this connector owns, each with its logins and its scheduler.

use std::{collections::BTreeMap, path::Path, sync::Arc};

use compute_domain::{Clock, site::Hpc};
use tokio_util::task::TaskTracker;

use crate::{
    error::Error,
    paths::RemotePath,
    pool::Pool,
    remote::Remote,
    scheduler::{Scheduler, Slurm},
    states::States,
    submit::Submissions,
};

/// One HPC.
pub(crate) struct Served {
    /// Its configuration.
    pub(crate) hpc: Hpc,
    /// Its login node.
    pub(crate) remote: Remote,
    /// Its scheduler.
    pub(crate) scheduler: Arc<dyn Scheduler>,
    /// Shared looks at its scheduler.
    pub(crate) states: States,
    /// Submissions to it that are under way.
    pub(crate) submissions: Submissions,
}

/// All of them, by name. An HPC without a login answers why there is none.
#[derive(Default)]
pub(crate) struct Directory {
    served: BTreeMap<String, Result<Served, Error>>,
}

impl Served {
    fn new(
        hpc: Hpc,
        clock: &Arc<dyn Clock>,
        control_directory: &Path,
        tasks: &TaskTracker,
    ) -> Result<Self, Error> {
        let pool = Pool::new(&hpc, Arc::clone(clock), control_directory.to_owned())?;
        let remote = Remote::new(Arc::new(pool), tasks.clone());
        let scheduler: Arc<dyn Scheduler> = Arc::new(Slurm::new(remote.clone()));
        Ok(Self {
            states: States::new(
                Arc::clone(&scheduler),
                hpc.poll_interval,
                Arc::clone(clock),
                tasks.clone(),
            ),
            submissions: Submissions::new(Arc::clone(&scheduler), tasks.clone()),
            remote,
            scheduler,
            hpc,
        })
    }

    /// A path on this HPC.
    ///
    /// # Errors
    /// [`Error::Path`] if it is not below the root path.
    pub(crate) fn path(&self, text: &str) -> Result<RemotePath, Error> {
        Ok(RemotePath::below(&self.hpc.root_path, text)?)
    }
}

impl Directory {
    /// Gets everything ready; connects to nothing yet.
    pub(crate) fn new(
        hpcs: impl IntoIterator<Item = Hpc>,
        clock: &Arc<dyn Clock>,
        control_directory: &Path,
        tasks: &TaskTracker,
    ) -> Self {
        let served = hpcs.into_iter().map(|hpc| {
            let name = hpc.name.clone();
            let served = Served::new(hpc, clock, control_directory, tasks);
            if let Err(error) = &served {
                tracing::warn!(hpc = name, %error, "no jobs can run there");
            }
            (name, served)
        });
        Self {
            served: served.collect(),
        }
    }

    /// The HPC of that name.
    ///
    /// # Errors
    /// [`Error::UnknownHpc`] if there is none, [`Error::NoLogin`] if nobody can
    /// log in there.
    pub(crate) fn get(&self, hpc: &str) -> Result<&Served, Error> {
        match self.served.get(hpc) {
            Some(Ok(served)) => Ok(served),
            Some(Err(error)) => Err(error.clone()),
            None => Err(Error::UnknownHpc(hpc.to_owned())),
        }
    }

    /// Ends all logins.
    pub(crate) async fn close(&self) {
        for served in self.served.values().flatten() {
            served.remote.pool().close().await;
        }
    }
}
