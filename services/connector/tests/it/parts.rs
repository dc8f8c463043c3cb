//! A connector in this process, on the cluster of the test parts.

mod processes;

use std::{
    path::{Path, PathBuf},
    sync::Arc,
    time::{Duration, Instant},
};

use compute_connector::Connector;
use compute_domain::{
    SystemClock, Timestamp,
    clock::Clock as _,
    ids::JobId,
    job::{JobFile, JobObservation, Mark, Phase, SlurmJob, private_path},
    site::Hpc,
};
use compute_proto::{ConnectorClient, RemoteError, Submitted};
use compute_runtime::{grpc::Transport, seal::SealingKey, tls::Role};
use compute_testing::{Facts, cluster_hpc};
use tokio::{net::TcpListener, process::Command};
use tokio_util::{sync::CancellationToken, task::TaskTracker};

pub(crate) use processes::{kill, processes_that_name};

pub(crate) const HPC: &str = "local_hpc";
const END: Duration = Duration::from_secs(60);

/// A client of the connector at `address`, for `hpc`.
pub(crate) fn client_of(address: &str, hpc: &str) -> ConnectorClient {
    let channel = Transport::Plain.channel(address, Role::Connector).unwrap();
    ConnectorClient::for_hpc(channel, hpc)
}

/// A job that has its script.
pub(crate) struct TestJob {
    /// Its name and comment.
    pub(crate) mark: Mark,
    /// Its folder in the private folder of the account.
    pub(crate) private: PathBuf,
}

impl TestJob {
    /// Writes a file to that folder, like an earlier attempt.
    pub(crate) fn leave(&self, name: &str, content: &str) {
        std::fs::write(self.private.join(name), content).unwrap();
    }
}

/// A serving connector, and a client of it.
pub(crate) struct Site {
    pub(crate) facts: Facts,
    pub(crate) client: ConnectorClient,
    /// Folder of the control sockets.
    pub(crate) control: tempfile::TempDir,
    connector: Arc<Connector>,
    stop: CancellationToken,
    tasks: TaskTracker,
}

impl Site {
    pub(crate) async fn start() -> Self {
        Self::start_with(|_| {}).await
    }

    /// Starts with an HPC that `change` has modified.
    pub(crate) async fn start_with(change: impl FnOnce(&mut Hpc)) -> Self {
        let facts = Facts::of("hpc");
        let mut hpc = cluster_hpc(&facts);
        change(&mut hpc);
        let control = tempfile::Builder::new()
            .prefix("cgc-it-")
            .tempdir_in("/tmp")
            .unwrap();
        let (tasks, stop) = (TaskTracker::new(), CancellationToken::new());
        let keys = tempfile::tempdir().unwrap();
        let key = SealingKey::load_or_create(&keys.path().join("credential.key")).unwrap();
        let clock = Arc::new(SystemClock);
        let built = compute_connector::build([hpc], clock, control.path(), &tasks, Some(key)).await;
        let connector = Arc::new(built.unwrap());
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let (serving, stopped) = (Arc::clone(&connector), stop.clone());
        tasks.spawn(async move {
            serving
                .serve(listener, Transport::Plain, stopped)
                .await
                .unwrap()
        });
        let client = client_of(&address, HPC);
        Self {
            facts,
            client,
            control,
            connector,
            stop,
            tasks,
        }
    }

    /// Path of a new folder of a user.
    pub(crate) fn new_folder(&self) -> String {
        let folder = JobId::generate(SystemClock.now());
        format!("{}/{folder}", self.facts.text("root_path"))
    }

    /// A new job without any files.
    pub(crate) fn new_job(&self) -> TestJob {
        let mark = Mark {
            deployment: "it".to_owned(),
            job: JobId::generate(SystemClock.now()),
        };
        let root = self.facts.text("root_path");
        let script = private_path(root, None, &mark.job, JobFile::Script);
        let private = Path::new(&script).parent().unwrap().to_owned();
        TestJob { mark, private }
    }

