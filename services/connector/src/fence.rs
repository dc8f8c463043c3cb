//! The fence of a caller: under which lease a maintainer makes a call.
//!
//! The HPC keeps the newest fence of each job. Scripts that change something compare theirs
//! under the lock of the job (`scripts/fence.sh`), so a call that was held up on its way does
//! nothing once the next holder of the lease has made one.

use compute_domain::ids::JobId;
use compute_proto::wire;

use crate::{error::Error, paths::Place};

/// The fence of a call; by default none.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Fence(Option<Lease>);

#[derive(Debug, Clone, PartialEq, Eq, Hash)]
struct Lease {
    number: i64,
    job: String,
    place: Vec<String>,
}

impl Fence {
    /// The fence of a request for the account whose private folder is `place`.
    ///
    /// # Errors
    /// [`Error::Argument`] if it names no job, or its number is negative.
    pub(crate) fn of(fence: Option<wire::Fence>, place: &Place) -> Result<Self, Error> {
        let Some(wire::Fence { job_id, number }) = fence else {
            return Ok(Self(None));
        };
        if JobId::parse(&job_id).is_none() || number < 0 {
            return Err(Error::Argument(format!(
                "{number} is not a fence of job {job_id:?}"
            )));
        }
        Ok(Self(Some(Lease {
            number,
            job: job_id,
            place: place.arguments(),
        })))
    }

    /// The first arguments of each script after its mark: number, job, and where its files are;
    /// empty without a fence.
    pub(crate) fn arguments(&self) -> Vec<String> {
        let Some(Lease { number, job, place }) = &self.0 else {
            return vec![String::new(); 4];
        };
        let mut arguments = vec![number.to_string(), job.clone()];
        arguments.extend_from_slice(place);
        arguments
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn of(job_id: &str, number: i64) -> Result<Fence, Error> {
        let job_id = job_id.to_owned();
        let place = Place::below("/scratch", Some("alice"));
        Fence::of(Some(wire::Fence { job_id, number }), &place)
    }

    #[test]
    fn a_fence_is_four_arguments() {
        let fence = of("1795457659Ab3dE", 7).unwrap();
        let expected = ["7", "1795457659Ab3dE", "/scratch", ".cgc-alice"];
        assert_eq!(fence.arguments(), expected);
        assert_eq!(Fence::default().arguments(), ["", "", "", ""]);
    }

    #[test]
    fn odd_fences_are_rejected() {
        for (job, number) in [("../x", 1), ("", 1), ("1795457659Ab3dE", -1)] {
            assert!(matches!(of(job, number), Err(Error::Argument(_))), "{job}");
        }
    }
}
