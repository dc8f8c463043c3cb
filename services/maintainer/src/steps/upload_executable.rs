//! `upload executable`: the template at its pinned commit, or the kind's own
//! files, into the executable folder. If the job's owner names a folder that is on
//! the HPC, that is copied first, and the template's own files replace its copies: the
//! batch script and they are of the same commit.

use compute_db::Progress;
use compute_domain::{
    ErrorKind,
    ids::FolderId,
    job::{Cause, Job},
};
use compute_proto::RemoteError;

use super::{StepError, StepOutcome};
use crate::{
    hpc_port::HpcPort,
    kinds::{Definition, Executable},
    launcher::{Folders, path_of},
};

pub(super) async fn run(
    port: &HpcPort,
    job: &Job,
    definition: &Definition,
) -> Result<StepOutcome, StepError> {
    let folder = Folders::of(job, &port.hpc).executable;
    if let Some(given) = job.executable_to_copy() {
        let from = path_of(&port.hpc, given);
        let copied = port.connector.copy_folder(&from, &folder);
        copied.await.map_err(|error| gone(error, given))?;
    }
    match &definition.executable {
        Executable::Template { id, sha } => {
            let template = port.store.template(id).await?.ok_or_else(|| {
                StepError::Refused(Cause::new(format!("template {id} has been removed")))
            })?;
            let archive = port.mirrors.archive(id, &template.address, sha).await?;
            port.connector.upload_folder(&folder, archive).await?;
        }
        Executable::Files(files) => {
            port.connector.make_folder(&folder).await?;
            for (name, content) in files {
                let path = format!("{folder}/{name}");
                port.connector
                    .write_file(&path, content.as_bytes().to_vec())
                    .await?;
            }
        }
        Executable::AlreadyThere => {}
    }
    Ok(Progress::default())
}

fn gone(error: RemoteError, given: &FolderId) -> StepError {
    if error.kind == ErrorKind::NotFound {
        let words = format!("the executable folder {given} is not on the HPC any more");
        return StepError::Refused(Cause::new(words));
    }
    error.into()
}
