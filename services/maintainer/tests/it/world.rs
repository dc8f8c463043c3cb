//! A maintainer process without its loops, and jobs for it. Tests start the loops that they
//! are about.

use std::{
    collections::BTreeMap,
    fs,
    sync::{Arc, Mutex},
    time::Duration,
};

use compute_config::{Site, Stores};
use compute_db::{
    Checked, Claim, LeaseHolder, LeaseToken, NewJob, Pinned, Places, Progress, Store, SubmitOutcome,
};
use compute_domain::{
    Timestamp,
    clock::ManualClock,
    ids::{JobId, MaintainerId, UserId},
    job::{Change, Intent, Job, State, Step},
    site::{ContainerRuntime, Hpc, KindName, MaintainerConfig},
};
use compute_maintainer::{
    Deps, build,
    context::Context,
    grpc::MaintainerService,
    hpc_handle::HpcHandle,
    intake::{self, Claimed},
    lease,
};
use compute_proto::wire::{NoticeRequest, maintainer_server::Maintainer as _};
use compute_queue::{Queue, RedisOptions};
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown};
use compute_templates::{MirrorOptions, Mirrors};
use compute_testing::{Database, Kind, community_hpc};
use secrecy::SecretString;
use serde_json::Map;
use tempfile::TempDir;
use tonic::Request;

use crate::fake_connector::FakeConnector;

pub(crate) const HPC: &str = "local_hpc";
pub(crate) const HELLO: &str = "hello";
pub(crate) const TEMPLATES: &str = "templates";
/// Longer than any test: only tests of the lease let it expire.
pub(crate) const LEASE: Duration = Duration::from_secs(600);

/// A deadline that a slow machine meets.
const DEADLINE: Duration = Duration::from_secs(60);

pub(crate) struct World {
    pub(crate) context: Arc<Context>,
    pub(crate) connector: FakeConnector,
    pub(crate) clock: Arc<ManualClock>,
    /// The clock of the database.
    pub(crate) lease_clock: Arc<ManualClock>,
    pub(crate) database: Database,
    pub(crate) folder: TempDir,
    /// What this process said to the database.
    statements: Arc<Mutex<Vec<String>>>,
}

pub(crate) fn alice() -> UserId {
    UserId::from_text("alice@hub:8000")
}

pub(crate) fn bob() -> UserId {
    UserId::from_text("bob@hub:8000")
}

fn hpc() -> Hpc {
    Hpc {
        container_runtime: ContainerRuntime::None,
        job_pool_capacity: 10,
        jobs_per_user: 10,
        poll_interval: Duration::from_millis(20),
        ..community_hpc()
    }
}

fn maintainer(name: &str, kind: KindName) -> MaintainerConfig {
    MaintainerConfig {
        name: name.to_owned(),
        hpc: vec![HPC.to_owned()],
        default_hpc: HPC.to_owned(),
        kind,
        public: Map::new(),
    }
}

fn site(folder: &TempDir, connector: String) -> Site {
    for name in [
        "config.json",
        "hpc.json",
        "maintainer.json",
        "jupyter-globus-map.json",
    ] {
        fs::write(folder.path().join(name), "{}").unwrap();
    }
    let variables = BTreeMap::<String, String>::new();
    let mut site = compute_config::load(folder.path(), &variables, Stores::All)
        .unwrap()
        .site;
    site.server.connector_address = connector;
    site.server.lease = LEASE;
    site.server.sweep = Duration::from_millis(100);
    site.hpcs.insert(HPC.to_owned(), hpc());
    for (name, kind) in [
        (HELLO, KindName::HelloWorldSingularity),
        (TEMPLATES, KindName::CommunityContribution),
    ] {
        site.maintainers
            .insert(name.to_owned(), maintainer(name, kind));
    }
    site
}

/// A Redis that is away.
fn no_redis() -> RedisOptions {
    RedisOptions {
        host: "127.0.0.1".to_owned(),
        port: 1,
        password: None,
        prefix: String::new(),
    }
}

impl World {
    pub(crate) async fn new() -> Self {
        Self::with_redis(no_redis()).await
    }

    pub(crate) async fn with_redis(redis: RedisOptions) -> Self {
        Self::with(redis, |_| {}).await
    }

    /// A process whose HPC is changed by `change`.
    pub(crate) async fn with(redis: RedisOptions, change: impl FnOnce(&mut Hpc)) -> Self {
        let database = Database::migrated(Kind::Sqlite).await;
        let url = database.url.clone();
        Self::on(database, &url, redis, change).await
    }

