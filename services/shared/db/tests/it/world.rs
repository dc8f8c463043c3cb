//! A store, a clock that stands still, people and jobs.

use std::{
    collections::BTreeSet,
    sync::{Arc, Mutex},
    time::Duration,
};

use compute_db::{
    Checked, Claim, LeaseHolder, LeaseToken, NewJob, Pinned, Places, Progress, Store, SubmitOutcome,
};
use compute_domain::{
    Timestamp,
    clock::ManualClock,
    ids::{FolderId, JobId, MaintainerId, UserId},
    job::{Change, Folder, Job},
};

use compute_testing::{Database, Kind};

pub(crate) const HPC: &str = "local_hpc";
pub(crate) const LEASE: Duration = Duration::from_secs(30);
pub(crate) const PLENTY: Places = places(1000);

/// So many for everybody, and for each user.
pub(crate) const fn places(all: u32) -> Places {
    Places { all, per_user: all }
}

pub(crate) struct World {
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) database: Database,
    /// Maintainers that have begun a lease.
    registered: Mutex<BTreeSet<String>>,
}

pub(crate) fn alice() -> UserId {
    UserId::from_text("alice@hub:8000")
}

pub(crate) fn bob() -> UserId {
    UserId::from_text("bob@hub:8000")
}

pub(crate) fn maintainer(name: &str) -> MaintainerId {
    MaintainerId::from_text(name)
}

impl World {
    pub(crate) async fn new(kind: Kind) -> Self {
        let database = Database::migrated(kind).await;
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(1_795_457_659_167)));
        let store = Store::connect(&database.url, clock.clone()).await.unwrap();
        Self {
            store: store.with_lease_clock(clock.clone()),
            clock,
            database,
            registered: Mutex::default(),
        }
    }

    /// A store with connections of its own, as another process has them.
    pub(crate) async fn another_store(&self) -> Store {
        Store::connect(&self.database.url, self.clock.clone())
            .await
            .unwrap()
            .with_lease_clock(self.clock.clone())
    }

    pub(crate) async fn created(&self, user: &UserId) -> Job {
        let new = Self::new_job(&self.store, user);
        self.store.create_job(new).await.unwrap()
    }

    pub(crate) fn new_job(store: &Store, user: &UserId) -> NewJob {
        NewJob {
            id: store.new_job_id(),
            secret_token: None,
            user_id: user.clone(),
            maintainer: "community_contribution".to_owned(),
            hpc: HPC.to_owned(),
            account: None,
        }
    }

    pub(crate) async fn queued(&self, user: &UserId) -> Job {
        let job = self.created(user).await;
        match self
            .store
            .submit_job(&Checked::of(&job), Pinned::default())
            .await
            .unwrap()
        {
            SubmitOutcome::Queued(job) => *job,
            other => panic!("not queued: {other:?}"),
        }
    }

    /// The maintainer of that name, whose lease begins with the first call.
    pub(crate) async fn holder(&self, name: &str) -> LeaseHolder {
        let holder = LeaseHolder {
            id: maintainer(name),
            epoch: 1,
        };
        if self.registered.lock().unwrap().insert(name.to_owned()) {
            let address = format!("http://{name}:1");
            let hpcs = [HPC.to_owned()];
            let registered = self
                .store
                .register_maintainer(&holder, &address, &hpcs, LEASE);
            registered.await.unwrap();
        }
        holder
    }

    /// A job of Alice that `owner` has taken.
    pub(crate) async fn leased(&self, owner: &str) -> (Job, LeaseToken) {
        let job = self.queued(&alice()).await;
        match self
            .store
            .claim(&job.id, &self.holder(owner).await, PLENTY)
            .await
            .unwrap()
        {
            Claim::Taken(job) => (*job.clone(), token(&job)),
            other => panic!("not taken: {other:?}"),
        }
    }

    pub(crate) async fn advance(&self, token: &LeaseToken, progress: Progress) -> Job {
        let before = self.store.job(&token.id).await.unwrap().unwrap();
        let advanced = self.store.advance(token, &before, progress).await.unwrap();
        let row = self.store.job(&token.id).await.unwrap();
        assert_eq!(Some(&advanced), row.as_ref(), "the row is not read again");
        advanced
    }

    pub(crate) async fn kinds_of_events(&self, id: &JobId) -> Vec<String> {
        let events = self.store.events_of(id).await.unwrap();
        events.into_iter().map(|event| event.kind).collect()
    }

    pub(crate) fn folder(&self, user: &UserId) -> Folder {
        let now = Timestamp::from_millis(1_795_457_659_167);
        let id = FolderId::generate(now);
        Folder {
            name: None,
            hpc: HPC.to_owned(),
            hpc_path: format!("/scratch/{id}"),
            globus_path: format!("/{id}"),
            user_id: user.clone(),
            is_writable: false,
            created_at: now,
            updated_at: None,
            deleted_at: None,
            id,
        }
    }
}

pub(crate) fn change(change: Change) -> Progress {
    Progress {
        change: Some(change),
        ..Progress::default()
    }
}

pub(crate) fn token(job: &Job) -> LeaseToken {
    LeaseToken {
        id: job.id.clone(),
        fence: job.fence,
        holder: LeaseHolder {
            id: job.lease_holder.clone().unwrap(),
            epoch: job.lease_epoch.unwrap(),
        },
    }
}
