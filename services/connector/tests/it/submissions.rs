//! Submit exactly once.

use std::time::Duration;

use compute_domain::ErrorKind;
use futures::future::join_all;
use rstest::rstest;
use tokio::time::timeout;

use crate::{
    faults::Fault,
    parts::{HPC, Site, kill, now},
};

#[tokio::test]
async fn however_often_it_is_asked_for() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    let together = join_all((0..8).map(|_| site.client.submit(HPC, &job, &folder))).await;
    let ids: Vec<String> = together
        .into_iter()
        .map(|seen| seen.unwrap().slurm_id)
        .collect();
    let again = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(again.adopted);
    assert!(
        ids.iter().all(|id| *id == again.slurm_id),
        "{ids:?} {again:?}"
    );
    assert_eq!(site.jobs_named(&job).await, [again.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn by_two_connectors_at_once() {
    let (one, other) = tokio::join!(Site::start(), Site::start());
    let (job, folder) = one.job_with("sleep 1").await;
    let (first, second) = tokio::join!(
        one.client.submit(HPC, &job, &folder),
        other.client.submit(HPC, &job, &folder)
    );
    let (first, second) = (first.unwrap(), second.unwrap());
    assert_eq!(first.slurm_id, second.slurm_id);
    assert!(first.adopted != second.adopted, "one of them was first");
    assert_eq!(one.jobs_named(&job).await, [first.slurm_id]);
    one.stop().await;
    other.stop().await;
}

#[tokio::test]
async fn without_its_id_file_the_job_is_found_by_name() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("exit 0").await;
    let first = site.client.submit(HPC, &job, &folder).await.unwrap();
    std::fs::remove_file(format!("{folder}/.cgc-slurm-id")).unwrap();
    let again = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(again.adopted);
    assert_eq!(again.slurm_id, first.slurm_id);
    assert_eq!(site.jobs_named(&job).await.len(), 1);
    site.stop().await;
}

#[rstest]
#[case::accepted_and_hung_up(Fault::DoneThenTimedOut)]
#[case::accepted_with_a_warning(Fault::DoneWithWarning)]
#[tokio::test]
async fn when_sbatch_lies(#[case] fault: Fault) {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, fault).await;
    let submitted = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(!submitted.adopted);
    let again = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert_eq!(again.slurm_id, submitted.slurm_id);
    assert_eq!(site.jobs_named(&job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn a_caller_that_gives_up_is_joined_by_the_next() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::Slow).await;
    let wait = Duration::from_millis(500);
    let given_up = timeout(wait, site.client.submit(HPC, &job, &folder)).await;
    assert!(given_up.is_err());
    let submitted = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(
        !submitted.adopted,
        "it is the first submission that answers"
    );
    assert_eq!(site.jobs_named(&job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn when_the_connection_is_cut_during_sbatch() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::Slow).await;
    let (cut, ()) = tokio::join!(site.client.submit(HPC, &job, &folder), async {
        tokio::time::sleep(Duration::from_millis(500)).await;
        kill("-KILL", &site.masters()).await;
    });
    assert_eq!(cut.unwrap_err().kind(), ErrorKind::Uncertain);
    let found = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(found.adopted, "the submission came to its end over there");
    assert_eq!(site.jobs_named(&job).await, [found.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn when_everything_dies_after_sbatch() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::DoneThenKilled).await;
    let cut = site.client.submit(HPC, &job, &folder).await.unwrap_err();
    assert_eq!(cut.kind(), ErrorKind::Uncertain, "{cut}");
    let found = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(found.adopted);
    assert_eq!(site.jobs_named(&job).await, [found.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn what_is_uncertain_is_not_tried_again_too_soon() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::TimedOut).await;
    for attempt in 0..2 {
        let error = site.client.submit(HPC, &job, &folder).await.unwrap_err();
        assert_eq!(
            error.kind(),
            ErrorKind::Uncertain,
            "attempt {attempt}: {error}"
        );
    }
    assert!(site.jobs_named(&job).await.is_empty());
    // A minute later Slurm still does not have it.
    let long_ago = format!("failed {}\n", now().seconds() - 60);
    site.write(&folder, ".cgc-submit-tried", &long_ago).await;

    // That it cannot be asked does not mean that it does not have it.
    site.lie("squeue", &folder, Fault::TimedOut).await;
    let error = site.client.submit(HPC, &job, &folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Uncertain, "{error}");
    assert!(error.message.contains("Socket timed out"), "{error}");
    assert!(site.jobs_named(&job).await.is_empty());

    let submitted = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(!submitted.adopted);
    assert_eq!(site.jobs_named(&job).await, [submitted.slurm_id]);
    site.stop().await;
}

#[tokio::test]
async fn what_has_run_is_not_run_again_though_slurm_has_forgotten_it() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("sleep 1").await;
    site.write(&folder, ".cgc-submit-tried", "begun 1700000000\n")
        .await;
    site.write(&folder, "job.stdout", "hello\n").await;
    let error = site.client.submit(HPC, &job, &folder).await.unwrap_err();
    assert_eq!(error.kind(), ErrorKind::Uncertain);
    assert!(error.message.contains("run it twice"), "{error}");
    assert!(site.jobs_named(&job).await.is_empty());
    site.stop().await;
}

#[tokio::test]
async fn a_refusal_is_in_slurms_words_and_final_until_the_script_is_mended() {
    let site = Site::start().await;
    let (job, folder) = site.job_with("#SBATCH --mem=900T\nexit 0").await;
    for _ in 0..2 {
        let refused = site.client.submit(HPC, &job, &folder).await.unwrap_err();
        assert_eq!(refused.kind(), ErrorKind::Refused, "{refused}");
        assert!(
            refused
                .message
                .contains("Memory specification can not be satisfied"),
            "{refused}"
        );
    }
    // A record of a refused submission is no job, even if the refusal never arrived.
    let begun = format!("failed {}\n", now().seconds() - 60);
    site.write(&folder, ".cgc-submit-tried", &begun).await;
    site.write(&folder, "job.sbatch", "#!/bin/bash\nexit 0\n")
        .await;
    let submitted = site.client.submit(HPC, &job, &folder).await.unwrap();
    assert!(!submitted.adopted);
    site.stop().await;
}

#[tokio::test]
async fn what_cannot_be_submitted() {
    let site = Site::start().await;
    let (job, folder) = site.new_job();
    let missing = site.client.submit(HPC, &job, &folder).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    site.client.make_folder(HPC, &folder).await.unwrap();
    let missing = site.client.submit(HPC, &job, &folder).await.unwrap_err();
    assert_eq!(missing.kind(), ErrorKind::NotFound, "{missing}");
    assert!(missing.message.contains("job.sbatch"), "{missing}");
    let odd = compute_domain::ids::JobId::from_text("a,b; touch x");
    let refused = site.client.submit(HPC, &odd, &folder).await.unwrap_err();
    assert_eq!(refused.kind(), ErrorKind::InvalidArgument, "{refused}");
    site.stop().await;
}

/// Cancelling a job whose submission was not answered: it is looked for, and never
/// submitted.
#[tokio::test]
async fn a_look_for_a_submission_submits_nothing() {
    let site = Site::start().await;
    let find = async |job: &_, folder: &str| {
        let found = site.client.find_submission(HPC, job, folder).await;
        found.map(|found| found.map(|found| found.slurm_id))
    };
    let (never, folder) = site.job_with("sleep 1").await;
    assert_eq!(find(&never, &folder).await, Ok(None));
    assert!(site.jobs_named(&never).await.is_empty());

    let (cut, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::DoneThenKilled).await;
    site.client.submit(HPC, &cut, &folder).await.unwrap_err();
    let found = find(&cut, &folder).await.unwrap();
    let [id] = site.jobs_named(&cut).await.try_into().unwrap();
    assert_eq!(found, Some(id.clone()));
    // Its program may remove what lies in its folder, or all of it.
    std::fs::remove_dir_all(&folder).unwrap();
    assert_eq!(find(&cut, &folder).await, Ok(Some(id)));

    let (refused, folder) = site.job_with("sleep 1").await;
    site.lie("sbatch", &folder, Fault::TimedOut).await;
    site.client
        .submit(HPC, &refused, &folder)
        .await
        .unwrap_err();
    let uncertain = find(&refused, &folder).await.unwrap_err();
    assert_eq!(uncertain.kind(), ErrorKind::Uncertain, "{uncertain}");
    let long_ago = format!("failed {}\n", now().seconds() - 60);
    site.write(&folder, ".cgc-submit-tried", &long_ago).await;
    assert_eq!(find(&refused, &folder).await, Ok(None));
    assert!(site.jobs_named(&refused).await.is_empty());
    site.stop().await;
}
