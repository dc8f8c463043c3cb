//! Calls of a holder of the lease that is not the holder any more.

use compute_domain::{
    ErrorKind,
    job::{JobFile, Phase, SlurmJob},
};
use compute_proto::{ConnectorClient, RemoteError};

use crate::{
    faults::Fault,
    parts::{Site, TestJob},
    waiting::eventually,
};

impl Site {
    /// The client of a maintainer that holds the lease of `job` with this fence.
    pub(crate) fn holder(&self, job: &TestJob, fence: i64) -> ConnectorClient {
        self.client.with_fence(&job.mark.job, fence)
    }
}

fn kind<T>(result: Result<T, RemoteError>) -> ErrorKind {
    result.map(drop).unwrap_err().kind
}

/// A take-over raises the fence; whatever the earlier holder still sends changes nothing.
#[tokio::test]
async fn an_older_holder_changes_nothing() {
    let site = Site::start().await;
    let job = site.job_with("sleep 60").await;
    let (old, new) = (site.holder(&job, 1), site.holder(&job, 2));
    let folder = site.new_folder();
    old.make_folder(&folder).await.unwrap();
    new.raise_fence().await.unwrap();
    new.raise_fence().await.unwrap();

    let id = &job.mark.job;
    let fenced = [
        kind(old.raise_fence().await),
        kind(old.make_folder(&format!("{folder}/a")).await),
        kind(old.write_file(&format!("{folder}/b"), b"x".to_vec()).await),
        kind(
            old.upload_folder(&format!("{folder}/c"), &[0; 10240][..])
                .await,
        ),
        kind(old.copy_folder(&folder, &format!("{folder}-d")).await),
        kind(old.write_job_file(id, JobFile::Script, b"x".to_vec()).await),
        kind(old.submit(&job.mark, None, true).await),
        kind(old.find_submission(&job.mark, "").await),
    ];
    assert_eq!(fenced, [ErrorKind::Fenced(2); 8]);
    let left = std::fs::read_dir(&folder).unwrap().count();
    assert_eq!(left, 0, "nothing was written");
    assert!(site.jobs_named(id).await.is_empty());

    let slurm_id = new.submit(&job.mark, None, true).await.unwrap().slurm_id;
    let job = SlurmJob {
        slurm_id,
        mark: job.mark,
    };
    site.until(&job, |phase| *phase == Phase::Running).await;
    let fenced = [
        kind(old.cancel(&job).await),
        kind(old.suspend(&job).await),
        kind(old.resume(&job).await),
    ];
    assert_eq!(fenced, [ErrorKind::Fenced(2); 3]);
    assert_eq!(site.observation(&job).await.phase, Phase::Running);
    new.cancel(&job).await.unwrap();
    site.stop().await;
}

/// The owner resumes the job, whose pause by the earlier holder is still under way.
#[tokio::test]
async fn a_pause_that_was_held_up_is_not_carried_out() {
    let site = Site::start().await;
    let job = site.job_with("#SBATCH --begin=now+1hour\nexit 0").await;
    let (old, new) = (site.holder(&job, 1), site.holder(&job, 2));
    let slurm_id = old.submit(&job.mark, None, true).await.unwrap().slurm_id;
    let job = SlurmJob {
        slurm_id,
        mark: job.mark,
    };
    new.resume(&job).await.unwrap();
    assert_eq!(kind(old.suspend(&job).await), ErrorKind::Fenced(2));
    let seen = site.observation(&job).await;
    assert_ne!(seen.reason, "JobHeldUser", "{seen:?}");
    new.cancel(&job).await.unwrap();
    site.stop().await;
}

/// The first request was held up; the next holder's submission is refused, and its row says so.
#[tokio::test]
async fn a_request_that_was_held_up_does_not_submit_what_was_refused() {
    let site = Site::start().await;
    let job = site.job_with("exit 0").await;
    site.lie("sbatch", &job, Fault::Refused);
    let refused = site.holder(&job, 2).submit(&job.mark, None, false).await;
    assert_eq!(kind(refused), ErrorKind::Refused);
    let late = site.holder(&job, 1).submit(&job.mark, None, true).await;
    assert_eq!(kind(late), ErrorKind::Fenced(2));
    // A maintainer of the version before sends no fence.
    for late in [site.holder(&job, 2), site.client.clone()] {
        let late = late.submit(&job.mark, None, true).await.unwrap_err();
        assert_eq!(late.kind, ErrorKind::Refused, "{late}");
        assert!(late.message.contains("QOSMaxWall"), "{late}");
    }
    assert!(site.jobs_named(&job.mark.job).await.is_empty());
    // Nobody was told that this one had failed.
    let submitted = site.holder(&job, 3).submit(&job.mark, None, false).await;
    assert!(!submitted.unwrap().adopted);
    site.stop().await;
}

/// A job is cancelled while its submission is under way.
#[tokio::test]
async fn a_request_that_was_held_up_does_not_submit_what_was_cancelled() {
    let site = Site::start().await;
    for has_script in [true, false] {
        let job = if has_script {
            site.job_with("exit 0").await
        } else {
            site.new_job()
        };
        let holder = site.holder(&job, 1);
        for _ in 0..2 {
            let found = holder.find_submission(&job.mark, "").await.unwrap();
            assert_eq!(found, None);
        }
        if !has_script {
            site.write_script(&job, "#!/bin/sh\nexit 0\n").await;
        }
        for late in [&holder, &site.client] {
            let late = late.submit(&job.mark, None, true).await.unwrap_err();
            assert_eq!(late.kind, ErrorKind::Refused, "{late}");
        }
        assert!(site.jobs_named(&job.mark.job).await.is_empty());
    }
    site.stop().await;
}

