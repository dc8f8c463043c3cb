//! A connector that answers as scripted: the real protocol over a listener of its own, without
//! an HPC behind it.

mod slurm;

use std::{
    collections::{HashMap, VecDeque},
    sync::{Arc, Mutex},
};

use compute_domain::{ErrorKind, ids::JobId};
use compute_proto::{
    Targeted, status_of,
    wire::{
        self, JobPhase,
        connector_server::{Connector, ConnectorServer},
    },
};
use tokio::{net::TcpListener, sync::Notify};
use tokio_stream::wrappers::TcpListenerStream;
use tonic::{Request, Response, Status, Streaming};

use self::slurm::FakeSlurm;

/// The response to one call.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Scripted {
    /// As without a script.
    Pass,
    /// This error.
    Fail(ErrorKind, &'static str),
    /// As without a script, but nothing happens on the HPC.
    Ignore,
    /// None, until the test calls [`FakeConnector::release`].
    Hang,
    /// None until then, and then this error.
    HangThenFail(ErrorKind, &'static str),
}

/// What the scheduler shows of every job.
#[derive(Debug, Clone)]
pub(crate) struct Shown {
    phase: JobPhase,
    slurm_state: &'static str,
    exit_code: Option<i32>,
    reason: &'static str,
}

impl Shown {
    pub(crate) fn running() -> Self {
        Self::phase(JobPhase::Running)
    }

    pub(crate) fn phase(phase: JobPhase) -> Self {
        Self {
            phase,
            slurm_state: "",
            exit_code: None,
            reason: "",
        }
    }

    /// Waiting, for this reason.
    pub(crate) fn pending(reason: &'static str) -> Self {
        Self {
            reason,
            ..Self::phase(JobPhase::Pending)
        }
    }

    pub(crate) fn ended(slurm_state: &'static str, exit_code: i32) -> Self {
        Self {
            phase: JobPhase::Ended,
            slurm_state,
            exit_code: Some(exit_code),
            reason: "",
        }
    }
}

struct State {
    calls: Vec<&'static str>,
    script: HashMap<&'static str, VecDeque<Scripted>>,
    shown: Shown,
    /// The Slurm id of a submission that was tried before.
    found: Option<&'static str>,
    slurm: FakeSlurm,
    /// The fences of calls that change something.
    fences: Vec<(&'static str, Option<i64>)>,
}

/// The connector. Clones share their state.
#[derive(Clone)]
pub(crate) struct FakeConnector {
    state: Arc<Mutex<State>>,
    released: Arc<Notify>,
}

impl FakeConnector {
    /// Starts it; its address. Jobs end well at the first look.
    pub(crate) async fn start() -> (Self, String) {
        let state = State {
            calls: Vec::new(),
            script: HashMap::new(),
            shown: Shown::ended("COMPLETED", 0),
            found: None,
            slurm: FakeSlurm::default(),
            fences: Vec::new(),
        };
        let this = Self {
            state: Arc::new(Mutex::new(state)),
            released: Arc::default(),
        };
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = format!("http://{}", listener.local_addr().unwrap());
        let service = ConnectorServer::new(this.clone());
        let server = tonic::transport::Server::builder().add_service(service);
        tokio::spawn(server.serve_with_incoming(TcpListenerStream::new(listener)));
        (this, address)
    }

    /// The next calls of `method` are answered so.
    pub(crate) fn script(&self, method: &'static str, responses: &[Scripted]) {
        let mut state = self.state.lock().unwrap();
        state.script.entry(method).or_default().extend(responses);
    }

    /// From now on the scheduler shows this of every job.
    pub(crate) fn show(&self, shown: Shown) {
        self.state.lock().unwrap().shown = shown;
    }

    /// The submission that an earlier try left in Slurm.
    pub(crate) fn has_submission(&self, slurm_id: &'static str) {
        self.state.lock().unwrap().found = Some(slurm_id);
    }

    /// The batch script of a job was written before.
    pub(crate) fn has_script(&self, job: &JobId) {
        self.state.lock().unwrap().slurm.write_script(job.as_str());
    }

    /// A job was submitted before, and Slurm has it under this id.
    pub(crate) fn has_job(&self, job: &JobId, slurm_id: &str) {
        let mut state = self.state.lock().unwrap();
        state.slurm.put(job.as_str(), slurm_id);
    }

    /// Lets a call that hangs go on.
    pub(crate) fn release(&self) {
        self.released.notify_one();
    }

    /// All calls, but for those in a row for the states of jobs.
    pub(crate) fn calls(&self) -> Vec<&'static str> {
        let mut calls = self.state.lock().unwrap().calls.clone();
        calls.dedup();
        calls
    }

    /// How often `method` was called.
    pub(crate) fn calls_of(&self, method: &str) -> usize {
        let state = self.state.lock().unwrap();
        state.calls.iter().filter(|call| **call == method).count()
    }

    /// All methods that were called, each once, in the order of their first calls.
    pub(crate) fn methods(&self) -> Vec<&'static str> {
        let mut methods = Vec::new();
        for call in &self.state.lock().unwrap().calls {
            if !methods.contains(call) {
                methods.push(*call);
            }
        }
        methods
    }

    /// The fences that the calls of `method` had.
    pub(crate) fn fences_of(&self, method: &str) -> Vec<Option<i64>> {
        let state = self.state.lock().unwrap();
        let fences = state.fences.iter().filter(|(called, _)| *called == method);
        fences.map(|(_, fence)| *fence).collect()
    }

    fn note_fence(&self, method: &'static str, mut request: impl Targeted) {
        let fence = request.take_target().fence.map(|fence| fence.number);
        self.state.lock().unwrap().fences.push((method, fence));
    }

    /// Whether the call has its effect.
    async fn called(&self, method: &'static str) -> Result<bool, Status> {
        let scripted = {
            let mut state = self.state.lock().unwrap();
            state.calls.push(method);
            let script = state.script.get_mut(method);
            script.and_then(VecDeque::pop_front)
        };
        match scripted {
            None | Some(Scripted::Pass) => Ok(true),
            Some(Scripted::Ignore) => Ok(false),
            Some(Scripted::Fail(kind, message)) => Err(status_of(kind, message)),
            Some(Scripted::HangThenFail(kind, message)) => {
                self.released.notified().await;
                Err(status_of(kind, message))
            }
            Some(Scripted::Hang) => {
                self.released.notified().await;
                Ok(true)
            }
        }
    }
}

