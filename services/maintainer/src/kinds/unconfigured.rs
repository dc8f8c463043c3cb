//! A maintainer that is not configured.

use compute_config::Site;
use compute_domain::{
    job::{Cause, Job},
    site::Hpc,
};

use super::Kind;
use crate::definition::Definition;

/// Defines nothing; everything else is as for other kinds.
#[derive(Debug)]
pub(super) struct Unconfigured;

impl Kind for Unconfigured {
    fn on_define(&self, job: &Job, _hpc: &Hpc, _site: &Site) -> Result<Definition, Cause> {
        Err(Cause::new(format!(
            "maintainer {} is not configured on this server (any more): cancel the job, or ask \
             the operator",
            job.maintainer
        )))
    }
}
