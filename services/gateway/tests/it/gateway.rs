//! A gateway, and requests to it.

use std::{convert::Infallible, sync::Arc, time::Duration};

use axum::{
    body::Body,
    extract::Request,
    http::{HeaderMap, header},
    response::Response,
};
use base64::{Engine as _, prelude::BASE64_STANDARD};
use compute_config::{self as config, Environment, Stores};
use compute_db::{NewJob, NewTemplate, Store};
use compute_domain::{
    Timestamp,
    clock::ManualClock,
    ids::{FolderId, JobId, UserId},
};
use compute_gateway::{Deps, app, build, state::AppState};
use compute_globus::Globus;
use compute_queue::Queue;
use compute_runtime::{grpc::Transport, seal::SealingKey, shutdown::Shutdown, tls};
use compute_templates::Mirrors;
use sea_orm::{ConnectionTrait as _, Database, DbBackend, Statement};
use secrecy::{ExposeSecret as _, SecretString};
use serde_json::{Value, json};
use tower::{ServiceExt as _, util::BoxCloneService};

use crate::{
    configuration,
    connector::Connector,
    hub::{Hub, token_of},
    template::repository,
};

/// 2026-11-23T18:14:19.167Z
pub(crate) const NOW: i64 = 1_795_457_659_167;

pub(crate) const NO_JOB: &str = "1795457659XXXXX";
pub(crate) const NO_FOLDER: &str = "1795457662XXXXX";

pub(crate) struct Gateway {
    pub(crate) hub: Hub,
    pub(crate) connector: Connector,
    pub(crate) store: Store,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) state: AppState,
    url: SecretString,
    app: BoxCloneService<Request, Response, Infallible>,
    folder: tempfile::TempDir,
}

/// A response, read to its end.
#[derive(Debug)]
pub(crate) struct Reply {
    pub(crate) status: u16,
    pub(crate) headers: HeaderMap,
    pub(crate) body: Value,
}

impl Reply {
    /// `error` of the body.
    pub(crate) fn error(&self) -> &str {
        self.body["error"].as_str().unwrap_or_default()
    }

    /// The body of a request that succeeds.
    #[track_caller]
    pub(crate) fn ok(self) -> Value {
        assert_eq!(self.status, 200, "{self:?}");
        self.body
    }

    /// Asserts that the request is rejected with `status` and a text that contains `error`.
    #[track_caller]
    pub(crate) fn rejected(&self, status: u16, error: &str) {
        assert_eq!(self.status, status, "{self:?}");
        assert!(self.error().contains(error), "{self:?}");
    }
}

struct NoEnvironment;

impl Environment for NoEnvironment {
    fn get(&self, _: &str) -> Option<String> {
        None
    }

    fn all(&self) -> Vec<(String, String)> {
        Vec::new()
    }
}

impl Gateway {
    pub(crate) async fn start() -> Self {
        Self::with(json!({})).await
    }

    /// A gateway with `settings` in `config.json` beside the usual ones.
    pub(crate) async fn with(settings: Value) -> Self {
        tls::install_provider();
        let folder = tempfile::tempdir().unwrap();
        let (hub, connector) = (Hub::start().await, Connector::start().await);
        let database = folder.path().join("store.sqlite");
        let url = SecretString::from(format!("sqlite://{}", database.display()));
        configuration::write(folder.path(), &hub, &connector, &url, settings);
        let loaded = config::load(folder.path(), &NoEnvironment, Stores::All);
        let site = loaded.unwrap_or_else(|mistakes| panic!("{mistakes}")).site;
        compute_migrations::up(&url).await.unwrap();
        let clock = Arc::new(ManualClock::at(Timestamp::from_millis(NOW)));
        let store = Store::connect(&url, clock.clone()).await.unwrap();
        let server = &site.server;
        let globus = server.globus.clone();
        let globus = globus.map(|options| Globus::new(options, clock.clone()).unwrap());
        let deps = Deps {
            store,
            queue: Queue::connect(server.redis.clone()).unwrap(),
            mirrors: Mirrors::new(server.mirrors.clone()),
            globus,
            seal: SealingKey::load_or_create(&server.seal_key_file).unwrap(),
            transport: Transport::Plain,
            clock: clock.clone(),
            shutdown: Shutdown::default(),
        };
        let state = build(Arc::new(site), deps).unwrap();
        Self {
            hub,
            connector,
            store: state.store.clone(),
            clock,
            app: BoxCloneService::new(app(state.clone())),
            state,
            url,
            folder,
        }
    }

    /// The token of `user` as clients send it.
    pub(crate) fn token(&self, user: &str) -> String {
        encoded(&self.hub.host, &token_of(user))
    }

    pub(crate) fn user_id(&self, user: &str) -> UserId {
        UserId::new(user, &self.hub.host)
    }