/// The database was restored from a dump in which the job is still queued: it is submitted with
/// other folders, and its files were removed meanwhile.
#[tokio::test]
async fn a_job_that_ran_before_a_restore_is_adopted() {
    let site = Site::start().await;
    let job = site.job_with("exit 3").await;
    let first = site.holder(&job, 2).submit(&job.mark, None, true).await;
    let first = first.unwrap().slurm_id;
    let in_slurm = SlurmJob {
        slurm_id: first.clone(),
        mark: job.mark.clone(),
    };
    site.until(&in_slurm, |phase| matches!(phase, Phase::Ended(_)))
        .await;
    job.leave("job.exit", "3\n");
    site.client.remove_job(&job.mark.job).await.unwrap();
    assert!(!job.private.exists());

    let restored = site.holder(&job, 1);
    let rejected = kind(restored.raise_fence().await);
    assert_eq!(rejected, ErrorKind::Fenced(3), "above the last holder's");
    assert!(!job.private.exists(), "nothing is left of a rejected call");
    for fence in [3, 4] {
        let holder = site.holder(&job, fence);
        let script = b"#!/bin/sh\nexit 0\n".to_vec();
        let (id, script_file) = (&job.mark.job, JobFile::Script);
        holder
            .write_job_file(id, script_file, script)
            .await
            .unwrap();
        let again = holder.submit(&job.mark, None, fence == 3).await.unwrap();
        assert!(again.adopted);
        assert_eq!(again.slurm_id, first);
        let exit = holder.read_job_file(id, JobFile::ExitCode, 16).await;
        assert_eq!(exit.unwrap().content, b"3\n");
        holder.remove_job(id).await.unwrap();
    }
    // The private folder was removed, too: Slurm is asked.
    let done = job.private.parent().unwrap().parent().unwrap().join("done");
    std::fs::remove_file(done.join(job.mark.job.as_str())).unwrap();
    site.write_script(&job, "#!/bin/sh\nexit 0\n").await;
    let again = site.holder(&job, 1).submit(&job.mark, None, false).await;
    let again = again.unwrap();
    assert!(again.adopted);
    assert_eq!(again.slurm_id, first);
    assert_eq!(site.jobs_named(&job.mark.job).await, [first]);
    site.stop().await;
}

/// The files of a job that Slurm never had are removed, and the database is restored from a
/// dump in which it waits: it is submitted.
#[tokio::test]
async fn a_job_that_slurm_never_had_is_submitted_after_a_restore() {
    let site = Site::start().await;
    let job = site.job_with("exit 0").await;
    let first = site.holder(&job, 1);
    let found = first.find_submission(&job.mark, "").await.unwrap();
    assert!(found.is_none());
    site.client.remove_job(&job.mark.job).await.unwrap();
    let holder = site.holder(&job, 5);
    let script = b"#!/bin/sh\nexit 0\n".to_vec();
    let written = holder.write_job_file(&job.mark.job, JobFile::Script, script);
    written.await.unwrap();
    let submitted = holder.submit(&job.mark, None, false).await.unwrap();
    assert!(!submitted.adopted, "{submitted:?}");
    site.stop().await;
}

/// What an attempt that was cut has left is removed by the one that finds its job.
#[tokio::test]
async fn an_adoption_leaves_no_files_of_the_attempt() {
    let site = Site::start().await;
    let job = site.job_with("sleep 1").await;
    site.lie("sbatch", &job, Fault::DoneThenKilled);
    site.submit(&job).await.unwrap_err();
    assert!(job.private.join("sbatch.err").exists());
    assert!(site.submit(&job).await.unwrap().adopted);
    for entry in std::fs::read_dir(&job.private).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let is_left = name.contains("part") || name == "sbatch.err";
        assert!(!is_left, "{name}");
    }
    site.stop().await;
}

/// The lock of a job whose files are removed is not taken by a call that waited for it.
#[tokio::test]
async fn a_removal_and_other_calls_at_once() {
    let site = Site::start().await;
    let job = site.job_with("exit 0").await;
    let folder = site.new_folder();
    for fence in (10..=100).step_by(10) {
        let holder = site.holder(&job, fence);
        holder.raise_fence().await.unwrap();
        let (removed, made, raised) = tokio::join!(
            holder.remove_job(&job.mark.job),
            holder.make_folder(&folder),
            holder.raise_fence()
        );
        removed.unwrap();
        for result in [made, raised] {
            let rejected = result.err().map(|error| error.kind);
            assert!(
                matches!(
                    rejected,
                    None | Some(ErrorKind::Unavailable | ErrorKind::Uncertain)
                ) || rejected == Some(ErrorKind::Fenced(fence + 1)),
                "{rejected:?}"
            );
        }
    }
    eventually("the fence is known", async || {
        kind(site.holder(&job, 0).raise_fence().await) == ErrorKind::Fenced(101)
    })
    .await;
    site.stop().await;
}
