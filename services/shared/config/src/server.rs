//! `config.json`: the server's own settings.

use std::{
    path::{Path, PathBuf},
    time::Duration,
};

use compute_domain::{
    job::{MAX_DEPLOYMENT_NAME, is_deployment_name},
    site::{GlobusOptions, MirrorOptions, OpenCollection, RedisOptions},
};

use super::{
    Place, TrustedProxies, collections, proxies,
    reader::Reader,
    storage::{self, Database},
    tls::{self, TlsFiles},
};

/// What one user may ask for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Limits {
    /// Requests a minute, of each gateway.
    pub requests_per_minute: u32,
    /// Jobs that are submitted and not over; also jobs made in a day and not
    /// submitted.
    pub open_jobs: u64,
    /// Bytes in jobs made in a day and not submitted, all together.
    pub draft_bytes: u64,
    /// Tokens a minute that a hub refuses, of each client address and at each gateway.
    pub refused_tokens_per_minute: u32,
}

/// Settings of the services themselves.
#[derive(Debug, Clone)]
pub struct Server {
    /// Address that the gateway listens on.
    pub listen: (String, u16),
    /// The SQL database.
    pub database: Database,
    /// Redis.
    pub redis: RedisOptions,
    /// The mirrors of templates.
    pub mirrors: MirrorOptions,
    /// Largest upload, MiB.
    pub upload_limit_mb: u64,
    /// The Globus services; absent without a client id, and then there are no transfers.
    pub globus: Option<GlobusOptions>,
    /// Interval between two polls of a transfer that a job waits for.
    pub globus_poll: Duration,
    /// Key that seals Globus refresh tokens; made at the first use.
    pub seal_key_file: PathBuf,
    /// Key that seals passwords of private accounts; the connector's alone.
    pub credential_key_file: PathBuf,
    /// How long a sealed password is kept after the last sign of life of its job.
    pub credential_time: Duration,
    /// Connector of the HPCs that name none.
    pub connector_address: String,
    /// With these, services speak TLS to each other.
    pub tls: Option<TlsFiles>,
    /// How often templates are fetched.
    pub template_refresh: Duration,
    /// How long a maintainer that died keeps its jobs.
    pub lease: Duration,
    /// How often abandoned jobs are looked for.
    pub sweep: Duration,
    /// How this deployment marks its Slurm jobs: letters, digits, `_` and `-`.
    pub deployment: String,
    /// What one user may ask for.
    pub limits: Limits,
    /// Proxies whose `X-Forwarded-For` is believed.
    pub trusted_proxies: TrustedProxies,
    /// Whether jobs may be made with tokens of their own (deprecated).
    pub job_tokens: bool,
    /// Folders on the services' machines below which data may be taken for jobs.
    pub local_data_roots: Vec<PathBuf>,
    /// How long a folder is kept at least before its owner's `PUT /clean` removes it.
    pub folder_retention: Duration,
    /// Globus collections that all users may name.
    pub globus_collections: Vec<OpenCollection>,
    /// Kept from the legacy server.
    pub is_testing: bool,
}

const DAY: Duration = Duration::from_hours(24);
const PORT: std::ops::RangeInclusive<u64> = 0..=65535;

pub(super) fn read(r: &mut Reader<'_>, place: &Place<'_>) -> Option<Server> {
    r.ignore(&["local_key", "queue_consume_time_period_in_seconds"]);
    let database = storage::database(r, place);
    let redis = r.inside("redis", |r| storage::redis(r, place));
    let (cache_path, upload_limit_mb) = r.inside("local_file_system", |r| {
        r.ignore(&["root_path"]);
        let cache = r.text("cache_path").unwrap_or_else(|| "cache".to_owned());
        (
            place.path(&cache),
            r.number("limit_in_mb", 1..=1_000_000).unwrap_or(100),
        )
    });
    let seconds = |r: &mut Reader<'_>, key: &str, default: u64| {
        Duration::from_secs(r.number(key, 1..=86_400).unwrap_or(default))
    };
    let listen = (
        r.text("server_ip")
            .unwrap_or_else(|| "127.0.0.1".to_owned()),
        port(r.number("server_port", PORT), 3030),
    );
    let tls = tls::read(r, place);
    let (globus, globus_poll) = globus(r);
    let server = Server {
        listen,
        database: database?,
        redis: redis?,
        mirrors: mirrors(r, place, &cache_path),
        upload_limit_mb,
        globus,
        globus_poll,
        seal_key_file: key_file(r, place, "seal_key_file", "seal.key"),
        credential_key_file: key_file(r, place, "credential_key_file", "credential.key"),
        credential_time: Duration::from_secs(
            3600 * r.number("credential_hours", 1..=24 * 366).unwrap_or(72),
        ),
        connector_address: r.text("connector_address").unwrap_or_else(|| {
            let scheme = if tls.is_some() { "https" } else { "http" };
            format!("{scheme}://127.0.0.1:7100")
        }),
        tls,
        template_refresh: seconds(r, "template_refresh_seconds", 60),
        lease: seconds(r, "lease_seconds", 30),
        sweep: seconds(r, "sweep_seconds", 10),
        deployment: deployment(r),
        limits: r.inside("limits", limits),
        trusted_proxies: proxies::read(r),
        job_tokens: r.flag("job_tokens").unwrap_or(true),
        local_data_roots: paths(r, place, "local_data_roots"),
        folder_retention: DAY * days(r, "folder_retention_days", 30),
        globus_collections: collections::read(r),
        is_testing: r.flag("is_testing").unwrap_or(false),
    };
    r.warn_of_unknown_keys();
    Some(server)
}

