//! The job's definition: computed once per run, when a step first needs it.

use std::sync::Arc;

use compute_domain::job::{Cause, Job, Step};

use super::{JobRunner, StopReason, cancel::Found};
use crate::definition::Definition;

impl JobRunner<'_> {
    /// The job's definition. `None` if it cannot be defined: then the job has failed, is
    /// parked, or is followed in Slurm.
    pub(super) async fn define(&mut self) -> Result<Option<Arc<Definition>>, StopReason> {
        if self.definition.is_none()
            && let Err(cause) = self.define_as(None)
        {
            self.cannot_define(cause).await?;
        }
        Ok(self.definition.clone())
    }

    /// Computes the definition; of `prepared` if that is what the job is about to be.
    ///
    /// # Errors
    /// Why the job cannot be defined, for its owner.
    pub(super) fn define_as(&mut self, prepared: Option<&Job>) -> Result<(), Cause> {
        let job = prepared.unwrap_or(&self.job);
        let definition = self.kind.on_define(job, &self.hpc.config, &self.hpc.site)?;
        self.definition = Some(Arc::new(definition));
        Ok(())
    }

    /// Slurm may have accepted the job already: a maintainer of an older version may have
    /// submitted what this one refuses, and the configuration may have changed since.
    pub(super) async fn cannot_define(&mut self, cause: Cause) -> Result<(), StopReason> {
        let mut cause = cause;
        if self.job.step == Step::Submit && self.may_be_on_hpc() {
            match self.find_in_slurm().await? {
                Found::Handled => return Ok(()),
                Found::Nowhere => {}
                Found::Unknowable(reason) => {
                    cause = Cause::new(format!(
                        "{cause}; whether Slurm has it is not known ({reason})"
                    ));
                }
            }
        }
        if self.is_configured {
            self.fail(cause).await
        } else {
            // The operator may configure the maintainer again.
            self.park(cause.as_str()).await
        }
    }

    /// Result folder that is listed first, if the job can be defined.
    pub(super) fn listed_first(&self) -> Option<String> {
        if let Some(definition) = &self.definition {
            return definition.listed_first.clone();
        }
        let definition = self
            .kind
            .on_define(&self.job, &self.hpc.config, &self.hpc.site);
        definition.ok()?.listed_first
    }
}
