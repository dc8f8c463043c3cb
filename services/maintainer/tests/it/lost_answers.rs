//! Commits whose responses are lost: the database has them, and the process does not know.

use std::sync::Arc;

use compute_domain::job::State;
use compute_maintainer::lease;
use compute_testing::{CommitCutter, Database, Kind};

use crate::{fake_connector::Scripted::Hang, world::World};

#[tokio::test]
async fn each_event_is_written_once() {
    let database = Database::migrated(Kind::Postgres).await;
    let cutter = CommitCutter::start(&database.url).await;
    let world = World::on_postgres(database, &cutter.url()).await;
    // The first job of an HPC makes a row for it.
    let first = world.running().await;
    world.until_over(&first).await;
    let before = world.connector.calls_of("make_folder");
    let id = world.queued().await;
    world.connector.script("make_folder", &[Hang]);
    cutter.cut(1);
    let hpc = world.hpc();
    let claimed = compute_maintainer::intake::claim(&world.context, hpc, &id).await;
    assert!(claimed.is_err(), "{claimed:?}");
    // The next renewal finds the job.
    let renewing = lease::run(Arc::clone(&world.context));
    world.context.shutdown.tasks.spawn(renewing);
    let called = async || world.connector.calls_of("make_folder") > before;
    world.eventually("the first call", called).await;
    cutter.cut(3);
    world.connector.release();
    assert_eq!(world.until_over(&id).await.state, State::Ended);
    assert_eq!(cutter.left(), 0);
    assert_eq!(
        world.events(&id).await,
        [
            "JOB_QUEUED",
            "JOB_REGISTERED",
            "SLURM_UPLOAD_EXECUTABLE",
            "SLURM_CREATE_RESULT",
            "SLURM_SUBMIT",
            "SLURM_SUBMIT_SUCCESS",
            "JOB_INIT",
            "JOB_ENDED",
        ]
    );
    assert_eq!(world.connector.calls_of("submit"), 2, "of two jobs");
}