fn limits(r: &mut Reader<'_>) -> Limits {
    let per_minute = |r: &mut Reader<'_>, key: &str, default: u32| {
        r.number(key, 1..=10_000_000)
            .and_then(|number| u32::try_from(number).ok())
            .unwrap_or(default)
    };
    Limits {
        requests_per_minute: per_minute(r, "requests_per_minute", 6000),
        refused_tokens_per_minute: per_minute(r, "refused_tokens_per_minute", 30),
        draft_bytes: r.number("draft_mb", 1..=100_000).unwrap_or(64) << 20,
        open_jobs: r.number("open_jobs", 1..=1_000_000).unwrap_or(1000),
    }
}

fn days(r: &mut Reader<'_>, key: &str, default: u32) -> u32 {
    r.number(key, 0..=36_500)
        .and_then(|days| u32::try_from(days).ok())
        .unwrap_or(default)
}

fn paths(r: &mut Reader<'_>, place: &Place<'_>, key: &str) -> Vec<PathBuf> {
    let paths = r.texts(key);
    paths.iter().map(|path| place.path(path)).collect()
}

fn mirrors(r: &mut Reader<'_>, place: &Place<'_>, cache_path: &Path) -> MirrorOptions {
    let size_limit_mb = r.number("template_size_limit_mb", 1..=100_000);
    MirrorOptions {
        root: cache_path.join("templates"),
        local_roots: paths(r, place, "template_local_roots"),
        size_limit: size_limit_mb.unwrap_or(500) << 20,
    }
}

fn globus(r: &mut Reader<'_>) -> (Option<GlobusOptions>, Duration) {
    let client_id = r.text("globus_client_id").filter(|id| !id.is_empty());
    let (auth_url, transfer_url, poll) = r.inside("globus", |r| {
        let poll = r.number("poll_seconds", 1..=3600);
        (url(r, "auth_url"), url(r, "transfer_url"), poll)
    });
    let options = client_id.map(|client_id| GlobusOptions {
        client_id,
        auth_url: auth_url.unwrap_or_else(|| "https://auth.globus.org".to_owned()),
        transfer_url: transfer_url
            .unwrap_or_else(|| "https://transfer.api.globus.org/v0.10".to_owned()),
    });
    (options, Duration::from_secs(poll.unwrap_or(10)))
}

fn url(r: &mut Reader<'_>, key: &str) -> Option<String> {
    let url = r.text(key)?;
    if !url.starts_with("https://") && !url.starts_with("http://") {
        r.wrong(key, "must begin with https:// or http://");
    }
    Some(url.trim_end_matches('/').to_owned())
}

fn key_file(r: &mut Reader<'_>, place: &Place<'_>, key: &str, default: &str) -> PathBuf {
    place.path(&r.text(key).unwrap_or_else(|| default.to_owned()))
}

pub(super) fn port(number: Option<u64>, default: u16) -> u16 {
    number
        .and_then(|number| u16::try_from(number).ok())
        .unwrap_or(default)
}

fn deployment(r: &mut Reader<'_>) -> String {
    let name = r
        .text("deployment")
        .unwrap_or_else(|| "cybergis-compute".to_owned());
    if !is_deployment_name(&name) {
        let rule = format!("must be made of 1 to {MAX_DEPLOYMENT_NAME} letters, digits, _ and -");
        r.wrong("deployment", &rule);
    }
    name
}
