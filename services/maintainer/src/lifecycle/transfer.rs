//! Data that Globus brings: asked for once, then looked at until it is there. It
//! may take hours, in which the job can be cancelled, and this process killed.

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    job::{Cause, DataSource, DataTransfer, NewEvent, Step},
};
use compute_globus::{Globus, GlobusError, Identity, Place, TaskStatus, Transfer};
use compute_proto::Permit as _;
use compute_runtime::seal::globus_purpose;

use super::{JobRunner, StopReason};
use crate::steps::{self, StepError};

impl JobRunner<'_> {
    /// Where the data comes from, if the job stands at bringing it by Globus.
    pub(super) fn globus_source(&self) -> Option<Place> {
        if self.job.step != Step::UploadData {
            return None;
        }
        match steps::data_source(&self.job) {
            Ok(Some(DataSource::Globus { endpoint, path })) => Some(Place { endpoint, path }),
            _ => None,
        }
    }

    /// Takes one step: the submission id is saved, then the task's id, then the
    /// task is looked at until it is over.
    pub(super) async fn bring_data(&mut self, from: Place) -> Result<(), StopReason> {
        match self.transfer(from).await {
            Ok(Moved::On(progress)) => self.save(progress).await,
            Ok(Moved::Waits) => self.wait_for_transfer().await,
            Ok(Moved::There(progress)) => self.step_done(Step::UploadData, progress).await,
            Err(error) => self.step_failed(error).await,
        }
    }

    async fn transfer(&self, from: Place) -> Result<Moved, StepError> {
        let (globus, who) = self.globus().await?;
        match self.job.data_transfer.clone() {
            None => {
                self.admitted(from)?;
                let submission_id = globus.submission_id(&who).await?;
                Ok(Moved::On(Progress {
                    data_transfer: Some(DataTransfer {
                        submission_id,
                        task_id: None,
                    }),
                    events: vec![NewEvent::transfer_begins()],
                    ..Progress::default()
                }))
            }
            Some(DataTransfer {
                submission_id,
                task_id: None,
            }) => {
                let transfer = Transfer {
                    label: format!("data of job {}", self.job.id),
                    source: self.admitted(from)?,
                    destination: self.destination().await?,
                    recursive: true,
                    submission_id: submission_id.clone(),
                };
                self.permit.permitted().await?;
                let task_id = globus.submit(&who, &transfer).await?;
                tracing::info!(globus.task = task_id, "transfer asked for");
                Ok(Moved::On(Progress {
                    data_transfer: Some(DataTransfer {
                        submission_id,
                        task_id: Some(task_id),
                    }),
                    ..Progress::default()
                }))
            }
            Some(DataTransfer {
                task_id: Some(task_id),
                ..
            }) => look(globus, &who, &task_id).await,
        }
    }

    /// The gateway has looked at it as well; the row may be of a version that did not.
    fn admitted(&self, from: Place) -> Result<Place, StepError> {
        let collections = self.hpc.site.collections();
        let admitted = collections.admit(&self.job.user_id, &from.endpoint, &from.path);
        let admitted =
            admitted.map_err(|error| StepError::Refused(Cause::new(error.to_string())))?;
        Ok(Place {
            endpoint: admitted.collection,
            path: admitted.path,
        })
    }

    /// The data folder, which has to be the job's own: Globus follows links at its
    /// destination, and programs of earlier jobs may have left some in theirs.
    async fn destination(&self) -> Result<Place, StepError> {
        let refused = |words: String| StepError::Refused(Cause::new(words));
        let lacks = |what: &str| refused(format!("the job has no {what}"));
        let ids = [
            &self.job.remote_data_folder_id,
            &self.job.remote_result_folder_id,
        ];
        let [Some(data), Some(result)] = ids else {
            return Err(lacks("data folder"));
        };
        let ids = [data.clone(), result.clone()];
        let mut folders = self.context.store.folders(&ids).await?;
        let (data, result) = (folders.remove(data), folders.remove(result));
        let (folder, result) = data.zip(result).ok_or_else(|| lacks("data folder"))?;
        // `prepare` makes both at once.
        if folder.created_at != result.created_at {
            return Err(refused(
                "data from Globus goes into a folder of its own, not into remoteDataFolder"
                    .to_owned(),
            ));
        }
        let connector = &self.hpc.connector;
        connector.make_folder(&folder.hpc_path).await?;
        connector.check_folder(&folder.hpc_path).await?;
        let endpoint = self.hpc.config.globus.endpoint.clone();
        Ok(Place {
            endpoint: endpoint.ok_or_else(|| lacks("endpoint for its data"))?,
            path: folder.globus_path,
        })
    }

    async fn globus(&self) -> Result<(&Globus, Identity), StepError> {
        let config = &self.hpc.config;
        let refused = |words: String| StepError::Refused(Cause::new(words));
        let globus = self.context.globus.as_ref();
        let globus =
            globus.ok_or_else(|| refused("Globus is not set up on this server".to_owned()))?;
        let name = config.globus.identity.clone();
        let name =
            name.ok_or_else(|| refused(format!("Globus is not set up for {}", config.name)))?;
        let sealed = self.context.store.globus_token(&name).await?;
        let missing = || {
            StepError::Trouble(format!(
                "there is no Globus token of {name}: the operator has to run \
                 `cybergis-compute globus login {name}`"
            ))
        };
        let opened = self
            .context
            .seal
            .open(&sealed.ok_or_else(missing)?, &globus_purpose(&name));
        let refresh_token = opened.map_err(|_| missing())?;
        Ok((
            globus,
            Identity {
                name,
                refresh_token,
            },
        ))
    }

    async fn wait_for_transfer(&mut self) -> Result<(), StopReason> {
        let mut intents = self.signals.intent.clone();
        intents.mark_unchanged();
        tokio::select! {
            () = tokio::time::sleep(self.hpc.site.server.globus_poll) => Ok(()),
            _ = intents.changed() => Ok(()),
            () = self.cancel_wanted() => Ok(()),
            reason = Self::interrupted(&self.signals, self.context) => Err(reason),
        }
    }

    /// Nobody needs the data any more. A transfer that cannot be ended now ends by
    /// itself.
    pub(super) async fn stop_transfer(&self) {
        let task_id = self
            .job
            .data_transfer
            .as_ref()
            .and_then(|t| t.task_id.clone());
        let Some(task_id) = task_id.filter(|_| self.job.step == Step::UploadData) else {
            return;
        };
        let cancel = async {
            let (globus, who) = self.globus().await?;
            self.permit.permitted().await?;
            globus.cancel(&who, &task_id).await?;
            Ok::<_, StepError>(())
        };
        let cancelled = cancel.await;
        if let Err(reason) = cancelled {
            tracing::warn!(globus.task = task_id, %reason, "transfer not cancelled");
        }
    }
}

/// How far a transfer has come.
enum Moved {
    /// By one step, to be saved.
    On(Progress),
    /// It goes on at Globus.
    Waits,
    /// The data is there.
    There(Progress),
}

async fn look(globus: &Globus, who: &Identity, task_id: &str) -> Result<Moved, StepError> {
    let task = globus.task(who, task_id).await?;
    match task.status {
        TaskStatus::Active => Ok(Moved::Waits),
        TaskStatus::Inactive => Err(StepError::Trouble(format!(
            "Globus waits for credentials of an endpoint: {}",
            task.detail
        ))),
        TaskStatus::Failed => Err(StepError::Refused(Cause::new(format!(
            "Globus could not bring the data: {}",
            task.detail
        )))),
        TaskStatus::Succeeded => Ok(Moved::There(Progress {
            events: vec![NewEvent::transferred(task_id)],
            ..Progress::default()
        })),
    }
}

impl From<GlobusError> for StepError {
    fn from(error: GlobusError) -> Self {
        match error.kind() {
            ErrorKind::Refused | ErrorKind::InvalidArgument | ErrorKind::NotFound => {
                Self::Refused(Cause::new(error.to_string()))
            }
            _ => Self::Trouble(error.to_string()),
        }
    }
}