    /// A request of `user` with a JSON body.
    pub(crate) async fn call(&self, user: &str, method: &str, path: &str, body: Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(
                header::AUTHORIZATION,
                format!("Bearer {}", self.token(user)),
            )
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// The same with an `Idempotency-Key`.
    pub(crate) async fn call_once(
        &self,
        key: &str,
        user: &str,
        method: &str,
        path: &str,
        body: Value,
    ) -> Reply {
        let token = format!("Bearer {}", self.token(user));
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::AUTHORIZATION, token)
            .header(header::CONTENT_TYPE, "application/json")
            .header("idempotency-key", key)
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    /// A request without `Authorization`.
    pub(crate) async fn call_without_header(&self, method: &str, path: &str, body: Value) -> Reply {
        let request = Request::builder()
            .method(method)
            .uri(path)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Body::from(body.to_string()));
        self.send(request.unwrap()).await
    }

    pub(crate) async fn get(&self, user: &str, path: &str) -> Reply {
        self.call(user, "GET", path, json!({})).await
    }

    pub(crate) async fn send(&self, request: Request) -> Reply {
        let response = self.app.clone().oneshot(request).await.unwrap();
        let (parts, body) = response.into_parts();
        let bytes = axum::body::to_bytes(body, 16 << 20).await.unwrap();
        Reply {
            status: parts.status.as_u16(),
            headers: parts.headers,
            body: serde_json::from_slice(&bytes)
                .unwrap_or_else(|_| Value::String(String::from_utf8_lossy(&bytes).into_owned())),
        }
    }

    /// The id of a new job of `user` on `hpc`, with `settings`.
    pub(crate) async fn job(&self, user: &str, hpc: &str, settings: Value) -> String {
        let made = self.call(user, "POST", "/job", json!({"hpc": hpc})).await;
        let id = made.ok()["id"].as_str().unwrap().to_owned();
        if settings != json!({}) {
            let path = format!("/job/{id}");
            self.call(user, "PUT", &path, settings).await.ok();
        }
        id
    }

    /// A job that the API would not make.
    pub(crate) async fn stored_job(&self, user: &str, maintainer: &str, hpc: &str) -> JobId {
        let new = NewJob {
            id: self.store.new_job_id(),
            user_id: self.user_id(user),
            maintainer: maintainer.to_owned(),
            hpc: hpc.to_owned(),
            account: None,
            secret_token: None,
        };
        self.store.create_job(new).await.unwrap().id
    }

    /// A folder of `user` on `hpc`.
    pub(crate) async fn folder(&self, user: &str, hpc: &str) -> String {
        let id = FolderId::generate(Timestamp::from_millis(NOW)).to_string();
        let owner = self.user_id(user);
        self.execute(&format!(
            "INSERT INTO folders (id, hpc, hpc_path, globus_path, user_id, is_writable, created_at) \
             VALUES ('{id}', '{hpc}', '/scratch/{id}', '/{id}', '{owner}', 0, {NOW})"
        ))
        .await;
        id
    }

    /// What only a maintainer does.
    pub(crate) async fn execute(&self, sql: &str) {
        let connection = Database::connect(self.url.expose_secret()).await.unwrap();
        connection.execute_unprepared(sql).await.unwrap();
        connection.close().await.unwrap();
    }

    /// The first column of all rows.
    pub(crate) async fn texts(&self, sql: &str) -> Vec<String> {
        let connection = Database::connect(self.url.expose_secret()).await.unwrap();
        let statement = Statement::from_string(DbBackend::Sqlite, sql);
        let rows = connection.query_all_raw(statement).await.unwrap();
        connection.close().await.unwrap();
        rows.iter()
            .map(|row| row.try_get_by_index(0).unwrap())
            .collect()
    }

    /// Adds and approves a template; `more` goes into its manifest.
    pub(crate) async fn template(&self, id: &str, more: Value) {
        self.add_template(id, more, true).await;
    }

    pub(crate) async fn add_template(&self, id: &str, more: Value, is_approved: bool) {
        let mut manifest = json!({
            "name": id, "container": "python", "execution_stage": "true",
            "supported_hpc": ["local_hpc", "globus_hpc"], "default_hpc": "local_hpc",
        });
        let more = more.as_object().cloned().unwrap_or_default();
        manifest.as_object_mut().unwrap().extend(more);
        let folder = self.folder.path().join("templates").join(id);
        let new = NewTemplate {
            id: id.to_owned(),
            address: repository(&folder, &manifest),
            sha: None,
            is_approved,
            is_raw_approved: false,
            is_mpi_approved: false,
        };
        self.store.add_template(new).await.unwrap().unwrap();
    }

    /// Makes a job of `user` with `settings`, and submits it.
    pub(crate) async fn submit(&self, user: &str, hpc: &str, settings: Value) -> Reply {
        let id = self.job(user, hpc, settings).await;
        let path = format!("/job/{id}/submit");
        self.call(user, "POST", &path, json!({})).await
    }
}

/// base64 of `HOST@TOKEN`.
pub(crate) fn encoded(host: &str, token: &str) -> String {
    BASE64_STANDARD.encode(format!("{host}@{token}"))
}

/// `localExecutableFolder` for the template `id`, with `more`.
pub(crate) fn of_template(id: &str, more: Value) -> Value {
    let mut settings = json!({"localExecutableFolder": {"type": "git", "gitId": id}});
    let more = more.as_object().cloned().unwrap_or_default();
    settings.as_object_mut().unwrap().extend(more);
    settings
}

/// A moment that a test lets pass.
pub(crate) const HOUR: Duration = Duration::from_secs(3600);
