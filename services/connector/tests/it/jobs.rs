//! States of jobs, and operations on them.

use compute_domain::{
    Clock, ErrorKind, SystemClock,
    job::{EndState, Phase, Usage},
};

use crate::{
    parts::{Site, unknown_job},
    waiting::eventually,
};

fn end(state: &str, code: i32, signal: i32) -> Phase {
    Phase::Ended(EndState {
        slurm_state: state.to_owned(),
        exit_code: Some(code),
        signal: Some(signal),
    })
}

fn is_end(phase: &Phase) -> bool {
    matches!(phase, Phase::Ended(_))
}

#[tokio::test]
async fn each_ends_as_it_did() {
    let site = Site::start().await;
    let began = SystemClock.now().seconds();
    let (good, bad, killed, cancelled) = tokio::join!(
        site.submitted("sleep 1"),
        site.submitted("exit 3"),
        site.submitted("kill -11 $$"),
        site.submitted("sleep 60"),
    );
    assert_eq!(
        site.until(&cancelled, |phase| *phase == Phase::Running)
            .await,
        Phase::Running
    );
    site.client.cancel(&cancelled).await.unwrap();
    assert_eq!(site.until(&good, is_end).await, end("COMPLETED", 0, 0));
    assert_eq!(site.until(&bad, is_end).await, end("FAILED", 3, 0));
    assert_eq!(site.until(&killed, is_end).await, end("FAILED", 0, 11));
    let Phase::Ended(ended) = site.until(&cancelled, is_end).await else {
        panic!("no end")
    };
    assert_eq!(ended.slurm_state, "CANCELLED");
    for job in [&good, &bad, &killed, &cancelled] {
        let seen = site.observation(job).await;
        let started = seen.started_at.expect("it ran").seconds();
        let now = SystemClock.now().seconds();
        assert!((began..=now).contains(&started), "{began} {seen:?} {now}");
    }
    site.client.cancel(&cancelled).await.unwrap();
    site.client.cancel(&good).await.unwrap();

    // A job that Slurm does not know has not ended.
    let unknown = unknown_job("4000000");
    let seen = site.until(&unknown, |phase| *phase != Phase::Unknown).await;
    assert_eq!(seen, Phase::Absent);
    site.stop().await;
}

#[tokio::test]
async fn accounting_answers_for_what_has_left_the_queue() {
    let site = Site::start().await;
    let slurm_id = site.submitted("exit 3").await;
    site.until(&slurm_id, is_end).await;
    let mut seen = Usage::default();
    eventually("accounting has the job", async || {
        match site.client.usage(&slurm_id).await {
            Ok(usage) => seen = usage,
            Err(error) => assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}"),
        }
        seen.walltime.is_some()
    })
    .await;
    assert_eq!(
        (seen.nodes, seen.cpus, seen.memory),
        (Some(1), Some(1), Some(50 * 1024))
    );
    assert!(
        seen.walltime.is_some() && seen.cpu_time.is_some(),
        "{seen:?}"
    );
    let unknown = unknown_job("4000000");
    let unknown = site.client.usage(&unknown).await.unwrap_err();
    assert_eq!(unknown.kind(), ErrorKind::Uncertain, "{unknown}");
    site.stop().await;
}

#[tokio::test]
async fn a_pending_job_is_held_and_released() {
    let site = Site::start().await;
    let slurm_id = site.submitted("#SBATCH --begin=now+1hour\nexit 0").await;
    site.until(&slurm_id, |phase| *phase == Phase::Pending)
        .await;
    site.client.suspend(&slurm_id).await.unwrap();
    site.client.suspend(&slurm_id).await.unwrap();
    let is_held = async || {
        let seen = site.observation(&slurm_id).await;
        seen.phase == Phase::Pending && seen.reason == "JobHeldUser"
    };
    eventually("the job is held", is_held).await;
    site.client.resume(&slurm_id).await.unwrap();
    eventually("the job is released", async || !is_held().await).await;
    site.client.cancel(&slurm_id).await.unwrap();
    assert!(is_end(&site.until(&slurm_id, is_end).await));
    site.stop().await;
}

#[tokio::test]
async fn a_running_job_is_suspended_or_slurm_says_why_not() {
    let site = Site::start().await;
    let slurm_id = site.submitted("sleep 60").await;
    site.until(&slurm_id, |phase| *phase == Phase::Running)
        .await;
    match site.client.suspend(&slurm_id).await {
        // Some releases do not allow this to the owner of a job.
        Err(refused) => {
            assert_eq!(refused.kind(), ErrorKind::Refused);
            assert!(refused.message.contains("permission denied"), "{refused}");
        }
        Ok(()) => {
            site.until(&slurm_id, |phase| *phase == Phase::Suspended)
                .await;
            site.client.resume(&slurm_id).await.unwrap();
            site.until(&slurm_id, |phase| *phase == Phase::Running)
                .await;
        }
    }
    site.client.resume(&slurm_id).await.unwrap();
    site.client.cancel(&slurm_id).await.unwrap();
    site.until(&slurm_id, is_end).await;
    for ended in [
        site.client.suspend(&slurm_id).await,
        site.client.resume(&slurm_id).await,
        site.client.suspend(&unknown_job("4000000")).await,
    ] {
        assert_eq!(ended.unwrap_err().kind(), ErrorKind::Refused);
    }
    site.stop().await;
}

#[tokio::test]
async fn odd_ids_never_reach_the_login_node() {
    let site = Site::start().await;
    for id in ["", "1;id", "1,2", "-u", "1 2", "$(id)"] {
        let asked = site
            .client
            .job_states(&[unknown_job(id)])
            .await
            .unwrap_err();
        assert_eq!(asked.kind(), ErrorKind::InvalidArgument);
        assert_eq!(
            site.client
                .cancel(&unknown_job(id))
                .await
                .unwrap_err()
                .kind(),
            ErrorKind::InvalidArgument
        );
    }
    assert!(site.masters().is_empty(), "no login");
    site.stop().await;
}
