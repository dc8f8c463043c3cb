//! Where jobs stand that an HPC says it has.

use compute_db::Progress;
use compute_domain::{
    ids::JobId,
    job::{Change, State},
};
use compute_testing::Kind::{self, MariaDb, Postgres, Sqlite};
use rstest::rstest;

use crate::world::{World, alice};

#[rstest]
#[tokio::test]
async fn jobs_that_an_hpc_says_it_has_are_found(#[values(Sqlite, Postgres, MariaDb)] kind: Kind) {
    let world = World::new(kind).await;
    let queued = world.queued(&alice()).await;
    let (_, token) = world.leased("m1").await;
    let accepted = Progress {
        change: Some(Change::Accept),
        slurm_id: Some("17".to_owned()),
        ..Progress::default()
    };
    let job = world.advance(&token, accepted).await;

    // More than one query asks for.
    let mut ids: Vec<_> = (0..600)
        .map(|n| JobId::from_text(format!("none{n}")))
        .collect();
    ids.insert(0, queued.id.clone());
    ids.push(job.id.clone());
    let mut found = world.store.job_status(&ids).await.unwrap();
    found.sort_by_key(|found| found.slurm_id.clone());
    let [first, second] = &found[..] else {
        panic!("{found:?}");
    };
    assert_eq!((&first.id, first.state), (&queued.id, Some(State::Queued)));
    assert_eq!(
        (&second.id, second.state),
        (&job.id, Some(State::Submitted))
    );
    assert_eq!(second.slurm_id.as_deref(), Some("17"));
    assert_eq!(second.updated_at, job.updated_at);
    assert_eq!(world.store.job_status(&[]).await.unwrap(), []);
}
