//! `upload executable`: the template at its pinned commit, or the kind's own
//! files, into the executable folder.

use compute_db::Progress;
use compute_domain::job::{Cause, Job};

use super::{StepError, StepOutcome};
use crate::{
    hpc_port::HpcPort,
    kinds::{Definition, Executable},
    launcher::Folders,
};

pub(super) async fn run(
    port: &HpcPort,
    job: &Job,
    definition: &Definition,
) -> Result<StepOutcome, StepError> {
    let folder = Folders::of(job, &port.hpc).executable;
    match &definition.executable {
        Executable::Template { id, sha } => {
            let template = port.store.template(id).await?.ok_or_else(|| {
                StepError::Refused(Cause::new(format!("template {id} has been removed")))
            })?;
            let archive = port.mirrors.archive(id, &template.address, sha).await?;
            port.connector
                .upload_folder(port.hpc_name(), &folder, archive)
                .await?;
        }
        Executable::Files(files) => {
            port.connector.make_folder(port.hpc_name(), &folder).await?;
            for (name, content) in files {
                let path = format!("{folder}/{name}");
                port.connector
                    .write_file(port.hpc_name(), &path, content.as_bytes().to_vec())
                    .await?;
            }
        }
        Executable::AlreadyThere => {}
    }
    Ok(Progress::default())
}
