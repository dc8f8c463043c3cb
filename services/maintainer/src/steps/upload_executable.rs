//! `upload executable`: the template at its pinned commit, or the kind's own
//! files, into the executable folder. If the job's owner names a folder that is on
//! the HPC, that is copied first, and the template's own files replace its copies: the
//! batch script and they are of the same commit.

use compute_db::Progress;
use compute_domain::{ErrorKind, ids::FolderId, job::Cause};
use compute_proto::RemoteError;

use super::{StepError, StepInput, StepOutcome};
use crate::{
    definition::Executable,
    hpc_handle::HpcHandle,
    launcher::{Folders, path_of},
};

pub(super) async fn run(hpc: &HpcHandle, input: &StepInput<'_>) -> Result<StepOutcome, StepError> {
    let folder = Folders::of(input.job, &hpc.config).executable;
    if let Some(given) = input.job.executable_to_copy() {
        let from = path_of(&hpc.config, given);
        let copied = hpc.connector.copy_folder(&from, &folder);
        copied.await.map_err(|error| gone(error, given))?;
    }
    match &input.definition.executable {
        Executable::Template { id, sha, address } => {
            // The operator may have moved the repository since the submit.
            let address = input.template_address.as_ref().or(address.as_ref());
            let address = address.ok_or_else(|| {
                StepError::Refused(Cause::new(format!("template {id} has been removed")))
            })?;
            let archive = hpc.mirrors.archive(id, address, sha).await?;
            hpc.connector.upload_folder(&folder, archive).await?;
        }
        Executable::Files(files) => {
            hpc.connector.make_folder(&folder).await?;
            for (name, content) in files {
                let path = format!("{folder}/{name}");
                hpc.connector
                    .write_file(&path, content.as_bytes().to_vec())
                    .await?;
            }
        }
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