    /// A process that reaches PostgreSQL at `url`, and no Redis.
    pub(crate) async fn on_postgres(database: Database, url: &SecretString) -> Self {
        Self::on(database, url, no_redis(), |_| {}).await
    }

    async fn on(
        database: Database,
        url: &SecretString,
        redis: RedisOptions,
        change: impl FnOnce(&mut Hpc),
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let began = Timestamp::from_millis(1_795_457_659_167);
        let clock = Arc::new(ManualClock::at(began));
        let lease_clock = Arc::new(ManualClock::at(began));
        let (connector, address) = FakeConnector::start().await;
        let mut site = site(&folder, address);
        change(site.hpcs.get_mut(HPC).unwrap());
        let statements = Arc::<Mutex<Vec<String>>>::default();
        let observed = Arc::clone(&statements);
        let store = Store::connect(url, clock.clone()).await.unwrap();
        let store = store.with_lease_clock(lease_clock.clone());
        let deps = Deps {
            store: store.with_statement_observer(move |sql| {
                observed.lock().unwrap().push(sql.to_owned());
            }),
            queue: Queue::connect(redis).unwrap(),
            mirrors: Mirrors::new(MirrorOptions {
                root: folder.path().join("mirrors"),
                local_roots: vec![folder.path().to_owned()],
                size_limit: 1 << 20,
            }),
            globus: None,
            seal: Arc::new(SealingKey::load_or_create(&folder.path().join("seal.key")).unwrap()),
            transport: Transport::Plain,
            clock: clock.clone(),
            shutdown: Shutdown::default(),
        };
        let context = build(Arc::new(site), &[], deps).unwrap();
        lease::begin(&context).await.unwrap();
        let world = Self {
            context,
            connector,
            clock,
            lease_clock,
            database,
            folder,
            statements,
        };
        let status = Arc::clone(&world.hpc().status);
        let tasks = &world.context.shutdown.tasks;
        tasks.spawn(async move { status.run_community().await });
        world
    }

    pub(crate) fn store(&self) -> &Store {
        &self.context.store
    }

    pub(crate) fn hpc(&self) -> &HpcHandle {
        self.context.hpcs.get(HPC).unwrap()
    }

    /// A job of Alice that is not submitted.
    pub(crate) async fn created(&self, maintainer: &str, hpc: &str) -> Job {
        self.created_for(maintainer, hpc, None).await
    }

    /// A job that runs as `account`, if there is one.
    pub(crate) async fn created_for(
        &self,
        maintainer: &str,
        hpc: &str,
        account: Option<&str>,
    ) -> Job {
        let new = NewJob {
            id: self.store().new_job_id(),
            user_id: alice(),
            maintainer: maintainer.to_owned(),
            hpc: hpc.to_owned(),
            account: account.map(str::to_owned),
            secret_token: None,
        };
        self.store().create_job(new).await.unwrap()
    }

    pub(crate) async fn submit(&self, job: &Job, pinned: Pinned) -> JobId {
        let submitted = self.store().submit_job(&Checked::of(job), pinned).await;
        match submitted.unwrap() {
            SubmitOutcome::Queued(job) => job.id,
            other => panic!("not queued: {other:?}"),
        }
    }

    pub(crate) async fn queued(&self) -> JobId {
        let job = self.created(HELLO, HPC).await;
        self.submit(&job, Pinned::default()).await
    }

    pub(crate) async fn queued_for(&self, user: &UserId) -> JobId {
        let new = NewJob {
            id: self.store().new_job_id(),
            user_id: user.clone(),
            maintainer: HELLO.to_owned(),
            hpc: HPC.to_owned(),
            account: None,
            secret_token: None,
        };
        let job = self.store().create_job(new).await.unwrap();
        self.submit(&job, Pinned::default()).await
    }

    pub(crate) async fn claim(&self, id: &JobId) -> Claimed {
        intake::claim(&self.context, self.hpc(), id).await.unwrap()
    }

    /// A job that runs in this process.
    pub(crate) async fn running(&self) -> JobId {
        let id = self.queued().await;
        assert_eq!(self.claim(&id).await, Claimed::Taken);
        id
    }

