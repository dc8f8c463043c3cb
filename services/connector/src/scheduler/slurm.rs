//! Slurm, by its command line (22.05 and later).

use std::time::Duration;

use async_trait::async_trait;
use compute_domain::job::{Mark, SlurmJob, Usage};
use compute_proto::Submitted;

use super::{
    Listed, Scheduler,
    slurm_parse::{self, ENDED_COLUMNS, QUEUE_COLUMNS, USAGE_COLUMNS},
};
use crate::{
    error::Error,
    paths::{Place, RemotePath},
    remote::{Remote, Script, Shell},
};

/// `sbatch` waits for slurmctld as long as the site's MessageTimeout, sometimes
/// a minute and more.
const SUBMIT_SECONDS: u64 = 120;
/// How long a submission waits for one of the same job that is still under way.
const LOCK_PATIENCE: &str = "20";
/// How long after an answer that left it open Slurm may still show the job.
const GRACE: &str = "20";
/// The same after a call of `sbatch` whose end was never noted.
const GRACE_OF_BEGUN: &str = "140";

static SUBMIT: Script = Script {
    name: "submit",
    body: concat!(
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
    /// Slurm behind that login node.
    pub(crate) fn new(remote: Remote, place: Place) -> Self {
        Self { remote, place }
    }

    /// Runs a script that changes `job`, if Slurm still has it under its id.
    async fn control(
        &self,
        script: &'static Script,
        words: &[&str],
        job: &SlurmJob,
    ) -> Result<(), Error> {
        let mut arguments: Vec<String> = words.iter().copied().map(str::to_owned).collect();
        let SlurmJob { slurm_id, mark } = job;
        arguments.extend([slurm_id.clone(), mark.job.to_string(), mark.to_string()]);
        self.remote.run(script, arguments).await?.content("job")?;
        Ok(())
    }

    /// Accounting's answer; a site that keeps none is [`Error::Refused`].
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
            Err(Error::Trouble(words)) if words.contains("accounting storage is disabled") => {
                Err(Error::Refused("the site keeps no accounting".to_owned()))
            }
            answer => answer,
        }
    }
}

impl Slurm {
    /// Runs the script that submits, or only looks.
    async fn submission(
        &self,
        mark: &Mark,
        legacy: Option<&RemotePath>,
        how: &str,
    ) -> Result<String, Error> {
        let mut arguments = self.place.arguments();
        arguments.extend([mark.job.to_string(), mark.to_string()]);
        arguments.extend([LOCK_PATIENCE, GRACE, GRACE_OF_BEGUN].map(str::to_owned));
        let legacy = legacy.and_then(|folder| folder.arguments().pop());
        arguments.extend([legacy.unwrap_or_default(), how.to_owned()]);
        let script = format!("batch script of job {}", mark.job);
        self.remote.run(&SUBMIT, arguments).await?.text(&script)
    }
}

fn not_understood(answer: &str) -> Error {
    Error::Uncertain(format!(
        "the answer to the submission was not understood: {answer:?}"
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

    async fn ended(&self, ids: &[String]) -> Result<Vec<Listed>, Error> {
        let answer = self
            .accounting(&ENDED, ENDED_COLUMNS, &ids.join(","))
            .await?;
        Ok(slurm_parse::ended(&answer))
    }

    async fn submit(&self, mark: &Mark, legacy: Option<&RemotePath>) -> Result<Submitted, Error> {
        let answer = self.submission(mark, legacy, "submit").await?;
        submitted(&answer).ok_or_else(|| not_understood(&answer))
    }

    async fn find_submission(
        &self,
        mark: &Mark,
        legacy: Option<&RemotePath>,
    ) -> Result<Option<String>, Error> {
        let answer = self.submission(mark, legacy, "look").await?;
        if answer.trim().rsplit('\n').next() == Some("none") {
            return Ok(None);
        }
        let found = submitted(&answer).ok_or_else(|| not_understood(&answer))?;
        Ok(Some(found.slurm_id))
    }

    async fn cancel(&self, job: &SlurmJob) -> Result<(), Error> {
        self.control(&CANCEL, &[], job).await
    }

    async fn suspend(&self, job: &SlurmJob) -> Result<(), Error> {
        self.control(&PAUSE, &["suspend"], job).await
    }

    async fn resume(&self, job: &SlurmJob) -> Result<(), Error> {
        self.control(&PAUSE, &["resume"], job).await
    }

    async fn usage(&self, job: &SlurmJob) -> Result<Usage, Error> {
        match self.accounting(&USAGE, USAGE_COLUMNS, &job.slurm_id).await {
            Ok(answer) => Ok(slurm_parse::usage(&answer, job)),
            Err(Error::Refused(_)) => Ok(Usage::default()),
            Err(error) => Err(error),
        }
    }
}

/// Reads `submitted ID` or `adopted ID`.
fn submitted(answer: &str) -> Option<Submitted> {
    let (how, id) = answer.trim().rsplit('\n').next()?.split_once(' ')?;
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
    fn answers_of_a_submission() {
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
