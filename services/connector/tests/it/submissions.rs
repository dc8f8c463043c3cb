//! Submit exactly once.

use std::time::Duration;

use compute_domain::ErrorKind;
use futures::future::join_all;
use rstest::rstest;
use tokio::time::timeout;

use crate::{
    faults::Fault,
    parts::{Site, TestJob, kill, now},
    waiting::eventually,
};

#[tokio::test]
async fn however_often_it_is_asked_for() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    let together = join_all((0..8).map(|_| site.submit(&job))).await;
    let ids: Vec<String> = together
        .into_iter()
        .map(|seen| seen.unwrap().slurm_id)
        .collect();
    let again = site.submit(&job).await.unwrap();
    assert!(again.adopted);
    assert!(
        ids.iter().all(|id| *id == again.slurm_id),
        "{ids:?} {again:?}"
    );
    assert_eq!(site.jobs_named(&job.mark.job).await, [again.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn by_two_connectors_at_once() {
    let (one, other) = tokio::join!(Site::start(), Site::start());
    let job = one.job_with("sleep 1").await;
    let (first, second) = tokio::join!(one.submit(&job), other.submit(&job));
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.slurm_id, second.slurm_id);
    assert!(first.adopted != second.adopted, "one of them was first");
    assert_eq!(one.jobs_named(&job.mark.job).await, [first.slurm_id]);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn without_its_id_file_the_job_is_found_by_name() {
    let site = Site::start().await;
    let job = site.job_with("exit 0").await;
    let first = site.submit(&job).await.unwrap();
    std::fs::remove_file(job.private.join("slurm-id")).unwrap();
    let again = site.submit(&job).await.unwrap();
    assert!(again.adopted);
    assert_eq!(again.slurm_id, first.slurm_id);
    assert_eq!(site.jobs_named(&job.mark.job).await.len(), 1);
    site.stop().await;
}

#[rstest]
#[case::accepted_and_hung_up(Fault::DoneThenTimedOut)]
#[case::accepted_with_a_warning(Fault::DoneWithWarning)]
#[tokio::test]
async fn when_sbatch_lies(#[case] fault: Fault) {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, fault);
    let submitted = site.submit(&job).await.unwrap();
    assert!(!submitted.adopted);
    let again = site.submit(&job).await.unwrap();
    assert_eq!(again.slurm_id, submitted.slurm_id);
    assert_eq!(site.jobs_named(&job.mark.job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn a_caller_that_gives_up_is_joined_by_the_next() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, Fault::Slow);
    let wait = Duration::from_millis(500);
    let given_up = timeout(wait, site.submit(&job)).await;
    assert!(given_up.is_err());
    let submitted = site.submit(&job).await.unwrap();
    assert!(
        !submitted.adopted,
        "it is the first submission that answers"
    );
    assert_eq!(site.jobs_named(&job.mark.job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn when_the_connection_is_cut_during_sbatch() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, Fault::Slow);
    let (cut, ()) = tokio::join!(site.submit(&job), async {
        let pending = job.private.join(".fault-sbatch");
        eventually("sbatch is called", async || !pending.exists()).await;
        kill("-KILL", &site.masters()).await;
    });
    assert_eq!(cut.unwrap_err().kind(), ErrorKind::Uncertain);
    let found = site.submit(&job).await.unwrap();
    assert!(found.adopted, "the submission came to its end over there");
    assert_eq!(site.jobs_named(&job.mark.job).await, [found.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn when_everything_dies_after_sbatch() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, Fault::DoneThenKilled);
    let cut = site.submit(&job).await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Uncertain, "{cut}");
    let found = site.submit(&job).await.unwrap();
    assert!(found.adopted);
    assert_eq!(site.jobs_named(&job.mark.job).await, [found.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn what_is_uncertain_is_not_tried_again_too_soon() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, Fault::TimedOut);
    for attempt in 0..2 {
        let error = site.submit(&job).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Uncertain,
            "attempt {attempt}: {error}"
        );
    }
    assert!(site.jobs_named(&job.mark.job).await.is_empty());
    // A minute later Slurm still does not have it.
    let long_ago = format!("failed {}\n", now().seconds() - 60);
    job.leave("submit-tried", &long_ago);

    // A failed query does not mean that Slurm does not have the job.
    site.lie("squeue", &job, Fault::TimedOut);
    let error = site.submit(&job).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
    assert!(error.message.contains("Socket timed out"), "{error}");
    assert!(site.jobs_named(&job.mark.job).await.is_empty());

    let submitted = site.submit(&job).await.unwrap();
    assert!(!submitted.adopted);
    assert_eq!(site.jobs_named(&job.mark.job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn what_has_run_is_not_run_again_though_slurm_has_forgotten_it() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    job.leave("submit-tried", "begun 1700000000\n");
    job.leave("job.stdout", "hello\n");
    let error = site.submit(&job).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Uncertain);
    assert!(error.message.contains("run it twice"), "{error}");
    assert!(site.jobs_named(&job.mark.job).await.is_empty());
    site.stop().await;
}

#[tokio::test]
async fn a_refusal_is_in_slurms_words_and_final() {
    let site = Site::start().await;
    let job = site.job_with("#SBATCH --mem=900T\nexit 0").await;
    for _ in 0..2 {
        let refused = site.submit(&job).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        assert!(
            refused
                .message
                .contains("Memory specification can not be satisfied"),
            "{refused}"
        );
    }
    site.write_script(&job, "#!/bin/bash\nexit 0\n").await;
    let refused = site.submit(&job).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Refused, "with another script");
    // The record of a rejected submission is not a job, even if the rejection was lost.
    std::fs::remove_file(job.private.join("refused")).unwrap();
    let begun = format!("failed {}\n", now().seconds() - 60);
    job.leave("submit-tried", &begun);
    let submitted = site.submit(&job).await.unwrap();
    assert!(!submitted.adopted);
    site.stop().await;
}

#[tokio::test]
async fn what_cannot_be_submitted() {
    let site = Site::start().await;
    let mut job = site.new_job();
    let missing = site.submit(&job).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    assert!(missing.message.contains("batch script"), "{missing}");
    job.mark.job = compute_domain::ids::JobId::from_text("a,b; touch x");
    let refused = site.submit(&job).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    site.stop().await;
}

/// The version before kept its markers in the executable folder. They are a reason to
/// search; their content is not trusted.
#[tokio::test]
async fn marks_of_the_version_before_are_looked_at_and_not_believed() {
    let site = Site::start().await;
    let submitted = site.job_with("sleep 1").await;
    let first = site.submit(&submitted).await.unwrap();
    std::fs::remove_file(submitted.private.join("slurm-id")).unwrap();
    let new = site.job_with("sleep 1").await;
    for (job, id, found) in [
        (&submitted, "1", true),
        (&new, first.slurm_id.as_str(), false),
    ] {
        let folder = site.new_folder();
        site.write(&folder, ".cgc-slurm-id", id).await;
        let again = site.client.submit(&job.mark, Some(&folder), true).await;
        match again {
            Ok(again) => {
                assert!(found && again.adopted);
                assert_eq!(again.slurm_id, first.slurm_id);
            }
            Err(error) => {
                assert!(!found, "{error}");
                assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
                assert!(error.message.contains("earlier attempt"), "{error}");
            }
        }
    }
    assert!(site.jobs_named(&new.mark.job).await.is_empty());
    site.stop().await;
}

/// A stored Slurm id that belongs to another job by now is not used.
#[tokio::test]
async fn an_id_of_another_job_is_not_adopted() {
    let site = Site::start().await;
    let other = site.submitted("sleep 60").await;
    let job = site.job_with("sleep 1").await;
    job.leave("slurm-id", &format!("{}\n", other.slurm_id));
    let refused = site.submit(&job).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::Uncertain, "{refused}");
    assert!(refused.message.contains("another job"), "{refused}");
    let claimed = compute_domain::job::SlurmJob {
        slurm_id: other.slurm_id.clone(),
        mark: job.mark.clone(),
    };
    assert_eq!(
        site.observation(&claimed).await.phase,
        compute_domain::job::Phase::Absent
    );
    site.client.cancel(&claimed).await.unwrap();
    let held = site.client.suspend(&claimed).await.unwrap_err();
    assert_eq!(held.kind(), ErrorKind::Refused, "{held}");
    let usage = site.client.usage(&claimed).await.unwrap_err();
    assert_eq!(usage.kind(), ErrorKind::Uncertain, "{usage}");
    assert!(site.jobs_named(&job.mark.job).await.is_empty());
    assert_eq!(
        site.until(&other, |phase| *phase
            != compute_domain::job::Phase::Pending)
            .await,
        compute_domain::job::Phase::Running,
        "the other job goes on"
    );
    site.client.cancel(&other).await.unwrap();
    site.stop().await;
}

/// A job whose submission received no response is searched for before it is cancelled, and
/// never submitted.
#[tokio::test]
async fn a_look_for_a_submission_submits_nothing() {
    let site = Site::start().await;
    let find = async |job: &TestJob| {
        let found = site.client.find_submission(&job.mark, "").await;
        found.map(|found| found.map(|found| found.slurm_id))
    };
    let never = site.job_with("sleep 1").await;
    assert_eq!(find(&never).await, Ok(None));
    assert!(site.jobs_named(&never.mark.job).await.is_empty());

    let cut = site.job_with("sleep 1").await;
    site.lie("sbatch", &cut, Fault::DoneThenKilled);
    site.submit(&cut).await.unwrap_err();
    let found = find(&cut).await.unwrap();
    let [id] = site.jobs_named(&cut.mark.job).await.try_into().unwrap();
    assert_eq!(found, Some(id.clone()));
    // An operator may have removed its files.
    std::fs::remove_dir_all(&cut.private).unwrap();
    assert_eq!(find(&cut).await, Ok(Some(id)));

    let refused = site.job_with("sleep 1").await;
    site.lie("sbatch", &refused, Fault::TimedOut);
    site.submit(&refused).await.unwrap_err();
    let uncertain = find(&refused).await.unwrap_err();
    assert_eq!(uncertain.kind(), ErrorKind::Uncertain, "{uncertain}");
    refused.leave(
        "submit-tried",
        &format!("failed {}\n", now().seconds() - 60),
    );
    assert_eq!(find(&refused).await, Ok(None));
    assert!(site.jobs_named(&refused.mark.job).await.is_empty());
    site.stop().await;
}
