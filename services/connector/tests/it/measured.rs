//! Counts and times; no other test runs at the same time.

use std::time::{Duration, Instant};

use compute_domain::job::Phase;
use futures::future::join_all;

use crate::parts::Site;

/// When `command` ran on the login node, in milliseconds since the epoch.
fn runs_of(site: &Site, command: &str) -> Vec<u64> {
    let log = std::fs::read_to_string(site.facts.path("commands_log")).unwrap();
    log.lines()
        .filter_map(|line| line.split_once(' '))
        .filter(|(_, run)| run.split(' ').next() == Some(command))
        .map(|(at, _)| at.parse().unwrap())
        .collect()
}

#[tokio::test]
async fn fifty_callers_of_a_tick_share_one_squeue() {
    let site = Site::start_with(|hpc| hpc.poll_interval = Duration::from_secs(2)).await;
    let jobs = join_all((0..5).map(|_| site.submitted("sleep 20"))).await;
    let before = (
        runs_of(&site, "squeue").len(),
        runs_of(&site, "sacct").len(),
    );
    let begun = Instant::now();
    let mut seen = 0;
    while begun.elapsed() < Duration::from_millis(5500) {
        let callers = (0..50).map(|_| site.client.job_states(&jobs));
        for answer in join_all(callers).await {
            seen += answer
                .unwrap()
                .iter()
                .filter(|job| job.phase == Phase::Running)
                .count();
        }
        tokio::time::sleep(Duration::from_millis(50)).await;
    }
    assert!(seen > 1000);
    let squeues = runs_of(&site, "squeue").split_off(before.0);
    // One at once, one after 2 s, one after 4 s; fewer if the machine is slow.
    assert!((2..=3).contains(&squeues.len()), "{squeues:?}");
    let gaps: Vec<u64> = squeues.windows(2).map(|pair| pair[1] - pair[0]).collect();
    assert!(gaps.iter().all(|gap| *gap >= 2000), "{gaps:?}");
    assert_eq!(
        runs_of(&site, "sacct").len(),
        before.1,
        "all are in the queue"
    );
    join_all(jobs.iter().map(|job| site.client.cancel(job))).await;
    site.stop().await;
}

#[tokio::test]
async fn what_we_add_to_a_command() {
    let site = Site::start().await;
    let folder = site.new_folder();
    site.client.make_folder(&folder).await.unwrap();
    let call = median(20, async || {
        site.client.make_folder(&folder).await.unwrap();
    })
    .await;
    let submission = median(10, async || {
        let job = site.job_with("exit 0").await;
        let begun = Instant::now();
        site.submit(&job).await.unwrap();
        site.write(&folder, "took", &begun.elapsed().as_millis().to_string())
            .await;
    })
    .await;
    println!("make folder: median {call:?}; write script, submit, write: median {submission:?}");
    assert!(
        call < Duration::from_millis(100),
        "a bare command takes 9 ms: {call:?}"
    );
    assert!(
        submission < Duration::from_millis(400),
        "a bare sbatch takes 16 ms: {submission:?}"
    );
    site.stop().await;
}

async fn median(times: usize, call: impl AsyncFn()) -> Duration {
    let mut all = Vec::new();
    for _ in 0..times {
        let begun = Instant::now();
        call().await;
        all.push(begun.elapsed());
    }
    all.sort();
    all[times / 2]
}
