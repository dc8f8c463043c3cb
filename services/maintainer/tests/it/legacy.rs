//! Rows that an older version has let pass.

use compute_db::{ChangeOutcome, JobPatch, Pinned};
use compute_domain::job::{State, Step};
use rstest::rstest;
use serde_json::json;

use crate::world::{HELLO, HPC, World, alice};

/// At the step submit, Slurm may have the job already: it is looked for before the job fails.
#[rstest]
#[case::slurm_has_it(Some("18"), State::Ended, None)]
#[case::slurm_does_not(None, State::Failed, Some("must be names of modules"))]
#[tokio::test]
async fn options_that_are_refused_now_are_looked_for_in_slurm(
    #[case] found: Option<&'static str>,
    #[case] state: State,
    #[case] cause: Option<&str>,
) {
    let world = World::new().await;
    if let Some(slurm_id) = found {
        world.connector.has_submission(slurm_id);
    }
    let job = world.created(HELLO, HPC).await;
    let slurm = json!({"modules": ["/scratch/x/evil"]});
    let patch = JobPatch {
        slurm: slurm.as_object().cloned(),
        ..JobPatch::default()
    };
    let changed = world.store().change_job(&alice(), &job.id, patch).await;
    let ChangeOutcome::Changed(job) = changed.unwrap() else {
        panic!("not changed")
    };
    let id = world.submit(&job, Pinned::default()).await;
    world.abandoned(&id, Step::Submit).await;
    world.sweep();
    let job = world.until_over(&id).await;
    assert_eq!((job.state, job.slurm_id.as_deref()), (state, found));
    let said = job.cause.unwrap_or_default();
    assert!(said.contains(cause.unwrap_or_default()), "{said}");
    assert_eq!(world.connector.calls_of("submit"), 0);
    assert_eq!(world.connector.calls_of("find_submission"), 1);
}