    /// A queued job that another maintainer has brought to `step`, and left.
    pub(crate) async fn abandoned(&self, id: &JobId, step: Step) {
        let other = self.other("gone").await;
        let places = Places {
            all: 100,
            per_user: 100,
        };
        let claim = self.store().claim(id, &other, places).await.unwrap();
        let Claim::Taken(mut job) = claim else {
            panic!("not taken: {claim:?}")
        };
        let token = LeaseToken {
            id: id.clone(),
            fence: job.fence,
            holder: other.clone(),
        };
        let hpc = &self.hpc().config;
        let now = self.context.clock.now();
        let mut steps = Vec::new();
        if step > Step::Prepare {
            let mut prepared = compute_maintainer::steps::prepare(&job, hpc, now);
            prepared.step = Some(step.min(Step::Submit));
            steps.push(prepared);
        }
        if step > Step::Submit {
            steps.push(Progress {
                change: Some(Change::Accept),
                slurm_id: Some("17".to_owned()),
                step: Some(Step::Watch),
                ..Progress::default()
            });
        }
        if step > Step::Watch {
            steps.push(Progress {
                change: Some(Change::Finish),
                step: Some(Step::Collect),
                ..Progress::default()
            });
        }
        for progress in steps {
            *job = self.store().advance(&token, &job, progress).await.unwrap();
        }
        assert_eq!(job.step, step);
        if step >= Step::Submit {
            self.connector.has_script(id);
        }
        if step > Step::Submit {
            self.connector.has_job(id, "17");
        }
        self.store().forget_maintainer(&other.id).await.unwrap();
    }

    /// Another maintainer, which begins a lease.
    pub(crate) async fn other(&self, name: &str) -> LeaseHolder {
        let holder = LeaseHolder {
            id: MaintainerId::from_text(name),
            epoch: 1,
        };
        let begun = self.store().register_maintainer(&holder, "", &[], LEASE);
        begun.await.unwrap();
        holder
    }

    /// The statements since the last call.
    pub(crate) fn take_statements(&self) -> Vec<String> {
        std::mem::take(&mut self.statements.lock().unwrap())
    }

    /// Starts the sweep.
    pub(crate) fn sweep(&self) {
        let sweep = intake::sweep::run(Arc::clone(&self.context), self.hpc().clone());
        self.context.shutdown.tasks.spawn(sweep);
    }

    /// Saves Alice's intent and notifies the maintainer, as a gateway does.
    pub(crate) async fn want(&self, id: &JobId, intent: Intent) {
        let saved = self.store().set_intent(&alice(), id, intent).await.unwrap();
        assert!(saved.is_some(), "the job is over already");
        let service = MaintainerService {
            context: Arc::clone(&self.context),
        };
        let notice = NoticeRequest {
            job_id: id.to_string(),
        };
        service.notice(Request::new(notice)).await.unwrap();
    }

    pub(crate) async fn job(&self, id: &JobId) -> Job {
        self.store().job(id).await.unwrap().unwrap()
    }

    /// Waits until the job is as wanted.
    pub(crate) async fn until(&self, id: &JobId, is_wanted: impl Fn(&Job) -> bool) -> Job {
        let mut last = None;
        let waiting = async {
            loop {
                let job = self.job(id).await;
                if is_wanted(&job) {
                    return job;
                }
                last = Some(job);
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        if let Ok(job) = tokio::time::timeout(DEADLINE, waiting).await {
            return job;
        }
        let (events, calls) = (self.events(id).await, self.connector.calls());
        panic!("in vain: {last:?}\nevents: {events:?}\ncalls: {calls:?}")
    }

    pub(crate) async fn until_over(&self, id: &JobId) -> Job {
        self.until(id, |job| job.state.is_terminal()).await
    }

    pub(crate) async fn until_state(&self, id: &JobId, state: State) -> Job {
        self.until(id, |job| job.state == state).await
    }

    /// Waits for something that is not in the job's row.
    pub(crate) async fn eventually(&self, what: &str, holds: impl AsyncFn() -> bool) {
        let waiting = async {
            while !holds().await {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        let waited = tokio::time::timeout(DEADLINE, waiting).await;
        waited.unwrap_or_else(|_| panic!("in vain: {what}"));
    }

    pub(crate) async fn until_called(&self, method: &str) {
        self.eventually(method, async || self.connector.calls_of(method) > 0)
            .await;
    }

    pub(crate) async fn events(&self, id: &JobId) -> Vec<String> {
        let events = self.store().events_of(id).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    /// Replaces the value of a column with one that no program of ours writes.
    pub(crate) async fn break_row(&self, id: &JobId, column: &str) {
        let sql = format!("UPDATE jobs SET {column} = 'snooze' WHERE id = '{id}'");
        self.database.execute(&sql).await;
    }
}

impl Drop for World {
    fn drop(&mut self) {
        self.context.shutdown.token.cancel();
    }
}
