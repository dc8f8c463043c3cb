//! Slurm 22.05 and later, through its commands.

use std::time::Duration;

use async_trait::async_trait;
use compute_domain::job::{SlurmJob, Usage};
use compute_proto::Submitted;

use super::{
    Listed, Scheduler, Submission,
    slurm_parse::{self, ACCOUNTED_COLUMNS, QUEUE_COLUMNS, USAGE_COLUMNS},
};
use crate::{
    error::Error,
    fence::Fence,
    paths::Place,
    remote::{Remote, Script, Shell},
};

/// Maximum seconds of a submission. `sbatch` waits for slurmctld up to the MessageTimeout
/// of the site, sometimes more than a minute.
const SUBMIT_SECONDS: u64 = 120;
/// Seconds that a submission waits for another one of the same job.
const LOCK_TIMEOUT: &str = "20";
/// Seconds that Slurm may take to show a job after an inconclusive reply.
const GRACE: &str = "20";
/// The same after a call of `sbatch` whose result was not stored.
const GRACE_OF_BEGUN: &str = "140";

static SUBMIT: Script = Script {
    name: "submit",
    body: concat!(
        include_str!("../scripts/fence.sh"),
        include_str!("../scripts/slurm.sh"),
        include_str!("../scripts/submit.sh")
    ),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(SUBMIT_SECONDS),
    max_output: 64 << 10,
};
static QUEUE: Script = Script {
    name: "squeue",
    body: include_str!("../scripts/queue.sh"),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(25),
    max_output: 32 << 20,
};
static ENDED: Script = Script {
    name: "sacct",
    body: include_str!("../scripts/ended.sh"),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(25),
    max_output: 8 << 20,
};
static USAGE: Script = Script {
    name: "usage",
    body: include_str!("../scripts/usage.sh"),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(25),
    max_output: 8 << 20,
};
static CANCEL: Script = Script {
    name: "scancel",
    body: concat!(
        include_str!("../scripts/fence.sh"),
        include_str!("../scripts/slurm.sh"),
        include_str!("../scripts/cancel.sh")
    ),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};
static PAUSE: Script = Script {
    name: "scontrol",
    body: concat!(
        include_str!("../scripts/fence.sh"),
        include_str!("../scripts/slurm.sh"),
        include_str!("../scripts/pause.sh")
    ),
    shell: Shell::Scheduler,
    limit: Duration::from_secs(25),
    max_output: 64 << 10,
};

/// Slurm on one HPC.
#[derive(Debug, Clone)]
pub(crate) struct Slurm {
    remote: Remote,
    place: Place,
}

impl Slurm {
    /// Slurm behind this login node.
    pub(crate) fn new(remote: Remote, place: Place) -> Self {
        Self { remote, place }
    }

    /// Runs a script that changes `job`, if Slurm still has it under its id.
    async fn control(
        &self,
        script: &'static Script,
        options: &[&str],
        fence: &Fence,
        job: &SlurmJob,
    ) -> Result<(), Error> {
        let mut arguments: Vec<String> = options.iter().copied().map(str::to_owned).collect();
        let SlurmJob { slurm_id, mark } = job;
        arguments.extend([slurm_id.clone(), mark.job.to_string(), mark.to_string()]);
        let remote = self.remote.fenced(fence);
        remote.run(script, arguments).await?.content("job")?;
        Ok(())
    }

    /// The output of accounting; [`Error::Refused`] if the site keeps none.
    async fn accounting(
        &self,
        script: &'static Script,
        columns: &str,
        ids: &str,
    ) -> Result<String, Error> {
        let reply = self
            .remote
            .run(script, vec![columns.to_owned(), ids.to_owned()])
            .await?;
        match reply.text("job") {
            Err(Error::Trouble(message)) if message.contains("accounting storage is disabled") => {
                Err(Error::Refused("the site keeps no accounting".to_owned()))
            }
            reply => reply,
        }
    }
}