type Answer<T> = Result<Response<T>, Status>;

/// Methods with an empty response, and the others.
macro_rules! connector {
    ($($method:ident: $request:ident => $response:ident,)* ; $($rest:tt)*) => {
        #[tonic::async_trait]
        impl Connector for FakeConnector {
            $(async fn $method(&self, request: Request<wire::$request>) -> Answer<wire::$response> {
                self.note_fence(stringify!($method), request.into_inner());
                self.called(stringify!($method)).await?;
                Ok(Response::new(wire::$response::default()))
            })*
            $($rest)*
        }
    };
}

connector! {
    check: CheckRequest => CheckResponse,
    check_login: CheckLoginRequest => CheckLoginResponse,
    make_folder: MakeFolderRequest => MakeFolderResponse,
    write_file: WriteFileRequest => WriteFileResponse,
    copy_folder: CopyFolderRequest => CopyFolderResponse,
    store_logs: StoreLogsRequest => StoreLogsResponse,
    raise_fence: RaiseFenceRequest => RaiseFenceResponse,
    remove_job: RemoveJobRequest => RemoveJobResponse,
    deployment_jobs: DeploymentJobsRequest => DeploymentJobsResponse,
    remove_folder: RemoveFolderRequest => RemoveFolderResponse,
    check_folder: CheckFolderRequest => CheckFolderResponse,
    read_file: ReadFileRequest => ReadFileResponse,
    ;
    async fn upload_folder(
        &self,
        request: Request<Streaming<wire::UploadFolderRequest>>,
    ) -> Answer<wire::UploadFolderResponse> {
        self.called("upload_folder").await?;
        let mut parts = request.into_inner();
        while parts.message().await?.is_some() {}
        Ok(Response::new(wire::UploadFolderResponse::default()))
    }

    async fn read_job_file(
        &self,
        _: Request<wire::ReadJobFileRequest>,
    ) -> Answer<wire::ReadFileResponse> {
        self.called("read_job_file").await?;
        Ok(Response::new(wire::ReadFileResponse {
            content: "said\n".into(),
            size: 5,
        }))
    }

    async fn write_job_file(
        &self,
        request: Request<wire::WriteJobFileRequest>,
    ) -> Answer<wire::WriteJobFileResponse> {
        let request = request.into_inner();
        self.note_fence("write_job_file", request.clone());
        self.called("write_job_file").await?;
        if request.file() == wire::JobFile::Script {
            let mut state = self.state.lock().unwrap();
            state.slurm.write_script(&request.job_id);
        }
        Ok(Response::new(wire::WriteJobFileResponse::default()))
    }

    async fn submit(&self, request: Request<wire::SubmitRequest>) -> Answer<wire::SubmitResponse> {
        let request = request.into_inner();
        self.note_fence("submit", request.clone());
        self.called("submit").await?;
        let mut state = self.state.lock().unwrap();
        let job = request.job_id;
        if let Some(found) = state.found {
            state.slurm.put(&job, found);
        }
        state.slurm.submit(&job).map(Response::new)
    }

    async fn find_submission(
        &self,
        request: Request<wire::FindSubmissionRequest>,
    ) -> Answer<wire::FindSubmissionResponse> {
        self.called("find_submission").await?;
        let mut state = self.state.lock().unwrap();
        let job = request.into_inner().job_id;
        if let Some(found) = state.found {
            state.slurm.put(&job, found);
        }
        let slurm_id = state.slurm.id_of(&job);
        Ok(Response::new(wire::FindSubmissionResponse { slurm_id }))
    }

    async fn job_states(
        &self,
        request: Request<wire::JobStatesRequest>,
    ) -> Answer<wire::JobStatesResponse> {
        self.called("job_states").await?;
        let state = self.state.lock().unwrap();
        let absent = Shown::phase(JobPhase::Absent);
        let observation = |job: wire::SlurmJob| {
            let shown = if state.slurm.has(&job.slurm_id) {
                &state.shown
            } else {
                &absent
            };
            wire::JobObservation {
                slurm_id: job.slurm_id,
                phase: shown.phase.into(),
                slurm_state: shown.slurm_state.to_owned(),
                exit_code: shown.exit_code,
                signal: shown.exit_code.map(|_| 0),
                reason: shown.reason.to_owned(),
                ..wire::JobObservation::default()
            }
        };
        let jobs = request.into_inner().jobs.into_iter().map(observation);
        Ok(Response::new(wire::JobStatesResponse {
            jobs: jobs.collect(),
        }))
    }

    async fn cancel(&self, request: Request<wire::CancelRequest>) -> Answer<wire::CancelResponse> {
        self.note_fence("cancel", request.into_inner());
        if self.called("cancel").await? {
            self.show(Shown::ended("CANCELLED", 0));
        }
        Ok(Response::new(wire::CancelResponse::default()))
    }

    async fn suspend(
        &self,
        request: Request<wire::SuspendRequest>,
    ) -> Answer<wire::SuspendResponse> {
        self.note_fence("suspend", request.into_inner());
        if self.called("suspend").await? {
            let mut state = self.state.lock().unwrap();
            state.shown = match state.shown.phase {
                JobPhase::Pending => Shown::pending("JobHeldUser"),
                JobPhase::Running => Shown::phase(JobPhase::Suspended),
                _ => state.shown.clone(),
            };
        }
        Ok(Response::new(wire::SuspendResponse::default()))
    }

    async fn resume(&self, _: Request<wire::ResumeRequest>) -> Answer<wire::ResumeResponse> {
        if self.called("resume").await? {
            let mut state = self.state.lock().unwrap();
            match state.shown.phase {
                JobPhase::Suspended => state.shown = Shown::running(),
                JobPhase::Pending => state.shown = Shown::pending("Priority"),
                _ => {}
            }
        }
        Ok(Response::new(wire::ResumeResponse::default()))
    }

    async fn usage(&self, request: Request<wire::UsageRequest>) -> Answer<wire::UsageResponse> {
        self.called("usage").await?;
        let job = request.into_inner().job.unwrap_or_default();
        if !self.state.lock().unwrap().slurm.has(&job.slurm_id) {
            let message = "accounting does not have the job";
            return Err(status_of(ErrorKind::Uncertain, message));
        }
        Ok(Response::new(wire::UsageResponse {
            walltime_seconds: Some(3),
            ..wire::UsageResponse::default()
        }))
    }

    async fn list_folder(
        &self,
        _: Request<wire::ListFolderRequest>,
    ) -> Answer<wire::ListFolderResponse> {
        self.called("list_folder").await?;
        Ok(Response::new(wire::ListFolderResponse {
            directories: vec!["/".to_owned()],
            is_cut: false,
        }))
    }
}
