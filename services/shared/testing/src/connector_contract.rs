//! What each connector does for its callers. The real one passes this against a Slurm, and the scripted one of the maintainer's
//! tests, so that the maintainer is tested against responses that exist.

use std::{
    slice,
    time::{Duration, Instant},
};

use compute_domain::{
    Clock as _, ErrorKind, SystemClock,
    ids::JobId,
    job::{JobFile, Mark, Phase, SlurmJob},
};
use compute_proto::ConnectorClient;

/// A deadline that a slow machine meets.
const DEADLINE: Duration = Duration::from_secs(120);

/// A batch script of `mark` that runs until it is cancelled.
fn script(mark: &Mark) -> Vec<u8> {
    let script = format!(
        "#!/bin/bash\n#SBATCH --output=/dev/null\n#SBATCH --comment={mark}\n#SBATCH --mem=50M\nsleep 600\n"
    );
    script.into_bytes()
}

fn new_mark() -> Mark {
    Mark {
        deployment: "contract".to_owned(),
        job: JobId::generate(SystemClock.now()),
    }
}

async fn slurm_id_found(client: &ConnectorClient, mark: &Mark) -> Option<String> {
    let found = client.find_submission(mark, "").await.unwrap()?;
    assert!(found.adopted, "a submission that was found: {found:?}");
    Some(found.slurm_id)
}

/// A job is submitted once, however often that is requested, and is found again. Returns the job, which runs or waits.
///
/// # Panics
/// If the connector behind `client` does something else.
pub async fn submits_once(client: &ConnectorClient) -> SlurmJob {
    let mark = new_mark();
    assert_eq!(slurm_id_found(client, &mark).await, None);
    let missing = client.submit(&mark, None, false).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    let text = script(&mark);
    let written = client.write_job_file(&mark.job, JobFile::Script, text);
    written.await.unwrap();
    assert_eq!(slurm_id_found(client, &mark).await, None);
    let first = client.submit(&mark, None, false).await.unwrap();
    assert!(!first.adopted, "{first:?}");
    let again = client.submit(&mark, None, false).await.unwrap();
    assert!(again.adopted, "{again:?}");
    assert_eq!(first.slurm_id, again.slurm_id);
    let found = slurm_id_found(client, &mark).await;
    assert_eq!(found.as_ref(), Some(&first.slurm_id));
    SlurmJob {
        slurm_id: first.slurm_id,
        mark,
    }
}

/// An id that cannot be a job's is refused and not tried again.
///
/// # Panics
/// If the connector behind `client` does something else.
pub async fn refuses_odd_ids(client: &ConnectorClient) {
    let mark = Mark {
        job: JobId::from_text("a,b; touch x"),
        ..new_mark()
    };
    let refused = client.submit(&mark, None, false).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
}

/// There is one observation for each job that is asked for, in this order; nothing is known about a job that Slurm does not have.
///
/// # Panics
/// If the connector behind `client` does something else.
pub async fn shows_each_job(client: &ConnectorClient, job: &SlurmJob) {
    let unknown = SlurmJob {
        slurm_id: "4000000".to_owned(),
        mark: new_mark(),
    };
    until(client, job, |phase| *phase == Phase::Running).await;
    // The query that it shares with others may have been about other jobs.
    until(client, &unknown, |phase| *phase == Phase::Absent).await;
    let both = [unknown.clone(), job.clone()];
    let began = Instant::now();
    loop {
        let seen = client.job_states(&both).await;
        let phases = seen.as_deref().map(|seen| {
            let ids: Vec<_> = seen.iter().map(|one| one.slurm_id.as_str()).collect();
            assert_eq!(
                ids,
                [&unknown.slurm_id, &job.slurm_id],
                "in the order asked"
            );
            seen.iter().map(|one| &one.phase).collect::<Vec<_>>()
        });
        if phases.is_ok_and(|phases| phases == [&Phase::Absent, &Phase::Running]) {
            break;
        }
        pause(began, &format!("{seen:?}")).await;
    }
    let usage = client.usage(&unknown).await.unwrap_err();
    assert_eq!(usage.kind(), ErrorKind::Uncertain, "{usage}");
}

/// A job that is cancelled ends; cancelling it again changes nothing. Then its usage is known.
///
/// # Panics
/// If the connector behind `client` does something else.
pub async fn cancels(client: &ConnectorClient, job: &SlurmJob) {
    client.cancel(job).await.unwrap();
    let Phase::Ended(end) = until(client, job, |phase| matches!(phase, Phase::Ended(_))).await
    else {
        return;
    };
    assert_eq!(end.slurm_state, "CANCELLED");
    client.cancel(job).await.unwrap();
    let again = client.submit(&job.mark, None, false).await.unwrap();
    assert!(again.adopted, "a job that has ended is not submitted again");
    assert_eq!(again.slurm_id, job.slurm_id);
    let began = Instant::now();
    while let Err(error) = client.usage(job).await {
        assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
        pause(began, &error.message).await;
    }
}

async fn until(client: &ConnectorClient, job: &SlurmJob, wanted: impl Fn(&Phase) -> bool) -> Phase {
    let began = Instant::now();
    loop {
        let seen = client.job_states(slice::from_ref(job)).await;
        match seen.as_deref() {
            Ok([seen]) if wanted(&seen.phase) => return seen.phase.clone(),
            _ => pause(began, &format!("{seen:?}")).await,
        }
    }
}

async fn pause(began: Instant, seen: &str) {
    assert!(began.elapsed() < DEADLINE, "still {seen}");
    tokio::time::sleep(Duration::from_millis(100)).await;
}