impl Slurm {
    /// Runs the script that submits the job or finds it; `how` is `submit`, `search`, which
    /// searches Slurm before it submits, or `find`.
    async fn submission(&self, submission: &Submission, how: &str) -> Result<String, Error> {
        let Submission {
            mark,
            legacy,
            fence,
            ..
        } = submission;
        let mut arguments = self.place.arguments();
        arguments.extend([mark.job.to_string(), mark.to_string()]);
        arguments.extend([LOCK_TIMEOUT, GRACE, GRACE_OF_BEGUN].map(str::to_owned));
        let legacy = legacy.as_ref().and_then(|folder| folder.arguments().pop());
        arguments.extend([legacy.unwrap_or_default(), how.to_owned()]);
        let script = format!("batch script of job {}", mark.job);
        let remote = self.remote.fenced(fence);
        remote.run(&SUBMIT, arguments).await?.text(&script)
    }
}

fn not_understood(reply: &str) -> Error {
    Error::Uncertain(format!(
        "cannot parse the result of the submission: {reply:?}"
    ))
}

#[async_trait]
impl Scheduler for Slurm {
    async fn queue(&self) -> Result<Vec<Listed>, Error> {
        let reply = self
            .remote
            .run(&QUEUE, vec![QUEUE_COLUMNS.to_owned()])
            .await?;
        Ok(slurm_parse::queue(&reply.text("queue")?))
    }

    async fn accounted(&self, ids: &[String]) -> Result<Vec<Listed>, Error> {
        let reply = self
            .accounting(&ENDED, ACCOUNTED_COLUMNS, &ids.join(","))
            .await?;
        Ok(slurm_parse::accounted(&reply))
    }

    async fn submit(&self, submission: &Submission) -> Result<Submitted, Error> {
        let how = if submission.is_fresh {
            "submit"
        } else {
            "search"
        };
        let reply = self.submission(submission, how).await?;
        submitted(&reply).ok_or_else(|| not_understood(&reply))
    }

    async fn find_submission(&self, submission: &Submission) -> Result<Option<String>, Error> {
        let reply = self.submission(submission, "find").await?;
        if reply.trim().rsplit('\n').next() == Some("none") {
            return Ok(None);
        }
        let found = submitted(&reply).ok_or_else(|| not_understood(&reply))?;
        Ok(Some(found.slurm_id))
    }

    async fn cancel(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error> {
        self.control(&CANCEL, &[], fence, job).await
    }

    async fn suspend(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error> {
        self.control(&PAUSE, &["suspend"], fence, job).await
    }

    async fn resume(&self, fence: &Fence, job: &SlurmJob) -> Result<(), Error> {
        self.control(&PAUSE, &["resume"], fence, job).await
    }

    async fn usage(&self, job: &SlurmJob) -> Result<Usage, Error> {
        match self.accounting(&USAGE, USAGE_COLUMNS, &job.slurm_id).await {
            Ok(reply) => slurm_parse::usage(&reply, job).ok_or_else(|| {
                let id = &job.slurm_id;
                Error::Uncertain(format!(
                    "accounting does not have the end of Slurm job {id} yet"
                ))
            }),
            Err(Error::Refused(_)) => Ok(Usage::default()),
            Err(error) => Err(error),
        }
    }
}

/// Parses `submitted ID` or `adopted ID`.
fn submitted(reply: &str) -> Option<Submitted> {
    let (how, id) = reply.trim().rsplit('\n').next()?.split_once(' ')?;
    let adopted = match how {
        "submitted" => false,
        "adopted" => true,
        _ => return None,
    };
    let is_id = !id.is_empty() && id.bytes().all(|b| b.is_ascii_digit());
    is_id.then(|| Submitted {
        slurm_id: id.to_owned(),
        adopted,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn results_of_a_submission() {
        let of = |id: &str, adopted| {
            Some(Submitted {
                slurm_id: id.to_owned(),
                adopted,
            })
        };
        assert_eq!(submitted("submitted 17\n"), of("17", false));
        assert_eq!(submitted("adopted 17\n"), of("17", true));
        assert_eq!(submitted("lua: hello\nsubmitted 17\n"), of("17", false));
        for broken in ["", "submitted ", "submitted 17;x", "17", "submitted 1 2"] {
            assert_eq!(submitted(broken), None, "{broken:?}");
        }
    }
}