    /// A new job whose batch script has these lines.
    pub(crate) async fn job_with(&self, lines: &str) -> TestJob {
        let job = self.new_job();
        self.write_script(&job, &batch_script(&job, lines)).await;
        job
    }

    pub(crate) async fn write_script(&self, job: &TestJob, content: &str) {
        let (id, content) = (&job.mark.job, content.into());
        self.client
            .write_job_file(id, JobFile::Script, content)
            .await
            .unwrap();
    }

    /// Submits `job`.
    pub(crate) async fn submit(&self, job: &TestJob) -> Result<Submitted, RemoteError> {
        self.client.submit(&job.mark, None, true).await
    }

    pub(crate) async fn write(&self, folder: &str, name: &str, content: &str) {
        let path = format!("{folder}/{name}");
        self.client.write_file(&path, content.into()).await.unwrap();
    }

    /// Submits a job with these lines.
    pub(crate) async fn submitted(&self, lines: &str) -> SlurmJob {
        let job = self.job_with(lines).await;
        SlurmJob {
            slurm_id: self.submit(&job).await.unwrap().slurm_id,
            mark: job.mark,
        }
    }

    pub(crate) async fn observation(&self, job: &SlurmJob) -> JobObservation {
        let jobs = std::slice::from_ref(job);
        let mut seen = self.client.job_states(jobs).await.unwrap();
        assert_eq!(seen.len(), 1);
        seen.remove(0)
    }

    /// Waits for a phase for which `wanted` is true.
    pub(crate) async fn until(&self, job: &SlurmJob, wanted: impl Fn(&Phase) -> bool) -> Phase {
        let begun = Instant::now();
        loop {
            let seen = self.observation(job).await;
            if wanted(&seen.phase) {
                return seen.phase;
            }
            assert!(begun.elapsed() < END, "{job:?} is still {seen:?}");
            tokio::time::sleep(Duration::from_millis(100)).await;
        }
    }

    /// Slurm ids of the jobs of that name, from a separate command.
    pub(crate) async fn jobs_named(&self, job: &JobId) -> Vec<String> {
        let output = Command::new("squeue")
            .env("SLURM_CONF", self.facts.path("slurm_conf"))
            .args(["-h", "-t", "all", "-o", "%i", "-n", job.as_str()])
            .output()
            .await
            .unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8(output.stdout)
            .unwrap()
            .lines()
            .map(str::to_owned)
            .collect()
    }

    /// Processes of the logins of this connector.
    pub(crate) fn masters(&self) -> Vec<u32> {
        processes_that_name(self.control.path().to_str().unwrap())
    }

    /// Stops like the service.
    pub(crate) async fn stop(self) {
        self.stop.cancel();
        drop(self.client);
        self.tasks.close();
        tokio::time::timeout(Duration::from_secs(20), self.tasks.wait())
            .await
            .unwrap();
        self.connector.close().await;
    }
}

/// A batch script with the comment of the job; its logs are in the private folder.
pub(crate) fn batch_script(job: &TestJob, lines: &str) -> String {
    let (mark, private) = (&job.mark, job.private.display());
    format!(
        "#!/bin/bash\n#SBATCH --output={private}/job.stdout\n#SBATCH --error={private}/job.stderr\n\
         #SBATCH --comment={mark}\n#SBATCH --mem=50M\n{lines}\n"
    )
}

/// A job that does not exist in Slurm.
pub(crate) fn unknown_job(slurm_id: &str) -> SlurmJob {
    let mark = Mark::parse("it:1795457659Ab3dE").unwrap();
    SlurmJob {
        slurm_id: slurm_id.to_owned(),
        mark,
    }
}

/// The current time on the HPC, which is this machine.
pub(crate) fn now() -> Timestamp {
    SystemClock.now()
}
